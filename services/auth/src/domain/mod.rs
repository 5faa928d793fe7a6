//! Accounts: orgs, staff, credentials.

mod secrets;
pub(crate) mod tokens;

use std::sync::Arc;
use std::time::Duration;

use preceptor_core::id::{AppId, CredentialId, OrgId, ProgramId, StaffId};
use preceptor_core::{Role, Scope, Secret, SystemActor, Timestamp};
use preceptor_keys::{KeyName, Purpose};
use preceptor_rpc::ServiceName;
use preceptor_store::{AuditEntry, ControlTx};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use self::tokens::Subject;
use crate::store::{credential, org, staff};
use crate::{Config, Deps, Error, FirstStart};

const FOREVER: i64 = i64::MAX;
/// The org of the deployment itself: its operator lives there, and no tenant's rows do.
const PLATFORM_ORG: Uuid = Uuid::nil();
const DEFAULT_PLAN: &str = "standard";

/// A credential's kind, and with it the prefix of its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    Api,
    Session,
    Link,
    Learner,
    Operator,
}

impl CredentialKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Session => "session",
            Self::Link => "link",
            Self::Learner => "learner",
            Self::Operator => "operator",
        }
    }
}

/// A secret that was just made, with its end.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) secret: Secret,
    pub(crate) expires_at: Timestamp,
    pub(crate) subject: String,
}

/// Whom a new credential is for.
enum Holder<'a> {
    Staff(&'a str),
    Learner { program: &'a str, subject: String },
    Operator,
}

/// The rules of the control plane.
#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    deps: Deps,
    config: Config,
}

impl Accounts {
    pub(crate) fn new(deps: Deps, config: Config) -> Self {
        Self { deps, config }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) async fn bootstrap(&self) -> Result<Option<FirstStart>, Error> {
        let platform = OrgId::from(PLATFORM_ORG);
        if self.deps.control.one(org::Entity::find()).await?.is_some() {
            return Ok(None);
        }
        let mut tx = self.deps.control.write().await?;
        let row = org::Model {
            id: platform.to_string(),
            name: "Platform".to_owned(),
            default_app_id: AppId::from(PLATFORM_ORG).to_string(),
            plan: String::new(),
            created_at: tx.now().micros(),
        };
        tx.insert(row).await?;
        let operator = self.issue(&tx, platform, CredentialKind::Operator, Holder::Operator, None).await?;
        let (_, _, admin) = self.add_org(&mut tx, &self.config.first_org, "Admin").await?;
        tx.commit().await?;
        Ok(Some(FirstStart { operator_token: operator.secret, admin_token: admin.secret }))
    }

    pub(crate) async fn create_org(&self, name: &str, admin_name: &str) -> Result<(org::Model, staff::Model, Issued), Error> {
        let mut tx = self.deps.control.write().await?;
        let created = self.add_org(&mut tx, name, admin_name).await?;
        tx.commit().await?;
        Ok(created)
    }

    async fn add_org(&self, tx: &mut ControlTx, name: &str, admin_name: &str) -> Result<(org::Model, staff::Model, Issued), Error> {
        let id = OrgId::generate();
        let row = org::Model {
            id: id.to_string(),
            name: named("name", name)?,
            default_app_id: AppId::generate().to_string(),
            plan: DEFAULT_PLAN.to_owned(),
            created_at: tx.now().micros(),
        };
        tx.insert(row.clone()).await?;
        let scope = Scope::of_system(SystemActor::Bootstrap, id);
        tx.audit(&scope, AuditEntry::done("org.created", id)).await?;
        let (admin, token) = self.add_staff(tx, &scope, admin_name, Role::Admin).await?;
        Ok((row, admin, token))
    }

    pub(crate) async fn create_staff(&self, scope: &Scope, name: &str, role: Role) -> Result<(staff::Model, Issued), Error> {
        if matches!(role, Role::Learner | Role::System) {
            return Err(Error::InvalidField { field: "role", what: "must be admin, editor, reviewer, analyst, auditor or supporter" });
        }
        let mut tx = self.deps.control.write().await?;
        let created = self.add_staff(&mut tx, scope, name, role).await?;
        tx.commit().await?;
        Ok(created)
    }

    async fn add_staff(&self, tx: &mut ControlTx, scope: &Scope, name: &str, role: Role) -> Result<(staff::Model, Issued), Error> {
        let row = staff::Model {
            org_id: scope.org().to_string(),
            id: StaffId::generate().to_string(),
            display_name: named("display_name", name)?,
            role: role.name().to_owned(),
            epoch: 1,
            created_at: tx.now().micros(),
        };
        tx.insert(row.clone()).await?;
        let token = self.issue(tx, scope.org(), CredentialKind::Api, Holder::Staff(&row.id), None).await?;
        tx.audit(scope, AuditEntry::done("staff.created", &row.id).fact("role", role)).await?;
        Ok((row, token))
    }

