//! Words that the project does not use: British spellings, and a dialect of its own. The list is `words.toml`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

const LIST: &str = "crates/xtask/words.toml";

/// One problem for each place in a tracked text file where a listed word stands.
pub(crate) fn unwanted() -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(LIST).with_context(|| format!("{LIST} cannot be read"))?;
    let list = List::parse(&text).context(LIST)?;
    let mut problems = Vec::new();
    for path in tracked()? {
        // Pictures, fonts and removed files have no words.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        problems.extend(list.problems(&path, &text));
    }
    Ok(problems)
}

/// The files that git knows.
fn tracked() -> anyhow::Result<Vec<String>> {
    let output = Command::new("git").args(["ls-files", "-z"]).output().context("git cannot be started")?;
    anyhow::ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout).context("the name of a tracked file is not UTF-8")?;
    Ok(paths.split_terminator('\0').map(str::to_owned).collect())
}

/// A word or a phrase, and what to say instead.
#[derive(Debug)]
struct Rule {
    /// In lower case.
    words: Vec<String>,
    /// Whether the last word is only the beginning of one.
    open: bool,
    instead: String,
    place: Place,
}

/// Where a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Everywhere,
    /// In texts that people read.
    Texts,
    /// In comments of Rust and in names of its functions, where the file is no text anyway.
    Comments,
}

impl Rule {
    fn new(phrase: &str, instead: &str, place: Place) -> Self {
        let words = phrase.trim_end_matches('*').split_whitespace().map(str::to_lowercase).collect();
        Self { words, open: phrase.ends_with('*'), instead: instead.to_owned(), place }
    }

    /// The end of the phrase, when these pieces of a line begin with it.
    fn end(&self, line: &str, pieces: &[Piece]) -> Option<usize> {
        let pieces = pieces.get(..self.words.len())?;
        let (last, before) = self.words.split_last()?;
        let end = pieces.last()?;
        let ends = if self.open { end.word.starts_with(last.as_str()) } else { end.word == *last };
        let begins = before.iter().zip(pieces).all(|(word, piece)| *word == piece.word);
        let joined = pieces.windows(2).all(|pair| &line[pair[0].at.end..pair[1].at.start] == " ");
        (begins && ends && joined).then_some(end.at.end)
    }
}

/// Where listed words may stand.
#[derive(Debug)]
struct Exception {
    /// Folders and files; everywhere when there are none.
    within: Vec<String>,
    /// Texts that may have them; any when there are none.
    texts: Vec<String>,
}

impl Exception {
    fn parse(value: &toml::Value) -> anyhow::Result<Self> {
        let table = value.as_table().context("an exception is a table")?;
        let reason = table.get("reason").and_then(toml::Value::as_str).unwrap_or_default();
        anyhow::ensure!(!reason.is_empty(), "an exception needs a reason");
        Ok(Self { within: strings(table, "within"), texts: strings(table, "texts") })
    }

    fn allows(&self, line: &str, at: &Range<usize>) -> bool {
        let spans = |text: &String| {
            let mut found = line.match_indices(text.as_str());
            found.any(|(start, text)| start <= at.start && at.end <= start + text.len())
        };
        self.texts.is_empty() || self.texts.iter().any(spans)
    }
}

/// The parsed list: rules by the first letter of their first word.
#[derive(Debug)]
struct List {
    rules: BTreeMap<char, Vec<Rule>>,
    /// Folders and files where people read.
    texts: Vec<String>,
    exceptions: Vec<Exception>,
}

impl List {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let table: toml::Table = text.parse()?;
        let mut rules: BTreeMap<char, Vec<Rule>> = BTreeMap::new();
        let places = [("words", Place::Everywhere), ("texts", Place::Texts), ("comments", Place::Comments)];
        for (name, place) in places {
            let listed = table.get(name).and_then(toml::Value::as_table).into_iter().flatten();
            for (phrase, instead) in listed {
                let instead = instead.as_str().with_context(|| format!("{phrase}: say what instead"))?;
                let rule = Rule::new(phrase, instead, place);
                let first = rule.words.first().and_then(|word| word.chars().next());
                rules.entry(first.context("a word is empty")?).or_default().push(rule);
            }
        }
        let allowed = table.get("allow").and_then(toml::Value::as_array).into_iter().flatten();
        let exceptions = allowed.map(Exception::parse).collect::<anyhow::Result<_>>()?;
        Ok(Self { rules, texts: strings(&table, "texts_are_in"), exceptions })
    }

    /// One problem for each listed word in a file.
    fn problems(&self, path: &str, text: &str) -> Vec<String> {
        let exceptions: Vec<&Exception> =
            self.exceptions.iter().filter(|exception| is_within(path, &exception.within)).collect();
        if exceptions.iter().any(|exception| exception.texts.is_empty()) {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            for (at, rule) in self.found(path, line) {
                if !exceptions.iter().any(|exception| exception.allows(line, &at)) {
                    problems.push(format!("{path}:{number}: {:?}: say {}", &line[at], rule.instead));
                }
            }
        }
        problems
    }

    /// Where listed words stand in a line.
    fn found(&self, path: &str, line: &str) -> Vec<(Range<usize>, &Rule)> {
        let pieces = pieces(line);
        let mut found = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            let first = piece.word.chars().next();
            let rules = first.and_then(|first| self.rules.get(&first)).into_iter().flatten();
            for rule in rules.filter(|rule| self.counts(rule.place, path, line, &piece.at)) {
                let end = rule.end(line, &pieces[index..]);
                found.extend(end.map(|end| (piece.at.start..end, rule)));
            }
        }
        found
    }

    /// Whether rules of this kind count at a place of a line. In texts and comments, names of code do not.
    fn counts(&self, kind: Place, path: &str, line: &str, at: &Range<usize>) -> bool {
        let is_text = self.texts.iter().any(|place| path.starts_with(place.as_str()));
        match kind {
            Place::Everywhere => true,
            Place::Texts => is_text && !is_code(line, at),
            Place::Comments => {
                let said = is_comment(line, at) && !is_code(line, at);
                !is_text
                    && Path::new(path).extension().is_some_and(|ending| ending == "rs")
                    && (said || is_function(line, at))
            }
        }
    }
}

