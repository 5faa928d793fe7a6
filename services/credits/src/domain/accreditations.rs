//! Accreditation, link 1: what a provider says of itself, and what the operator of the deployment found out about it.
//!
//! A provider records its own accreditation, and no one has to believe it: it is shown as not confirmed until a second
//! party, the operator, looked it up and said what they saw. Every decision is a row of its own, and an award keeps the
//! one that it was made under.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use preceptor_core::id::{AccreditationDecisionId, AccreditationId, OrgId};
use preceptor_core::{DisplayName, DisplayProblem, DisplayText, Role, Scope, SystemActor, Timestamp};
use preceptor_proto::auth::v1 as auth;
use preceptor_rpc::Call;
use preceptor_store::{AuditEntry, TenantTx};

use super::logo::Logo;
use super::{Credits, bounded, rules};
use crate::Error;
use crate::error::Missing;
use crate::store::{accreditation, accreditation_decision, offers};
use crate::worker::Drawing;

/// The longest evidence.
const MOST_EVIDENCE: usize = 2000;
/// As much as is said of a logo that cannot be printed.
const LONGEST_PROBLEM: usize = 300;
/// The longest name or title of a signatory.
const MOST_NAME: usize = 200;
/// The longest number of a provider or an activity.
const MOST_NUMBER: usize = 100;

/// An accreditation with what is known of it.
#[derive(Debug, Clone)]
pub(crate) struct AccreditationView {
    pub(crate) row: accreditation::Model,
    pub(crate) decision: Option<accreditation_decision::Model>,
    /// The org's name on this platform; empty where no one is shown it.
    pub(crate) org_name: String,
    /// Scripts of which certificates can show no name; empty where no one is shown it.
    pub(crate) unprintable_scripts: Vec<&'static str>,
}

impl From<(accreditation::Model, Option<accreditation_decision::Model>)> for AccreditationView {
    fn from((row, decision): (accreditation::Model, Option<accreditation_decision::Model>)) -> Self {
        Self { row, decision, org_name: String::new(), unprintable_scripts: Vec::new() }
    }
}

impl AccreditationView {
    /// `unconfirmed`, `confirmed` or `rejected`.
    pub(crate) fn state(&self) -> &'static str {
        match &self.decision {
            None => "unconfirmed",
            Some(decision) if decision.confirmed => "confirmed",
            Some(_) => "rejected",
        }
    }

    /// The decision that confirms it.
    pub(crate) fn confirmation(&self) -> Option<&accreditation_decision::Model> {
        self.decision.as_ref().filter(|decision| decision.confirmed)
    }

    /// Refuses what the operator found to be untrue.
    pub(super) fn not_rejected(self) -> Result<Self, Error> {
        if self.state() == "rejected" { Err(Error::AccreditationRejected) } else { Ok(self) }
    }
}

/// An accreditation to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct NewAccreditation {
    pub(crate) body: String,
    pub(crate) provider: String,
    pub(crate) provider_number: String,
    pub(crate) status: String,
    pub(crate) valid_from: i64,
    pub(crate) valid_until: i64,
    pub(crate) signatory_name: String,
    pub(crate) signatory_title: String,
    pub(crate) logo: Vec<u8>,
}

/// A text that may be empty, checked otherwise.
fn optional<T>(
    field: &'static str,
    text: &str,
    checked: impl FnOnce(&str) -> Result<T, DisplayProblem>,
    into: impl FnOnce(T) -> String,
) -> Result<String, Error> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    checked(text).map(into).map_err(|problem| Error::field(field, problem.to_string()))
}

/// A number as an accreditor gives it: letters and digits, which nothing else looks like.
pub(super) fn number(field: &'static str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    let is_plain = text.chars().all(|sign| sign.is_ascii_alphanumeric() || " -./".contains(sign));
    if !is_plain || text.len() > MOST_NUMBER {
        return Err(Error::field(field, format!("must have at most {MOST_NUMBER} letters and digits")));
    }
    Ok(text.to_owned())
}

