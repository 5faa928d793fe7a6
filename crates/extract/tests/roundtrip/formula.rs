//! Made-up formulas of numbers, as trees, in three notations, and the value of a line.

use super::Random;

#[derive(Debug, Clone)]
pub(crate) enum Formula {
    Number(String),
    Sum(Box<Formula>, char, Box<Formula>),
    Product(Box<Formula>, Box<Formula>),
    Fraction(Box<Formula>, Box<Formula>),
    Power(Box<Formula>, i32),
    Root(Box<Formula>),
    Bracket(Box<Formula>),
}

use Formula::{Bracket, Fraction, Number, Power, Product, Root, Sum};

impl Formula {
    pub(crate) fn of(random: &mut Random, depth: usize) -> Self {
        if depth == 0 {
            return Number(match random.below(3) {
                0 => format!("{}", 1 + random.below(200)),
                1 => format!("{}.{}", random.below(20), 1 + random.below(9)),
                _ => format!("0.{:02}", 1 + random.below(99)),
            });
        }
        let part = |random: &mut Random| Box::new(Self::of(random, depth - 1));
        match random.below(7) {
            0 => Sum(part(random), random.one_of(&['+', '-', '−']), Box::new(part(random).closed())),
            1 => Product(Box::new(part(random).closed()), Box::new(part(random).closed())),
            2 => Fraction(part(random), part(random)),
            3 => {
                let base = part(random);
                let exponent = random.one_of(&[2, 3, -1, -2, -3, 9]);
                // Only a number or a bracket has a power without ambiguity.
                Power(Box::new(if matches!(*base, Number(_)) { *base } else { Bracket(base) }), exponent)
            }
            4 => Root(part(random)),
            5 => Bracket(part(random)),
            _ => *part(random),
        }
    }

    /// As a factor: a sum is in brackets, which no notation adds by itself.
    fn closed(self) -> Self {
        if matches!(self, Sum(..)) { Bracket(Box::new(self)) } else { self }
    }

    pub(crate) fn value(&self) -> f64 {
        match self {
            Number(number) => number.parse().expect("a number"),
            Sum(one, '+', other) => one.value() + other.value(),
            Sum(one, _, other) => one.value() - other.value(),
            Product(one, other) => one.value() * other.value(),
            Fraction(above, below) => above.value() / below.value(),
            Power(base, exponent) => base.value().powi(*exponent),
            Root(inside) => inside.value().sqrt(),
            Bracket(inside) => inside.value(),
        }
    }

    /// The numbers in it, in the order in which they are read.
    pub(crate) fn numbers(&self) -> Vec<String> {
        match self {
            Number(number) => vec![number.clone()],
            Sum(one, _, other) | Product(one, other) | Fraction(one, other) => {
                [one.numbers(), other.numbers()].concat()
            }
            Power(base, exponent) => [base.numbers(), vec![exponent.unsigned_abs().to_string()]].concat(),
            Root(inside) | Bracket(inside) => inside.numbers(),
        }
    }

    pub(crate) fn mathml(&self) -> String {
        let row = |inside: &Self| format!("<mml:mrow>{}</mml:mrow>", inside.mathml());
        match self {
            Number(number) => format!("<mml:mn>{number}</mml:mn>"),
            Sum(one, sign, other) => format!("{}<mml:mo>{sign}</mml:mo>{}", one.mathml(), other.mathml()),
            Product(one, other) => format!("{}<mml:mo>×</mml:mo>{}", one.mathml(), other.mathml()),
            Fraction(above, below) => format!("<mml:mfrac>{}{}</mml:mfrac>", row(above), row(below)),
            Power(base, exponent) => {
                let sign = if *exponent < 0 { "<mml:mo>−</mml:mo>" } else { "" };
                let exponent =
                    format!("<mml:mrow>{sign}<mml:mn>{}</mml:mn></mml:mrow>", exponent.unsigned_abs());
                format!("<mml:msup>{}{exponent}</mml:msup>", row(base))
            }
            Root(inside) => format!("<mml:msqrt>{}</mml:msqrt>", inside.mathml()),
            Bracket(inside) => format!("<mml:mo>(</mml:mo>{}<mml:mo>)</mml:mo>", inside.mathml()),
        }
    }

