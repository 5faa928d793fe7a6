//! The pages: those that show something, and the forms that change something, with fields that a person could send.

use super::Victim;

/// Pages that show content of a program, source or message, or something of the visitor's own.
pub(crate) const SHOWN: [&str; 22] = [
    "/console/staff",
    "/programs/{id}",
    "/programs/{id}/quiz",
    "/attempts/{id}",
    "/credits/{id}",
    "/credits/{id}/history",
    "/credits",
    "/me/clinician",
    "/console/programs/{id}",
    "/console/programs/{id}/items",
    "/console/programs/{id}/learner-attempts",
    "/console/programs/{id}/offers",
    "/sources/{id}",
    "/console/sources/{id}",
    "/console",
    "/console/contested-identities",
    "/console/certificates",
    "/verify",
    "/verify/{code}",
    "/activities/{code}",
    "/activities/{code}/badge.svg",
    "/issuers/{code}",
];

/// Forms.
pub(super) const SENT: [&str; 31] = [
    "/console/certificates",
    "/console/staff",
    "/console/staff/{id}",
    "/console/staff/{id}/link",
    "/console/credentials",
    "/console/credentials/{id}/revoke",
    "/programs/{id}",
    "/programs/{id}/quiz",
    "/programs/{id}/evaluation",
    "/attempts/{id}",
    "/attempts/{id}/claim",
    "/attempts/{id}/feedback",
    "/me/clinician",
    "/me/clinician/code",
    "/me/clinician/confirm",
    "/console",
    "/console/programs/{id}/objectives",
    "/console/programs/{id}/sources",
    "/console/programs/{id}/publish",
    "/console/programs/{id}/withdraw",
    "/console/programs/{id}/items",
    "/console/programs/{id}/quiz",
    "/console/programs/{id}/offers",
    "/console/items/{id}/decision",
    "/console/sources/{id}/verification",
    "/console/tasks/{id}/close",
    "/console/contested-identities/{id}/decision",
    "/console/generations/{id}/cancel",
    "/console/sources/{id}/cancel-reading",
    "/console/sources/{id}/submit",
    "/console/sources/{id}/decision",
];

/// Pages that belong to no one: what they show is the same for everyone.
const OF_EVERYBODY: [&str; 9] = [
    "POST /sign-in/who",
    "GET /",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-out",
    "GET /reference",
    "GET /errors",
    "GET /errors/{code}",
    "GET /static/{file}",
];

/// The body of a form, and its type.
pub(super) fn form(path: &str, victim: &Victim) -> (&'static str, String) {
    const URL: &str = "application/x-www-form-urlencoded";
    let (program, earned) = (&victim.program, &victim.earned);
    let fields = match path {
        "/programs/{id}" => "question=What+is+the+usual+starting+dose%3F".to_owned(),
        "/programs/{id}/quiz" => format!("form_id={}", earned.form),
        "/programs/{id}/evaluation" => {
            format!("objectives_met=5&free_of_bias=5&will_change_practice=5&overall=5&attempt_id={}", earned.attempt)
        }
        "/attempts/{id}" => "q1=1&action=keep".to_owned(),
        "/attempts/{id}/claim" => format!("offer_id={}&amount=0.5", earned.offer),
        "/me/clinician" => {
            "profession=physician&name=n&degree=MD&email=n%40example.org&license_number=1&license_board=b&licensed_since=2015-01-01\
             &license_expires=&specialty=&npi="
                .to_owned()
        }
        "/me/clinician/confirm" => "code=1".to_owned(),
        "/console/certificates" => "paper=a4".to_owned(),
        "/console/staff" => "name=n&role=analyst&email=n%40example.org".to_owned(),
        "/console/staff/{id}/link" => format!("confirm={}", earned.confirm),
        "/console/staff/{id}" => "action=change&name=n".to_owned(),
        "/console/credentials" => "kind=service&name=n".to_owned(),
        "/console" => "title=t".to_owned(),
        "/console/programs/{id}/objectives" => format!("objectives=Do+it&revision={}", earned.revision),
        "/console/programs/{id}/publish" | "/console/programs/{id}/withdraw" => "reason=r".to_owned(),
        "/console/programs/{id}/items" => "count=1".to_owned(),
        "/console/programs/{id}/quiz" => "threshold_percent=60&most_attempts=0".to_owned(),
        "/console/programs/{id}/offers" => format!(
            "accreditation_id={}&credit_type=ama_pra_1&activity_format=other&maximum=0.5&terminates_at=2029-01-01&minimum_level=1",
            earned.accreditation
        ),
        "/console/items/{id}/decision" => format!("decision=reject&reason=r&program_id={program}"),
        "/console/sources/{id}/verification" => "identifier=1".to_owned(),
        "/console/tasks/{id}/close" => format!("outcome=o&program_id={program}"),
        "/console/contested-identities/{id}/decision" => format!("upheld={}&reason=r&evidence=e", earned.learner),
        "/console/sources/{id}/decision" => "decision=approve&reason=r".to_owned(),
        "/console/programs/{id}/sources" => {
            let part = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"note.md\"\r\ncontent-type: text/markdown\r\n\r\n# Note\r\n\r\nA note.\r\n--x--\r\n";
            return ("multipart/form-data; boundary=x", part.to_owned());
        }
        _ => String::new(),
    };
    (URL, fields)
}

/// A page that is added without being tried by strangers turns this red.
#[test]
fn every_page_of_the_router_is_tried_by_strangers() {
    let router = include_str!("../../../../../services/gateway/src/pages/mod.rs");
    let mut missing = Vec::new();
    for route in router.split(".route(\"").skip(1) {
        let (path, handlers) = route.split_once('"').expect("a path");
        let handlers =
            handlers.split(".route(").next().expect("handlers").split(".fallback(").next().expect("handlers");
        let tried = |method: &str, list: &[&str]| {
            list.contains(&path) || OF_EVERYBODY.contains(&format!("{method} {path}").as_str())
        };
        if handlers.contains("get(") && !tried("GET", &SHOWN) {
            missing.push(format!("GET {path}"));
        }
        if handlers.contains("post(") && !tried("POST", &SENT) {
            missing.push(format!("POST {path}"));
        }
    }
    assert!(missing.is_empty(), "pages that no stranger tries: {missing:?}");
    assert!(router.matches(".route(\"").count() > 30, "the router is read");
}
