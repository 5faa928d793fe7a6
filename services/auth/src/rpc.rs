//! `preceptor.auth.v1.Auth`: decode, call, encode.

use std::sync::Arc;
use std::time::Duration;

use preceptor_core::id::{CredentialId, OrgId, StaffId};
use preceptor_core::{Fault, Role, Scope, SystemActor};
use preceptor_proto::auth::v1 as proto;
use preceptor_proto::auth::v1::auth_server::{Auth, AuthServer};
use preceptor_rpc::{Call, CallerIdentity, Note, status_of};
use tonic::{Request, Response, Status};

use crate::Error;
use crate::domain::{Accounts, Door, Issued, Link, NewMember, State, tokens};
use crate::store::{credential, org, staff};

/// Credentials of a page, unless it says how many.
const USUALLY_LISTED: u64 = 20;
const MOST_LISTED: u64 = 100;

#[derive(Debug)]
pub(crate) struct Server {
    accounts: Accounts,
}

impl Server {
    pub(crate) fn new(accounts: Accounts) -> Self {
        Self { accounts }
    }

    /// Notes whose credential it was that opened nothing: it is for the record of that org.
    async fn noting_failure<T>(
        &self,
        note: &Note,
        secret: &str,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        if outcome.is_err()
            && let Some(row) = self.accounts.once(secret).await?
            && let Ok(org) = row.org_id.parse::<OrgId>()
        {
            note.acting(Arc::new(Scope::of_system(SystemActor::Gateway, org)));
            note.fact("credential", &row.id);
            note.fact("subject", &row.subject);
        }
        outcome
    }

    pub(crate) fn into_service(self) -> AuthServer<Self> {
        AuthServer::new(self)
    }
}

fn encode_org(row: org::Model) -> proto::Org {
    proto::Org { id: row.id, name: row.name, default_app_id: row.default_app_id }
}

fn encode_staff(row: staff::Model) -> proto::Staff {
    proto::Staff {
        id: row.id,
        display_name: row.display_name,
        role: row.role,
        created_at: row.created_at,
        state: row.state,
        has_address: row.email.is_some(),
    }
}

fn encode_credential(row: credential::Model, live: bool) -> proto::Credential {
    proto::Credential {
        staff_id: row.ends_with().cloned().unwrap_or_default(),
        id: row.id,
        kind: row.kind,
        name: row.name,
        program_id: row.program_id.unwrap_or_default(),
        parent_id: row.parent_id.unwrap_or_default(),
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_seen_at: row.last_seen_at.unwrap_or_default(),
        revoked_at: row.revoked_at.unwrap_or_default(),
        live,
    }
}

fn encode_issued(issued: Issued) -> proto::CreateCredentialResponse {
    let secret = issued.secret.expose().to_owned();
    proto::CreateCredentialResponse { credential: Some(encode_credential(issued.row, true)), secret }
}

fn role(name: &str) -> Result<Role, Error> {
    name.parse().map_err(|_| Error::InvalidField { field: "role", what: "is not a role" })
}

/// A lifetime, when one was asked for.
fn lifetime(seconds: Option<i64>) -> Result<Option<Duration>, Error> {
    let Some(seconds) = seconds else { return Ok(None) };
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(Error::InvalidField { field: "lifetime_seconds", what: "must be at least 1" }),
    }
}

fn id<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::InvalidField { field, what: "is not an id" })
}

#[tonic::async_trait]
impl Auth for Server {
    async fn exchange(
        &self,
        request: Request<proto::ExchangeRequest>,
    ) -> Result<Response<proto::ExchangeResponse>, Status> {
        let request = request.into_inner();
        let door = Door::of_contract(request.door)?;
        let (scope_token, expires_at, subject) = self.accounts.exchange(&request.credential, door).await?;
        let display_name = subject.display_name;
        Ok(Response::new(proto::ExchangeResponse {
            scope_token,
            expires_at: expires_at.micros(),
            display_name,
        }))
    }

