//! What every operation says, by rules: a route that is added has it by being there.

use serde_json::{Value, json};

use super::nouns::{self, pattern};
use super::operations::{METHODS, is_secured};
use super::shared::{self, EVERYWHERE, REFUSALS};
use super::{Terms, examples, links, resolve, schemas};

/// Credentials in linked data.
const LINKED_CREDENTIAL: &str = "application/vc+ld+json";
/// The kinds of files that can be read; each part with a file says which it is.
const READABLE: &str = "text/plain, text/markdown, application/pdf, \
    application/vnd.openxmlformats-officedocument.presentationml.presentation, application/jats+xml, text/vtt, application/x-subrip";
/// Bytes of whatever kind.
pub(super) const BYTES: &str = "application/octet-stream";

/// Completes the document.
pub(super) fn complete(document: &mut Value, terms: &Terms) {
    whole(document, terms);
    schemas::refine(document, terms);
    document["components"]["headers"] = shared::headers();
    document["components"]["parameters"] = shared::parameters();
    document["components"]["responses"] = shared::responses();
    let known = document.clone();
    for (path, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        for method in METHODS {
            if methods[method].is_object() {
                Unfinished { document: &known, path, method, operation: &mut methods[method] }.finish();
            }
        }
    }
    links::link(document);
}

fn whole(document: &mut Value, terms: &Terms) {
    let url = terms.public_url.trim_end_matches('/');
    document["servers"] = json!([{ "url": url, "description": "This deployment" }]);
    document["info"]["contact"] =
        json!({ "name": "The operator of this deployment", "url": format!("{url}/reference") });
    document["info"]["license"] = json!({ "name": "Apache-2.0", "identifier": "Apache-2.0" });
}

/// An operation on its way to being complete.
struct Unfinished<'a> {
    document: &'a Value,
    path: &'a str,
    method: &'a str,
    operation: &'a mut Value,
}

