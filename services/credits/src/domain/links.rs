//! The links of the chain, by the constraints that guard them.

use preceptor_core::{Fault, Kind};

/// A link of the chain from source to credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The provider was not accredited then.
    Accreditation,
    /// The program was not designated before the learner began, or the designation is retroactive.
    Designation,
    /// Outside the time in which the activity is open.
    Window,
    /// A source was not verified, or not in a class that counts.
    Source,
    /// An item was not approved by someone else.
    Item,
    /// The attempt was not passed at the threshold that was shown.
    Attempt,
    /// The attempts that are allowed are used up.
    Retakes,
    /// Anyone who takes the quiz has seen which answers are right.
    Unseen,
    /// The evaluation is missing.
    Evaluation,
    /// No credential was valid at completion, at the level that is needed.
    Credential,
    /// What the profession receives under this offer.
    Recognition,
    /// The amount is not in quarters, or more than was designated.
    Amount,
    /// There is a live credit already.
    OneLive,
    /// The void gives no reason, or ends nothing.
    Void,
    /// The record only grows.
    Immutable,
}

/// Every constraint that a request can run into, with the link it guards.
const GUARDS: &[(&str, Link)] = &[
    ("credits_accreditation_lasts", Link::Accreditation),
    ("credits_accreditation_status", Link::Accreditation),
    ("credits_offer_accreditation", Link::Accreditation),
    ("credits_offer_within_accreditation", Link::Accreditation),
    ("credits_award_while_accredited", Link::Accreditation),
    ("credits_award_confirmed_by_a_decision", Link::Accreditation),
    ("credits_award_accreditation_decision", Link::Accreditation),
    ("credits_offer_not_retroactive", Link::Designation),
    ("credits_award_designated_before_start", Link::Designation),
    ("credits_award_offer", Link::Designation),
    ("credits_offer_window", Link::Window),
    ("credits_award_before_termination", Link::Window),
    ("credits_award_after_completion", Link::Window),
    ("credits_form_source_counts", Link::Source),
    ("credits_form_source_class", Link::Source),
    ("credits_form_source_verification", Link::Source),
    ("credits_form_source_verified_first", Link::Source),
    ("credits_form_item_source", Link::Source),
    ("credits_form_item_approved", Link::Item),
    ("credits_form_item_decision", Link::Item),
    ("credits_item_decision_author_is_not_reviewer", Link::Item),
    ("credits_award_passed", Link::Attempt),
    ("credits_award_result", Link::Attempt),
    ("credits_result_passed_at_threshold", Link::Attempt),
    ("credits_result_is_counted", Link::Attempt),
    ("credits_answer_truth", Link::Attempt),
    ("credits_answer_adds_up", Link::Attempt),
    ("credits_answer_previous", Link::Attempt),
    ("credits_attempt_within_retakes", Link::Retakes),
    ("credits_taking_without_the_key", Link::Unseen),
    ("credits_attempt_key_unseen", Link::Unseen),
    ("credits_attempt_taking", Link::Unseen),
    ("credits_result_key_unseen", Link::Unseen),
    ("credits_result_taking", Link::Unseen),
    ("credits_award_evaluated", Link::Evaluation),
    ("credits_award_evaluation", Link::Evaluation),
    ("credits_award_credential", Link::Credential),
    ("credits_award_assured", Link::Credential),
    ("credits_award_credential_valid_at_completion", Link::Credential),
    ("credits_award_recognition", Link::Recognition),
    ("credits_offer_quarters", Link::Amount),
    ("credits_award_quarters", Link::Amount),
    ("credits_award_within_designation", Link::Amount),
    ("credits_ledger_one_live", Link::OneLive),
    ("credits_ledger_once", Link::OneLive),
    ("credits_ledger_in_sequence", Link::Void),
    ("credits_ledger_takes_turns", Link::Void),
    ("credits_ledger_previous", Link::Void),
    ("credits_ledger_voids_the_live_one", Link::Void),
    ("credits_ledger_void_has_reason", Link::Void),
    (preceptor_store::APPEND_ONLY, Link::Immutable),
];