/// Whether a place in a line of Rust is in a comment.
fn is_comment(line: &str, at: &Range<usize>) -> bool {
    line.trim_start().starts_with("//") || line[..at.start].contains(" // ")
}

/// Whether a place in a line of Rust is in the name of a function where it is declared.
fn is_function(line: &str, at: &Range<usize>) -> bool {
    let before = line[..at.start].rsplit_once("fn ");
    before.is_some_and(|(_, name)| name.chars().all(|letter| letter.is_alphanumeric() || letter == '_'))
}

/// Whether a place in a line is in a path of code, such as `` `file.rs::test` ``.
fn is_code(line: &str, at: &Range<usize>) -> bool {
    let (before, after) = (&line[..at.start], &line[at.end..]);
    let begin = before.rfind('`').map_or(0, |tick| tick + 1);
    let end = after.find('`').unwrap_or(after.len());
    let is_open = before.matches('`').count() % 2 == 1;
    is_open && (before[begin..].contains("::") || after[..end].contains("::"))
}

/// Whether a path is in one of these folders, or one of these files. Without any, every path is.
fn is_within(path: &str, places: &[String]) -> bool {
    places.is_empty() || places.iter().any(|place| path.starts_with(place.as_str()))
}

/// The texts of an array in a table.
fn strings(table: &toml::Table, name: &str) -> Vec<String> {
    let values = table.get(name).and_then(toml::Value::as_array).into_iter().flatten();
    values.filter_map(toml::Value::as_str).map(str::to_owned).collect()
}

/// A word of a line, or of a name in it.
#[derive(Debug)]
struct Piece {
    at: Range<usize>,
    /// In lower case.
    word: String,
}

/// The words of a line. Names come apart where a capital follows a small letter, and at everything that is no letter.
fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut before = ' ';
    for (start, letter) in line.char_indices().filter(|(_, letter)| letter.is_alphabetic()) {
        let end = start + letter.len_utf8();
        match pieces.last_mut() {
            Some(last) if last.at.end == start && !(before.is_lowercase() && letter.is_uppercase()) => {
                last.at.end = end;
                last.word.extend(letter.to_lowercase());
            }
            _ => pieces.push(Piece { at: start..end, word: letter.to_lowercase().collect() }),
        }
        before = letter;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> List {
        let list = r#"
            texts_are_in = ["docs/"]
            [words]
            "licence*" = "license"
            "room" = "service"
            "is none of" = "must be one of"
            [texts]
            "nobody" = "no one"
            [comments]
            "nobody" = "no one"
            [[allow]]
            within = ["store/"]
            texts = ["licence_index"]
            reason = "a column"
            [[allow]]
            within = ["old.sql"]
            reason = "a migration"
        "#;
        List::parse(list).expect("a list")
    }

    #[test]
    fn names_of_code_in_texts_are_no_texts() {
        let line = "Nobody sees it: `mesh.rs::nobody_sees_it` and `nobody`.";
        let found = list().problems("docs/a.md", line);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(
            list().problems("docs/a.md", "see `lists.rs::licence_is_told`").len(),
            1,
            "spelling counts"
        );
    }

    #[test]
    fn comments_and_names_of_functions_are_read_and_no_other_code() {
        let found = |line: &str| list().problems("src/a.rs", line).len();
        for said in ["//! Nobody.", "    let a = 1; // nobody", "    async fn asked_by_nobody_at_all() {"] {
            assert_eq!(found(said), 1, "{said}");
        }
        for code in ["let nobody = 1;", "f(nobody)", "/// A link to [`a::nobody`].", "\"https://nobody.org\""]
        {
            assert_eq!(found(code), 0, "{code}");
        }
        assert_eq!(list().problems("docs/a.rs", "// nobody").len(), 1, "once, as a text");
        assert!(list().problems("src/a.toml", "// nobody").is_empty());
    }

    #[test]
    fn a_listed_word_is_found_with_its_line_and_what_to_say() {
        let found = list().problems("src/a.rs", "fn f() {}\nlet drivers_licences = Licence::Key;");
        assert_eq!(found, ["src/a.rs:2: \"licences\": say license", "src/a.rs:2: \"Licence\": say license"]);
        assert_eq!(list().problems("a.md", "it is none of A, B in the room").len(), 2);
        assert!(list().problems("a.rs", "mushroom, roomy, x.is_none() of").is_empty());
    }

    #[test]
    fn what_is_allowed_is_not_found() {
        let list = list();
        assert!(list.problems("store/a.rs", "column_name = \"licence_index\"").is_empty());
        assert_eq!(list.problems("store/a.rs", "licence_index of a licence").len(), 1);
        assert_eq!(list.problems("src/a.rs", "licence_index").len(), 1);
        assert!(list.problems("old.sql", "-- a licence").is_empty());
        assert!(list.problems("src/a.rs", "nobody()").is_empty());
        assert_eq!(list.problems("docs/a.md", "Nobody").len(), 1);
        assert!(List::parse("[[allow]]\nwithin = [\"a\"]").is_err());
    }
}
