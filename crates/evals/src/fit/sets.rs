//! What is fitted on: the four judged sets, and five kinds of programs made from them, so that the weights hold for more
//! shapes of program than those four.

use std::collections::BTreeMap;

use preceptor_models::text::{Analyzer, words};
use sha2::{Digest as _, Sha256};

use crate::data::{Program, Question, Section, Set, Source};

/// How much a set counts in the gate, and in the ranker.
pub(super) fn weights(set: &str) -> (f64, f64) {
    match set {
        "topic" => (2.0, 1.0),
        "hard" => (2.0, 1.0),
        "one500" => (0.0, 1.0),
        "section" => (1.0, 1.0),
        "languages" => (1.0, 0.3),
        "merged" => (0.5, 0.5),
        "content" => (0.3, 0.3),
        "plain" => (0.15, 0.2),
        "topic plain" => (0.5, 0.2),
        "one document" => (0.5, 0.0),
        _ => (0.0, 0.0),
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A number below `of` that always belongs to `text`.
pub(super) fn pick(text: &str, of: usize) -> usize {
    usize::from(hash(text)[0]) % of
}

/// The article or disease of a question: what a fold must not share.
pub(super) fn fold(question: &Question) -> usize {
    let mut parts = question.qid.split(':');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_article = second.len() >= 6;
    pick(if is_article { second } else { first }, super::FOLDS)
}

/// The sets that are made from the judged ones.
pub(super) fn made(judged: &[Set]) -> Vec<Set> {
    let by_name = |name: &str| judged.iter().find(|set| set.name == name);
    let mut made = Vec::new();
    if let Some(section) = by_name("section") {
        made.extend([merged(section), content(section), without_headings(section, "plain")]);
    }
    if let Some(topic) = by_name("topic") {
        made.extend([without_headings(topic, "topic plain"), one_document(topic)]);
    }
    made
}

fn base(program: &str) -> &str {
    program.split(".without.").next().unwrap_or(program)
}

/// Four diseases in one program.
fn merged(section: &Set) -> Set {
    let full: BTreeMap<&str, &Program> = section
        .programs
        .iter()
        .filter(|program| base(&program.program) == program.program)
        .map(|program| (program.program.as_str(), program))
        .collect();
    let mut order: Vec<&str> = full.keys().copied().collect();
    order.sort_by_key(|program| hash(program));
    let group_of: BTreeMap<&str, usize> =
        order.iter().enumerate().map(|(at, program)| (*program, at / 4)).collect();
    let join = |program: &Program| -> Option<Program> {
        let own = base(&program.program);
        let group = group_of.get(own)?;
        let members: Vec<&Program> = order
            .iter()
            .filter(|other| group_of[*other] == *group)
            .map(|other| if *other == own { program } else { full[other] })
            .collect();
        let sources = members.iter().flat_map(|member| {
            member.sources.iter().map(|source| Source {
                id: format!("{}/{}", base(&member.program), source.id),
                ..source.clone()
            })
        });
        let title = members.iter().map(|member| member.title.as_str()).collect::<Vec<_>>().join(", ");
        Some(Program {
            program: program.program.clone(),
            title,
            sources: sources.collect(),
            objectives: Vec::new(),
        })
    };
    // Only questions that name their disease can be answered among four.
    let named = |question: &&Question| {
        let title =
            full.get(base(&question.program)).map(|program| program.title.to_lowercase()).unwrap_or_default();
        question.question.to_lowercase().contains(&title)
    };
    let questions = section.questions.iter().filter(named).map(|question| Question {
        gold: question.gold.as_ref().map(|gold| format!("{}/{gold}", base(&question.program))),
        ..question.clone()
    });
    Set {
        name: "merged".to_owned(),
        programs: section.programs.iter().filter_map(join).collect(),
        questions: questions.collect(),
    }
}

/// A sentence of a section with two fifths of its content words dropped, asked of the program with and without the section.
fn content(section: &Set) -> Set {
    let analyzer = Analyzer::default();
    let mut questions = Vec::new();
    for program in section.programs.iter().filter(|program| base(&program.program) == program.program) {
        for source in &program.sources {
            let Some(question) = about_content(&analyzer, source) else { continue };
            let ask = |id: String, in_scope: bool| Question {
                qid: format!("{}:{}", program.program, source.id),
                program: id,
                variant: "content".to_owned(),
                question: question.clone(),
                in_scope,
                gold: in_scope.then(|| source.id.clone()),
            };
            questions.push(ask(program.program.clone(), true));
            let absent = format!("{}.without.{}", program.program, source.id.replace(' ', "-"));
            if section.programs.iter().any(|other| other.program == absent) {
                questions.push(ask(absent, false));
            }
        }
    }
    Set { name: "content".to_owned(), programs: section.programs.clone(), questions }
}

fn about_content(analyzer: &Analyzer, source: &Source) -> Option<String> {
    let text = source.sections().into_iter().map(|section| section.text).collect::<Vec<_>>().join(" ");
    let long = |sentence: &&str| (8..40).contains(&sentence.split_whitespace().count());
    let sentences: Vec<&str> = text.split(". ").skip(1).filter(long).collect();
    let sentence = sentences.get(pick(&text, sentences.len().max(1)))?;
    let kept = words(sentence).into_iter().filter(|word| {
        analyzer.is_stop_word(&word.text) || pick(&format!("{sentence}{}", word.text), 10) >= 4
    });
    Some(kept.map(|word| sentence[word.range].to_owned()).collect::<Vec<_>>().join(" "))
}

/// The same with headings that say nothing of their kind: three frequent words of the section instead.
fn without_headings(set: &Set, name: &str) -> Set {
    let analyzer = Analyzer::default();
    let plain = |program: &Program| {
        let source = |source: &Source| Source {
            title: None,
            passages: source
                .sections()
                .into_iter()
                .map(|section| Section { section: frequent(&analyzer, &section.text), text: section.text })
                .collect(),
            ..source.clone()
        };
        Program { sources: program.sources.iter().map(source).collect(), ..program.clone() }
    };
    Set {
        name: name.to_owned(),
        programs: set.programs.iter().map(plain).collect(),
        questions: set.questions.clone(),
    }
}

fn frequent(analyzer: &Analyzer, text: &str) -> String {
    let content = words(text)
        .into_iter()
        .map(|word| word.text)
        .filter(|word| word.len() > 3 && !analyzer.is_stop_word(word));
    let mut counts: Vec<(String, u32)> = preceptor_models::text::count(content).into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    counts.into_iter().take(3).map(|(word, _)| word).collect::<Vec<_>>().join(" ")
}

/// All documents of a program as one.
fn one_document(topic: &Set) -> Set {
    const ID: &str = "all";
    let join = |program: &Program| {
        let passages = program.sources.iter().flat_map(Source::sections).collect();
        let source = Source { id: ID.to_owned(), title: None, passages, ..program.sources[0].clone() };
        Program { sources: vec![source], ..program.clone() }
    };
    let questions = topic
        .questions
        .iter()
        .map(|question| Question { gold: question.gold.as_ref().map(|_| ID.to_owned()), ..question.clone() });
    Set {
        name: "one document".to_owned(),
        programs: topic.programs.iter().map(join).collect(),
        questions: questions.collect(),
    }
}
