//! Scope tokens.

use preceptor_core::id::{AppId, CredentialId, EventId, OrgId, ProgramId};
use preceptor_core::scope::{AUDIENCE, Claims, ScopeVerifier, TOKEN_LIFETIME, assemble_token};
use preceptor_core::{Role, SystemActor, Timestamp};
use preceptor_keys::{KeyName, Keys, Purpose};

use super::kinds::Kind;
use crate::Error;
use crate::store::{credential, org, staff};

const SIGNING_KEY: KeyName = KeyName::of_deployment(Purpose::ScopeTokens);

/// Who a token will speak for.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) org: OrgId,
    pub(crate) app: Option<AppId>,
    pub(crate) program: Option<ProgramId>,
    pub(crate) subject: String,
    pub(crate) display_name: String,
    pub(crate) role: Role,
    pub(crate) plan: String,
    pub(crate) epoch: u64,
    pub(crate) credential: Option<CredentialId>,
    /// The member of staff who acts on the subject's behalf.
    pub(crate) acting: Option<String>,
}

fn unreadable<T, E>(result: Result<T, E>) -> Result<T, Error> {
    result.map_err(|_| Error::Defect("a stored id or role cannot be read"))
}

impl Subject {
    /// The subject of a stored credential.
    pub(crate) fn of(
        org: &org::Model,
        credential: &credential::Model,
        member: Option<&staff::Model>,
    ) -> Result<Self, Error> {
        // By the kind first: the credential of an app ends with the member of staff who made it, and does not speak for them.
        let kind = Kind::of_name(&credential.kind);
        let member = member.filter(|_| !matches!(kind, Some(Kind::Service | Kind::Operator | Kind::Learner)));
        let role = match (kind, member) {
            (Some(Kind::Operator), _) => Role::System,
            (Some(Kind::Service), _) => Role::Service,
            (_, Some(member)) => unreadable(member.role.parse())?,
            (Some(Kind::Learner | Kind::Link | Kind::Session), None) => Role::Learner,
            (Some(Kind::Api) | None, None) => {
                return Err(Error::Defect("a credential of staff names no member of staff"));
            }
        };
        Ok(Self {
            org: unreadable(org.id.parse())?,
            app: Some(unreadable(org.default_app_id.parse())?),
            program: credential
                .program_id
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|_| Error::Defect("a program id cannot be read"))?,
            subject: credential.subject.clone(),
            display_name: member.map(|member| member.display_name.clone()).unwrap_or_default(),
            role,
            plan: org.plan.clone(),
            epoch: member.map_or(0, |member| member.epoch.unsigned_abs()),
            credential: Some(unreadable(credential.id.parse())?),
            acting: credential.acting.clone(),
        })
    }

    /// A service that acts on its own behalf.
    pub(crate) fn system(actor: SystemActor, id: OrgId, org: &org::Model) -> Result<Self, Error> {
        Ok(Self {
            org: id,
            app: Some(unreadable(org.default_app_id.parse())?),
            program: None,
            subject: actor.name().to_owned(),
            display_name: String::new(),
            role: Role::System,
            plan: org.plan.clone(),
            epoch: 0,
            credential: None,
            acting: None,
        })
    }
}

/// Signs a token for `subject`, from `now` on.
pub(crate) async fn mint(
    keys: &dyn Keys,
    issuer: &str,
    now: Timestamp,
    subject: &Subject,
) -> Result<(String, Timestamp), Error> {
    let expires_at = now.after(TOKEN_LIFETIME);
    let claims = Claims {
        iss: issuer.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: subject.subject.clone(),
        iat: now.seconds(),
        exp: now.seconds() + TOKEN_LIFETIME.as_secs().cast_signed(),
        jti: EventId::generate().to_string(),
        org: subject.org,
        app: subject.app,
        program: subject.program,
        role: subject.role,
        plan: subject.plan.clone(),
        epoch: subject.epoch,
        credential: subject.credential,
        acting: subject.acting.clone(),
    };
    loop {
        let key =
            keys.public_keys(SIGNING_KEY).await?.into_iter().next().ok_or(Error::Defect("no signing key"))?;
        let input = claims.signing_input(&key.key_id);
        let signature = keys.sign(SIGNING_KEY, input.as_bytes()).await?;
        // Another version may sign since the token named one.
        if signature.key_id == key.key_id {
            return Ok((assemble_token(&input, &signature.bytes), expires_at));
        }
    }
}

/// Makes a new version of the key that signs tokens; returns the ids of those that are accepted, newest first.
pub(crate) async fn rotate(keys: &dyn Keys) -> Result<Vec<String>, Error> {
    keys.rotate(SIGNING_KEY).await?;
    Ok(keys.public_keys(SIGNING_KEY).await?.into_iter().map(|key| key.key_id).collect())
}

/// The verifier of tokens signed by these keys.
pub(crate) async fn verifier(keys: &dyn Keys, issuer: &str) -> Result<ScopeVerifier, Error> {
    let public = keys.public_keys(SIGNING_KEY).await?;
    let pairs = public.iter().map(|key| (key.key_id.as_str(), key.bytes.as_slice()));
    ScopeVerifier::new(issuer, pairs).map_err(|_| Error::Defect("a public key cannot be read"))
}

/// The public keys, for services that verify tokens in other processes.
pub(crate) async fn public_keys(keys: &dyn Keys) -> Result<Vec<preceptor_keys::PublicKey>, Error> {
    Ok(keys.public_keys(SIGNING_KEY).await?)
}
