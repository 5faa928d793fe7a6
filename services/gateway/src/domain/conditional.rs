//! Conditional requests (RFC 9110, 13): a change only to the state that was read, no repetition of what did not change.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use preceptor_core::Kind;

use crate::error::ApiError;

/// The tag of a revision.
pub(crate) fn tag(revision: i64) -> String {
    format!("\"{revision}\"")
}

/// The tags that a condition names; nothing for `*`.
fn tags(value: &str) -> Option<Vec<&str>> {
    let mut rest = value.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let opaque = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let end = opaque.find('"')?;
        if opaque[..end].contains(|c: char| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let length = rest.len() - opaque.len() + end + 1;
        found.push(&rest[..length]);
        rest = rest[length..].trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

fn all<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<&'a str> = headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// What `If-Match` asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// Any state, as long as there is one.
    Any,
    /// One of these.
    Tags(Vec<String>),
}

impl IfMatch {
    /// Reads the condition, which a change has to carry.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = all(headers, &header::IF_MATCH) else {
            let detail = "send If-Match with the ETag that you read, so that no change is lost";
            return Err(ApiError::new(Kind::FailedPrecondition, "IF_MATCH_REQUIRED", detail)
                .with_status(StatusCode::PRECONDITION_REQUIRED));
        };
        if value.trim() == "*" {
            return Ok(Self::Any);
        }
        let invalid = || {
            ApiError::new(
                Kind::InvalidInput,
                "IF_MATCH_INVALID",
                "If-Match is an ETag as it was given, such as \"7\", several of them, or *",
            )
        };
        Ok(Self::Tags(tags(&value).ok_or_else(invalid)?.into_iter().map(str::to_owned).collect()))
    }

    /// Whether this state is meant. The comparison is strong: a weak tag matches nothing.
    pub(crate) fn holds(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|named| named == tag),
        }
    }
}

/// Answers that nothing changed when the client has this state. The comparison is weak.
pub(crate) fn unless_known(headers: &HeaderMap, response: Response) -> Response {
    let Some(tag) = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned)
    else {
        return response;
    };
    let Some(condition) = all(headers, &header::IF_NONE_MATCH) else { return response };
    let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
    let is_known = condition.trim() == "*"
        || tags(&condition).is_some_and(|tags| tags.iter().any(|named| opaque(named) == opaque(&tag)));
    if is_known && response.status().is_success() {
        (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()
    } else {
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        [(name, value.parse().expect("a value"))].into_iter().collect()
    }

    #[test]
    fn a_change_is_made_to_the_state_that_was_read() {
        let of = |value: &str| IfMatch::of(&with(header::IF_MATCH, value));
        for holds in ["\"7\"", "*", "\"6\", \"7\"", "\"6\",\"7\"", "W/\"6\", \"7\""] {
            assert!(of(holds).expect("a condition").holds(&tag(7)), "{holds}");
        }
        for other in ["\"6\"", "W/\"7\"", "\"77\"", "\"x y\"".replace(' ', "-").as_str()] {
            assert!(!of(other).expect("a condition").holds(&tag(7)), "{other}");
        }
        for broken in ["7", "\"7", "\"7\" \"8\"", "", ",", "\"a b\""] {
            assert_eq!(of(broken).expect_err("no condition").code(), "IF_MATCH_INVALID", "{broken}");
        }
        assert_eq!(
            IfMatch::of(&HeaderMap::new()).expect_err("none").status(),
            StatusCode::PRECONDITION_REQUIRED
        );
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let ask = |condition: &str| {
            unless_known(
                &with(header::IF_NONE_MATCH, condition),
                ([(header::ETAG, "\"7\"")], "body").into_response(),
            )
            .status()
        };
        for known in ["\"7\"", "W/\"7\"", "*", "\"1\", \"7\""] {
            assert_eq!(ask(known), StatusCode::NOT_MODIFIED, "{known}");
        }
        for new in ["\"8\"", "garbage", "\"7"] {
            assert_eq!(ask(new), StatusCode::OK, "{new}");
        }
    }
}
