//! Calls that a service makes on its own behalf.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use preceptor_core::id::OrgId;
use preceptor_core::{Clock, Scope, SystemActor, Timestamp};
use preceptor_proto::auth::v1 as proto;
use preceptor_proto::auth::v1::auth_client::AuthClient;
use tonic::Status;

use crate::call::{Call, unscoped};
use crate::channel::Channel;

/// A token is asked for again this long before it ends.
const RENEW_BEFORE: Duration = Duration::from_secs(60);
/// How long `auth` may take.
const PATIENCE: Duration = Duration::from_secs(5);

type Tokens = Mutex<HashMap<OrgId, (Arc<str>, Timestamp)>>;

/// Asks `auth` for tokens in the name of this service, one per org, and keeps them while they last.
#[derive(Clone)]
pub struct SystemCalls {
    auth: AuthClient<Channel>,
    actor: SystemActor,
    clock: Arc<dyn Clock>,
    tokens: Arc<Tokens>,
}

impl fmt::Debug for SystemCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemCalls").field("actor", &self.actor).finish_non_exhaustive()
    }
}

impl SystemCalls {
    /// Calls as `actor`; `auth` is this service's channel to `auth`.
    pub fn new(auth: Channel, actor: SystemActor, clock: Arc<dyn Clock>) -> Self {
        Self { auth: AuthClient::new(auth), actor, clock, tokens: Arc::default() }
    }

    /// The scope in which this service acts inside `org`.
    pub fn scope(&self, org: OrgId) -> Arc<Scope> {
        Arc::new(Scope::of_system(self.actor, org))
    }

    /// A call inside `org`, with `time` until its deadline.
    pub async fn call(&self, org: OrgId, time: Duration) -> Result<Call, Status> {
        let token = match self.known(org) {
            Some(token) => token,
            None => self.mint(org).await?,
        };
        Ok(Call::begin(self.scope(org), token, time))
    }

    fn known(&self, org: OrgId) -> Option<Arc<str>> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, expires_at) = tokens.get(&org)?;
        (*expires_at > self.clock.now().after(RENEW_BEFORE)).then(|| Arc::clone(token))
    }

    async fn mint(&self, org: OrgId) -> Result<Arc<str>, Status> {
        let request = proto::MintSystemTokenRequest { org_id: org.to_string() };
        let minted = self.auth.clone().mint_system_token(unscoped(request, PATIENCE)).await?.into_inner();
        let token: Arc<str> = minted.scope_token.into();
        let entry = (Arc::clone(&token), Timestamp::from_micros(minted.expires_at));
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(org, entry);
        Ok(token)
    }
}
