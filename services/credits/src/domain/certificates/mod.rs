//! Certificates: signed once, proved by the log, printed, and looked up by the one who holds the code.

mod codes;
mod due;
mod files;
mod names;
mod public;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use preceptor_certificate::status::{ENTRIES, Entry};
use preceptor_certificate::{
    Attachments, Details, Facts, IssuerKey, Layout, Logo, Paper, Published, assemble_jwt, attach, credential,
    credential_sha256, grouped, hash_data, jwt_signing_input, proof_options, seal,
};
use preceptor_core::Timestamp;
use preceptor_core::id::{CertificateId, OrgId};
use preceptor_keys::{DataKey, KeyError, KeyName, Purpose};
use preceptor_proto::audit::v1 as audit;
use preceptor_proto::credentials::v1 as credentials;
use preceptor_rpc::Call;
use preceptor_store::AuditEntry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Credits, PATIENCE, rules, settings};
use crate::Error;
use crate::error::Missing;
use crate::store::{
    accreditation, accreditation_decision, award, awards, certificate, certificate_file, certificates, offer,
    offers as offer_rows, status_entry,
};

pub(super) use due::MOST_FAILURES;
pub(crate) use due::{ORGS_AT_ONCE, Printer};
pub(crate) use names::Names;
pub(crate) use public::{Activity, Issuer, Lists, Summary, lists};

/// How long the log may take to hold a record that was just committed.
const LOG_TRIES: usize = 100;
const LOG_PAUSE: Duration = Duration::from_millis(50);
/// Places that are tried in a list before the next one is begun: lists fill to about a half.
const PLACES_TRIED: usize = 16;

/// What was signed, as it is sealed.
#[derive(Debug, Serialize, Deserialize)]
struct Signed {
    facts: Facts,
    credential: Value,
    jwt: String,
    /// The paper of the first print. The first certificates were all printed on A4.
    #[serde(default = "a4")]
    paper: String,
}

fn a4() -> String {
    Paper::A4.name().to_owned()
}

impl Signed {
    fn paper(&self) -> Paper {
        Paper::of_name(&self.paper).unwrap_or(Paper::A4)
    }
}

/// How a certificate is set.
struct Sheet {
    paper: Paper,
    proof: audit::InclusionProof,
    mark: Option<Mark>,
}

/// What the sheet of a voided certificate says besides.
struct Mark {
    voided_at: String,
    /// The signed list that says so; older certificates are on none.
    status_list: Option<String>,
}

/// What a certificate rests on.
struct Ground {
    offer: offer::Model,
    accreditation: accreditation::Model,
    /// What the operator had confirmed by then.
    confirmation: Option<accreditation_decision::Model>,
    /// The paper that the org chose.
    paper: Option<Paper>,
    /// A free place in a list of voided certificates.
    list: i64,
    place: i64,
}

/// What the sheet says of an activity and its provider beside their statements.
fn details(offer: &offer::Model, accreditation: &accreditation::Model) -> Details {
    let instant = |micros: i64| Timestamp::from_micros(micros).to_string();
    let lines = |text: &str| text.lines().map(str::to_owned).collect();
    let logo = accreditation.logo.as_ref().map(|content| Logo {
        media_type: accreditation.logo_type.clone(),
        base64: base64::engine::general_purpose::STANDARD.encode(content),
    });
    Details {
        activity_id: offer.id.clone(),
        activity_number: offer.activity_number.clone(),
        provider_number: accreditation.provider_number.clone(),
        released_on: instant(if offer.released_at == 0 { offer.opens_at } else { offer.released_at }),
        reviewed_on: offer.reviewed_at.map(instant).unwrap_or_default(),
        terminates_on: instant(offer.terminates_at),
        joint_providers: lines(&offer.joint_providers),
        moc_statements: lines(&offer.moc_statements),
        signatory_name: accreditation.signatory_name.clone(),
        signatory_title: accreditation.signatory_title.clone(),
        logo,
        ..Details::default()
    }
}

/// Where a sealed column is, for the cipher.
fn place(org: OrgId, table: &str, certificate: &str) -> String {
    format!("{org}/{table}/sealed/{certificate}")
}

