//! Raised and lowered text in one line: powers, charges, isotopes, ordinals, formulas, and marks.

/// What a superscript was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// It is part of the text.
    Text,
    /// It refers to the literature and is not part of the text.
    Reference,
}

/// Units that may have a power.
const UNITS: [&str; 36] = [
    "m", "cm", "dm", "mm", "km", "µm", "μm", "nm", "kg", "g", "mg", "µg", "μg", "ng", "s", "ms", "sec", "h",
    "hr", "min", "d", "L", "l", "dL", "dl", "mL", "ml", "µL", "μL", "mol", "mmol", "Hz", "in", "ft", "Pa",
    "N",
];

/// A bracket that opened further back is not looked for.
const LONGEST_BRACKET: usize = 200;

/// Adds raised text to a line; `next` is the character that follows it.
pub(crate) fn push_superscript(out: &mut String, text: &str, next: Option<char>) -> Read {
    if text.is_empty() {
        return Read::Text;
    }
    if let Some(plain) = plain(out, text, next) {
        out.push_str(plain);
        return Read::Text;
    }
    if is_footnote(out, text) {
        push_mark(out, text);
        return Read::Text;
    }
    if is_reference_number(text) && refers(out, text, next) {
        close_gap(out, next);
        return Read::Reference;
    }
    // An isotope's number belongs to the letters behind it.
    let isotope = out.chars().next_back().is_none_or(char::is_whitespace);
    out.push('^');
    push_group(out, text);
    let merges = text.ends_with(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric);
    if merges && (!isotope || next.is_some_and(char::is_numeric)) {
        out.push(' ');
    }
    Read::Text
}

/// Raised text that means the same on the line: trademarks, primes, ordinals, degrees.
fn plain<'a>(out: &str, text: &'a str, next: Option<char>) -> Option<&'a str> {
    let after_digit = out.ends_with(|c: char| c.is_ascii_digit());
    match text {
        "TM" | "™" => Some("™"),
        "R" if out.ends_with(char::is_alphabetic) && !next.is_some_and(char::is_alphanumeric) => Some("®"),
        "®" | "©" | "′" | "″" | "'" | "°" | "º" => Some(text),
        "st" | "nd" | "rd" | "th" if after_digit => Some(text),
        "o" if out.trim_end().ends_with(|c: char| c.is_ascii_digit()) && matches!(next, Some('C' | 'F')) => {
            Some("°")
        }
        _ => None,
    }
}

/// Whether raised text is the mark of a footnote: a sign, or a letter that is no exponent.
fn is_footnote(out: &str, text: &str) -> bool {
    let is_sign = text.chars().all(|c| matches!(c, '*' | '†' | '‡' | '§' | '¶' | '#' | '‖'));
    let mut letters = text.chars();
    let letter = letters.next().filter(|c| c.is_ascii_lowercase() && letters.next().is_none());
    let before = out.chars().next_back();
    let exponent = match letter {
        // 2ⁿ and 10ˣ are powers; the value 12.5ᵇ has a footnote.
        Some('n' | 'x' | 'k' | 'i' | 'j' | 't') => before.is_some_and(char::is_alphanumeric),
        Some(_) => {
            let word = last_word(out);
            word.chars().count() == 1 && !UNITS.contains(&word)
        }
        None => false,
    };
    is_sign || (letter.is_some() && !exponent)
}

/// Whether a text is a number or a list of numbers, as references are.
pub(crate) fn is_reference_number(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | ';' | '-' | '–' | '—' | ' '))
}

/// Whether a raised number refers to the literature rather than being a power of what stands before it.
fn refers(out: &str, text: &str, next: Option<char>) -> bool {
    let small = matches!(text, "2" | "3" | "4");
    match out.chars().next_back() {
        None => false,
        // ⁹⁹Tc and ¹⁸F stand before their letter.
        Some(before) if before.is_whitespace() => !next.is_some_and(char::is_alphabetic),
        Some(before) if before.is_ascii_digit() => false,
        Some(')' | ']') => !small,
        Some('.' | ',' | ';' | ':' | '!' | '?' | '"' | '”' | '’' | '\'' | '%' | '»') => true,
        Some(before) if before.is_alphabetic() => {
            let word = last_word(out);
            if UNITS.contains(&word) {
                return !small;
            }
            word.chars().count() > 1 && !(small && is_symbol(word))
        }
        Some(_) => false,
    }
}

