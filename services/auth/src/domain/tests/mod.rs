//! The control plane on a database of its own, with a clock that stands still.

mod doors;
mod mints;
mod people;
mod rows;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use preceptor_bus::DurableLog;
use preceptor_core::clock::ManualClock;
use preceptor_core::id::{OrgId, ProgramId};
use preceptor_core::scope::ScopeVerifier;
use preceptor_core::{Clock, Role, Scope, Secret, Timestamp};
use preceptor_keys::{Keyring, Keys, Once, SealedMemory};
use preceptor_mail::{Mail, MailError};
use preceptor_store::{Control, ControlConfig};
use tempfile::TempDir;

use super::{Accounts, Door, NewMember};
use crate::store::SCHEMA;
use crate::{Config, Deps, Error};

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Mail as it was sent: to whom, and the text.
#[derive(Debug, Default)]
struct Outbox(Mutex<Vec<(String, String)>>);

#[async_trait::async_trait]
impl Mail for Outbox {
    async fn send(&self, _id: &str, to: &str, _subject: &str, text: String) -> Result<(), MailError> {
        if to.starts_with("nobody@") {
            return Err(MailError::Refused);
        }
        self.0.lock().expect("no panic").push((to.to_owned(), text));
        Ok(())
    }

    fn is_set_up(&self) -> bool {
        true
    }
}

impl Outbox {
    /// The secret of the newest link to an address.
    fn secret(&self, to: &str) -> Option<String> {
        let kept = self.0.lock().expect("no panic");
        let (_, text) = kept.iter().rev().find(|(address, _)| address == to)?;
        Some(text.split("/sign-in#").nth(1)?.split_whitespace().next()?.to_owned())
    }
}

/// A control plane with one org, whose admin's token and the operator's are known.
struct World {
    accounts: Accounts,
    clock: Arc<ManualClock>,
    mail: Arc<Outbox>,
    verifier: ScopeVerifier,
    admin: String,
    operator: String,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(START));
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        let file = ControlConfig::File(folder.path().join("control.db"));
        let keys =
            Keyring::open(&folder.path().join("keyring.json"), &Secret::new("test")).expect("a keyring");
        let keys: Arc<dyn Keys> = Arc::new(keys);
        let mail = Arc::new(Outbox::default());
        let seals = preceptor_store::OutboxSeals::new(&[7; 32]);
        let deps = Deps {
            control: Control::open(&file, SCHEMA, Arc::clone(&shared), seals).await.expect("a database"),
            memory: Arc::new(SealedMemory::new(folder.path().join("staff-rolls"), Arc::clone(&keys))),
            sealed: Once::new(
                Arc::new(SealedMemory::new(folder.path().join("sealed-before"), Arc::clone(&keys))),
                "accounts",
            ),
            keys,
            bus: Arc::new(
                DurableLog::open(&folder.path().join("bus.db"), Arc::clone(&shared)).await.expect("a bus"),
            ),
            mail: Arc::clone(&mail) as _,
            public_url: "http://127.0.0.1:8080/".to_owned(),
            clock: shared,
        };
        let config = Config::default();
        let accounts = Accounts::new(deps.clone(), config.clone());
        let first = accounts.bootstrap().await.expect("a first start").expect("nothing was there");
        let verifier = crate::verifier(&*deps.keys, &config).await.expect("keys");
        let (admin, operator) =
            (first.admin_token.expose().to_owned(), first.operator_token.expose().to_owned());
        Self { accounts, clock, mail, verifier, admin, operator, folder }
    }

    fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// The scope that a secret proves at a door.
    async fn at(&self, secret: &str, door: Door) -> Result<Scope, Error> {
        let (token, ..) = self.accounts.exchange(secret, door).await?;
        Ok(self.verifier.verify(&token, self.clock.now()).expect("auth signs what it issues"))
    }

    /// The scope of a token.
    async fn scope(&self, token: &str) -> Scope {
        self.at(token, Door::Header).await.expect("a live token")
    }

    async fn admin(&self) -> Scope {
        self.scope(&self.admin).await
    }

    /// Adds a member of staff; returns their id and token.
    async fn hire(&self, role: Role) -> (String, String) {
        let email = format!("{role}@example.org");
        let new = NewMember { name: role.name(), role, email: &email };
        let (member, token) =
            self.accounts.create_staff(&self.admin().await, new).await.expect("a member of staff");
        (member.id, token.secret.expose().to_owned())
    }

    /// The credential of an app.
    async fn app(&self) -> String {
        let made =
            self.accounts.create_service_credential(&self.admin().await, "App", None, &self.admin).await;
        made.expect("a credential").secret.expose().to_owned()
    }

    /// The token of a learner whom an app admitted.
    async fn learner(&self, app: &str, lifetime: Option<Duration>) -> String {
        let scope = self.scope(app).await;
        let issued = self.accounts.issue_learner_token(&scope, ProgramId::generate(), "rosa", lifetime).await;
        issued.expect("a learner").secret.expose().to_owned()
    }

    async fn session(&self, secret: &str) -> Result<String, Error> {
        Ok(self.accounts.open_session(secret, "").await?.0.secret.expose().to_owned())
    }

    /// A session of a learner, by a link that was made with their token.
    async fn learner_session(&self, token: &str) -> Result<String, Error> {
        let scope = self.at(token, Door::Header).await?;
        let link = self.accounts.issue_learner_link(&scope, token).await?;
        self.session(link.secret.expose()).await
    }

    fn org(scope: &Scope) -> OrgId {
        scope.org()
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::CredentialInvalid))
}
