//! What a certificate states, as an Open Badges 3.0 credential.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::key::IssuerKey;
use crate::rdf::{CONTEXT_NAMES, canonical};
use crate::status::Entry;
use crate::{Details, Error, amount};

const CRITERIA: &str =
    "Passed the assessment at the threshold that was shown before it began, and claimed the credit.";
const CAPTION: &str = "A round seal for continuing education, with the name of the activity's credit.";

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
    /// Where the activity and the provider can be read about. The first certificates did not say.
    #[serde(default)]
    pub published: Option<Published>,
    /// Where a void shows. The first certificates did not say.
    #[serde(default)]
    pub status: Option<Entry>,
    /// What the sheet says besides.
    #[serde(default)]
    pub details: Details,
}

/// Public places that a certificate refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The activity: the same for all its certificates.
    pub activity_url: String,
    /// The activity's image.
    pub image_url: String,
    /// The provider: its keys and its log.
    pub issuer_url: String,
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

    /// Numbers of the activity, by their kind.
    fn identifiers(&self) -> Vec<(String, String)> {
        let named = [
            ("systemId", &self.details.activity_id),
            ("ext:accreditorActivityId", &self.details.activity_number),
            ("ext:accreditedProviderNumber", &self.details.provider_number),
        ];
        let given = named.into_iter().filter(|(_, value)| self.published.is_some() && !value.is_empty());
        given.map(|(kind, value)| (kind.to_owned(), value.clone())).collect()
    }
}

/// The values of a credential. Its shape is fixed: a document that is not what [`Stated::credential`] makes of the values
/// read from it says something that no one reads, and is refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stated {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) award: String,
    pub(crate) provider: String,
    pub(crate) issuer_url: Option<String>,
    /// What the platform says of the provider's accreditation.
    pub(crate) standing: Option<String>,
    pub(crate) valid_from: String,
    pub(crate) subject: String,
    pub(crate) person: String,
    pub(crate) ended_at: String,
    pub(crate) earned: f64,
    pub(crate) achievement: Achievement,
    pub(crate) log_place: String,
    pub(crate) log_key: String,
    pub(crate) status: Option<Entry>,
}

/// What was achieved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Achievement {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    criteria: String,
    narrative: String,
    image: Option<(String, String)>,
    available: f64,
    pub(crate) code: Option<String>,
    identifiers: Vec<(String, String)>,
}

impl Stated {
    fn of(facts: &Facts) -> Self {
        let place = |name: &str| format!("{}#{name}", facts.verify_url);
        let published = facts.published.as_ref();
        Self {
            id: facts.verify_url.clone(),
            title: format!("{}: {}", facts.title(), facts.activity),
            award: facts.award(),
            provider: facts.provider.clone(),
            issuer_url: published.map(|published| published.issuer_url.clone()),
            standing: published.map(|_| facts.details.standing()),
            valid_from: facts.issued_at.clone(),
            subject: format!("urn:uuid:{}", facts.subject_uuid),
            person: facts.person(),
            ended_at: facts.completed_at.clone(),
            earned: credits(facts.quarters),
            achievement: Achievement {
                id: published.map_or_else(|| place("activity"), |published| published.activity_url.clone()),
                name: facts.activity.clone(),
                description: format!("{} {}", facts.accreditation_statement, facts.designation_statement),
                criteria: published.map_or_else(
                    || place("criteria"),
                    |published| format!("{}#criteria", published.activity_url),
                ),
                narrative: CRITERIA.to_owned(),
                image: published.map(|published| (published.image_url.clone(), CAPTION.to_owned())),
                available: credits(facts.designated_quarters),
                // What differs between the certificates of an activity is no part of its achievement.
                code: published.is_none().then(|| facts.code.clone()),
                identifiers: facts.identifiers(),
            },
            log_place: place("log"),
            log_key: facts.log_key.clone(),
            status: facts.status.clone(),
        }
    }

