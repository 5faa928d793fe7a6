//! The learner's page: ask, read, look it up.

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use serde::Deserialize;

use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::{NewMessage, Reply};
use crate::extract::{Form, Path};
use crate::identity::Identity;

/// Questions that are suggested.
const SUGGESTIONS: usize = 4;

#[derive(Template)]
#[template(path = "chat.html")]
struct ChatPage {
    frame: Frame,
    program_id: String,
    title: String,
    summary: String,
    published: bool,
    has_quiz: bool,
    has_credit: bool,
    suggestions: Vec<String>,
    /// The question and its answer, when the page works without scripts.
    exchange: Option<Exchange>,
}

struct Exchange {
    question: String,
    reply: Reply,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    question: String,
    #[serde(default)]
    session_id: String,
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    html(&chat(&edge, &identity, id, None).await?)
}

/// The same without scripts: the answer comes with the next page.
pub(super) async fn ask(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(asked): Form<Asked>,
) -> Result<Html<String>, PageError> {
    edge.limit_questions(&identity).await?;
    let new = NewMessage { question: asked.question.clone(), session_id: asked.session_id };
    let reply = edge.answer(&identity, id.clone(), new).await?;
    html(&chat(&edge, &identity, id, Some(Exchange { question: asked.question, reply })).await?)
}

async fn chat(
    edge: &Edge,
    identity: &Identity,
    id: String,
    exchange: Option<Exchange>,
) -> Result<ChatPage, PageError> {
    let program = edge.program(identity, &id).await?;
    // A page to ask on works without the service that knows quizzes.
    let quiz = edge.quiz(identity, &id).await.ok();
    Ok(ChatPage {
        has_quiz: quiz.is_some(),
        has_credit: quiz.is_some_and(|quiz| !quiz.offers.is_empty()),
        frame: Frame::of(identity),
        program_id: id,
        published: !program.published_version_id.is_empty(),
        suggestions: program
            .objectives
            .iter()
            .take(SUGGESTIONS)
            .map(|objective| suggestion(&objective.text))
            .collect(),
        title: program.title,
        summary: program.summary,
        exchange,
    })
}

/// An objective as a question: "Adjust the dose to kidney function" → "How do I adjust the dose to kidney function?"
fn suggestion(objective: &str) -> String {
    let text = objective.trim().trim_end_matches('.');
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let verb = text.split_whitespace().next().unwrap_or_default().to_lowercase();
    let rest = format!("{}{}", first.to_lowercase(), letters.as_str());
    let object = rest.split_once(' ').map_or("", |(_, object)| object);
    match verb.as_str() {
        "define" | "describe" | "summarize" | "summarise" | "explain" | "identify" | "list" | "discuss"
        | "recognize" | "recognise" | "name" => {
            format!("What should I know about {object}?")
        }
        _ => format!("How do I {rest}?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_become_questions() {
        assert_eq!(
            suggestion("Adjust the dose to kidney function."),
            "How do I adjust the dose to kidney function?"
        );
        assert_eq!(
            suggestion("Describe the signs of bleeding"),
            "What should I know about the signs of bleeding?"
        );
    }
}
