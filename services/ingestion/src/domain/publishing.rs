//! Freezing, showing and withdrawing versions.

use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_core::id::{ProgramVersionId, PublicationId};
use preceptor_proto::events::v1::{IndexProgress, VersionFrozen, VersionPublished, VersionWithdrawn};
use preceptor_store::{AuditEntry, TenantTx};

use super::programs::{ProgramView, program_id, view};
use super::{Content, bounded, check_reach};
use crate::Error;
use crate::store::{
    pending, program, program_version, program_version_objective, program_version_source, programs,
    publication, versions,
};

const REASON: &str = "must have 1 to 2000 characters: it goes to the audit log";

impl Content {
    /// Freezes the approved sources and the objectives as the next version, and has it indexed.
    pub(crate) async fn publish(
        &self,
        scope: &Arc<Scope>,
        id: &str,
        reason: &str,
    ) -> Result<ProgramView, Error> {
        check_reach(scope, id)?;
        let reason = bounded("reason", reason, 2000, REASON)?;
        let mut tx = self.deps.store.write(scope).await?;
        let program = programs::get(&tx, id).await?;
        if programs::pending(&tx, id).await?.is_some_and(|pending| pending.problem.is_empty()) {
            return Err(Error::PublicationUnderWay);
        }
        let version = freeze(&tx, &program, &reason).await?;
        if let Some(stuck) = programs::pending(&tx, id).await? {
            versions::stop_waiting(&tx, &stuck.program_version_id).await?;
        }
        let waiting = pending::Model {
            org_id: tx.org_key(),
            program_id: id.to_owned(),
            program_version_id: version.id.clone(),
            done: 0,
            total: version.passages,
            problem: String::new(),
        };
        tx.insert(waiting).await?;
        programs::raise_revision(&tx, &program, None).await?;
        let event = VersionFrozen {
            program_id: id.to_owned(),
            program_version_id: version.id.clone(),
            number: version.number,
        };
        tx.emit("program.version_frozen", &event)?;
        let entry = AuditEntry::done("program.version_frozen", &version.id)
            .in_program(program_id(id)?)
            .because(reason);
        tx.audit(entry.fact("number", version.number).fact("passages", version.passages))?;
        let view = view(&tx, programs::get(&tx, id).await?).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// Takes the published version away, in one step.
    pub(crate) async fn withdraw(
        &self,
        scope: &Arc<Scope>,
        id: &str,
        reason: &str,
    ) -> Result<ProgramView, Error> {
        check_reach(scope, id)?;
        let reason = bounded("reason", reason, 2000, REASON)?;
        let mut tx = self.deps.store.write(scope).await?;
        let program = programs::get(&tx, id).await?;
        let visible = programs::published(&tx, id).await?.ok_or(Error::NotPublished)?;
        versions::hide(&tx, id).await?;
        programs::set_withdrawn(&tx, id, true).await?;
        programs::raise_revision(&tx, &program, None).await?;
        let version = visible.program_version_id;
        record(&tx, id, &version, "withdrawn", scope.subject(), &reason).await?;
        tx.emit(
            "program.withdrawn",
            &VersionWithdrawn { program_id: id.to_owned(), program_version_id: version.clone() },
        )?;
        tx.audit(
            AuditEntry::done("program.withdrawn", &version).in_program(program_id(id)?).because(reason),
        )?;
        let view = view(&tx, programs::get(&tx, id).await?).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// Notes how far an index is, and shows the version when it is ready.
    pub(crate) async fn note_index(
        &self,
        scope: &Arc<Scope>,
        event_id: &str,
        progress: &IndexProgress,
    ) -> Result<(), Error> {
        let mut tx = self.deps.store.write(scope).await?;
        if !tx.first_sight(event_id).await? {
            return Ok(());
        }
        let version = &progress.program_version_id;
        let waits =
            versions::note_progress(&tx, version, progress.done, progress.total, &progress.problem).await?;
        if waits && progress.ready {
            show(&mut tx, version).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// A new version of everything that is approved now.
async fn freeze(
    tx: &TenantTx,
    program: &program::Model,
    reason: &str,
) -> Result<program_version::Model, Error> {
    let approved = versions::approved(tx, &program.id).await?;
    if approved.is_empty() {
        return Err(Error::NothingToPublish);
    }
    let version = program_version::Model {
        org_id: tx.org_key(),
        id: ProgramVersionId::generate().to_string(),
        program_id: program.id.clone(),
        number: versions::next_number(tx, &program.id).await?,
        title: program.title.clone(),
        app_id: program.app_id.clone(),
        passages: approved.iter().map(|source| source.passages).sum(),
        frozen_by: tx.scope().subject().to_owned(),
        frozen_at: tx.now().micros(),
        reason: reason.to_owned(),
    };
    tx.insert(version.clone()).await?;
    let sources = approved.into_iter().map(|source| program_version_source::Model {
        org_id: tx.org_key(),
        program_version_id: version.id.clone(),
        program_id: program.id.clone(),
        source_id: source.source_id,
        source_version_id: source.source_version_id,
        approval_id: source.approval_id,
        approved: true,
    });
    tx.insert_all(sources.collect::<Vec<_>>()).await?;
    let objectives = programs::objectives(tx, &program.id).await?.into_iter().map(|objective| {
        program_version_objective::Model {
            org_id: tx.org_key(),
            program_version_id: version.id.clone(),
            objective_id: objective.id,
            position: objective.position,
            text: objective.text,
        }
    });
    tx.insert_all(objectives.collect::<Vec<_>>()).await?;
    Ok(version)
}

/// Makes a version whose index is ready what learners see.
async fn show(tx: &mut TenantTx, id: &str) -> Result<(), Error> {
    let version = versions::get(tx, id).await?;
    versions::stop_waiting(tx, id).await?;
    versions::show(tx, &version.program_id, id).await?;
    programs::set_withdrawn(tx, &version.program_id, false).await?;
    let program = programs::get(tx, &version.program_id).await?;
    programs::raise_revision(tx, &program, None).await?;
    record(tx, &program.id, id, "published", &version.frozen_by, &version.reason).await?;
    let event = VersionPublished { program_id: program.id.clone(), program_version_id: id.to_owned() };
    tx.emit("program.published", &event)?;
    let entry = AuditEntry::done("program.published", id)
        .in_program(program_id(&program.id)?)
        .because(version.reason);
    tx.audit(entry.fact("number", version.number).fact("requested_by", version.frozen_by))?;
    Ok(())
}

async fn record(
    tx: &TenantTx,
    program: &str,
    version: &str,
    act: &str,
    actor: &str,
    reason: &str,
) -> Result<(), Error> {
    let row = publication::Model {
        org_id: tx.org_key(),
        id: PublicationId::generate().to_string(),
        program_id: program.to_owned(),
        program_version_id: version.to_owned(),
        act: act.to_owned(),
        actor: actor.to_owned(),
        reason: reason.to_owned(),
        at: tx.now().micros(),
    };
    Ok(tx.insert(row).await?)
}
