//! Two orgs with three programs each, a canary in every one, and every route and RPC that reflection finds: no stranger
//! ever sees a canary, and the owner does what the stranger could not.

pub(crate) mod http;
mod owned;
pub(crate) mod pages;
mod rpc;
mod walls;

use preceptor::client::{Client, id};
use preceptor::journey::{Answers, physician};
use preceptor_proto::events::v1::AuditRecord;
use preceptor_testkit::Local;
use preceptor_testkit::local::publish;
use prost::Message as _;
use serde_json::json;

use crate::support::{Log, list, markdown};

/// A program with everything that a stranger could name.
#[derive(Debug, Clone)]
pub(crate) struct Victim {
    pub(crate) canary: String,
    pub(crate) program: String,
    pub(crate) source: String,
    pub(crate) source_version: String,
    pub(crate) program_version: String,
    pub(crate) message: String,
    pub(crate) passage: String,
    pub(crate) earned: Earned,
}

/// What a learner has earned in a program, and everything that leads to it.
#[derive(Debug, Clone)]
pub(crate) struct Earned {
    pub(crate) accreditation: String,
    pub(crate) offer: String,
    /// The quiz that is open.
    pub(crate) form: String,
    pub(crate) item: String,
    /// A request for items.
    pub(crate) generation: String,
    /// A request to a registry.
    pub(crate) registry_call: String,
    pub(crate) attempt: String,
    pub(crate) credit: String,
    pub(crate) task: String,
    /// The learner's pseudonym.
    pub(crate) learner: String,
    pub(crate) code: String,
    /// A license that someone else states too.
    pub(crate) contest: String,
    /// An event in the org's log.
    pub(crate) event: String,
    /// The org itself.
    pub(crate) org: String,
    /// A member of staff.
    pub(crate) staff: String,
    /// A credential of theirs.
    pub(crate) credential: String,
    /// The revision of a program that a form was filled in for.
    pub(crate) revision: String,
    /// The token with which an admin confirms that it is them.
    pub(crate) confirm: String,
}

impl Earned {
    /// Ids that lead to nothing.
    fn nothing() -> Self {
        let none = |prefix: &str| format!("{prefix}_{}", "0".repeat(26));
        Self {
            accreditation: none("accr"),
            offer: none("offer"),
            form: none("form"),
            item: none("item"),
            generation: none("gen"),
            registry_call: none("call"),
            attempt: none("att"),
            credit: none("cred"),
            task: none("task"),
            learner: "u_nobody".into(),
            code: "0".repeat(31),
            contest: none("cont"),
            event: none("evt"),
            org: none("org"),
            staff: none("staff"),
            credential: none("key"),
            revision: "1".into(),
            confirm: String::new(),
        }
    }
}

/// An org with its programs: two published, one a draft.
pub(crate) struct Org {
    pub(crate) admin: Client,
    pub(crate) programs: Vec<Victim>,
    /// Learns in the first program only, and has earned a credit there.
    pub(crate) learner: Client,
    /// Another learner of the first program.
    pub(crate) neighbor: Client,
    /// Pays for it, and sees nothing of it.
    pub(crate) supporter: Client,
}

fn text(canary: &str) -> String {
    format!(
        "# {canary} guide\n\n## Dosing\n\nThe usual starting dose of {canary} is 5 mg once a day.\n\n## Kidneys\n\nThe largest amount of \
         {canary} that adults with healthy kidneys receive is 10 mg in a day.\n\n## Bleeding\n\nStop {canary} when the INR is above 10.\n"
    )
}

pub(crate) async fn org(local: &Local, name: &str, admin: Client, reviewer: &Client) -> Org {
    let mut programs = Vec::new();
    for number in 1..=3 {
        let canary = format!("canary{name}{number}");
        let objectives = [format!("Choose the dose of {canary}")];
        let objectives: Vec<&str> = objectives.iter().map(String::as_str).collect();
        let program = if number < 3 {
            publish(&admin, reviewer, &canary, &objectives, vec![markdown("guide.md", &text(&canary))])
                .await
                .expect("a program")
        } else {
            let draft = admin
                .post("/v1/programs", &json!({ "title": canary, "objectives": objectives }))
                .await
                .expect("a draft");
            let draft = id(&draft, "id").expect("an id");
            let source = admin.upload(&draft, markdown("guide.md", &text(&canary))).await.expect("an upload");
            admin.wait_for_source(&id(&source, "id").expect("an id"), |_| {}).await.expect("it is read");
            draft
        };
        programs.push(victim(&admin, canary, program).await);
    }
    let learner = admin.learner(&programs[0].program, "learner").await.expect("a learner");
    let neighbor = admin.learner(&programs[0].program, "neighbor").await.expect("a learner");
    programs[0].earned = earned(local, &admin, reviewer, &learner, &programs[0]).await;
    let supporter = admin.hire("Supporter", "supporter").await.expect("a supporter");
    Org { admin, programs, learner, neighbor, supporter }
}