    pub(crate) async fn list_staff(&self, scope: &Scope) -> Result<Vec<staff::Model>, Error> {
        let of_org = staff::Entity::find().filter(staff::Column::OrgId.eq(scope.org().to_string()));
        Ok(self.deps.control.all(of_org.order_by_asc(staff::Column::Id)).await?)
    }

    pub(crate) async fn list_orgs(&self) -> Result<Vec<org::Model>, Error> {
        let tenants = org::Entity::find().filter(org::Column::Id.ne(OrgId::from(PLATFORM_ORG).to_string()));
        Ok(self.deps.control.all(tenants.order_by_asc(org::Column::Id)).await?)
    }

    pub(crate) async fn issue_learner_token(
        &self,
        scope: &Scope,
        program: ProgramId,
        user_hash: &str,
        lifetime: Option<Duration>,
    ) -> Result<Issued, Error> {
        if user_hash.is_empty() || user_hash.len() > 256 {
            return Err(Error::InvalidField { field: "user_hash", what: "must have 1 to 256 characters" });
        }
        let longest = Duration::from_secs(self.config.longest_learner_token_seconds);
        let lifetime = lifetime.unwrap_or(Duration::from_secs(self.config.learner_token_seconds));
        if lifetime > longest {
            return Err(Error::InvalidField { field: "lifetime_seconds", what: "is longer than this deployment allows" });
        }
        let tag = self.deps.keys.hmac(KeyName::of_org(Purpose::Pseudonyms, scope.org()), user_hash.as_bytes()).await?;
        let subject = format!("learner_{}", hex::encode(&tag[..16]));
        let mut tx = self.deps.control.write().await?;
        let holder = Holder::Learner { program: &program.to_string(), subject: subject.clone() };
        let issued = self.issue(&tx, scope.org(), CredentialKind::Learner, holder, Some(lifetime)).await?;
        tx.audit(scope, AuditEntry::done("learner_token.issued", &subject).in_program(program)).await?;
        tx.commit().await?;
        Ok(issued)
    }

    /// A link secret for a member of staff of the same org.
    pub(crate) async fn issue_staff_link(&self, scope: &Scope, staff_id: &str) -> Result<Issued, Error> {
        let mut tx = self.deps.control.write().await?;
        let known = staff::Entity::find_by_id((scope.org().to_string(), staff_id.to_owned()));
        tx.one(known).await?.ok_or(Error::StaffNotFound)?;
        let issued = self.issue(&tx, scope.org(), CredentialKind::Link, Holder::Staff(staff_id), Some(self.config.link())).await?;
        tx.audit(scope, AuditEntry::done("sign_in_link.issued", staff_id)).await?;
        tx.commit().await?;
        Ok(issued)
    }

    /// A link secret for the holder of a learner token.
    pub(crate) async fn issue_learner_link(&self, scope: &Scope, learner_token: &str) -> Result<Issued, Error> {
        let learner = self.live(learner_token).await?;
        if learner.org_id != scope.org().to_string() || learner.kind != CredentialKind::Learner.name() {
            return Err(Error::CredentialInvalid);
        }
        let tx = self.deps.control.write().await?;
        let program = learner.program_id.as_deref().ok_or(Error::Defect("a learner credential has no program"))?;
        let holder = Holder::Learner { program, subject: learner.subject.clone() };
        let issued = self.issue(&tx, scope.org(), CredentialKind::Link, holder, Some(self.config.link())).await?;
        tx.commit().await?;
        Ok(issued)
    }

    /// Opens a browser session for whoever holds `secret`.
    pub(crate) async fn open_session(&self, secret: &str) -> Result<(Issued, Subject), Error> {
        let credential = self.live(secret).await?;
        if credential.kind == CredentialKind::Operator.name() {
            return Err(Error::CredentialInvalid);
        }
        let subject = self.subject(&credential).await?;
        let org: OrgId = credential.org_id.parse().map_err(|_| Error::Defect("an org id cannot be read"))?;
        let tx = self.deps.control.write().await?;
        let holder = match (&credential.staff_id, &credential.program_id) {
            (Some(staff), _) => Holder::Staff(staff),
            (None, Some(program)) => Holder::Learner { program, subject: credential.subject.clone() },
            (None, None) => return Err(Error::CredentialInvalid),
        };
        let issued = self.issue(&tx, org, CredentialKind::Session, holder, Some(self.config.session())).await?;
        tx.commit().await?;
        Ok((issued, subject))
    }

