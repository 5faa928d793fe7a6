//! Simple TeX, as journals keep it beside MathML.

use super::line::Line;

const SIGNS: [(&str, &str); 29] = [
    ("leq", "≤"),
    ("le", "≤"),
    ("leqslant", "≤"),
    ("geq", "≥"),
    ("ge", "≥"),
    ("geqslant", "≥"),
    ("neq", "≠"),
    ("ne", "≠"),
    ("lt", "<"),
    ("gt", ">"),
    ("approx", "≈"),
    ("sim", "∼"),
    ("times", "×"),
    ("cdot", "·"),
    ("div", "÷"),
    ("pm", "±"),
    ("mp", "∓"),
    ("to", "→"),
    ("rightarrow", "→"),
    ("infty", "∞"),
    ("circ", "°"),
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("Delta", "Δ"),
    ("mu", "μ"),
    ("sigma", "σ"),
    ("lambda", "λ"),
];
/// Commands that only say how something looks.
const LOOKS: [&str; 12] = [
    "left",
    "right",
    "displaystyle",
    "textstyle",
    "limits",
    "big",
    "Big",
    "bigl",
    "bigr",
    "mathstrut",
    "nolimits",
    "scriptstyle",
];
/// Commands whose argument is text.
const WORDS: [&str; 6] = ["text", "mathrm", "textrm", "mbox", "rm", "operatorname"];

/// A formula in TeX in one line, if every command of it is known.
pub(crate) fn linear(source: &str) -> Option<String> {
    let inside = match source.split_once("\\begin{document}") {
        Some((_, document)) => document.split("\\end{document}").next().unwrap_or_default(),
        None => source,
    };
    let inside = inside.trim().trim_matches('$').trim();
    let inside = inside.strip_prefix("\\[").and_then(|inside| inside.strip_suffix("\\]")).unwrap_or(inside);
    let mut reader = Reader { rest: inside, depth: 0 };
    let mut line = Line::default();
    reader.group(&mut line, false)?;
    if reader.rest.is_empty() { line.finish() } else { None }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Reads up to the end, or to the brace that closes a group.
    fn group(&mut self, line: &mut Line, braced: bool) -> Option<()> {
        self.depth += 1;
        if self.depth > super::DEEPEST {
            return None;
        }
        loop {
            self.rest = self.rest.trim_start();
            let Some(first) = self.rest.chars().next() else {
                self.depth -= 1;
                return (!braced).then_some(());
            };
            if first == '}' {
                self.rest = &self.rest[1..];
                self.depth -= 1;
                return braced.then_some(());
            }
            let mut atom = self.atom()?;
            let (mut lowered, mut raised) = (String::new(), String::new());
            while let Some(script) = self.rest.trim_start().chars().next().filter(|c| matches!(c, '^' | '_'))
            {
                self.rest = &self.rest.trim_start()[1..];
                let argument = self.argument()?;
                match script {
                    '^' if raised.is_empty() => raised = argument,
                    '_' if lowered.is_empty() => lowered = argument,
                    _ => return None,
                }
            }
            if lowered.is_empty() && raised.is_empty() {
                line.run(&atom);
            } else {
                let base = atom.trim().to_owned();
                atom.clear();
                line.scripts(&base, &lowered, &raised);
            }
        }
    }

    /// A number, a word, a sign, a command or a group.
    fn atom(&mut self) -> Option<String> {
        let first = self.rest.chars().next()?;
        match first {
            '{' => {
                self.rest = &self.rest[1..];
                let mut inside = Line::default();
                self.group(&mut inside, true)?;
                Some(inside.text())
            }
            '\\' => self.command(),
            // Columns and comments are beyond one line.
            '&' | '%' | '#' | '~' | '^' | '_' => None,
            _ if first.is_ascii_digit() => {
                let is_number = |c: char| c.is_ascii_digit() || c == '.';
                Some(self.take(self.rest.find(|c| !is_number(c)).unwrap_or(self.rest.len())).to_owned())
            }
            _ => Some(self.take(first.len_utf8()).to_owned()),
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn argument(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let argument = self.atom()?;
        let mut line = Line::default();
        line.run(&argument);
        Some(line.text())
    }

    fn command(&mut self) -> Option<String> {
        self.take(1);
        let letters = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        if letters == 0 {
            let sign = self.rest.chars().next()?;
            self.take(sign.len_utf8());
            return match sign {
                ',' | ';' | ':' | ' ' | '!' | '\\' => Some(" ".to_owned()),
                '%' | '{' | '}' | '$' | '&' | '#' | '_' => Some(sign.to_string()),
                _ => None,
            };
        }
        let name = self.take(letters);
        if let Some((_, sign)) = SIGNS.iter().find(|(known, _)| *known == name) {
            return Some((*sign).to_owned());
        }
        match name {
            "frac" | "dfrac" | "tfrac" => {
                let (above, below) = (self.argument()?, self.argument()?);
                let mut line = Line::default();
                line.fraction(&above, &below);
                Some(line.text())
            }
            "sqrt" if !self.rest.starts_with('[') => {
                let base = self.argument()?;
                Some(format!("√({base})"))
            }
            "quad" | "qquad" => Some(" ".to_owned()),
            "ln" | "log" | "exp" | "min" | "max" => Some(format!(" {name} ")),
            _ if LOOKS.contains(&name) => Some(String::new()),
            _ if WORDS.contains(&name) => self.words(),
            _ => None,
        }
    }

    /// The text in braces, as it stands.
    fn words(&mut self) -> Option<String> {
        let inside = self.rest.trim_start().strip_prefix('{')?;
        let (text, rest) = inside.split_once('}')?;
        if text.contains(['\\', '{', '$']) {
            return None;
        }
        self.rest = rest;
        Some(format!(" {text} "))
    }
}

#[cfg(test)]
mod tests {
    use super::linear;

    #[test]
    fn simple_tex_in_one_line() {
        for (source, right) in [
            ("\\documentclass{minimal}\\begin{document}$$(140-age)$$\\end{document}", "(140-age)"),
            ("$\\leq 30$", "≤ 30"),
            ("10^{-3}", "10^-3"),
            ("\\frac{a+b}{72} \\times 0.85", "(a+b)/72 × 0.85"),
            ("x_1^2 \\ge 5\\,\\mathrm{mg}", "x_1^2 ≥ 5 mg"),
        ] {
            assert_eq!(linear(source).as_deref(), Some(right), "{source}");
        }
    }

    #[test]
    fn tex_with_an_unknown_command_has_no_line() {
        for source in ["\\cancel{5} 6", "\\begin{cases} 5 \\end{cases}", "{5", "5}", "a & b", ""] {
            assert_eq!(linear(source), None, "{source}");
        }
    }
}
