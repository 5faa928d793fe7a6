//! An org in which everything has happened once, written by the mesh itself through the front door.

use std::path::Path;

use preceptor::client::{Client, id};
use preceptor::journey::{Answers, day_from_now};
use preceptor_testkit::{Local, Store};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};
use serde_json::{Value, json};

use super::attack::{SPARE, spare};
use super::engine::Home;
use super::tables::{Column, Holds};
use crate::credits::{Course, clinician, course};

/// The columns of other services' tables that ours refer to.
pub(super) fn others() -> Vec<(&'static str, Vec<Column>)> {
    use Holds::{Number, Text, Truth};
    let columns = |names: &[(&str, Holds)]| {
        names
            .iter()
            .map(|(name, holds)| Column {
                name: (*name).to_owned(),
                holds: *holds,
                may_be_null: false,
                line: String::new(),
            })
            .collect()
    };
    vec![
        ("ingestion_program", columns(&[("org_id", Text), ("id", Text)])),
        (
            "ingestion_source_version",
            columns(&[("org_id", Text), ("program_id", Text), ("source_id", Text), ("id", Text)]),
        ),
        (
            "ingestion_passage",
            columns(&[("org_id", Text), ("source_version_id", Text), ("ordinal", Number), ("id", Text)]),
        ),
        (
            "ingestion_verification",
            columns(&[
                ("org_id", Text),
                ("id", Text),
                ("program_id", Text),
                ("source_version_id", Text),
                ("class", Text),
                ("counts", Truth),
                ("verified_at", Number),
            ]),
        ),
        (
            "credentials_assertion",
            columns(&[
                ("org_id", Text),
                ("id", Text),
                ("learner", Text),
                ("profession", Text),
                ("level", Number),
                ("valid_from", Number),
                ("valid_until", Number),
            ]),
        ),
    ]
}

/// Learners at every stage, in two programs; returns where the tables are, and the org.
pub(super) async fn lived(store: Store, folder: &Path) -> (Home, String) {
    let local = store.mesh().await.expect("a mesh");
    let first = course(&local, json!({ "most_attempts": 3 })).await;
    let second = course(&local, json!({ "threshold_percent": 50 })).await;
    offers(&local, &first).await;
    learners(&local, &first).await;
    let (holder, credit) = learners(&local, &second).await;
    items(&local, &first).await;
    // Designated when the quiz had been taken.
    offers(&local, &first).await;
    local
        .editor
        .designate(&second.program, &local.editor.accredit("Late").await.expect("an accreditation"))
        .await
        .expect("an offer");
    // A shorter quiz, for fewer classes of sources.
    let ids: Vec<&Value> = first.items[1..].iter().map(|item| &item["id"]).collect();
    let terms = json!({ "source_classes": ["guideline", "provider_attested"], "item_ids": ids });
    local.editor.post(&format!("/v1/programs/{}/quiz", first.program), &terms).await.expect("another form");
    retracted(&local, &second, &holder, &credit).await;
    let org = org_of(&local).await;
    let home = match &store {
        Store::Files => {
            let copy = folder.join("org.db");
            copy_file(&local.data().join(format!("cells/{org}.db")), &copy).await;
            add_what_others_write(&format!("sqlite://{}", copy.display())).await;
            Home::File(copy)
        }
        Store::Postgres(server) => {
            let database = local
                .config
                .database
                .cell
                .as_ref()
                .expect("a database")
                .rsplit('/')
                .next()
                .expect("a name")
                .to_owned();
            add_what_others_write(&server.admin_url(&database)).await;
            Home::Server { server: std::sync::Arc::clone(server), database }
        }
    };
    local.stop().await;
    (home, org)
}

async fn copy_file(from: &Path, to: &Path) {
    let db = Database::connect(format!("sqlite://{}", from.display())).await.expect("a cell");
    db.execute_unprepared(&format!("VACUUM INTO '{}'", to.display())).await.expect("a copy");
    db.close().await.expect("an end");
}

async fn org_of(local: &Local) -> String {
    let orgs = local.operator.get("/v1/orgs").await.expect("orgs");
    id(&orgs["data"][0], "id").expect("an id")
}

/// A second offer of the first program, which wants more.
async fn offers(local: &Local, course: &Course) {
    let accreditation = local.editor.accredit("Harbor").await.expect("an accreditation");
    let offer = json!({ "credit_type": "ancc_contact_hour", "activity_format": "enduring_material", "maximum": 0.5, "minimum_level": 1,
        "terminates_at": day_from_now(300), "accreditation_id": accreditation, "evaluation_required": true,
        "source_classes": ["guideline", "provider_attested"] });
    local.editor.post(&format!("/v1/programs/{}/offers", course.program), &offer).await.expect("an offer");
}

async fn evaluate(learner: &Client, program: &str) {
    let ratings = json!({ "ratings": { "objectives_met": 5, "free_of_bias": 5, "will_change_practice": 4, "overall": 5 } });
    learner.post(&format!("/v1/programs/{program}/evaluations"), &ratings).await.expect("an evaluation");
}

