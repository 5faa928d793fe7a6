//! Every answer, compared with the OpenAPI document that the server itself hands out.
//!
//! The clients of [`Local`](crate::Local) are watched, so that every test through the public surface is also a test of the
//! contract: an answer with a status, a media type, a header or a body that the document does not have fails it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use jsonschema::{Draft, Validator};
use preceptor::client::{Exchange, Watch};
use serde_json::{Map, Value, json};

/// What a server says of its own API.
#[derive(Debug)]
pub struct Contract {
    document: Value,
    validators: Mutex<HashMap<String, Validator>>,
}

/// Headers that every answer carries.
const EVERYWHERE: [&str; 3] = ["x-request-id", "ratelimit", "ratelimit-policy"];

impl Contract {
    /// The contract of a running server.
    pub async fn served_at(url: &str) -> anyhow::Result<Self> {
        let document = reqwest::get(format!("{url}/openapi.json")).await?.text().await?;
        Ok(Self::of(serde_json::from_str(&document).context("the document is not JSON")?))
    }

    /// The contract of a document.
    pub fn of(document: Value) -> Self {
        Self { document, validators: Mutex::default() }
    }

    /// What the document says of a path, with the path as it has it.
    fn path(&self, path: &str) -> Option<(&str, &Value)> {
        let asked: Vec<&str> = path.split('/').collect();
        let fits = |known: &str| {
            let known: Vec<&str> = known.split('/').collect();
            known.len() == asked.len()
                && known.iter().zip(&asked).all(|(known, asked)| known == asked || known.starts_with('{'))
        };
        let paths = self.document["paths"].as_object()?.iter().filter(|(known, _)| fits(known));
        // A fixed segment goes before a parameter.
        paths
            .min_by_key(|(known, _)| known.matches('{').count())
            .map(|(known, methods)| (known.as_str(), methods))
    }

    fn resolve<'a>(&'a self, part: &'a Value) -> &'a Value {
        let target =
            part["$ref"].as_str().and_then(|target| self.document.pointer(target.trim_start_matches('#')));
        target.unwrap_or(part)
    }

    /// Everything in which an answer differs from the document.
    pub fn violations(&self, exchange: &Exchange<'_>) -> Vec<String> {
        let Some((known, methods)) = self.path(exchange.path) else { return Vec::new() };
        let method = exchange.method.as_str().to_lowercase();
        let operation = &methods[if method == "head" { "get" } else { &method }];
        if operation.is_null() {
            let is_refused = exchange.status == 405;
            return if is_refused {
                Vec::new()
            } else {
                vec![format!("{} {known} is not in the document", exchange.method)]
            };
        }
        let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let response = self.resolve(&operation["responses"][exchange.status.to_string()]);
        if response.is_null() {
            return vec![format!("{name} answers {}, which its document does not have", exchange.status)];
        }
        let mut found = Self::headers(&name, response, exchange);
        found.extend(self.body(&name, response, exchange));
        found.extend(self.pointers(&name, operation, exchange));
        found
    }

    /// What a refusal points at is a field of the body or a parameter, under the name that the document has; unless it says
    /// that there is no such field.
    fn pointers(&self, name: &str, operation: &Value, exchange: &Exchange<'_>) -> Vec<String> {
        let Some(told) =
            serde_json::from_slice::<Value>(exchange.body).ok().filter(|_| exchange.status == 400)
        else {
            return Vec::new();
        };
        let known = self.inputs(operation);
        let errors = told["errors"].as_array().into_iter().flatten();
        let strange = errors.filter(|error| {
            let is_unknown = error["detail"].as_str().is_some_and(|detail| detail.starts_with("is not "));
            let pointer = error["pointer"].as_str().unwrap_or_default().trim_start_matches('/');
            let first = pointer.split('/').next().unwrap_or_default();
            !is_unknown && !first.is_empty() && !known.iter().any(|known| known == first)
        });
        strange.map(|error| format!("{name} points at what it does not take: {error}")).collect()
    }

    /// The names of the fields of an operation's body and of its parameters.
    fn inputs(&self, operation: &Value) -> Vec<String> {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let named = parameters.filter_map(|parameter| self.resolve(parameter)["name"].as_str());
        let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
        let fields =
            bodies.filter_map(|(_, body)| self.resolve(&body["schema"])["properties"].as_object()).flatten();
        named.chain(fields.map(|(field, _)| field.as_str())).map(str::to_owned).collect()
    }

    fn headers(name: &str, response: &Value, exchange: &Exchange<'_>) -> Vec<String> {
        let known = |header: &str| {
            response["headers"]
                .as_object()
                .is_some_and(|headers| headers.keys().any(|known| known.eq_ignore_ascii_case(header)))
        };
        let mut found = Vec::new();
        let of_status: &[&str] = match exchange.status {
            201 | 202 => &["location"],
            401 => &["www-authenticate"],
            429 => &["retry-after"],
            _ => &[],
        };
        for header in EVERYWHERE.iter().chain(of_status) {
            if !exchange.headers.contains_key(*header) {
                found.push(format!("{name} answers {} without {header}", exchange.status));
            }
            if !known(header) {
                found.push(format!("{name} has no {header} in its document for {}", exchange.status));
            }
        }
        let ours = [
            "location",
            "etag",
            "retry-after",
            "www-authenticate",
            "idempotency-replayed",
            "content-disposition",
        ];
        let sent = ours.iter().filter(|header| exchange.headers.contains_key(**header) && !known(header));
        found.extend(sent.map(|header| {
            format!("{name} sends {header} with {}, which its document does not have", exchange.status)
        }));
        if exchange.headers.contains_key("location") && !matches!(exchange.status, 201 | 202) {
            found.push(format!("{name} sends a Location with {}", exchange.status));
        }
        found
    }