fn row_of(tx: &TenantTx, new: NewAccreditation) -> Result<accreditation::Model, Error> {
    let provider = DisplayName::within(&new.provider, 300)
        .map_err(|problem| Error::field("provider", problem.to_string()))?
        .into_string();
    if rules::accreditation_statement(&new.body, &provider, tx.now()).is_none() {
        return Err(Error::field("body", format!("must be one of {}", rules::bodies())));
    }
    if new.valid_from >= new.valid_until {
        return Err(Error::field("valid_until", "must be later than valid_from"));
    }
    if let Some((latest, years)) = rules::longest_term(&new.body, Timestamp::from_micros(new.valid_from))
        && new.valid_until > latest.micros()
    {
        let what = format!("no term of this body is longer than {years} years: record each term by itself");
        return Err(Error::field("valid_until", what));
    }
    let logo = Logo::of(new.logo)?;
    Ok(accreditation::Model {
        org_id: tx.org_key(),
        id: AccreditationId::generate().to_string(),
        body: new.body,
        provider,
        provider_number: number("provider_number", &new.provider_number)?,
        status: if new.status.is_empty() { "accreditation".to_owned() } else { new.status },
        valid_from: new.valid_from,
        valid_until: new.valid_until,
        recorded_by: tx.scope().subject().to_owned(),
        recorded_at: tx.now().micros(),
        signatory_name: optional(
            "signatory_name",
            &new.signatory_name,
            |text| DisplayName::within(text, MOST_NAME),
            DisplayName::into_string,
        )?,
        signatory_title: optional(
            "signatory_title",
            &new.signatory_title,
            |text| DisplayText::new(text, MOST_NAME),
            DisplayText::into_string,
        )?,
        logo_type: logo.as_ref().map(|logo| logo.media_type.to_owned()).unwrap_or_default(),
        logo: logo.map(|logo| logo.content),
    })
}

/// An accreditation with what is known of it.
pub(super) async fn view(tx: &TenantTx, id: &str) -> Result<Option<AccreditationView>, Error> {
    let Some(row) = offers::accreditation(tx, id).await? else { return Ok(None) };
    let decision = offers::decision(tx, id).await?;
    Ok(Some((row, decision).into()))
}

/// Every accreditation of an org with what is known of it.
pub(super) async fn all(tx: &TenantTx) -> Result<Vec<AccreditationView>, Error> {
    views(tx, offers::accreditations(tx).await?).await
}

/// Accreditations with what is known of them.
pub(super) async fn views(
    tx: &TenantTx,
    rows: Vec<accreditation::Model>,
) -> Result<Vec<AccreditationView>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let decisions = offers::decisions(tx, rows.iter().map(|row| row.id.clone()).collect()).await?;
    // The last one is the one that holds.
    let mut newest: HashMap<String, accreditation_decision::Model> =
        decisions.into_iter().map(|decision| (decision.accreditation_id.clone(), decision)).collect();
    let view = |row: accreditation::Model| {
        let decision = newest.remove(&row.id);
        AccreditationView::from((row, decision))
    };
    Ok(rows.into_iter().map(view).collect())
}

impl Credits {
    pub(crate) async fn record_accreditation(
        &self,
        call: &Call,
        new: NewAccreditation,
    ) -> Result<AccreditationView, Error> {
        let org_name = self.org_name(call, &call.scope().org().to_string()).await?;
        self.check_logo(call.scope().org(), &new.logo).await?;
        let mut tx = self.deps.store.write(&call.shared_scope()).await?;
        let row = row_of(&tx, new)?;
        let printed = [
            ("provider", &row.provider),
            ("provider_number", &row.provider_number),
            ("signatory_name", &row.signatory_name),
            ("signatory_title", &row.signatory_title),
        ];
        for (field, text) in printed {
            self.check_printable(field, text)?;
        }
        tx.insert(row.clone()).await?;
        let entry = AuditEntry::done("accreditation.recorded", &row.id)
            .fact("body", &row.body)
            .fact("status", &row.status);
        tx.audit(entry.fact("valid_from", row.valid_from).fact("valid_until", row.valid_until))?;
        tx.commit().await?;
        Ok(self.shown((row, None).into(), org_name))
    }

    /// Sets a certificate with a logo: one that cannot be set is refused before it stands in the way of every certificate.
    async fn check_logo(&self, org: OrgId, content: &[u8]) -> Result<(), Error> {
        let Some(logo) = Logo::of(content.to_vec())? else { return Ok(()) };
        let drawing =
            Drawing { media_type: logo.media_type.to_owned(), base64: STANDARD.encode(&logo.content) };
        match self.try_logo(org, &drawing).await? {
            Some(problem) => {
                // What is said of each letter of a drawing may be longer than the drawing.
                let problem: String = problem.chars().take(LONGEST_PROBLEM).collect();
                Err(Error::field("logo", format!("cannot be printed: {problem}")))
            }
            None => Ok(()),
        }
    }

    /// The accreditations of the caller's org; for the operator, those of every org.
    pub(crate) async fn accreditations(&self, call: &Call) -> Result<Vec<AccreditationView>, Error> {
        let scope = call.shared_scope();
        let mut views = Vec::new();
        if is_operator(&scope) {
            for org in self.deps.store.known_orgs().await? {
                views.extend(all(&self.deps.store.read(&of_org(org)).await?).await?);
            }
        } else {
            views = all(&self.deps.store.read(&scope).await?).await?;
        }
        let mut shown = Vec::with_capacity(views.len());
        for view in views {
            let org_name = self.org_name(call, &view.row.org_id).await?;
            shown.push(self.shown(view, org_name));
        }
        Ok(shown)
    }