    /// The values of a credential, if each is where it belongs and of its kind, and nothing else is there.
    pub(crate) fn read(unsigned: &Value, key: &IssuerKey) -> Option<Self> {
        let subject = &unsigned["credentialSubject"];
        let achievement = &subject["achievement"];
        let stated = Self {
            id: text(&unsigned["id"])?,
            title: text(&unsigned["name"])?,
            award: text(&unsigned["description"])?,
            provider: text(&unsigned["issuer"]["name"])?,
            issuer_url: text(&unsigned["issuer"]["url"]),
            standing: text(&unsigned["issuer"]["description"]),
            valid_from: text(&unsigned["validFrom"])?,
            subject: text(&subject["id"])?,
            person: text(&subject["identifier"][0]["identityHash"])?,
            ended_at: text(&subject["activityEndDate"])?,
            earned: subject["creditsEarned"].as_f64()?,
            achievement: Achievement {
                id: text(&achievement["id"])?,
                name: text(&achievement["name"])?,
                description: text(&achievement["description"])?,
                criteria: text(&achievement["criteria"]["id"])?,
                narrative: text(&achievement["criteria"]["narrative"])?,
                image: text(&achievement["image"]["id"]).zip(text(&achievement["image"]["caption"])),
                available: achievement["creditsAvailable"].as_f64()?,
                code: text(&achievement["humanCode"]),
                identifiers: identifiers(&achievement["otherIdentifier"])?,
            },
            log_place: text(&unsigned["evidence"][0]["id"])?,
            log_key: text(&unsigned["evidence"][0]["narrative"])?,
            status: Entry::read(&unsigned["credentialStatus"]),
        };
        same(&Value::Object(stated.credential(key)), unsigned).then_some(stated)
    }

    /// The credential that states these values.
    fn credential(&self, key: &IssuerKey) -> Map<String, Value> {
        let mut issuer = json!({ "id": key.to_string(), "type": ["Profile"], "name": self.provider });
        if let Some(url) = &self.issuer_url {
            issuer["url"] = json!(url);
        }
        if let Some(standing) = &self.standing {
            issuer["description"] = json!(standing);
        }
        let mut credential = json!({
            "@context": CONTEXT_NAMES,
            "id": self.id,
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": self.title,
            "description": self.award,
            "issuer": issuer,
            "validFrom": self.valid_from,
            "credentialSubject": {
                "id": self.subject,
                "type": ["AchievementSubject"],
                "identifier": [{ "type": "IdentityObject", "hashed": false, "identityHash": self.person, "identityType": "name" }],
                "activityEndDate": self.ended_at,
                "creditsEarned": self.earned,
                "role": "Learner",
                "result": [{ "type": ["Result"], "status": "Completed" }],
                "achievement": self.achievement.document(),
            },
            "evidence": [{
                "id": self.log_place,
                "type": ["Evidence"],
                "name": "Log of the provider",
                "narrative": self.log_key,
            }],
        });
        if let Some(status) = &self.status {
            credential["credentialStatus"] = status.document();
        }
        credential.as_object().cloned().unwrap_or_default()
    }

    /// The code that finds the certificate: the end of its id, in groups. The first certificates say it apart.
    pub(crate) fn code(&self) -> String {
        let of_id = || grouped(self.id.rsplit('/').next().unwrap_or_default());
        self.achievement.code.clone().unwrap_or_else(of_id)
    }
}

impl Achievement {
    fn document(&self) -> Value {
        let mut achievement = json!({
            "id": self.id,
            "type": ["Achievement"],
            "achievementType": "Certificate",
            "name": self.name,
            "description": self.description,
            "criteria": { "id": self.criteria, "narrative": self.narrative },
            "creditsAvailable": self.available,
        });
        if let Some(code) = &self.code {
            achievement["humanCode"] = json!(code);
        }
        if let Some((id, caption)) = &self.image {
            achievement["image"] = json!({ "id": id, "type": "Image", "caption": caption });
        }
        if !self.identifiers.is_empty() {
            let entry = |(kind, value): &(String, String)| json!({ "type": "IdentifierEntry", "identifier": value, "identifierType": kind });
            achievement["otherIdentifier"] = self.identifiers.iter().map(entry).collect();
        }
        achievement
    }
}

/// A code as it is printed: in groups of five.
pub fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(5).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

fn credits(quarters: i64) -> f64 {
    quarters as f64 / 4.0
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn identifiers(value: &Value) -> Option<Vec<(String, String)>> {
    let entry = |entry: &Value| text(&entry["identifierType"]).zip(text(&entry["identifier"]));
    value.as_array().map_or_else(|| Some(Vec::new()), |entries| entries.iter().map(entry).collect())
}

/// Whether two documents are the same. Programs that pass a badge on may write 1.0 as 1.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// The credential, not signed yet.
pub fn credential(facts: &Facts, key: &IssuerKey) -> Map<String, Value> {
    Stated::of(facts).credential(key)
}

/// The achievement of an activity, as its badges state it and as its page shows it: without any person.
pub fn achievement(facts: &Facts) -> Value {
    Stated::of(facts).achievement.document()
}

/// What the log's record says of a credential: SHA-256 of its canonical form, in hexadecimal.
pub fn credential_sha256(unsigned: &Value) -> Result<String, Error> {
    Ok(hex::encode(Sha256::digest(canonical(unsigned).map_err(Error::Credential)?)))
}