impl Unfinished<'_> {
    fn finish(mut self) {
        self.describe();
        self.parameters();
        self.body();
        self.answers();
        self.refusals();
    }

    fn is_write(&self) -> bool {
        self.method != "get"
    }

    fn takes(&self, place: &str) -> bool {
        let parameters = self.operation["parameters"].as_array().into_iter().flatten();
        parameters
            .map(|parameter| resolve(self.document, parameter))
            .any(|parameter| parameter["in"] == place)
    }

    /// Whether it changes what has an ETag.
    fn is_conditional(&self) -> bool {
        has_condition(self.operation)
    }

    /// Whether its answer has an ETag: what can be changed under a condition says its state whenever it is shown.
    fn has_etag(&self) -> bool {
        let answers = |operation: &Value| {
            schemas::named_in(&operation["responses"])
                .into_iter()
                .filter(|name| name != "Problem")
                .collect::<Vec<_>>()
        };
        let own = answers(self.operation);
        let methods = |path: &str| METHODS.map(|method| &self.document["paths"][path][method]);
        let paths = self.document["paths"].as_object().into_iter().flatten().map(|(path, _)| path);
        let mut conditional = paths
            .flat_map(|path| methods(path).map(|operation| (path, operation)))
            .filter(|(_, operation)| has_condition(operation));
        let is_shown = |(path, operation): (&String, &Value)| {
            path == self.path || answers(operation).iter().any(|name| own.contains(name))
        };
        conditional.any(is_shown)
    }

    /// The summary is a line in a list; the description says everything.
    fn describe(&mut self) {
        let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let (first, rest) = (text(&self.operation["summary"]), text(&self.operation["description"]));
        let first = first.replace('\n', " ");
        self.operation["summary"] = in_short(&first).into();
        let told = if rest.is_empty() { first } else { format!("{first}\n\n{rest}") };
        self.operation["description"] = told.into();
    }

    fn parameters(&mut self) {
        let mut parameters = self.operation["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in &mut parameters {
            if parameter["in"] == "header"
                && parameter["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("if-match"))
            {
                *parameter = json!({ "$ref": "#/components/parameters/IfMatch" });
            } else if parameter["in"] == "path" {
                self.in_path(parameter);
            } else if parameter["in"] == "query" {
                in_query(parameter);
            }
        }
        if self.is_write() {
            parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
        }
        if !self.is_write() && self.has_etag() {
            parameters.push(json!({ "$ref": "#/components/parameters/IfNoneMatch" }));
        }
        if !parameters.is_empty() {
            self.operation["parameters"] = parameters.into();
        }
    }

    fn in_path(&self, parameter: &mut Value) {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let noun = nouns::before(self.path, &name);
        let what = noun.map_or_else(|| name.clone(), nouns::Noun::what);
        let is_text = parameter["schema"]["type"] == "string";
        if let Some(noun) = noun.filter(|noun| is_text && !noun.prefix.is_empty()) {
            parameter["schema"]["pattern"] = pattern(noun.prefix).into();
            parameter["example"] = format!("{}_01k9w0x5c8f3v9q2d7t4m6n8rz", noun.prefix).into();
        } else if is_text {
            let fallback = || json!("^[0-9A-Za-z_-]{1,100}$");
            if parameter["schema"]["pattern"].is_null() {
                parameter["schema"]["pattern"] = fallback();
            }
            if parameter["example"].is_null() {
                parameter["example"] = "9Q2D7T4M6N8RZ1K9W0X5C8F3V9Q2D7T4".into();
            }
        } else {
            if parameter["schema"]["minimum"].is_null() {
                parameter["schema"]["minimum"] = 1.into();
            }
            parameter["schema"]["maximum"] = i32::MAX.into();
            parameter["example"] = 1.into();
        }
        if parameter["description"].as_str().unwrap_or_default().is_empty() {
            parameter["description"] = format!("Which {what}").into();
        }
    }

    fn body(&mut self) {
        let content = self.operation["requestBody"]["content"].as_object().cloned().unwrap_or_default();
        for (kind, described) in content {
            let content = &mut self.operation["requestBody"]["content"][&kind];
            if described["example"].is_null() && described["examples"].is_null() {
                content["example"] = examples::of_body(self.document, &described["schema"]);
            }
            if kind == schemas::FORM {
                content["encoding"] = encoding(&described["schema"]);
            }
        }
        if self.operation["requestBody"].is_object() {
            self.operation["requestBody"]["required"] = true.into();
        } else if let Some(operation) = self.operation.as_object_mut() {
            operation.remove("requestBody");
        }
    }

    /// The answers when all is well.
    fn answers(&mut self) {
        let answers = self.operation["responses"].as_object().cloned().unwrap_or_default();
        let (is_write, has_etag) = (self.is_write(), self.has_etag());
        for (status, mut answer) in answers.into_iter().filter(|(status, _)| status.starts_with('2')) {
            if answer["description"].as_str().unwrap_or_default().is_empty() {
                answer["description"] = described(&status).into();
            }
            let mut headers: Vec<&'static str> = EVERYWHERE.to_vec();
            headers.extend(matches!(status.as_str(), "201" | "202").then_some("Location"));
            headers.extend(has_etag.then_some("ETag"));
            headers.extend(is_write.then_some("Idempotency-Replayed"));
            for (kind, content) in
                answer.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten()
            {
                headers.extend(content_of(self.document, kind, content));
            }
            // A file is also had as bytes without a type: some generators of clients read no other.
            let file = answer["content"]
                .as_object()
                .and_then(|content| content.values().find(|content| content["schema"]["format"] == "binary"));
            if let Some(file) = file.cloned().filter(|_| answer["content"][BYTES].is_null()) {
                answer["content"][BYTES] = file;
                answer["content"][BYTES]["schema"]["contentMediaType"] = BYTES.into();
            }
            answer["headers"] = shared::by_reference(headers);
            self.operation["responses"][status] = answer;
        }
        if has_etag && !is_write {
            let headers = shared::by_reference(EVERYWHERE.into_iter().chain(["ETag"]));
            self.operation["responses"]["304"] =
                json!({ "description": "It is as you have it", "headers": headers });
        }
    }

    /// Whether its body or its query names something that may not be there.
    fn names_ids(&self) -> bool {
        let is_id = |name: &str| nouns::FIELDS.iter().any(|(field, _)| *field == name);
        let parameters = self.operation["parameters"].as_array().into_iter().flatten();
        let mut names = parameters.filter_map(|parameter| parameter["name"].as_str());
        let in_body = |name: &String| {
            let fields = self.document["components"]["schemas"][name]["properties"].as_object();
            fields.is_some_and(|fields| fields.keys().any(|field| is_id(field)))
        };
        names.any(is_id) || schemas::named_in(&self.operation["requestBody"]).iter().any(in_body)
    }

    /// Every status with which it may refuse.
    fn refusals(&mut self) {
        let secured = is_secured(self.document, self.operation);
        let has_body = self.operation["requestBody"].is_object();
        let (write, conditional) = (self.is_write(), self.is_conditional());
        let names_ids = self.takes("path") || self.names_ids();
        for refusal in REFUSALS {
            let applies = match refusal.status {
                "401" | "403" => secured,
                "404" => names_ids || !self.operation["responses"]["404"].is_null(),
                "409" | "422" => write || !self.operation["responses"][refusal.status].is_null(),
                "412" | "428" => conditional,
                "413" | "408" => write,
                "415" => has_body,
                _ => true,
            };
            if applies {
                self.operation["responses"][refusal.status] =
                    json!({ "$ref": format!("#/components/responses/{}", refusal.name) });
            } else if let Some(responses) = self.operation["responses"].as_object_mut() {
                responses.remove(refusal.status);
            }
        }
    }
}

