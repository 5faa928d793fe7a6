//! Designation: link 2.

use std::collections::{BTreeSet, HashMap};

use preceptor_core::id::OfferId;
use preceptor_core::{DisplayName, DisplayProblem, DisplayText, Timestamp};
use preceptor_rpc::Call;
use preceptor_store::{AuditEntry, TenantTx};
use sha2::{Digest as _, Sha256};

use super::accreditations::{self, AccreditationView};
use super::rules::{self, PROFESSIONS};
use super::{Credits, program_id, shown};
use crate::Error;
use crate::error::Missing;
use crate::store::{offer, offers, recognition};

/// The classes of sources, as the tables name them.
pub(crate) const CLASSES: [&str; 4] = ["pubmed", "crossref", "guideline", "provider_attested"];
/// 100 credits: more than any activity is designated for.
const MOST_QUARTERS: i64 = 400;
/// How surely a credential is known where the admin says nothing else: at a registry or a board, not by the person alone.
pub(crate) const DEFAULT_LEVEL: i64 = 1;
/// Joint providers, or statements of maintenance of certification, of one activity.
const MOST_LINES: usize = 8;
/// The longest name of a joint provider.
const MOST_PROVIDER: usize = 300;
/// The longest statement of maintenance of certification.
const MOST_STATEMENT: usize = 600;

/// An offer with what each profession receives.
#[derive(Debug, Clone)]
pub(crate) struct OfferView {
    pub(crate) offer: offer::Model,
    pub(crate) credit_professions: Vec<String>,
    pub(crate) credit_name: String,
    /// The accreditation that it is made under.
    pub(crate) accreditation: AccreditationView,
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
    pub(crate) activity_number: String,
    pub(crate) released_at: Option<i64>,
    pub(crate) reviewed_at: Option<i64>,
    pub(crate) joint_providers: Vec<String>,
    pub(crate) moc_statements: Vec<String>,
}

/// The classes of a policy, sorted and without repetition; all when none is named.
pub(crate) fn policy_classes(named: &[String]) -> Result<Vec<String>, Error> {
    if let Some(unknown) = named.iter().find(|class| !CLASSES.contains(&class.as_str())) {
        return Err(Error::field(
            "source_classes",
            format!("{unknown} is not a class; use {}", CLASSES.join(", ")),
        ));
    }
    let named: BTreeSet<&str> =
        if named.is_empty() { CLASSES.into() } else { named.iter().map(String::as_str).collect() };
    Ok(named.into_iter().map(str::to_owned).collect())
}

/// The id of a policy names its classes.
pub(crate) fn policy_key(classes: &[String]) -> String {
    classes.join("+")
}

impl Credits {
    /// Refuses, before anything is issued, what certificates could not show as it is.
    pub(super) fn check_printable(&self, field: &'static str, text: &str) -> Result<(), Error> {
        self.deps.fonts.can_print(text).map_err(|missing| Error::NotPrintable { field, missing })
    }

    /// Designates a program. The database refuses what is retroactive or outside the accreditation.
    pub(crate) async fn designate(&self, call: &Call, new: NewOffer) -> Result<OfferView, Error> {
        let program = self.program(call, &new.program).await?;
        self.check_printable("program_title", &program.title)?;
        self.check_printable("activity_number", &new.activity_number)?;
        for (field, texts) in
            [("joint_providers", &new.joint_providers), ("moc_statements", &new.moc_statements)]
        {
            for text in texts {
                self.check_printable(field, text)?;
            }
        }
        let scope = call.shared_scope();
        let mut tx = self.deps.store.write(&scope).await?;
        let accreditation = accreditations::view(&tx, &new.accreditation)
            .await?
            .ok_or(Error::NotFound(Missing::Accreditation))?;
        let accreditation = accreditation.not_rejected()?;
        let row = offer_row(&tx, &new, &program.title, &accreditation)?;
        offers::ensure_policy(&tx, &row.policy_id).await?;
        tx.insert(row.clone()).await?;
        let credit = credit_professions(&row, tx.now());
        tx.insert_all(recognitions(&row, &credit)).await?;
        let entry = AuditEntry::done("program.designated", &row.id).in_program(program_id(&program.id)?);
        let entry = entry
            .fact("credit_type", &row.credit_type)
            .fact("quarters", row.designated_quarters)
            .fact("rules", &row.rules);
        let entry = entry
            .fact("opens_at", row.opens_at)
            .fact("terminates_at", row.terminates_at)
            .fact("accreditation", &row.accreditation_id);
        tx.audit(
            entry.fact("statements_sha256", &row.statements_sha256).fact("minimum_level", row.minimum_level),
        )?;
        let mut made = view(row, accreditation, tx.now());
        tx.commit().await?;
        self.name_org(call, std::slice::from_mut(&mut made)).await?;
        Ok(made)
    }

