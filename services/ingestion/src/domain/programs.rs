//! Programs and their objectives.

use std::collections::HashMap;
use std::sync::Arc;

use preceptor_core::display::composed_lines;
use preceptor_core::id::{AppId, ObjectiveId, ProgramId};
use preceptor_core::{Capability, DisplayText, Scope};
use preceptor_store::{AuditEntry, TenantTx};

use super::{Content, bounded, check_reach, sees_drafts, shown};
use crate::Error;
use crate::store::programs::Listed;
use crate::store::{objective, pending, program, program_version, programs, published, versions};

const MOST_OBJECTIVES: usize = 50;
const MOST_OBJECTIVE: usize = 500;
pub(super) const MOST_TITLE: usize = 300;
const MOST_SUMMARY: usize = 4000;

/// A program with everything that is shown of it.
#[derive(Debug)]
pub(crate) struct ProgramView {
    pub(crate) program: program::Model,
    pub(crate) objectives: Vec<objective::Model>,
    pub(crate) published: Option<(published::Model, program_version::Model)>,
    pub(crate) pending: Option<pending::Model>,
    pub(crate) counts: Vec<programs::StateCount>,
}

impl Content {
    pub(crate) async fn create_program(
        &self,
        scope: &Arc<Scope>,
        title: &str,
        summary: &str,
        objectives: &[String],
    ) -> Result<ProgramView, Error> {
        let id = ProgramId::generate();
        // A credential that is bound to one program cannot make another.
        check_reach(scope, &id.to_string())?;
        let mut tx = self.deps.store.write(scope).await?;
        let row = program::Model {
            org_id: tx.org_key(),
            id: id.to_string(),
            app_id: app(scope)?.to_string(),
            title: title_text(title)?,
            summary: summary_text(summary)?,
            revision: 1,
            created_by: scope.subject().to_owned(),
            created_at: tx.now().micros(),
            updated_at: tx.now().micros(),
            withdrawn: false,
        };
        tx.insert(row.clone()).await?;
        let new = objectives.iter().map(|text| (None, text.as_str()));
        tx.insert_all(objective_rows(&tx, &row.id, new)?).await?;
        tx.audit(AuditEntry::done("program.created", id).in_program(id))?;
        let view = view(&tx, row).await?;
        tx.commit().await?;
        Ok(view)
    }

    pub(crate) async fn program(&self, scope: &Arc<Scope>, id: &str) -> Result<ProgramView, Error> {
        check_reach(scope, id)?;
        let tx = self.deps.store.read(scope).await?;
        let view = view(&tx, programs::get(&tx, id).await?).await?;
        visible(scope, view)
    }

    pub(crate) async fn list_programs(
        &self,
        scope: &Arc<Scope>,
        after: &str,
        limit: u64,
    ) -> Result<Vec<ProgramView>, Error> {
        let tx = self.deps.store.read(scope).await?;
        let after = (!after.is_empty()).then_some(after);
        let only = scope.program().map(|program| program.to_string());
        let rows = programs::list(&tx, listed(scope), after, only.as_deref(), limit).await?;
        let views = views(&tx, rows).await?;
        Ok(views.into_iter().map(|view| shown::program(scope, view)).collect())
    }

