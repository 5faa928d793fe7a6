//! The accreditors' words, as versioned data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use preceptor_core::Timestamp;
use serde::Deserialize;

/// Everyone who can hold a credential, in the order of the contract's enum.
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

/// A kind of credit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditType {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Those who receive the credit itself.
    pub(crate) professions: Vec<String>,
    /// The bodies whose accreditation lets a provider designate it.
    pub(crate) bodies: Vec<String>,
    effective_from: String,
    designation: String,
    participation: String,
}

/// A body that accredits providers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    body: String,
    #[serde(rename = "name")]
    _name: String,
    effective_from: String,
    statement: String,
    paper: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    credit_type: Vec<CreditType>,
    accreditation: Vec<Body>,
    formats: BTreeMap<String, String>,
    longest_term: BTreeMap<String, i16>,
    review_within: BTreeMap<String, i16>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    toml::from_str(include_str!("rules.toml")).expect("the rules are part of this binary and tested")
});

fn in_force(effective_from: &str, at: Timestamp) -> bool {
    format!("{effective_from}T00:00:00Z").parse::<Timestamp>().is_ok_and(|from| from <= at)
}

/// The kind of credit of that name as it was at an instant.
pub(crate) fn credit_type(id: &str, at: Timestamp) -> Option<&'static CreditType> {
    let known = RULES.credit_type.iter().filter(|kind| kind.id == id && in_force(&kind.effective_from, at));
    known.max_by(|a, b| a.effective_from.cmp(&b.effective_from))
}

/// The names of all kinds of credit.
pub(crate) fn credit_types() -> String {
    RULES.credit_type.iter().map(|kind| kind.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// The accrediting bodies.
pub(crate) fn bodies() -> String {
    RULES.accreditation.iter().map(|body| body.body.as_str()).collect::<Vec<_>>().join(", ")
}

/// The paper on which certificates of a body's providers are printed unless another one is asked for.
pub(crate) fn paper(body: &str) -> &'static str {
    RULES.accreditation.iter().find(|rule| rule.body == body).map_or("a4", |rule| rule.paper.as_str())
}

/// The names of all activity formats.
pub(crate) fn formats() -> String {
    RULES.formats.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// A format in the words of a designation statement.
pub(crate) fn format_words(format: &str) -> Option<&'static str> {
    RULES.formats.get(format).map(String::as_str)
}

/// The same instant so many calendar years later.
fn years_after(at: Timestamp, years: i16) -> Option<Timestamp> {
    let from = jiff::Timestamp::from_microsecond(at.micros()).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    let later = from.checked_add(jiff::Span::new().try_years(years).ok()?).ok()?;
    Some(Timestamp::from_micros(later.timestamp().as_microsecond()))
}

/// Until when an accreditation by `body` that begins at an instant can last, and for how many years that is.
pub(crate) fn longest_term(body: &str, from: Timestamp) -> Option<(Timestamp, i16)> {
    let years = *RULES.longest_term.get(body)?;
    Some((years_after(from, years)?, years))
}

/// By when an activity of `format` that was released or reviewed at an instant has to end, and within how many years;
/// nothing where no rule says so.
pub(crate) fn review_due(format: &str, reviewed: Timestamp) -> Option<(Timestamp, i16)> {
    let years = *RULES.review_within.get(format)?;
    Some((years_after(reviewed, years)?, years))
}

/// The accreditation statement of a body, with the provider's name in it.
pub(crate) fn accreditation_statement(body: &str, provider: &str, at: Timestamp) -> Option<String> {
    let known =
        RULES.accreditation.iter().filter(|rule| rule.body == body && in_force(&rule.effective_from, at));
    let rule = known.max_by(|a, b| a.effective_from.cmp(&b.effective_from))?;
    Some(rule.statement.replace("{provider}", provider))
}

impl CreditType {
    /// The designation statement.
    pub(crate) fn designation(&self, provider: &str, format: &str, quarters: i64) -> String {
        self.designation
            .replace("{provider}", provider)
            .replace("{format}", format)
            .replace("{amount}", &amount(quarters))
    }

    /// What a certificate of participation says of the designation.
    pub(crate) fn participation(&self, quarters: i64) -> String {
        self.participation.replace("{amount}", &amount(quarters))
    }

    /// The kind of the rules that apply, for the record.
    pub(crate) fn edition(&self) -> String {
        format!("{}@{}", self.id, self.effective_from)
    }
}

/// An amount as certificates write it: with two decimals.
pub(crate) fn amount(quarters: i64) -> String {
    format!("{}.{:02}", quarters / 4, quarters % 4 * 25)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_305_600_000_000);

    #[test]
    fn amounts_have_two_decimals() {
        assert_eq!([1, 2, 3, 4, 13].map(amount), ["0.25", "0.50", "0.75", "1.00", "3.25"]);
    }

    #[test]
    fn statements_are_complete() {
        for kind in &RULES.credit_type {
            let text = kind.designation("Harbor", "enduring material", 3);
            assert!(text.contains("Harbor") && text.contains("0.75") && !text.contains('{'), "{text}");
            assert!(kind.professions.iter().all(|profession| PROFESSIONS.contains(&profession.as_str())));
            for body in &kind.bodies {
                let statement = accreditation_statement(body, "Harbor", NOW).expect("a body of the rules");
                assert!(statement.contains("Harbor") && !statement.contains('{'), "{statement}");
                assert!(preceptor_certificate::Paper::of_name(paper(body)).is_some(), "{body}");
            }
        }
        assert_eq!(accreditation_statement("nobody", "Harbor", NOW), None);
    }

    #[test]
    fn terms_are_counted_in_calendar_years() {
        let begin: Timestamp = "2024-02-29T00:00:00Z".parse().expect("an instant");
        assert_eq!(longest_term("accme", begin).map(|(end, _)| end), "2030-02-28T00:00:00Z".parse().ok());
        assert_eq!(review_due("enduring_material", begin).map(|(_, years)| years), Some(3));
        assert_eq!(review_due("live_course", begin), None);
        assert!(RULES.accreditation.iter().all(|rule| RULES.longest_term.contains_key(&rule.body)));
        assert!(RULES.review_within.keys().all(|format| RULES.formats.contains_key(format)));
    }

    #[test]
    fn rules_of_the_future_do_not_apply() {
        assert!(credit_type("ama_pra_1", NOW).is_some());
        assert!(credit_type("ama_pra_1", Timestamp::from_micros(0)).is_none());
    }
}
