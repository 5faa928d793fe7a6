//! What is wrong with an input, in words for people. Neither our types nor the words of a parser are theirs.

use jsonschema::Validator;
use jsonschema::error::{ValidationError, ValidationErrorKind as Wrong};
use preceptor_core::display::{composed, composed_lines};
use serde_json::Value;

use super::resolve;
use crate::error::FieldProblem;

/// Everything that is wrong, in the order of the input.
pub(super) fn problems(validator: &Validator, schema: &Value, input: &Value) -> Vec<FieldProblem> {
    let mut found: Vec<FieldProblem> =
        validator.iter_errors(input).flat_map(|error| said(schema, &error)).collect();
    // Of several problems of one place the plainest is told: how long it may be, before what signs it may have.
    let order = |problem: &FieldProblem| {
        (problem.pointer.clone(), !problem.detail.starts_with("must have"), problem.detail.clone())
    };
    found.sort_by_key(order);
    found.dedup_by(|one, other| one.pointer == other.pointer);
    found
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// One error as the problems of one or several fields.
fn said(schema: &Value, error: &ValidationError<'_>) -> Vec<FieldProblem> {
    let place = error.instance_path().to_string();
    let at = |pointer: String, detail: String| vec![FieldProblem { pointer, detail }];
    match error.kind() {
        Wrong::Required { property } => {
            at(format!("{place}/{}", escaped(property.as_str().unwrap_or_default())), "is missing".to_owned())
        }
        Wrong::AdditionalProperties { unexpected } => {
            let known = known_names(schema, &place);
            let field = |name: &String| FieldProblem {
                pointer: format!("{place}/{}", escaped(name)),
                detail: format!("is not known here{known}"),
            };
            unexpected.iter().map(field).collect()
        }
        Wrong::OneOfNotValid { context } | Wrong::AnyOf { context }
            if node(schema, &place)["x-expected"].is_null() =>
        {
            // What is wrong with the choice that comes closest: it is of the right type at least.
            let closest = context.iter().flatten().find(|inner| !matches!(inner.kind(), Wrong::Type { .. }));
            closest.map_or_else(
                || at(place.clone(), expected(node(schema, &place), error)),
                |inner| said(schema, inner),
            )
        }
        _ => at(place.clone(), expected(node(schema, &place), error)),
    }
}

/// What the document says about a place of the input.
fn node<'a>(schema: &'a Value, place: &str) -> &'a Value {
    let mut node = resolve(schema, schema);
    for segment in place.split('/').skip(1) {
        node = own(schema, node);
        let named = &node["properties"][segment];
        node = if named.is_null() { &node["items"] } else { named };
        node = resolve(schema, node);
    }
    own(schema, node)
}

/// A thing that may be left out is described beside `null`.
fn own<'a>(schema: &'a Value, node: &'a Value) -> &'a Value {
    let choices = ["oneOf", "allOf"].into_iter().find_map(|kind| node[kind].as_array()).into_iter().flatten();
    let real: Vec<&Value> = choices.filter(|choice| choice["type"] != "null").collect();
    if let [only] = real[..] { resolve(schema, only) } else { node }
}

fn known_names(schema: &Value, place: &str) -> String {
    let names = node(schema, place)["properties"]
        .as_object()
        .map(|properties| properties.keys().cloned().collect::<Vec<_>>());
    names
        .filter(|names| !names.is_empty())
        .map(|names| format!("; known are {}", names.join(", ")))
        .unwrap_or_default()
}

/// What is expected at a place, by what the document says about it.
fn expected(node: &Value, error: &ValidationError<'_>) -> String {
    let is_length = matches!(error.kind(), Wrong::MinLength { .. } | Wrong::MaxLength { .. });
    if let Some(words) = node["x-expected"].as_str().filter(|_| !is_length) {
        let is_blank = error.instance().as_str().is_some_and(|text| text.trim().is_empty());
        if is_blank && (words.starts_with("must be one line") || words.starts_with("must be lines")) {
            return "must say something".to_owned();
        }
        return format!("{words}{}", sign(words, error.instance()));
    }
    match error.kind() {
        Wrong::Type { .. } => format!("must be {}", kind(&node["type"])),
        Wrong::Enum { options } => format!("must be {}", listed(options)),
        Wrong::MinLength { .. } | Wrong::MaxLength { .. } => {
            length(node, "characters", "minLength", "maxLength")
        }
        Wrong::MinItems { .. } | Wrong::MaxItems { .. } => length(node, "entries", "minItems", "maxItems"),
        Wrong::Minimum { .. }
        | Wrong::Maximum { .. }
        | Wrong::ExclusiveMinimum { .. }
        | Wrong::ExclusiveMaximum { .. } => range(node),
        Wrong::MultipleOf { multiple_of } => format!("must be in steps of {multiple_of}"),
        Wrong::Format { format } => format!("must be {}", written(format)),
        Wrong::Pattern { .. }
            if node["pattern"].as_str().is_some_and(|pattern| pattern.to_lowercase().contains("\\s")) =>
        {
            "must say something".to_owned()
        }
        Wrong::Pattern { .. } => {
            "has signs that it cannot have; see the documentation of this field".to_owned()
        }
        Wrong::MinProperties { .. } | Wrong::MaxProperties { .. } => {
            "must have another number of fields".to_owned()
        }
        Wrong::UniqueItems => "must name nothing twice".to_owned(),
        Wrong::OneOfNotValid { .. } | Wrong::OneOfMultipleValid { .. } | Wrong::AnyOf { .. } => {
            "must be one of the forms that the documentation names".to_owned()
        }
        Wrong::Constant { expected_value } => format!("must be {expected_value}"),
        _ => "is not as the documentation says".to_owned(),
    }
}