impl Credits {
    /// The signed certificate of an award, which has to be as it was awarded.
    async fn signed(&self, org: OrgId, award: &str) -> Result<certificate::Model, Error> {
        let call = self.deps.system.call(org, PATIENCE).await?;
        let (award, known) = {
            let tx = self.deps.store.read(&call.shared_scope()).await?;
            let stored = awards::get(&tx, award).await?.ok_or(Error::NotFound(Missing::Credit))?;
            let award = self.intact_award(org, stored).await?;
            let known = certificates::of_award(&tx, &award.id).await?;
            (award, known)
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
        self.names.know(org);
        let code = codes::new(org);
        let ground = self.ground(call, award).await?;
        let facts = self.facts(call, award, id, &code, &ground).await?;
        facts.check()?;

        let unsigned = credential(&facts, &key);
        let whole = Value::Object(unsigned.clone());
        let options = proof_options(&key, &facts.issued_at);
        let proved = options.clone();
        let (sha256, hashed) =
            self.behind_the_scenes(move || (credential_sha256(&whole), hash_data(&whole, &proved))).await?;
        let (sha256, proof) = (sha256?, self.signature(org, &hashed?).await?);
        let input = jwt_signing_input(&unsigned, &key, Timestamp::from_micros(award.issued_at).seconds())?;
        let jwt = assemble_jwt(&input, &self.signature(org, input.as_bytes()).await?);
        let mut with_proof = unsigned;
        attach(&mut with_proof, options, &proof);

        let id = id.to_string();
        let usual = rules::paper(&ground.accreditation.body);
        let paper = ground.paper.map_or(usual, Paper::name).to_owned();
        let signed = Signed { facts, credential: Value::Object(with_proof), jwt, paper };
        let (data_key, wrapped_key) = DataKey::make(&*self.deps.keys, org, &id).await?;
        let content = serde_json::to_vec(&signed).map_err(|error| Error::Defect(error.to_string()))?;
        let mut tx = self.deps.store.write(&call.shared_scope()).await?;
        if let Some(known) = certificates::of_award(&tx, &award.id).await? {
            return Ok(known);
        }
        let entry =
            AuditEntry::done("certificate.issued", &id).in_program(super::program_id(&award.program_id)?);
        let entry = entry
            .fact("credit", &award.id)
            .fact("credential_sha256", &sha256)
            .fact("signing_key", key.multikey());
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
        let entry = status_entry::Model {
            org_id: tx.org_key(),
            certificate_id: row.id.clone(),
            list: ground.list,
            place: ground.place,
        };
        tx.insert(entry).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// What the certificate of an award rests on. Nothing is signed for an award without it.
    async fn ground(&self, call: &Call, award: &award::Model) -> Result<Ground, Error> {
        let tx = self.deps.store.read(&call.shared_scope()).await?;
        self.earned_by(&tx, award).await?;
        let offer = offer_rows::get(&tx, &award.offer_id)
            .await?
            .ok_or_else(|| Error::Defect("an award without an offer".into()))?;
        let accreditation = offer_rows::accreditation(&tx, &offer.accreditation_id).await?;
        let accreditation =
            accreditation.ok_or_else(|| Error::Defect("an offer without an accreditation".into()))?;
        let confirmation = match &award.accreditation_decision {
            Some(decision) => offer_rows::decision_of_id(&tx, decision).await?,
            None => None,
        };
        let list = certificates::newest_list(&tx).await?.unwrap_or(1);
        // Any place will do as long as it tells nothing. Should someone else take it meanwhile, the table says so.
        let places = rand::random::<[u32; PLACES_TRIED]>().map(|number| i64::from(number % ENTRIES));
        let taken = certificates::taken(&tx, list, &places).await?;
        let free = places.into_iter().find(|place| !taken.contains(place));
        let (list, place) = free.map_or((list + 1, places[0]), |place| (list, place));
        Ok(Ground { offer, accreditation, confirmation, paper: settings::paper(&tx).await?, list, place })
    }

    /// What the certificate of an award states.
    async fn facts(
        &self,
        call: &Call,
        award: &award::Model,
        id: CertificateId,
        code: &str,
        ground: &Ground,
    ) -> Result<Facts, Error> {
        let org = call.scope().org();
        let asked = credentials::FindAssertionRequest {
            learner: award.learner.clone(),
            assertion_id: award.assertion_id.clone(),
            ..credentials::FindAssertionRequest::default()
        };
        let person = self.credentials.clone().find_assertion(call.request(asked)?).await?.into_inner();
        let log =
            self.audit.clone().get_log_key(call.request(audit::GetLogKeyRequest {})?).await?.into_inner();
        let of_activity = self.activity_facts(org, &ground.offer, &ground.accreditation);
        let status = Entry {
            list: self.public_url("v1/status-lists", &codes::list(org, ground.list)),
            index: ground.place.try_into().unwrap_or_default(),
        };
        // What was known of the accreditation when the credit was awarded, and by whom it was issued.
        let details = Details {
            org: self.org_name(call, &award.org_id).await?,
            accreditation_confirmed: award.accreditation_confirmed,
            confirmed_at: ground
                .confirmation
                .as_ref()
                .map(|decision| Timestamp::from_micros(decision.decided_at).to_string())
                .unwrap_or_default(),
            ..of_activity.details
        };
        Ok(Facts {
            certificate_id: id.to_string(),
            subject_uuid: id.uuid().to_string(),
            code: grouped(code),
            verify_url: self.public_url("verify", code),
            name: person.name,
            degree: person.degree,
            quarters: award.quarters,
            is_credit: award.recognition == "credit",
            completed_at: Timestamp::from_micros(award.quiz_completed_at).to_string(),
            issued_at: Timestamp::from_micros(award.issued_at).to_string(),
            log_key: log.log_key,
            status: Some(status),
            details,
            ..of_activity
        })
    }

    /// What all certificates of an activity state alike.
    fn activity_facts(
        &self,
        org: OrgId,
        offer: &offer::Model,
        accreditation: &accreditation::Model,
    ) -> Facts {
        let kind = rules::credit_type(&offer.credit_type, Timestamp::from_micros(offer.designated_at));
        let activity_url = self.public_url("activities", &codes::activity(org, &offer.id));
        Facts {
            certificate_id: String::new(),
            subject_uuid: String::new(),
            code: String::new(),
            verify_url: String::new(),
            name: String::new(),
            degree: String::new(),
            provider: accreditation.provider.clone(),
            activity: offer.activity_title.clone(),
            format: rules::format_words(&offer.activity_format).unwrap_or_default().to_owned(),
            credit_name: kind.map_or_else(|| offer.credit_type.clone(), |kind| kind.name.clone()),
            quarters: 0,
            designated_quarters: offer.designated_quarters,
            is_credit: true,
            participation: kind.map(|kind| kind.participation(offer.designated_quarters)).unwrap_or_default(),
            completed_at: String::new(),
            issued_at: String::new(),
            accreditation_statement: offer.accreditation_statement.clone(),
            designation_statement: offer.designation_statement.clone(),
            log_key: String::new(),
            published: Some(Published {
                image_url: format!("{activity_url}/badge.svg"),
                activity_url,
                issuer_url: self.public_url("issuers", &codes::public(org)),
            }),
            status: None,
            details: details(offer, accreditation),
        }
    }

    /// The address of something that anyone may look at.
    fn public_url(&self, kind: &str, code: &str) -> String {
        format!("{}/{kind}/{code}", self.deps.public_url)
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
        if certificates::file(&self.deps.store.read(&scope).await?, &row.id).await?.is_some() {
            return Ok(());
        }
        let (data_key, signed) = self.unseal(scope.org(), row).await?;
        let proof = self.proof(call, &row.event_id).await?;
        let leaf_index = proof.index;
        let sheet = Sheet { paper: signed.paper(), proof, mark: None };
        let pdf = self.set(scope.org(), row, &signed, sheet).await?;
        let tx = self.deps.store.write(&scope).await?;
        if certificates::file(&tx, &row.id).await?.is_some() {
            return Ok(());
        }
        let file = certificate_file::Model {
            org_id: tx.org_key(),
            certificate_id: row.id.clone(),
            sealed: data_key.seal(&place(scope.org(), "credits_certificate_file", &row.id), &pdf)?,
            sha256: hex::encode(Sha256::digest(&pdf)),
            leaf_index,
            rendered_at: tx.now().micros(),
        };
        tx.insert(file).await?;
        Ok(tx.commit().await?)
    }

    /// The sealed file of a certificate.
    async fn set(
        &self,
        org: OrgId,
        row: &certificate::Model,
        signed: &Signed,
        sheet: Sheet,
    ) -> Result<Vec<u8>, Error> {
        let Sheet { paper, proof, mark } = sheet;
        let (voided_at, status_list) = mark.map(|mark| (mark.voided_at, mark.status_list)).unzip();
        let key = IssuerKey::of_multikey(&row.signing_key)
            .ok_or_else(|| Error::Defect("a stored key cannot be read".into()))?;
        let attachments = Attachments {
            credential: signed.credential.to_string(),
            jwt: signed.jwt.clone(),
            proof: proof.proof,
            record: proof.record,
            status_list: status_list.flatten(),
        };
        let layout = Layout { paper, fonts: Arc::clone(&self.deps.fonts), voided_at };
        let facts = signed.facts.clone();
        let content = self
            .behind_the_scenes(move || preceptor_certificate::print(&facts, &attachments, &layout))
            .await??;
        let signature = self.signature(org, &seal::message(&content)).await?;
        let pdf = seal::close(&content, &key, &signature)
            .ok_or_else(|| Error::Defect("a PDF without cross references".into()))?;
        // Nothing is handed out that a verifier would refuse.
        let checked = self
            .behind_the_scenes(move || preceptor_certificate::verify::verify(&pdf, Some(&key)).map(|_| pdf))
            .await?;
        checked.map_err(|refusal| Error::Defect(refusal.to_string()))
    }

    /// Typesetting, canonical forms and proofs take a core for a while; anyone who claims a credit meanwhile comes first.
    pub(super) async fn behind_the_scenes<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.backstage
            .run(work)
            .await
            .ok_or_else(|| Error::Defect("the printer of certificates is gone".into()))
    }

    async fn unseal(&self, org: OrgId, row: &certificate::Model) -> Result<(DataKey, Signed), Error> {
        let key = DataKey::open(&*self.deps.keys, org, &row.id, &row.wrapped_key).await?;
        let content = key.unseal(&place(org, "credits_certificate", &row.id), &row.sealed)?;
        let signed = serde_json::from_slice(&content).map_err(|error| Error::Defect(error.to_string()))?;
        Ok((key, signed))
    }
}
