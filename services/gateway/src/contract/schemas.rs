//! What schemas say beyond what the types of the handlers declare.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Terms;
use super::nouns::{FIELDS, pattern};
use super::operations::METHODS;

/// Where components are.
const COMPONENT: &str = "#/components/schemas/";
/// Text that can be stored: everything but the NUL.
const STORABLE: &str = "^[^\\u0000]*$";
/// The same with something to read in it.
const TOLD: &str = "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$";
/// Signs that are not seen, end a line, or turn around how it is read (see `preceptor_core::display`).
const UNSEEN: &str = "\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\
    \\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ue000-\\uf8ff\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\ufffd";
/// Those of them that several lines may have: tabs, and the ends of lines.
const LINES: [(&str, &str); 2] = [
    (
        "\\u0000-\\u001f\\u007f-\\u009f",
        "\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u0084\\u0086-\\u009f",
    ),
    ("\\u2028-\\u202e", "\\u202a-\\u202e"),
];
/// A day, or nothing.
const DAY_OR_NOTHING: &str = "^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$";
/// A day or an instant after the beginning of 1971: times before 1970 have no number here.
const MOMENT: &str = "^(197[1-9]|19[89][0-9]|[2-9][0-9]{3})-";
/// Numbers that every JSON parser reads exactly.
const EXACT: i64 = (1 << 53) - 1;

/// Fields whose being wrong has a code of its own.
pub(super) const OWN_CODES: &[(&str, &str, &str)] = &[
    ("NewClaim", "amount", "AMOUNT_NOT_ALLOWED"),
    ("NewOffer", "maximum", "AMOUNT_NOT_ALLOWED"),
    ("NewMessage", "question", "QUESTION_LENGTH"),
];

/// The media type of forms with files.
pub(super) const FORM: &str = "multipart/form-data";

/// Forms say the same of their parts as bodies do of their fields. A part that is left out is not there: a form has no null.
fn refine_forms(document: &mut Value) {
    for (_, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        for method in METHODS {
            let form = methods
                .pointer_mut(&format!("/{method}/requestBody/content/{}/schema", FORM.replace('/', "~1")));
            let Some(form) = form.and_then(Value::as_object_mut) else { continue };
            let parts = form.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
            parts.for_each(|(_, part)| never_null(part));
            refine_one(form, true);
        }
    }
}

/// Adds what can be said by rules, and what this deployment says.
pub(super) fn refine(document: &mut Value, terms: &Terms) {
    refine_forms(document);
    let asked = request_bodies(document);
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    for (name, schema) in schemas.iter_mut() {
        walk(schema, &|schema| refine_one(schema, asked.contains(name)));
        if let Some(schema) = schema.as_object_mut().filter(|_| asked.contains(name)) {
            text(schema);
        }
    }
    for name in EXACTLY_ONE {
        schemas.get_mut(*name).and_then(Value::as_object_mut).into_iter().for_each(exactly_one);
    }
    for field in ["staff_id", "learner_token"] {
        schemas
            .get_mut("NewLink")
            .and_then(|schema| schema["properties"].get_mut(field))
            .into_iter()
            .for_each(never_null);
    }
    for (name, rules) in between_fields() {
        if let Some(schema) = schemas.get_mut(name).and_then(Value::as_object_mut) {
            schema.extend(rules.as_object().cloned().unwrap_or_default());
        }
    }
    let mut bound = |schema: &str, field: &str, name: &str, value: Value| {
        let property =
            schemas.get_mut(schema).and_then(|schema| schema.pointer_mut(&format!("/properties/{field}")));
        if let Some(property) = property.and_then(Value::as_object_mut) {
            property.insert(name.to_owned(), value);
        }
    };
    bound("NewMessage", "question", "maxLength", terms.longest_question.into());
    let right = json!({ "properties": { "correct": { "const": true } }, "required": ["correct"] });
    bound("NewItem", "options", "contains", right);
    bound("NewItem", "options", "minContains", 1.into());
    bound("NewItem", "options", "maxContains", 1.into());
    let options =
        "must be two for true_false and three to six for multiple_choice, exactly one of them right";
    bound("NewItem", "options", "x-expected", options.into());
    bound("NewLearner", "lifetime_seconds", "maximum", terms.longest_learner_token_seconds.into());
}

/// Bodies of which exactly one field is given.
const EXACTLY_ONE: &[&str] = &["NewVerification"];

/// One field, whichever: an object with one property.
fn exactly_one(schema: &mut Map<String, Value>) {
    schema.insert("minProperties".to_owned(), 1.into());
    schema.insert("maxProperties".to_owned(), 1.into());
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let names: Vec<String> = properties.keys().cloned().collect();
    properties.values_mut().for_each(never_null);
    schema.insert("x-expected".to_owned(), format!("give exactly one of {}", names.join(", ")).into());
}

