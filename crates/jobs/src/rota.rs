//! Whose turn it is.
//!
//! An org that has had much of the workers' time comes after one that has had little. Time that was not used is not saved
//! up: an org that comes back begins where the others are, so that it waits for no one's second job and no one waits for
//! its whole backlog.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use preceptor_core::id::OrgId;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The least that a turn counts for, so that turns of no length are turns as well.
const LEAST: Duration = Duration::from_millis(1);

/// When an org should be looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// There may be more to do.
    Now,
    /// Not before this instant.
    At(Instant),
    /// When someone says so.
    Never,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    Serve(OrgId),
    Wait(Option<Instant>),
}

#[derive(Debug)]
struct Org {
    next: Next,
    running: usize,
    /// Someone said that there is something, while a worker was looking.
    woken: bool,
    used: Duration,
}

#[derive(Debug)]
struct State {
    orgs: BTreeMap<OrgId, Org>,
    /// What the org that was served last had used: who comes now begins there.
    floor: Duration,
    /// Workers that may be with one org.
    of_one: usize,
}

/// The order in which orgs are served. Shared by all workers of a queue.
#[derive(Debug)]
pub(crate) struct Rota {
    state: Mutex<State>,
    changed: Notify,
}

impl Rota {
    pub(crate) fn new(of_one: usize) -> Self {
        Self {
            state: Mutex::new(State { orgs: BTreeMap::new(), floor: Duration::ZERO, of_one }),
            changed: Notify::new(),
        }
    }

    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says that an org may have something to do.
    pub(crate) fn wake(&self, org: OrgId) {
        self.with(|state| state.wake(org));
        self.changed.notify_waiters();
    }

    /// Waits for an org whose turn it is. Nothing is lost when the caller stops waiting.
    pub(crate) async fn next(&self) -> Turn<'_> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.with(|state| state.choose(Instant::now())) {
                Choice::Serve(org) => {
                    return Turn { rota: self, org, begun: Instant::now(), next: Next::Now };
                }
                Choice::Wait(None) => changed.await,
                Choice::Wait(Some(until)) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(until) => {}
                },
            }
        }
    }

    fn end(&self, org: OrgId, used: Duration, next: Next) {
        self.with(|state| state.end(org, used, next));
        self.changed.notify_waiters();
    }
}

impl State {
    fn wake(&mut self, org: OrgId) {
        let floor = self.floor;
        let known =
            self.orgs.entry(org).or_insert(Org { next: Next::Now, running: 0, woken: false, used: floor });
        known.woken |= known.running > 0;
        known.next = Next::Now;
        if known.running == 0 {
            known.used = known.used.max(floor);
        }
    }

    fn choose(&mut self, now: Instant) -> Choice {
        let free = |org: &Org| org.running < self.of_one;
        let due = |org: &Org| match org.next {
            Next::Now => true,
            Next::At(at) => at <= now,
            Next::Never => false,
        };
        let first = self
            .orgs
            .iter()
            .filter(|(_, org)| free(org) && due(org))
            .min_by_key(|(id, org)| (org.used, org.running, **id));
        if let Some(id) = first.map(|(id, _)| *id)
            && let Some(org) = self.orgs.get_mut(&id)
        {
            org.running += 1;
            // A lapse of its own is not held in its favor.
            org.used = org.used.max(self.floor);
            self.floor = org.used;
            return Choice::Serve(id);
        }
        let later = self.orgs.values().filter(|org| free(org)).filter_map(|org| match org.next {
            Next::At(at) => Some(at),
            Next::Now | Next::Never => None,
        });
        Choice::Wait(later.min())
    }

    fn end(&mut self, id: OrgId, used: Duration, next: Next) {
        let floor = self.floor;
        if let Some(org) = self.orgs.get_mut(&id) {
            org.running = org.running.saturating_sub(1);
            org.used += used.max(LEAST);
            org.next = if std::mem::take(&mut org.woken) { Next::Now } else { next };
        }
        // Who has nothing to do and owes nothing is forgotten.
        self.orgs.retain(|_, org| org.running > 0 || org.next != Next::Never || org.used > floor);
    }
}

/// A turn of an org; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    rota: &'a Rota,
    pub(crate) org: OrgId,
    begun: Instant,
    /// When the org is looked at again.
    pub(crate) next: Next,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.rota.end(self.org, self.begun.elapsed(), self.next);
    }
}

#[cfg(test)]
mod tests {
    use preceptor_testkit::Dice;

    use super::*;

    fn orgs(count: usize) -> Vec<OrgId> {
        (0..count).map(|_| OrgId::generate()).collect()
    }

    fn state() -> State {
        State { orgs: BTreeMap::new(), floor: Duration::ZERO, of_one: 1 }
    }

