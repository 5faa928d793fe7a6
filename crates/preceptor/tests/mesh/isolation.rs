//! Two orgs with three programs each, a canary in every one, and every route and RPC that reflection finds: no stranger
//! ever sees a canary, and the owner does what the stranger could not.

mod http;
mod rpc;

use preceptor::client::{Client, id};
use preceptor_testkit::Local;
use preceptor_testkit::local::{learner, publish};
use serde_json::json;

use crate::support::{list, markdown};

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
}

/// An org with its programs: two published, one a draft.
pub(crate) struct Org {
    pub(crate) admin: Client,
    pub(crate) programs: Vec<Victim>,
    /// Asks in the first program only.
    pub(crate) learner: Client,
}

fn text(canary: &str) -> String {
    format!(
        "# {canary} guide\n\n## Dosing\n\nThe usual starting dose of {canary} is 5 mg once a day.\n\n## Bleeding\n\nStop {canary} when the INR is above 10.\n"
    )
}

async fn org(name: &str, admin: Client, reviewer: &Client) -> Org {
    let mut programs = Vec::new();
    for number in 1..=3 {
        let canary = format!("canary{name}{number}");
        let objectives = [format!("Choose the dose of {canary}")];
        let objectives: Vec<&str> = objectives.iter().map(String::as_str).collect();
        let program = if number < 3 {
            publish(&admin, reviewer, &canary, &objectives, vec![markdown("guide.md", &text(&canary))]).await.expect("a program")
        } else {
            let draft = admin.post("/v1/programs", &json!({ "title": canary, "objectives": objectives })).await.expect("a draft");
            let draft = id(&draft, "id").expect("an id");
            let source = admin.upload(&draft, markdown("guide.md", &text(&canary))).await.expect("an upload");
            admin.wait_for_source(&id(&source, "id").expect("an id"), |_| {}).await.expect("it is read");
            draft
        };
        programs.push(victim(&admin, canary, program).await);
    }
    let learner = learner(&admin, &programs[0].program, "learner").await.expect("a learner");
    Org { admin, programs, learner }
}

async fn victim(admin: &Client, canary: String, program: String) -> Victim {
    let sources = admin.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = list(&sources, "data")[0].clone();
    let state = admin.get(&format!("/v1/programs/{program}")).await.expect("the program");
    let source_id = id(&source, "id").expect("an id");
    let document = admin.get(&format!("/v1/sources/{source_id}/document")).await.expect("a document");
    let message = match admin.ask(&program, &format!("What is the dose of {canary}?")).await {
        Ok(answer) => id(&answer, "message_id").expect("an id"),
        // A draft cannot be asked: it has no messages.
        Err(_) => "msg_00000000000000000000000000".to_owned(),
    };
    Victim {
        canary,
        source: source_id,
        source_version: id(&source, "version_id").expect("an id"),
        program_version: state["published"]["id"].as_str().unwrap_or("progv_00000000000000000000000000").to_owned(),
        message,
        passage: id(&list(&document, "passages")[0], "id").expect("an id"),
        program,
    }
}

/// Two orgs.
pub(crate) async fn world(local: &Local) -> (Org, Org) {
    let (admin, reviewer) = local.other_org("B").await.expect("an org");
    let a = org("alpha", local.editor.clone(), &local.reviewer).await;
    let b = org("beta", admin, &reviewer).await;
    (a, b)
}
