//! kill -9 of the service and of its database, while twelve learners are at twelve points between attempt and award: each
//! has exactly one credit or none afterwards, and trying again gives that one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use preceptor::client::{Client, id};
use preceptor::journey::{Answers, physician};
use preceptor_standins::MailCatcher;
use preceptor_testkit::local::publish;
use preceptor_testkit::postgres::Server;
use preceptor_testkit::skip;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::process::Program;
use crate::credits::DOSES;
use crate::support::{Log, eventually, list, markdown};

/// Where a learner is when the kill comes. The relay comes first: a file has one writer, and it would wait for those who
/// are held within their transactions.
const POINTS: [&str; 12] = [
    "relay.published",
    "answer.kept",
    "submit.answers",
    "submit.result",
    "submit.committed",
    "claim.begun",
    "claim.credential",
    "claim.locked",
    "claim.ledger",
    "claim.award",
    "claim.recorded",
    "claim.committed",
];
/// How often each point is hit.
const ROUNDS: usize = 20;
/// What the service puts between itself and a database that is not there.
const BREAKER: Duration = Duration::from_millis(1100);

/// An org with a program that gives credit: one per point, since writers of an org wait for each other.
#[derive(Clone)]
struct Provider {
    point: &'static str,
    org: String,
    admin: Client,
    program: String,
    offer: String,
    items: Vec<Value>,
}

async fn provider(point: &'static str, operator: Client) -> Provider {
    let created =
        operator.post("/v1/orgs", &json!({ "name": point, "admin_name": "Admin" })).await.expect("an org");
    let admin = operator.with_token(id(&created, "admin_token").expect("a token"));
    let reviewer = admin.hire("reviewer", "reviewer").await.expect("a reviewer");
    let program =
        publish(&admin, &reviewer, "Doses", &[], vec![markdown("doses.md", DOSES)]).await.expect("a program");
    let sources = admin.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    reviewer.attest(&id(&list(&sources, "data")[0], "id").expect("an id")).await.expect("an attestation");
    let accreditation = admin.accredit("Harbor").await.expect("an accreditation");
    let offer = admin.designate(&program, &accreditation).await.expect("an offer");
    let items = admin.make_quiz(&reviewer, &program, 2, json!({})).await.expect("a quiz");
    Provider { point, org: id(&created["org"], "id").expect("an id"), admin, program, offer, items }
}

/// Where tests and pause points meet.
#[derive(Clone)]
struct Pauses(Arc<Path>);

impl Pauses {
    fn hold(&self, provider: &Provider) {
        std::fs::write(self.0.join(format!("{}@{}", provider.point, provider.org)), "").expect("a file");
    }

    async fn wait_for(&self, provider: &Provider) {
        let reached = self.0.join(format!("{}@{}.reached", provider.point, provider.org));
        eventually(provider.point, async || reached.exists().then_some(())).await;
    }

    fn let_go(&self) {
        for file in std::fs::read_dir(&self.0).expect("a folder").flatten() {
            std::fs::remove_file(file.path()).expect("a file");
        }
    }
}

impl Provider {
    /// A verified clinician who has not begun.
    async fn clinician(&self, round: usize, mail: &MailCatcher) -> Client {
        let learner =
            self.admin.learner(&self.program, &format!("learner {round}")).await.expect("a learner");
        let address = format!("{round}.{}@example.org", self.org);
        learner
            .become_clinician(&physician("Ana Núñez", &address), |to| mail.newest_code(to))
            .await
            .expect("a clinician");
        learner
    }

    /// Goes as far as the point, and stays there.
    async fn walk(&self, learner: &Client, pauses: &Pauses) {
        let attempt = learner.begin_quiz(&self.program).await.expect("an attempt");
        if self.point == "answer.kept" {
            pauses.hold(self);
        } else {
            learner.answer_quiz(&attempt, &self.items, Answers::Right).await.expect("answers");
        }
        if self.point == "answer.kept" {
            let _ = learner.answer_quiz(&attempt, &self.items, Answers::Right).await;
            return;
        }
        if self.point.starts_with("submit") {
            pauses.hold(self);
            let _ = learner.submit_quiz(&attempt).await;
            return;
        }
        let submitted = learner.submit_quiz(&attempt).await.expect("a result");
        pauses.hold(self);
        let _ = learner.claim(&submitted, &self.offer, 0.5).await;
    }

