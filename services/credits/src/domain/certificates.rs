//! Certificates: signed once, proved by the log, printed, and looked up by whoever holds the code.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use preceptor_certificate::{
    Attachments, Facts, IssuerKey, assemble_jwt, attach, credential, credential_sha256, hash_data, jwt_signing_input, proof_options, seal,
};
use preceptor_core::id::{CertificateId, OrgId};
use preceptor_core::{Scope, SystemActor, Timestamp};
use preceptor_keys::{DataKey, KeyError, KeyName, Purpose};
use preceptor_proto::audit::v1 as audit;
use preceptor_proto::credentials::v1 as credentials;
use preceptor_rpc::{Call, Note};
use preceptor_runtime::pause;
use preceptor_store::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Credits, PATIENCE, awards as rules_of_awards, offers, rules};
use crate::Error;
use crate::error::Missing;
use crate::store::{annotation, award, awards, certificate, certificate_file, ledger, offers as offer_rows};

/// The code's letters: Crockford's, none of which can be read as another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a code that lead to the org.
const ORG_LETTERS: usize = 5;
/// Random letters of a code: 130 bits.
const RANDOM_LETTERS: usize = 26;
/// How long the log may take to hold a record that was just committed.
const LOG_TRIES: usize = 100;
const LOG_PAUSE: Duration = Duration::from_millis(50);
/// How long awards are gathered. Those who claim at the same moment, at the end of a lecture, come first: signing writes,
/// and writers of an org take turns.
const GATHERED: Duration = Duration::from_millis(400);
/// Orgs whose certificates are made side by side.
const ORGS_AT_ONCE: usize = 8;

/// What was signed, as it is sealed.
#[derive(Debug, Serialize, Deserialize)]
struct Signed {
    facts: Facts,
    credential: Value,
    jwt: String,
}

/// The files of a certificate.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) pdf: Vec<u8>,
    pub(crate) sha256: String,
    pub(crate) badge: String,
    pub(crate) jwt: String,
    pub(crate) code: String,
}

/// What anybody with the code may know.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) facts: Facts,
    pub(crate) badge: String,
    pub(crate) signing_key: String,
    pub(crate) void: Option<ledger::Model>,
    pub(crate) annotations: Vec<annotation::Model>,
}

/// Five letters that lead to an org and say nothing about it.
fn org_letters(org: OrgId) -> String {
    letters(&Sha256::digest(org.to_string()), ORG_LETTERS)
}

fn letters(bytes: &[u8], count: usize) -> String {
    bytes.iter().take(count).map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}

/// A code as people type it: any case, with or without dashes, O for zero, I and L for one.
fn typed(code: &str) -> String {
    let letter = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    code.chars().filter(char::is_ascii_alphanumeric).map(letter).collect()
}

/// A code as it is printed: in groups.
fn printed(code: &str) -> String {
    code.as_bytes().chunks(5).map(|group| String::from_utf8_lossy(group).into_owned()).collect::<Vec<_>>().join("-")
}

/// What was made, or nothing where trying again will not help.
fn unless_hopeless<T>(award: &str, made: Result<T, Error>) -> Result<Option<T>, Error> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            tracing::error!(%error, credit.id = award, "a certificate cannot be made; it is tried again after the next start");
            Ok(None)
        }
    }
}

/// Where a sealed column is, for the cipher.
fn place(org: OrgId, table: &str, certificate: &str) -> String {
    format!("{org}/{table}/sealed/{certificate}")
}

impl Credits {
    /// Has the certificate of an award made soon.
    pub(crate) fn make_certificate_soon(&self, org: OrgId, award: String) {
        self.unprinted.add((org, award));
    }

    /// Has every certificate made that is missing: of credits that were awarded before a crash, or whose making failed.
    pub(crate) async fn find_unprinted(&self) -> Result<(), Error> {
        for org in self.deps.store.known_orgs().await? {
            let scope = Arc::new(Scope::of_system(SystemActor::Credits, org));
            for award in awards::unprinted(&self.deps.store.read(&scope).await?).await? {
                self.unprinted.add((org, award.id));
            }
        }
        Ok(())
    }

