//! Problems as pages.

use askama::Template;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use preceptor_core::{Fault, Kind};

use super::{Frame, html};
use crate::error::{ApiError, codes};
use crate::extract::is_api;
use crate::problems::RequestId;

/// A problem on its way to a person.
#[derive(Debug)]
pub(crate) struct PageError(ApiError);

impl<E: Into<ApiError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    frame: Frame,
    title: String,
    detail: String,
    help: String,
    code: String,
    request_id: String,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.0.status();
        if status == StatusCode::UNAUTHORIZED {
            return Redirect::to("/sign-in").into_response();
        }
        let id = RequestId::new();
        let problem = self.0.problem(&id.0, "");
        if status.is_server_error() {
            tracing::error!(request.id = id.0, problem.code = problem.code, "a page failed");
        }
        let help = codes()
            .iter()
            .find(|entry| entry.code == problem.code)
            .map(|entry| entry.help.clone())
            .unwrap_or_default();
        let page = FailurePage {
            frame: Frame::stranger(),
            title: problem.title,
            detail: problem.detail,
            help,
            code: problem.code,
            request_id: id.0.clone(),
        };
        let mut response = match html(&page) {
            Ok(body) => (status, body).into_response(),
            Err(_) => (status, [(header::CONTENT_TYPE, "text/html")], "Something went wrong on our side.")
                .into_response(),
        };
        response.headers_mut().extend(self.0.headers());
        // The id that the page shows is the one that the answer carries.
        response.extensions_mut().insert(id);
        response
    }
}

/// An address that leads nowhere: a problem document for the API, a page for people.
pub(super) async fn not_found(uri: Uri) -> Response {
    let error =
        ApiError::from(Fault::new(Kind::NotFound, "PATH_NOT_FOUND", "there is nothing at this address"));
    if is_api(uri.path()) { error.into_response() } else { PageError(error).into_response() }
}