/// What is left out is left out, and not null.
fn never_null(property: &mut Value) {
    let choices = property["oneOf"].as_array().cloned().unwrap_or_default();
    if let Some(real) = choices.iter().find(|choice| choice["type"] != "null") {
        *property = real.clone();
    } else if let Some(kinds) = property["type"].as_array().cloned() {
        property["type"] = kinds.into_iter().find(|kind| kind != "null").unwrap_or_default();
    }
}

/// Rules between the fields of a body.
fn between_fields() -> Vec<(&'static str, Value)> {
    let licensed = json!({ "required": ["license_number", "license_board"],
        "properties": { "license_number": { "minLength": 1 }, "license_board": { "minLength": 1 } } });
    let reason =
        json!({ "required": ["reason"], "properties": { "reason": { "minLength": 1, "pattern": "\\S" } } });
    let rejection = json!({ "if": { "properties": { "approve": { "const": false } } }, "then": reason });
    let two = json!({ "properties": { "options": { "maxItems": 2 } } });
    let several = json!({ "properties": { "options": { "minItems": 3 } } });
    let one_person = json!({ "oneOf": [{ "required": ["staff_id"] }, { "required": ["learner_token"] }] });
    vec![
        ("NewLink", one_person),
        (
            "Statement",
            json!({ "if": { "properties": { "profession": { "const": "other" } } }, "else": licensed }),
        ),
        ("NewDecision", rejection.clone()),
        ("ItemDecision", rejection),
        (
            "NewItem",
            json!({ "if": { "properties": { "kind": { "const": "true_false" } } }, "then": two, "else": several }),
        ),
    ]
}

/// Calls `change` on a schema and on everything inside it.
fn walk(schema: &mut Value, change: &impl Fn(&mut Map<String, Value>)) {
    match schema {
        Value::Object(object) => {
            // Examples are data that may look like schemas.
            object
                .iter_mut()
                .filter(|(name, _)| !name.starts_with("example"))
                .for_each(|(_, inner)| walk(inner, change));
            change(object);
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| walk(inner, change)),
        _ => {}
    }
}

fn refine_one(schema: &mut Map<String, Value>, is_asked: bool) {
    if is_asked && schema.get("type") == Some(&json!("object")) && schema.contains_key("properties") {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    let required: Vec<Value> = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        let may_lack = !required.iter().any(|known| known == name);
        // What is a list is described by its entries.
        let property = if property["type"] == "array" { &mut property["items"] } else { property };
        let Some(property) = property.as_object_mut() else { continue };
        time(name, property, is_asked);
        if is_asked {
            id(name, property, may_lack);
            text(property);
            number(property);
        }
    }
}

fn is(schema: &Map<String, Value>, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(known)) => known == kind,
        Some(Value::Array(kinds)) => kinds.iter().any(|known| known == kind),
        _ => false,
    }
}

/// The names of times.
fn is_time(name: &str) -> bool {
    name.ends_with("_at") || matches!(name, "valid_from" | "valid_until" | "as_of")
}

/// Times that we write are instants; those that we read may be days too.
fn time(name: &str, schema: &mut Map<String, Value>, is_asked: bool) {
    if !is_time(name) || !is(schema, "string") || schema.contains_key("format") {
        return;
    }
    if !is_asked {
        schema.insert("format".to_owned(), "date-time".into());
        return;
    }
    let choices = [json!({ "format": "date" }), json!({ "format": "date-time" }), json!({ "type": "null" })];
    let taken = if is(schema, "null") { &choices[..] } else { &choices[..2] };
    schema.insert("anyOf".to_owned(), taken.to_vec().into());
    schema.insert("pattern".to_owned(), MOMENT.into());
    schema.insert(
        "x-expected".to_owned(),
        "must be a day or an instant in RFC 3339, such as 2026-12-31".into(),
    );
}

/// Ids are known by their names. One that may be left out, and not be null instead, may be empty.
fn id(name: &str, schema: &mut Map<String, Value>, may_lack: bool) {
    let Some((_, prefix)) = FIELDS.iter().find(|(field, _)| *field == name) else { return };
    if !is(schema, "string") || schema.contains_key("pattern") {
        return;
    }
    let mut form = pattern(prefix);
    if may_lack && !name.ends_with('s') && !is(schema, "null") {
        form = format!("^$|{form}");
    }
    schema.insert("pattern".to_owned(), form.into());
    schema.insert(
        "x-expected".to_owned(),
        format!("must be an id of the form {prefix}_ followed by 26 letters and digits").into(),
    );
}

