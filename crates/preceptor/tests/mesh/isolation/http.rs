//! Every operation of the OpenAPI document, and every page.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use preceptor::client::{Client, Exchange, Watch as _};
use preceptor_testkit::{Local, Store};
use serde_json::{Value, json};

use super::owned::owner;
use super::pages::{self, SENT, SHOWN};
use super::{Victim, world};

preceptor_testkit::on_both_stores! {
    no_route_shows_a_stranger_anything_and_every_route_serves_its_owner
}

/// What the operation of a form begins with.
const FORM: &str = "form ";

/// One route of the API or of the pages.
#[derive(Debug, Clone)]
struct Route {
    method: String,
    path: String,
    operation: String,
}

fn routes() -> Vec<Route> {
    let document = serde_json::to_value(preceptor_gateway::api::openapi()).expect("JSON");
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            routes.push(Route {
                method: method.to_uppercase(),
                path: path.clone(),
                operation: operation["operationId"].as_str().expect("an id").to_owned(),
            });
        }
    }
    routes.extend(SHOWN.map(|path| Route {
        method: "GET".into(),
        path: path.into(),
        operation: format!("page {path}"),
    }));
    routes.extend(SENT.map(|path| Route {
        method: "POST".into(),
        path: path.into(),
        operation: format!("{FORM}{path}"),
    }));
    routes
}

/// The path with the victim's ids in it.
pub(crate) fn fill(path: &str, victim: &Victim) -> String {
    let id = match path {
        path if path.contains("/programs/") => &victim.program,
        path if path.contains("/sources/") => &victim.source,
        path if path.contains("/items/") => &victim.earned.item,
        path if path.contains("/accreditations/") => &victim.earned.accreditation,
        path if path.contains("/contested-identities/") => &victim.earned.contest,
        path if path.contains("/attempts/") => &victim.earned.attempt,
        path if path.contains("/credits/") => &victim.earned.credit,
        path if path.contains("/tasks/") => &victim.earned.task,
        path if path.contains("/generations/") => &victim.earned.generation,
        path if path.contains("/staff/") => &victim.earned.staff,
        path if path.contains("/credentials/") => &victim.earned.credential,
        path if path.contains("/registry-calls/") => &victim.earned.registry_call,
        _ => &victim.message,
    };
    let path = path.replace("{id}", id).replace("{page}", "1").replace("{position}", "1");
    path.replace("{code}", &victim.earned.code).replace("{learner}", &victim.earned.learner)
}

fn body(operation: &str, victim: &Victim) -> Value {
    match operation {
        "ask" => json!({ "question": "What is the usual starting dose?" }),
        "createProgram" => json!({ "title": "t" }),
        "updateProgram" => json!({ "summary": "s" }),
        "setObjectives" => json!({ "objectives": [{ "text": "Do it" }] }),
        "decideSource" => json!({ "approve": true, "reason": "r" }),
        "leaveFeedback" => json!({ "helpful": true }),
        "issueLearnerToken" => json!({ "user_hash": "x" }),
        "inviteStaff" => json!({ "name": "n", "role": "analyst", "email": "n@example.org" }),
        "changeStaff" => json!({ "name": "n" }),
        "createCredential" => json!({ "kind": "service", "name": "n" }),
        "createStaff" => json!({ "name": "n", "role": "analyst" }),
        "createOrg" => json!({ "name": "n", "admin_name": "n" }),
        "issueSignInLink" => json!({ "staff_id": victim.program }),
        "verifySource" => json!({ "pmid": "1" }),
        "setRegistryKey" => json!({ "api_key": "0".repeat(36) }),
        "setCertificateSettings" => json!({ "paper": "a4" }),
        "closeTask" => json!({ "outcome": "o" }),
        "writeItem" => {
            let stem = format!("The usual starting dose of {} is 5 mg once a day.", victim.canary);
            json!({ "kind": "true_false", "difficulty": "easy", "stem": stem, "passage_ids": [victim.passage],
            "options": [{ "text": "True", "correct": true }, { "text": "False", "correct": false }] })
        }
        "generateItems" => json!({ "count": 1 }),
        "decideItem" => json!({ "approve": false, "reason": "r" }),
        "freezeQuiz" | "submitAttempt" | "sendEmailCode" => json!({}),
        "startAttempt" => json!({ "form_id": victim.earned.form }),
        "saveAnswer" => json!({ "option": 1 }),
        "evaluateProgram" => {
            let ratings = ["objectives_met", "free_of_bias", "will_change_practice", "overall"];
            json!({ "ratings": ratings.map(|rating| (rating, 5)).into_iter().collect::<HashMap<_, _>>() })
        }
        "recordAccreditation" => {
            json!({ "body": "accme", "provider": "p", "valid_from": "2024-01-01", "valid_until": "2030-01-01" })
        }
        "designateProgram" => {
            json!({ "credit_type": "ama_pra_1", "activity_format": "enduring_material", "maximum": 0.5,
            "terminates_at": "2029-01-01", "accreditation_id": victim.earned.accreditation })
        }
        "decideAccreditation" => json!({ "confirm": true, "evidence": "e" }),
        "decideContestedIdentity" => {
            json!({ "upheld": victim.earned.learner, "reason": "r", "evidence": "e" })
        }
        "claimCredit" => json!({ "offer_id": victim.earned.offer, "amount": 0.5 }),
        "stateClinician" => preceptor::journey::physician("n", "n@example.org"),
        "confirmEmail" => json!({ "code": "00000000" }),
        "confirmPrimarySource" => json!({ "confirmed": true, "evidence": "e" }),
        _ => json!({ "reason": "r" }),
    }
}

