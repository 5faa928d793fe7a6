//! Names under which anyone finds something: of certificates, activities, providers and their lists.

use preceptor_certificate::status::ENTRIES;
use preceptor_core::id::{OfferId, OrgId};
use sha2::{Digest as _, Sha256};

/// Crockford's letters, none of which can be read as another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a code that lead to the org.
pub(super) const ORG_LETTERS: usize = 5;
/// Random letters of a code: 130 bits.
const RANDOM_LETTERS: usize = 26;
/// The length of a code.
pub(super) const LENGTH: usize = ORG_LETTERS + RANDOM_LETTERS;
/// Lists of a provider that a name can have: more than there are people.
const MOST_LISTS: i64 = (1 << 40) / ENTRIES as i64;

fn letters(bytes: &[u8], count: usize) -> String {
    bytes.iter().take(count).map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}

/// Five letters that lead to an org and say nothing about it.
pub(super) fn of_org(org: OrgId) -> String {
    letters(&Sha256::digest(org.to_string()), ORG_LETTERS)
}

/// A new code for a certificate.
pub(super) fn new(org: OrgId) -> String {
    format!("{}{}", of_org(org), letters(&rand::random::<[u8; RANDOM_LETTERS]>(), RANDOM_LETTERS))
}

/// A code as people type it: any case, with or without dashes, O for zero, I and L for one.
pub(super) fn typed(code: &str) -> String {
    let letter = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    code.chars().filter(char::is_ascii_alphanumeric).map(letter).collect()
}

/// The public name of a provider: always the same, and no other's.
pub(super) fn public(org: OrgId) -> String {
    letters(&Sha256::digest(format!("public\n{org}")), RANDOM_LETTERS)
}

/// The name of one of its lists.
pub(super) fn list(org: OrgId, number: i64) -> String {
    format!("{}-{number}", public(org))
}

/// A list's provider and number.
pub(super) fn of_list(name: &str) -> Option<(&str, i64)> {
    let (provider, number) = name.split_once('-')?;
    let parsed = number.parse().ok().filter(|parsed| (1..=MOST_LISTS).contains(parsed))?;
    // One name for each list.
    (parsed.to_string() == number).then_some((provider, parsed))
}

/// The name of an activity.
pub(super) fn activity(org: OrgId, offer: &str) -> String {
    format!("{}{}", of_org(org), offer.rsplit('_').next().unwrap_or_default().to_uppercase())
}

/// The offer of an activity's name.
pub(super) fn offer_of(code: &str) -> Option<OfferId> {
    let own = code.get(ORG_LETTERS..)?.to_lowercase();
    format!("{}_{own}", OfferId::PREFIX).parse().ok()
}

#[cfg(test)]
mod tests {
    use preceptor_certificate::grouped;

    use super::*;

    #[test]
    fn a_code_survives_being_read_aloud_and_typed() {
        let code = new(OrgId::generate());
        let spoken = grouped(&code).to_lowercase().replace('0', "o").replace('1', "l");
        assert_eq!(typed(&spoken), code);
        assert_eq!(code.len(), LENGTH);
    }

    #[test]
    fn the_name_of_an_activity_leads_to_its_offer() {
        let (org, offer) = (OrgId::generate(), OfferId::generate());
        let name = activity(org, &offer.to_string());
        assert_eq!((offer_of(&typed(&name)), name.len()), (Some(offer), LENGTH));
        assert_eq!(offer_of("short"), None);
    }

    #[test]
    fn a_list_has_one_name() {
        let org = OrgId::generate();
        assert_eq!(of_list(&list(org, 12)), Some((public(org).as_str(), 12)));
        for other in ["", "X", "X-0", "X-01", "X--1", "X-+1", "X-99999999999999"] {
            assert_eq!(of_list(other), None, "{other}");
        }
    }
}