    /// Makes the certificates that wait, side by side for several orgs: one whose log is behind holds up nobody else. What
    /// may be possible later waits again. `false` when there is such.
    pub(crate) async fn make_certificates(&self) -> bool {
        let mut by_org: BTreeMap<OrgId, Vec<String>> = BTreeMap::new();
        for (org, award) in self.unprinted.gathered(GATHERED).await {
            by_org.entry(org).or_default().push(award);
        }
        let of_org = |(org, awards): (OrgId, Vec<String>)| async move {
            let Err(error) = self.prepare_certificates(org, &awards).await else { return true };
            tracing::warn!(%error, org.id = %org, "certificates could not be made for now");
            for award in awards {
                self.unprinted.add((org, award));
            }
            false
        };
        // To the end, also after a failure: what is dropped half-way waits nowhere.
        stream::iter(by_org).map(of_org).buffer_unordered(ORGS_AT_ONCE).fold(true, |all, made| async move { all && made }).await
    }

    /// Signs and prints the certificates of awards, unless they are there. All are signed before the first is printed: a
    /// print needs a proof, and the log takes a moment for one record as for many. Can be interrupted and repeated at any
    /// point; an award that nothing can be made of is left out.
    async fn prepare_certificates(&self, org: OrgId, of_awards: &[String]) -> Result<(), Error> {
        let mut signed = Vec::with_capacity(of_awards.len());
        for award in of_awards {
            signed.extend(unless_hopeless(award, self.signed(org, award).await)?);
        }
        pause::at("certificate.signed", org).await;
        for row in signed {
            let call = self.deps.system.call(org, PATIENCE).await?;
            unless_hopeless(&row.award_id, self.print(&call, &row).await)?;
        }
        Ok(())
    }

    /// The signed certificate of an award.
    async fn signed(&self, org: OrgId, award: &str) -> Result<certificate::Model, Error> {
        let call = self.deps.system.call(org, PATIENCE).await?;
        let (award, known) = {
            let tx = self.deps.store.read(&call.shared_scope()).await?;
            let award = awards::get(&tx, award).await?.ok_or(Error::NotFound(Missing::Credit))?;
            (award.clone(), awards::certificate(&tx, &award.id).await?)
        };
        match known {
            Some(signed) => Ok(signed),
            None => self.sign(&call, &award).await,
        }
    }

    async fn issuer_key(&self, org: OrgId) -> Result<IssuerKey, Error> {
        let keys = self.deps.keys.public_keys(KeyName::of_org(Purpose::Certificates, org)).await?;
        let raw = keys.into_iter().next().and_then(|key| key.bytes.try_into().ok());
        Ok(IssuerKey::new(raw.ok_or_else(|| KeyError::Unavailable("certificates have no key".into()))?))
    }