/// Which sign a line cannot have, where it is one: anyone who pasted it does not see it.
fn sign(words: &str, text: &Value) -> String {
    let wrong = text.as_str().and_then(|text| match words {
        words if words.starts_with("must be one line") => composed(text, usize::MAX).err(),
        words if words.starts_with("must be lines") => composed_lines(text, usize::MAX).err(),
        _ => None,
    });
    wrong.map(|problem| format!("; it {problem}")).unwrap_or_default()
}

fn kind(kinds: &Value) -> String {
    let words = |kind: &str| match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "null" => "null",
        _ => "an object",
    };
    match kinds {
        Value::String(kind) => words(kind).to_owned(),
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).map(words).collect::<Vec<_>>().join(" or ")
        }
        _ => "an object".to_owned(),
    }
}

fn listed(options: &Value) -> String {
    let options = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|option| !option.is_empty());
    let options: Vec<&str> = options.collect();
    match options.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "left out".to_owned(),
    }
}

fn length(node: &Value, what: &str, least: &str, most: &str) -> String {
    match (node[least].as_u64().filter(|least| *least > 0), node[most].as_u64()) {
        (Some(least), Some(most)) => format!("must have {least} to {most} {what}"),
        (Some(least), None) => format!("must have at least {least} {what}"),
        (None, Some(most)) => format!("must have at most {most} {what}"),
        (None, None) => format!("has too few or too many {what}"),
    }
}

fn range(node: &Value) -> String {
    let bound = |name: &str| (!node[name].is_null()).then(|| node[name].to_string());
    let least =
        bound("minimum").or_else(|| bound("exclusiveMinimum").map(|least| format!("more than {least}")));
    match (least, bound("maximum").or_else(|| bound("exclusiveMaximum"))) {
        (Some(least), Some(most)) => format!("must be between {least} and {most}"),
        (Some(least), None) => format!("must be at least {least}"),
        (None, Some(most)) => format!("must be at most {most}"),
        (None, None) => "is out of range".to_owned(),
    }
}

fn written(format: &str) -> &'static str {
    match format {
        "date" => "a day such as 2026-12-31",
        "date-time" => "an instant in RFC 3339, such as 2026-12-31T12:00:00Z",
        "email" => "an address such as name@example.org",
        "uri" => "a URL",
        _ => "written as the documentation says",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_that_is_wrong_is_told_in_words() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["title", "kind"],
            "properties": { "title": { "type": "string", "minLength": 1, "maxLength": 5 }, "kind": { "enum": ["a", "b", "c"] },
                "options": { "type": "array", "items": { "type": "object", "properties": { "text": { "type": "string" } } } } }
        });
        let found = problems(
            &super::super::validator(&schema),
            &schema,
            &json!({ "title": "123456", "options": [{ "text": 1 }], "x/y": 1 }),
        );
        let found: Vec<_> =
            found.iter().map(|problem| (problem.pointer.as_str(), problem.detail.as_str())).collect();
        assert_eq!(
            found,
            [
                ("/kind", "is missing"),
                ("/options/0/text", "must be a text"),
                ("/title", "must have 1 to 5 characters"),
                ("/x~1y", "is not known here; known are title, kind, options"),
            ]
        );
    }

    #[test]
    fn an_array_is_no_body() {
        let schema = json!({ "type": "object" });
        let found = problems(&super::super::validator(&schema), &schema, &json!(["title"]));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].pointer.as_str(), found[0].detail.as_str()), ("", "must be an object"));
    }
}
