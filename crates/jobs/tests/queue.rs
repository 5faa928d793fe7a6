//! What the queue promises, on both stores.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor, SystemClock};
use preceptor_jobs::{Cause, GivenUp, Job, Queue, Settings, Work, jobs_table, migration};
use preceptor_runtime::Stop;
use preceptor_runtime::tasks::Tasks;
use preceptor_store::postgres::{self, Tenancy};
use preceptor_store::{Cells, Config, Handle, Schema};
use preceptor_testkit::postgres::{Server, server};
use tempfile::TempDir;
use tokio::sync::Notify;

const SCHEMA: Schema = Schema { service: "workshop", migrations: &[migration!("0001_jobs", "workshop")] };

jobs_table!("workshop_job");

type Jobs = Queue<job::Entity>;

const KIND: &str = "carve";
const QUICK: Settings = Settings {
    alone: false,
    of_one_org: 1,
    lease: Duration::from_millis(1200),
    renewal: Duration::from_millis(50),
    first_pause: Duration::from_millis(20),
    longest_pause: Duration::from_millis(50),
    most_failures: 3,
    most_crashes: 2,
    look: Duration::from_millis(100),
};

/// One store with a service that has jobs.
struct Engine {
    store: Handle,
    alone: bool,
    _folder: TempDir,
    _server: Option<Arc<Server>>,
}

impl Engine {
    async fn open(config: &Config, folder: TempDir, server: Option<Arc<Server>>) -> Self {
        let seals = preceptor_store::OutboxSeals::new(&[7; 32]);
        let cells = Cells::open(config, &[SCHEMA], Arc::new(SystemClock), seals).await.expect("cells");
        Self {
            store: cells.handle("workshop").await.expect("a handle"),
            alone: server.is_none(),
            _folder: folder,
            _server: server,
        }
    }

    async fn files() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::open(&Config::Files(folder.path().join("cells")), folder, None).await
    }

    async fn postgres(server: Arc<Server>) -> Self {
        let name = OrgId::generate().to_string().to_lowercase();
        let config = postgres::Config {
            cell: server.url(&format!("cell_{name}")),
            control: server.url(&format!("control_{name}")),
            secrets: server.secrets(),
            connections: 2,
        };
        let tenancy = Tenancy { cell: &["workshop"], control: "auth" };
        postgres::prepare(&server.admin_url("postgres"), &config, tenancy, || {
            OrgId::generate().to_string()[4..].to_owned()
        })
        .await
        .expect("it is prepared");
        Self::open(&Config::Postgres(config), tempfile::tempdir().expect("a folder"), Some(server)).await
    }

    /// A process's queue: every call is another process as far as leases go.
    fn queue(&self) -> Jobs {
        Queue::new(self.store.clone(), SystemActor::Ingestion, Settings { alone: self.alone, ..QUICK })
    }

    async fn enqueue(&self, queue: &Jobs, org: OrgId, subject: &str) {
        let mut tx = self.store.write(&scope(org)).await.expect("a transaction");
        queue.enqueue(&mut tx, KIND, subject).await.expect("it is queued");
        tx.commit().await.expect("a commit");
    }

    async fn progress(&self, queue: &Jobs, org: OrgId, subject: &str) -> Option<(u64, u64)> {
        let tx = self.store.read(&scope(org)).await.expect("a transaction");
        queue.progress(&tx, KIND, &[subject.to_owned()]).await.expect("progress").remove(subject)
    }
}

fn scope(org: OrgId) -> Arc<Scope> {
    Arc::new(Scope::of_system(SystemActor::Ingestion, org))
}

/// How a subject's work goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Well,
    Badly,
    Panics,
    /// Until someone lets it go on.
    Hangs,
    /// And again in an hour.
    Hourly,
}

/// Work that notes what happens to it.
struct Carver {
    queue: Jobs,
    store: Handle,
    ways: Mutex<HashMap<String, Way>>,
    begun: Mutex<Vec<(OrgId, String)>>,
    done: Mutex<Vec<String>>,
    given_up: Mutex<Vec<(String, GivenUp)>>,
    dropped: AtomicUsize,
    go_on: Notify,
}