    /// Goes on after the kill; nothing is there twice.
    async fn go_on(&self, learner: &Client) {
        let attempts = eventually("the service", async || {
            learner.get(&format!("/v1/programs/{}/attempts", self.program)).await.ok()
        })
        .await;
        let attempts = list(&attempts, "data");
        assert_eq!(attempts.len(), 1, "{}: {attempts:?}", self.point);
        let before = self.credits(learner).await;
        assert!(before.len() <= 1, "{}: {before:?}", self.point);
        let attempt = if attempts[0]["result"].is_null() {
            learner.answer_quiz(&attempts[0], &self.items, Answers::Right).await.expect("answers");
            learner.submit_quiz(&attempts[0]).await.expect("a result")
        } else {
            attempts[0].clone()
        };
        let first =
            id(&learner.claim(&attempt, &self.offer, 0.5).await.expect("a credit"), "id").expect("an id");
        assert!(before.iter().all(|known| *known == first), "{}: another credit than {before:?}", self.point);
        let again = learner.claim(&attempt, &self.offer, 0.5).await.expect("the same credit");
        assert_eq!(id(&again, "id").expect("an id"), first, "{}", self.point);
        assert_eq!(self.credits(learner).await, [first], "{}", self.point);
    }

    async fn credits(&self, learner: &Client) -> Vec<String> {
        let transcript = learner.get("/v1/credits").await.expect("a transcript");
        list(&transcript, "data").iter().map(|credit| id(credit, "id").expect("an id")).collect()
    }

    /// The log holds every credit once and verifies.
    async fn log_holds_every_credit(&self) {
        eventually("the records", async || {
            let log = Log::read(&self.admin).await;
            log.verify().expect("the log verifies");
            let is_award = |(record, _): &&(Vec<u8>, Vec<u8>)| {
                record.windows(14).any(|window| window == b"credit.awarded")
            };
            let awards = log.leaves.iter().filter(is_award).count();
            assert!(awards <= ROUNDS, "{}: {awards} credits on record", self.point);
            (awards == ROUNDS).then_some(())
        })
        .await;
    }
}

/// Everything that a run needs.
struct Stage {
    program: Program,
    providers: Vec<Provider>,
    mail: MailCatcher,
    pauses: Pauses,
}

