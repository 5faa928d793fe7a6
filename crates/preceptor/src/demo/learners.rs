//! Learners at every stage of the way to a credit.

use anyhow::Context as _;
use preceptor_standins::MailCatcher;
use serde_json::{Value, json};

use super::Team;
use crate::client::{Client, id};
use crate::journey::{Answers, day_from_now, physician};
use crate::outside::PMID;

/// Where a learner is, as the list of links names them.
pub(super) const STAGES: [(&str, &str); 8] = [
    ("nadia", "has not begun the quiz"),
    ("omar", "is in the middle of the quiz"),
    ("pia", "did not pass"),
    ("quentin", "passed, and has not stated a license"),
    ("rosa", "passed, is a verified physician, and can claim"),
    ("samuel", "holds a credit with its certificate"),
    ("tara", "passed as a nurse, whose contact hours need an evaluation first"),
    ("uma", "held a credit that the provider voided"),
];

/// A quiz, and what can be claimed for it.
pub(super) struct Course<'a> {
    pub(super) program: &'a str,
    pub(super) items: &'a [Value],
    pub(super) offer: &'a str,
}

/// Has the sources verified (the article by its registry, the others by the reviewer).
pub(super) async fn verify_sources(team: &Team, program: &str) -> anyhow::Result<()> {
    for source in team.admin.all(&format!("/v1/programs/{program}/sources")).await? {
        let source_id = id(&source, "id")?;
        if source["title"].as_str().is_some_and(|title| title.starts_with("Article")) {
            team.editor.verify_by(&source_id, json!({ "pmid": PMID })).await?;
        } else {
            team.reviewer.attest(&source_id).await?;
        }
    }
    Ok(())
}

/// Designates a program for physicians and, with an evaluation, for nurses, and opens a quiz of approved items.
pub(super) async fn open_quiz(
    team: &Team,
    program: &str,
    count: usize,
) -> anyhow::Result<(Vec<Value>, String)> {
    let accreditation = team.admin.accredit("Harbor Medical Education").await?;
    if let Some(operator) = &team.operator {
        operator.confirm_accreditation(&accreditation, "Demo: there is no accreditor to ask").await?;
    }
    let offer = team.admin.designate(program, &accreditation).await?;
    let for_nurses = json!({
        "credit_type": "ancc_contact_hour", "activity_format": "enduring_material", "maximum": 0.75, "terminates_at": day_from_now(1000),
        "accreditation_id": accreditation, "minimum_level": 0, "evaluation_required": true,
    });
    team.admin.post(&format!("/v1/programs/{program}/offers"), &for_nurses).await?;
    let items = team.editor.make_quiz(&team.reviewer, program, count, json!({ "leaderboard": true })).await?;
    Ok((items, offer))
}

/// Leads each learner as far as their stage.
pub(super) async fn lead(admin: &Client, course: &Course<'_>, mail: &MailCatcher) -> anyhow::Result<()> {
    for (name, _) in STAGES {
        let learner = admin.learner(course.program, name).await?;
        lead_one(admin, &learner, name, course, mail).await.with_context(|| name.to_owned())?;
    }
    Ok(())
}

/// The same person under a license of their own: two who state one are in dispute.
pub(super) fn licensed(mut person: Value, number: &str) -> Value {
    person["license_number"] = json!(number);
    person
}

/// The person behind a name; no one where no license was stated.
fn statement(name: &str) -> Option<Value> {
    Some(match name {
        "rosa" => physician("Rosa Álvarez", "rosa@example.org"),
        "samuel" => licensed(physician("Samuel Østergård", "samuel@example.org"), "MD20417"),
        "uma" => licensed(physician("Uma Nair", "uma@example.org"), "MD33090"),
        "tara" => {
            let mut nurse = licensed(physician("Tara Ní Bhriain", "tara@example.org"), "RN55102");
            nurse["profession"] = json!("nurse");
            nurse["degree"] = json!("RN");
            nurse
        }
        _ => return None,
    })
}

async fn lead_one(
    admin: &Client,
    learner: &Client,
    name: &str,
    course: &Course<'_>,
    mail: &MailCatcher,
) -> anyhow::Result<()> {
    match name {
        "nadia" => return Ok(()),
        "omar" => {
            let attempt = learner.begin_quiz(course.program).await?;
            let path = format!("/v1/attempts/{}/answers/1", id(&attempt, "id")?);
            learner.put(&path, &json!({ "option": 1 })).await?;
            return Ok(());
        }
        "pia" => {
            learner.take_quiz(course.program, course.items, Answers::Wrong).await?;
            return Ok(());
        }
        _ => {}
    }
    let attempt = learner.take_quiz(course.program, course.items, Answers::Right).await?;
    let Some(person) = statement(name) else { return Ok(()) };
    learner.become_clinician(&person, |to| mail.newest_code(to)).await?;
    if !["samuel", "uma"].contains(&name) {
        return Ok(());
    }
    let credit = id(&learner.claim(&attempt, course.offer, 0.75).await?, "id")?;
    learner.certificate(&credit).await?;
    if name == "uma" {
        let reason = json!({ "reason": "Claimed twice: the same activity was credited on paper before" });
        admin.post(&format!("/v1/credits/{credit}/void"), &reason).await?;
    }
    Ok(())
}
