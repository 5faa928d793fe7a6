//! The admin's page of staff and credentials.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use preceptor_core::{Capability, Role, Secret};
use preceptor_proto::auth::v1::ListCredentialsRequest;
use preceptor_proto::auth::v1::issue_sign_in_link_request::Who;
use serde::Deserialize;

use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::{Credential, NewCredential, NewInvitation, Page, Staff};
use crate::extract::{Form, Path};
use crate::identity::Identity;

/// Credentials that a page shows.
const CREDENTIALS: i32 = 50;
const PAGE: &str = "/console/staff";

#[derive(Template)]
#[template(path = "staff.html")]
struct StaffPage {
    frame: Frame,
    /// The visitor, who does not suspend themselves by accident.
    own: String,
    roles: Vec<&'static str>,
    staff: Vec<Member>,
    credentials: Vec<Row>,
    next: Option<String>,
    /// A secret that was just made, and what it is for.
    made: Option<(String, String)>,
}

/// A member of staff with the roles that a form offers.
struct Member {
    person: Staff,
    roles: Vec<&'static str>,
}

/// A credential with the name of whose it is.
struct Row {
    credential: Credential,
    holder: String,
}

#[derive(Deserialize)]
pub(super) struct Change {
    action: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    reason: String,
}

/// An API token presented again; may be empty after a recent sign-in.
#[derive(Deserialize)]
pub(super) struct Confirmation {
    #[serde(default)]
    confirm: String,
}

#[derive(Deserialize)]
pub(super) struct MakeCredential {
    kind: String,
    name: String,
    #[serde(default)]
    confirm: String,
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    page: Page,
) -> Result<Html<String>, PageError> {
    html(&staff_page(&edge, &identity, Some(&page), None).await?)
}

async fn staff_page(
    edge: &Edge,
    identity: &Identity,
    at: Option<&Page>,
    made: Option<(String, String)>,
) -> Result<StaffPage, PageError> {
    let after = at.map(|page| page.after.clone()).unwrap_or_default();
    let request = ListCredentialsRequest { limit: CREDENTIALS, after, ..ListCredentialsRequest::default() };
    let (credentials, next) = edge.credentials(identity, request).await?;
    let next = match at {
        Some(page) => page.next(edge, &next).await?,
        None => None,
    };
    let admin = identity.scope.grants(Capability::Administer);
    let staff = if admin { edge.staff(identity, false).await? } else { Vec::new() };
    let name_of = |id: &str| staff.iter().find(|person| person.id == id).map(|person| person.name.clone());
    let person = |id: &str| {
        if id == identity.scope.subject() {
            return identity.display_name.clone();
        }
        name_of(id).unwrap_or_else(|| "a former member of staff".to_owned())
    };
    let holder = |credential: &Credential| match &credential.staff_id {
        Some(id) if credential.kind == "service" => format!("an app, made by {}", person(id)),
        Some(id) => person(id),
        None => "an app".to_owned(),
    };
    let credentials =
        credentials.into_iter().map(|credential| Row { holder: holder(&credential), credential }).collect();
    let roles_but = |own: &str| Role::STAFF.map(Role::name).into_iter().filter(|role| *role != own).collect();
    Ok(StaffPage {
        frame: Frame::of(identity),
        own: identity.scope.subject().to_owned(),
        roles: Role::STAFF.map(Role::name).to_vec(),
        credentials,
        next,
        staff: staff.into_iter().map(|person| Member { roles: roles_but(&person.role), person }).collect(),
        made,
    })
}

pub(super) async fn invite(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Form(new): Form<NewInvitation>,
) -> Result<Redirect, PageError> {
    edge.invite_staff(&identity, new).await?;
    Ok(Redirect::to(PAGE))
}

/// One form for all that is done to a member of staff; its button says what.
pub(super) async fn change(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(change): Form<Change>,
) -> Result<Redirect, PageError> {
    match change.action.as_str() {
        "suspend" => edge.set_staff_state(&identity, &id, "suspended", &change.reason).await.map(drop)?,
        "reinstate" => edge.set_staff_state(&identity, &id, "active", &change.reason).await.map(drop)?,
        "remove" => edge.set_staff_state(&identity, &id, "removed", &change.reason).await.map(drop)?,
        "revoke" => edge.revoke_staff_credentials(&identity, &id).await?,
        _ => edge.change_staff(&identity, &id, given(&change.name), given(&change.role)).await.map(drop)?,
    }
    Ok(Redirect::to(PAGE))
}

pub(super) async fn send_link(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(form): Form<Confirmation>,
) -> Result<Redirect, PageError> {
    let confirm = given(&form.confirm).map(Secret::new);
    edge.sign_in_link(&identity, Who::StaffId(id), confirm.as_ref()).await?;
    Ok(Redirect::to(PAGE))
}

/// Shows the secret on the page that answers: it is nowhere to be read again.
pub(super) async fn create_credential(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Form(form): Form<MakeCredential>,
) -> Result<Response, PageError> {
    let new = NewCredential {
        kind: form.kind,
        name: form.name.clone(),
        lifetime_seconds: None,
        confirm: given(&form.confirm).map(Secret::new),
    };
    let created = edge.create_credential(&identity, new).await?;
    Ok(html(&staff_page(&edge, &identity, None, Some((form.name, created.secret))).await?)?.into_response())
}

pub(super) async fn revoke(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    edge.revoke_credential(&identity, id).await?;
    Ok(Redirect::to(PAGE))
}
