//! The API as a page, made from the same document that generated clients read; and the page behind every error code.

use std::sync::OnceLock;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use preceptor_core::{Fault, Kind};
use serde_json::Value;

use super::{Frame, PageError, html};
use crate::Edge;
use crate::error::{Code, codes as table};
use crate::extract::Path;

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage {
    frame: Frame,
    groups: Vec<Group>,
}

struct Group {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    description: String,
    parameters: Vec<String>,
    body: String,
    answers: Vec<String>,
}

#[derive(Template)]
#[template(path = "codes.html")]
struct CodesPage {
    frame: Frame,
    codes: &'static [Code],
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage {
    frame: Frame,
    code: &'static Code,
}

/// The page, which is the same for everyone.
static PAGE: OnceLock<String> = OnceLock::new();

pub(super) async fn page(State(edge): State<Edge>) -> Result<Html<String>, PageError> {
    if let Some(page) = PAGE.get() {
        return Ok(Html(page.clone()));
    }
    let page = html(&ReferencePage { frame: Frame::stranger(), groups: groups(edge.contract.document()) })?;
    Ok(Html(PAGE.get_or_init(|| page.0).clone()))
}

pub(super) async fn codes() -> Result<Html<String>, PageError> {
    html(&CodesPage { frame: Frame::stranger(), codes: table() })
}

pub(super) async fn code(Path(code): Path<String>) -> Result<Html<String>, PageError> {
    let known = table().iter().find(|entry| entry.code == code);
    let code = known.ok_or_else(|| Fault::new(Kind::NotFound, "PATH_NOT_FOUND", "there is no such code"))?;
    html(&CodePage { frame: Frame::stranger(), code })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn groups(document: &Value) -> Vec<Group> {
    let operations = operations(document);
    let tags = document["tags"].as_array().into_iter().flatten();
    tags.map(|tag| {
        let name = text(&tag["name"]);
        let own = operations.iter().filter(|(group, _)| *group == name).map(|(_, operation)| operation);
        Group {
            operations: own.map(|value| operation(value, document)).collect(),
            description: text(&tag["description"]),
            name,
        }
    })
    .collect()
}

/// Every operation with its tag; method and path are put into it.
fn operations(document: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let mut operation = operation.clone();
            operation["method"] = method.to_uppercase().into();
            operation["path"] = path.clone().into();
            found.push((text(&operation["tags"][0]), operation));
        }
    }
    found
}

fn operation(value: &Value, document: &Value) -> Operation {
    let declared = value["parameters"].as_array().into_iter().flatten();
    let parameters =
        declared.map(|parameter| resolved(parameter, document)).filter(|parameter| parameter["in"] != "path");
    let answers = value["responses"].as_object().into_iter().flatten();
    Operation {
        id: text(&value["operationId"]),
        method: text(&value["method"]),
        path: text(&value["path"]),
        description: text(&value["description"]),
        parameters: parameters
            .map(|parameter| format!("{} ({})", text(&parameter["name"]), text(&parameter["in"])))
            .collect(),
        body: example(&value["requestBody"]["content"]),
        answers: answers.map(|(status, _)| status.clone()).collect(),
    }
}

/// What many operations share stands in one place of the document.
fn resolved<'a>(part: &'a Value, document: &'a Value) -> &'a Value {
    let target = part["$ref"].as_str().and_then(|target| document.pointer(target.trim_start_matches('#')));
    target.unwrap_or(part)
}

/// A body as the document shows it: one that can be sent.
fn example(content: &Value) -> String {
    let shown = ["application/json", "multipart/form-data"].map(|kind| &content[kind]["example"]);
    let first = shown.into_iter().find(|example| !example.is_null());
    first.and_then(|example| serde_json::to_string_pretty(example).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_api_is_on_the_page() {
        let document = serde_json::to_value(crate::api::openapi()).expect("JSON");
        let shown: usize = groups(&document).iter().map(|group| group.operations.len()).sum();
        assert_eq!(shown, operations(&document).len());
        assert!(shown > 20);
        assert!(operations(&document).iter().all(|(_, operation)| operation["operationId"].is_string()));
    }

    #[test]
    fn every_operation_is_shown_as_the_document_has_it() {
        let contract = crate::api::contract(&crate::contract::Terms::default());
        let groups = groups(contract.document());
        let all: Vec<&Operation> = groups.iter().flat_map(|group| &group.operations).collect();
        for operation in &all {
            let told = &operation.description;
            assert!(!told.is_empty(), "{} says nothing", operation.id);
            let first = told.split(". ").next().unwrap_or_default();
            assert_eq!(told.matches(first).count(), 1, "{} says it twice: {told}", operation.id);
            let nameless = operation.parameters.iter().find(|parameter| parameter.starts_with(' '));
            assert_eq!(nameless, None, "{} takes something that has no name", operation.id);
            assert!(!operation.body.contains(": null"), "{} shows what cannot be sent", operation.id);
        }
        let one = |id: &str| all.iter().find(|operation| operation.id == id).copied().expect("an operation");
        assert!(one("createStaff").parameters.contains(&"Idempotency-Key (header)".to_owned()));
        assert!(one("createStaff").body.contains("\"role\": \"reviewer\""), "{}", one("createStaff").body);
        assert!(one("uploadSource").body.contains("\"file\""), "{}", one("uploadSource").body);
    }
}
