//! A second program, whose only article was retracted after a credit had been earned with it.

use anyhow::Context as _;
use preceptor_standins::Status;
use serde_json::{Value, json};

use super::{Team, learners};
use crate::client::{Upload, id};
use crate::journey::{Answers, physician};
use crate::outside::{Outside, RETRACTED_PMID};

pub(super) const TITLE: &str = "Bridging anticoagulation (its article was retracted)";
/// Who earned a credit before, and how the list of links names them.
pub(super) const LEARNER: (&str, &str) =
    ("viktor", "holds a credit of a program whose article was retracted since");
const ITEMS: usize = 4;
const CLAIMED: f64 = 0.5;

/// Seeds the program, leads its learner to a credit, has the article retracted, and waits for what follows from that;
/// returns its id and the certificate.
pub(super) async fn seed(team: &Team, outside: &Outside) -> anyhow::Result<(String, Vec<u8>)> {
    let summary = "What follows when a source is retracted: nothing is quoted, the quiz is closed, credits stay and say so.";
    let created = team.editor.post("/v1/programs", &json!({ "title": TITLE, "summary": summary })).await?;
    let program = id(&created, "id")?;
    let file = Upload {
        name: "bridging.md".to_owned(),
        content: include_bytes!("../../demo/retracted.md").to_vec(),
        title: Some("Article: Heparin bridging before procedures".to_owned()),
        external_id: None,
    };
    let source =
        team.editor.add_source(&team.reviewer, &program, file, "Read in full; written for the demo").await?;
    let source = id(&source, "id")?;
    team.editor.publish(&program, "First version of the demo").await?;
    outside.registries.change(RETRACTED_PMID, Status::Sound);
    team.editor.verify_by(&source, json!({ "pmid": RETRACTED_PMID })).await?;
    let (items, offer) = learners::open_quiz(team, &program, ITEMS).await?;

    let learner = team.admin.learner(&program, LEARNER.0).await?;
    let person = learners::licensed(physician("Viktor Håkansson", "viktor@example.org"), "MD41830");
    learner.become_clinician(&person, |to| outside.mail.newest_code(to)).await?;
    let attempt = learner.take_quiz(&program, &items, Answers::Right).await?;
    let credit = id(&learner.claim(&attempt, &offer, CLAIMED).await?, "id")?;
    let certificate = learner.certificate(&credit).await?;

    outside.registries.change(RETRACTED_PMID, Status::Retracted);
    team.editor.verify_by(&source, json!({ "pmid": RETRACTED_PMID })).await?;
    let annotated =
        |credit: &Value| credit["annotations"].as_array().is_some_and(|remarks| !remarks.is_empty());
    learner
        .wait_until(&format!("/v1/credits/{credit}"), |_| {}, annotated)
        .await
        .context("the annotation of a credit")?;
    Ok((program, certificate))
}
