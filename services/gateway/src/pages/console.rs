//! The editor's pages: programs, and the way of one to its publication.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, Redirect};
use preceptor_core::{Capability, Fault, Kind};
use preceptor_proto::ingestion::v1 as proto;
use serde::Deserialize;

use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::{Message, Program, Report, Source, Task, UploadForm, program_view, source_view};
use crate::error::ApiError;
use crate::extract::{Form, Path};
use crate::identity::Identity;

/// Questions that the program page shows.
const QUESTIONS: i32 = 25;
const SOURCES: i32 = 100;

#[derive(Template)]
#[template(path = "console.html")]
struct ConsolePage {
    frame: Frame,
    may_write: bool,
    programs: Vec<Program>,
    /// Identities that several people state, for the admin who decides whose they are.
    contested: usize,
}

#[derive(Template)]
#[template(path = "program.html")]
struct ProgramPage {
    frame: Frame,
    may_write: bool,
    may_learn: bool,
    /// Whether the attempts of learners are shown to the visitor.
    reads_record: bool,
    program: Program,
    sources: Vec<Source>,
    tasks: Vec<Task>,
    insight: Option<Insight>,
    names: HashMap<String, String>,
}

/// What was asked, for those who may see it.
struct Insight {
    report: Report,
    questions: Vec<Message>,
}

#[derive(Deserialize)]
pub(super) struct NewProgram {
    title: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    objectives: String,
}

#[derive(Deserialize)]
pub(super) struct ObjectivesForm {
    objectives: String,
    revision: i64,
}

#[derive(Deserialize)]
pub(super) struct ReasonForm {
    reason: String,
}

/// One objective a line.
fn split(objectives: &str) -> impl Iterator<Item = &str> {
    objectives.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn console(id: &str) -> Redirect {
    Redirect::to(&format!("/console/programs/{id}"))
}

pub(super) async fn programs(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
) -> Result<Html<String>, PageError> {
    // A learner has one program, and its own page.
    if ![Capability::ReadContent, Capability::ReadInsight]
        .into_iter()
        .any(|capability| identity.scope.grants(capability))
    {
        return Err(Fault::new(
            Kind::Forbidden,
            "CAPABILITY_MISSING",
            "this page is for the staff of a provider",
        )
        .into());
    }
    let request = proto::ListProgramsRequest { limit: 100, after: String::new() };
    let listed = edge.ingestion.clone().list_programs(identity.request(request)?).await?.into_inner();
    let contested = if identity.scope.grants(Capability::Administer) {
        let (contests, _) = edge.contests(&identity, 100, String::new()).await?;
        contests.iter().filter(|contest| contest.state == "open").count()
    } else {
        0
    };
    html(&ConsolePage {
        contested,
        frame: Frame::of(&identity),
        may_write: identity.scope.grants(Capability::WriteContent),
        programs: listed.programs.into_iter().map(program_view).collect(),
    })
}

pub(super) async fn create(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Form(form): Form<NewProgram>,
) -> Result<Redirect, PageError> {
    let objectives = split(&form.objectives).map(str::to_owned).collect();
    let request = proto::CreateProgramRequest { title: form.title, summary: form.summary, objectives };
    let program = edge.ingestion.clone().create_program(identity.request(request)?).await?.into_inner();
    Ok(console(&program.id))
}

pub(super) async fn program(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let program = program_view(edge.program(&identity, &id).await?);
    let sources = sources(&edge, &identity, &id).await?;
    let tasks = if identity.scope.grants(Capability::ReadContent) {
        edge.tasks(&identity, &id).await?
    } else {
        Vec::new()
    };
    let insight = insight(&edge, &identity, &id).await?;
    let objectives =
        program.objectives.iter().map(|objective| (objective.id.clone(), objective.text.clone()));
    let names =
        objectives.chain(sources.iter().map(|source| (source.id.clone(), source.title.clone()))).collect();
    html(&ProgramPage {
        frame: Frame::of(&identity),
        may_write: identity.scope.grants(Capability::WriteContent),
        may_learn: identity.scope.grants(Capability::Learn),
        reads_record: identity.scope.grants(Capability::ReadAudit),
        program,
        sources,
        tasks,
        insight,
        names,
    })
}

async fn sources(edge: &Edge, identity: &Identity, program: &str) -> Result<Vec<Source>, ApiError> {
    let request =
        proto::ListSourcesRequest { program_id: program.to_owned(), limit: SOURCES, after: String::new() };
    let listed = edge.ingestion.clone().list_sources(identity.request(request)?).await?.into_inner();
    Ok(listed.sources.into_iter().map(source_view).collect())
}

async fn insight(edge: &Edge, identity: &Identity, program: &str) -> Result<Option<Insight>, ApiError> {
    if !identity.scope.grants(Capability::ReadInsight) {
        return Ok(None);
    }
    let report = edge.report(identity, program).await?;
    let questions = edge.messages(identity, program, QUESTIONS, String::new()).await?.0;
    Ok(Some(Insight { report, questions }))
}

pub(super) async fn set_objectives(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(form): Form<ObjectivesForm>,
) -> Result<Redirect, PageError> {
    let known = edge.program(&identity, &id).await?.objectives;
    // A line that was there before keeps its id, so that classifications stay with it.
    let objective = |text: &str| proto::Objective {
        id: known
            .iter()
            .find(|objective| objective.text == text)
            .map(|objective| objective.id.clone())
            .unwrap_or_default(),
        text: text.to_owned(),
    };
    let request = proto::SetObjectivesRequest {
        program_id: id.clone(),
        objectives: split(&form.objectives).map(objective).collect(),
        revision: form.revision,
    };
    edge.ingestion.clone().set_objectives(identity.request(request)?).await?;
    Ok(console(&id))
}

pub(super) async fn upload(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    form: UploadForm,
) -> Result<Redirect, PageError> {
    edge.upload(&identity, id.clone(), form).await?;
    Ok(console(&id))
}

pub(super) async fn publish(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Result<Redirect, PageError> {
    let request = proto::PublishProgramRequest { program_id: id.clone(), reason: form.reason };
    edge.ingestion.clone().publish_program(identity.request(request)?).await?;
    Ok(console(&id))
}

pub(super) async fn withdraw(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Result<Redirect, PageError> {
    let request = proto::WithdrawProgramRequest { program_id: id.clone(), reason: form.reason };
    edge.ingestion.clone().withdraw_program(identity.request(request)?).await?;
    Ok(console(&id))
}
