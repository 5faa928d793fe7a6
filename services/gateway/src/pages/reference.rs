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
    summary: String,
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
    let parameters =
        value["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] != "path");
    let answers = value["responses"].as_object().into_iter().flatten();
    let content = &value["requestBody"]["content"];
    let schema = if content["application/json"].is_object() {
        &content["application/json"]["schema"]
    } else {
        &Value::Null
    };
    Operation {
        id: text(&value["operationId"]),
        method: text(&value["method"]),
        path: text(&value["path"]),
        summary: [text(&value["summary"]), text(&value["description"])].join(" ").trim().to_owned(),
        parameters: parameters
            .map(|parameter| format!("{} ({})", text(&parameter["name"]), text(&parameter["in"])))
            .collect(),
        body: example(schema, document),
        answers: answers.map(|(status, _)| status.clone()).collect(),
    }
}

/// A body as its schema's examples give it.
fn example(schema: &Value, document: &Value) -> String {
    let name = text(&schema["$ref"]);
    let Some(name) = name.strip_prefix("#/components/schemas/") else { return String::new() };
    let properties = document["components"]["schemas"][name]["properties"].as_object();
    let fields: serde_json::Map<String, Value> =
        properties.into_iter().flatten().map(|(field, schema)| (field.clone(), value_of(schema))).collect();
    serde_json::to_string_pretty(&fields).unwrap_or_default()
}

fn value_of(schema: &Value) -> Value {
    if !schema["example"].is_null() {
        return schema["example"].clone();
    }
    match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
        Some("boolean") => true.into(),
        Some("integer" | "number") => 0.into(),
        Some("array") => Value::Array(Vec::new()),
        Some("string") => "…".into(),
        _ => Value::Null,
    }
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
}