struct Dropped<'a>(&'a AtomicUsize, bool);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        if self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[async_trait]
impl Work for Carver {
    async fn run(&self, job: &Job) -> Result<(), Cause> {
        self.begun.lock().expect("a lock").push((job.org, job.subject.clone()));
        let mut dropped = Dropped(&self.dropped, true);
        let way = self.ways.lock().expect("a lock").get(&job.subject).copied().unwrap_or(Way::Well);
        job.progress(1, 2);
        match way {
            Way::Well | Way::Hourly => {}
            Way::Badly => {
                dropped.1 = false;
                return Err("it does not go well".into());
            }
            Way::Panics => panic!("on purpose"),
            Way::Hangs => self.go_on.notified().await,
        }
        dropped.1 = false;
        let tx = self.store.write(&scope(job.org)).await?;
        let own = match way {
            Way::Hourly => self.queue.again(&tx, job, tx.now().after(Duration::from_secs(3600))).await?,
            _ => self.queue.finish(&tx, job).await?,
        };
        if own {
            tx.commit().await?;
            self.done.lock().expect("a lock").push(job.subject.clone());
        }
        Ok(())
    }

    async fn give_up(&self, job: &Job, why: GivenUp) -> Result<(), Cause> {
        self.given_up.lock().expect("a lock").push((job.subject.clone(), why));
        Ok(())
    }
}

/// A process with workers; dropping it is its sudden death.
struct Process {
    carver: Arc<Carver>,
    tasks: tokio::task::JoinSet<()>,
    stop: Tasks,
}

impl Process {
    fn start(engine: &Engine, workers: usize, ways: &[(&str, Way)]) -> Self {
        let queue = engine.queue();
        let carver = Arc::new(Carver {
            queue: queue.clone(),
            store: engine.store.clone(),
            ways: Mutex::new(ways.iter().map(|(subject, way)| ((*subject).to_owned(), *way)).collect()),
            begun: Mutex::default(),
            done: Mutex::default(),
            given_up: Mutex::default(),
            dropped: AtomicUsize::new(0),
            go_on: Notify::new(),
        });
        let stop = Tasks::standalone("workshop");
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..workers {
            let (queue, carver, stop) = (queue.clone(), Arc::clone(&carver), stop.stop_signal());
            tasks.spawn(async move { queue.work(&*carver, &stop).await });
        }
        let looking: Stop = stop.stop_signal();
        tasks.spawn(async move { queue.look(&looking).await.expect("orgs") });
        Self { carver, tasks, stop }
    }

    fn queue(&self) -> &Jobs {
        &self.carver.queue
    }

    fn done(&self) -> Vec<String> {
        self.carver.done.lock().expect("a lock").clone()
    }

    fn begun(&self) -> Vec<(OrgId, String)> {
        self.carver.begun.lock().expect("a lock").clone()
    }

    fn given_up(&self) -> Vec<(String, GivenUp)> {
        self.carver.given_up.lock().expect("a lock").clone()
    }

    fn dropped(&self) -> usize {
        self.carver.dropped.load(Ordering::SeqCst)
    }