/// What is said to the one who cannot take a quiz because they have seen its key.
pub(super) const KEY_SEEN: (&str, &str) = (
    "QUIZ_KEY_SEEN",
    "you have seen which answers to the questions of this program are right, so you cannot take its quiz for credit",
);

impl Link {
    /// The link that a constraint guards.
    pub(crate) fn of_constraint(name: &str) -> Option<Self> {
        GUARDS.iter().find(|(guard, _)| *guard == name).map(|(_, link)| *link)
    }

    /// What to say to the one who ran into it.
    pub(crate) fn to_fault(self) -> Fault {
        let refused =
            |code: &'static str, words: &'static str| Fault::new(Kind::FailedPrecondition, code, words);
        match self {
            Self::Accreditation => refused(
                "NOT_ACCREDITED",
                "the provider is not accredited for that time; an administrator has to record the accreditation",
            ),
            Self::Designation => refused(
                "NOT_DESIGNATED",
                "the program was not designated for this credit before the quiz was begun; designation is never retroactive",
            ),
            Self::Window => refused(
                "OUTSIDE_WINDOW",
                "the activity is not open for credit at that time; see its release and termination dates",
            ),
            Self::Source => refused(
                "SOURCE_NOT_VERIFIED",
                "a source of this quiz is not verified in a class that counts; verify it, or leave its items out",
            ),
            Self::Item => refused(
                "ITEM_NOT_APPROVED",
                "an item of this quiz was not approved by someone other than its author",
            ),
            Self::Attempt => refused(
                "ATTEMPT_NOT_PASSED",
                "this attempt did not pass at the threshold that was shown; take the quiz again",
            ),
            Self::Retakes => refused(
                "RETAKES_USED_UP",
                "you have used all attempts that this quiz allows; ask the provider",
            ),
            Self::Unseen => refused(KEY_SEEN.0, KEY_SEEN.1),
            Self::Evaluation => refused(
                "EVALUATION_MISSING",
                "give the evaluation of this activity first; the credit needs it",
            ),
            Self::Credential => refused(
                "CREDENTIAL_NOT_VERIFIED",
                "no credential of yours was valid when you completed the quiz, at the level that this credit needs; verify it first",
            ),
            Self::Recognition => refused(
                "PROFESSION_NOT_RECOGNIZED",
                "this offer says nothing about your profession; ask the provider",
            ),
            Self::Amount => Fault::new(
                Kind::InvalidInput,
                "AMOUNT_NOT_ALLOWED",
                "claim in steps of 0.25, more than 0 and at most what the activity is designated for",
            ),
            Self::OneLive => Fault::new(
                Kind::AlreadyExists,
                "CREDIT_EXISTS",
                "there is a live credit of this type already",
            ),
            Self::Void => refused(
                "CREDIT_VOID",
                "this credit cannot be voided: it is void already, or no reason was given",
            ),
            Self::Immutable => {
                refused("RECORD_IMMUTABLE", "what is on record is never changed; corrections are new entries")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: [&str; 2] =
        [include_str!("../store/0001_credits.sql"), include_str!("../store/0003_assessment.sql")];

    /// A constraint of the chain that no one can name to a user is a hole in the errors.
    #[test]
    fn every_guard_is_in_the_tables() {
        let sql = TABLES.concat();
        for (name, _) in GUARDS.iter().filter(|(name, _)| *name != preceptor_store::APPEND_ONLY) {
            assert!(sql.contains(&format!("CONSTRAINT {name} ")), "{name} is not in the tables");
        }
    }

    #[test]
    fn every_constraint_on_an_award_has_words() {
        let sql = TABLES.concat();
        let names = sql.split("CONSTRAINT ").skip(1).filter_map(|rest| rest.split(' ').next());
        // Keys and constants of our own making: a violation is a defect, not something a user did.
        let internal = ["credits_award_key", "credits_award_entry_kind", "credits_award_ledger"];
        for name in names.filter(|name| name.starts_with("credits_award_") && !internal.contains(name)) {
            assert!(Link::of_constraint(name).is_some(), "{name} has no words");
        }
    }
}
