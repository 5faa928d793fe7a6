//! The OpenAPI document as the one truth about the API: what it says is what is enforced.
//!
//! The document begins as what the handlers declare and is [completed](complete) by rules that hold for every operation, so
//! that a new route has its problems, headers and parameters by being there. Requests are then checked against the document
//! itself, by [`layer`] (path, query) and by the body extractor: a bound that is written in it cannot be forgotten in a handler.

mod body;
mod complete;
mod examples;
mod layer;
mod links;
mod nouns;
mod operations;
mod samples;
mod schemas;
mod shared;
mod words;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use axum::http::Method;
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::error::FieldProblem;
use operations::Operation;

pub(crate) use body::parse;
pub(crate) use layer::layer;
pub(crate) use nouns::nowhere;

/// What differs between deployments and is said in the document.
#[derive(Debug, Clone)]
pub struct Terms {
    /// How the outside reaches the API.
    pub public_url: String,
    /// The longest question, in characters.
    pub longest_question: usize,
    /// The longest life of a learner's token.
    pub longest_learner_token_seconds: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            longest_question: 2000,
            longest_learner_token_seconds: 30 * 24 * 3600,
        }
    }
}

/// The document with what checks requests against it.
#[derive(Debug)]
pub(crate) struct Contract {
    document: Value,
    operations: HashMap<(Method, String), Operation>,
    bodies: HashMap<String, Body>,
}

/// A kind of request body.
#[derive(Debug)]
struct Body {
    schema: Value,
    validator: Validator,
}

impl Contract {
    /// Completes what the handlers declared.
    pub(crate) fn new(declared: &utoipa::openapi::OpenApi, terms: &Terms) -> Self {
        let mut document = serde_json::to_value(declared).unwrap_or_default();
        complete::complete(&mut document, terms);
        Self { operations: operations::of(&document), bodies: bodies(&document), document }
    }

    pub(crate) const fn document(&self) -> &Value {
        &self.document
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&Operation> {
        // Anyone who asks for the headers alone asks the same.
        let method = if *method == Method::HEAD { Method::GET } else { method.clone() };
        self.operations.get(&(method, path.to_owned()))
    }

    /// Whether there is such an operation, and whether it needs a credential.
    pub(crate) fn is_secured(&self, method: &Method, path: &str) -> bool {
        self.operation(method, path).is_some_and(|operation| operation.is_secured)
    }

    /// Everything that is wrong with a body of the schema `name`; none when it is as the document says.
    pub(crate) fn problems(&self, name: &str, body: &Value) -> Vec<FieldProblem> {
        let Some(known) = self.bodies.get(name) else { return Vec::new() };
        words::problems(&known.validator, &known.schema, body)
    }

    /// The code of what is wrong with a field, where it has one of its own.
    pub(crate) fn code(name: &str, pointer: &str) -> &'static str {
        let codes = schemas::OWN_CODES
            .iter()
            .find(|(schema, field, _)| *schema == name && pointer.strip_prefix('/') == Some(field));
        codes.map_or("INVALID_FIELD", |(.., code)| code)
    }
}

/// A validator of a schema of the document.
fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    // A test builds the whole document: whatever is in it compiles.
    options.build(schema).expect("the schemas of the document are tested")
}

/// A schema that stands alone: with every component that it names, directly or not.
fn standalone(document: &Value, schema: &Value) -> Value {
    let mut needed = serde_json::Map::new();
    let mut waiting = schemas::named_in(schema);
    while let Some(name) = waiting.pop() {
        let component = &document["components"]["schemas"][&name];
        if !needed.contains_key(&name) && !component.is_null() {
            waiting.extend(schemas::named_in(component));
            needed.insert(name, component.clone());
        }
    }
    let mut whole = schema.clone();
    if let Some(object) = whole.as_object_mut().filter(|_| !needed.is_empty()) {
        object.insert("components".to_owned(), json!({ "schemas": needed }));
    }
    whole
}

fn bodies(document: &Value) -> HashMap<String, Body> {
    let names = schemas::request_bodies(document);
    let body = |name: String| {
        let schema = standalone(document, &json!({ "$ref": format!("#/components/schemas/{name}") }));
        (name, Body { validator: validator(&schema), schema })
    };
    names.into_iter().map(body).collect()
}

/// Follows a `$ref` inside the document.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema["$ref"].as_str().and_then(|target| document.pointer(target.trim_start_matches('#')));
    target.map_or(schema, |target| resolve(document, target))
}