    async fn mint_system_token(
        &self,
        request: Request<proto::MintSystemTokenRequest>,
    ) -> Result<Response<proto::MintSystemTokenResponse>, Status> {
        let CallerIdentity(service) =
            request.extensions().get().copied().ok_or_else(|| status_of(&Fault::internal()))?;
        let org = id("org_id", &request.into_inner().org_id)?;
        let (scope_token, expires_at) = self.accounts.system_token(service, org).await?;
        Ok(Response::new(proto::MintSystemTokenResponse { scope_token, expires_at: expires_at.micros() }))
    }

    async fn get_keys(
        &self,
        _request: Request<proto::GetKeysRequest>,
    ) -> Result<Response<proto::GetKeysResponse>, Status> {
        let keys = tokens::public_keys(&**self.accounts.keys()).await?;
        let keys = keys
            .into_iter()
            .map(|key| proto::VerificationKey { key_id: key.key_id, public_key: key.bytes })
            .collect();
        Ok(Response::new(proto::GetKeysResponse { issuer: self.accounts.config().issuer.clone(), keys }))
    }

    async fn list_orgs(
        &self,
        _request: Request<proto::ListOrgsRequest>,
    ) -> Result<Response<proto::ListOrgsResponse>, Status> {
        let orgs = self.accounts.list_orgs().await?.into_iter().map(encode_org).collect();
        Ok(Response::new(proto::ListOrgsResponse { orgs }))
    }

