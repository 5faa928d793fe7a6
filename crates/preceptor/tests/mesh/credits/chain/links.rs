//! The links of an award, by name: without any one of them the statement fails, and the constraint that refuses it says
//! which.

use super::attack::Attack;
use super::engine::Engine;
use super::throw::Fate;
use super::world;
use preceptor_testkit::Store;

/// What a cell becomes.
#[derive(Debug, Clone, Copy)]
enum Cell {
    /// This.
    Is(&'static str),
    /// What another column of the row holds.
    Like(&'static str),
    /// One more than another column of the row holds.
    Above(&'static str),
}

/// A link, where it is taken away, and what refuses the row then.
type Missing = (&'static str, &'static str, &'static [(&'static str, Cell)], &'static str);

use Cell::{Above, Is, Like};

const NOBODY: Cell = Is("'nobody'");

/// The links of the chain (domain 1.13), from the accreditation to the claim.
const LINKS: &[Missing] = &[
    (
        "an accreditation at completion",
        "credits_award",
        &[("accreditation_until", Like("quiz_completed_at"))],
        "credits_award_while_accredited",
    ),
    ("a designation", "credits_award", &[("offer_id", NOBODY)], "credits_award_offer"),
    (
        "a designation before the start",
        "credits_award",
        &[("opens_at", Above("started_at"))],
        "credits_award_designated_before_start",
    ),
    (
        "the event that verified the source",
        "credits_form_source",
        &[("verification_id", NOBODY)],
        "credits_form_source_verification",
    ),
    ("a source that counts", "credits_form_source", &[("counts", Is("false"))], "credits_form_source_counts"),
    ("a decision on the item", "credits_form_item", &[("decision_id", NOBODY)], "credits_form_item_decision"),
    (
        "an approval of the item",
        "credits_form_item",
        &[("approved", Is("false"))],
        "credits_form_item_approved",
    ),
    ("an attempt", "credits_award", &[("attempt_id", NOBODY)], "credits_award_result"),
    ("a passed attempt", "credits_award", &[("passed", Is("false"))], "credits_award_passed"),
    (
        "the evaluation",
        "credits_award",
        &[("evaluation_required", Is("true")), ("evaluation_id", Is("NULL"))],
        "credits_award_evaluated",
    ),
    ("a credential", "credits_award", &[("assertion_id", NOBODY)], "credits_award_credential"),
    (
        "a credential that is valid at completion",
        "credits_award",
        &[("valid_until", Like("quiz_completed_at"))],
        "credits_award_credential_valid_at_completion",
    ),
    ("steps of 0.25", "credits_award", &[("quarters", Is("0.3"))], "credits_award_quarters"),
    (
        "an amount within the designation",
        "credits_award",
        &[("quarters", Above("designated_quarters"))],
        "credits_award_within_designation",
    ),
    (
        "a claim before the termination",
        "credits_award",
        &[("terminates_at", Like("started_at"))],
        "credits_award_before_termination",
    ),
    ("an entry of the ledger", "credits_award", &[("entry", Above("entry"))], "credits_award_ledger"),
];

/// Throws a copy of an award with everything it rests on, up to the row in which the link is taken away.
async fn without(engine: &Engine, attack: &mut Attack, link: Option<&Missing>) -> Fate {
    let awards = attack.place("credits_award").expect("a table");
    let original = (awards, attack.rows[awards].last().expect("an award").clone());
    let mut bundle = attack.copy(&original, true);
    if let Some((_, table, changes, _)) = link {
        let table = attack.place(table).expect("a table");
        let at = bundle.iter().position(|(place, _)| *place == table).expect("a row of it");
        bundle.truncate(at + 1);
        for (column, cell) in *changes {
            let other = |name: &str| bundle[at].1[attack.at(table, name)].clone();
            let value = match cell {
                Is(value) => (*value).to_owned(),
                Like(name) => other(name),
                Above(name) => (other(name).parse::<i64>().expect("a number") + 1).to_string(),
            };
            let column = attack.at(table, column);
            bundle[at].1[column] = value;
        }
    }
    let thrown: Vec<_> = bundle.iter().map(|row| attack.insertion(row, "INSERT")).collect();
    engine.begin().await;
    let mut fates = engine.throw(&attack.tables, &thrown).await;
    engine.undo().await;
    let last = fates.pop().expect("a fate");
    assert!(
        fates.iter().all(|fate| *fate == Fate::Accepted),
        "what it rests on is as it should be: {fates:?}"
    );
    last
}

pub(super) async fn an_award_without_any_one_link_fails_in_sql(store: Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, org) = world::lived(store, folder.path()).await;
    let engine = home.open(&org).await;
    engine.start().await;
    let mut attack = Attack::read(&engine, super::tables(), &world::others()).await;
    assert_eq!(without(&engine, &mut attack, None).await, Fate::Accepted, "with all of them it is a credit");
    for link in LINKS {
        assert_eq!(
            without(&engine, &mut attack, Some(link)).await,
            Fate::Refused(link.3.to_owned()),
            "without {}",
            link.0
        );
    }
}