    /// Whatever jobs cost and whenever orgs come: who comes with nothing owed is served before anyone is served twice.
    #[test]
    fn a_newcomer_waits_for_no_one_s_second_job() {
        let mut served_while_waiting = 0;
        for seed in 0..200 {
            let mut dice = Dice::new(seed);
            let all = orgs(2 + dice.roll(6));
            let workers = 1 + dice.roll(3);
            let mut state = state();
            let mut backlog: BTreeMap<OrgId, usize> = BTreeMap::new();
            let mut running: Vec<OrgId> = Vec::new();
            // Newcomers, and whom each of them saw served.
            let mut newcomers: BTreeMap<OrgId, BTreeMap<OrgId, usize>> = BTreeMap::new();
            let now = Instant::now();
            for _ in 0..300 {
                let org = all[dice.roll(all.len())];
                match dice.roll(3) {
                    0 => {
                        let owes = state.orgs.get(&org).is_some_and(|known| known.used > state.floor);
                        let idle = backlog.get(&org).is_none_or(|left| *left == 0) && !running.contains(&org);
                        *backlog.entry(org).or_default() += 1 + dice.roll(20);
                        state.wake(org);
                        if idle && !owes {
                            newcomers.insert(org, BTreeMap::new());
                        }
                    }
                    1 if running.len() < workers => {
                        let Choice::Serve(next) = state.choose(now) else { continue };
                        *backlog.entry(next).or_insert(1) -= 1;
                        running.push(next);
                        newcomers.remove(&next);
                        for (waits, seen) in &mut newcomers {
                            let times = seen.entry(next).or_default();
                            *times += 1;
                            served_while_waiting += 1;
                            assert!(*times < 2, "seed {seed}: {waits} saw {next} served twice");
                        }
                    }
                    _ if !running.is_empty() => {
                        let ended = running.swap_remove(dice.roll(running.len()));
                        let more = backlog.get(&ended).is_some_and(|left| *left > 0);
                        state.end(
                            ended,
                            Duration::from_millis(dice.roll(1000) as u64),
                            if more { Next::Now } else { Next::Never },
                        );
                    }
                    _ => {}
                }
            }
        }
        assert!(served_while_waiting > 100, "{served_while_waiting}: newcomers had to wait now and then");
    }

    /// Orgs that always have something to do get the same time, however long their jobs are.
    #[test]
    fn time_is_shared_evenly_and_not_jobs() {
        let mut dice = Dice::new(11);
        let all = orgs(5);
        let mut state = state();
        for org in &all {
            state.wake(*org);
        }
        let mut got: BTreeMap<OrgId, Duration> = BTreeMap::new();
        for _ in 0..5_000 {
            let Choice::Serve(org) = state.choose(Instant::now()) else {
                panic!("there is always something to do")
            };
            // The first org's jobs take fifty times as long as those of the others.
            let most = if org == all[0] { 5_000 } else { 100 };
            let cost = Duration::from_millis(1 + dice.roll(most) as u64);
            *got.entry(org).or_default() += cost;
            state.end(org, cost, Next::Now);
        }
        let (least, most) = (got.values().min().expect("orgs"), got.values().max().expect("orgs"));
        assert!(most.saturating_sub(*least) <= Duration::from_secs(10), "{got:?}");
    }

    #[test]
    fn a_flood_leaves_space_and_a_newcomer_comes_next() {
        let (flood, modest) = (OrgId::generate(), OrgId::generate());
        let mut state = state();
        state.wake(flood);
        let now = Instant::now();
        assert_eq!(state.choose(now), Choice::Serve(flood));
        assert_eq!(state.choose(now), Choice::Wait(None), "the second worker is not for the flood");
        state.wake(modest);
        assert_eq!(state.choose(now), Choice::Serve(modest));
        state.end(flood, Duration::from_secs(60), Next::Now);
        state.end(modest, Duration::from_millis(5), Next::Never);
        state.wake(modest);
        assert_eq!(state.choose(now), Choice::Serve(modest), "a minute was used by the other");
    }

    #[test]
    fn what_was_said_while_someone_looked_is_not_lost() {
        let org = OrgId::generate();
        let mut state = state();
        state.wake(org);
        let now = Instant::now();
        assert_eq!(state.choose(now), Choice::Serve(org));
        state.wake(org);
        state.end(org, Duration::ZERO, Next::Never);
        assert_eq!(state.choose(now), Choice::Serve(org));
        state.end(org, Duration::ZERO, Next::Never);
        assert_eq!(state.choose(now), Choice::Wait(None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_waits_until_something_is_due() {
        let rota = Rota::new(1);
        let org = OrgId::generate();
        rota.wake(org);
        let at = Instant::now() + Duration::from_secs(9);
        let mut turn = rota.next().await;
        turn.next = Next::At(at);
        drop(turn);
        assert_eq!(rota.next().await.org, org);
        assert!(Instant::now() >= at);
    }
}