    async fn signature(&self, org: OrgId, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.deps.keys.sign(KeyName::of_org(Purpose::Certificates, org), message).await?.bytes)
    }

    async fn sign(&self, call: &Call, award: &award::Model) -> Result<certificate::Model, Error> {
        let org = call.scope().org();
        let key = self.issuer_key(org).await?;
        let id = CertificateId::generate();
        let code = format!("{}{}", org_letters(org), letters(&rand::random::<[u8; RANDOM_LETTERS]>(), RANDOM_LETTERS));
        let facts = self.facts(call, award, id, &code).await?;

        let unsigned = credential(&facts, &key);
        let whole = Value::Object(unsigned.clone());
        let options = proof_options(&key, &facts.issued_at);
        let proved = options.clone();
        let (sha256, hashed) = self.behind_the_scenes(move || (credential_sha256(&whole), hash_data(&whole, &proved))).await?;
        let (sha256, proof) = (sha256?, self.signature(org, &hashed?).await?);
        let input = jwt_signing_input(&unsigned, &key, Timestamp::from_micros(award.issued_at).seconds())?;
        let jwt = assemble_jwt(&input, &self.signature(org, input.as_bytes()).await?);
        let mut with_proof = unsigned;
        attach(&mut with_proof, options, &proof);

        let id = id.to_string();
        let signed = Signed { facts, credential: Value::Object(with_proof), jwt };
        let (data_key, wrapped_key) = DataKey::make(&*self.deps.keys, org, &id).await?;
        let content = serde_json::to_vec(&signed).map_err(|error| Error::Defect(error.to_string()))?;
        let mut tx = self.deps.store.write(&call.shared_scope()).await?;
        if let Some(known) = awards::certificate(&tx, &award.id).await? {
            return Ok(known);
        }
        let entry = AuditEntry::done("certificate.issued", &id).in_program(super::program_id(&award.program_id)?);
        let entry = entry.fact("credit", &award.id).fact("credential_sha256", &sha256).fact("signing_key", key.multikey());
        let row = certificate::Model {
            org_id: tx.org_key(),
            event_id: tx.audit(entry)?.to_string(),
            award_id: award.id.clone(),
            code,
            signing_key: key.multikey(),
            credential_sha256: sha256,
            sealed: data_key.seal(&place(org, "credits_certificate", &id), &content)?,
            wrapped_key,
            issued_at: tx.now().micros(),
            id,
        };
        tx.insert(row.clone()).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// What the certificate of an award states.
    async fn facts(&self, call: &Call, award: &award::Model, id: CertificateId, code: &str) -> Result<Facts, Error> {
        let (offer, accreditation) = {
            let tx = self.deps.store.read(&call.shared_scope()).await?;
            let offer = offer_rows::get(&tx, &award.offer_id).await?.ok_or_else(|| Error::Defect("an award without an offer".into()))?;
            let accreditation = offer_rows::accreditation(&tx, &offer.accreditation_id).await?;
            (offer, accreditation.ok_or_else(|| Error::Defect("an offer without an accreditation".into()))?)
        };
        let asked = credentials::FindAssertionRequest {
            learner: award.learner.clone(),
            assertion_id: award.assertion_id.clone(),
            ..credentials::FindAssertionRequest::default()
        };
        let person = self.credentials.clone().find_assertion(call.request(asked)?).await?.into_inner();
        let log = self.audit.clone().get_log_key(call.request(audit::GetLogKeyRequest {})?).await?.into_inner();
        let kind = rules::credit_type(&offer.credit_type, Timestamp::from_micros(offer.designated_at));
        let view = offers::view(offer.clone(), Timestamp::from_micros(offer.designated_at));
        Ok(Facts {
            certificate_id: id.to_string(),
            subject_uuid: id.uuid().to_string(),
            code: printed(code),
            verify_url: format!("{}/{code}", self.deps.verify_url),
            name: person.name,
            degree: person.degree,
            provider: accreditation.provider,
            activity: offer.activity_title.clone(),
            format: rules::format_words(&offer.activity_format).unwrap_or_default().to_owned(),
            credit_name: view.credit_name,
            quarters: award.quarters,
            designated_quarters: award.designated_quarters,
            is_credit: award.recognition == "credit",
            participation: kind.map(|kind| kind.participation(offer.designated_quarters)).unwrap_or_default(),
            completed_at: Timestamp::from_micros(award.quiz_completed_at).to_string(),
            issued_at: Timestamp::from_micros(award.issued_at).to_string(),
            accreditation_statement: offer.accreditation_statement,
            designation_statement: offer.designation_statement,
            log_key: log.log_key,
        })
    }

    /// The proof of the log, as soon as the log holds the record.
    async fn proof(&self, call: &Call, event: &str) -> Result<audit::InclusionProof, Error> {
        for _ in 0..LOG_TRIES {
            let request = audit::ProveRequest { event_id: event.to_owned() };
            match self.audit.clone().prove(call.request(request)?).await {
                Ok(proof) => return Ok(proof.into_inner()),
                Err(status) if status.code() == tonic::Code::NotFound => tokio::time::sleep(LOG_PAUSE).await,
                Err(status) => return Err(status.into()),
            }
        }
        Err(Error::Preparing)
    }

    async fn print(&self, call: &Call, row: &certificate::Model) -> Result<(), Error> {
        let scope = call.shared_scope();
        let org = scope.org();
        if awards::certificate_file(&self.deps.store.read(&scope).await?, &row.id).await?.is_some() {
            return Ok(());
        }
        let (data_key, signed) = self.unseal(org, row).await?;
        let proof = self.proof(call, &row.event_id).await?;
        let key = IssuerKey::of_multikey(&row.signing_key).ok_or_else(|| Error::Defect("a stored key cannot be read".into()))?;
        let attachments =
            Attachments { credential: signed.credential.to_string(), jwt: signed.jwt.clone(), proof: proof.proof, record: proof.record };
        let facts = signed.facts.clone();
        let content = self.behind_the_scenes(move || preceptor_certificate::print(&facts, &key, &attachments)).await??;
        let signature = self.signature(org, &seal::message(&content)).await?;
        let pdf = seal::close(&content, &key, &signature).ok_or_else(|| Error::Defect("a PDF without cross references".into()))?;
        // Nothing is handed out that a verifier would refuse.
        let checked = self.behind_the_scenes(move || preceptor_certificate::verify::verify(&pdf, Some(&key)).map(|_| pdf)).await?;
        let pdf = checked.map_err(|refusal| Error::Defect(refusal.to_string()))?;

        let tx = self.deps.store.write(&scope).await?;
        if awards::certificate_file(&tx, &row.id).await?.is_some() {
            return Ok(());
        }
        let file = certificate_file::Model {
            org_id: tx.org_key(),
            certificate_id: row.id.clone(),
            sealed: data_key.seal(&place(org, "credits_certificate_file", &row.id), &pdf)?,
            sha256: hex::encode(Sha256::digest(&pdf)),
            leaf_index: proof.index,
            rendered_at: tx.now().micros(),
        };
        tx.insert(file).await?;
        Ok(tx.commit().await?)
    }

    /// Typesetting, canonical forms and proofs take a core for a while; whoever claims a credit meanwhile comes first.
    async fn behind_the_scenes<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        self.backstage.run(work).await.ok_or_else(|| Error::Defect("the printer of certificates is gone".into()))
    }

    async fn unseal(&self, org: OrgId, row: &certificate::Model) -> Result<(DataKey, Signed), Error> {
        let key = DataKey::open(&*self.deps.keys, org, &row.id, &row.wrapped_key).await?;
        let content = key.unseal(&place(org, "credits_certificate", &row.id), &row.sealed)?;
        let signed = serde_json::from_slice(&content).map_err(|error| Error::Defect(error.to_string()))?;
        Ok((key, signed))
    }

    /// The files of a certificate, to its holder.
    pub(crate) async fn certificate(&self, scope: &Arc<Scope>, credit: &str) -> Result<Files, Error> {
        let (row, file) = {
            let tx = self.deps.store.read(scope).await?;
            let award = rules_of_awards::visible(&tx, scope, credit).await?;
            if award.learner != scope.subject() {
                return Err(Error::NotFound(Missing::Credit));
            }
            let row = awards::certificate(&tx, &award.id).await?.ok_or(Error::Preparing)?;
            let file = awards::certificate_file(&tx, &row.id).await?.ok_or(Error::Preparing)?;
            (row, file)
        };
        let (key, signed) = self.unseal(scope.org(), &row).await?;
        Ok(Files {
            pdf: key.unseal(&place(scope.org(), "credits_certificate_file", &row.id), &file.sealed)?,
            sha256: file.sha256,
            badge: signed.credential.to_string(),
            jwt: signed.jwt,
            code: signed.facts.code,
        })
    }

    /// That the log, as it is now, continues the checkpoint under which a certificate was proved: every certificate is a
    /// witness against a log that was rewritten.
    pub(crate) async fn confirm(&self, call: &Call, files: &Files) -> Result<(), Error> {
        let pdf = files.pdf.clone();
        let read = tokio::task::spawn_blocking(move || preceptor_certificate::verify::log_proof(&pdf)).await;
        let proof = read.map_err(|error| Error::Defect(error.to_string()))?.map_err(|refusal| Error::Defect(refusal.to_string()))?;
        let request = audit::ConfirmCheckpointRequest { note: proof.checkpoint };
        self.audit.clone().confirm_checkpoint(call.request(request)?).await?;
        Ok(())
    }

    /// What a certificate says, to anybody who holds its code. That somebody looked is for the record.
    pub(crate) async fn look_up(&self, code: &str, note: &Note) -> Result<Summary, Error> {
        let code = typed(code);
        if code.len() != ORG_LETTERS + RANDOM_LETTERS {
            return Err(Error::NotFound(Missing::Certificate));
        }
        let orgs = self.deps.store.known_orgs().await?;
        for org in orgs.into_iter().filter(|org| code.starts_with(&org_letters(*org))) {
            let scope = Arc::new(Scope::of_system(SystemActor::Credits, org));
            let tx = self.deps.store.read(&scope).await?;
            let Some(row) = awards::certificate_of_code(&tx, &code).await? else { continue };
            let void = awards::void(&tx, &row.award_id).await?;
            let annotations = awards::annotations(&tx, &row.award_id).await?;
            let (_, signed) = self.unseal(org, &row).await?;
            note.acting(Arc::new(Scope::of_system(SystemActor::Gateway, org)));
            note.fact("certificate", &row.id);
            return Ok(Summary {
                badge: signed.credential.to_string(),
                facts: signed.facts,
                signing_key: row.signing_key,
                void,
                annotations,
            });
        }
        Err(Error::NotFound(Missing::Certificate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_survives_being_read_aloud_and_typed() {
        let code = format!("{}{}", org_letters(OrgId::generate()), letters(&[7; RANDOM_LETTERS], RANDOM_LETTERS));
        let spoken = printed(&code).to_lowercase().replace('0', "o").replace('1', "l");
        assert_eq!(typed(&spoken), code);
    }
}
