//! The models of the gate for programs made of documents: fitted on natural questions, crossed by program.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use preceptor_answering::fitting::{Quotable, quotations};
use preceptor_core::id::PassageId;
use preceptor_extract::passages_of_file;
use preceptor_models::logistic::Logistic;
use preceptor_retrieval::fitting::{EVIDENCE, Passage, Ranker, Tools, Version, embed};

use super::THRESHOLD;
use crate::metrics::auroc;
use crate::natural::{Program, Question, read};
use crate::optimize::{Example, logistic};

/// What says that the quotations hold the answer.
const DOCUMENTS: [&str; 1] = ["nearness"];
/// What says that the question is about the program at all.
const TOPIC: [&str; 2] = ["nearness", "best_cosine"];
/// Few questions: the weights are held small.
const STRENGTH: f64 = 1.0;
/// The threshold of the topic that the figures are printed for.
const ON_TOPIC: f64 = 0.44;
/// Quotations of an answer, and those that a learner is said to look at.
const QUOTED: usize = 4;
const SHOWN: usize = 3;

/// Both models.
#[derive(Debug, Clone)]
pub(super) struct Models {
    pub(super) documents: Logistic,
    pub(super) topic: Logistic,
}

/// A question with its evidence and what would be quoted.
struct Asked {
    question: Question,
    evidence: [f64; EVIDENCE.len()],
    /// Per quotation, best first, whether it is right.
    right: Vec<bool>,
}

/// Fits both models on `folder`, and prints how those do that were fitted without the program at hand.
pub(super) async fn fit(folder: &Path, tools: &Tools<'_>, ranker: &Ranker) -> anyhow::Result<Models> {
    let (programs, questions) = read(folder)?;
    let mut asked = Vec::new();
    for program in &programs {
        let own = questions.iter().filter(|question| question.program == program.id);
        asked.extend(ask(folder, program, own, tools, ranker).await.with_context(|| program.id.clone())?);
    }
    let names: BTreeSet<&str> = asked.iter().map(|row| row.question.program.as_str()).collect();
    let mut judged = Vec::new();
    for name in names {
        let (own, others): (Vec<&Asked>, Vec<&Asked>) =
            asked.iter().partition(|row| row.question.program == name);
        let models = models(&others);
        judged
            .extend(own.into_iter().map(|row| (row, said(&models.documents, row), said(&models.topic, row))));
    }
    print(&judged);
    Ok(models(&asked.iter().collect::<Vec<_>>()))
}

async fn ask(
    folder: &Path,
    program: &Program,
    questions: impl Iterator<Item = &Question>,
    tools: &Tools<'_>,
    ranker: &Ranker,
) -> anyhow::Result<Vec<Asked>> {
    let passages = passages(folder, program)?;
    let embedder = tools.embedder.context("natural questions are fitted with a model")?;
    let vectors = embed(&passages, embedder).await?;
    let version = Version::build(&program.title, &passages, vectors, tools).await?;
    let mut asked = Vec::new();
    for question in questions {
        let row = version.ask(&question.question, tools).await?;
        let Some(evidence) = version.whole_evidence(&row, ranker) else { continue };
        let found = version.quotable(&row, ranker);
        let hits: Vec<Quotable<'_>> = found
            .iter()
            .map(|(place, scores)| {
                let passage = &passages[*place];
                Quotable { text: &passage.text, sentences: &passage.sentences, scores }
            })
            .collect();
        let quoted = quotations(&hits, QUOTED);
        let right = quoted.iter().map(|text| question.is_answered_by(text)).collect();
        asked.push(Asked { question: question.clone(), evidence, right });
    }
    Ok(asked)
}

fn passages(folder: &Path, program: &Program) -> anyhow::Result<Vec<Passage>> {
    let mut passages = Vec::new();
    for source in &program.sources {
        let content = std::fs::read(folder.join(source)).with_context(|| source.clone())?;
        let read = passages_of_file(source, &content).map_err(anyhow::Error::msg)?;
        passages.extend(read.into_iter().map(|passage| Passage {
            id: PassageId::generate(),
            source: source.clone(),
            heading: passage.heading,
            text: passage.text,
            sentences: passage.sentences,
        }));
    }
    Ok(passages)
}

