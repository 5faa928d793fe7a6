//! Settings of answering.

use preceptor_runtime::config::{Problem, Validate};
use serde::{Deserialize, Serialize};

/// Settings of answering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The longest question, in characters.
    pub longest_question: usize,
    /// The most quotations of an answer.
    pub most_sentences: usize,
    /// The most passages that are shown where there is no answer.
    pub most_closest: usize,
    /// The least probability that the program holds the answer at which one is given.
    pub threshold: f64,
    /// The same for questions in another language than the sources'.
    pub foreign_threshold: f64,
    /// The least probability that the question is about the program's topic at which anything of it is shown. Without a model:
    /// the least share of the question that the best passage covers.
    pub closest_threshold: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            longest_question: 2000,
            most_sentences: 4,
            most_closest: 3,
            threshold: 0.6,
            foreign_threshold: 0.7,
            closest_threshold: 0.44,
        }
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        if !(50..=8000).contains(&self.longest_question) {
            problems.push(Problem::at(format!("{path}.longest_question"), "must be between 50 and 8000"));
        }
        if !(1..=10).contains(&self.most_sentences) {
            problems.push(Problem::at(format!("{path}.most_sentences"), "must be between 1 and 10"));
        }
        if !(1..=3).contains(&self.most_closest) {
            problems.push(Problem::at(format!("{path}.most_closest"), "must be between 1 and 3"));
        }
        for (name, value) in [
            ("threshold", self.threshold),
            ("foreign_threshold", self.foreign_threshold),
            ("closest_threshold", self.closest_threshold),
        ] {
            if !(0.0..=1.0).contains(&value) {
                problems.push(Problem::at(format!("{path}.{name}"), "is a probability, between 0 and 1"));
            }
        }
    }
}
