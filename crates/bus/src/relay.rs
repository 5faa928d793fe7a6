//! Moves committed events from an outbox to the bus, in order.
//!
//! An event is marked as sent only after the bus has it, so a crash in between sends it twice and never not at all. What is not
//! as it was committed is left out by the outbox, with all of its stream that comes after it: that waits for a person, and is
//! looked at again with the next event of its org.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_core::id::OrgId;
use preceptor_runtime::pause;
use preceptor_runtime::tasks::{Stop, TaskError};
use preceptor_store::{Control, Handle, StoreError, Unsent};

use crate::{Bus, BusError, Message, Topic};

/// Events of a stream per publication.
const BATCH: u64 = 256;
/// The least time between two rounds. The first event after a silence goes out at once; those of a burst go together, which
/// spares the store and the bus a durable write for each.
const PACE: Duration = Duration::from_millis(100);
/// The pause after the bus or the store failed.
const PAUSE: Duration = Duration::from_millis(500);

/// An outbox, wherever its tables are.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Waits for orgs that have something unsent.
    async fn dirty_orgs(&self) -> Vec<OrgId>;
    /// Has the relay look at an org again.
    fn mark_dirty(&self, org: OrgId);
    /// The oldest unsent events.
    async fn unsent(&self, org: OrgId, limit: u64) -> Result<Vec<Unsent>, StoreError>;
    /// These events are on the bus.
    async fn mark_sent(&self, org: OrgId, sent: &[Unsent]) -> Result<(), StoreError>;
}

macro_rules! outbox {
    ($($source:ty)+) => {$(
        #[async_trait]
        impl Outbox for $source {
            async fn dirty_orgs(&self) -> Vec<OrgId> {
                <$source>::dirty_orgs(self).await
            }

            fn mark_dirty(&self, org: OrgId) {
                <$source>::mark_dirty(self, org);
            }

            async fn unsent(&self, org: OrgId, limit: u64) -> Result<Vec<Unsent>, StoreError> {
                <$source>::unsent(self, org, limit).await
            }

            async fn mark_sent(&self, org: OrgId, sent: &[Unsent]) -> Result<(), StoreError> {
                <$source>::mark_sent(self, org, sent).await
            }
        }
    )+};
}

outbox! { Handle Control }

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("an outbox row names the unknown topic {0}")]
    UnknownTopic(String),
}

/// Relays until it is asked to stop; what is committed by then is sent first.
pub async fn run(outbox: Arc<dyn Outbox>, bus: Arc<dyn Bus>, stop: Stop) -> Result<(), TaskError> {
    loop {
        let orgs = tokio::select! {
            biased;
            orgs = outbox.dirty_orgs() => orgs,
            () = stop.requested() => return Ok(()),
        };
        for org in orgs {
            if let Err(error) = drain(&*outbox, &*bus, org).await {
                tracing::warn!(%error, "events wait in the outbox");
                outbox.mark_dirty(org);
                if !stop.sleep(PAUSE).await {
                    return Ok(());
                }
            }
        }
        stop.sleep(PACE).await;
    }
}

async fn drain(outbox: &dyn Outbox, bus: &dyn Bus, org: OrgId) -> Result<(), RelayError> {
    loop {
        let unsent = outbox.unsent(org, BATCH).await?;
        if unsent.is_empty() {
            return Ok(());
        }
        let complete = (unsent.len() as u64) < BATCH;
        let messages = unsent
            .iter()
            .map(|event| {
                let topic = Topic::of_name(&event.topic)
                    .ok_or_else(|| RelayError::UnknownTopic(event.topic.clone()))?;
                Ok(Message { topic, key: org, bytes: event.envelope.clone() })
            })
            .collect::<Result<Vec<_>, RelayError>>()?;
        bus.publish(&messages).await?;
        pause::at("relay.published", org).await;
        outbox.mark_sent(org, &unsent).await?;
        if complete {
            return Ok(());
        }
    }
}