async fn stage(
    folder: &Path,
    database: Vec<(&'static str, String)>,
    points: &[&'static str],
) -> (Stage, super::process::Process) {
    let mail = MailCatcher::start().await.expect("a mail server");
    let pauses = folder.join("pauses");
    std::fs::create_dir_all(&pauses).expect("a folder");
    let mut variables = database;
    variables.extend([
        ("PRECEPTOR__CREDENTIALS__SMTP", mail.url()),
        ("PRECEPTOR__GATEWAY__REQUESTS_PER_MINUTE", "1000000".to_owned()),
        ("PRECEPTOR_PAUSE_FOLDER", pauses.display().to_string()),
    ]);
    let program = Program::new(folder, variables);
    let process = program.start();
    let operator = program.admin().await.with_token(program.operator_token().await);
    let mut making = JoinSet::new();
    for point in points {
        making.spawn(provider(point, operator.clone()));
    }
    let mut providers = making.join_all().await;
    providers.sort_by_key(|provider| points.iter().position(|point| *point == provider.point));
    (Stage { program, providers, mail, pauses: Pauses(pauses.into()) }, process)
}

impl Stage {
    /// Has a learner walk to every point, one after the other, until all are there.
    async fn walk_to_every_point(&self, round: usize) -> (Vec<(Provider, Client)>, JoinSet<()>) {
        let mut learners = Vec::new();
        for provider in &self.providers {
            learners.push((provider.clone(), provider.clinician(round, &self.mail).await));
        }
        let mut walks = JoinSet::new();
        for (provider, learner) in learners.clone() {
            let pauses = self.pauses.clone();
            let held = provider.clone();
            walks.spawn(async move { provider.walk(&learner, &pauses).await });
            self.pauses.wait_for(&held).await;
        }
        (learners, walks)
    }

    async fn go_on(&self, learners: &[(Provider, Client)]) {
        futures::future::join_all(learners.iter().map(|(provider, learner)| provider.go_on(learner))).await;
    }

    async fn check_the_logs(&self) {
        for provider in &self.providers {
            provider.log_holds_every_credit().await;
        }
    }
}

/// Databases on a server, in the words of the environment.
async fn databases(server: &Server) -> Vec<(&'static str, String)> {
    let mut config = preceptor::config::Config::default();
    config.database.cell = Some(server.url("cell"));
    config.database.control = Some(server.url("control"));
    config.database.secrets = Some(server.secrets());
    preceptor::database::prepare(&config, &server.admin_url("postgres")).await.expect("databases");
    vec![
        ("PRECEPTOR__DATABASE__CELL", server.url("cell")),
        ("PRECEPTOR__DATABASE__CONTROL", server.url("control")),
        ("PRECEPTOR__DATABASE__SECRETS", server.secrets().display().to_string()),
        // Twelve writers are held at the same time.
        ("PRECEPTOR__DATABASE__CONNECTIONS", "16".to_owned()),
    ]
}

async fn kill_the_service(folder: &Path, database: Vec<(&'static str, String)>) {
    let (stage, mut process) = stage(folder, database, &POINTS).await;
    for round in 0..ROUNDS {
        let (learners, walks) = stage.walk_to_every_point(round).await;
        drop(process);
        stage.pauses.let_go();
        walks.join_all().await;
        process = stage.program.start();
        stage.program.admin().await;
        stage.go_on(&learners).await;
    }
    stage.check_the_logs().await;
    println!("{ROUNDS} kills at each of {} points: one credit each", POINTS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_on_files_gives_one_credit_or_none() {
    let folder = tempfile::tempdir().expect("a folder");
    kill_the_service(folder.path(), Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_on_postgres_gives_one_credit_or_none() {
    let server = match Server::start(true) {
        Ok(server) => server,
        Err(why) => return skip("a_killed_service_on_postgres_gives_one_credit_or_none", &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    kill_the_service(folder.path(), databases(&server).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postgres_gives_one_credit_or_none() {
    let server = match Server::start(true) {
        Ok(server) => server,
        Err(why) => return skip("a_killed_postgres_gives_one_credit_or_none", &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (stage, _process) = stage(folder.path(), databases(&server).await, &POINTS).await;
    for round in 0..ROUNDS {
        let (learners, walks) = stage.walk_to_every_point(round).await;
        server.kill().expect("it is killed");
        stage.pauses.let_go();
        server.resume().expect("it starts again");
        walks.join_all().await;
        tokio::time::sleep(BREAKER).await;
        stage.go_on(&learners).await;
    }
    stage.check_the_logs().await;
    println!("{ROUNDS} kills of PostgreSQL at each of {} points: one credit each", POINTS.len());
}

/// What is made off the request path: it is asked for, acknowledged, and under way when the process dies.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_and_drafts_under_way_at_the_kill_are_finished_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (stage, process) =
        stage(folder.path(), Vec::new(), &["certificate.signed", "generation.composing"]).await;
    let [certifier, composer] = &stage.providers[..] else { panic!("two providers") };

    let learner = certifier.clinician(0, &stage.mail).await;
    certifier.walk(&learner, &stage.pauses).await;
    stage.pauses.hold(composer);
    let asked = composer
        .admin
        .post(&format!("/v1/programs/{}/items/generate", composer.program), &json!({ "count": 1 }))
        .await;
    let generation = format!("/v1/generations/{}", id(&asked.expect("a request"), "id").expect("an id"));
    stage.pauses.wait_for(certifier).await;
    stage.pauses.wait_for(composer).await;
    let credit = certifier.credits(&learner).await.remove(0);
    assert_eq!(
        learner.get(&format!("/v1/credits/{credit}")).await.expect("a credit")["certificate_state"],
        "preparing"
    );
    assert_eq!(composer.admin.get(&generation).await.expect("a state")["state"], "composing");

    drop(process);
    stage.pauses.let_go();
    let _process = stage.program.start();
    stage.program.admin().await;
    let printed = learner.certificate(&credit).await.expect("the certificate is printed after all");
    preceptor_certificate::verify::verify(&printed, None).expect("it holds");
    let drafted = composer
        .admin
        .wait_until(&generation, |_| {}, |state| state["state"] == "done")
        .await
        .expect("it is answered");
    let made = list(&drafted, "item_ids").len();
    let bank =
        composer.admin.all(&format!("/v1/programs/{}/items", composer.program)).await.expect("the bank");
    assert_eq!(bank.len(), composer.items.len() + made, "nothing is made twice");
    assert!(made == 1 || !drafted["note"].is_null(), "{drafted}");
}