/// Leads a learner to a credit.
async fn earned(
    local: &Local,
    admin: &Client,
    reviewer: &Client,
    learner: &Client,
    victim: &Victim,
) -> Earned {
    reviewer.attest(&victim.source).await.expect("an attestation");
    let accreditation = admin.accredit(&victim.canary).await.expect("an accreditation");
    let offer = admin.designate(&victim.program, &accreditation).await.expect("an offer");
    let items =
        admin.make_quiz(reviewer, &victim.program, 2, json!({ "leaderboard": true })).await.expect("a quiz");
    let address = format!("{}@example.org", victim.canary);
    let statement = physician(&victim.canary, &address);
    let clinician =
        learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    let attempt = learner.take_quiz(&victim.program, &items, Answers::Right).await.expect("an attempt");
    let quiz = learner.get(&format!("/v1/programs/{}/quiz", victim.program)).await.expect("a quiz");
    let credit = learner.claim(&attempt, &offer, 0.5).await.expect("a credit");
    let credit = id(&credit, "id").expect("an id");
    let pdf = learner.certificate(&credit).await.expect("a certificate");
    let contest = contested(local, admin, learner, victim, LICENSE).await;
    // An identifier that no registry knows opens a task.
    admin.verify_by(&victim.source, json!({ "pmid": "999999" })).await.expect("a verdict");
    let tasks = admin.get(&format!("/v1/programs/{}/tasks", victim.program)).await.expect("tasks");
    let asked = admin
        .post(&format!("/v1/programs/{}/items/generate", victim.program), &json!({ "count": 1 }))
        .await
        .expect("drafts");
    let calls = admin.get(&format!("/v1/sources/{}/registry-calls", victim.source)).await.expect("requests");
    let member = admin
        .post("/v1/staff", &json!({ "name": victim.canary, "role": "analyst" }))
        .await
        .expect("a member of staff");
    let member = id(&member["staff"], "id").expect("an id");
    let credentials = admin.get(&format!("/v1/credentials?staff_id={member}")).await.expect("credentials");
    let log = Log::read(admin).await;
    let record = AuditRecord::decode(log.leaves[0].0.as_slice()).expect("a record");
    Earned {
        accreditation,
        offer,
        form: id(&quiz["form"], "id").expect("an id"),
        item: id(&items[0], "id").expect("an id"),
        generation: id(&asked, "id").expect("an id"),
        registry_call: id(&list(&calls, "data")[0], "id").expect("an id"),
        attempt: id(&attempt, "id").expect("an id"),
        task: id(&list(&tasks, "data")[0], "id").expect("an id"),
        learner: id(&clinician, "learner").expect("a pseudonym"),
        code: preceptor_certificate::verify::verify(&pdf, None).expect("it holds").code,
        contest,
        event: record.event_id,
        org: record.org_id,
        credential: id(&list(&credentials, "data")[0], "id").expect("an id"),
        staff: member,
        revision: "1".into(),
        confirm: admin.token().to_owned(),
        credit,
    }
}

/// The number of a license as [`physician`] states it.
const LICENSE: &str = "MD12345";

/// Another learner states the license that was confirmed for the first.
async fn contested(
    local: &Local,
    admin: &Client,
    learner: &Client,
    victim: &Victim,
    license: &str,
) -> String {
    let known = learner.get("/v1/me/clinician").await.expect("a clinician");
    let path = format!("/v1/clinicians/{}/primary-source", id(&known, "learner").expect("a pseudonym"));
    admin.post(&path, &json!({ "confirmed": true, "evidence": "Board register" })).await.expect("a check");
    let before = admin.all("/v1/contested-identities").await.expect("contests");
    let rival = admin.learner(&victim.program, &format!("rival {license}")).await.expect("a learner");
    let mut statement =
        physician("Another physician", &format!("rival.{license}.{}@example.org", victim.canary));
    statement["license_number"] = license.into();
    rival.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    let contests = admin.all("/v1/contested-identities").await.expect("contests");
    let newest = contests.iter().find(|contest| before.iter().all(|known| known["id"] != contest["id"]));
    id(newest.expect("a contest"), "id").expect("an id")
}

async fn victim(admin: &Client, canary: String, program: String) -> Victim {
    let sources = admin.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = list(&sources, "data")[0].clone();
    let state = admin.get(&format!("/v1/programs/{program}")).await.expect("the program");
    let source_id = id(&source, "id").expect("an id");
    let document = admin.get(&format!("/v1/sources/{source_id}/document")).await.expect("a document");
    let dosing = list(&document, "passages")
        .iter()
        .find(|passage| passage["text"].as_str().is_some_and(|text| text.contains("5 mg")));
    let message = match admin.ask(&program, &format!("What is the dose of {canary}?")).await {
        Ok(answer) => id(&answer, "message_id").expect("an id"),
        // A draft cannot be asked: it has no messages.
        Err(_) => "msg_00000000000000000000000000".to_owned(),
    };
    Victim {
        canary,
        source: source_id,
        source_version: id(&source, "version_id").expect("an id"),
        program_version: state["published"]["id"]
            .as_str()
            .unwrap_or("progv_00000000000000000000000000")
            .to_owned(),
        message,
        passage: id(dosing.expect("a passage about the dose"), "id").expect("an id"),
        earned: Earned::nothing(),
        program,
    }
}

/// Two orgs.
pub(crate) async fn world(local: &Local) -> (Org, Org) {
    let (admin, reviewer) = local.other_org("B").await.expect("an org");
    let a = org(local, "alpha", local.editor.clone(), &local.reviewer).await;
    let b = org(local, "beta", admin, &reviewer).await;
    (a, b)
}
