//! Names and titles that are printed or signed are what they look like, wherever they come in.

use std::collections::BTreeSet;

use preceptor::client::{Client, Upload, id};
use preceptor::journey::{day_from_now, physician};
use preceptor_testkit::{Local, Store};
use reqwest::Method;
use reqwest::header::{ETAG, IF_MATCH};
use serde_json::{Value, json};

use crate::support::{WARFARIN, markdown};

preceptor_testkit::on_both_stores! {
    a_name_that_is_not_what_it_looks_like_is_refused_everywhere_and_its_sign_named
    every_door_for_what_is_printed_or_signed_refuses_what_is_not_what_it_looks_like
    texts_of_staff_keep_their_lines_and_hold_no_sign_that_is_not_seen
}

/// Fields of requests whose text ends up on a certificate, in a badge, or beside them.
const PRINTED: [&str; 11] = [
    "name",
    "admin_name",
    "degree",
    "provider",
    "provider_number",
    "title",
    "activity_number",
    "joint_providers",
    "moc_statements",
    "signatory_name",
    "signatory_title",
];

/// Those of them that name people and organizations.
const NAMES: [&str; 5] = ["name", "admin_name", "provider", "joint_providers", "signatory_name"];

/// A request that carries such a field.
struct Door<'a> {
    operation: &'static str,
    field: &'static str,
    client: &'a Client,
    method: Method,
    path: String,
    body: Value,
}

impl Door<'_> {
    /// The answer to the request with a text in the field, which may be a list.
    async fn knock(&self, local: &Local, text: &str) -> (bool, String) {
        let mut body = self.body.clone();
        body[self.field] = match self.field {
            "joint_providers" | "moc_statements" => json!([text]),
            _ => json!(text),
        };
        let http = reqwest::Client::new();
        let url = format!("{}{}", local.url, self.path);
        let mut request = http.request(self.method.clone(), &url).json(&body);
        if self.method == Method::PATCH {
            // What was read is what is changed.
            let read = http.get(&url).bearer_auth(self.client.token()).send().await.expect("an answer");
            if let Some(tag) = read.headers().get(ETAG) {
                request = request.header(IF_MATCH, tag.clone());
            }
        }
        let request = request.bearer_auth(self.client.token());
        let answer = request.send().await.expect("an answer");
        (answer.status().is_success(), answer.text().await.expect("a text"))
    }
}

/// Every operation with a JSON body that has one of the fields, by the served document.
async fn doors_of_the_document(local: &Local) -> BTreeSet<(String, String)> {
    let document: Value = reqwest::get(format!("{}/openapi.json", local.url))
        .await
        .expect("an answer")
        .json()
        .await
        .expect("a document");
    let mut doors = BTreeSet::new();
    for methods in document["paths"].as_object().expect("paths").values() {
        for operation in methods.as_object().expect("methods").values() {
            let mut schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if let Some(name) = schema["$ref"].as_str() {
                schema = document.pointer(name.trim_start_matches('#')).expect("a schema");
            }
            for field in schema["properties"].as_object().into_iter().flat_map(|fields| fields.keys()) {
                if PRINTED.contains(&field.as_str()) {
                    let id = operation["operationId"].as_str().expect("an id");
                    doors.insert((id.to_owned(), field.clone()));
                }
            }
        }
    }
    doors
}

