//! Operations of the document as requests are checked against them.

use std::collections::HashMap;

use axum::http::Method;
use jsonschema::Validator;
use preceptor_core::Kind;
use serde_json::Value;

use super::nouns::{before, nowhere};
use super::{resolve, standalone, validator, words};
use crate::error::{ApiError, FieldProblem};

/// The methods of operations, as the document names them.
pub(super) const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// What the document says about one operation.
#[derive(Debug)]
pub(super) struct Operation {
    /// Whether it needs a credential.
    pub(super) is_secured: bool,
    path: String,
    in_path: Vec<Parameter>,
    in_query: Vec<Parameter>,
}

/// A parameter of an operation.
#[derive(Debug)]
struct Parameter {
    name: String,
    is_required: bool,
    schema: Value,
    validator: Validator,
}

impl Parameter {
    fn of(document: &Value, declared: &Value) -> Self {
        let schema = standalone(document, &declared["schema"]);
        Self {
            name: declared["name"].as_str().unwrap_or_default().to_owned(),
            is_required: declared["required"] == true,
            validator: validator(&schema),
            schema,
        }
    }

    /// The text of a URL as the value that the document describes.
    fn read(&self, text: &str) -> Value {
        let kinds = &self.schema["type"];
        let is = |kind: &str| {
            kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|known| known == kind))
        };
        let number = || text.parse::<i64>().ok().filter(|number| number.to_string() == text).map(Value::from);
        let value = if is("integer") { number() } else { None };
        let boolean = || text.parse::<bool>().ok().map(Value::from);
        value
            .or_else(|| is("boolean").then(boolean).flatten())
            .unwrap_or_else(|| Value::String(text.to_owned()))
    }

    fn problems(&self, text: &str) -> Vec<FieldProblem> {
        let found = words::problems(&self.validator, &self.schema, &self.read(text));
        found
            .into_iter()
            .map(|problem| FieldProblem { pointer: format!("/{}", self.name), ..problem })
            .collect()
    }
}

impl Operation {
    fn of(document: &Value, path: &str, declared: &Value) -> Self {
        let parameters: Vec<&Value> = declared["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| resolve(document, parameter))
            .collect();
        let placed = |place: &str| {
            let there = parameters.iter().filter(|parameter| parameter["in"] == place);
            there.map(|parameter| Parameter::of(document, parameter)).collect()
        };
        Self {
            is_secured: is_secured(document, declared),
            path: path.to_owned(),
            in_path: placed("path"),
            in_query: placed("query"),
        }
    }

    /// An id that is none is answered like one that no one has.
    pub(super) fn check_path<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), ApiError> {
        for (name, text) in values {
            let Some(parameter) = self.in_path.iter().find(|parameter| parameter.name == name) else {
                continue;
            };
            if !parameter.problems(text).is_empty() {
                return Err(before(&self.path, name).map_or_else(nowhere, super::nouns::Noun::not_found));
            }
        }
        Ok(())
    }

    /// What is said when the path cannot even be read.
    pub(super) fn unreadable_path(&self) -> ApiError {
        let first = self.in_path.first().and_then(|parameter| before(&self.path, &parameter.name));
        first.map_or_else(nowhere, super::nouns::Noun::not_found)
    }

    /// Every parameter is known, stands once and is as the document says.
    pub(super) fn check_query(&self, query: &str) -> Result<(), ApiError> {
        let mut problems = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for (name, text) in url::form_urlencoded::parse(query.as_bytes()) {
            let wrong = |detail: String| FieldProblem { pointer: format!("/{name}"), detail };
            match self.in_query.iter().find(|parameter| parameter.name == name) {
                None => problems.push(wrong(format!("is not a parameter of this operation{}", self.known()))),
                Some(_) if seen.iter().any(|known| *known == name) => {
                    problems.push(wrong("stands twice; say it once".to_owned()));
                }
                Some(parameter) => problems.extend(parameter.problems(&text)),
            }
            seen.push(name.into_owned());
        }
        let missing =
            self.in_query.iter().filter(|parameter| parameter.is_required && !seen.contains(&parameter.name));
        problems.extend(missing.map(|parameter| FieldProblem {
            pointer: format!("/{}", parameter.name),
            detail: "is missing".to_owned(),
        }));
        let Some(first) = problems.first() else { return Ok(()) };
        let detail = format!("{} {}", first.pointer.trim_start_matches('/'), first.detail);
        Err(ApiError::new(Kind::InvalidInput, "QUERY_INVALID", detail).with_fields(problems))
    }

    fn known(&self) -> String {
        let names: Vec<&str> = self.in_query.iter().map(|parameter| parameter.name.as_str()).collect();
        if names.is_empty() {
            "; it takes none".to_owned()
        } else {
            format!("; it takes {}", names.join(", "))
        }
    }
}

/// An operation that says nothing needs what the whole document needs.
pub(super) fn is_secured(document: &Value, operation: &Value) -> bool {
    let own = if operation["security"].is_null() { &document["security"] } else { &operation["security"] };
    let needs = |scheme: &Value| scheme.as_object().is_some_and(|scheme| !scheme.is_empty());
    own.as_array().is_some_and(|schemes| !schemes.is_empty() && schemes.iter().all(needs))
}

/// Every operation by method and path.
pub(super) fn of(document: &Value) -> HashMap<(Method, String), Operation> {
    let mut found = HashMap::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for name in METHODS {
            let Ok(method) = name.to_uppercase().parse::<Method>() else { continue };
            if methods[name].is_object() {
                found.insert((method, path.clone()), Operation::of(document, path, &methods[name]));
            }
        }
    }
    found
}
