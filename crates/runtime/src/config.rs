//! Strict configuration from layered sources.
//!
//! Defaults come first, then the file, then the environment (`PRECEPTOR__SECTION__KEY`), then the command line. Every
//! problem is reported at once, each with the path it is at: names no one knows, values of the wrong type, and whatever
//! the configuration's own [`Validate`] finds.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// The prefix of the variables that are read as configuration. Two underscores separate levels.
pub const ENVIRONMENT_PREFIX: &str = "PRECEPTOR__";

/// Something that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where, for instance `answering.longest_question`.
    pub path: String,
    /// What, and what to do.
    pub what: String,
}

impl Problem {
    /// A problem at a path.
    pub fn at(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into() }
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration has {} problem(s):", self.0.len())?;
        for problem in &self.0 {
            writeln!(f, "  {}: {}", problem.path, problem.what)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Rules that a type cannot express.
pub trait Validate {
    /// Adds everything that is wrong to `problems`; `path` is where this part of the configuration is.
    fn validate(&self, path: &str, problems: &mut Vec<Problem>);
}

/// The sources of a configuration, weakest first.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    layers: Vec<Table>,
    problems: Vec<Problem>,
}

impl Sources {
    /// Adds the text of a TOML file.
    #[must_use]
    pub fn with_file(mut self, name: &str, text: &str) -> Self {
        match text.parse::<Table>() {
            Ok(table) => self.layers.push(table),
            Err(error) => self.problems.push(Problem::at(name, error.message())),
        }
        self
    }

    /// Adds the variables that carry our prefix. The values are read as TOML where they are TOML, else as text.
    #[must_use]
    pub fn with_environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut table = Table::new();
        for (name, value) in variables {
            let Some(name) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            let path: Vec<_> = name.split("__").map(str::to_lowercase).collect();
            insert(&mut table, &path, scalar(&value));
        }
        self.layers.push(table);
        self
    }

    /// Adds one value, at a dotted path.
    #[must_use]
    pub fn with_value(mut self, path: &str, value: impl Into<Value>) -> Self {
        let mut table = Table::new();
        let path: Vec<_> = path.split('.').map(str::to_owned).collect();
        insert(&mut table, &path, value.into());
        self.layers.push(table);
        self
    }

    /// The configuration, or everything that is wrong with it.
    pub fn load<T: DeserializeOwned + Validate>(self) -> Result<T, Problems> {
        let mut problems = self.problems;
        let mut merged = Table::new();
        for layer in self.layers {
            merge(&mut merged, layer);
        }
        let loaded: Option<T> = read(merged, &mut problems);
        if let Some(config) = &loaded {
            config.validate("", &mut problems);
        }
        match loaded {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(Problems(problems)),
        }
    }
}

/// Deserializes `table`; a value of the wrong type is noted and left out, so that the next one is found too.
fn read<T: DeserializeOwned>(mut table: Table, problems: &mut Vec<Problem>) -> Option<T> {
    let mut wrong = BTreeSet::new();
    loop {
        let mut unknown = Vec::new();
        let mut track = serde_path_to_error::Track::new();
        let inner = serde_path_to_error::Deserializer::new(Value::Table(table.clone()), &mut track);
        let result: Result<T, _> = serde_ignored::deserialize(inner, |path| unknown.push(path.to_string()));
        match result {
            Ok(config) => {
                problems
                    .extend(unknown.into_iter().map(|path| Problem::at(path, "there is no such setting")));
                return Some(config);
            }
            Err(error) => {
                let path = track.path().to_string();
                problems.push(Problem::at(path.clone(), error.message()));
                let parts: Vec<_> = path.split('.').collect();
                if !wrong.insert(path.clone()) || !remove(&mut table, &parts) {
                    return None;
                }
            }
        }
    }
}

fn scalar(text: &str) -> Value {
    let wrapped = format!("value = {text}");
    wrapped
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn insert(table: &mut Table, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return;
    }
    let inner = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(inner) = inner {
        insert(inner, rest, value);
    }
}

fn remove(table: &mut Table, path: &[&str]) -> bool {
    match path {
        [] => false,
        [last] => table.remove(*last).is_some(),
        [first, rest @ ..] => {
            table.get_mut(*first).and_then(Value::as_table_mut).is_some_and(|inner| remove(inner, rest))
        }
    }
}

fn merge(base: &mut Table, layer: Table) {
    for (key, value) in layer {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(layer)) => merge(inner, layer),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Example {
        listen: String,
        limits: Limits,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(default)]
    struct Limits {
        most: u32,
        least: u32,
    }

    impl Default for Limits {
        fn default() -> Self {
            Self { most: 10, least: 1 }
        }
    }

    impl Validate for Example {
        fn validate(&self, _path: &str, problems: &mut Vec<Problem>) {
            if self.limits.least > self.limits.most {
                problems.push(Problem::at("limits.least", "must not be above limits.most"));
            }
        }
    }

    fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn later_sources_win() {
        let config: Example = Sources::default()
            .with_file("file", "listen = 'a'\n[limits]\nmost = 5")
            .with_environment(environment(&[("PRECEPTOR__LIMITS__MOST", "7"), ("HOME", "/root")]))
            .with_value("listen", "c")
            .load()
            .expect("a valid configuration");
        assert_eq!(config, Example { listen: "c".into(), limits: Limits { most: 7, least: 1 } });
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let file = "lissten = 'a'\n[limits]\nmost = 'many'\nleast = -1\nextra = 1";
        let Problems(problems) =
            Sources::default().with_file("file", file).load::<Example>().expect_err("problems");
        let mut paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["limits.extra", "limits.least", "limits.most", "lissten"]);
    }

    #[test]
    fn rules_across_settings_are_checked() {
        let Problems(problems) =
            Sources::default().with_value("limits.least", 11).load::<Example>().expect_err("a problem");
        assert_eq!(problems, [Problem::at("limits.least", "must not be above limits.most")]);
    }

    #[test]
    fn a_file_that_is_not_toml_is_named() {
        let Problems(problems) =
            Sources::default().with_file("p.toml", "listen = ").load::<Example>().expect_err("a problem");
        assert_eq!(problems[0].path, "p.toml");
    }
}