/// What belongs to one person: not even a neighbor in the same program sees it.
fn is_personal(route: &Route) -> bool {
    ["/attempts/{id}", "/credits/{id}", "/clinicians/"].iter().any(|part| route.path.contains(part))
}

/// What anyone may see who holds the code, since a certificate says so itself; and of a log its heads, hashes and proofs.
fn is_public(route: &Route) -> bool {
    route.path.contains("{code}") || route.path == "/verify" || route.path.starts_with("/v1/logs/")
}

async fn call(local: &Local, client: &Client, route: &Route, victim: &Victim) -> (u16, String) {
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let url = format!("{}{}", local.url, fill(&route.path, victim));
    let mut request = http.request(route.method.parse().expect("a method"), url).bearer_auth(client.token());
    if route.operation.starts_with(FORM) || route.operation == "uploadSource" {
        let (kind, fields) = pages::form(&route.path.replace("/v1/", "/console/"), victim);
        request = request.header("content-type", kind).header("sec-fetch-site", "same-origin").body(fields);
    } else if route.method != "GET" {
        request = request.header("if-match", "*").json(&body(&route.operation, victim));
    }
    let method = route.method.parse().expect("a method");
    let response = request.send().await.expect("an answer");
    let (status, headers, path) =
        (response.status().as_u16(), response.headers().clone(), response.url().path().to_owned());
    let body = response.bytes().await.unwrap_or_default();
    // No matter who asks, and how it ends: the answer is as the document says.
    local.contract.exchanged(&Exchange {
        method: &method,
        path: &path,
        status,
        headers: &headers,
        body: &body,
    });
    // A page sends those away to sign in whom the API answers 401.
    let is_sent_away = headers.get("location").is_some_and(|place| place == "/sign-in");
    (if is_sent_away { 401 } else { status }, String::from_utf8_lossy(&body).into_owned())
}

/// Routes whose answer is about the caller's own org, whatever ids are sent along.
fn is_about_own(route: &Route) -> bool {
    !route.path.contains('{')
}

/// A supporter sees releases and nothing else: no list, no page and no form of their org.
async fn supporters_are_refused_everything(
    local: &Local,
    supporter: &Client,
    victim: &Victim,
    routes: &[Route],
) {
    for route in routes {
        let (status, text) = call(local, supporter, route, victim).await;
        assert!([401, 403, 404].contains(&status), "a supporter is served {route:?}: {status} {text}");
    }
}

async fn no_route_shows_a_stranger_anything_and_every_route_serves_its_owner(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (a, b) = world(&local).await;
    let routes: Vec<Route> = routes().into_iter().filter(|route| !is_public(route)).collect();
    assert!(routes.len() > 60, "reflection finds the routes");
    let mut denials = 0;
    for route in &routes {
        for victim in &a.programs {
            denials +=
                strangers(&local, route, victim, &[("admin of B", &b.admin), ("learner of B", &b.learner)])
                    .await;
        }
        let supporters = [("supporter of A", &a.supporter)];
        denials += strangers(&local, route, &a.programs[0], &supporters).await;
        if is_personal(route) {
            denials += strangers(&local, route, &a.programs[0], &[("neighbor in A1", &a.neighbor)]).await;
        }
        // A learner is a stranger to every program but the first.
        for victim in a.programs[1..].iter().chain(&b.programs) {
            denials += strangers(&local, route, victim, &[("learner of A1", &a.learner)]).await;
        }
    }
    assert!(denials > 300, "{denials} denials were tried");
    supporters_are_refused_everything(&local, &a.supporter, &a.programs[0], &routes).await;
    // Last, because these do happen.
    let mut unserved = Vec::new();
    for route in routes.iter().filter(|route| !is_about_own(route)) {
        let prepared = AssertUnwindSafe(Box::pin(owner(&local, &a, &route.operation))).catch_unwind().await;
        let Ok((owner, victim)) = prepared else {
            unserved.push(format!("{}: its state cannot be made", route.operation));
            continue;
        };
        let (status, text) = call(&local, &owner, route, &victim).await;
        if !is_served(route, status, &text) {
            unserved
                .push(format!("{} {} ({}): {status} {text:.300}", route.method, route.path, route.operation));
        }
    }
    assert!(unserved.is_empty(), "the owner is served: {unserved:#?}");
    let (_, text) = call(
        &local,
        &a.admin,
        &Route { method: "GET".into(), path: "/v1/sources/{id}/document".into(), operation: String::new() },
        &a.programs[1],
    )
    .await;
    assert!(text.contains(&a.programs[1].canary), "the owner sees the canary");
    local.stop().await;
}

/// Whether a request was done: a form leads on to a page, and shows what is wrong on one that is no success.
fn is_served(route: &Route, status: u16, text: &str) -> bool {
    let leads_on = route.operation.starts_with(FORM) && status == 303 && text.is_empty();
    (200..300).contains(&status) || leads_on
}

async fn strangers(local: &Local, route: &Route, victim: &Victim, strangers: &[(&str, &Client)]) -> usize {
    for (name, stranger) in strangers {
        let (status, text) = call(local, stranger, route, victim).await;
        assert!(
            !text.contains(&victim.canary),
            "{name} sees {} by {route:?}: {status} {text}",
            victim.canary
        );
        let denied = is_about_own(route) || !(200..300).contains(&status);
        assert!(denied, "{name} is served {route:?} of {}: {status} {text}", victim.canary);
    }
    strangers.len()
}