    pub(crate) fn omml(&self) -> String {
        let run = |text: &str| format!("<m:r><m:t>{text}</m:t></m:r>");
        match self {
            Number(number) => run(number),
            Sum(one, sign, other) => format!("{}{}{}", one.omml(), run(&sign.to_string()), other.omml()),
            Product(one, other) => format!("{}{}{}", one.omml(), run("×"), other.omml()),
            Fraction(above, below) => {
                format!("<m:f><m:num>{}</m:num><m:den>{}</m:den></m:f>", above.omml(), below.omml())
            }
            Power(base, exponent) => {
                format!(
                    "<m:sSup><m:e>{}</m:e><m:sup>{}</m:sup></m:sSup>",
                    base.omml(),
                    run(&exponent.to_string())
                )
            }
            Root(inside) => format!(
                "<m:rad><m:radPr><m:degHide m:val='1'/></m:radPr><m:deg/><m:e>{}</m:e></m:rad>",
                inside.omml()
            ),
            Bracket(inside) => format!("<m:d><m:e>{}</m:e></m:d>", inside.omml()),
        }
    }

    pub(crate) fn tex(&self) -> String {
        match self {
            Number(number) => number.clone(),
            Sum(one, sign, other) => format!("{}{sign}{}", one.tex(), other.tex()),
            Product(one, other) => format!("{} \\times {}", one.tex(), other.tex()),
            Fraction(above, below) => format!("\\frac{{{}}}{{{}}}", above.tex(), below.tex()),
            Power(base, exponent) => format!("{{{}}}^{{{exponent}}}", base.tex()),
            Root(inside) => format!("\\sqrt{{{}}}", inside.tex()),
            Bracket(inside) => format!("\\left({}\\right)", inside.tex()),
        }
    }
}

/// The numbers of a line, in order.
pub(crate) fn numbers(line: &str) -> Vec<String> {
    let parts = line.split(|c: char| !c.is_ascii_digit() && c != '.');
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The value of a line, by the rules that people read it by.
pub(crate) fn value(line: &str) -> Option<f64> {
    let signs: Vec<char> = line.chars().filter(|c| !c.is_whitespace()).collect();
    let mut reader = Reader { signs: &signs, at: 0 };
    let value = reader.sum()?;
    (reader.at == signs.len()).then_some(value)
}

struct Reader<'a> {
    signs: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn next(&self) -> Option<char> {
        self.signs.get(self.at).copied()
    }

    fn takes(&mut self, signs: &[char]) -> Option<char> {
        let next = self.next().filter(|next| signs.contains(next))?;
        self.at += 1;
        Some(next)
    }

    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product()?;
        while let Some(sign) = self.takes(&['+', '-', '−']) {
            let other = self.product()?;
            value = if sign == '+' { value + other } else { value - other };
        }
        Some(value)
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.power()?;
        while let Some(sign) = self.takes(&['×', '·', '/']) {
            let other = self.power()?;
            value = if sign == '/' { value / other } else { value * other };
        }
        Some(value)
    }

    fn power(&mut self) -> Option<f64> {
        let base = self.atom()?;
        if self.takes(&['^']).is_none() {
            return Some(base);
        }
        let negative = self.takes(&['-', '−']).is_some();
        let exponent = self.number()? as i32;
        Some(base.powi(if negative { -exponent } else { exponent }))
    }

    fn atom(&mut self) -> Option<f64> {
        let root = self.takes(&['√']).is_some();
        if self.takes(&['(']).is_none() {
            return if root { None } else { self.number() };
        }
        let inside = self.sum()?;
        self.takes(&[')'])?;
        Some(if root { inside.sqrt() } else { inside })
    }

    fn number(&mut self) -> Option<f64> {
        let digits: String =
            self.signs[self.at..].iter().take_while(|c| c.is_ascii_digit() || **c == '.').collect();
        self.at += digits.len();
        digits.parse().ok()
    }
}
