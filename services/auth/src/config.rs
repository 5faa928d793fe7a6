//! Settings of the control plane.

use std::time::Duration;

use preceptor_runtime::config::{Problem, Validate};
use serde::{Deserialize, Serialize};

/// Settings of the control plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The `iss` of every scope token.
    pub issuer: String,
    /// How long a browser session lasts at most.
    pub session_seconds: u64,
    /// How long a browser session may lie idle.
    pub session_idle_seconds: u64,
    /// How long ago someone may have signed in to do what needs a confirmation.
    pub confirmation_seconds: u64,
    /// How long an API token lasts; the operator's too.
    pub api_token_days: u64,
    /// How long an app's credential lasts.
    pub service_credential_days: u64,
    /// How long an invitation can be opened.
    pub invitation_days: u64,
    /// How long a sign-in link can be opened.
    pub link_seconds: u64,
    /// How long a learner token lasts unless its issuer says otherwise.
    pub learner_token_seconds: u64,
    /// The longest life a learner token may be given.
    pub longest_learner_token_seconds: u64,
    /// The name of the org that a first start makes.
    pub first_org: String,
}

/// The longest life of an API token.
const LONGEST_API_TOKEN_DAYS: u64 = 90;
/// The longest life of an app's credential.
const LONGEST_SERVICE_CREDENTIAL_DAYS: u64 = 365;
const LONGEST_INVITATION_DAYS: u64 = 30;
const DAY: u64 = 24 * 3600;

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer: "https://preceptor.local/auth".to_owned(),
            session_seconds: 12 * 3600,
            session_idle_seconds: 15 * 60,
            confirmation_seconds: 5 * 60,
            api_token_days: LONGEST_API_TOKEN_DAYS,
            service_credential_days: 180,
            invitation_days: 7,
            link_seconds: 3600,
            learner_token_seconds: 24 * 3600,
            longest_learner_token_seconds: 30 * 24 * 3600,
            first_org: "My organization".to_owned(),
        }
    }
}

impl Config {
    pub(crate) fn session(&self) -> Duration {
        Duration::from_secs(self.session_seconds)
    }

    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(self.session_idle_seconds)
    }

    pub(crate) fn confirmation(&self) -> Duration {
        Duration::from_secs(self.confirmation_seconds)
    }

    pub(crate) fn api_token(&self) -> Duration {
        Duration::from_secs(self.api_token_days * DAY)
    }

    pub(crate) fn service_credential(&self) -> Duration {
        Duration::from_secs(self.service_credential_days * DAY)
    }

    pub(crate) fn invitation(&self) -> Duration {
        Duration::from_secs(self.invitation_days * DAY)
    }

    pub(crate) fn link(&self) -> Duration {
        Duration::from_secs(self.link_seconds)
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        if self.issuer.is_empty() {
            problems.push(Problem::at(format!("{path}.issuer"), "must not be empty"));
        }
        for (name, value) in [("session_seconds", self.session_seconds), ("link_seconds", self.link_seconds)]
        {
            if !(60..=7 * 24 * 3600).contains(&value) {
                problems
                    .push(Problem::at(format!("{path}.{name}"), "must be between one minute and seven days"));
            }
        }
        for (name, value) in [
            ("session_idle_seconds", self.session_idle_seconds),
            ("confirmation_seconds", self.confirmation_seconds),
        ] {
            if !(60..=self.session_seconds.max(60)).contains(&value) {
                problems.push(Problem::at(
                    format!("{path}.{name}"),
                    "must be between one minute and session_seconds",
                ));
            }
        }
        for (name, value, longest) in [
            ("api_token_days", self.api_token_days, LONGEST_API_TOKEN_DAYS),
            ("service_credential_days", self.service_credential_days, LONGEST_SERVICE_CREDENTIAL_DAYS),
            ("invitation_days", self.invitation_days, LONGEST_INVITATION_DAYS),
        ] {
            if !(1..=longest).contains(&value) {
                problems
                    .push(Problem::at(format!("{path}.{name}"), format!("must be between 1 and {longest}")));
            }
        }
        if self.learner_token_seconds > self.longest_learner_token_seconds {
            problems.push(Problem::at(
                format!("{path}.learner_token_seconds"),
                "must not exceed longest_learner_token_seconds",
            ));
        }
    }
}