/// Whether a short word is a symbol rather than a word: it has no vowel, or it is Greek.
fn is_symbol(word: &str) -> bool {
    let vowel = |c: char| matches!(c.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    word.chars().count() <= 2 && !word.chars().any(vowel)
}

fn last_word(text: &str) -> &str {
    let start = text
        .rfind(|c: char| !c.is_alphabetic())
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}

/// Adds lowered text to a line; `next` is the character that follows it.
///
/// Behind a letter it is written on the line, as people write CO2, where no digit follows that it could run into.
pub(crate) fn push_subscript(out: &mut String, text: &str, next: Option<char>) {
    if text.is_empty() {
        return;
    }
    let after_name = out.ends_with(|c: char| c.is_alphabetic() || c == ')');
    let runs_on = text.ends_with(char::is_numeric) && next.is_some_and(char::is_numeric);
    if after_name && !runs_on && text.chars().all(char::is_alphanumeric) {
        out.push_str(text);
        return;
    }
    let lowered: Option<String> = text.chars().map(lowered).collect();
    if let Some(lowered) = lowered {
        out.push_str(&lowered);
        return;
    }
    out.push('_');
    push_group(out, text);
    if text.ends_with(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric) {
        out.push(' ');
    }
}

fn lowered(character: char) -> Option<char> {
    match character {
        '0'..='9' => char::from_u32(0x2080 + (u32::from(character) - u32::from('0'))),
        '+' => Some('₊'),
        '-' | '−' => Some('₋'),
        '=' => Some('₌'),
        _ => None,
    }
}

/// A footnote's mark, apart from the word before it.
pub(crate) fn push_mark(out: &mut String, text: &str) {
    let text = text.trim_matches(['[', ']', '(', ')', ' ']);
    if !text.is_empty() {
        if out.ends_with(|c: char| !c.is_whitespace()) {
            out.push(' ');
        }
        out.push('[');
        out.push_str(text);
        out.push(']');
    }
}

/// One operand as it is, several in parentheses.
fn push_group(out: &mut String, text: &str) {
    let body = text.trim_start_matches(['-', '−', '–', '+']);
    let body = body.trim_end_matches(['+', '-', '−', '–']);
    if body.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '/')) {
        out.push_str(text);
    } else {
        out.push('(');
        out.push_str(text);
        out.push(')');
    }
}

/// Whether a reference is apart from its sentence as it stands: in brackets, or the name of what it refers to.
pub(crate) fn is_apart(out: &str, text: &str) -> bool {
    let opened = |open: char, close: char| {
        out.chars().rev().take(LONGEST_BRACKET).find(|&c| c == open || c == close) == Some(open)
    };
    !is_reference_number(text) || opened('[', ']') || opened('(', ')')
}

/// A mark that is gone leaves no space before a stop.
pub(crate) fn close_gap(out: &mut String, next: Option<char>) {
    if next.is_some_and(|next| matches!(next, '.' | ',' | ';' | ':' | ')')) {
        out.truncate(out.trim_end().len());
    }
}

#[cfg(test)]
mod tests {
    use crate::inline::Inline;

    fn raised(before: &str, text: &str, after: &str) -> String {
        let mut line = Inline::default();
        line.text(before);
        line.superscript(text);
        line.text(after);
        line.finish().text
    }

    #[test]
    fn powers_stay_powers_and_marks_go() {
        for (before, text, after, right) in [
            ("50 × 10", "9", "/L", "50 × 10^9/L"),
            ("10", "−3", " mol/L", "10^−3 mol/L"),
            ("10", "-12", "M", "10^-12 M"),
            ("25 kg/m", "2", " here", "25 kg/m^2 here"),
            ("mL min", "−1", ".", "mL min^−1."),
            ("5 mg", "2", " were given", "5 mg^2 were given"),
            ("5 mg", "12", " were given", "5 mg were given"),
            ("was lower.", "12", " The", "was lower. The"),
            ("heparin", "12,13", " was", "heparin was"),
            ("heparin ", "12–14", ".", "heparin."),
            ("in 50%", "3", " of", "in 50% of"),
            ("R", "2", " was", "R^2 was"),
            ("χ", "2", " test", "χ^2 test"),
            ("Ca", "2+", " and", "Ca^2+ and"),
            ("Na", "+", " and", "Na^+ and"),
            ("the ", "99m", "Tc scan", "the ^99mTc scan"),
            ("", "18", "F-FDG", "^18F-FDG"),
            ("the 1", "st", " dose", "the 1st dose"),
            ("37", "o", "C", "37°C"),
            ("Xarelto", "®", " is", "Xarelto® is"),
            ("5 mg", "a", " daily", "5 mg [a] daily"),
            ("12.5", "*", "", "12.5 [*]"),
            ("2", "n", " cells", "2^n cells"),
            ("e", "−0.5t", "", "e^−0.5t"),
            ("CD4", "high", " cells", "CD4^high cells"),
            ("1 × 10", "5", "5 more", "1 × 10^5 5 more"),
        ] {
            assert_eq!(raised(before, text, after), right);
        }
    }

    #[test]
    fn lowered_text_never_runs_into_a_number() {
        for (before, text, after, right) in [
            ("H", "2", "O is", "H2O is"),
            ("log", "10", "2", "log₁₀2"),
            ("5", "2", " of", "5₂ of"),
            ("C", "max", " rose", "Cmax rose"),
            ("t", "1/2", " is", "t_1/2 is"),
            ("5", "max", "imum", "5_max imum"),
        ] {
            let mut line = Inline::default();
            line.text(before);
            line.subscript(text);
            line.text(after);
            assert_eq!(line.finish().text, right);
        }
    }
}
