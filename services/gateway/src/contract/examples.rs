//! Examples, made from what the schemas say of their parts.

use serde_json::{Map, Value, json};

use super::resolve;

/// How deep a thing that holds itself is shown.
const DEEPEST: usize = 16;

/// What something of this schema looks like.
pub(super) fn of(document: &Value, schema: &Value) -> Value {
    made(document, schema, "", 0)
}

fn made(document: &Value, schema: &Value, name: &str, depth: usize) -> Value {
    let schema = resolve(document, schema);
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
            let chosen = real.map_or(Value::Null, |choice| made(document, choice, name, depth + 1));
            return merged(chosen, object(document, schema, depth));
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().fold(object(document, schema, depth), |whole, part| {
            merged(whole, made(document, part, name, depth + 1))
        });
    }
    match kind(schema) {
        "object" => object(document, schema, depth),
        "array" => {
            let least = schema["minItems"].as_u64().unwrap_or(1).max(1) as usize;
            Value::Array(vec![made(document, &schema["items"], name, depth + 1); least])
        }
        "integer" | "number" => number(schema),
        "boolean" => true.into(),
        "string" => text(schema, name).into(),
        _ => json!({}),
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

fn object(document: &Value, schema: &Value, depth: usize) -> Value {
    let most = schema["maxProperties"].as_u64().map_or(usize::MAX, |most| most as usize);
    let properties = schema["properties"].as_object().into_iter().flatten().take(most);
    let shown = properties.map(|(name, property)| (name.clone(), made(document, property, name, depth + 1)));
    Value::Object(shown.collect::<Map<_, _>>())
}

fn number(schema: &Value) -> Value {
    let least = schema["minimum"].as_i64().filter(|least| *least > 0);
    least.unwrap_or(1).into()
}

fn text(schema: &Value, name: &str) -> String {
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
    let pattern = schema["pattern"].as_str().unwrap_or_default().trim_start_matches("^$|");
    if let Some((prefix, _)) = pattern.strip_prefix('^').and_then(|pattern| pattern.split_once("_[0-7]")) {
        return format!("{prefix}_01k9w0x5c8f3v9q2d7t4m6n8rz");
    }
    let least = schema["minLength"].as_u64().unwrap_or(1) as usize;
    let mut words = if name.is_empty() { "text".to_owned() } else { name.replace('_', " ") };
    while words.chars().count() < least {
        words.push_str(" …");
    }
    let most = schema["maxLength"].as_u64().unwrap_or(200) as usize;
    words.chars().take(most).collect()
}
