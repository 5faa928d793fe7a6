//! Writing a formula in one line.

/// What stood last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Nothing,
    Number,
    /// A name of one letter: several of them make a word, as units are often set.
    Letter,
    Name,
    /// Something that nothing may run into.
    Operator,
    /// A product, a power or the like that letters and numbers must stand apart from.
    Term,
}

/// A formula as it is written.
#[derive(Debug, Default)]
pub(super) struct Line {
    out: String,
    last: Last,
}

/// Operators with a space on both sides.
fn is_relation(text: &str) -> bool {
    const WORDS: [&str; 5] = ["min", "max", "mod", "if", "or"];
    WORDS.contains(&text)
        || text.chars().all(|c| {
            matches!(
                c,
                '=' | '<'
                    | '>'
                    | '≤'
                    | '≥'
                    | '≠'
                    | '≈'
                    | '≡'
                    | '∼'
                    | '≅'
                    | '≪'
                    | '≫'
                    | '∝'
                    | '→'
                    | '←'
                    | '⇒'
                    | '⇔'
                    | '∈'
                    | '∉'
                    | '×'
                    | '·'
                    | '⋅'
                    | '÷'
                    | '±'
                    | '∓'
                    | '∧'
                    | '∨'
                    | '⩽'
                    | '⩾'
                    | '≲'
                    | '≳'
            )
        })
}

impl Line {
    /// The formula, if there is something in it.
    pub(super) fn finish(self) -> Option<String> {
        let text = crate::fold(&self.out);
        (!text.is_empty() && !text.contains(crate::notes::SIGN)).then_some(text)
    }

    /// The line so far, as a part of another.
    pub(super) fn text(self) -> String {
        self.out.trim().to_owned()
    }

    fn push(&mut self, text: &str, kind: Last) {
        use Last::{Letter, Name, Nothing, Number, Operator, Term};
        let joined = match (self.last, kind) {
            (Nothing | Operator, _) | (_, Operator) => true,
            (Letter | Number, Letter) => true,
            (Number | Letter | Name | Term, Number | Name | Term) | (Name | Term, Letter) => false,
            (_, Nothing) => true,
        };
        if !joined {
            self.space();
        }
        self.out.push_str(text);
        self.last = kind;
    }

    /// A space, unless there is one.
    pub(super) fn space(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }

