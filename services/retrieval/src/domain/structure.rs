//! What the headings and sources of a version say about its passages.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use preceptor_models::text::{Analyzer, Subject};

use super::passage::Passage;

/// A source of up to this many words is one part; a longer one is cut at headings and lengths.
const PART_WORDS: usize = 500;
/// A title's term is the subject when it is in this share of the passages.
const TITLE_SHARE: f64 = 0.2;
/// A term is the subject when it is in this share of the headings and that share of the passages.
const HEADING_SHARE: f64 = 0.5;
const PASSAGE_SHARE: f64 = 0.3;
/// Fewer headings say nothing about what they share.
const FEWEST_HEADINGS: usize = 3;

/// Numbers for the sources, headings and parts that the passages belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Structure {
    /// Sources in order of appearance.
    pub(crate) sources: usize,
    /// Per passage its source.
    pub(crate) source_of: Vec<u32>,
    /// Distinct headings in order of appearance.
    pub(crate) headings: Vec<String>,
    /// Per passage its heading.
    pub(crate) heading_of: Vec<u32>,
    /// How many sections (a source and a heading) carry each heading.
    pub(crate) sections_of: Vec<u32>,
    /// How many sections there are.
    pub(crate) sections: u32,
    /// Per passage its part: neighbors of one source that belong together.
    pub(crate) part_of: Vec<u32>,
}

fn numbered<'a>(names: impl Iterator<Item = &'a str>) -> (Vec<u32>, Vec<String>) {
    let mut known: HashMap<&str, u32> = HashMap::new();
    let mut distinct = Vec::new();
    let numbers = names
        .map(|name| {
            *known.entry(name).or_insert_with(|| {
                distinct.push(name.to_owned());
                distinct.len() as u32 - 1
            })
        })
        .collect();
    (numbers, distinct)
}

impl Structure {
    pub(crate) fn of(passages: &[Passage]) -> Self {
        let (source_of, sources) = numbered(passages.iter().map(|passage| passage.source.as_str()));
        let (heading_of, headings) = numbered(passages.iter().map(|passage| passage.heading.as_str()));
        let sections: BTreeSet<_> = source_of.iter().zip(&heading_of).collect();
        let mut sections_of = vec![0; headings.len()];
        for (_, heading) in &sections {
            sections_of[**heading as usize] += 1;
        }
        Self {
            sources: sources.len(),
            headings,
            sections: sections.len() as u32,
            sections_of,
            part_of: parts(passages, &source_of, &heading_of),
            source_of,
            heading_of,
        }
    }

    /// How many of the sections with a heading have one of their own; 1 where no section has a heading.
    pub(crate) fn own_headings(&self) -> f64 {
        let named =
            self.headings.iter().zip(&self.sections_of).filter(|(heading, _)| !heading.trim().is_empty());
        let (distinct, sections) =
            named.fold((0_u32, 0_u32), |(distinct, sum), (_, count)| (distinct + 1, sum + count));
        if sections == 0 { 1.0 } else { f64::from(distinct) / f64::from(sections) }
    }

    /// The unit in which the shape of scores is read: the source where there are several, else the part.
    pub(crate) fn unit_of(&self) -> Vec<u32> {
        if self.sources >= 4 { self.source_of.clone() } else { self.part_of.clone() }
    }
}

fn parts(passages: &[Passage], source_of: &[u32], heading_of: &[u32]) -> Vec<u32> {
    let words: Vec<usize> = passages.iter().map(|passage| passage.text.split_whitespace().count()).collect();
    let mut length_of: BTreeMap<u32, usize> = BTreeMap::new();
    for (source, words) in source_of.iter().zip(&words) {
        *length_of.entry(*source).or_default() += words;
    }
    // Numbers by source first, so that a source whose passages are not neighbors stays together.
    let mut order: Vec<usize> = (0..passages.len()).collect();
    order.sort_by_key(|&index| (source_of[index], index));
    let mut part_of = vec![0; passages.len()];
    let mut next = 0;
    let mut before: Option<usize> = None;
    let mut so_far = 0;
    for index in order {
        let same_source = before.is_some_and(|before| source_of[before] == source_of[index]);
        let long = length_of[&source_of[index]] > PART_WORDS;
        let new_section = before.is_some_and(|before| heading_of[before] != heading_of[index]);
        if !same_source || (long && (new_section || so_far + words[index] > PART_WORDS)) {
            next += u32::from(before.is_some());
            so_far = 0;
        }
        so_far += words[index];
        part_of[index] = next;
        before = Some(index);
    }
    part_of
}

/// What everything in the version is about. May be empty.
pub(crate) fn subject(
    analyzer: &Analyzer,
    title: &str,
    headings: &[String],
    df: impl Fn(&str) -> u32,
    passages: usize,
) -> Subject {
    let share = |term: &str| f64::from(df(term)) / passages.max(1) as f64;
    let mut subject: Subject =
        analyzer.terms(title).into_iter().filter(|term| share(term) >= TITLE_SHARE).collect();
    if headings.len() >= FEWEST_HEADINGS {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for heading in headings {
            for term in analyzer.terms(heading).into_iter().collect::<BTreeSet<_>>() {
                *counts.entry(term).or_default() += 1;
            }
        }
        let most = HEADING_SHARE * headings.len() as f64;
        subject.extend(
            counts
                .into_iter()
                .filter(|(term, count)| *count as f64 >= most && share(term) >= PASSAGE_SHARE)
                .map(|(term, _)| term),
        );
    }
    subject
}

#[cfg(test)]
mod tests {
    use preceptor_core::id::PassageId;

    use super::*;

    fn passage(source: &str, heading: &str, words: usize) -> Passage {
        Passage {
            id: PassageId::generate(),
            source: source.into(),
            heading: heading.into(),
            text: "word ".repeat(words),
            sentences: Vec::new(),
        }
    }

    #[test]
    fn sections_headings_and_parts_are_numbered() {
        let passages = [
            passage("a", "Methods", 100),
            passage("a", "Results", 100),
            passage("b", "Methods", 300),
            passage("b", "Methods", 300),
            passage("b", "More", 10),
        ];
        let structure = Structure::of(&passages);
        assert_eq!(structure.source_of, [0, 0, 1, 1, 1]);
        assert_eq!(structure.heading_of, [0, 1, 0, 0, 2]);
        assert_eq!((structure.sections, structure.sections_of.as_slice()), (4, &[2, 1, 1][..]));
        assert_eq!(structure.part_of, [0, 0, 1, 2, 3]);
        assert!((structure.own_headings() - 0.75).abs() < 1e-9, "three headings for four sections");
        assert!((Structure::of(&[passage("a", "", 10)]).own_headings() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_subject_is_in_the_title_or_in_most_headings() {
        let analyzer = Analyzer::default();
        let headings: Vec<String> =
            ["Symptoms of gout", "Treatment of gout", "Outlook for gout"].map(str::to_owned).into();
        let df = |term: &str| match term {
            "gout" => 8,
            "updat" => 1,
            _ => 2,
        };
        let subject = subject(&analyzer, "Update", &headings, df, 10);
        assert_eq!(subject.into_iter().collect::<Vec<_>>(), ["gout"]);
    }
}
