//! Learners at every stage of the way to a credit.

use anyhow::Context as _;
use preceptor_standins::MailCatcher;
use serde_json::{Value, json};

use crate::client::{Client, id};
use crate::journey::{Answers, physician};

/// Items that the demo's quiz is made of.
const ITEMS: usize = 6;

/// Where a learner is, as the list of links names them.
pub(super) const STAGES: [(&str, &str); 6] = [
    ("nadia", "has not begun the quiz"),
    ("omar", "is in the middle of the quiz"),
    ("pia", "did not pass"),
    ("quentin", "passed, and has not stated a licence"),
    ("rosa", "passed, is a verified physician, and can claim"),
    ("samuel", "holds a credit with its certificate"),
];

/// Has the sources verified (the article by its registry, the others by the reviewer), designates the program, and opens a
/// quiz of approved items.
pub(super) async fn open_quiz(admin: &Client, editor: &Client, reviewer: &Client, program: &str) -> anyhow::Result<(Vec<Value>, String)> {
    for source in admin.all(&format!("/v1/programs/{program}/sources")).await? {
        let source_id = id(&source, "id")?;
        if source["title"].as_str().is_some_and(|title| title.starts_with("Article")) {
            editor.verify_by(&source_id, json!({ "pmid": super::PMID })).await?;
        } else {
            reviewer.attest(&source_id).await?;
        }
    }
    let accreditation = admin.accredit("Harbor Medical Education").await?;
    let offer = admin.designate(program, &accreditation).await?;
    let items = editor.make_quiz(reviewer, program, ITEMS, json!({ "leaderboard": true })).await?;
    Ok((items, offer))
}

/// Leads each learner as far as their stage.
pub(super) async fn lead(admin: &Client, program: &str, items: &[Value], offer: &str, mail: &MailCatcher) -> anyhow::Result<()> {
    for (stage, (name, _)) in STAGES.iter().enumerate() {
        let learner = admin.learner(program, name).await?;
        lead_one(&learner, program, items, offer, mail, stage).await.with_context(|| (*name).to_owned())?;
    }
    Ok(())
}

async fn lead_one(learner: &Client, program: &str, items: &[Value], offer: &str, mail: &MailCatcher, stage: usize) -> anyhow::Result<()> {
    match stage {
        0 => return Ok(()),
        1 => {
            let attempt = learner.post(&format!("/v1/programs/{program}/attempts"), &json!({})).await?;
            let path = format!("/v1/attempts/{}/answers/1", id(&attempt, "id")?);
            learner.put(&path, &json!({ "option": 1 })).await?;
            return Ok(());
        }
        2 => {
            learner.take_quiz(program, items, Answers::Wrong).await?;
            return Ok(());
        }
        _ => {}
    }
    let attempt = learner.take_quiz(program, items, Answers::Right).await?;
    let person = match stage {
        4 => physician("Rosa Álvarez", "rosa@example.org"),
        5 => physician("Samuel Østergård", "samuel@example.org"),
        _ => return Ok(()),
    };
    learner.become_clinician(&person, |to| mail.newest_code(to)).await?;
    if stage == 5 {
        let credit = learner.claim(&attempt, offer, 0.75).await?;
        learner.certificate(&id(&credit, "id")?).await?;
    }
    Ok(())
}
