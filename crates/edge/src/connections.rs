//! Who is connected, and who has to give way.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::address::Prefix;
use crate::limits::Limits;

/// Milliseconds after which a connection has shown what it is, when others wait for its place.
const FAIR_CHANCE: u64 = 200;
/// Bytes a second below which a transfer is slow.
const SLOW: u64 = 64 << 10;

/// All connections of a listener.
#[derive(Debug)]
pub(crate) struct Connections {
    open: Mutex<Open>,
    most: usize,
    most_per_address: usize,
    left: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// By number, which is by age.
    all: BTreeMap<u64, Arc<Connection>>,
    per_address: HashMap<Prefix, usize>,
}

/// One connection, as far as others are concerned with it.
#[derive(Debug)]
pub(crate) struct Connection {
    number: u64,
    /// Unset for trusted proxies, which have no share.
    address: Option<Prefix>,
    begun: Instant,
    /// Asks the connection's task to let go at once.
    pub(crate) close: CancellationToken,
    /// Requests that are not answered whole.
    requests: AtomicU32,
    /// Whether a request was ever complete.
    served: AtomicBool,
    /// Milliseconds since `begun`, here and below: when the last answer ended.
    quiet_since: AtomicU64,
    /// When the first byte after that arrived; 0 when none has.
    header_since: AtomicU64,
    /// When the body that is waited for began; 0 when none is.
    receiving_since: AtomicU64,
    received: AtomicU64,
    /// Since when the socket takes nothing; 0 when it does.
    blocked_since: AtomicU64,
    /// Since when a piece of each answer waits to be taken, by the number of its request: another answer that is taken
    /// does not make up for it.
    untaken: Mutex<BTreeMap<u64, u64>>,
    /// Requests so far.
    asked: AtomicU64,
    /// Since when something is being answered without a break.
    busy_since: AtomicU64,
    leaving: AtomicBool,
}

/// Whether a connection may stay as it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// To be looked at again after this time.
    Fine(Duration),
    /// Its header is not complete in time.
    Late,
    /// Nothing is asked on it.
    Idle,
    /// It has been busy without a break for longer than any request takes.
    Old,
}

/// How little a connection would lose by ending, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// It was answered for the last time.
    Leaving,
    /// It had its chance and never completed a request.
    Nothing,
    /// Nothing is going on: the longer, the smaller.
    Quiet(u64),
    /// Its transfer is slow; how many bytes a second.
    Slow(u64),
    /// It has not had its chance yet.
    Young,
    /// Its transfer goes on; how many bytes a second.
    Fast(u64),
}

impl Connection {
    fn now(&self) -> u64 {
        // Never 0, which stands for "not".
        self.begun.elapsed().as_millis() as u64 + 1
    }

    fn untaken(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is complete but for its body; returns its number.
    pub(crate) fn request_begins(&self) -> u64 {
        if self.requests.fetch_add(1, Ordering::Relaxed) == 0 {
            self.busy_since.store(self.now(), Ordering::Relaxed);
        }
        self.served.store(true, Ordering::Relaxed);
        self.header_since.store(0, Ordering::Relaxed);
        self.asked.fetch_add(1, Ordering::Relaxed)
    }

    /// An answer left whole, or no one waits for it any more.
    pub(crate) fn request_ends(&self, request: u64) {
        self.untaken().remove(&request);
        if self.requests.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.quiet_since.store(self.now(), Ordering::Relaxed);
            self.receiving_since.store(0, Ordering::Relaxed);
        }
    }

    /// Whether a piece of the answer to a request waits to be taken.
    pub(crate) fn set_untaken(&self, request: u64, untaken: bool) {
        if untaken {
            self.untaken().insert(request, self.now());
        } else {
            self.untaken().remove(&request);
        }
    }

