//! JSON as it came: an object in which no name stands twice.

use std::fmt;

use preceptor_core::Kind;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::ApiError;

/// Begins the message of a name that stands twice.
const TWICE: &str = "the name stands twice: ";

/// Whole numbers up to here are exact in every parser.
const LARGEST_EXACT: f64 = 9_007_199_254_740_991.0;

/// Parses a body. A name that stands twice is refused: which of the values counts differs between parsers, and anyone who checks
/// one of them must not let the other through.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::new(
            Kind::InvalidInput,
            "JSON_MALFORMED",
            "the body is empty; this operation takes a JSON object",
        ));
    }
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize::<_, Strict>(&mut input);
    let parsed = parsed.map_err(|error| (error.path().to_string(), error.into_inner()));
    let value = parsed.map_err(|(path, error)| refused(&path, &error))?.0;
    input.end().map_err(|error| refused("", &error))?;
    Ok(value)
}

fn refused(path: &str, error: &serde_json::Error) -> ApiError {
    if let Some((_, name)) = error.to_string().split_once(TWICE) {
        let name = name.split('`').nth(1).unwrap_or_default();
        return ApiError::field(format!("{}/{name}", pointer(path)), "stands twice; say it once");
    }
    let place =
        format!("the body is not valid JSON: look at line {}, column {}", error.line(), error.column());
    ApiError::new(Kind::InvalidInput, "JSON_MALFORMED", place)
}

/// A path such as `options[0].text` as a JSON pointer.
fn pointer(path: &str) -> String {
    let segments = path.split(['.', '[']).map(|segment| segment.trim_end_matches(']'));
    segments
        .filter(|segment| !segment.is_empty() && *segment != "?")
        .map(|segment| format!("/{segment}"))
        .collect()
}

/// A JSON value whose objects have every name once.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // JSON has one kind of number: to a schema `5.0` is an integer, and so it is to what reads the value.
        if value.fract() == 0.0 && value.abs() <= LARGEST_EXACT {
            return Ok((value as i64).into());
        }
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number that JSON does not have"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(entry)) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("{TWICE}`{name}`")));
            }
            let Strict(value) = entries.next_value()?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_json_is_told_from_what_says_something_twice() {
        assert_eq!(
            parse(br#"{"a":[1,2.5,null,"x",{"b":true}]}"#).expect("JSON"),
            json!({ "a": [1, 2.5, null, "x", { "b": true }] })
        );
        assert_eq!(parse(b"[5.0, -0.0, 1e3, 1e300]").expect("JSON"), json!([5, 0, 1000, 1e300]));
        for broken in [&b"{"[..], b"", b"{\"a\":1} x", b"{'a':1}", b"\xff"] {
            assert_eq!(parse(broken).expect_err("no JSON").code(), "JSON_MALFORMED");
        }
        let twice = parse(br#"{"a":{"title":"x","title":"y"}}"#).expect_err("twice");
        let problem = twice.problem("", "");
        assert_eq!(
            (problem.code.as_str(), problem.errors[0].pointer.as_str()),
            ("INVALID_FIELD", "/a/title")
        );
    }
}
