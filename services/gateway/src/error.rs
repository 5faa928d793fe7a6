//! Faults as RFC 9457 problem details, and the page behind each code.

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use preceptor_core::{Fault, Kind};
use preceptor_rpc::fault_of;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::extract::Json;

/// Problem details (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// A page that explains the code.
    #[schema(example = "https://learn.example.org/errors/PROGRAM_NOT_FOUND", format = "uri")]
    pub r#type: String,
    /// The code in words.
    #[schema(example = "There is no such program")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened here and what to do.
    pub detail: String,
    /// The stable code to program against.
    #[schema(example = "PROGRAM_NOT_FOUND", pattern = "^[A-Z][A-Z0-9_]*$")]
    pub code: String,
    /// Quote it when you ask for help.
    #[schema(example = "req_01k9w0x5c8f3v9q2d7t4m6n8rz", min_length = 1)]
    pub request_id: String,
    /// What is wrong with which part of the input.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// A part of the input that is wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// Where in the body, as a JSON pointer (RFC 6901); the name of the parameter when the query is wrong.
    #[schema(example = "/title")]
    pub pointer: String,
    /// What is expected there.
    pub detail: String,
}

/// One entry of the table of codes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) help: String,
}

#[derive(Deserialize)]
struct Codes {
    code: Vec<Code>,
}

static CODES: LazyLock<Vec<Code>> = LazyLock::new(|| {
    let codes: Codes = toml::from_str(include_str!("../errors.toml"))
        .expect("the table of codes is part of this binary and tested");
    codes.code
});

/// All codes, in the order of the table.
pub(crate) fn codes() -> &'static [Code] {
    &CODES
}

/// An error of the edge on its way out.
#[derive(Debug)]
pub(crate) struct ApiError {
    fault: Fault,
    fields: Vec<FieldProblem>,
    status: Option<StatusCode>,
    retry_after: Option<u64>,
    etag: Option<String>,
    /// How the bucket stands that has nothing left.
    limit: HeaderMap,
}

impl ApiError {
    /// A fault of our own.
    pub(crate) fn new(kind: Kind, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Fault::new(kind, code, detail).into()
    }

    /// A wrong part of the input.
    pub(crate) fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut error = Self::new(Kind::InvalidInput, "INVALID_FIELD", detail.clone());
        error.fields.push(FieldProblem { pointer: pointer.into(), detail });
        error
    }

    /// Several wrong parts of the input.
    pub(crate) fn fields(code: &'static str, fields: Vec<FieldProblem>) -> Self {
        let first = fields.first().map_or("the body", |field| {
            if field.pointer.is_empty() { "the body" } else { field.pointer.trim_start_matches('/') }
        });
        let more = if fields.len() > 1 { format!(", and {} more", fields.len() - 1) } else { String::new() };
        let detail =
            fields.first().map_or_else(String::new, |field| format!("{first} {}{more}", field.detail));
        Self::new(Kind::InvalidInput, code, detail).with_fields(fields)
    }

    /// Points at parts of the input.
    #[must_use]
    pub(crate) fn with_fields(mut self, fields: Vec<FieldProblem>) -> Self {
        self.fields = fields;
        self
    }

    /// Says what state the thing is in.
    #[must_use]
    pub(crate) fn with_etag(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }

    /// The same error under another HTTP status than that of its kind.
    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Says when to try again.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Says how the limit stands that refuses this.
    #[must_use]
    pub(crate) fn with_limit(mut self, standing: HeaderMap) -> Self {
        self.limit = standing;
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| {
            StatusCode::from_u16(self.fault.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        })
    }

    pub(crate) fn detail(&self) -> &str {
        &self.fault.message
    }

    pub(crate) fn code(&self) -> &str {
        &self.fault.reason
    }

    /// What its answer says in headers, whatever its body is.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = self.limit.clone();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(etag) = self.etag.as_ref().and_then(|etag| etag.parse().ok()) {
            headers.insert(header::ETAG, etag);
        }
        headers
    }

    /// The error as it is sent; the pages of codes are under `public_url`.
    pub(crate) fn problem(&self, request_id: &str, public_url: &str) -> Problem {
        let known = CODES.iter().find(|entry| entry.code == self.fault.reason);
        let mut errors = self.fields.clone();
        if errors.is_empty()
            && let Some((_, field)) = self.fault.details.iter().find(|(name, _)| name == "field")
        {
            // The pointer names the field: what is expected there is said without it, as the edge itself says it.
            let message: &str = &self.fault.message;
            let detail = message.strip_prefix(&format!("{field}: ")).unwrap_or(message);
            errors.push(FieldProblem { pointer: format!("/{field}"), detail: detail.to_owned() });
        }
        Problem {
            r#type: format!("{}/errors/{}", public_url.trim_end_matches('/'), self.fault.reason),
            title: known.map_or_else(|| "Something went wrong".to_owned(), |entry| entry.title.clone()),
            status: self.status().as_u16(),
            detail: self.fault.message.to_string(),
            code: self.fault.reason.to_string(),
            request_id: request_id.to_owned(),
            errors,
        }
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        // Anyone who came too often is told when to come again.
        let told = || {
            fault
                .details
                .iter()
                .find(|(name, _)| name == "retry_after")
                .and_then(|(_, seconds)| seconds.parse().ok())
        };
        let retry_after = (fault.kind == Kind::ResourceExhausted).then(|| told().unwrap_or(60));
        // What a caller may not see, it cannot tell from what is not there.
        Self { fault, fields: Vec::new(), status: None, retry_after, etag: None, limit: HeaderMap::new() }
    }
}

impl From<tonic::Status> for ApiError {
    fn from(status: tonic::Status) -> Self {
        fault_of(&status).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        // The request id and the address of the pages are filled in by the layer that knows them.
        let problem = self.problem("", "");
        let mut response = (self.status(), Json(&problem)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().extend(self.headers());
        response.extensions_mut().insert(ProblemOf(problem));
        response
    }
}

/// Carried along so that the outer layers can fill in the request id, or show the problem as a page.
#[derive(Debug, Clone)]
pub(crate) struct ProblemOf(pub(crate) Problem);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_field_is_named_once() {
        let fault =
            Fault::new(Kind::InvalidInput, "INVALID_FIELD", "valid_until: must be later than valid_from")
                .with("field", "valid_until");
        let problem = ApiError::from(fault).problem("", "");
        assert_eq!(problem.detail, "valid_until: must be later than valid_from");
        let told: Vec<_> =
            problem.errors.iter().map(|error| (error.pointer.as_str(), error.detail.as_str())).collect();
        assert_eq!(told, [("/valid_until", "must be later than valid_from")]);
    }

    #[test]
    fn the_table_of_codes_is_in_order_and_complete_in_itself() {
        let codes: Vec<_> = codes().iter().map(|entry| entry.code.as_str()).collect();
        assert!(codes.is_sorted(), "keep errors.toml sorted by code");
        let mut unique = codes.clone();
        unique.dedup();
        assert_eq!(unique, codes);
        assert!(super::codes().iter().all(|entry| !entry.title.is_empty() && entry.help.len() > 20));
    }
}
