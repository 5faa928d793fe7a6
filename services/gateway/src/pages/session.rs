//! Signing in and out.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use preceptor_proto::auth::v1 as proto;
use preceptor_rpc::call::unscoped;
use serde::{Deserialize, Serialize};

use super::{Frame, PageError, Visitor, html};
use crate::error::ApiError;
use crate::extract::{Form, Json};
use crate::identity::{Carrier, credential, session_cookie_name};
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

/// Whom a secret would sign in, in words for the button.
#[derive(Serialize)]
pub(super) struct Who {
    question: String,
}

/// Leads everyone to where their work is.
pub(super) async fn home(Visitor(identity): Visitor) -> Redirect {
    match identity.scope.program() {
        Some(program) => Redirect::to(&format!("/programs/{program}")),
        None => Redirect::to("/console"),
    }
}

pub(super) async fn form() -> Result<impl IntoResponse, PageError> {
    html(&SignInPage { frame: Frame::stranger(), problem: None })
}

/// Tells the sign-in page whom a link is for. The link stays unused: only the button of that page uses it.
pub(super) async fn who(State(edge): State<Edge>, Form(form): Form<Secret>) -> Result<Json<Who>, ApiError> {
    let request = unscoped(proto::PeekSignInRequest { secret: form.secret.trim().to_owned() }, CALL_TIMEOUT);
    let who = edge.auth.clone().peek_sign_in(request).await?.into_inner();
    let question = if who.display_name.is_empty() {
        format!("Sign in as a learner of {}?", who.org_name)
    } else {
        format!("Sign in as {}, {} at {}?", who.display_name, who.role, who.org_name)
    };
    Ok(Json(Who { question }))
}

pub(super) async fn sign_in(
    State(edge): State<Edge>,
    headers: HeaderMap,
    Form(form): Form<Secret>,
) -> Result<Response, PageError> {
    // The session that this browser had ends with the new one: no one would know of it any more.
    let earlier = credential(&headers, session_cookie_name(&edge.config));
    let earlier = earlier.filter(|(_, carrier)| *carrier == Carrier::Cookie).map(|(session, _)| session);
    let request = proto::OpenSessionRequest {
        secret: form.secret.trim().to_owned(),
        replaces: earlier.clone().unwrap_or_default(),
    };
    let request = unscoped(request, CALL_TIMEOUT);
    let opened = match edge.auth.clone().open_session(request).await {
        Ok(opened) => opened.into_inner(),
        Err(status) => {
            let error = ApiError::from(status);
            let page = SignInPage { frame: Frame::stranger(), problem: Some(error.detail().to_owned()) };
            return Ok((error.status(), html(&page)?).into_response());
        }
    };
    if let Some(earlier) = earlier {
        edge.forget(&earlier);
    }
    let target = if opened.program_id.is_empty() {
        "/console".to_owned()
    } else {
        format!("/programs/{}", opened.program_id)
    };
    let cookie = cookie(&edge, &opened.session, "");
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(&target)).into_response())
}

pub(super) async fn sign_out(State(edge): State<Edge>, headers: HeaderMap) -> Result<Response, PageError> {
    if let Some((session, Carrier::Cookie)) = credential(&headers, session_cookie_name(&edge.config)) {
        edge.auth
            .clone()
            .end_session(unscoped(proto::EndSessionRequest { session: session.clone() }, CALL_TIMEOUT))
            .await?;
        edge.forget(&session);
    }
    let cookie = cookie(&edge, "", "; Max-Age=0");
    // Nothing that was shown stays behind, whatever an earlier answer allowed.
    let forget = (HeaderName::from_static("clear-site-data"), "\"cache\"".to_owned());
    Ok((AppendHeaders([(header::SET_COOKIE, cookie), forget]), Redirect::to("/sign-in")).into_response())
}

/// The session cookie: invisible to scripts, not sent along by other sites' forms.
fn cookie(edge: &Edge, session: &str, life: &str) -> String {
    let name = session_cookie_name(&edge.config);
    let secure = if edge.config.public_url.starts_with("https:") { "; Secure" } else { "" };
    format!("{name}={session}; Path=/; HttpOnly; SameSite=Lax{secure}{life}")
}
