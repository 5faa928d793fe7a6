//! What a person states about themselves, and how it is kept.

use preceptor_core::display::composed;
use preceptor_core::id::OrgId;
use preceptor_core::{DisplayName, DisplayText};
use preceptor_keys::{DataKey, Keys};
use serde::{Deserialize, Serialize};

use super::npi::is_npi;
use crate::Error;

/// Who can hold a credential, in the order of the contract's enum.
pub(crate) const PROFESSIONS: [&str; 8] = [
    "physician",
    "physician_assistant",
    "nurse_practitioner",
    "nurse",
    "pharmacist",
    "dentist",
    "psychologist",
    "other",
];

/// The longest text of a field.
const MOST: usize = 200;

/// A person's own statement. It is kept sealed, and never printed for debugging. Statements that were sealed before a
/// field had its final spelling open too.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) degree: String,
    pub(crate) email: String,
    #[serde(alias = "licence_number")]
    pub(crate) license_number: String,
    #[serde(alias = "licence_board")]
    pub(crate) license_board: String,
    pub(crate) specialty: String,
    pub(crate) npi: String,
    /// ISO 8601 dates.
    pub(crate) licensed_since: String,
    #[serde(alias = "licence_expires")]
    pub(crate) license_expires: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person([redacted])")
    }
}

/// Where the sealed fields are, for the cipher.
fn place(org: OrgId, learner: &str) -> String {
    format!("{org}/credentials_clinician/sealed/{learner}")
}

fn day(field: &'static str, text: &str) -> Result<jiff::civil::Date, Error> {
    text.parse().map_err(|_| Error::field(field, "must be a date such as 2015-07-01"))
}

/// Microseconds of the beginning of a day in UTC.
pub(super) fn begins(day: &str) -> Option<i64> {
    let date: jiff::civil::Date = day.parse().ok()?;
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// One line of at most [`MOST`] characters, as it is seen.
fn line(field: &'static str, text: &str) -> Result<String, Error> {
    composed(text, MOST).map_err(|problem| Error::field(field, problem.to_string()))
}

/// Words that certificates print, unless they are left out.
fn words(field: &'static str, text: &str) -> Result<String, Error> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    DisplayText::new(text, MOST)
        .map(DisplayText::into_string)
        .map_err(|problem| Error::field(field, problem.to_string()))
}

impl Person {
    /// Whether both are the same person under the same license: what was checked of one was checked of the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let facts = |person: &Self| {
            let Self {
                name,
                degree,
                license_number,
                license_board,
                npi,
                licensed_since,
                license_expires,
                email: _,
                specialty: _,
            } = person.clone();
            [name, degree, license_number, license_board, npi, licensed_since, license_expires]
        };
        facts(self) == facts(other)
    }

    /// The statement without white space at the ends of its fields, if every field is acceptable.
    pub(crate) fn checked(self, profession: &str) -> Result<Self, Error> {
        let name =
            DisplayName::new(&self.name).map_err(|problem| Error::field("name", problem.to_string()))?;
        let person = Self {
            name: name.into_string(),
            degree: words("degree", &self.degree)?,
            email: line("email", &self.email)?,
            license_number: line("license_number", &self.license_number)?,
            license_board: words("license_board", &self.license_board)?,
            specialty: words("specialty", &self.specialty)?,
            npi: self.npi.trim().to_owned(),
            licensed_since: self.licensed_since.trim().to_owned(),
            license_expires: self.license_expires.trim().to_owned(),
        };
        let licensed = profession != "other";
        let needed = [
            ("license_number", &person.license_number, licensed),
            ("license_board", &person.license_board, licensed),
        ];
        if let Some((field, ..)) = needed.iter().find(|(_, text, needed)| *needed && text.is_empty()) {
            return Err(Error::field(field, "is needed"));
        }
        if !preceptor_mail::is_address(&person.email) {
            return Err(Error::field("email", "must be an address such as name@example.org"));
        }
        if !person.npi.is_empty() && !is_npi(&person.npi) {
            return Err(Error::field(
                "npi",
                "is not a valid NPI (10 digits; the check digit does not match)",
            ));
        }
        let since = day("licensed_since", &person.licensed_since)?;
        if !person.license_expires.is_empty() && day("license_expires", &person.license_expires)? <= since {
            return Err(Error::field("license_expires", "must be later than licensed_since"));
        }
        Ok(person)
    }

    /// The statement as it is stored: the wrapped key of the person, and the sealed fields.
    pub(crate) async fn seal(
        &self,
        keys: &dyn Keys,
        org: OrgId,
        learner: &str,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let (key, wrapped) = DataKey::make(keys, org, learner).await?;
        let content = serde_json::to_vec(self).map_err(|error| Error::Defect(error.to_string()))?;
        Ok((wrapped, key.seal(&place(org, learner), &content)?))
    }

    /// Opens what [`seal`](Self::seal) made of a learner's statement.
    pub(crate) async fn unseal(
        keys: &dyn Keys,
        org: OrgId,
        learner: &str,
        wrapped_key: &[u8],
        sealed: &[u8],
    ) -> Result<Self, Error> {
        Self::opened(&DataKey::open(keys, org, learner, wrapped_key).await?, org, learner, sealed)
    }

    /// The same with a key that was opened before.
    pub(crate) fn opened(key: &DataKey, org: OrgId, learner: &str, sealed: &[u8]) -> Result<Self, Error> {
        let content = key.unseal(&place(org, learner), sealed)?;
        serde_json::from_slice(&content).map_err(|error| Error::Defect(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        Person {
            name: "Ada Lovelace".into(),
            email: "ada@example.org".into(),
            license_number: "MD12345".into(),
            license_board: "Medical Board of California".into(),
            licensed_since: "2015-07-01".into(),
            ..Person::default()
        }
    }

    #[test]
    fn another_address_is_the_same_person_and_another_name_is_not() {
        assert!(person().is_same(&Person {
            email: "new@example.org".into(),
            specialty: "Cardiology".into(),
            ..person()
        }));
        assert!(!person().is_same(&Person { name: "Ada Byron".into(), ..person() }));
        assert!(!person().is_same(&Person { license_number: "MD1".into(), ..person() }));
    }

    #[test]
    fn a_statement_of_the_former_spelling_is_read() {
        let written = serde_json::to_string(&person()).expect("JSON");
        let former = written.replace("license_", "licence_");
        assert_ne!(former, written);
        assert_eq!(serde_json::from_str::<Person>(&former).expect("a statement"), person());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert!(person().checked("physician").is_ok());
        let wrong = [
            ("name", Person { name: " ".into(), ..person() }),
            ("email", Person { email: "ada".into(), ..person() }),
            ("license_number", Person { license_number: String::new(), ..person() }),
            ("npi", Person { npi: "1234567890".into(), ..person() }),
            ("licensed_since", Person { licensed_since: "July".into(), ..person() }),
            ("license_expires", Person { license_expires: "2010-01-01".into(), ..person() }),
            ("degree", Person { degree: "M\nD".into(), ..person() }),
        ];
        for (expected, person) in wrong {
            let Err(Error::InvalidField { field, .. }) = person.checked("physician") else {
                panic!("{expected} was accepted")
            };
            assert_eq!(field, expected);
        }
        assert!(
            Person { license_number: String::new(), license_board: String::new(), ..person() }
                .checked("other")
                .is_ok()
        );
    }
}
