//! Settings of credentials.

use std::sync::Arc;

use preceptor_mail::Mail;
use preceptor_runtime::config::{Problem, Validate};
use serde::{Deserialize, Serialize};

/// Settings of credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The mail server: `smtps://host:465`, `smtp+starttls://host:587`, or `smtp://127.0.0.1:25` for one on this machine.
    /// Empty: no mail can be sent, and no one can verify an address.
    pub smtp: String,
    /// The address that mail comes from.
    pub from: String,
    /// The NPI registry (NPPES, API 2.1). Empty: numbers are checked by their check digit only.
    pub npi_registry: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            smtp: String::new(),
            from: "Preceptor <no-reply@preceptor.invalid>".to_owned(),
            npi_registry: "https://npiregistry.cms.hhs.gov/api/".to_owned(),
        }
    }
}

pub use preceptor_mail::Unusable;

impl Config {
    /// The mail server that the settings name.
    pub fn mail(&self) -> Result<Arc<dyn Mail>, Unusable> {
        preceptor_mail::of(&self.smtp, &self.from)
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        if let Err(error) = self.mail() {
            problems.push(Problem::at(format!("{path}.smtp"), error.to_string()));
        }
        let is_url = self.npi_registry.is_empty()
            || self.npi_registry.starts_with("https://")
            || self.npi_registry.starts_with("http://127.0.0.1:");
        if !is_url {
            problems.push(Problem::at(format!("{path}.npi_registry"), "must be an https URL, or empty"));
        }
    }
}
