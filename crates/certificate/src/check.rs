//! What a certificate says is what it looks like: checked again before it is signed and before it is printed, whatever let it
//! in. Both structures are taken apart whole, so that no field can be added without a decision here.

use preceptor_core::display::{DisplayName, DisplayProblem, DisplayText, composed};

use crate::{Details, Error, Facts};

/// Longer than anything that the services let in, statements included.
const LONGEST: usize = 2000;

type Check = Result<(), DisplayProblem>;

/// A person or an organization.
fn name(text: &str) -> Check {
    DisplayName::within(text, LONGEST).map(drop)
}

/// Words.
fn words(text: &str) -> Check {
    DisplayText::new(text, LONGEST).map(drop)
}

/// A number, an address, a date.
fn plain(text: &str) -> Check {
    composed(text, LONGEST).map(drop)
}

/// Whatever may be left out.
fn optional(text: &str, check: impl FnOnce(&str) -> Check) -> Check {
    if text.is_empty() { Ok(()) } else { check(text) }
}

fn every(texts: &[String], check: impl Fn(&str) -> Check) -> Check {
    texts.iter().try_for_each(|text| check(text))
}

fn named(checks: impl IntoIterator<Item = (&'static str, Check)>) -> Result<(), Error> {
    checks
        .into_iter()
        .try_for_each(|(field, check)| check.map_err(|problem| Error::NotAsItLooks { field, problem }))
}

impl Facts {
    /// Refuses texts that say one thing to a reader and another to a program, and names the field and the sign.
    pub fn check(&self) -> Result<(), Error> {
        let Self {
            certificate_id,
            subject_uuid,
            code,
            verify_url,
            name: person,
            degree,
            provider,
            activity,
            format,
            credit_name,
            quarters: _,
            designated_quarters: _,
            is_credit: _,
            participation,
            completed_at,
            issued_at,
            accreditation_statement,
            designation_statement,
            log_key,
            // Addresses of this deployment and places in its lists.
            published: _,
            status: _,
            details,
        } = self;
        named([
            ("name", name(person)),
            ("degree", optional(degree, words)),
            ("provider", name(provider)),
            ("activity", words(activity)),
            ("format", optional(format, words)),
            ("credit_name", words(credit_name)),
            ("participation", optional(participation, words)),
            ("accreditation_statement", words(accreditation_statement)),
            ("designation_statement", words(designation_statement)),
            ("certificate_id", plain(certificate_id)),
            ("subject_uuid", plain(subject_uuid)),
            ("code", plain(code)),
            ("verify_url", plain(verify_url)),
            ("completed_at", plain(completed_at)),
            ("issued_at", plain(issued_at)),
            ("log_key", plain(log_key)),
        ])?;
        details.check()
    }
}

impl Details {
    fn check(&self) -> Result<(), Error> {
        let Self {
            org,
            accreditation_confirmed: _,
            confirmed_at,
            activity_id,
            activity_number,
            provider_number,
            released_on,
            reviewed_on,
            terminates_on,
            joint_providers,
            moc_statements,
            signatory_name,
            signatory_title,
            // A picture.
            logo: _,
        } = self;
        named([
            ("org", optional(org, name)),
            ("joint_providers", every(joint_providers, name)),
            ("moc_statements", every(moc_statements, words)),
            ("signatory_name", optional(signatory_name, name)),
            ("signatory_title", optional(signatory_title, words)),
            ("confirmed_at", plain(confirmed_at)),
            ("activity_id", plain(activity_id)),
            ("activity_number", plain(activity_number)),
            ("provider_number", plain(provider_number)),
            ("released_on", plain(released_on)),
            ("reviewed_on", plain(reviewed_on)),
            ("terminates_on", plain(terminates_on)),
        ])
    }
}
