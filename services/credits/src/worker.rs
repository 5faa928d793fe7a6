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