    pub(crate) async fn end_session(&self, secret: &str) -> Result<(), Error> {
        let Ok(credential) = self.live(secret).await else { return Ok(()) };
        let tx = self.deps.control.write().await?;
        let revoke = credential::Entity::update_many()
            .col_expr(credential::Column::RevokedAt, Expr::value(tx.now().micros()))
            .filter(credential::Column::OrgId.eq(credential.org_id))
            .filter(credential::Column::Id.eq(credential.id));
        tx.update(revoke).await?;
        Ok(tx.commit().await?)
    }

    /// A signed scope token for whoever holds `secret`.
    pub(crate) async fn exchange(&self, secret: &str) -> Result<(String, Timestamp, Subject), Error> {
        let credential = self.live(secret).await?;
        let subject = self.subject(&credential).await?;
        let (token, expires_at) = tokens::mint(&*self.deps.keys, &self.config.issuer, self.deps.clock.now(), &subject).await?;
        Ok((token, expires_at, subject))
    }

    /// A signed scope token for a service itself.
    pub(crate) async fn system_token(&self, service: ServiceName, org: OrgId) -> Result<(String, Timestamp), Error> {
        let org_row = self.org(&org.to_string()).await?;
        let subject = Subject::system(actor_of(service), org, &org_row)?;
        tokens::mint(&*self.deps.keys, &self.config.issuer, self.deps.clock.now(), &subject).await
    }

    async fn org(&self, id: &str) -> Result<org::Model, Error> {
        self.deps.control.one(org::Entity::find_by_id(id.to_owned())).await?.ok_or(Error::OrgNotFound)
    }

    async fn subject(&self, credential: &credential::Model) -> Result<Subject, Error> {
        let org = self.org(&credential.org_id).await?;
        let member = match &credential.staff_id {
            Some(id) => {
                let key = (credential.org_id.clone(), id.clone());
                Some(self.deps.control.one(staff::Entity::find_by_id(key)).await?.ok_or(Error::CredentialInvalid)?)
            }
            None => None,
        };
        Subject::of(&org, credential, member.as_ref())
    }

    /// The credential of `secret`, if it is alive.
    async fn live(&self, secret: &str) -> Result<credential::Model, Error> {
        let hash = secrets::hash(&*self.deps.keys, secret).await?;
        let found = self.deps.control.one(credential::Entity::find().filter(credential::Column::SecretHash.eq(hash))).await?;
        let now = self.deps.clock.now().micros();
        found.filter(|row| row.revoked_at.is_none() && row.expires_at > now).ok_or(Error::CredentialInvalid)
    }

    async fn issue(
        &self,
        tx: &ControlTx,
        org: OrgId,
        kind: CredentialKind,
        holder: Holder<'_>,
        lifetime: Option<Duration>,
    ) -> Result<Issued, Error> {
        let secret = secrets::generate(kind)?;
        let expires_at = lifetime.map_or(Timestamp::from_micros(FOREVER), |lifetime| tx.now().after(lifetime));
        let (staff_id, program_id, subject) = match holder {
            Holder::Staff(id) => (Some(id.to_owned()), None, id.to_owned()),
            Holder::Learner { program, subject } => (None, Some(program.to_owned()), subject),
            Holder::Operator => (None, None, "operator".to_owned()),
        };
        let row = credential::Model {
            org_id: org.to_string(),
            id: CredentialId::generate().to_string(),
            kind: kind.name().to_owned(),
            secret_hash: secrets::hash(&*self.deps.keys, secret.expose()).await?,
            staff_id,
            subject: subject.clone(),
            program_id,
            created_at: tx.now().micros(),
            expires_at: expires_at.micros(),
            revoked_at: None,
        };
        tx.insert(row).await?;
        Ok(Issued { secret, expires_at, subject })
    }

    pub(crate) fn keys(&self) -> &Arc<dyn preceptor_keys::Keys> {
        &self.deps.keys
    }
}

fn named(field: &'static str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 {
        return Err(Error::InvalidField { field, what: "must have 1 to 200 characters" });
    }
    Ok(text.to_owned())
}

/// The name under which a service acts on its own behalf.
const fn actor_of(service: ServiceName) -> SystemActor {
    match service {
        ServiceName::Gateway => SystemActor::Gateway,
        ServiceName::Auth => SystemActor::Bootstrap,
        ServiceName::Ingestion => SystemActor::Ingestion,
        ServiceName::Retrieval => SystemActor::Indexer,
        ServiceName::Answering => SystemActor::Answering,
        ServiceName::Alignment => SystemActor::Alignment,
        ServiceName::Credentials => SystemActor::Credentials,
        ServiceName::Credits => SystemActor::Credits,
        ServiceName::Analytics => SystemActor::Analytics,
        ServiceName::Audit => SystemActor::Sequencer,
    }
}