    /// A view with the name of the org and with what certificates of this deployment cannot show.
    pub(super) fn shown(&self, view: AccreditationView, org_name: String) -> AccreditationView {
        AccreditationView { org_name, unprintable_scripts: self.deps.fonts.missing_scripts(), ..view }
    }

    /// The operator of the deployment confirms or rejects an accreditation, with what they saw.
    pub(crate) async fn decide_accreditation(
        &self,
        call: &Call,
        id: &str,
        confirmed: bool,
        evidence: &str,
    ) -> Result<AccreditationView, Error> {
        let operator = call.scope();
        if !is_operator(operator) {
            return Err(Error::NotFound(Missing::Accreditation));
        }
        let evidence = bounded("evidence", evidence, MOST_EVIDENCE)?;
        let (org, known) =
            self.find_accreditation(id).await?.ok_or(Error::NotFound(Missing::Accreditation))?;
        if confirmed && known.row.provider_number.is_empty() {
            return Err(Error::field(
                "provider_number",
                "is not recorded: an accreditation is confirmed by its number at the body",
            ));
        }
        let org_name = self.org_name(call, &known.row.org_id).await?;
        if confirmed {
            // Over the whole deployment a number is confirmed for one org; and before anything is decided here.
            self.auth.clone().hold_provider_number(call.request(number_of(&known.row))?).await?;
        }
        let mut tx = self.deps.store.write(&of_org(org)).await?;
        let newest = offers::decision(&tx, id).await?;
        let row = accreditation_decision::Model {
            org_id: tx.org_key(),
            id: AccreditationDecisionId::generate().to_string(),
            accreditation_id: id.to_owned(),
            number: newest.map_or(1, |newest| newest.number + 1),
            valid_from: known.row.valid_from,
            valid_until: known.row.valid_until,
            confirmed,
            evidence: evidence.clone(),
            decided_by: operator.subject().to_owned(),
            decided_at: tx.now().micros(),
        };
        tx.insert(row.clone()).await?;
        let action = if confirmed { "accreditation.confirmed" } else { "accreditation.rejected" };
        tx.audit(
            AuditEntry::done(action, id)
                .fact("decision", &row.id)
                .fact("operator", operator.subject())
                .because(evidence),
        )?;
        tx.commit().await?;
        if !confirmed {
            self.release_unless_confirmed(call, org, &known.row).await?;
        }
        Ok(self.shown((known.row, Some(row)).into(), org_name))
    }

    /// Gives a number free when no accreditation of the org is confirmed under it any more.
    async fn release_unless_confirmed(
        &self,
        call: &Call,
        org: OrgId,
        rejected: &accreditation::Model,
    ) -> Result<(), Error> {
        if rejected.provider_number.is_empty() {
            return Ok(());
        }
        let views = all(&self.deps.store.read(&of_org(org)).await?).await?;
        let holds = |view: &AccreditationView| {
            let same_number = plain(&view.row.provider_number) == plain(&rejected.provider_number);
            view.confirmation().is_some() && view.row.body == rejected.body && same_number
        };
        if !views.iter().any(holds) {
            self.auth.clone().release_provider_number(call.request(number_of(rejected))?).await?;
        }
        Ok(())
    }

    async fn find_accreditation(&self, id: &str) -> Result<Option<(OrgId, AccreditationView)>, Error> {
        for org in self.deps.store.known_orgs().await? {
            if let Some(found) = view(&self.deps.store.read(&of_org(org)).await?, id).await? {
                return Ok(Some((org, found)));
            }
        }
        Ok(None)
    }
}

/// A number without what accreditors and people write around it, as `auth` compares it.
fn plain(number: &str) -> String {
    let plain: String =
        number.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    plain.trim_start_matches('0').to_owned()
}

fn number_of(row: &accreditation::Model) -> auth::ProviderNumberRequest {
    auth::ProviderNumberRequest {
        org_id: row.org_id.clone(),
        body: row.body.clone(),
        number: row.provider_number.clone(),
    }
}

/// Whether this is the operator of the deployment, and no part of the platform that acts by itself.
fn is_operator(scope: &Scope) -> bool {
    scope.role() == Role::System && SystemActor::ALL.iter().all(|actor| actor.name() != scope.subject())
}

fn of_org(org: OrgId) -> Arc<Scope> {
    Arc::new(Scope::of_system(SystemActor::Credits, org))
}
