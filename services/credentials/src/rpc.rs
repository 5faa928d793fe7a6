//! `preceptor.credentials.v1.Credentials`: decode, call, encode.

use std::collections::BTreeMap;
use std::sync::Arc;

use preceptor_core::id::StaffId;
use preceptor_core::{Capability, Scope};
use preceptor_proto::credentials::v1 as proto;
use preceptor_proto::credentials::v1::credentials_server::{Credentials, CredentialsServer};
use preceptor_rpc::{Call, Rows};
use tonic::{Request, Response, Status};

use crate::domain::{
    ClinicianView, Clinicians, ContestView, Decision, Found, Grounds, PROFESSIONS, Person, Seen,
};
use crate::store::{assertion, check};

const MOST: i32 = 100;

#[derive(Debug)]
pub(crate) struct Server {
    clinicians: Arc<Clinicians>,
}

impl Server {
    pub(crate) fn new(clinicians: Arc<Clinicians>) -> Self {
        Self { clinicians }
    }

    pub(crate) fn into_service(self) -> CredentialsServer<Self> {
        CredentialsServer::new(self)
    }
}

fn profession_name(profession: i32) -> &'static str {
    usize::try_from(profession - 1).ok().and_then(|place| PROFESSIONS.get(place)).copied().unwrap_or_default()
}

fn profession_number(name: &str) -> i32 {
    PROFESSIONS.iter().position(|known| *known == name).map_or(0, |place| place as i32 + 1)
}

fn encode_check(row: &check::Model) -> proto::Check {
    proto::Check {
        id: row.id.clone(),
        method: row.method.clone(),
        passed: row.outcome == "passed",
        detail: row.detail.clone(),
        evidence_sha256: row.evidence_sha256.clone(),
        actor: row.actor.clone(),
        checked_at: row.checked_at,
    }
}

/// A check with what was seen in it.
fn encode_seen(row: &check::Model, evidence: &BTreeMap<String, String>) -> proto::Check {
    let check = encode_check(row);
    match evidence.get(&row.id) {
        Some(seen) => proto::Check { detail: seen.clone(), ..check },
        None => check,
    }
}

fn encode_assertion(row: &assertion::Model, checks: &[check::Model]) -> proto::Assertion {
    proto::Assertion {
        id: row.id.clone(),
        profession: profession_number(&row.profession),
        level: row.level as i32,
        method: checks
            .iter()
            .find(|check| check.id == row.check_id)
            .map(|check| check.method.clone())
            .unwrap_or_default(),
        valid_from: row.valid_from,
        valid_until: row.valid_until,
        asserted_at: row.asserted_at,
        check_id: row.check_id.clone(),
    }
}

fn encode(view: ClinicianView) -> proto::Clinician {
    proto::Clinician {
        learner: view.row.learner.clone(),
        stated: true,
        profession: profession_number(&view.row.profession),
        name: view.person.name,
        email: view.person.email,
        license_number: view.person.license_number,
        license_board: view.person.license_board,
        specialty: view.person.specialty,
        npi: view.person.npi,
        degree: view.person.degree,
        licensed_since: view.person.licensed_since,
        license_expires: view.person.license_expires,
        email_verified_at: view.row.email_verified_at.unwrap_or_default(),
        assertion: view.assertion.as_ref().map(|row| encode_assertion(row, &view.checks)),
        checks: view.checks.iter().map(|row| encode_seen(row, &view.evidence)).collect(),
        next_step: view.next_step.to_owned(),
    }
}

/// A clinician as the caller may see them: who of the staff looked at something is for those who look themselves.
fn shown(scope: &Scope, view: ClinicianView) -> proto::Clinician {
    let mut clinician = encode(view);
    if !scope.grants(Capability::Administer) {
        let of_staff = |check: &&mut proto::Check| check.actor.parse::<StaffId>().is_ok();
        clinician.checks.iter_mut().filter(of_staff).for_each(|check| check.actor.clear());
    }
    clinician
}

fn encode_contest(view: ContestView) -> proto::Contest {
    let about = view.about().to_owned();
    proto::Contest {
        id: view.row.id,
        about,
        opened_at: view.row.opened_at,
        parties: view.parties.into_iter().map(encode).collect(),
        upheld: view.row.upheld.unwrap_or_default(),
        reason: view.grounds.reason,
        evidence: view.grounds.evidence,
        decided_by: view.row.decided_by.unwrap_or_default(),
        decided_at: view.row.decided_at.unwrap_or_default(),
    }
}