/// Returns someone who holds a credit.
async fn learners(local: &Local, course: &Course) -> (Client, String) {
    let mut held = None;
    for (name, answers, claims) in [
        ("holder", Answers::Right, 2),
        ("once", Answers::Right, 1),
        ("ready", Answers::Right, 0),
        ("failed", Answers::Wrong, 0),
    ] {
        let name = format!("{name}-{}", &course.program[course.program.len() - 6..]);
        let learner = clinician(local, &course.program, &name).await;
        let attempt = learner.take_quiz(&course.program, &course.items, answers).await.expect("an attempt");
        evaluate(&learner, &course.program).await;
        for claim in 0..claims {
            let credit = learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");
            let credit_id = id(&credit, "id").expect("an id");
            learner.certificate(&credit_id).await.expect("a certificate");
            held = Some((learner.clone(), credit_id));
            if claim + 1 < claims {
                let path = format!("/v1/credits/{}/void", credit["id"].as_str().expect("an id"));
                local.editor.post(&path, &json!({ "reason": "Once more" })).await.expect("a void");
            }
        }
    }
    let begun = local.learner(&course.program, "begun").await.expect("a learner");
    let attempt: Value = begun.begin_quiz(&course.program).await.expect("an attempt");
    begun
        .put(
            &format!("/v1/attempts/{}/answers/1", id(&attempt, "id").expect("an id")),
            &json!({ "option": 1 }),
        )
        .await
        .expect("an answer");
    held.expect("someone holds a credit")
}

/// Items that no one decided on, and one that was refused.
async fn items(local: &Local, course: &Course) {
    let made = local.editor.generate_items(&course.program, 3, |_| {}).await.expect("drafts");
    let refused = id(&made[0], "id").expect("an id");
    let decision = json!({ "approve": false, "reason": "Too easy" });
    local.reviewer.post(&format!("/v1/items/{refused}/decision"), &decision).await.expect("a refusal");
}

/// A verification that does not count: it suspends the quiz and marks the credits.
async fn retracted(local: &Local, course: &Course, holder: &Client, credit: &str) {
    let sources =
        local.editor.get(&format!("/v1/programs/{}/sources", course.program)).await.expect("sources");
    let source = id(&sources["data"][0], "id").expect("an id");
    local.registries.know(preceptor_standins::Article {
        pmid: "31234567".into(),
        doi: "10.5555/doses.2024".into(),
        title: "Doses of anticoagulants".into(),
        status: preceptor_standins::Status::Retracted,
        ..preceptor_standins::Article::default()
    });
    local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    crate::support::eventually("the remarks", async || {
        let credit = holder.get(&format!("/v1/credits/{credit}")).await.ok()?;
        (!crate::support::list(&credit, "annotations").is_empty()).then_some(())
    })
    .await;
}

/// Credentials of learners who do not exist, for copies to rest on: good ones, and such as ended before, begin later, are
/// less sure, or are of another profession. Only another service could write them.
async fn add_what_others_write(url: &str) {
    let db = Database::connect(ConnectOptions::new(url.to_owned()).max_connections(1).to_owned())
        .await
        .expect("the tables");
    let variants = [
        ("", "profession, level", "valid_from, valid_until"),
        ("_ended", "profession, level", "valid_from, valid_from + 1"),
        ("_later", "profession, level", "valid_until - 1, valid_until"),
        ("_unsure", "profession, 0", "valid_from, valid_until"),
        ("_sure", "profession, 3", "valid_from, valid_until"),
        ("_other", "'nurse', level", "valid_from, valid_until"),
    ];
    for spare in (0..SPARE).map(spare) {
        let own = "NOT LIKE '%\\_spare%' ESCAPE '\\'";
        let run = async |sql: String| {
            db.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
        };
        run(format!("INSERT INTO credentials_clinician SELECT org_id, learner || '{spare}', profession, wrapped_key, sealed, npi_index, email_verified_at, statement, revision, created_at, updated_at, licence_index FROM credentials_clinician WHERE learner {own}")).await;
        run(format!("INSERT INTO credentials_statement SELECT org_id, learner || '{spare}', number, wrapped_key, sealed, stated_at FROM credentials_statement WHERE learner {own}")).await;
        run(format!("INSERT INTO credentials_check SELECT org_id, id || '{spare}', learner || '{spare}', statement, method, outcome, detail, evidence_sha256, actor, checked_at FROM credentials_check WHERE learner {own}")).await;
        for (variant, who, when) in variants {
            run(format!("INSERT INTO credentials_assertion SELECT org_id, id || '{variant}{spare}', learner || '{spare}', statement, {who}, email_check_id || '{spare}', check_id || '{spare}', outcome, {when}, asserted_at FROM credentials_assertion WHERE learner {own}")).await;
        }
    }
    // Everyone has begun once more, and no attempt says so yet: a further attempt of the same person has what it rests on.
    let begun = "INSERT INTO credits_taking SELECT t.org_id, t.program_id, t.learner, t.entry + 1, 'began', t.attempt_id || '_again', FALSE, \
        t.entry, FALSE, t.noted_at FROM credits_taking t WHERE NOT t.key_seen AND t.entry = (SELECT MAX(s.entry) FROM credits_taking s \
        WHERE s.org_id = t.org_id AND s.program_id = t.program_id AND s.learner = t.learner)";
    db.execute_unprepared(begun).await.unwrap_or_else(|error| panic!("{error}: {begun}"));
    // Verifications that do not count, and such as are of another class.
    for (id, class, verdict, counts) in
        [("_bad", "class", "'retracted'", "false"), ("_pubmed", "'pubmed'", "verdict", "counts")]
    {
        let sql = format!(
            "INSERT INTO ingestion_verification SELECT org_id, id || '{id}', program_id, source_id, source_version_id, {class}, '1', doi, {verdict}, {counts}, title, metadata, statement, approval_id, approved, actor, verified_at FROM ingestion_verification WHERE counts"
        );
        db.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
    db.close().await.expect("an end");
}
