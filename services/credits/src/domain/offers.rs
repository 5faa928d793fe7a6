//! Accreditation and designation: links 1 and 2.

use std::collections::BTreeSet;
use std::sync::Arc;

use preceptor_core::id::{AccreditationId, OfferId};
use preceptor_core::{DisplayName, Scope, Timestamp};
use preceptor_rpc::Call;
use preceptor_store::{AuditEntry, TenantTx};
use sha2::{Digest as _, Sha256};

use super::rules::{self, PROFESSIONS};
use super::{Credits, program_id};
use crate::Error;
use crate::error::Missing;
use crate::store::{accreditation, offer, offers, recognition};

/// The classes of sources, as the tables name them.
pub(crate) const CLASSES: [&str; 4] = ["pubmed", "crossref", "guideline", "provider_attested"];
/// 100 credits: more than any activity is designated for.
const MOST_QUARTERS: i64 = 400;

/// An offer with what each profession receives.
#[derive(Debug, Clone)]
pub(crate) struct OfferView {
    pub(crate) offer: offer::Model,
    pub(crate) credit_professions: Vec<String>,
    pub(crate) credit_name: String,
}

/// A designation to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewOffer {
    pub(crate) program: String,
    pub(crate) credit_type: String,
    pub(crate) format: String,
    pub(crate) quarters: i64,
    pub(crate) opens_at: Option<i64>,
    pub(crate) terminates_at: i64,
    pub(crate) evaluation_required: bool,
    pub(crate) minimum_level: i64,
    pub(crate) classes: Vec<String>,
    pub(crate) accreditation: String,
}

/// The classes of a policy, sorted and without repetition; all when none is named.
pub(crate) fn policy_classes(named: &[String]) -> Result<Vec<String>, Error> {
    if let Some(unknown) = named.iter().find(|class| !CLASSES.contains(&class.as_str())) {
        return Err(Error::field("source_classes", format!("{unknown} is not a class; use {}", CLASSES.join(", "))));
    }
    let named: BTreeSet<&str> = if named.is_empty() { CLASSES.into() } else { named.iter().map(String::as_str).collect() };
    Ok(named.into_iter().map(str::to_owned).collect())
}

/// The id of a policy names its classes.
pub(crate) fn policy_key(classes: &[String]) -> String {
    classes.join("+")
}

impl Credits {
    pub(crate) async fn record_accreditation(
        &self,
        scope: &Arc<Scope>,
        new: preceptor_proto::credits::v1::RecordAccreditationRequest,
    ) -> Result<accreditation::Model, Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let provider =
            DisplayName::within(&new.provider, 300).map_err(|problem| Error::field("provider", problem.to_string()))?.into_string();
        self.check_printable("provider", &provider)?;
        if rules::accreditation_statement(&new.body, &provider, tx.now()).is_none() {
            return Err(Error::field("body", format!("is none of {}", rules::bodies())));
        }
        if new.valid_from >= new.valid_until {
            return Err(Error::field("valid_until", "must be later than valid_from"));
        }
        let row = accreditation::Model {
            org_id: tx.org_key(),
            id: AccreditationId::generate().to_string(),
            body: new.body,
            provider,
            provider_number: new.provider_number.trim().to_owned(),
            status: if new.status.is_empty() { "accreditation".to_owned() } else { new.status },
            valid_from: new.valid_from,
            valid_until: new.valid_until,
            recorded_by: scope.subject().to_owned(),
            recorded_at: tx.now().micros(),
        };
        tx.insert(row.clone()).await?;
        let entry = AuditEntry::done("accreditation.recorded", &row.id).fact("body", &row.body).fact("status", &row.status);
        tx.audit(entry.fact("valid_from", row.valid_from).fact("valid_until", row.valid_until))?;
        tx.commit().await?;
        Ok(row)
    }

    /// Refuses, before anything is issued, what certificates could not show as it is.
    fn check_printable(&self, field: &'static str, text: &str) -> Result<(), Error> {
        self.deps.fonts.can_print(text).map_err(|missing| Error::NotPrintable { field, missing })
    }

    pub(crate) async fn accreditations(&self, scope: &Arc<Scope>) -> Result<Vec<accreditation::Model>, Error> {
        offers::accreditations(&self.deps.store.read(scope).await?).await
    }

    /// Designates a program. The database refuses what is retroactive or outside the accreditation.
    pub(crate) async fn designate(&self, call: &Call, new: NewOffer) -> Result<OfferView, Error> {
        let program = self.program(call, &new.program).await?;
        self.check_printable("program_title", &program.title)?;
        let scope = call.shared_scope();
        let mut tx = self.deps.store.write(&scope).await?;
        let accreditation = offers::accreditation(&tx, &new.accreditation).await?.ok_or(Error::NotFound(Missing::Accreditation))?;
        let row = offer_row(&tx, &new, &program.title, &accreditation)?;
        offers::ensure_policy(&tx, &row.policy_id).await?;
        tx.insert(row.clone()).await?;
        let credit = credit_professions(&row, tx.now());
        tx.insert_all(recognitions(&row, &credit)).await?;
        let entry = AuditEntry::done("program.designated", &row.id).in_program(program_id(&program.id)?);
        let entry = entry.fact("credit_type", &row.credit_type).fact("quarters", row.designated_quarters).fact("rules", &row.rules);
        let entry = entry.fact("opens_at", row.opens_at).fact("terminates_at", row.terminates_at).fact("accreditation", &accreditation.id);
        tx.audit(entry.fact("statements_sha256", &row.statements_sha256))?;
        let view = view(row, tx.now());
        tx.commit().await?;
        Ok(view)
    }

    pub(crate) async fn offers(&self, call: &Call, program: &str) -> Result<Vec<OfferView>, Error> {
        self.program_or_own_work(call, program).await?;
        let tx = self.deps.store.read(&call.shared_scope()).await?;
        let now = tx.now();
        Ok(offers::of_program(&tx, program).await?.into_iter().map(|row| view(row, now)).collect())
    }
}