/// One line, with something to read in it where there has to be.
fn line(is_told: bool) -> String {
    without(UNSEEN, is_told)
}

/// The same of several lines.
fn lines(is_told: bool) -> String {
    let unseen =
        LINES.iter().fold(UNSEEN.to_owned(), |unseen, (of_line, of_lines)| unseen.replace(of_line, of_lines));
    without(&unseen, is_told)
}

fn without(unseen: &str, is_told: bool) -> String {
    if is_told { format!("^[^{unseen}]*[^\\s{unseen}][^{unseen}]*$") } else { format!("^[^{unseen}]*$") }
}

fn text(schema: &mut Map<String, Value>) {
    let is_told = schema.get("minLength").and_then(Value::as_u64).is_some_and(|least| least > 0);
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default().to_owned();
    if format == "line" {
        schema.remove("format");
        schema.insert("pattern".to_owned(), line(is_told).into());
        schema.insert(
            "x-expected".to_owned(),
            "must be one line of text, without invisible or text-direction control characters".into(),
        );
    }
    if format == "lines" {
        schema.remove("format");
        schema.insert("pattern".to_owned(), lines(is_told).into());
        schema.insert(
            "x-expected".to_owned(),
            "must be lines of text, without invisible or text-direction control characters".into(),
        );
    }
    if format == "email-or-empty" {
        schema.remove("format");
        schema.insert("anyOf".to_owned(), json!([{ "maxLength": 0 }, { "format": "email" }]));
        schema.insert("x-expected".to_owned(), "must be an address such as name@example.org".into());
    }
    if format == "date-or-empty" {
        schema.remove("format");
        schema.insert("pattern".to_owned(), DAY_OR_NOTHING.into());
        schema.insert("x-expected".to_owned(), "must be a day such as 2026-12-31".into());
    }
    let says_more =
        ["pattern", "enum", "format", "anyOf", "oneOf"].iter().any(|keyword| schema.contains_key(*keyword));
    if is(schema, "string") && !says_more {
        schema.insert("pattern".to_owned(), if is_told { TOLD } else { STORABLE }.into());
    }
}

/// Whole numbers end where those of the handlers end.
fn number(schema: &mut Map<String, Value>) {
    if !is(schema, "integer") {
        return;
    }
    let (least, most) = if schema.get("format") == Some(&json!("int32")) {
        (i64::from(i32::MIN), i64::from(i32::MAX))
    } else {
        (-EXACT, EXACT)
    };
    schema.entry("minimum").or_insert(least.into());
    schema.entry("maximum").or_insert(most.into());
}

/// The components that a schema names.
pub(super) fn named_in(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(object) => {
            let own = object
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|target| target.strip_prefix(COMPONENT))
                .map(str::to_owned);
            own.into_iter().chain(object.values().flat_map(named_in)).collect()
        }
        Value::Array(list) => list.iter().flat_map(named_in).collect(),
        _ => Vec::new(),
    }
}

/// The components that bodies of requests are made of.
pub(super) fn request_bodies(document: &Value) -> BTreeSet<String> {
    let operations = document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(_, methods)| METHODS.map(|method| &methods[method]));
    let mut waiting: Vec<String> =
        operations.flat_map(|operation| named_in(&operation["requestBody"])).collect();
    let mut found = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if found.insert(name.clone()) {
            waiting.extend(named_in(&document["components"]["schemas"][&name]));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use preceptor_core::display::{composed, composed_lines};
    use serde_json::json;

    use super::{line, lines};
    use crate::contract::validator;

    #[test]
    fn the_document_takes_the_signs_that_names_and_texts_take() {
        let taking = |pattern: String| validator(&json!({ "type": "string", "pattern": pattern }));
        let (one, several) = (taking(line(false)), taking(lines(false)));
        let (one_told, several_told) = (taking(line(true)), taking(lines(true)));
        for sign in (0..=0xffff).filter_map(char::from_u32) {
            let (text, name) = (format!("a{sign}b"), u32::from(sign));
            let (as_line, as_lines) = (composed(&text, 9).is_ok(), composed_lines(&text, 9).is_ok());
            let text = json!(text);
            assert_eq!((one.is_valid(&text), one_told.is_valid(&text)), (as_line, as_line), "U+{name:04X}");
            assert_eq!(
                (several.is_valid(&text), several_told.is_valid(&text)),
                (as_lines, as_lines),
                "U+{name:04X}"
            );
        }
        assert!(!one_told.is_valid(&json!(" ")) && !several_told.is_valid(&json!(" \n")));
    }
}
