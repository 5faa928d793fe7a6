//! What holds for every operation, also for one that was added today: each failure names what is lacking, and where.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::Value;

use super::operations::METHODS;
use super::{Contract, Terms, nouns, resolve, schemas, standalone, validator, words};

pub(super) fn contract() -> Contract {
    crate::api::contract(&Terms::default())
}

/// Every operation: its path, its method, what it says.
pub(super) fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, methods)| METHODS.map(|method| (path.as_str(), method, &methods[method])))
        .filter(|(.., said)| said.is_object())
        .collect()
}

pub(super) fn id(operation: &Value) -> &str {
    operation["operationId"].as_str().unwrap_or("an operation without a name")
}

#[test]
fn every_operation_describes_itself_and_all_its_answers() {
    let contract = contract();
    let document = contract.document();
    let mut lacking = Vec::new();
    for (path, method, said) in operations(document) {
        let name = id(said);
        for field in ["operationId", "summary", "description"] {
            if said[field].as_str().unwrap_or_default().is_empty() {
                lacking.push(format!("{method} {path}: no {field}"));
            }
        }
        if said["tags"].as_array().is_none_or(Vec::is_empty) {
            lacking.push(format!("{name}: no tag"));
        }
        for (status, response) in said["responses"].as_object().into_iter().flatten() {
            let response = resolve(document, response);
            if response["description"].as_str().unwrap_or_default().is_empty() {
                lacking.push(format!("{name} {status}: no description"));
            }
            if status.starts_with('4') && !response["content"]["application/problem+json"].is_object() {
                lacking.push(format!("{name} {status}: is no problem"));
            }
            if response["headers"]["X-Request-Id"].is_null() {
                lacking.push(format!("{name} {status}: no request id"));
            }
            if matches!(status.as_str(), "201" | "202") && response["headers"]["Location"].is_null() {
                lacking.push(format!("{name} {status}: no Location"));
            }
        }
        let comes_later = ["getDocument", "getCertificate", "getBadge"].contains(&name);
        if comes_later && said["responses"]["409"].is_null() {
            lacking.push(format!("{name}: may be asked before it is there, and has no 409"));
        }
        for status in ["400", "429", "500", "503"] {
            if said["responses"][status].is_null() {
                lacking.push(format!("{name}: no {status}"));
            }
        }
        let takes = |reference: &str| {
            said["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|parameter| parameter["$ref"] == reference)
        };
        if method != "get" && !takes("#/components/parameters/IdempotencyKey") {
            lacking.push(format!("{name}: no Idempotency-Key"));
        }
    }
    assert_eq!(lacking, Vec::<String>::new());
}

#[test]
fn every_parameter_is_described_and_every_id_has_a_form() {
    let contract = contract();
    let document = contract.document();
    let mut lacking = Vec::new();
    for (path, _, said) in operations(document) {
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let parameter = resolve(document, parameter);
            let name = parameter["name"].as_str().unwrap_or_default();
            if parameter["description"].as_str().unwrap_or_default().is_empty() {
                lacking.push(format!("{}: the parameter {name} is not described", id(said)));
            }
            if parameter["in"] == "path"
                && parameter["schema"]["type"] == "string"
                && nouns::before(path, name).is_none()
            {
                lacking.push(format!(
                    "{}: what {{{name}}} of {path} names is not in the table of nouns",
                    id(said)
                ));
            }
        }
    }
    assert_eq!(lacking, Vec::<String>::new());
}

#[test]
fn every_list_is_read_by_the_page() {
    let contract = contract();
    let document = contract.document();
    let mut lacking = Vec::new();
    for (_, method, said) in operations(document) {
        let body = resolve(document, &said["responses"]["200"]["content"]["application/json"]["schema"]);
        if method != "get" || body["properties"]["data"]["type"] != "array" {
            continue;
        }
        let names: BTreeSet<&str> = said["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        if !names.contains("limit")
            || !names.contains("cursor")
            || body["properties"]["next_cursor"].is_null()
        {
            lacking.push(format!(
                "{}: take a `Page`, declare `PageQuery`, and answer with `next_cursor`",
                id(said)
            ));
        }
    }
    assert_eq!(lacking, Vec::<String>::new());
}

#[test]
fn every_body_is_bounded_and_refuses_what_it_does_not_know() {
    let contract = contract();
    let document = contract.document();
    let mut lacking = Vec::new();
    for name in schemas::request_bodies(document) {
        let schema = &document["components"]["schemas"][&name];
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let own = if property["type"] == "array" {
                resolve(document, &property["items"])
            } else {
                resolve(document, property)
            };
            let is_text = own["type"] == "string"
                || own["type"].as_array().is_some_and(|kinds| kinds.contains(&"string".into()));
            let is_bounded =
                ["maxLength", "enum", "format", "anyOf"].iter().any(|keyword| !own[*keyword].is_null());
            let is_form = own["pattern"]
                .as_str()
                .is_some_and(|pattern| pattern.ends_with('$') && !pattern.contains('*'));
            if is_text && !is_bounded && !is_form {
                lacking.push(format!("{name}.{field}: how long may it be? (max_length)"));
            }
        }
        if schema["type"] == "object" && schema["additionalProperties"] != false {
            lacking.push(format!("{name}: takes fields that it does not know"));
        }
    }
    assert_eq!(lacking, Vec::<String>::new());
}

