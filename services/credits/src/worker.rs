//! What credits has done in a process of its own: work on what strangers wrote or drew. It knows nothing of orgs, tables
//! or keys.

use std::collections::HashSet;

use bytes::Bytes;
use preceptor_certificate::{Fonts, Logo, check_logo};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::{Flaw, Judge, Question, Source, Wanted, compose};

/// Composing items: the program is compared with itself, sentence by sentence.
pub(crate) const COMPOSE: &str = "credits.compose";
/// Judging items: every sentence of the program is compared with each of them.
pub(crate) const JUDGE: &str = "credits.judge";
/// Setting a certificate with a logo.
pub(crate) const LOGO: &str = "credits.logo";

/// What a composer needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) sources: Vec<Source>,
    pub(crate) wanted: Wanted,
    /// The stems that the bank has already.
    pub(crate) taken: HashSet<String>,
}

/// What a judge needs to know. The answer is each question's flaw, in the order of the questions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) sources: Vec<Source>,
    pub(crate) questions: Vec<Question>,
}

/// A logo as a certificate holds it. The answer is what is wrong with it, if anything is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Drawing {
    pub(crate) media_type: String,
    pub(crate) base64: String,
}

/// Does what credits asked a child process for. `None` when it is no work of credits.
pub fn work(kind: &str, request: &Bytes) -> Option<Result<Vec<u8>, String>> {
    match kind {
        COMPOSE => {
            Some(answer(request, |Request { sources, wanted, taken }| compose(&sources, &wanted, &taken)))
        }
        JUDGE => Some(answer(request, flaws)),
        LOGO => Some(answer(request, fault_of_logo)),
        _ => None,
    }
}

fn answer<R: DeserializeOwned, A: Serialize>(
    request: &Bytes,
    work: impl FnOnce(R) -> A,
) -> Result<Vec<u8>, String> {
    let request = postcard::from_bytes(request).map_err(|error| error.to_string())?;
    postcard::to_stdvec(&work(request)).map_err(|error| error.to_string())
}

fn flaws(Case { sources, questions }: Case) -> Vec<Option<Flaw>> {
    let judge = Judge::of(&sources);
    questions.iter().map(|question| judge.flaw(question)).collect()
}

fn fault_of_logo(Drawing { media_type, base64 }: Drawing) -> Option<String> {
    let problem = check_logo(&Logo { media_type, base64 }, &Fonts::own()).err()?;
    Some(problem.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done<A: DeserializeOwned>(kind: &str, request: &impl Serialize) -> A {
        let request = postcard::to_stdvec(request).expect("a request");
        let answer = work(kind, &request.into()).expect("work of credits").expect("an answer");
        postcard::from_bytes(&answer).expect("what was asked for")
    }

    #[test]
    fn each_question_gets_its_own_judgment() {
        let question = |key: &str| Question {
            kind: "multiple_choice".into(),
            stem: "How much?".into(),
            options: vec![(key.into(), true), ("1 mg".into(), false), ("2 mg".into(), false)],
            passages: vec!["psg_1".into()],
        };
        let text = "Adults receive 5 mg once a day.".to_owned();
        let sentences = vec![0..text.len()];
        let passages = vec![crate::domain::Passage { id: "psg_1".into(), ordinal: 0, text, sentences }];
        let source = Source { id: "src_1".into(), version: "srv_1".into(), title: "Doses".into(), passages };
        let case = Case { sources: vec![source], questions: vec![question("5 mg"), question("7 mg")] };
        let flaws: Vec<Option<Flaw>> = done(JUDGE, &case);
        assert!(matches!(flaws.as_slice(), [None, Some(Flaw::NotAnswered(_))]), "{flaws:?}");
    }

    #[test]
    fn a_logo_that_cannot_be_set_is_named() {
        let logo = |text: &str| {
            let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
            done::<Option<String>>(LOGO, &Drawing { media_type: "image/svg+xml".into(), base64 })
        };
        assert_eq!(logo(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>"#), None);
        assert!(logo("<svg").is_some());
    }
}
