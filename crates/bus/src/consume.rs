//! Hands events to a service.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::TraceContextExt as _;
use preceptor_core::id::OrgId;
use preceptor_proto::events::v1::Envelope;
use preceptor_runtime::tasks::{Stop, TaskError};
use prost::Message;
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

impl HandlerError {
    /// A failure, and whether it may pass.
    pub fn of(error: &impl std::fmt::Display, may_pass: bool) -> Self {
        if may_pass { Self::Transient(error.to_string()) } else { Self::Permanent(error.to_string()) }
    }
}

/// The org that an event belongs to.
pub fn org_of(event: &Envelope) -> Result<OrgId, HandlerError> {
    event.org_id.parse().map_err(|_| HandlerError::Permanent("its org cannot be read".into()))
}

/// What an event tells.
pub fn told<M: Message + Default>(event: &Envelope) -> Result<M, HandlerError> {
    M::decode(event.payload.as_slice()).map_err(|error| HandlerError::of(&error, false))
}

/// What a service does with its events. The effect and the inbox row commit in one transaction, so handling an event
/// again does nothing.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Deals with one event.
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError>;

    /// Deals with events of one org that arrived one behind the other, all or none of them. `false` when they have to come
    /// one by one, as they also do after an error.
    async fn handle_together(&self, _events: &[Envelope]) -> Result<bool, HandlerError> {
        Ok(false)
    }
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
        // The position is stored once for all of them: those that come again after a crash find that they were dealt with.
        let mut done = BTreeMap::new();
        let mut stopped = false;
        for of_org in deliveries.chunk_by(|a, b| a.key == b.key) {
            stopped = !deal_with_all(&consumer, of_org, &mut parked, &stop).await;
            if stopped {
                break;
            }
            if parked.is_empty() {
                done.extend(of_org.iter().map(|delivery| (delivery.topic, delivery)));
            }
        }
        for delivery in done.into_values() {
            subscription.ack(delivery).await?;
        }
        if stopped {
            // What was not dealt with comes again after the restart.
            return Ok(());
        }
    }
}

/// Deals with events of one org. `false` when the process stops first.
async fn deal_with_all(
    consumer: &Consumer,
    deliveries: &[Delivery],
    parked: &mut HashSet<OrgId>,
    stop: &Stop,
) -> bool {
    if parked.is_empty() && deliveries.len() > 1 && taken_together(consumer, deliveries).await {
        return true;
    }
    for delivery in deliveries {
        if !deal_with(consumer, delivery, parked, stop).await {
            return false;
        }
    }
    true
}

/// Whether the handler dealt with all of them in one go.
async fn taken_together(consumer: &Consumer, deliveries: &[Delivery]) -> bool {
    let events: Result<Vec<Envelope>, _> =
        deliveries.iter().map(|delivery| Envelope::decode(delivery.bytes.as_slice())).collect();
    let Ok(events) = events else { return false };
    let span = tracing::info_span!("events", events.count = events.len(), consumer.group = consumer.group);
    for event in &events {
        span.add_link(parent(event).span().span_context().clone());
    }
    let taken = consumer.handler.handle_together(&events).instrument(span).await;
    taken.unwrap_or_else(|error| {
        tracing::debug!(consumer.group, %error, "events that arrived together are dealt with one by one");
        false
    })
}

/// The trace in which an event was written.
fn parent(event: &Envelope) -> opentelemetry::Context {
    opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.extract(&Traceparent(&event.traceparent))
    })
}

/// Deals with one event. `false` when the process stops first.
///
/// A parked org holds back the stored position of the whole group: after a restart its events come again, and those of
/// the other orgs find their inbox rows.
async fn deal_with(
    consumer: &Consumer,
    delivery: &Delivery,
    parked: &mut HashSet<OrgId>,
    stop: &Stop,
) -> bool {
    if parked.contains(&delivery.key) {
        return true;
    }
    let Ok(event) = Envelope::decode(delivery.bytes.as_slice()) else {
        park(consumer, delivery, parked, "it is not an envelope");
        return true;
    };
    let span = tracing::info_span!(
        "event",
        event.r#type = event.r#type,
        event.id = event.id,
        consumer.group = consumer.group
    );
    // Fails only when no telemetry layer is installed, and then there is no parent to set.
    let _ = span.set_parent(parent(&event));

    let mut pause = FIRST_PAUSE;
    loop {
        match consumer.handler.handle(&event).instrument(span.clone()).await {
            Ok(()) => return true,
            Err(HandlerError::Permanent(cause)) => {
                park(consumer, delivery, parked, &cause);
                return true;
            }
            Err(HandlerError::Transient(cause)) => {
                tracing::warn!(
                    event.id = event.id,
                    event.r#type = event.r#type,
                    cause,
                    "an event is tried again"
                );
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