    fn body(&self, name: &str, response: &Value, exchange: &Exchange<'_>) -> Vec<String> {
        let kind =
            exchange.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if exchange.body.is_empty() {
            return Vec::new();
        }
        let content = &response["content"][kind];
        if content.is_null() {
            return vec![format!(
                "{name} answers {} as {kind:?}, which its document does not have",
                exchange.status
            )];
        }
        if !kind.ends_with("json") {
            return Vec::new();
        }
        let Ok(body) = serde_json::from_slice::<Value>(exchange.body) else {
            return vec![format!("{name} answers with broken JSON")];
        };
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("{name} {} {kind}", exchange.status);
        let validator = validators.entry(key).or_insert_with(|| self.validator(&content["schema"]));
        let said = validator.iter_errors(&body).take(5);
        said.map(|error| format!("{name} {} {}: {error}", exchange.status, error.instance_path())).collect()
    }

    fn validator(&self, schema: &Value) -> Validator {
        let (mut needed, mut waiting) = (Map::new(), named_in(schema));
        while let Some(name) = waiting.pop() {
            let component = &self.document["components"]["schemas"][&name];
            if !needed.contains_key(&name) {
                waiting.extend(named_in(component));
                needed.insert(name, component.clone());
            }
        }
        let mut whole = schema.clone();
        if let Some(object) = whole.as_object_mut() {
            object.insert("components".to_owned(), json!({ "schemas": needed }));
        }
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        options.build(&whole).expect("a schema of the document")
    }
}

fn named_in(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(object) => {
            let own = object
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|target| target.strip_prefix("#/components/schemas/"));
            own.map(str::to_owned).into_iter().chain(object.values().flat_map(named_in)).collect()
        }
        Value::Array(list) => list.iter().flat_map(named_in).collect(),
        _ => Vec::new(),
    }
}

impl Watch for Contract {
    fn exchanged(&self, exchange: &Exchange<'_>) {
        let found = self.violations(exchange);
        let body = String::from_utf8_lossy(&exchange.body[..exchange.body.len().min(2000)]);
        assert!(
            found.is_empty(),
            "{} {}: the contract is broken: {found:#?}\n{body}",
            exchange.method,
            exchange.path
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer of `GET /v1/things/1`.
    fn answered(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Vec<String> {
        answered_without(&[], status, headers, body)
    }

    /// The same without some of the headers that every answer carries.
    fn answered_without(
        absent: &[&str],
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &str,
    ) -> Vec<String> {
        let document = json!({ "paths": { "/v1/things/{id}": { "get": { "operationId": "getThing", "responses": { "200": {
            "headers": { "X-Request-Id": {}, "RateLimit": {}, "RateLimit-Policy": {} },
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } }, "400": {
            "headers": { "X-Request-Id": {}, "RateLimit": {}, "RateLimit-Policy": {} },
            "content": { "application/problem+json": { "schema": {} } } } }, "parameters": [{ "name": "view", "in": "query" }],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } } } } },
            "components": { "schemas": { "Thing": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } } } } });
        let headers = headers
            .iter()
            .chain(&[("ratelimit-policy", "\"requests\";q=9;w=60"), ("ratelimit", "\"requests\";r=8;t=1")])
            .filter(|(name, _)| !absent.contains(name))
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .collect();
        let method = "GET".parse().expect("a method");
        let exchange = Exchange {
            method: &method,
            path: "/v1/things/1",
            status,
            headers: &headers,
            body: body.as_bytes(),
        };
        Contract::of(document).violations(&exchange)
    }

    #[test]
    fn what_the_document_does_not_have_is_found() {
        let id = ("x-request-id", "req_1");
        let json = ("content-type", "application/json");
        assert_eq!(answered(200, &[id, json], r#"{"id":"x"}"#), Vec::<String>::new());
        assert!(answered(418, &[id, json], "{}")[0].contains("418"));
        assert!(answered(200, &[json], r#"{"id":"x"}"#)[0].contains("without x-request-id"));
        for limit in ["ratelimit", "ratelimit-policy"] {
            let found = answered_without(&[limit], 200, &[id, json], r#"{"id":"x"}"#);
            assert_eq!(found, [format!("getThing answers 200 without {limit}")]);
        }
        assert!(answered(200, &[id, ("content-type", "text/plain")], "x")[0].contains("text/plain"));
        assert!(answered(200, &[id, json], r#"{"id":1}"#)[0].contains("/id"));
        assert!(
            answered(200, &[id, json, ("location", "/x")], r#"{"id":"x"}"#)
                .iter()
                .any(|found| found.contains("location"))
        );
    }

    #[test]
    fn a_refusal_points_at_what_the_document_has() {
        let told = |pointer: &str, detail: &str| {
            let body = json!({ "errors": [{ "pointer": pointer, "detail": detail }] }).to_string();
            answered(400, &[("x-request-id", "req_1"), ("content-type", "application/problem+json")], &body)
        };
        for known in ["/id", "/id/0/text", "/view", ""] {
            assert_eq!(told(known, "must be longer"), Vec::<String>::new(), "{known}");
        }
        assert_eq!(told("/color", "is not known here; known are id"), Vec::<String>::new());
        assert!(told("/display_name", "mixes scripts")[0].contains("display_name"));
    }
}