fn features(names: &[&str], row: &Asked) -> Vec<f64> {
    let place = |name: &&str| EVIDENCE.iter().position(|known| known == name);
    names.iter().filter_map(place).map(|place| row.evidence[place]).collect()
}

fn said(model: &Logistic, row: &Asked) -> f64 {
    let names: Vec<&str> = model.features.iter().map(String::as_str).collect();
    model.probability(&features(&names, row))
}

/// Questions about one's own case never reach the gate.
fn models(rows: &[&Asked]) -> Models {
    let rows: Vec<&Asked> = rows.iter().copied().filter(|row| !row.question.is_patient_specific()).collect();
    let far = rows.iter().filter(|row| row.question.is_far()).count().max(1) as f64;
    let near = (rows.len() as f64 - far).max(1.0);
    let examples = |names: &[&str], positive: &dyn Fn(&Asked) -> bool, weight: &dyn Fn(bool) -> f64| {
        let example = |row: &&Asked| {
            let row: &Asked = row;
            let positive = positive(row);
            Example { features: features(names, row), positive, weight: weight(positive) }
        };
        rows.iter().map(example).collect::<Vec<_>>()
    };
    let answered = examples(&DOCUMENTS, &|row| row.right.contains(&true), &|_| 1.0);
    // Both kinds count the same, however many there are of each.
    let half = f64::midpoint(near, far);
    let on_topic =
        examples(&TOPIC, &|row| !row.question.is_far(), &|is_near| half / if is_near { near } else { far });
    Models {
        documents: logistic(&DOCUMENTS, &answered, STRENGTH),
        topic: logistic(&TOPIC, &on_topic, STRENGTH),
    }
}

/// Prints what became of the questions; each comes with its confidence and the probability of its topic.
fn print(judged: &[(&Asked, f64, f64)]) {
    let count = |counts: &dyn Fn(&Asked, f64, f64) -> bool| {
        judged.iter().filter(|(row, confidence, topic)| counts(row, *confidence, *topic)).count()
    };
    let own = |row: &Asked| row.question.is_patient_specific();
    let shown = |row: &Asked, topic: f64| !own(row) && topic >= ON_TOPIC;
    let answers = |row: &Asked, confidence: f64, topic: f64| shown(row, topic) && confidence >= THRESHOLD;
    let (yes, no) =
        (count(&|row, _, _| row.question.answerable), count(&|row, _, _| !row.question.answerable));
    let right = count(&|row, confidence, topic| answers(row, confidence, topic) && row.right.contains(&true));
    let given = count(&|row, confidence, topic| answers(row, confidence, topic));
    let wrongly =
        count(&|row, confidence, topic| answers(row, confidence, topic) && !row.question.answerable);
    let first = count(&|row, _, topic| shown(row, topic) && row.right.first() == Some(&true));
    let found = count(&|row, _, topic| shown(row, topic) && row.right.iter().take(SHOWN).any(|right| *right));
    let far = count(&|row, _, _| row.question.is_far());
    let outright = count(&|row, _, topic| row.question.is_far() && topic < ON_TOPIC);
    let confidences = |answerable: bool| -> Vec<f64> {
        let of = judged.iter().filter(|(row, ..)| row.question.answerable == answerable);
        of.map(|(_, confidence, _)| *confidence).collect()
    };
    println!("natural questions, crossed by program");
    println!(
        "  first quote right {first}/{yes}; found among three {found}/{yes}; answered right {right}/{yes}; bad {}/{given}; false {wrongly}/{no}; far declined {outright}/{far}; AUROC {:.3}",
        given - right,
        auroc(&confidences(true), &confidences(false)).unwrap_or(0.0),
    );
}