    pub(crate) async fn offers(&self, call: &Call, program: &str) -> Result<Vec<OfferView>, Error> {
        self.program_or_own_work(call, program).await?;
        let tx = self.deps.store.read(&call.shared_scope()).await?;
        let mut views = views(&tx, offers::of_program(&tx, program).await?).await?;
        drop(tx);
        self.name_org(call, &mut views).await?;
        Ok(views.into_iter().map(|view| shown::offer(call.scope(), view)).collect())
    }

    /// Has offers say whose they are, since an accreditation may be in anyone's name, and what their certificates cannot show.
    pub(super) async fn name_org(&self, call: &Call, views: &mut [OfferView]) -> Result<(), Error> {
        let Some(first) = views.first() else { return Ok(()) };
        // All are of the caller's org.
        let org_name = self.org_name(call, &first.offer.org_id).await?;
        for view in views {
            view.accreditation = self.shown(view.accreditation.clone(), org_name.clone());
        }
        Ok(())
    }
}

/// Offers with their words and the accreditation behind them.
pub(super) async fn views(tx: &TenantTx, rows: Vec<offer::Model>) -> Result<Vec<OfferView>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: BTreeSet<String> = rows.iter().map(|row| row.accreditation_id.clone()).collect();
    let accreditations = offers::accreditations_of(tx, ids.into_iter().collect()).await?;
    let accreditations: HashMap<String, AccreditationView> = accreditations::views(tx, accreditations)
        .await?
        .into_iter()
        .map(|accreditation| (accreditation.row.id.clone(), accreditation))
        .collect();
    let shown = |row: offer::Model| {
        let accreditation = accreditations.get(&row.accreditation_id).cloned();
        Ok(view(row, accreditation.ok_or_else(without_accreditation)?, tx.now()))
    };
    rows.into_iter().map(shown).collect()
}

pub(super) fn without_accreditation() -> Error {
    Error::Defect("an offer without an accreditation".into())
}

/// The accreditation that an offer is made under.
pub(super) async fn accreditation_of(
    tx: &TenantTx,
    offer: &offer::Model,
) -> Result<AccreditationView, Error> {
    let found = accreditations::view(tx, &offer.accreditation_id).await?;
    found.ok_or_else(without_accreditation)
}

/// An offer with its words.
pub(crate) fn view(offer: offer::Model, accreditation: AccreditationView, now: Timestamp) -> OfferView {
    OfferView {
        accreditation,
        credit_professions: credit_professions(&offer, now),
        credit_name: credit_name(&offer, now),
        offer,
    }
}

/// What the type of an offer's credit is called.
pub(super) fn credit_name(offer: &offer::Model, now: Timestamp) -> String {
    let kind = rules::credit_type(&offer.credit_type, now);
    kind.map_or_else(|| offer.credit_type.clone(), |kind| kind.name.clone())
}

fn credit_professions(offer: &offer::Model, now: Timestamp) -> Vec<String> {
    rules::credit_type(&offer.credit_type, now).map(|kind| kind.professions.clone()).unwrap_or_default()
}

fn recognitions(offer: &offer::Model, credit: &[String]) -> Vec<recognition::Model> {
    let of = |profession: &str| recognition::Model {
        org_id: offer.org_id.clone(),
        offer_id: offer.id.clone(),
        profession: profession.to_owned(),
        recognition: if credit.iter().any(|named| named == profession) { "credit" } else { "participation" }
            .to_owned(),
    };
    PROFESSIONS.iter().map(|profession| of(profession)).collect()
}

