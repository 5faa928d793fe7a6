//! Seals of what waits in outboxes. A row of an outbox is sent as it is, so someone who can write the tables could put
//! another event in its place before it is on its way: a keyed hash over the row is what is sent by.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use preceptor_core::id::OrgId;

/// The values of an outbox row that are sent or say where it belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) service: &'a str,
    pub(crate) org: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) sequence: i64,
    pub(crate) event_id: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) envelope: &'a [u8],
}

impl Row<'_> {
    /// The bytes that are hashed: every value with its length, so that no two rows read the same.
    fn canonical(&self) -> Vec<u8> {
        let Self { service, org, stream, sequence, event_id, topic, envelope } = self;
        let mut bytes = b"outbox".to_vec();
        for text in [service, org, stream, event_id, topic] {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(*envelope);
        bytes
    }
}

/// Seals the outboxes of a deployment, and knows which of their streams stopped at a row that does not hold. Cheap to
/// clone; all clones know the same.
#[derive(Clone)]
pub struct OutboxSeals(Arc<Inner>);

struct Inner {
    key: hmac::Key,
    stopped: Mutex<BTreeSet<(String, OrgId, String)>>,
}

/// The key is shown to no one.
impl fmt::Debug for OutboxSeals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutboxSeals({} stopped)", self.stopped())
    }
}

impl OutboxSeals {
    /// Seals under a key, which anyone who can write the tables must not hold.
    pub fn new(key: &[u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self(Arc::new(Inner { key, stopped: Mutex::default() }))
    }

    /// How many streams of outboxes this process does not send on, because a row of them was changed outside.
    pub fn stopped(&self) -> usize {
        self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn seal(&self, row: &Row<'_>) -> String {
        hex::encode(hmac::sign(&self.0.key, &row.canonical()))
    }

    pub(crate) fn holds(&self, row: &Row<'_>, seal: &str) -> bool {
        hex::decode(seal).is_ok_and(|tag| hmac::verify(&self.0.key, &row.canonical(), &tag).is_ok())
    }

    /// Notes at which row a stream stopped, if at any, and raises the alarm when it is new.
    pub(crate) fn note(&self, service: &str, org: OrgId, stream: &str, changed: Option<i64>) {
        let key = (service.to_owned(), org, stream.to_owned());
        let mut stopped = self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sequence) = changed else {
            stopped.remove(&key);
            return;
        };
        if stopped.insert(key) {
            tracing::error!(
                alarm = "ROW_CHANGED_OUTSIDE",
                table = %format_args!("{service}_outbox"),
                org.id = %org,
                stream,
                sequence,
                "an event is not the one that was committed; it and all behind it stay in the outbox"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Row<'static> = Row {
        service: "credits",
        org: "org_1",
        stream: "audit",
        sequence: 7,
        event_id: "evt_1",
        topic: "audit",
        envelope: b"what is sent",
    };

    #[test]
    fn every_value_of_a_row_is_under_its_seal() {
        let seals = OutboxSeals::new(&[7; 32]);
        let seal = seals.seal(&ROW);
        assert!(seals.holds(&ROW, &seal));
        for changed in [
            Row { service: "auth", ..ROW },
            Row { org: "org_2", ..ROW },
            Row { stream: "events", ..ROW },
            Row { sequence: 8, ..ROW },
            Row { event_id: "evt_2", ..ROW },
            Row { topic: "credit", ..ROW },
            Row { envelope: b"what is not", ..ROW },
            // A letter went from one value to the next.
            Row { event_id: "evt_1a", topic: "udit", ..ROW },
        ] {
            assert!(!seals.holds(&changed, &seal), "{changed:?}");
        }
        assert!(!seals.holds(&ROW, "") && !seals.holds(&ROW, "zz"), "a seal that was taken away");
        assert!(!OutboxSeals::new(&[8; 32]).holds(&ROW, &seal), "another key");
    }

    #[test]
    fn a_stream_goes_on_when_its_row_holds_again() {
        let (seals, org) = (OutboxSeals::new(&[7; 32]), OrgId::generate());
        for (changed, stopped) in [(None, 0), (Some(3), 1), (Some(3), 1), (None, 0)] {
            seals.note("credits", org, "audit", changed);
            assert_eq!(seals.clone().stopped(), stopped);
        }
    }
}