    /// An orderly end.
    async fn finish(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn eventually(what: &str, mut ready: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if ready().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} did not happen");
}

async fn a_job_is_there_when_its_transaction_commits_and_only_then(engine: Engine) {
    let (org, process) = (OrgId::generate(), Process::start(&engine, 1, &[]));
    let mut tx = engine.store.write(&scope(org)).await.expect("a transaction");
    process.queue().enqueue(&mut tx, KIND, "taken back").await.expect("it is queued");
    drop(tx);
    engine.enqueue(process.queue(), org, "wanted").await;
    eventually("the job", async || process.done() == ["wanted"]).await;
    assert_eq!(engine.progress(process.queue(), org, "wanted").await, None, "what is done is off the queue");
    process.finish().await;
}

async fn a_second_job_for_a_subject_is_the_same_job(engine: Engine) {
    let (org, queue) = (OrgId::generate(), engine.queue());
    for _ in 0..3 {
        engine.enqueue(&queue, org, "spoon").await;
    }
    let process = Process::start(&engine, 2, &[]);
    eventually("the job", async || process.done() == ["spoon"]).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(process.begun().len(), 1);
    process.finish().await;
}

async fn what_is_done_time_and_again_waits_for_its_time_or_for_anyone_who_wants_it_now(engine: Engine) {
    let org = OrgId::generate();
    let process = Process::start(&engine, 2, &[("watch", Way::Hourly)]);
    for round in 1..=4 {
        let mut tx = engine.store.write(&scope(org)).await.expect("a transaction");
        process.queue().enqueue_now(&mut tx, KIND, "watch").await.expect("it is queued");
        tx.commit().await.expect("a commit");
        eventually("a round", async || process.done().len() == round).await;
        // It stays on the queue, and no one begins it before its time.
        assert_eq!(engine.progress(process.queue(), org, "watch").await, Some((0, 0)));
        engine.enqueue(process.queue(), org, "watch").await;
        engine.enqueue(process.queue(), org, &format!("other {round}")).await;
        eventually("the other", async || process.done().len() == round + 1).await;
        process.carver.done.lock().expect("a lock").pop();
        assert_eq!(process.begun().iter().filter(|(_, begun)| begun == "watch").count(), round);
    }
    process.finish().await;
}

async fn what_fails_is_tried_again_and_given_up_in_the_end(engine: Engine) {
    let org = OrgId::generate();
    let process = Process::start(&engine, 1, &[("knot", Way::Badly), ("splinter", Way::Panics)]);
    engine.enqueue(process.queue(), org, "knot").await;
    engine.enqueue(process.queue(), org, "splinter").await;
    eventually("both are given up", async || process.given_up().len() == 2).await;
    let mut given_up = process.given_up();
    given_up.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(given_up, [("knot".to_owned(), GivenUp::Failed), ("splinter".to_owned(), GivenUp::Failed)]);
    let tries = |subject: &str| process.begun().iter().filter(|(_, begun)| begun == subject).count();
    assert_eq!((tries("knot"), tries("splinter")), (3, 3));
    // Anyone who wants it again gets it again.
    process.carver.ways.lock().expect("a lock").clear();
    engine.enqueue(process.queue(), org, "knot").await;
    eventually("it is done after all", async || process.done() == ["knot"]).await;
    process.finish().await;
}

async fn what_a_dead_process_had_is_done_by_another(engine: Engine) {
    let org = OrgId::generate();
    let first = Process::start(&engine, 1, &[("bowl", Way::Hangs)]);
    engine.enqueue(first.queue(), org, "bowl").await;
    eventually("it begins", async || first.begun().len() == 1).await;
    drop(first);
    let second = Process::start(&engine, 1, &[]);
    eventually("it is done", async || second.done() == ["bowl"]).await;
    second.finish().await;
}

async fn what_two_processes_died_of_is_not_begun_a_third_time(engine: Engine) {
    let org = OrgId::generate();
    for _ in 0..2 {
        let process = Process::start(&engine, 1, &[("poison", Way::Hangs)]);
        engine.enqueue(process.queue(), org, "poison").await;
        eventually("it begins", async || process.begun().len() == 1).await;
    }
    let third = Process::start(&engine, 1, &[]);
    eventually("it is given up", async || third.given_up() == [("poison".to_owned(), GivenUp::Crashed)])
        .await;
    assert!(third.begun().is_empty() && third.done().is_empty());
    third.finish().await;
}

async fn a_process_that_is_asked_to_end_gives_its_jobs_back(engine: Engine) {
    let org = OrgId::generate();
    // More often than a job may be lost: a restart is no one's fault.
    for _ in 0..4 {
        let process = Process::start(&engine, 1, &[("table", Way::Hangs)]);
        engine.enqueue(process.queue(), org, "table").await;
        eventually("it begins", async || process.begun().len() == 1).await;
        process.finish().await;
    }
    let last = Process::start(&engine, 1, &[]);
    eventually("it is done", async || last.done() == ["table"]).await;
    last.finish().await;
}

async fn a_lease_is_kept_while_the_work_goes_on(engine: Engine) {
    let org = OrgId::generate();
    let slow = Process::start(&engine, 1, &[("chair", Way::Hangs)]);
    engine.enqueue(slow.queue(), org, "chair").await;
    eventually("it begins", async || slow.begun().len() == 1).await;
    // Where there may be another process, that one must not take it.
    let other = if engine.alone { None } else { Some(Process::start(&engine, 1, &[])) };
    tokio::time::sleep(QUICK.lease * 2).await;
    assert!(other.as_ref().is_none_or(|other| other.begun().is_empty()));
    slow.carver.go_on.notify_one();
    eventually("it is done", async || slow.done() == ["chair"]).await;
    slow.finish().await;
}

async fn progress_is_seen_and_a_job_can_be_taken_away(engine: Engine) {
    let org = OrgId::generate();
    let process = Process::start(&engine, 1, &[("statue", Way::Hangs)]);
    engine.enqueue(process.queue(), org, "statue").await;
    eventually("progress", async || engine.progress(process.queue(), org, "statue").await == Some((1, 2)))
        .await;
    let tx = engine.store.write(&scope(org)).await.expect("a transaction");
    assert!(process.queue().cancel(&tx, KIND, "statue").await.expect("it is taken away"));
    assert!(!process.queue().cancel(&tx, KIND, "statue").await.expect("an answer"), "there is none any more");
    tx.commit().await.expect("a commit");
    eventually("its worker stops", async || process.dropped() == 1).await;
    engine.enqueue(process.queue(), org, "stool").await;
    eventually("the worker goes on", async || process.done() == ["stool"]).await;
    process.finish().await;
}

async fn what_was_taken_away_keeps_no_result(engine: Engine) {
    let org = OrgId::generate();
    let process = Process::start(&engine, 1, &[("mask", Way::Hangs)]);
    engine.enqueue(process.queue(), org, "mask").await;
    eventually("it begins", async || process.begun().len() == 1).await;
    let tx = engine.store.write(&scope(org)).await.expect("a transaction");
    process.queue().cancel(&tx, KIND, "mask").await.expect("it is taken away");
    // The work ends before its worker has noticed.
    process.carver.go_on.notify_one();
    tx.commit().await.expect("a commit");
    engine.enqueue(process.queue(), org, "stool").await;
    eventually("the worker goes on", async || process.done() == ["stool"]).await;
    process.finish().await;
}

async fn a_flood_does_not_keep_others_waiting(engine: Engine) {
    let (flood, queue) = (OrgId::generate(), engine.queue());
    for number in 0..40 {
        engine.enqueue(&queue, flood, &format!("flood {number:02}")).await;
    }
    let others: Vec<OrgId> = (0..3).map(|_| OrgId::generate()).collect();
    for org in &others {
        engine.enqueue(&queue, *org, &org.to_string()).await;
    }
    let process = Process::start(&engine, 2, &[]);
    eventually("all is done", async || process.done().len() == 43).await;
    let begun = process.begun();
    for org in &others {
        let place = begun.iter().position(|(of, _)| of == org).expect("it was served");
        assert!(place <= 12, "{place} of {}", begun.len());
    }
    let flooded: Vec<&String> =
        begun.iter().filter(|(org, _)| *org == flood).map(|(_, subject)| subject).collect();
    assert!(flooded.is_sorted(), "an org's jobs are done in their order, one at a time");
    process.finish().await;
}

macro_rules! on_both_stores {
    ($($name:ident)+) => {
        mod on_files {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Engine::files().await).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(server) = super::server(concat!("jobs::", stringify!($name))) else { return };
                super::$name(super::Engine::postgres(server).await).await;
            })+
        }
    };
}

on_both_stores! {
    a_job_is_there_when_its_transaction_commits_and_only_then
    a_second_job_for_a_subject_is_the_same_job
    what_is_done_time_and_again_waits_for_its_time_or_for_anyone_who_wants_it_now
    what_fails_is_tried_again_and_given_up_in_the_end
    what_a_dead_process_had_is_done_by_another
    what_two_processes_died_of_is_not_begun_a_third_time
    a_process_that_is_asked_to_end_gives_its_jobs_back
    a_lease_is_kept_while_the_work_goes_on
    progress_is_seen_and_a_job_can_be_taken_away
    what_was_taken_away_keeps_no_result
    a_flood_does_not_keep_others_waiting
}