    async fn rotate_keys(
        &self,
        request: Request<proto::RotateKeysRequest>,
    ) -> Result<Response<proto::RotateKeysResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let key_ids = tokens::rotate(&**self.accounts.keys()).await?;
        tracing::info!(operator = scope.subject(), "the key that signs tokens was rotated");
        Ok(Response::new(proto::RotateKeysResponse { key_ids }))
    }

    async fn describe_org(
        &self,
        request: Request<proto::DescribeOrgRequest>,
    ) -> Result<Response<proto::DescribeOrgResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let name = self.accounts.org_name(&scope, &request.into_inner().org_id).await?;
        Ok(Response::new(proto::DescribeOrgResponse { name }))
    }

    async fn hold_provider_number(
        &self,
        request: Request<proto::ProviderNumberRequest>,
    ) -> Result<Response<proto::ProviderNumberResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let proto::ProviderNumberRequest { org_id, body, number } = request.into_inner();
        self.accounts.hold_provider_number(&scope, &org_id, &body, &number).await?;
        Ok(Response::new(proto::ProviderNumberResponse {}))
    }

    async fn release_provider_number(
        &self,
        request: Request<proto::ProviderNumberRequest>,
    ) -> Result<Response<proto::ProviderNumberResponse>, Status> {
        let proto::ProviderNumberRequest { org_id, body, number } = request.into_inner();
        self.accounts.release_provider_number(&org_id, &body, &number).await?;
        Ok(Response::new(proto::ProviderNumberResponse {}))
    }

    async fn create_org(
        &self,
        request: Request<proto::CreateOrgRequest>,
    ) -> Result<Response<proto::CreateOrgResponse>, Status> {
        let request = request.into_inner();
        let (org, admin, token) = self.accounts.create_org(&request.name, &request.admin_name).await?;
        Ok(Response::new(proto::CreateOrgResponse {
            org: Some(encode_org(org)),
            admin: Some(encode_staff(admin)),
            admin_token: token.secret.expose().to_owned(),
        }))
    }

    async fn create_staff(
        &self,
        request: Request<proto::CreateStaffRequest>,
    ) -> Result<Response<proto::CreateStaffResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let new =
            NewMember { name: &request.display_name, role: role(&request.role)?, email: &request.email };
        let (member, token) = self.accounts.create_staff(call.scope(), new).await?;
        Ok(Response::new(proto::CreateStaffResponse {
            staff: Some(encode_staff(member)),
            token: token.secret.expose().to_owned(),
        }))
    }

    async fn invite_staff(
        &self,
        request: Request<proto::InviteStaffRequest>,
    ) -> Result<Response<proto::Staff>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let new =
            NewMember { name: &request.display_name, role: role(&request.role)?, email: &request.email };
        Ok(Response::new(encode_staff(self.accounts.invite(call.scope(), new).await?)))
    }

    async fn list_staff(
        &self,
        request: Request<proto::ListStaffRequest>,
    ) -> Result<Response<proto::ListStaffResponse>, Status> {
        let call = Call::of(&request)?;
        let listed = if request.into_inner().removed {
            self.accounts.list_removed(call.scope()).await?
        } else {
            self.accounts.list_staff(call.scope()).await?
        };
        let staff = listed.into_iter().map(encode_staff).collect();
        Ok(Response::new(proto::ListStaffResponse { staff }))
    }

    async fn get_staff(
        &self,
        request: Request<proto::GetStaffRequest>,
    ) -> Result<Response<proto::Staff>, Status> {
        let call = Call::of(&request)?;
        let id: StaffId = id("id", &request.into_inner().id)?;
        Ok(Response::new(encode_staff(self.accounts.member(call.scope(), &id.to_string()).await?)))
    }

    async fn change_staff(
        &self,
        request: Request<proto::ChangeStaffRequest>,
    ) -> Result<Response<proto::Staff>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let id: StaffId = id("id", &request.id)?;
        let role = request.role.as_deref().map(role).transpose()?;
        let changed = self
            .accounts
            .change_staff(call.scope(), &id.to_string(), request.display_name.as_deref(), role)
            .await?;
        Ok(Response::new(encode_staff(changed)))
    }

    async fn set_staff_state(
        &self,
        request: Request<proto::SetStaffStateRequest>,
    ) -> Result<Response<proto::Staff>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let id: StaffId = id("id", &request.id)?;
        let what = Error::InvalidField { field: "state", what: "must be active, suspended or removed" };
        let state = State::of_name(&request.state).filter(|state| *state != State::Invited).ok_or(what)?;
        let changed =
            self.accounts.set_staff_state(call.scope(), &id.to_string(), state, &request.reason).await?;
        Ok(Response::new(encode_staff(changed)))
    }

    async fn list_credentials(
        &self,
        request: Request<proto::ListCredentialsRequest>,
    ) -> Result<Response<proto::ListCredentialsResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let limit = u64::try_from(request.limit)
            .ok()
            .filter(|limit| (1..=MOST_LISTED).contains(limit))
            .unwrap_or(USUALLY_LISTED);
        let (scope, after) = (call.scope(), &request.after);
        let (listed, next) = if request.learner.is_empty() {
            self.accounts.list_credentials(scope, &request.staff_id, limit, after).await?
        } else {
            self.accounts.list_learner_credentials(scope, &request.learner, limit, after).await?
        };
        let credentials =
            listed.into_iter().map(|listed| encode_credential(listed.row, listed.live)).collect();
        Ok(Response::new(proto::ListCredentialsResponse { credentials, next }))
    }

    async fn revoke_credential(
        &self,
        request: Request<proto::RevokeCredentialRequest>,
    ) -> Result<Response<proto::RevokeCredentialResponse>, Status> {
        let call = Call::of(&request)?;
        let id: CredentialId = id("id", &request.into_inner().id)?;
        self.accounts.revoke_credential(call.scope(), id).await?;
        Ok(Response::new(proto::RevokeCredentialResponse {}))
    }

    async fn revoke_staff_credentials(
        &self,
        request: Request<proto::RevokeStaffCredentialsRequest>,
    ) -> Result<Response<proto::RevokeCredentialResponse>, Status> {
        let call = Call::of(&request)?;
        let id: StaffId = id("staff_id", &request.into_inner().staff_id)?;
        self.accounts.revoke_staff_credentials(call.scope(), &id.to_string()).await?;
        Ok(Response::new(proto::RevokeCredentialResponse {}))
    }

    async fn create_service_credential(
        &self,
        request: Request<proto::CreateServiceCredentialRequest>,
    ) -> Result<Response<proto::CreateCredentialResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let lifetime = lifetime(request.lifetime_seconds)?;
        let issued = self
            .accounts
            .create_service_credential(call.scope(), &request.name, lifetime, &request.confirm)
            .await?;
        Ok(Response::new(encode_issued(issued)))
    }

    async fn create_api_token(
        &self,
        request: Request<proto::CreateApiTokenRequest>,
    ) -> Result<Response<proto::CreateCredentialResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let lifetime = lifetime(request.lifetime_seconds)?;
        let issued =
            self.accounts.create_api_token(call.scope(), &request.name, lifetime, &request.confirm).await?;
        Ok(Response::new(encode_issued(issued)))
    }

    async fn issue_learner_token(
        &self,
        request: Request<proto::IssueLearnerTokenRequest>,
    ) -> Result<Response<proto::IssueLearnerTokenResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let program = id("program_id", &request.program_id)?;
        let lifetime = lifetime(request.lifetime_seconds)?;
        let issued =
            self.accounts.issue_learner_token(call.scope(), program, &request.user_hash, lifetime).await?;
        Ok(Response::new(proto::IssueLearnerTokenResponse {
            token: issued.secret.expose().to_owned(),
            expires_at: issued.expires_at.micros(),
            acting: issued.row.acting.unwrap_or_default(),
            subject: issued.subject,
        }))
    }

    async fn issue_sign_in_link(
        &self,
        request: Request<proto::IssueSignInLinkRequest>,
    ) -> Result<Response<proto::IssueSignInLinkResponse>, Status> {
        use proto::issue_sign_in_link_request::Who;
        let (call, note) = (Call::of(&request)?, Note::of(&request));
        let request = request.into_inner();
        let link = match request.who {
            Some(Who::StaffId(staff)) => {
                let staff: StaffId = id("staff_id", &staff)?;
                self.accounts.issue_staff_link(call.scope(), &staff.to_string(), &request.confirm).await?
            }
            Some(Who::LearnerToken(token)) => {
                Link::Returned(Box::new(self.accounts.issue_learner_link(call.scope(), &token).await?))
            }
            None => {
                return Err(Error::InvalidField {
                    field: "who",
                    what: "name a member of staff or a learner token",
                }
                .into());
            }
        };
        let (secret, expires_at) = match link {
            Link::Returned(issued) => {
                note.fact("credential", &issued.row.id);
                note.fact("subject", &issued.row.subject);
                (issued.secret.expose().to_owned(), issued.expires_at)
            }
            Link::Mailed(expires_at) => (String::new(), expires_at),
        };
        Ok(Response::new(proto::IssueSignInLinkResponse { secret, expires_at: expires_at.micros() }))
    }

    async fn peek_sign_in(
        &self,
        request: Request<proto::PeekSignInRequest>,
    ) -> Result<Response<proto::PeekSignInResponse>, Status> {
        let note = Note::of(&request);
        let secret = request.into_inner().secret;
        let peeked = self.accounts.peek(secret.trim()).await;
        let (subject, org_name) = self.noting_failure(&note, secret.trim(), peeked).await?;
        Ok(Response::new(proto::PeekSignInResponse {
            display_name: subject.display_name,
            role: subject.role.name().to_owned(),
            org_name,
            program_id: subject.program.map(|program| program.to_string()).unwrap_or_default(),
        }))
    }

    async fn open_session(
        &self,
        request: Request<proto::OpenSessionRequest>,
    ) -> Result<Response<proto::OpenSessionResponse>, Status> {
        let note = Note::of(&request);
        let proto::OpenSessionRequest { secret, replaces } = request.into_inner();
        let opened = self.accounts.open_session(secret.trim(), &replaces).await;
        let (issued, subject) = self.noting_failure(&note, secret.trim(), opened).await?;
        note.acting(self.accounts.scope_of(&subject).await?);
        note.fact("credential", &issued.row.id);
        Ok(Response::new(proto::OpenSessionResponse {
            session: issued.secret.expose().to_owned(),
            expires_at: issued.expires_at.micros(),
            role: subject.role.name().to_owned(),
            program_id: subject.program.map(|program| program.to_string()).unwrap_or_default(),
        }))
    }

    async fn end_session(
        &self,
        request: Request<proto::EndSessionRequest>,
    ) -> Result<Response<proto::EndSessionResponse>, Status> {
        let note = Note::of(&request);
        if let Some(subject) = self.accounts.end_session(&request.into_inner().session).await? {
            note.acting(self.accounts.scope_of(&subject).await?);
        }
        Ok(Response::new(proto::EndSessionResponse {}))
    }
}