    pub(super) fn name(&mut self, text: &str) {
        let text = text.trim();
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (None, _) => {}
            // Some programs call every sign a name.
            (Some(sign), None) if !sign.is_alphanumeric() => self.operator(text),
            (Some(digit), _) if digit.is_ascii_digit() => self.number(text),
            (Some(_), None) => self.push(text, Last::Letter),
            (Some(_), Some(_)) => self.push(text, Last::Name),
        }
    }

    pub(super) fn number(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.push(text, Last::Number);
        }
    }

    pub(super) fn words(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.space();
            self.out.push_str(text);
            self.out.push(' ');
            self.last = Last::Operator;
        }
    }

    pub(super) fn operator(&mut self, text: &str) {
        let text = text.trim();
        match text {
            "" | "\u{2061}" | "\u{2063}" | "\u{2064}" | "\u{200b}" => {}
            // An invisible product is visible where it would join two numbers.
            "\u{2062}" => {
                if self.last == Last::Number {
                    self.operator("·");
                }
            }
            "," | ";" => {
                self.out.push_str(text);
                self.out.push(' ');
                self.last = Last::Operator;
            }
            _ if is_relation(text) => {
                self.space();
                self.out.push_str(text);
                self.out.push(' ');
                self.last = Last::Operator;
            }
            ")" | "]" | "}" | "|" | "!" | "%" | "′" | "°" => self.push_closing(text),
            _ if text.starts_with(char::is_alphabetic) => self.push(text, Last::Name),
            _ if self.last == Last::Term && matches!(text, "(" | "[") => self.push(text, Last::Operator),
            _ => self.push(text, Last::Operator),
        }
    }

    fn push_closing(&mut self, text: &str) {
        if text != "|" {
            self.out.truncate(self.out.trim_end().len());
        }
        self.out.push_str(text);
        self.last = if text == "|" { Last::Operator } else { Last::Term };
    }

    pub(super) fn fraction(&mut self, above: &str, below: &str) {
        self.push(&format!("{}/{}", group(above), group(below)), Last::Term);
    }

    pub(super) fn root(&mut self, base: &str, index: &str) {
        let root = match index {
            "" | "2" => format!("√({base})"),
            index => format!("({base})^(1/{index})"),
        };
        self.push(&root, Last::Term);
    }

    pub(super) fn scripts(&mut self, base: &str, lowered: &str, raised: &str) {
        let mut term = if is_large(base) { base.to_owned() } else { group(base) };
        if !lowered.is_empty() {
            term.push('_');
            term.push_str(&group(lowered));
        }
        if matches!(raised, "′" | "'" | "°" | "*") {
            term.push_str(raised);
        } else if !raised.is_empty() {
            term.push('^');
            term.push_str(&script(raised));
        }
        self.push(&term, Last::Term);
    }

    /// A sign above a letter; anything else above anything else has no line.
    pub(super) fn over(&mut self, base: &str, above: &str) -> Option<()> {
        let sign = match above {
            "¯" | "‾" | "_" | "―" | "̅" | "\u{304}" => '\u{304}',
            "^" | "ˆ" | "\u{302}" => '\u{302}',
            "~" | "˜" | "∼" | "\u{303}" => '\u{303}',
            "→" | "⃗" => '\u{20d7}',
            "˙" | "." | "\u{307}" => '\u{307}',
            _ if is_large(base) => {
                self.scripts(base, "", above);
                return Some(());
            }
            _ => return None,
        };
        let mut letters = base.chars();
        letters.next().filter(|_| letters.next().is_none())?;
        self.push(&format!("{base}{sign}"), Last::Term);
        Some(())
    }

    pub(super) fn table(&mut self, rows: &[Vec<String>]) {
        let rows: Vec<String> = rows.iter().map(|cells| cells.join(", ")).collect();
        self.push(&format!("[{}]", rows.join("; ")), Last::Term);
    }

    /// A part in brackets.
    pub(super) fn bracketed(&mut self, open: &str, inside: &str, close: &str) {
        self.push(&format!("{open}{inside}{close}"), Last::Term);
    }

    /// The name of a function before what it is applied to.
    pub(super) fn function(&mut self, name: &str, argument: &str) {
        self.push(&format!("{name} {}", group(argument)), Last::Term);
    }

    /// Text that mixes names, numbers and operators, as one run of a program's formula does.
    pub(super) fn run(&mut self, text: &str) {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
            let end = if first.is_ascii_digit() {
                rest.find(|c: char| !is_number(c)).unwrap_or(rest.len())
            } else if first.is_alphabetic() {
                rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            let (token, behind) = rest.split_at(end);
            if first.is_ascii_digit() {
                // A comma or stop that ends the number is no part of it.
                let number = token.trim_end_matches(['.', ',']);
                self.number(number);
                if number.len() < token.len() {
                    self.operator(&token[number.len()..]);
                }
            } else if first.is_whitespace() {
                self.space();
                self.last = Last::Operator;
            } else if first.is_alphabetic() {
                self.name(token);
            } else {
                self.operator(token);
            }
            rest = behind;
        }
    }
}

/// Sums and the like, which have bounds instead of powers.
fn is_large(base: &str) -> bool {
    matches!(base, "∑" | "∏" | "∫" | "∬" | "∮" | "⋃" | "⋂" | "lim" | "max" | "min")
}

/// An operand as it is if it is one, in parentheses if it is several.
fn group(text: &str) -> String {
    let one =
        text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '%' | '°' | '\u{300}'..='\u{36f}'));
    let closed =
        text.starts_with('(') && text.ends_with(')') && !text[1..text.len() - 1].contains(['(', ')']);
    if one || closed { text.to_owned() } else { format!("({text})") }
}

/// An exponent: a sign before it needs no parentheses.
fn script(text: &str) -> String {
    let sign = text.len() - text.trim_start_matches(['-', '−', '+']).len();
    let body = &text[sign..];
    if !body.is_empty() && body.chars().all(|c| c.is_alphanumeric() || c == '.') {
        return text.to_owned();
    }
    if matches!(text, "+" | "-" | "−") { text.to_owned() } else { group(text) }
}