    /// Bytes arrived.
    pub(crate) fn bytes_arrived(&self) {
        if self.requests.load(Ordering::Relaxed) == 0 && self.header_since.load(Ordering::Relaxed) == 0 {
            self.header_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// A body is waited for.
    pub(crate) fn body_begins(&self) {
        self.received.store(0, Ordering::Relaxed);
        self.receiving_since.store(self.now(), Ordering::Relaxed);
    }

    pub(crate) fn body_grew(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn body_ended(&self) {
        self.receiving_since.store(0, Ordering::Relaxed);
    }

    /// Whether the socket takes nothing.
    pub(crate) fn set_blocked(&self, blocked: bool) {
        let since = if blocked { self.now() } else { 0 };
        self.blocked_since.store(since, Ordering::Relaxed);
    }

    /// Whether the connection may stay as it is.
    pub(crate) fn standing(&self, limits: &Limits) -> Standing {
        let now = self.now();
        if self.requests.load(Ordering::Relaxed) > 0 {
            let busy = Duration::from_millis(now.saturating_sub(self.busy_since.load(Ordering::Relaxed)));
            return if busy > limits.request() * 2 { Standing::Old } else { Standing::Fine(limits.header()) };
        }
        let left = |since: u64, most: Duration| {
            most.checked_sub(Duration::from_millis(now.saturating_sub(since))).filter(|left| !left.is_zero())
        };
        let header_since =
            match (self.served.load(Ordering::Relaxed), self.header_since.load(Ordering::Relaxed)) {
                // The connection itself began the wait.
                (false, _) => 0,
                (true, 0) => {
                    let quiet_since = self.quiet_since.load(Ordering::Relaxed);
                    return left(quiet_since, limits.idle()).map_or(Standing::Idle, Standing::Fine);
                }
                (true, since) => since,
            };
        left(header_since, limits.header()).map_or(Standing::Late, Standing::Fine)
    }

    /// The last answer has left; what still arrives is thrown away.
    pub(crate) fn set_leaving(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    fn worth(&self) -> Option<Worth> {
        if self.close.is_cancelled() {
            return None;
        }
        if self.leaving.load(Ordering::Relaxed) {
            return Some(Worth::Leaving);
        }
        let now = self.now();
        if self.requests.load(Ordering::Relaxed) == 0 {
            let quiet = now.saturating_sub(self.quiet_since.load(Ordering::Relaxed));
            return Some(match (self.served.load(Ordering::Relaxed), quiet > FAIR_CHANCE) {
                (_, false) => Worth::Young,
                (false, true) => Worth::Nothing,
                (true, true) => Worth::Quiet(u64::MAX - quiet),
            });
        }
        let age = |since: u64| Some(now.saturating_sub(since)).filter(|age| since > 0 && *age > FAIR_CHANCE);
        let untaken_since = self.untaken().values().min().copied().unwrap_or_default();
        let since = [self.blocked_since.load(Ordering::Relaxed), untaken_since];
        if since.into_iter().any(|since| age(since).is_some()) {
            return Some(Worth::Slow(0));
        }
        let age = age(self.receiving_since.load(Ordering::Relaxed))?;
        let speed = self.received.load(Ordering::Relaxed) * 1000 / age.max(1);
        Some(if speed < SLOW { Worth::Slow(speed) } else { Worth::Fast(speed) })
    }
}

impl Connections {
    pub(crate) fn new(most: usize, most_per_address: usize) -> Self {
        Self { open: Mutex::default(), most, most_per_address, left: Notify::new() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self) -> usize {
        self.open().all.len()
    }

    /// Takes a connection in, if there is space for it.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<Prefix>) -> Result<Guard, Full> {
        let mut open = self.open();
        if open.all.len() >= self.most {
            return Err(Full::Everywhere);
        }
        if address.is_some_and(|address| {
            open.per_address.get(&address).is_some_and(|count| *count >= self.most_per_address)
        }) {
            return Err(Full::ForAddress);
        }
        open.next += 1;
        let connection = Arc::new(Connection {
            number: open.next,
            address,
            begun: Instant::now(),
            close: CancellationToken::new(),
            requests: AtomicU32::new(0),
            served: AtomicBool::new(false),
            quiet_since: AtomicU64::new(0),
            header_since: AtomicU64::new(0),
            receiving_since: AtomicU64::new(0),
            received: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            untaken: Mutex::default(),
            asked: AtomicU64::new(0),
            busy_since: AtomicU64::new(0),
            leaving: AtomicBool::new(false),
        });
        open.all.insert(connection.number, Arc::clone(&connection));
        if let Some(address) = address {
            *open.per_address.entry(address).or_default() += 1;
        }
        Ok(Guard { connections: Arc::clone(self), connection })
    }

    /// Asks up to `count` connections to let go that lose least by it, those of `address` only when it is given. One whose
    /// request is being worked on is not asked, and one that has not had its chance yet only for its own address. Returns
    /// how many were asked.
    pub(crate) fn relieve(&self, count: usize, address: Option<Prefix>) -> usize {
        let open = self.open();
        let candidates =
            open.all.values().filter(|connection| address.is_none() || connection.address == address);
        let mut worths: Vec<_> = candidates
            .filter_map(|connection| Some((connection.worth()?, connection)))
            .filter(|(worth, _)| address.is_some() || *worth != Worth::Young)
            .collect();
        worths.sort_unstable_by_key(|(worth, connection)| (*worth, connection.number));
        let asked = worths.len().min(count);
        worths.iter().take(count).for_each(|(_, connection)| connection.close.cancel());
        asked
    }

    /// Asks the oldest connection of the address that has most of them to let go, for a newcomer whose own address has
    /// fewer: where everyone is busy, no address is busy in every place. Returns whether one was asked.
    pub(crate) fn share_out(&self, newcomer: Option<Prefix>) -> bool {
        let open = self.open();
        let own = newcomer.and_then(|address| open.per_address.get(&address)).copied().unwrap_or_default();
        let Some((largest, count)) = open.per_address.iter().max_by_key(|(_, count)| **count) else {
            return false;
        };
        if *count <= own + 1 {
            return false;
        }
        let of_largest = |connection: &&Arc<Connection>| {
            connection.address == Some(*largest) && !connection.close.is_cancelled()
        };
        let oldest = open.all.values().find(of_largest);
        oldest.inspect(|connection| connection.close.cancel()).is_some()
    }

    /// Completes when a connection has ended.
    pub(crate) async fn one_left(&self) {
        self.left.notified().await;
    }
}

/// Why a connection was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Everywhere,
    ForAddress,
}

/// A connection's place; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    connections: Arc<Connections>,
    pub(crate) connection: Arc<Connection>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.all.remove(&self.connection.number);
        if let Some(address) = self.connection.address
            && let Some(count) = open.per_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                open.per_address.remove(&address);
            }
        }
        drop(open);
        self.connections.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as it is asked for")]
    fn prefix(last: u8) -> Option<Prefix> {
        Some(Prefix::V4([192, 0, 2, last].into()))
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_completed_a_request_gives_way_first_and_who_is_served_never() {
        let connections = Arc::new(Connections::new(4, 4));
        let admit = || connections.admit(prefix(1)).expect("space");
        let (served, quiet, half, newer) = (admit(), admit(), admit(), admit());
        served.connection.request_begins();
        quiet.connection.request_begins();
        quiet.connection.request_ends(0);
        assert_eq!(connections.admit(prefix(2)).expect_err("no space"), Full::Everywhere);
        let gone = |guard: &Guard| guard.connection.close.is_cancelled();
        tokio::time::advance(Duration::from_secs(1)).await;

        assert_eq!(connections.relieve(1, None), 1);
        assert!(gone(&half) && !gone(&newer), "the oldest half header goes first");
        assert_eq!(connections.relieve(1, None), 1);
        assert!(gone(&newer) && !gone(&quiet), "then the next");
        assert_eq!(connections.relieve(5, None), 1);
        assert!(gone(&quiet) && !gone(&served), "who is being served stays");
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_has_a_chance_before_those_who_had_theirs() {
        let connections = Arc::new(Connections::new(9, 9));
        let admit = || connections.admit(prefix(1)).expect("space");
        let (leaving, half, quiet, slow) = (admit(), admit(), admit(), admit());
        for guard in [&leaving, &quiet, &slow] {
            guard.connection.request_begins();
        }
        slow.connection.body_begins();
        quiet.connection.request_ends(0);
        tokio::time::advance(Duration::from_secs(1)).await;
        leaving.connection.request_ends(0);
        leaving.connection.set_leaving();
        let newcomer = admit();
        for next in [&leaving, &half, &quiet, &slow] {
            assert!(!next.connection.close.is_cancelled());
            assert_eq!(connections.relieve(1, None), 1);
            assert!(next.connection.close.is_cancelled(), "{:?}", next.connection);
        }
        assert_eq!(connections.relieve(1, None), 0, "it has its chance");
        assert!(!newcomer.connection.close.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_body_gives_way_when_nothing_else_can() {
        let connections = Arc::new(Connections::new(4, 4));
        let (slow, fast) =
            (connections.admit(prefix(1)).expect("space"), connections.admit(prefix(1)).expect("space"));
        for (guard, bytes) in [(&slow, 10), (&fast, 10_000_000)] {
            guard.connection.request_begins();
            guard.connection.body_begins();
            guard.connection.body_grew(bytes);
        }
        assert_eq!(connections.relieve(1, None), 0, "both have a fair chance first");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(connections.relieve(1, None), 1);
        assert!(slow.connection.close.is_cancelled() && !fast.connection.close.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_does_not_take_the_places_of_all() {
        let connections = Arc::new(Connections::new(4, 2));
        let _held =
            (connections.admit(prefix(1)).expect("space"), connections.admit(prefix(1)).expect("space"));
        assert_eq!(connections.admit(prefix(1)).expect_err("its share is used up"), Full::ForAddress);
        drop(connections.admit(prefix(2)).expect("others have space"));
        assert_eq!(connections.count(), 2);
        assert_eq!(connections.relieve(1, prefix(2)), 0, "nobody else gives way for it");
        assert_eq!(connections.relieve(1, prefix(1)), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_waits_is_not_made_up_for_by_others_that_are_taken() {
        let connections = Arc::new(Connections::new(4, 4));
        let guard = connections.admit(prefix(1)).expect("space");
        let connection = &guard.connection;
        let held = connection.request_begins();
        connection.set_untaken(held, true);
        for _ in 0..5 {
            tokio::time::advance(Duration::from_millis(100)).await;
            let quick = connection.request_begins();
            connection.set_untaken(quick, true);
            connection.set_untaken(quick, false);
            connection.request_ends(quick);
        }
        assert_eq!(connections.relieve(1, None), 1, "it takes one answer and leaves the other");
    }

    #[tokio::test(start_paused = true)]
    async fn no_address_is_busy_in_every_place() {
        let connections = Arc::new(Connections::new(3, 3));
        let busy: Vec<_> = (0..3).map(|_| connections.admit(prefix(1)).expect("space")).collect();
        for guard in &busy {
            guard.connection.request_begins();
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(connections.relieve(1, None), 0, "everyone is being served");
        assert!(!connections.share_out(prefix(1)), "it has all of them already");
        assert!(connections.share_out(prefix(2)), "another address gets one");
        assert!(busy[0].connection.close.is_cancelled() && !busy[1].connection.close.is_cancelled());
        drop(busy);
        let _one = [1, 2, 3].map(|address| connections.admit(prefix(address)).expect("space"));
        assert!(!connections.share_out(prefix(4)), "nobody has more than one");
    }

    #[tokio::test(start_paused = true)]
    async fn headers_have_to_be_complete_in_time_also_the_second() {
        let limits = Limits::default();
        let connections = Arc::new(Connections::new(4, 4));
        let guard = connections.admit(prefix(1)).expect("space");
        let connection = &guard.connection;
        tokio::time::advance(Duration::from_secs(6)).await;
        connection.bytes_arrived();
        assert!(matches!(connection.standing(&limits), Standing::Fine(_)));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(connection.standing(&limits), Standing::Late, "a late first byte gains nothing");

        connection.request_begins();
        assert!(matches!(connection.standing(&limits), Standing::Fine(_)));
        connection.request_ends(0);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(matches!(connection.standing(&limits), Standing::Fine(_)), "it may be quiet for a while");
        connection.bytes_arrived();
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(connection.standing(&limits), Standing::Late, "but not in the middle of a header");
        connection.request_begins();
        connection.request_ends(0);
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(connection.standing(&limits), Standing::Idle);
    }
}