fn doors<'a>(
    local: &'a Local,
    learner: &'a Client,
    program: &str,
    accreditation: &str,
    staff: &str,
) -> Vec<Door<'a>> {
    let statement = physician("Rosa Alvarez", "rosa@example.org");
    let term = json!({
        "body": "joint_accreditation", "provider": "Harbor Medical Education",
        "valid_from": day_from_now(-10), "valid_until": day_from_now(400),
    });
    let offer = json!({
        "credit_type": "ama_pra_1", "activity_format": "enduring_material", "maximum": 0.75,
        "terminates_at": day_from_now(900), "accreditation_id": accreditation,
    });
    let (editor, operator) = (&local.editor, &local.operator);
    let (put, post, patch) = (Method::PUT, Method::POST, Method::PATCH);
    let program_path = format!("/v1/programs/{program}");
    let with = |operation, fields: &[&'static str], client, method: &Method, path: &str, body: &Value| {
        let door = |&field: &&'static str| Door {
            operation,
            field,
            client,
            method: method.clone(),
            path: path.to_owned(),
            body: body.clone(),
        };
        fields.iter().map(door).collect::<Vec<_>>()
    };
    let org = json!({ "name": "Harbor", "admin_name": "Admin" });
    let invited = json!({ "name": "Rita", "role": "editor", "email": "rita@example.org" });
    let about_accreditation = ["provider", "provider_number", "signatory_name", "signatory_title"];
    let about_offer = ["activity_number", "joint_providers", "moc_statements"];
    [
        with("stateClinician", &["name", "degree"], learner, &put, "/v1/me/clinician", &statement),
        with("createOrg", &["name", "admin_name"], operator, &post, "/v1/orgs", &org),
        with("createStaff", &["name"], editor, &post, "/v1/staff", &json!({ "role": "editor" })),
        with("inviteStaff", &["name"], editor, &post, "/v1/staff/invitations", &invited),
        with("changeStaff", &["name"], editor, &patch, &format!("/v1/staff/{staff}"), &json!({})),
        with("createCredential", &["name"], editor, &post, "/v1/credentials", &json!({ "kind": "service" })),
        with("createProgram", &["title"], editor, &post, "/v1/programs", &json!({ "objectives": [] })),
        with("updateProgram", &["title"], editor, &patch, &program_path, &json!({})),
        with("recordAccreditation", &about_accreditation, editor, &post, "/v1/accreditations", &term),
        with("designateProgram", &about_offer, editor, &post, &format!("{program_path}/offers"), &offer),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn every_door_for_what_is_printed_or_signed_refuses_what_is_not_what_it_looks_like(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let learner = local.learner(&program, "l").await.expect("a learner");
    let accreditation = local.editor.accredit("Harbor Medical Education").await.expect("an accreditation");
    let staff = local
        .editor
        .post("/v1/staff", &json!({ "name": "Rita Reviewer", "role": "editor" }))
        .await
        .expect("a member of staff");
    let staff = staff["staff"]["id"].as_str().expect("an id");
    let doors = doors(&local, &learner, &program, &accreditation, staff);
    let tried: BTreeSet<(String, String)> =
        doors.iter().map(|door| (door.operation.to_owned(), door.field.to_owned())).collect();
    assert_eq!(
        tried,
        doors_of_the_document(&local).await,
        "each door of the document is tried, and no other"
    );
    for bad in [
        "\u{200b}",
        "Rosa \u{202e}zeravlA",
        "Rosa\u{200f} Alvarez",
        "Rosa \u{410}lvarez",
        "Rosa\u{2028}Alvarez",
    ] {
        for door in &doors {
            let (taken, said) = door.knock(&local, bad).await;
            assert!(!taken, "{bad:?} was taken by {} as {}: {said}", door.operation, door.field);
            let code = ["INVALID_FIELD", "NAME_NOT_PRINTABLE"].iter().any(|code| said.contains(code));
            assert!(code, "{} {} {bad:?}: {said}", door.operation, door.field);
        }
    }
    // People and organizations have their name in one script; a title may speak of something in another one.
    for door in doors.iter().filter(|door| NAMES.contains(&door.field)) {
        let (taken, said) = door.knock(&local, "Rosa Иванова").await;
        assert!(!taken && said.contains("mixes scripts"), "{} {}: {said}", door.operation, door.field);
    }
    local.stop().await;
}

async fn a_name_that_is_not_what_it_looks_like_is_refused_everywhere_and_its_sign_named(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let learner = local.learner(&program, "l").await.expect("a learner");
    for (name, sign) in [
        ("\u{200b}", "U+200B"),
        ("Rosa\u{200f} Alvarez", "U+200F"),
        ("Rosa \u{202e}zeravlA", "U+202E"),
        ("Rosa \u{410}lvarez", "U+0410"),
        ("Rosa\u{e0041} Alvarez", "U+E0041"),
    ] {
        let statement = physician(name, "rosa@example.org");
        let refused = [
            learner.put("/v1/me/clinician", &statement).await,
            local.editor.post("/v1/staff", &json!({ "name": name, "role": "editor" })).await,
            local.operator.post("/v1/orgs", &json!({ "name": name, "admin_name": "Admin" })).await,
            local.operator.post("/v1/orgs", &json!({ "name": "Harbor", "admin_name": name })).await,
            local.editor.accredit(name).await.map(Value::String),
            local.editor.post("/v1/programs", &json!({ "title": name, "objectives": [] })).await,
        ];
        for (place, refused) in refused.into_iter().enumerate() {
            let said = refused.expect_err(&format!("{name:?} was taken at {place}")).to_string();
            // Where scripts meet inside a word, either letter may be the one that is named.
            let named = said.contains(sign) || (sign == "U+0410" && said.contains("mixes scripts"));
            assert!(said.contains("INVALID_FIELD") && named, "{place}: {said}");
        }
    }
    for title in ["TNFα and IL-1β in uveitis", "β-blockers after infarction"] {
        local
            .editor
            .post("/v1/programs", &json!({ "title": title, "objectives": [] }))
            .await
            .expect("a title");
    }
    // What a file says of itself is not refused: no one here wrote it. It is shown without what is not seen.
    let file = Upload {
        name: "gp\u{202e}j.md".into(),
        title: Some("War\u{200b}farin\u{202e}".into()),
        content: WARFARIN.into(),
        ..Upload::default()
    };
    let source = local.editor.upload(&program, file).await.expect("a source");
    assert_eq!((&source["title"], &source["file_name"]), (&json!("Warfarin"), &json!("gpj.md")));
    local.stop().await;
}

async fn texts_of_staff_keep_their_lines_and_hold_no_sign_that_is_not_seen(store: Store) {
    const EVIL: &str = "evil \u{202e}\u{2066} sum\u{200b}mary";
    let local = store.mesh().await.expect("a mesh");
    let plain =
        json!({ "title": "Doses", "summary": "One line\r\nand another", "objectives": ["Name\nthem"] });
    let program = local.editor.post("/v1/programs", &plain).await.expect("a program");
    assert_eq!(program["summary"], "One line\nand another");
    for field in ["summary", "objectives"] {
        let mut evil = plain.clone();
        evil[field] = if field == "summary" { json!(EVIL) } else { json!([EVIL]) };
        let said = local.editor.post("/v1/programs", &evil).await.expect_err("it was taken").to_string();
        assert!(said.contains("INVALID_FIELD") && said.contains("U+202E"), "{field}: {said}");
    }
    // A decision is not held up by such a sign in its reason: the reason is kept without it.
    let program = id(&program, "id").expect("an id");
    let source = local.editor.upload(&program, markdown("warfarin.md", WARFARIN)).await.expect("a source");
    let source = id(&source, "id").expect("an id");
    local.editor.wait_for_source(&source, |_| {}).await.expect("it is read");
    local.editor.post(&format!("/v1/sources/{source}/submit"), &json!({})).await.expect("submitted");
    let decision = json!({ "approve": true, "reason": format!("{EVIL}\nread in full") });
    local.reviewer.post(&format!("/v1/sources/{source}/decision"), &decision).await.expect("approved");
    let seen = local.editor.get(&format!("/v1/sources/{source}")).await.expect("a source").to_string();
    assert!(seen.contains(r"evil  summary\nread in full"), "{seen}");
    local.stop().await;
}