/// The beginning of a text, up to where it goes into details.
fn in_short(text: &str) -> &str {
    let ends = [". ", "; ", ": "].into_iter().filter_map(|end| text.find(end));
    text[..ends.min().unwrap_or(text.len())].trim_end_matches('.')
}

/// Of which kinds the files of a form are.
fn encoding(form: &Value) -> Value {
    let parts = form["properties"].as_object().into_iter().flatten();
    let files = parts.filter(|(_, part)| part["format"] == "binary");
    Value::Object(files.map(|(name, _)| (name.clone(), json!({ "contentType": READABLE }))).collect())
}

/// Whether an operation takes `If-Match`.
fn has_condition(operation: &Value) -> bool {
    let mut parameters = operation["parameters"].as_array().into_iter().flatten();
    let is_condition = |parameter: &Value| {
        let is_named = parameter["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("if-match"));
        is_named || parameter["$ref"] == "#/components/parameters/IfMatch"
    };
    parameters.any(is_condition)
}

fn in_query(parameter: &mut Value) {
    if parameter["required"].is_null() {
        parameter["required"] = false.into();
    }
    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
    let Some(schema) = parameter["schema"].as_object_mut() else { return };
    let known = nouns::FIELDS.iter().find(|(field, _)| *field == name);
    let is_text = schema.get("type").is_some_and(|kind| {
        kind == "string" || kind.as_array().is_some_and(|kinds| kinds.contains(&"string".into()))
    });
    if let Some((_, prefix)) = known.filter(|_| is_text) {
        schema.insert("pattern".to_owned(), pattern(prefix).into());
    }
    // A query has no null: what is left out is not there.
    if let Some(kinds) = schema.get_mut("type").filter(|kinds| kinds.is_array()) {
        let real = kinds.as_array().and_then(|kinds| kinds.iter().find(|kind| *kind != "null").cloned());
        *kinds = real.unwrap_or_default();
    }
    if let Some(choices) = schema.remove("oneOf") {
        let choices = choices.as_array().cloned().unwrap_or_default();
        if let Some(real) = choices.iter().find(|choice| choice["type"] != "null").and_then(Value::as_object)
        {
            schema.extend(real.clone());
        }
    }
}

fn described(status: &str) -> &'static str {
    match status {
        "201" => "It was made: `Location` says where it is",
        "202" => "It was taken on: `Location` says where to ask how far it is",
        "204" => "It was done; there is nothing more to say",
        _ => "What was asked for",
    }
}

/// Describes a body; returns the header that comes with it.
fn content_of(document: &Value, kind: &str, content: &mut Value) -> Option<&'static str> {
    if kind == "application/json" || kind.ends_with("+json") {
        if content["example"].is_null() && content["examples"].is_null() {
            content["example"] = examples::of(document, &content["schema"]);
        }
        // A credential is a file to keep.
        return Some("Content-Disposition").filter(|_| kind == LINKED_CREDENTIAL);
    }
    if kind == "text/event-stream" {
        let event = content["schema"].clone();
        let words =
            "Server-sent events. The name of each is in `event`, and its `data` is JSON: see `x-event`.";
        content["schema"] =
            json!({ "type": "string", "contentMediaType": kind, "description": words, "x-event": event });
        content["example"] =
            "event: meta\ndata: {\"message_id\":\"msg_01k9w0x5c8f3v9q2d7t4m6n8rz\"}\n\n".into();
        return None;
    }
    if kind.starts_with("text/") {
        return None;
    }
    // A file. Generators of clients know it by the one or the other.
    content["schema"] = json!({ "type": "string", "format": "binary", "contentMediaType": kind });
    Some("Content-Disposition").filter(|_| !kind.starts_with("image/"))
}
