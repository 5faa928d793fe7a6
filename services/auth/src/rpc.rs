//! `preceptor.auth.v1.Auth`: decode, call, encode.

use std::time::Duration;

use preceptor_core::{Fault, Role};
use preceptor_proto::auth::v1 as proto;
use preceptor_proto::auth::v1::auth_server::{Auth, AuthServer};
use preceptor_rpc::{Call, CallerIdentity, status_of};
use tonic::{Request, Response, Status};

use crate::Error;
use crate::domain::{Accounts, tokens};
use crate::store::{org, staff};

#[derive(Debug)]
pub(crate) struct Server {
    accounts: Accounts,
}

impl Server {
    pub(crate) fn new(accounts: Accounts) -> Self {
        Self { accounts }
    }

    pub(crate) fn into_service(self) -> AuthServer<Self> {
        AuthServer::new(self)
    }
}

fn encode_org(row: org::Model) -> proto::Org {
    proto::Org { id: row.id, name: row.name, default_app_id: row.default_app_id }
}

fn encode_staff(row: staff::Model) -> proto::Staff {
    proto::Staff { id: row.id, display_name: row.display_name, role: row.role, created_at: row.created_at }
}

fn id<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::InvalidField { field, what: "is not an id" })
}

#[tonic::async_trait]
impl Auth for Server {
    async fn exchange(&self, request: Request<proto::ExchangeRequest>) -> Result<Response<proto::ExchangeResponse>, Status> {
        let (scope_token, expires_at, subject) = self.accounts.exchange(&request.into_inner().credential).await?;
        let display_name = subject.display_name;
        Ok(Response::new(proto::ExchangeResponse { scope_token, expires_at: expires_at.micros(), display_name }))
    }

    async fn mint_system_token(
        &self,
        request: Request<proto::MintSystemTokenRequest>,
    ) -> Result<Response<proto::MintSystemTokenResponse>, Status> {
        let CallerIdentity(service) = request.extensions().get().copied().ok_or_else(|| status_of(&Fault::internal()))?;
        let org = id("org_id", &request.into_inner().org_id)?;
        let (scope_token, expires_at) = self.accounts.system_token(service, org).await?;
        Ok(Response::new(proto::MintSystemTokenResponse { scope_token, expires_at: expires_at.micros() }))
    }

    async fn get_keys(&self, _request: Request<proto::GetKeysRequest>) -> Result<Response<proto::GetKeysResponse>, Status> {
        let keys = tokens::public_keys(&**self.accounts.keys()).await?;
        let keys = keys.into_iter().map(|key| proto::VerificationKey { key_id: key.key_id, public_key: key.bytes }).collect();
        Ok(Response::new(proto::GetKeysResponse { issuer: self.accounts.config().issuer.clone(), keys }))
    }

    async fn list_orgs(&self, _request: Request<proto::ListOrgsRequest>) -> Result<Response<proto::ListOrgsResponse>, Status> {
        let orgs = self.accounts.list_orgs().await?.into_iter().map(encode_org).collect();
        Ok(Response::new(proto::ListOrgsResponse { orgs }))
    }

    async fn create_org(&self, request: Request<proto::CreateOrgRequest>) -> Result<Response<proto::CreateOrgResponse>, Status> {
        let request = request.into_inner();
        let (org, admin, token) = self.accounts.create_org(&request.name, &request.admin_name).await?;
        Ok(Response::new(proto::CreateOrgResponse {
            org: Some(encode_org(org)),
            admin: Some(encode_staff(admin)),
            admin_token: token.secret.expose().to_owned(),
        }))
    }

    async fn create_staff(&self, request: Request<proto::CreateStaffRequest>) -> Result<Response<proto::CreateStaffResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let role: Role = request.role.parse().map_err(|_| Error::InvalidField { field: "role", what: "is not a role" })?;
        let (member, token) = self.accounts.create_staff(call.scope(), &request.display_name, role).await?;
        Ok(Response::new(proto::CreateStaffResponse { staff: Some(encode_staff(member)), token: token.secret.expose().to_owned() }))
    }

    async fn list_staff(&self, request: Request<proto::ListStaffRequest>) -> Result<Response<proto::ListStaffResponse>, Status> {
        let call = Call::of(&request)?;
        let staff = self.accounts.list_staff(call.scope()).await?.into_iter().map(encode_staff).collect();
        Ok(Response::new(proto::ListStaffResponse { staff }))
    }

    async fn issue_learner_token(
        &self,
        request: Request<proto::IssueLearnerTokenRequest>,
    ) -> Result<Response<proto::IssueLearnerTokenResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let program = id("program_id", &request.program_id)?;
        let lifetime = u64::try_from(request.lifetime_seconds).ok().filter(|&seconds| seconds > 0).map(Duration::from_secs);
        let issued = self.accounts.issue_learner_token(call.scope(), program, &request.user_hash, lifetime).await?;
        Ok(Response::new(proto::IssueLearnerTokenResponse {
            token: issued.secret.expose().to_owned(),
            expires_at: issued.expires_at.micros(),
            subject: issued.subject,
        }))
    }

    async fn issue_sign_in_link(
        &self,
        request: Request<proto::IssueSignInLinkRequest>,
    ) -> Result<Response<proto::IssueSignInLinkResponse>, Status> {
        use proto::issue_sign_in_link_request::Who;
        let call = Call::of(&request)?;
        let issued = match request.into_inner().who {
            Some(Who::StaffId(staff)) => self.accounts.issue_staff_link(call.scope(), &staff).await?,
            Some(Who::LearnerToken(token)) => self.accounts.issue_learner_link(call.scope(), &token).await?,
            None => return Err(Error::InvalidField { field: "who", what: "name a member of staff or a learner token" }.into()),
        };
        let secret = issued.secret.expose().to_owned();
        Ok(Response::new(proto::IssueSignInLinkResponse { secret, expires_at: issued.expires_at.micros() }))
    }

    async fn open_session(&self, request: Request<proto::OpenSessionRequest>) -> Result<Response<proto::OpenSessionResponse>, Status> {
        let (issued, subject) = self.accounts.open_session(&request.into_inner().secret).await?;
        Ok(Response::new(proto::OpenSessionResponse {
            session: issued.secret.expose().to_owned(),
            expires_at: issued.expires_at.micros(),
            role: subject.role.name().to_owned(),
            program_id: subject.program.map(|program| program.to_string()).unwrap_or_default(),
        }))
    }

    async fn end_session(&self, request: Request<proto::EndSessionRequest>) -> Result<Response<proto::EndSessionResponse>, Status> {
        self.accounts.end_session(&request.into_inner().session).await?;
        Ok(Response::new(proto::EndSessionResponse {}))
    }
}
