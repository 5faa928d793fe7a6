//! Signing in and out.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use preceptor_proto::auth::v1 as proto;
use preceptor_rpc::call::unscoped;
use serde::Deserialize;

use super::{Frame, PageError, Visitor, html};
use crate::error::ApiError;
use crate::extract::Form;
use crate::identity::{Carrier, SESSION_COOKIE, credential};
use crate::{CALL_TIMEOUT, Edge};

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    frame: Frame,
    problem: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Secret {
    secret: String,
}

/// Leads everybody to where their work is.
pub(super) async fn home(Visitor(identity): Visitor) -> Redirect {
    match identity.scope.program() {
        Some(program) => Redirect::to(&format!("/programs/{program}")),
        None => Redirect::to("/console"),
    }
}

pub(super) async fn form() -> Result<impl IntoResponse, PageError> {
    html(&SignInPage { frame: Frame::nobody(), problem: None })
}

pub(super) async fn sign_in(State(edge): State<Edge>, Form(form): Form<Secret>) -> Result<Response, PageError> {
    let request = unscoped(proto::OpenSessionRequest { secret: form.secret.trim().to_owned() }, CALL_TIMEOUT);
    let opened = match edge.auth.clone().open_session(request).await {
        Ok(opened) => opened.into_inner(),
        Err(status) => {
            let error = ApiError::from(status);
            let page = SignInPage { frame: Frame::nobody(), problem: Some(error.detail().to_owned()) };
            return Ok((error.status(), html(&page)?).into_response());
        }
    };
    let target = if opened.program_id.is_empty() { "/console".to_owned() } else { format!("/programs/{}", opened.program_id) };
    let cookie = cookie(&edge, &opened.session, "");
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(&target)).into_response())
}

pub(super) async fn sign_out(State(edge): State<Edge>, _: Visitor, headers: HeaderMap) -> Result<Response, PageError> {
    if let Some((session, Carrier::Cookie)) = credential(&headers) {
        edge.auth.clone().end_session(unscoped(proto::EndSessionRequest { session: session.clone() }, CALL_TIMEOUT)).await?;
        edge.forget(&session);
    }
    let cookie = cookie(&edge, "", "; Max-Age=0");
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/sign-in")).into_response())
}

/// The session cookie: invisible to scripts, not sent along by other sites' forms.
fn cookie(edge: &Edge, session: &str, life: &str) -> String {
    let secure = if edge.config.public_url.starts_with("https:") { "; Secure" } else { "" };
    format!("{SESSION_COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax{secure}{life}")
}