fn encode_found(found: Found) -> proto::FindAssertionResponse {
    let person = found.person.unwrap_or_default();
    let behind = |row: &assertion::Model, check: &&check::Model| {
        check.id == row.check_id || check.id == row.email_check_id
    };
    let checks =
        found.assertion.iter().flat_map(|row| found.checks.iter().filter(move |check| behind(row, check)));
    proto::FindAssertionResponse {
        checks: checks.map(encode_check).collect(),
        assertion: found.assertion.as_ref().map(|row| encode_assertion(row, &found.checks)),
        problem: found.problem,
        name: person.name,
        degree: person.degree,
    }
}

#[tonic::async_trait]
impl Credentials for Server {
    async fn get_clinician(
        &self,
        request: Request<proto::GetClinicianRequest>,
    ) -> Result<Response<proto::Clinician>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let view = self.clinicians.clinician(&scope, &request.into_inner().learner).await?;
        let nothing = || proto::Clinician {
            learner: scope.subject().to_owned(),
            next_step: "state your profession, license and address".to_owned(),
            ..proto::Clinician::default()
        };
        Ok(Response::new(view.map_or_else(nothing, |view| shown(&scope, view))))
    }

    async fn state_clinician(
        &self,
        request: Request<proto::StateClinicianRequest>,
    ) -> Result<Response<proto::Clinician>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let stated = request.into_inner();
        let profession = profession_name(stated.profession);
        let person = Person {
            name: stated.name,
            degree: stated.degree,
            email: stated.email,
            license_number: stated.license_number,
            license_board: stated.license_board,
            specialty: stated.specialty,
            npi: stated.npi,
            licensed_since: stated.licensed_since,
            license_expires: stated.license_expires,
        };
        Ok(Response::new(shown(&scope, self.clinicians.state(&scope, profession, person).await?)))
    }

    async fn send_email_code(
        &self,
        request: Request<proto::SendEmailCodeRequest>,
    ) -> Result<Response<proto::Clinician>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(shown(&scope, self.clinicians.send_code(&scope).await?)))
    }

    async fn confirm_email(
        &self,
        request: Request<proto::ConfirmEmailRequest>,
    ) -> Result<Response<proto::Clinician>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let view = self.clinicians.confirm_email(&scope, &request.into_inner().code).await?;
        Ok(Response::new(shown(&scope, view)))
    }

    async fn confirm_primary_source(
        &self,
        request: Request<proto::ConfirmPrimarySourceRequest>,
    ) -> Result<Response<proto::Clinician>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let seen = Seen {
            confirmed: request.confirmed,
            address_only: request.address_only,
            evidence: request.evidence,
        };
        let view = self.clinicians.confirm_primary_source(&scope, &request.learner, seen).await?;
        Ok(Response::new(encode(view)))
    }

    async fn list_clinicians(
        &self,
        request: Request<proto::ListCliniciansRequest>,
    ) -> Result<Response<proto::ListCliniciansResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let rows = Rows::asked(request.limit, MOST);
        let views = self.clinicians.clinicians(&scope, &request.after, rows.to_read()).await?;
        let (views, next) = rows.page(views, |view| &view.row.learner);
        Ok(Response::new(proto::ListCliniciansResponse {
            clinicians: views.into_iter().map(encode).collect(),
            next,
        }))
    }

    async fn list_contests(
        &self,
        request: Request<proto::ListContestsRequest>,
    ) -> Result<Response<proto::ListContestsResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let rows = Rows::asked(request.limit, MOST);
        let views = self.clinicians.contests(&scope, &request.after, rows.to_read()).await?;
        let (views, next) = rows.page(views, |view| &view.row.id);
        Ok(Response::new(proto::ListContestsResponse {
            contests: views.into_iter().map(encode_contest).collect(),
            next,
        }))
    }

    async fn decide_contest(
        &self,
        request: Request<proto::DecideContestRequest>,
    ) -> Result<Response<proto::Contest>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let asked = request.into_inner();
        let grounds = Grounds { reason: asked.reason, evidence: asked.evidence };
        let decision = Decision { contest: asked.contest_id, upheld: asked.upheld, grounds };
        Ok(Response::new(encode_contest(self.clinicians.decide_contest(&scope, decision).await?)))
    }

    async fn find_assertion(
        &self,
        request: Request<proto::FindAssertionRequest>,
    ) -> Result<Response<proto::FindAssertionResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let asked = request.into_inner();
        let found = self
            .clinicians
            .find(&scope, &asked.learner, asked.at, i64::from(asked.minimum_level), &asked.assertion_id)
            .await?;
        Ok(Response::new(encode_found(found)))
    }

    async fn name_learners(
        &self,
        request: Request<proto::NameLearnersRequest>,
    ) -> Result<Response<proto::NameLearnersResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let named = self.clinicians.names(&scope, &request.into_inner().learners).await?;
        let named = named.into_iter().map(|(learner, name)| proto::NamedLearner { learner, name });
        Ok(Response::new(proto::NameLearnersResponse { learners: named.collect() }))
    }
}