/// When an activity was released and reviewed. What is not looked at again in time ends.
fn dates(new: &NewOffer, now: i64) -> Result<(i64, Option<i64>), Error> {
    let opens_at = new.opens_at.unwrap_or(now);
    let released_at = new.released_at.unwrap_or(opens_at);
    if released_at > opens_at {
        return Err(Error::field("released_at", "must not be later than the day on which credit opens"));
    }
    if new.reviewed_at.is_some_and(|reviewed| reviewed < released_at || reviewed > now) {
        return Err(Error::field("reviewed_at", "must be a day between the release and today"));
    }
    let last = Timestamp::from_micros(new.reviewed_at.unwrap_or(released_at));
    if let Some((latest, years)) = rules::review_due(&new.format, last)
        && new.terminates_at > latest.micros()
    {
        let what = format!(
            "must be at most {years} years after the release or the last review of this format; review it, then designate anew"
        );
        return Err(Error::field("terminates_at", what));
    }
    Ok((released_at, new.reviewed_at))
}

fn organization(text: &str) -> Result<String, DisplayProblem> {
    DisplayName::within(text, MOST_PROVIDER).map(DisplayName::into_string)
}

fn statement(text: &str) -> Result<String, DisplayProblem> {
    DisplayText::new(text, MOST_STATEMENT).map(DisplayText::into_string)
}

/// Lines of a sheet as they are stored, each checked.
fn lines(
    field: &'static str,
    texts: &[String],
    checked: impl Fn(&str) -> Result<String, DisplayProblem>,
) -> Result<String, Error> {
    if texts.len() > MOST_LINES {
        return Err(Error::field(field, format!("has at most {MOST_LINES} entries")));
    }
    let mut lines = Vec::with_capacity(texts.len());
    for text in texts {
        lines.push(checked(text).map_err(|problem| Error::field(field, problem.to_string()))?);
    }
    Ok(lines.join("\n"))
}

fn offer_row(
    tx: &TenantTx,
    new: &NewOffer,
    title: &str,
    accreditation: &AccreditationView,
) -> Result<offer::Model, Error> {
    let now = tx.now();
    let accreditation = &accreditation.row;
    let kind = rules::credit_type(&new.credit_type, now)
        .ok_or_else(|| Error::field("credit_type", format!("must be one of {}", rules::credit_types())))?;
    if !kind.bodies.contains(&accreditation.body) {
        return Err(Error::BodyDoesNotCover {
            body: accreditation.body.clone(),
            kind: kind.id.clone(),
            bodies: kind.bodies.join(" or "),
        });
    }
    let format = rules::format_words(&new.format)
        .ok_or_else(|| Error::field("activity_format", format!("must be one of {}", rules::formats())))?;
    if !(1..=MOST_QUARTERS).contains(&new.quarters) {
        return Err(Error::field("maximum", "must be in steps of 0.25, more than 0 and at most 100"));
    }
    if !(0..=3).contains(&new.minimum_level) {
        return Err(Error::field("minimum_level", "must be between 0 and 3"));
    }
    let joint_providers = lines("joint_providers", &new.joint_providers, organization)?;
    // ACCME: a provider on probation may not provide jointly.
    if !joint_providers.is_empty() && accreditation.status == "probation" {
        return Err(Error::field("joint_providers", "a provider on probation may not provide jointly"));
    }
    let (released_at, reviewed_at) = dates(new, now.micros())?;
    let accreditation_statement =
        rules::accreditation_statement(&accreditation.body, &accreditation.provider, now)
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
        statements_sha256: hex::encode(Sha256::digest(format!(
            "{accreditation_statement}\n{designation_statement}"
        ))),
        accreditation_statement,
        designation_statement,
        rules: kind.edition(),
        designated_by: tx.scope().subject().to_owned(),
        designated_at: now.micros(),
        activity_number: accreditations::number("activity_number", &new.activity_number)?,
        released_at,
        reviewed_at,
        joint_providers,
        moc_statements: lines("moc_statements", &new.moc_statements, statement)?,
    })
}
