//! Hands events to a service.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::propagation::Extractor;
use preceptor_core::id::OrgId;
use preceptor_proto::events::v1::Envelope;
use preceptor_runtime::tasks::{Stop, TaskError};
use prost::Message as _;
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{Bus, Delivery, Topic};

/// The pause after a first transient failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why an event could not be dealt with.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// Trying again may help: a peer or a store is away.
    #[error("{0}")]
    Transient(String),
    /// Trying again will not help.
    #[error("{0}")]
    Permanent(String),
}

/// What a service does with its events. The effect and the inbox row commit in one transaction, so handling an event
/// again does nothing.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Deals with one event.
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError>;
}

/// A consumer group with its handler.
#[derive(Clone)]
pub struct Consumer {
    /// The group: by convention the service's name.
    pub group: &'static str,
    /// What it listens to.
    pub topics: &'static [Topic],
    /// What it does.
    pub handler: Arc<dyn Handler>,
}

struct Traceparent<'a>(&'a str);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

/// Consumes until it is asked to stop.
pub async fn run(consumer: Consumer, bus: Arc<dyn Bus>, stop: Stop) -> Result<(), TaskError> {
    let mut subscription = bus.subscribe(consumer.group, consumer.topics).await?;
    let mut parked = HashSet::new();
    loop {
        let deliveries = tokio::select! {
            deliveries = subscription.next() => deliveries?,
            () = stop.requested() => return Ok(()),
        };
        for delivery in deliveries {
            if !deal_with(&consumer, &delivery, &mut parked, &stop).await {
                // Asked to stop before it was dealt with: it comes again after the restart.
                return Ok(());
            }
            if parked.is_empty() {
                subscription.ack(&delivery).await?;
            }
        }
    }
}

/// Deals with one event. `false` when the process stops first.
///
/// A parked org holds back the stored position of the whole group: after a restart its events come again, and those of
/// the other orgs find their inbox rows.
async fn deal_with(consumer: &Consumer, delivery: &Delivery, parked: &mut HashSet<OrgId>, stop: &Stop) -> bool {
    if parked.contains(&delivery.key) {
        return true;
    }
    let Ok(event) = Envelope::decode(delivery.bytes.as_slice()) else {
        park(consumer, delivery, parked, "it is not an envelope");
        return true;
    };
    let span = tracing::info_span!("event", event.r#type = event.r#type, event.id = event.id, consumer.group = consumer.group);
    let parent = opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract(&Traceparent(&event.traceparent)));
    // Fails only when no telemetry layer is installed, and then there is no parent to set.
    let _ = span.set_parent(parent);

    let mut pause = FIRST_PAUSE;
    loop {
        match consumer.handler.handle(&event).instrument(span.clone()).await {
            Ok(()) => return true,
            Err(HandlerError::Permanent(cause)) => {
                park(consumer, delivery, parked, &cause);
                return true;
            }
            Err(HandlerError::Transient(cause)) => {
                tracing::warn!(event.id = event.id, event.r#type = event.r#type, cause, "an event is tried again");
                if !stop.sleep(pause).await {
                    return false;
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn park(consumer: &Consumer, delivery: &Delivery, parked: &mut HashSet<OrgId>, cause: &str) {
    parked.insert(delivery.key);
    tracing::error!(
        consumer.group,
        event.topic = delivery.topic.name(),
        event.position = delivery.position,
        cause,
        "an event cannot be dealt with; it is parked with all that follow of its org until the process restarts"
    );
}