#[test]
fn words_to_choose_from_are_enums_and_times_are_times() {
    let contract = contract();
    let mut lacking = Vec::new();
    for (name, schema) in contract.document()["components"]["schemas"].as_object().into_iter().flatten() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let words = property["description"].as_str().unwrap_or_default();
            let is_plain =
                property["type"] == "string" && property["enum"].is_null() && property["$ref"].is_null();
            let lists = words.starts_with('`') && (words.contains("`, `") || words.contains("` or `"));
            if is_plain && lists {
                lacking.push(format!("{name}.{field}: lists its words in prose; give it a type of `values`"));
            }
            let is_time = field.ends_with("_at") && property["type"].to_string().contains("string");
            if is_time && property["format"].is_null() && property["anyOf"].is_null() {
                lacking.push(format!("{name}.{field}: is a time without a format"));
            }
        }
    }
    assert_eq!(lacking, Vec::<String>::new());
}

#[test]
fn every_example_is_one() {
    let contract = contract();
    let document = contract.document();
    let mut wrong = Vec::new();
    let mut check = |place: String, content: &Value| {
        let is_checked = |kind: &str| kind.ends_with("json") || kind == schemas::FORM;
        for (kind, content) in content.as_object().into_iter().flatten().filter(|(kind, _)| is_checked(kind))
        {
            if content["example"].is_null() {
                wrong.push(format!("{place} {kind}: no example"));
            }
            let schema = standalone(document, &content["schema"]);
            let said = words::problems(&validator(&schema), &schema, &content["example"]);
            wrong.extend(
                said.iter().map(|problem| format!("{place} {kind}: {} {}", problem.pointer, problem.detail)),
            );
        }
    };
    for (_, _, said) in operations(document) {
        check(format!("{} body", id(said)), &said["requestBody"]["content"]);
        for (status, response) in said["responses"].as_object().into_iter().flatten() {
            check(format!("{} {status}", id(said)), &resolve(document, response)["content"]);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_two_things_have_the_same_name() {
    let documents: Vec<Value> = crate::api::parts(1)
        .into_iter()
        .map(|part| serde_json::to_value(part.into_openapi()).expect("a document"))
        .collect();
    let whole = serde_json::to_value(crate::api::declared(1).into_openapi()).expect("a document");
    for document in &documents {
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            assert_eq!(
                &whole["components"]["schemas"][name], schema,
                "two schemas are called {name}: rename one of the types"
            );
        }
    }
}

#[test]
fn what_is_wrong_with_a_body_is_all_told() {
    let contract = contract();
    let body = serde_json::json!({ "title": "", "objectives": ["ok", 7], "color": "red" });
    let found: Vec<_> = contract
        .problems("NewProgram", &body)
        .into_iter()
        .map(|problem| format!("{} {}", problem.pointer, problem.detail))
        .collect();
    assert_eq!(
        found,
        [
            "/color is not known here; known are objectives, summary, title",
            "/objectives/1 must be lines of text, without invisible or text-direction control characters",
            "/title must have 1 to 300 characters"
        ]
    );
    assert_eq!(contract.problems("NewProgram", &serde_json::json!(["a title"])).len(), 1);
    let body = serde_json::json!({ "title": "  ", "summary": "first\nsec\u{202e}ond" });
    let found = contract.problems("NewProgram", &body);
    assert!(found[0].detail.contains("; it holds U+202E"), "{found:?}");
    assert_eq!(found[1].detail, "must say something");
    assert_eq!(Contract::code("NewClaim", "/amount"), "AMOUNT_NOT_ALLOWED");
    assert!(
        !contract
            .problems(
                "NewClaim",
                &serde_json::json!({ "offer_id": "offer_01k9w0x5c8f3v9q2d7t4m6n8rz", "amount": 0.3 })
            )
            .is_empty()
    );
}

#[test]
fn ids_and_queries_are_checked_against_the_document() {
    let contract = contract();
    let get = contract.operation(&Method::GET, "/v1/programs/{id}").expect("getProgram");
    let refused = get.check_path([("id", "zz")]).expect_err("no id");
    assert_eq!((refused.status().as_u16(), refused.code()), (404, "PROGRAM_NOT_FOUND"));
    assert!(get.check_path([("id", "prog_01k9w0x5c8f3v9q2d7t4m6n8rz")]).is_ok());
    assert_eq!(get.check_query("x=1").expect_err("unknown").code(), "QUERY_INVALID");
    let list = contract.operation(&Method::HEAD, "/v1/programs").expect("listPrograms");
    for wrong in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=abc",
        "limit=1.5",
        "limit=1&limit=2",
        "limit=+1",
        "limit=",
        "cursor=%00",
    ] {
        assert!(list.check_query(wrong).is_err(), "{wrong}");
    }
    assert!(list.check_query("limit=100&cursor=abc").is_ok());
    let leaves = contract.operation(&Method::GET, "/v1/audit/leaves").expect("listAuditLeaves");
    for wrong in ["limit=1001", "limit=0", "limit=-5", "from=-1"] {
        assert!(leaves.check_query(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn problems_look_as_they_did() {
    let shown: Vec<Value> = super::shared::REFUSALS
        .iter()
        .map(|refusal| {
            contract().document()["components"]["responses"][refusal.name]["content"]["application/problem+json"]["example"].clone()
        })
        .collect();
    insta::assert_json_snapshot!(shown);
}

#[test]
fn no_word_to_choose_is_empty() {
    let contract = contract();
    let schemas = contract.document()["components"]["schemas"].as_object().expect("schemas");
    let words = |(name, schema): (&String, &Value)| {
        let all = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.map(|word| (name.clone(), word.to_owned())).collect::<Vec<_>>()
    };
    let all: Vec<(String, String)> = schemas.iter().flat_map(words).collect();
    assert!(all.len() > 50, "{}", all.len());
    assert!(all.iter().all(|(_, word)| !word.is_empty()), "null is for what is absent: {all:?}");
}

#[test]
fn whatever_is_made_leads_to_the_operations_that_take_its_id() {
    let contract = contract();
    let document = contract.document();
    let mut linked = BTreeSet::new();
    for (.., said) in operations(document) {
        for response in said["responses"].as_object().into_iter().flatten().map(|(_, response)| response) {
            for (name, link) in response["links"].as_object().into_iter().flatten() {
                let target = operations(document).into_iter().find(|(.., taker)| id(taker) == name);
                assert!(
                    target.is_some_and(|(path, ..)| path.contains("{id}")),
                    "{}: {name} {link}",
                    id(said)
                );
                linked.insert((id(said), name.as_str()));
            }
        }
    }
    for expected in [
        ("createProgram", "uploadSource"),
        ("uploadSource", "submitSource"),
        ("writeItem", "decideItem"),
        ("generateItems", "getGeneration"),
        ("startAttempt", "submitAttempt"),
        ("claimCredit", "getCertificate"),
        ("recordAccreditation", "decideAccreditation"),
        ("createStaff", "removeStaff"),
        ("createCredential", "revokeCredential"),
        ("ask", "leaveFeedback"),
    ] {
        assert!(linked.contains(&expected), "{expected:?} is not among {linked:?}");
    }
}

#[test]
fn a_form_says_of_its_parts_what_a_body_says_of_its_fields() {
    let contract = contract();
    let document = contract.document();
    let mut forms = 0;
    for (.., said) in operations(document) {
        let form = &said["requestBody"]["content"][schemas::FORM];
        let parts = form["schema"]["properties"].as_object().into_iter().flatten();
        for (name, part) in parts {
            assert_eq!(part["type"], "string", "{}.{name}: a form has no null", id(said));
            let is_file = part["format"] == "binary";
            let is_bounded =
                !part["maxLength"].is_null() || part["pattern"].as_str().is_some_and(|p| p.ends_with('$'));
            assert!(is_file || is_bounded, "{}.{name}: how long may it be?", id(said));
            let kinds = form["encoding"][name]["contentType"].as_str().unwrap_or_default();
            assert_eq!(is_file, kinds.contains("text/markdown"), "{}.{name}: which files?", id(said));
            forms += 1;
        }
        assert!(form.is_null() || form["schema"]["additionalProperties"] == false, "{}", id(said));
    }
    assert!(forms > 0);
}

#[test]
fn a_summary_is_one_line_and_the_description_says_everything() {
    let contract = contract();
    let mut wrong = Vec::new();
    for (.., said) in operations(contract.document()) {
        let (summary, told) = (said["summary"].as_str(), said["description"].as_str());
        let (summary, told) = (summary.unwrap_or_default(), told.unwrap_or_default());
        let is_line = !summary.contains('\n') && !summary.ends_with('.') && summary.chars().count() <= 120;
        if !is_line || !told.starts_with(summary) || told.matches(summary).count() != 1 {
            wrong.push(format!("{}: {summary:?} of {told:?}", id(said)));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let plain = [("activities", "activity"), ("staff", "member of staff"), ("status-lists", "status list")];
    for (segment, words) in plain {
        let noun = nouns::NOUNS.iter().find(|noun| noun.segment == segment).expect("a noun");
        assert_eq!(noun.what(), words);
    }
}
