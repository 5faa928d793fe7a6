//! What a kept answer quotes is judged again every time it is sent again.
//!
//! An answer is kept for a day, and a source can be retracted within it. So an answer that quotes is sent again only after
//! the service that quoted it was asked what it still quotes.

use preceptor_core::{Fault, Kind};
use serde_json::Value;

use crate::Edge;
use crate::error::ApiError;
use crate::identity::Identity;

/// Who is asked what may still be quoted.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// `answering`, which knows what became of the sources of a message.
    Message,
    /// `credits`, which tells of an attempt what it still may.
    Attempt,
    /// No one: items are for staff, who read what was retracted too.
    Staff,
}

/// Every write whose answer quotes.
const QUOTING: [(&str, Origin); 7] = [
    ("/v1/programs/{id}/messages", Origin::Message),
    ("/v1/programs/{id}/attempts", Origin::Attempt),
    ("/v1/attempts/{id}/answers/{position}", Origin::Attempt),
    ("/v1/attempts/{id}/submit", Origin::Attempt),
    ("/v1/attempts/{id}/feedback", Origin::Attempt),
    ("/v1/programs/{id}/items", Origin::Staff),
    ("/v1/items/{id}/decision", Origin::Staff),
];

fn origin(route: &str) -> Option<Origin> {
    QUOTING.iter().find(|(known, _)| *known == route).map(|(_, origin)| *origin)
}

/// The body of a kept answer of `route` as it may be sent again: as it was while everything that it quotes may be quoted.
pub(super) async fn again(
    edge: &Edge,
    identity: &Identity,
    route: &str,
    kept: Vec<u8>,
) -> Result<Vec<u8>, ApiError> {
    let Ok(document) = serde_json::from_slice::<Value>(&kept) else { return Ok(kept) };
    if !quotes(&document) {
        return Ok(kept);
    }
    match origin(route) {
        Some(Origin::Staff) => Ok(kept),
        Some(Origin::Message) => {
            let message = edge.message(identity, text(&document["message_id"])).await?;
            if message.notices.is_empty() { Ok(kept) } else { Err(retracted()) }
        }
        Some(Origin::Attempt) => {
            let attempt = edge.attempt(identity, &text(&document["id"])).await?;
            serde_json::to_vec(&attempt).map_err(|_| Fault::internal().into())
        }
        None => {
            tracing::error!(route, "an answer that quotes is kept, and no one knows whether it still may");
            Err(Fault::internal().into())
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn retracted() -> ApiError {
    let detail = "a source that this answer quotes was retracted since, so the answer is not sent again; ask with a new key";
    ApiError::new(Kind::NotFound, "SOURCE_RETRACTED", detail)
}

/// Whether something is quoted anywhere in a document.
fn quotes(document: &Value) -> bool {
    match document {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            (name == "quote" && value.as_str().is_some_and(|quote| !quote.is_empty())) || quotes(value)
        }),
        Value::Array(values) => values.iter().any(quotes),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    /// Whether a schema has a property `quote` somewhere, behind references too.
    fn can_quote<'a>(document: &'a Value, schema: &'a Value, seen: &mut BTreeSet<&'a str>) -> bool {
        match schema {
            Value::Object(fields) => {
                let named = fields.get("$ref").and_then(Value::as_str);
                let behind = named.and_then(|name| name.strip_prefix('#')).filter(|name| seen.insert(*name));
                schema["properties"]["quote"].is_object()
                    || behind
                        .and_then(|place| document.pointer(place))
                        .is_some_and(|schema| can_quote(document, schema, seen))
                    || fields.values().any(|part| can_quote(document, part, seen))
            }
            Value::Array(parts) => parts.iter().any(|part| can_quote(document, part, seen)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }

    #[test]
    fn every_write_whose_answer_quotes_has_an_origin_to_ask_again() {
        let document = crate::api::openapi();
        let mut quoting = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, said) in methods.as_object().expect("methods") {
                let is_write = ["post", "put", "patch", "delete"].contains(&method.as_str());
                if is_write && can_quote(&document, &said["responses"], &mut BTreeSet::new()) {
                    quoting.insert(path.as_str());
                }
            }
        }
        assert_eq!(quoting, QUOTING.iter().map(|(route, _)| *route).collect::<BTreeSet<_>>());
    }

    #[test]
    fn a_quotation_is_found_wherever_it_stands_and_an_empty_one_is_none() {
        assert!(quotes(&json!({ "sentences": [{ "citations": [{ "quote": "5 mg twice daily" }] }] })));
        assert!(!quotes(&json!({ "questions": [{ "quote": "", "stem": "Which quote?" }], "quote": null })));
    }
}
