//! Formulas in one line: MathML, Office's OMML and simple TeX.
//!
//! `(140-age)`, `CL = 72`, `(a + b)/c`, `x^2`: what a person would type. A formula with anything that has no such form gives
//! nothing, and its reader leaves a placeholder: a formula is never half of itself.

use super::xml::{Element, Node};

mod line;
mod omml;
mod tex;

pub(crate) use tex::linear as tex;

use line::Line;

/// Deeper nested than a formula that people read.
const DEEPEST: usize = 40;

/// A MathML formula in one line, if it has one.
pub(crate) fn mathml(math: &Element) -> Option<String> {
    let mut line = Line::default();
    children(math, &mut line, 0)?;
    line.finish()
}

/// An OMML formula in one line, if it has one.
pub(crate) fn omml(math: &Element) -> Option<String> {
    let mut line = Line::default();
    omml::children(math, &mut line, 0)?;
    line.finish()
}

fn children(element: &Element, line: &mut Line, depth: usize) -> Option<()> {
    element.elements().try_for_each(|child| one(child, line, depth + 1))
}

/// A part of a formula as a line of its own.
fn part(element: &Element, depth: usize) -> Option<String> {
    let mut line = Line::default();
    one(element, &mut line, depth + 1)?;
    Some(line.text())
}

/// The parts of an element that has exactly that many.
fn parts<const N: usize>(element: &Element, depth: usize) -> Option<[String; N]> {
    let parts: Vec<String> = element.elements().map(|child| part(child, depth)).collect::<Option<_>>()?;
    parts.try_into().ok()
}

fn one(element: &Element, line: &mut Line, depth: usize) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    match element.name.as_str() {
        "mi" => line.name(&leaf(element)?),
        "mn" => line.number(&leaf(element)?),
        "mo" => line.operator(&leaf(element)?),
        "mtext" | "ms" => line.words(&leaf(element)?),
        "mspace" => line.space(),
        "math" | "mrow" | "mstyle" | "mpadded" => children(element, line, depth)?,
        // Annotations say the same again in another language.
        "semantics" | "maction" => one(element.elements().next()?, line, depth + 1)?,
        "mphantom" | "annotation" | "annotation-xml" | "maligngroup" | "malignmark" => {}
        "mfrac" => {
            let [above, below] = parts(element, depth)?;
            line.fraction(&above, &below);
        }
        "msqrt" => {
            let mut inside = Line::default();
            children(element, &mut inside, depth)?;
            line.root(&inside.text(), "");
        }
        "mroot" => {
            let [base, index] = parts(element, depth)?;
            line.root(&base, &index);
        }
        "msup" => {
            let [base, raised] = parts(element, depth)?;
            line.scripts(&base, "", &raised);
        }
        "msub" => {
            let [base, lowered] = parts(element, depth)?;
            line.scripts(&base, &lowered, "");
        }
        "msubsup" | "munderover" => {
            let [base, lowered, raised] = parts(element, depth)?;
            line.scripts(&base, &lowered, &raised);
        }
        "munder" => {
            let [base, below] = parts(element, depth)?;
            line.scripts(&base, &below, "");
        }
        "mover" => {
            let [base, above] = parts(element, depth)?;
            line.over(&base, &above)?;
        }
        "mfenced" => fenced(element, line, depth)?,
        "mtable" => table(element, line, depth)?,
        _ => return None,
    }
    Some(())
}

/// The text of a leaf. One with elements inside, as a glyph drawn by hand, has none.
fn leaf(element: &Element) -> Option<String> {
    let mut text = String::new();
    for node in &element.children {
        match node {
            Node::Text(part) => text.push_str(part),
            Node::Element(_) => return None,
        }
    }
    Some(text)
}

fn fenced(element: &Element, line: &mut Line, depth: usize) -> Option<()> {
    let separators: Vec<char> =
        element.attribute("separators").unwrap_or(",").chars().filter(|c| !c.is_whitespace()).collect();
    line.operator(element.attribute("open").unwrap_or("("));
    for (at, child) in element.elements().enumerate() {
        if let Some(before) = at.checked_sub(1)
            && let Some(separator) = separators.get(before).or(separators.last())
        {
            line.operator(&separator.to_string());
        }
        one(child, line, depth + 1)?;
    }
    line.operator(element.attribute("close").unwrap_or(")"));
    Some(())
}

