//! Activities and providers, as their certificates name them: pages for people, documents for programs.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};

use super::{Frame, PageError, html};
use crate::Edge;
use crate::api::{Activity, Issuer};
use crate::extract::Path;

#[derive(Template)]
#[template(path = "activity.html")]
struct ActivityPage {
    frame: Frame,
    image: String,
    activity: Activity,
}

#[derive(Template)]
#[template(path = "issuer.html")]
struct IssuerPage {
    frame: Frame,
    issuer: Issuer,
}

/// Whether a person asks: programs ask for documents, or for anything.
fn is_for_people(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

pub(super) async fn activity(
    State(edge): State<Edge>,
    headers: HeaderMap,
    Path(code): Path<String>,
) -> Result<Response, PageError> {
    let activity = edge.activity(&code).await?;
    if !is_for_people(&headers) {
        return Ok(activity.document());
    }
    let image = format!("/activities/{}/badge.svg", activity.url.rsplit('/').next().unwrap_or_default());
    Ok(html(&ActivityPage { frame: Frame::stranger(), image, activity })?.into_response())
}

pub(super) async fn badge_image(
    State(edge): State<Edge>,
    Path(code): Path<String>,
) -> Result<Response, PageError> {
    let activity = edge.activity(&code).await?;
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    Ok((headers, activity.image).into_response())
}

pub(super) async fn issuer(
    State(edge): State<Edge>,
    headers: HeaderMap,
    Path(code): Path<String>,
) -> Result<Response, PageError> {
    let issuer = edge.issuer(&code).await?;
    if !is_for_people(&headers) {
        return Ok(issuer.document());
    }
    Ok(html(&IssuerPage { frame: Frame::stranger(), issuer })?.into_response())
}
