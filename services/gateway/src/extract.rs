//! What requests bring: path, query, form and body. The extractors of the framework refuse in words of their own, as plain
//! text and with the names of our types; these say everything as a problem, or as a page where a person looks at it.
#![expect(clippy::disallowed_types, reason = "wraps the extractors that nothing else may use")]

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use preceptor_core::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::Edge;
use crate::contract::{self, nowhere};
use crate::error::ApiError;
use crate::pages::PageError;

/// A request that is refused before a handler sees it.
#[derive(Debug)]
pub(crate) struct Refused {
    error: ApiError,
    is_page: bool,
}

impl Refused {
    pub(crate) fn of(parts: &Parts, error: ApiError) -> Self {
        Self { error, is_page: !is_api(parts.uri.path()) }
    }
}

/// Whether programs ask here, and not people.
pub(crate) fn is_api(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if self.is_page { PageError::from(self.error).into_response() } else { self.error.into_response() }
    }
}

/// The values in a path. One that cannot be read leads nowhere.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Edge> for Path<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refused> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, edge).await;
        read.map(|axum::extract::Path(value)| Self(value)).map_err(|_| Refused::of(parts, nowhere()))
    }
}

/// Query parameters. The document says which there are; the layer of the contract has checked them.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Edge> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refused> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, edge).await;
        let wrong = |_| {
            ApiError::new(
                Kind::InvalidInput,
                "QUERY_INVALID",
                "a query parameter is not known here, stands twice, or has no value that it can have",
            )
        };
        read.map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| Refused::of(parts, wrong(rejection)))
    }
}

/// The fields of a form on a page.
#[derive(Debug)]
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Edge> for Form<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let refuse = |status: StatusCode| {
            let error = match status {
                StatusCode::PAYLOAD_TOO_LARGE => too_large(),
                StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                    unsupported("FORM_INVALID", "send the form as application/x-www-form-urlencoded")
                }
                _ => ApiError::new(
                    Kind::InvalidInput,
                    "FORM_INVALID",
                    "a field of the form is missing, stands twice, or has no value that it can have",
                ),
            };
            Refused::of(&parts, error)
        };
        let read =
            axum::extract::Form::<T>::from_request(Request::from_parts(parts.clone(), body), edge).await;
        read.map(|axum::extract::Form(value)| Self(value))
            .map_err(|rejection| refuse(rejection.into_response().status()))
    }
}

/// A JSON body: an object as the document describes it. As an answer, JSON.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned + ToSchema> FromRequest<Edge> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(unsupported("BODY_NOT_JSON", "send the body as application/json, in UTF-8"));
        }
        let body = Bytes::from_request(request, edge).await.map_err(|rejection| {
            let is_large = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
            if is_large {
                too_large()
            } else {
                ApiError::new(Kind::InvalidInput, "BODY_INCOMPLETE", "the body is incomplete; send it again")
            }
        })?;
        let value = contract::parse(&body)?;
        let name = T::name();
        let problems = edge.contract.problems(&name, &value);
        if let Some(first) = problems.first() {
            return Err(ApiError::fields(contract::Contract::code(&name, &first.pointer), problems));
        }
        // The document is the first check and the type the second: what passes the one and not the other is a defect of ours.
        serde_path_to_error::deserialize(value).map(Self).map_err(|error| {
            tracing::error!(schema = %name, path = %error.path(), "a body that the document allows cannot be read");
            ApiError::field(format!("/{}", error.path().to_string().replace('.', "/")), "is not as the documentation says")
        })
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn too_large() -> ApiError {
    ApiError::new(Kind::InvalidInput, "BODY_TOO_LARGE", "the body is larger than this operation takes")
        .with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

fn unsupported(code: &'static str, detail: &'static str) -> ApiError {
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    ApiError::new(Kind::InvalidInput, code, detail).with_status(status)
}

/// `application/json`, in UTF-8 if it says in what. Nothing else is JSON of ours, however similar its name.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else {
        return false;
    };
    let mut parts = kind.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = |parameter: &str| {
        let pair =
            parameter.split_once('=').map(|(name, value)| (name.trim(), value.trim().trim_matches('"')));
        pair.is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8")
        })
    };
    is_json && parts.all(is_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_is_json() {
        let says = |kind: &str| {
            is_json(&[(header::CONTENT_TYPE, kind.parse().expect("a value"))].into_iter().collect())
        };
        for taken in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert!(says(taken), "{taken}");
        }
        for refused in [
            "application/vnd.api+json",
            "application/merge-patch+json",
            "application/json; charset=latin1",
            "text/json",
            "application/jsonx",
        ] {
            assert!(!says(refused), "{refused}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
