//! Names and titles that are shown, printed and signed: what they look like is what they are.
//!
//! A certificate is read by people. A name that holds invisible signs, that turns the text around it, or that borrows
//! letters of another script to look like someone else's, says one thing to them and another to the machine that
//! compares it. So everything that is printed or signed is a [`DisplayName`] (people, organizations) or a
//! [`DisplayText`] (titles), made from what someone typed in one place, and refused with the sign that is wrong.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use unicode_script::{Script, ScriptExtension, UnicodeScript as _};

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 200;

/// What is wrong with a name or a title.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisplayProblem {
    /// It holds no letter.
    #[error("must have at least one letter")]
    NoLetter,
    /// It is too long.
    #[error("must have at most {most} characters")]
    TooLong {
        /// The longest.
        most: usize,
    },
    /// It holds a sign that is not seen, ends a line, or turns the text around.
    #[error("holds U+{:04X}, which is {what}; leave it out", u32::from(*.sign))]
    Sign {
        /// The sign.
        sign: char,
        /// What kind of sign it is.
        what: &'static str,
    },
    /// It mixes letters of scripts that are not written together.
    #[error("mixes scripts: {sign} (U+{:04X}) is {script}, and the letters before it are {before}", u32::from(*.sign))]
    MixedScripts {
        /// The first letter of the other script.
        sign: char,
        /// Its script.
        script: &'static str,
        /// The script of the letters before it.
        before: &'static str,
    },
}

/// The name of a person or an organization: composed, seen as it is, in one script (UTS 39, "highly restrictive").
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DisplayName(String);

/// A title: composed and seen as it is. Its words may be of several scripts ("TNF-α in обзор"), one word may not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DisplayText(String);

impl DisplayName {
    /// Checks what someone typed. White space is trimmed at its ends and single inside.
    pub fn new(typed: &str) -> Result<Self, DisplayProblem> {
        Self::within(typed, LONGEST_NAME)
    }

    /// The same with another longest length.
    pub fn within(typed: &str, most: usize) -> Result<Self, DisplayProblem> {
        let text = composed(typed, most)?;
        if !text.chars().any(char::is_alphabetic) {
            return Err(DisplayProblem::NoLetter);
        }
        one_script(&text)?;
        Ok(Self(text))
    }
}

impl DisplayText {
    /// Checks what someone typed, of at most `most` characters.
    pub fn new(typed: &str, most: usize) -> Result<Self, DisplayProblem> {
        let text = composed(typed, most)?;
        if !text.chars().any(char::is_alphabetic) {
            return Err(DisplayProblem::NoLetter);
        }
        for word in text.split(|sign: char| !sign.is_alphanumeric()) {
            // Greek letters stand in Latin words of science: "TNFα", "µg". Cyrillic ones only pretend to.
            let without_greek: String = word.chars().filter(|sign| sign.script() != Script::Greek).collect();
            one_script(&without_greek)?;
        }
        Ok(Self(text))
    }
}

macro_rules! shown {
    ($($name:ident)+) => {
        $(impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, by value.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        })+
    };
}

shown! { DisplayName DisplayText }

/// What kind of sign makes a text look like another one, if it is one of those.
fn wrong_kind(sign: char) -> Option<&'static str> {
    match sign {
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some("a sign that turns the text around")
        }
        '\u{2028}' | '\u{2029}' => Some("the end of a line"),
        _ if sign.is_control() => Some("a control character"),
        '\u{ad}'
        | '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => Some("an invisible sign"),
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' | '\u{fffd}' => Some("no sign of any script"),
        _ => None,
    }
}