/// Rows one after the other: a definition by cases, a matrix.
fn table(element: &Element, line: &mut Line, depth: usize) -> Option<()> {
    let mut rows = Vec::new();
    for row in element.elements() {
        let cells: Vec<String> = match row.name.as_str() {
            "mtr" => row.elements().map(|cell| cell_text(cell, depth)).collect::<Option<_>>()?,
            _ => return None,
        };
        rows.push(cells);
    }
    line.table(&rows);
    Some(())
}

fn cell_text(cell: &Element, depth: usize) -> Option<String> {
    if cell.name != "mtd" {
        return None;
    }
    let mut line = Line::default();
    children(cell, &mut line, depth + 1)?;
    Some(line.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml;

    fn linear(inside: &str) -> Option<String> {
        mathml(&xml::parse(&format!("<math>{inside}</math>")).expect("xml"))
    }

    #[test]
    fn mathml_in_one_line() {
        for (inside, right) in [
            ("<mrow><mo>(</mo><mn>140</mn><mo>-</mo><mi>age</mi><mo>)</mo></mrow>", "(140-age)"),
            ("<mo>≤</mo><mn>30</mn>", "≤ 30"),
            ("<mi>CL</mi><mo>=</mo><mn>72</mn>", "CL = 72"),
            ("<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>72</mn></mfrac>", "(a+b)/72"),
            ("<msup><mn>10</mn><mrow><mo>−</mo><mn>3</mn></mrow></msup>", "10^−3"),
            ("<msup><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></msup>", "(a+b)^2"),
            ("<msub><mi>CL</mi><mi>cr</mi></msub>", "CL_cr"),
            ("<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>", "x_1^2"),
            ("<msqrt><mi>x</mi></msqrt><mo>×</mo><mn>5</mn>", "√(x) × 5"),
            ("<mroot><mi>x</mi><mn>3</mn></mroot>", "(x)^(1/3)"),
            ("<mover><mi>x</mi><mo>¯</mo></mover>", "x\u{304}"),
            ("<mn>2</mn><mo>&#x2062;</mo><mn>5</mn>", "2 · 5"),
            ("<mn>72</mn><mn>5</mn>", "72 5"),
            ("<mn>0.85</mn><mi>age</mi><mtext> if female</mtext>", "0.85 age if female"),
            ("<mfenced><mn>1</mn><mn>2</mn></mfenced>", "(1, 2)"),
            (
                "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>x</mi>",
                "∑_(i = 1)^n x",
            ),
            (
                "<mi>d</mi><mo>=</mo><mo>{</mo><mtable><mtr><mtd><mn>5</mn></mtd><mtd><mi>y</mi><mo>&lt;</mo><mn>80</mn></mtd></mtr>\
                 <mtr><mtd><mn>2.5</mn></mtd><mtd><mtext>otherwise</mtext></mtd></mtr></mtable>",
                "d = {[5, y < 80; 2.5, otherwise]",
            ),
            ("<semantics><mn>5</mn><annotation>\\frac</annotation></semantics>", "5"),
        ] {
            assert_eq!(linear(inside).as_deref(), Some(right));
        }
    }

    #[test]
    fn a_formula_that_has_no_line_has_none() {
        for inside in [
            "<menclose notation='updiagonalstrike'><mn>5</mn></menclose>",
            "<mn>5</mn><unknown><mn>6</mn></unknown>",
            "<mfrac><mn>5</mn></mfrac>",
            "<mover><mi>x</mi><mi>y</mi></mover>",
            "",
        ] {
            assert_eq!(linear(inside), None, "{inside}");
        }
        let tower = format!("{}<mn>5</mn>{}", "<mrow>".repeat(60), "</mrow>".repeat(60));
        assert_eq!(linear(&tower), None);
    }
}
