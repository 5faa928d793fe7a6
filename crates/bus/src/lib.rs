//! The event bus behind one small trait, and the two loops that join it to the store.
//!
//! The trait is cut to what Kafka offers: topics, keys (the org), at-least-once delivery in order per key, one position
//! per consumer group. [`DurableLog`] is the embedded engine: a log table in one SQLite file. [`conformance`] is the
//! suite that every engine passes.
//!
//! * [`relay`] moves committed events from an outbox to the bus, in order;
//! * [`consume`] hands them to a service, which notes each in its inbox together with the effect, so that a redelivered
//!   event has none. A transient failure is tried again until it passes; an event that can never be dealt with is parked
//!   with everything after it of the same org, and the other orgs go on.

pub mod conformance;
pub mod consume;
mod durable_log;
pub mod relay;

use std::fmt;

use async_trait::async_trait;
use preceptor_core::id::OrgId;

pub use consume::{Consumer, Handler, HandlerError, org_of, told};
pub use durable_log::DurableLog;

/// A domain of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Sources: extracted.
    Source,
    /// Programs: frozen, published, withdrawn.
    Program,
    /// The index: progress, ready.
    Index,
    /// Messages: recorded.
    Message,
    /// Classifications.
    Alignment,
    /// Credits: awarded.
    Credit,
    /// Records for the log.
    Audit,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 7] =
        [Self::Source, Self::Program, Self::Index, Self::Message, Self::Alignment, Self::Credit, Self::Audit];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Program => "program",
            Self::Index => "index",
            Self::Message => "message",
            Self::Alignment => "alignment",
            Self::Credit => "credit",
            Self::Audit => "audit",
        }
    }

    /// The topic of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// An event on its way to the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it goes.
    pub topic: Topic,
    /// Events of one key stay in order.
    pub key: OrgId,
    /// The encoded envelope.
    pub bytes: Vec<u8>,
}

/// An event on its way to a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where it was.
    pub topic: Topic,
    /// Its key.
    pub key: OrgId,
    /// Its position in the topic.
    pub position: i64,
    /// The encoded envelope, exactly as it was published.
    pub bytes: Vec<u8>,
}

/// The bus cannot be reached or written to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event bus is not available: {0}")]
pub struct BusError(pub String);

/// The event bus.
#[async_trait]
pub trait Bus: Send + Sync + fmt::Debug {
    /// Publishes events in the order given. They are durable when this returns; when it fails, any number of them may
    /// be, and publishing them again is right.
    async fn publish(&self, events: &[Message]) -> Result<(), BusError>;

    /// Joins a consumer group. A group sees every event of its topics; a new group begins at the oldest.
    async fn subscribe(&self, group: &str, topics: &[Topic]) -> Result<Box<dyn Subscription>, BusError>;
}

/// A consumer group's place in its topics.
#[async_trait]
pub trait Subscription: Send {
    /// The next events after the last one returned; waits until there is one. Dropping the future loses nothing.
    async fn next(&mut self) -> Result<Vec<Delivery>, BusError>;

    /// Stores that everything up to this event was dealt with: after a restart the group goes on behind it.
    async fn ack(&mut self, delivery: &Delivery) -> Result<(), BusError>;
}