/// One line as it is seen: trimmed, composed (NFC), with single spaces and nothing that is not seen. For numbers and
/// addresses, which need no letter.
pub fn composed(typed: &str, most: usize) -> Result<String, DisplayProblem> {
    // Line ends and tabs are white space to `split_whitespace`, and are wrong all the same, unless at the ends.
    let trimmed = typed.trim();
    if let Some((sign, what)) = trimmed.chars().find_map(|sign| wrong_kind(sign).map(|what| (sign, what))) {
        return Err(DisplayProblem::Sign { sign, what });
    }
    let text = trimmed.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect::<String>();
    if text.chars().count() > most {
        return Err(DisplayProblem::TooLong { most });
    }
    Ok(text)
}

/// What is seen of a text that no one typed here, such as the title in a file: one line of at most `most` characters,
/// composed, without signs that are not seen or change its direction.
pub fn seen(text: &str, most: usize) -> String {
    let plain = |sign: char| {
        if sign.is_control() { Some(' ') } else { Some(sign).filter(|sign| wrong_kind(*sign).is_none()) }
    };
    let visible: String = text.chars().filter_map(plain).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ").nfc().take(most).collect()
}

/// A text of several lines that someone typed, as it is seen: composed (NFC), trimmed, and refused with the sign that is not
/// seen or changes its direction. Lines and the spaces in them stay.
pub fn composed_lines(typed: &str, most: usize) -> Result<String, DisplayProblem> {
    let text = with_plain_ends(typed);
    let wrong = text.chars().find_map(|sign| wrong_in_lines(sign).map(|what| (sign, what)));
    if let Some((sign, what)) = wrong {
        return Err(DisplayProblem::Sign { sign, what });
    }
    let text: String = text.trim().nfc().collect();
    if text.chars().count() > most {
        return Err(DisplayProblem::TooLong { most });
    }
    Ok(text)
}

/// The same, without those signs: for what is kept as it was said, such as the reason of a decision.
pub fn seen_lines(text: &str) -> String {
    let visible: String =
        with_plain_ends(text).chars().filter(|sign| wrong_in_lines(*sign).is_none()).collect();
    visible.trim().nfc().collect()
}

/// A text whose lines all end alike.
fn with_plain_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n")
}

fn wrong_in_lines(sign: char) -> Option<&'static str> {
    if matches!(sign, '\n' | '\t') { None } else { wrong_kind(sign) }
}

/// Scripts that are written together, besides each by itself (UTS 39, table 1).
const TOGETHER: [&[Script]; 3] = [
    &[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana],
    &[Script::Latin, Script::Han, Script::Bopomofo],
    &[Script::Latin, Script::Han, Script::Hangul],
];

