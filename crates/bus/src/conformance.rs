//! The suite that every bus engine passes.

use std::time::Duration;

use preceptor_core::id::OrgId;

use crate::{Bus, Delivery, Message, Subscription, Topic};

/// Long enough for a slow engine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the whole suite. `open` connects to the same bus each time, as a restarted process would.
///
/// # Panics
/// When the engine does not conform; the message says how.
pub async fn run(open: impl AsyncFn() -> Box<dyn Bus>) {
    events_of_a_key_arrive_in_order(&open).await;
    a_group_goes_on_behind_what_it_acknowledged(&open).await;
    a_waiting_consumer_is_woken(&open).await;
}

fn message(topic: Topic, key: OrgId, text: &str) -> Message {
    Message { topic, key, bytes: text.as_bytes().to_vec() }
}

/// The next `count` events of one of our keys; a shared bus may hold others.
async fn take(subscription: &mut dyn Subscription, keys: &[OrgId], count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let batch = tokio::time::timeout(PATIENCE, subscription.next())
            .await
            .expect("events in time")
            .expect("a batch");
        taken.extend(batch.into_iter().filter(|delivery| keys.contains(&delivery.key)));
    }
    taken
}

fn texts(deliveries: &[Delivery], key: OrgId) -> Vec<String> {
    let of_key = deliveries.iter().filter(|delivery| delivery.key == key);
    of_key.map(|delivery| String::from_utf8_lossy(&delivery.bytes).into_owned()).collect()
}

async fn events_of_a_key_arrive_in_order(open: &impl AsyncFn() -> Box<dyn Bus>) {
    let bus = open().await;
    let (one, two) = (OrgId::generate(), OrgId::generate());
    let mut subscription =
        bus.subscribe("order", &[Topic::Message, Topic::Program]).await.expect("a subscription");
    for number in 0..50 {
        let batch = [
            message(Topic::Message, one, &format!("one {number:02}")),
            message(Topic::Message, two, &format!("two {number:02}")),
            message(Topic::Index, one, "of a topic nobody asked for"),
        ];
        bus.publish(&batch).await.expect("a publication");
    }
    let deliveries = take(&mut *subscription, &[one, two], 100).await;
    for (key, name) in [(one, "one"), (two, "two")] {
        let expected: Vec<_> = (0..50).map(|number| format!("{name} {number:02}")).collect();
        assert_eq!(texts(&deliveries, key), expected, "the events of a key arrived in another order");
    }
}

async fn a_group_goes_on_behind_what_it_acknowledged(open: &impl AsyncFn() -> Box<dyn Bus>) {
    let key = OrgId::generate();
    let bus = open().await;
    let batch: Vec<_> = ["a", "b", "c"].map(|text| message(Topic::Audit, key, text)).into();
    bus.publish(&batch).await.expect("a publication");
    let mut subscription = bus.subscribe("restart", &[Topic::Audit]).await.expect("a subscription");
    let seen = take(&mut *subscription, &[key], 3).await;
    subscription.ack(&seen[0]).await.expect("an acknowledgment");
    drop(subscription);
    drop(bus);

    let bus = open().await;
    let mut again = bus.subscribe("restart", &[Topic::Audit]).await.expect("a subscription");
    assert_eq!(
        texts(&take(&mut *again, &[key], 2).await, key),
        ["b", "c"],
        "what was not acknowledged did not come again"
    );
    let mut other = bus.subscribe("another group", &[Topic::Audit]).await.expect("a subscription");
    assert_eq!(texts(&take(&mut *other, &[key], 3).await, key), ["a", "b", "c"], "groups share a position");
}

async fn a_waiting_consumer_is_woken(open: &impl AsyncFn() -> Box<dyn Bus>) {
    let bus = open().await;
    let key = OrgId::generate();
    let mut subscription = bus.subscribe("waiting", &[Topic::Alignment]).await.expect("a subscription");
    let waiting = take(&mut *subscription, std::slice::from_ref(&key), 1);
    let publishing = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        bus.publish(&[message(Topic::Alignment, key, "late")]).await.expect("a publication");
    };
    let (deliveries, ()) = tokio::join!(waiting, publishing);
    assert_eq!(texts(&deliveries, key), ["late"]);
}
