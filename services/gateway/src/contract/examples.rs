//! Examples, made from what the schemas say of their parts.

use serde_json::{Map, Value, json};

use super::{resolve, samples};

/// How deep a thing that holds itself is shown.
const DEEPEST: usize = 16;

/// What something of this schema looks like when it is answered: with everything that there can be.
pub(super) fn of(document: &Value, schema: &Value) -> Value {
    Maker { document, is_sent: false }.made(schema, "", 0)
}

/// What a client can send as it stands: what has to be there, and of the rest only what has an example of its own. Whatever
/// is made up may name a thing that is not there.
pub(super) fn of_body(document: &Value, schema: &Value) -> Value {
    Maker { document, is_sent: true }.made(schema, "", 0)
}

/// Makes examples of the schemas of a document.
struct Maker<'a> {
    document: &'a Value,
    is_sent: bool,
}

impl Maker<'_> {
    fn made(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let schema = resolve(self.document, schema);
        if let Some(given) = given(schema) {
            return given;
        }
        if depth > DEEPEST {
            return Value::Null;
        }
        for choices in ["oneOf", "anyOf"] {
            if let Some(choices) = schema[choices]
                .as_array()
                .filter(|choices| choices.iter().all(|choice| !choice["format"].is_string()))
            {
                let real = choices.iter().find(|choice| choice["type"] != "null");
                let chosen = real.map_or(Value::Null, |choice| self.made(choice, name, depth + 1));
                return merged(chosen, self.object(schema, depth));
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            return parts.iter().fold(self.object(schema, depth), |whole, part| {
                merged(whole, self.made(part, name, depth + 1))
            });
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => {
                let least = schema["minItems"].as_u64().unwrap_or(1).max(1) as usize;
                Value::Array(vec![self.made(&schema["items"], name, depth + 1); least])
            }
            "integer" | "number" => number(schema),
            "boolean" => true.into(),
            "string" => text(schema, name).into(),
            _ => json!({}),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let most = schema["maxProperties"].as_u64().map_or(usize::MAX, |most| most as usize);
        let needed = |name: &String| {
            schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let shown = properties
            .filter(|(name, property)| !self.is_sent || needed(name) || self.has_own(property))
            .take(most)
            .map(|(name, property)| (name.clone(), self.made(property, name, depth + 1)));
        Value::Object(shown.collect::<Map<_, _>>())
    }

    /// Whether a property has an example of its own, or parts that have some.
    fn has_own(&self, property: &Value) -> bool {
        let schema = resolve(self.document, property);
        let has_example = |schema: &Value| {
            let example = schema.get("example").or_else(|| schema["examples"].get(0));
            example.is_some_and(|example| !example.is_null() && example != "")
        };
        has_example(property) || has_example(schema) || schema["properties"].is_object()
    }
}

fn given(schema: &Value) -> Option<Value> {
    let listed = schema["examples"].as_array().and_then(|examples| examples.first());
    let first = listed.or_else(|| schema.get("example")).or_else(|| schema.get("const"));
    first.or_else(|| schema["enum"].as_array().and_then(|options| options.first())).cloned()
}

fn merged(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            one.extend(other);
            Value::Object(one)
        }
        (one, _) => one,
    }
}

fn kind(schema: &Value) -> &str {
    let first = || {
        schema["type"]
            .as_array()
            .and_then(|kinds| kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"))
    };
    schema["type"].as_str().or_else(first).unwrap_or(if schema["properties"].is_object() {
        "object"
    } else {
        ""
    })
}

fn number(schema: &Value) -> Value {
    let least = schema["minimum"].as_i64().filter(|least| *least > 0);
    least.unwrap_or(1).into()
}

fn text(schema: &Value, name: &str) -> String {
    let pattern = schema["pattern"].as_str().unwrap_or_default().trim_start_matches("^$|");
    if let Some((prefix, _)) = pattern.strip_prefix('^').and_then(|pattern| pattern.split_once("_[0-7]")) {
        return samples::id(prefix);
    }
    let words = match schema["format"].as_str() {
        Some("date-time") => "2026-11-27T09:30:00.000Z",
        Some("date") => "2026-11-27",
        Some("email") => "ada@example.org",
        Some("uri") => "https://learn.example.org/",
        Some("uri-reference") => "/sources/src_01k9w0x5c8f3v9q2d7t4m6n8rz",
        _ if schema["anyOf"].is_array() => "2026-11-27",
        _ => "",
    };
    if !words.is_empty() {
        return words.to_owned();
    }
    let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX) as usize;
    let plain = || if name.is_empty() { "text".to_owned() } else { name.replace('_', " ") };
    samples::of(name).unwrap_or_else(plain).chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use crate::contract::tests::{contract, id, operations};
    use crate::contract::{resolve, schemas};

    /// Every text of an example with the name of its field.
    fn texts<'a>(name: &'a str, example: &'a Value) -> Vec<(&'a str, &'a str)> {
        match example {
            Value::Object(fields) => fields.iter().flat_map(|(name, field)| texts(name, field)).collect(),
            Value::Array(entries) => entries.iter().flat_map(|entry| texts(name, entry)).collect(),
            Value::String(text) => vec![(name, text.as_str())],
            _ => Vec::new(),
        }
    }

    #[test]
    fn an_example_says_more_than_the_names_of_its_fields() {
        let contract = contract();
        let document = contract.document();
        let (mut lacking, mut all) = (BTreeSet::new(), 0);
        for (.., said) in operations(document) {
            let answers = said["responses"].as_object().into_iter().flatten().map(|(_, answer)| answer);
            let contents = answers.map(|answer| &resolve(document, answer)["content"]);
            for content in contents.chain([&said["requestBody"]["content"]]) {
                for (_, content) in content.as_object().into_iter().flatten() {
                    let found = texts("", &content["example"]);
                    all += found.len();
                    let empty = found.into_iter().filter(|(name, text)| *text == name.replace('_', " "));
                    lacking.extend(empty.map(|(name, _)| name.to_owned()));
                }
            }
        }
        assert!(all > 500, "{all}");
        assert_eq!(lacking, BTreeSet::new(), "give them an example, or a row in samples.rs");
    }

    #[test]
    fn a_body_is_shown_as_it_can_be_sent() {
        let contract = contract();
        let document = contract.document();
        let example = |name: &str, kind: &str| {
            let found = operations(document).into_iter().find(|(.., said)| id(said) == name);
            found.expect("an operation").2["requestBody"]["content"][kind]["example"].clone()
        };
        let sent = |name: &str| example(name, "application/json");
        // What may be left out and would name something that is not there.
        assert_eq!(sent("ask"), json!({ "question": "How is the dose adjusted in renal failure?" }));
        assert_eq!(sent("createCredential"), json!({ "kind": "service", "name": "Course website" }));
        for (operation, absent) in [("writeItem", "item_id"), ("designateProgram", "opens_at")] {
            assert!(sent(operation)[absent].is_null(), "{}", sent(operation));
        }
        // An example that is copied makes no admin.
        assert_eq!(sent("createStaff")["role"], "reviewer");
        assert_eq!(sent("inviteStaff")["role"], "analyst");
        let upload = example("uploadSource", schemas::FORM);
        assert!(
            upload["source_id"].is_null()
                && upload["file"].as_str().is_some_and(|file| file.contains("apixaban"))
        );
        let keys = &document["components"]["parameters"]["IdempotencyKey"];
        assert!(
            keys["example"].is_null() && keys["schema"]["example"].is_null(),
            "a key is for one request: {keys}"
        );
    }
}