    pub(crate) async fn update_program(
        &self,
        scope: &Arc<Scope>,
        id: &str,
        title: &str,
        summary: &str,
        revision: Option<i64>,
    ) -> Result<ProgramView, Error> {
        check_reach(scope, id)?;
        let title = title_text(title)?;
        let mut tx = self.deps.store.write(scope).await?;
        let program = programs::get(&tx, id).await?;
        let summary = summary_text(summary)?;
        let is_read = revision.is_none_or(|revision| revision == program.revision);
        if is_read && title == program.title && summary == program.summary {
            // A change that changes nothing is no change: the revision says that something else is there.
            return view(&tx, program).await;
        }
        programs::raise_revision(&tx, &program, revision).await?;
        programs::rename(&tx, id, &title, &summary).await?;
        tx.audit(
            AuditEntry::done("program.updated", id)
                .in_program(program_id(id)?)
                .fact("revision", program.revision + 1),
        )?;
        let view = view(&tx, programs::get(&tx, id).await?).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// Replaces the objectives. One that names its id stays the same objective under a new wording.
    pub(crate) async fn set_objectives(
        &self,
        scope: &Arc<Scope>,
        id: &str,
        objectives: &[(String, String)],
        revision: Option<i64>,
    ) -> Result<ProgramView, Error> {
        check_reach(scope, id)?;
        let mut tx = self.deps.store.write(scope).await?;
        let program = programs::get(&tx, id).await?;
        programs::raise_revision(&tx, &program, revision).await?;
        let known = programs::objectives(&tx, id).await?;
        let mut kept = Vec::with_capacity(objectives.len());
        for (objective, text) in objectives {
            let is_known = known.iter().any(|row| row.id == *objective);
            if !objective.is_empty() && !is_known {
                return Err(Error::ObjectiveNotFound);
            }
            kept.push((is_known.then(|| objective.clone()), text.as_str()));
        }
        programs::replace_objectives(&tx, id, objective_rows(&tx, id, kept)?).await?;
        let entry = AuditEntry::done("program.objectives_set", id).in_program(program_id(id)?);
        tx.audit(entry.fact("count", objectives.len()).fact("revision", program.revision + 1))?;
        let view = view(&tx, programs::get(&tx, id).await?).await?;
        tx.commit().await?;
        Ok(view)
    }
}

fn app(scope: &Scope) -> Result<AppId, Error> {
    scope.app().ok_or(Error::InvalidField { field: "app", what: "the credential names no app" })
}

pub(super) fn program_id(id: &str) -> Result<ProgramId, Error> {
    id.parse().map_err(|_| Error::ProgramNotFound)
}

/// The title of an activity stands on its certificates.
fn title_text(text: &str) -> Result<String, Error> {
    let title =
        DisplayText::new(text, MOST_TITLE).map_err(|problem| Error::NotATitle { field: "title", problem })?;
    Ok(title.into_string())
}

fn summary_text(text: &str) -> Result<String, Error> {
    composed_lines(text, MOST_SUMMARY).map_err(|problem| Error::NotATitle { field: "summary", problem })
}

fn objective_text(text: &str) -> Result<String, Error> {
    let text = composed_lines(text, MOST_OBJECTIVE)
        .map_err(|problem| Error::NotATitle { field: "objectives", problem })?;
    bounded("objectives", &text, MOST_OBJECTIVE, "each must have 1 to 500 characters")
}

fn objective_rows<'a>(
    tx: &TenantTx,
    program: &str,
    objectives: impl IntoIterator<Item = (Option<String>, &'a str)>,
) -> Result<Vec<objective::Model>, Error> {
    let rows = objectives.into_iter().enumerate().map(|(position, (id, text))| {
        Ok(objective::Model {
            org_id: tx.org_key(),
            program_id: program.to_owned(),
            id: id.unwrap_or_else(|| ObjectiveId::generate().to_string()),
            position: position as i64,
            text: objective_text(text)?,
        })
    });
    let rows: Vec<_> = rows.collect::<Result<_, Error>>()?;
    if rows.len() > MOST_OBJECTIVES {
        return Err(Error::InvalidField { field: "objectives", what: "a program has at most 50" });
    }
    Ok(rows)
}

/// Everything that is shown of a program.
pub(super) async fn view(tx: &TenantTx, row: program::Model) -> Result<ProgramView, Error> {
    let view = views(tx, vec![row]).await?.pop();
    view.ok_or_else(|| Error::Defect("a program without its view".into()))
}

/// Programs with everything that is shown of them.
async fn views(tx: &TenantTx, rows: Vec<program::Model>) -> Result<Vec<ProgramView>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut published = published(tx, &ids).await?;
    let mut objectives: HashMap<String, Vec<objective::Model>> = HashMap::new();
    for row in programs::objectives_of(tx, &ids).await? {
        objectives.entry(row.program_id.clone()).or_default().push(row);
    }
    let mut counts: HashMap<String, Vec<programs::StateCount>> = HashMap::new();
    for count in programs::source_counts(tx, &ids).await? {
        counts.entry(count.program_id.clone()).or_default().push(count);
    }
    let mut pending: HashMap<String, pending::Model> =
        programs::pending_of(tx, &ids).await?.into_iter().map(|row| (row.program_id.clone(), row)).collect();
    let view = |program: program::Model| ProgramView {
        objectives: objectives.remove(&program.id).unwrap_or_default(),
        published: published.remove(&program.id),
        pending: pending.remove(&program.id),
        counts: counts.remove(&program.id).unwrap_or_default(),
        program,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// What learners see of programs, by program.
async fn published(
    tx: &TenantTx,
    programs: &[String],
) -> Result<HashMap<String, (published::Model, program_version::Model)>, Error> {
    let visible = programs::published_of(tx, programs).await?;
    let frozen = visible.iter().map(|row| row.program_version_id.clone()).collect();
    let mut frozen: HashMap<String, program_version::Model> = versions::of_ids(tx, frozen)
        .await?
        .into_iter()
        .map(|version| (version.id.clone(), version))
        .collect();
    let with_version = |row: published::Model| {
        let version = frozen.remove(&row.program_version_id).ok_or(Error::NotPublished)?;
        Ok((row.program_id.clone(), (row, version)))
    };
    visible.into_iter().map(with_version).collect()
}

/// What the subject may see: a learner sees published programs only, an analyst those that were published.
fn listed(scope: &Scope) -> Listed {
    if sees_drafts(scope) || scope.grants(Capability::AdmitLearners) {
        Listed::All
    } else if scope.grants(Capability::ReadInsight) {
        // Anyone who reads insight keeps that of programs that were withdrawn; what never was out has none.
        Listed::PublishedOnce
    } else {
        Listed::Published
    }
}

/// What the subject may see of a program.
fn visible(scope: &Scope, view: ProgramView) -> Result<ProgramView, Error> {
    let is_seen = match listed(scope) {
        Listed::All => true,
        Listed::Published => view.published.is_some(),
        Listed::PublishedOnce => view.published.is_some() || view.program.withdrawn,
    };
    if is_seen { Ok(shown::program(scope, view)) } else { Err(Error::ProgramNotFound) }
}
