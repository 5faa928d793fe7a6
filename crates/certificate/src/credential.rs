//! What a certificate states, as an Open Badges 3.0 credential.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::key::IssuerKey;
use crate::rdf::{CONTEXT_NAMES, canonical};
use crate::{Error, amount};

/// Everything that a certificate states. Times are RFC 3339.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The certificate's own id.
    pub certificate_id: String,
    /// A UUID for the person in this certificate, and in no other.
    pub subject_uuid: String,
    /// The code that finds it.
    pub code: String,
    /// The page that finds it.
    pub verify_url: String,
    /// The person's name as they state it.
    pub name: String,
    /// The degree behind the name; may be empty.
    pub degree: String,
    /// The provider.
    pub provider: String,
    /// The activity.
    pub activity: String,
    /// Its format in words.
    pub format: String,
    /// The kind of credit, as its owner writes it.
    pub credit_name: String,
    /// Claimed and awarded, in quarters.
    pub quarters: i64,
    /// At most, in quarters.
    pub designated_quarters: i64,
    /// Whether the person receives the credit itself, or a certificate of participation.
    pub is_credit: bool,
    /// What a certificate of participation says of the designation.
    pub participation: String,
    /// When the activity was completed.
    pub completed_at: String,
    /// When the credit was awarded.
    pub issued_at: String,
    /// The accreditation statement.
    pub accreditation_statement: String,
    /// The designation statement.
    pub designation_statement: String,
    /// The verifier key of the provider's log.
    pub log_key: String,
}

impl Facts {
    /// The person with their degree.
    pub fn person(&self) -> String {
        if self.degree.is_empty() { self.name.clone() } else { format!("{}, {}", self.name, self.degree) }
    }

    /// What the certificate is.
    pub(crate) fn title(&self) -> &'static str {
        if self.is_credit { "Certificate of Credit" } else { "Certificate of Participation" }
    }

    /// What was awarded, in one sentence.
    pub(crate) fn award(&self) -> String {
        if self.is_credit {
            format!("{} {}", amount(self.quarters), self.credit_name)
        } else {
            format!("{} hour(s) of participation. {}", amount(self.quarters), self.participation)
        }
    }
}

/// The credential, not signed yet.
pub fn credential(facts: &Facts, key: &IssuerKey) -> Map<String, Value> {
    let amount = facts.quarters as f64 / 4.0;
    let credential = json!({
        "@context": CONTEXT_NAMES,
        "id": facts.verify_url,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": format!("{}: {}", facts.title(), facts.activity),
        "description": facts.award(),
        "issuer": { "id": key.to_string(), "type": ["Profile"], "name": facts.provider },
        "validFrom": facts.issued_at,
        "credentialSubject": {
            "id": format!("urn:uuid:{}", facts.subject_uuid),
            "type": ["AchievementSubject"],
            "identifier": [{ "type": "IdentityObject", "hashed": false, "identityHash": facts.person(), "identityType": "name" }],
            "activityEndDate": facts.completed_at,
            "creditsEarned": amount,
            "role": "Learner",
            "result": [{ "type": ["Result"], "status": "Completed" }],
            "achievement": {
                "id": format!("{}#activity", facts.verify_url),
                "type": ["Achievement"],
                "achievementType": "Certificate",
                "name": facts.activity,
                "description": format!("{} {}", facts.accreditation_statement, facts.designation_statement),
                "criteria": {
                    "id": format!("{}#criteria", facts.verify_url),
                    "narrative": "Passed the assessment at the threshold that was shown before it began, and claimed the credit.",
                },
                "creditsAvailable": facts.designated_quarters as f64 / 4.0,
                "humanCode": facts.code,
            },
        },
        "evidence": [{
            "id": format!("{}#log", facts.verify_url),
            "type": ["Evidence"],
            "name": "Log of the provider",
            "narrative": facts.log_key,
        }],
    });
    credential.as_object().cloned().unwrap_or_default()
}

/// What the log's record says of a credential: SHA-256 of its canonical form, in hexadecimal.
pub fn credential_sha256(unsigned: &Value) -> Result<String, Error> {
    Ok(hex::encode(Sha256::digest(canonical(unsigned).map_err(Error::Credential)?)))
}
