//! The files of a certificate, to its holder.

use std::sync::Arc;

use preceptor_certificate::Paper;
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, Timestamp};
use preceptor_keys::DataKey;
use preceptor_proto::audit::v1 as audit;
use preceptor_rpc::Call;
use sha2::{Digest as _, Sha256};

use super::{Mark, Sheet, Signed, place};
use crate::Error;
use crate::domain::{Credits, PATIENCE, settings};
use crate::error::Missing;
use crate::store::{awards, certificate, certificate_sheet, certificates, ledger};

/// Where sheets are sealed.
const SHEETS: &str = "credits_certificate_sheet";

/// The files of a certificate.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) pdf: Vec<u8>,
    pub(crate) sha256: String,
    pub(crate) badge: String,
    pub(crate) jwt: String,
    pub(crate) code: String,
    /// Whether the PDF is marked as void.
    pub(crate) voided: bool,
}

impl Credits {
    /// The files of a certificate, to its holder; the PDF on the paper that is asked for. After a void it is marked as void and
    /// carries the list that says so: anyone who was given the first sheet finds out by the badge's status, and no one is given
    /// another sheet that looks as if it counted.
    pub(crate) async fn certificate(
        &self,
        scope: &Arc<Scope>,
        credit: &str,
        paper: Option<Paper>,
    ) -> Result<Files, Error> {
        let (row, file, void, paper) = {
            let tx = self.deps.store.read(scope).await?;
            let award = self.visible(&tx, scope, credit).await?;
            if award.learner != scope.subject() {
                return Err(Error::NotFound(Missing::Credit));
            }
            let Some(row) = certificates::of_award(&tx, &award.id).await? else {
                // Its holder is told when it is not being prepared at all.
                self.earned_by(&tx, &award).await?;
                return Err(Error::Preparing);
            };
            let file = certificates::file(&tx, &row.id).await?.ok_or(Error::Preparing)?;
            let void = awards::voids(&tx, std::slice::from_ref(&award.id)).await?.pop();
            // Who asks for no paper gets the org's, on which a certificate from before was not printed at first.
            let paper = if paper.is_some() { paper } else { settings::paper(&tx).await? };
            (row, file, void, paper)
        };
        let org = scope.org();
        let (key, signed) = self.unseal(org, &row).await?;
        let voided = void.is_some();
        let (pdf, sha256) = match (void, paper.filter(|paper| *paper != signed.paper())) {
            (Some(void), _) => {
                let paper = paper.unwrap_or_else(|| signed.paper());
                self.void_sheet(org, &row, &signed, paper, &void).await?
            }
            (None, None) => {
                (key.unseal(&place(org, "credits_certificate_file", &row.id), &file.sealed)?, file.sha256)
            }
            (None, Some(other)) => self.sheet(org, &row, &key, &signed, other).await?,
        };
        Ok(Files {
            pdf,
            sha256,
            badge: signed.credential.to_string(),
            jwt: signed.jwt,
            code: signed.facts.code,
            voided,
        })
    }

    /// That the log, as it is now, continues the checkpoint under which a certificate was proved: every certificate is a
    /// witness against a log that was rewritten.
    pub(crate) async fn confirm(&self, call: &Call, files: &Files) -> Result<(), Error> {
        let pdf = files.pdf.clone();
        let read = tokio::task::spawn_blocking(move || preceptor_certificate::verify::log_proof(&pdf)).await;
        let proof = read
            .map_err(|error| Error::Defect(error.to_string()))?
            .map_err(|refusal| Error::Defect(refusal.to_string()))?;
        let request = audit::ConfirmCheckpointRequest { note: proof.checkpoint };
        self.audit.clone().confirm_checkpoint(call.request(request)?).await?;
        Ok(())
    }

    /// The certificate on another paper than its first: made when it is asked for, and kept.
    async fn sheet(
        &self,
        org: OrgId,
        row: &certificate::Model,
        key: &DataKey,
        signed: &Signed,
        paper: Paper,
    ) -> Result<(Vec<u8>, String), Error> {
        let call = self.deps.system.call(org, PATIENCE).await?;
        let scope = call.shared_scope();
        let sealed_at = format!("{}/{}", place(org, SHEETS, &row.id), paper.name());
        if let Some(known) =
            certificates::sheet(&self.deps.store.read(&scope).await?, &row.id, paper.name()).await?
        {
            return Ok((key.unseal(&sealed_at, &known.sealed)?, known.sha256));
        }
        let proof = self.proof(&call, &row.event_id).await?;
        let pdf = self.set(org, row, signed, Sheet { paper, proof, mark: None }).await?;
        let sha256 = hex::encode(Sha256::digest(&pdf));
        let tx = self.deps.store.write(&scope).await?;
        // Anyone who asked for it at the same moment gets the one that is kept.
        if let Some(known) = certificates::sheet(&tx, &row.id, paper.name()).await? {
            return Ok((key.unseal(&sealed_at, &known.sealed)?, known.sha256));
        }
        let sheet = certificate_sheet::Model {
            org_id: tx.org_key(),
            certificate_id: row.id.clone(),
            paper: paper.name().to_owned(),
            sealed: key.seal(&sealed_at, &pdf)?,
            sha256: sha256.clone(),
            rendered_at: tx.now().micros(),
        };
        tx.insert(sheet).await?;
        tx.commit().await?;
        Ok((pdf, sha256))
    }

    /// The certificate marked as void, with the list that says so as of now.
    async fn void_sheet(
        &self,
        org: OrgId,
        row: &certificate::Model,
        signed: &Signed,
        paper: Paper,
        void: &ledger::Model,
    ) -> Result<(Vec<u8>, String), Error> {
        let call = self.deps.system.call(org, PATIENCE).await?;
        let list = signed.facts.status.as_ref().and_then(|entry| entry.list.rsplit('/').next());
        let status_list = match list {
            Some(name) => Some(self.status_list(name).await?.credential.to_string()),
            None => None,
        };
        let mark = Mark { voided_at: Timestamp::from_micros(void.entered_at).to_string(), status_list };
        let proof = self.proof(&call, &row.event_id).await?;
        let pdf = self.set(org, row, signed, Sheet { paper, proof, mark: Some(mark) }).await?;
        let sha256 = hex::encode(Sha256::digest(&pdf));
        Ok((pdf, sha256))
    }
}