/// Whether all letters are of one script, or of scripts that are written together.
fn one_script(text: &str) -> Result<(), DisplayProblem> {
    let mut all: Option<ScriptExtension> = None;
    let mut together = [true; 3];
    let mut before = "";
    for sign in text.chars() {
        let scripts = sign.script_extension();
        if scripts.is_common() || scripts.is_inherited() {
            continue;
        }
        if sign.script() == Script::Unknown {
            return Err(DisplayProblem::Sign { sign, what: "no sign of any script" });
        }
        let shared = all.map_or(scripts, |all| all.intersection(scripts));
        for (possible, group) in together.iter_mut().zip(TOGETHER) {
            *possible = *possible && group.iter().any(|script| scripts.contains_script(*script));
        }
        if shared.is_empty() && !together.contains(&true) {
            return Err(DisplayProblem::MixedScripts { sign, script: sign.script().full_name(), before });
        }
        all = Some(shared);
        before = sign.script().full_name();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_of_a_text_is_one_line_without_tricks() {
        assert_eq!(seen("Doses\u{202e}fdp.\u{200b}exe\r\n\t two\u{feff}", 50), "Dosesfdp.exe two");
        assert_eq!(seen("Cafe\u{301} au lait", 4), "Caf\u{e9}");
        assert_eq!(seen("\u{2066}\u{7}", 4), "");
    }

    #[test]
    fn a_text_of_several_lines_keeps_them_and_holds_no_tricks() {
        let plain = "First,  with\ttwo spaces.\r\n\r\nCafe\u{301}\u{2028}au lait\n";
        let seen = "First,  with\ttwo spaces.\n\nCaf\u{e9}\nau lait";
        assert_eq!(composed_lines(plain, 100).as_deref(), Ok(seen));
        assert_eq!(seen_lines(plain), seen);
        let evil = "evil \u{202e}\u{2066} sum\u{200b}mary\nbelow";
        let problem = composed_lines(evil, 100).expect_err("a trick").to_string();
        assert!(problem.contains("U+202E"), "{problem}");
        assert_eq!(seen_lines(evil), "evil  summary\nbelow");
        assert_eq!(composed_lines("abc", 2), Err(DisplayProblem::TooLong { most: 2 }));
        assert_eq!(seen_lines("\u{200b} \u{202e}"), "");
    }

    #[test]
    fn a_sign_without_a_script_is_said_to_be_one() {
        for name in ["\u{46bee}", "Ada \u{46bee}", "\u{46bee}da"] {
            let problem = DisplayName::new(&format!("{name}x")).expect_err("no name").to_string();
            assert_eq!(problem, "holds U+46BEE, which is no sign of any script; leave it out");
        }
    }

    #[test]
    fn names_of_the_world_are_names() {
        for name in [
            "Ada Lovelace",
            "Aoife O'Neill",
            "José María García-López",
            "Björk Guðmundsdóttir",
            "Nguyễn Thị Lan",
            "Мария Иванова",
            "Ελένη Παπαδοπούλου",
            "محمد علي",
            "יעל כהן",
            "山田 太郎",
            "山田 Taro",
            "김민수",
            "प्रिया शर्मा",
            "St. Mary's Hospital & Clinic, Dept. 4",
            "J. R. R. Tolkien",
        ] {
            let shown = DisplayName::new(name).unwrap_or_else(|problem| panic!("{name}: {problem}"));
            assert!(shown.as_str().chars().eq(name.nfc()), "{name}");
        }
        assert_eq!(DisplayName::new("  Ada   Lovelace ").expect("a name").as_str(), "Ada Lovelace");
        assert_eq!(DisplayName::new("Zoe\u{308}").expect("a name").as_str(), "Zoë");
    }

    #[test]
    fn what_is_no_name_is_refused_and_its_sign_named() {
        for (name, said) in [
            ("", "letter"),
            ("\u{200b}", "U+200B"),
            ("12345", "letter"),
            ("- - -", "letter"),
            ("Ada\u{200b} Lovelace", "U+200B"),
            ("Ada \u{202e}ecalevoL", "U+202E"),
            ("\u{200f}Ada", "U+200F"),
            ("Ada\nLovelace", "U+000A"),
            ("Ada\u{2028}Lovelace", "U+2028"),
            ("Ada\u{e0041}", "U+E0041"),
            ("Ada\u{3164}Lovelace", "U+3164"),
            ("Rosa \u{410}lvarez", "U+0410"),
            ("\u{391}da Lovelace", "Greek"),
            ("Ada علي", "Arabic"),
        ] {
            let problem = DisplayName::new(name).expect_err(name).to_string();
            assert!(problem.contains(said), "{name:?}: {problem}");
        }
        assert!(matches!(DisplayName::new(&"a".repeat(201)), Err(DisplayProblem::TooLong { most: 200 })));
    }

    #[test]
    fn titles_may_name_what_is_written_in_other_scripts() {
        for title in [
            "TNFα and IL-1β in uveitis",
            "β-blockers: 5 µg or 10 µg?",
            "Обзор: ACE inhibitors",
            "Statins, part 2",
        ] {
            assert!(DisplayText::new(title, 300).is_ok(), "{title}");
        }
        for title in ["Stat\u{456}ns", "Statins\u{202e}", "\u{2066}", "2026"] {
            assert!(DisplayText::new(title, 300).is_err(), "{title:?}");
        }
    }
}