/// An offer with its words.
pub(crate) fn view(offer: offer::Model, now: Timestamp) -> OfferView {
    let kind = rules::credit_type(&offer.credit_type, now);
    OfferView {
        credit_professions: credit_professions(&offer, now),
        credit_name: kind.map_or_else(|| offer.credit_type.clone(), |kind| kind.name.clone()),
        offer,
    }
}

fn credit_professions(offer: &offer::Model, now: Timestamp) -> Vec<String> {
    rules::credit_type(&offer.credit_type, now).map(|kind| kind.professions.clone()).unwrap_or_default()
}

fn recognitions(offer: &offer::Model, credit: &[String]) -> Vec<recognition::Model> {
    let of = |profession: &str| recognition::Model {
        org_id: offer.org_id.clone(),
        offer_id: offer.id.clone(),
        profession: profession.to_owned(),
        recognition: if credit.iter().any(|named| named == profession) { "credit" } else { "participation" }.to_owned(),
    };
    PROFESSIONS.iter().map(|profession| of(profession)).collect()
}

fn offer_row(tx: &TenantTx, new: &NewOffer, title: &str, accreditation: &accreditation::Model) -> Result<offer::Model, Error> {
    let now = tx.now();
    let kind = rules::credit_type(&new.credit_type, now)
        .ok_or_else(|| Error::field("credit_type", format!("is none of {}", rules::credit_types())))?;
    if !kind.bodies.contains(&accreditation.body) {
        return Err(Error::BodyDoesNotCover { body: accreditation.body.clone(), kind: kind.id.clone(), bodies: kind.bodies.join(" or ") });
    }
    let format =
        rules::format_words(&new.format).ok_or_else(|| Error::field("activity_format", format!("is none of {}", rules::formats())))?;
    if !(1..=MOST_QUARTERS).contains(&new.quarters) {
        return Err(Error::field("maximum", "must be in steps of 0.25, more than 0 and at most 100"));
    }
    if !(0..=3).contains(&new.minimum_level) {
        return Err(Error::field("minimum_level", "must be between 0 and 3"));
    }
    let accreditation_statement = rules::accreditation_statement(&accreditation.body, &accreditation.provider, now)
        .ok_or_else(|| Error::field("accreditation_id", "is of a body whose statement is not known"))?;
    let designation_statement = kind.designation(&accreditation.provider, format, new.quarters);
    Ok(offer::Model {
        org_id: tx.org_key(),
        id: OfferId::generate().to_string(),
        program_id: new.program.clone(),
        credit_type: kind.id.clone(),
        activity_title: title.to_owned(),
        activity_format: new.format.clone(),
        policy_id: policy_key(&policy_classes(&new.classes)?),
        designated_quarters: new.quarters,
        opens_at: new.opens_at.unwrap_or(now.micros()),
        terminates_at: new.terminates_at,
        evaluation_required: new.evaluation_required,
        minimum_level: new.minimum_level,
        accreditation_id: accreditation.id.clone(),
        accreditation_from: accreditation.valid_from,
        accreditation_until: accreditation.valid_until,
        statements_sha256: hex::encode(Sha256::digest(format!("{accreditation_statement}\n{designation_statement}"))),
        accreditation_statement,
        designation_statement,
        rules: kind.edition(),
        designated_by: tx.scope().subject().to_owned(),
        designated_at: now.micros(),
    })
}
