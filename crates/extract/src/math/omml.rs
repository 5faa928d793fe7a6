//! Office's own formulas (ECMA-376, part 1, 22.1).

use super::line::Line;
use super::{DEEPEST, Element};

pub(super) fn children(element: &Element, line: &mut Line, depth: usize) -> Option<()> {
    element.elements().try_for_each(|child| one(child, line, depth + 1))
}

/// What an element has under that name, as a line of its own; nothing where it has none.
fn part(element: &Element, name: &str, depth: usize) -> Option<String> {
    let mut line = Line::default();
    if let Some(child) = element.child(name) {
        children(child, &mut line, depth)?;
    }
    Some(line.text())
}

fn property<'a>(element: &'a Element, properties: &str, name: &str) -> Option<&'a str> {
    element.at(&[properties, name])?.attribute("val")
}

/// Whether a switch is on: it is where it stands without a value.
fn is_on(element: &Element, properties: &str, name: &str) -> bool {
    let switch = element.at(&[properties, name]);
    switch.is_some_and(|switch| !matches!(switch.attribute("val"), Some("0" | "off" | "false")))
}

fn one(element: &Element, line: &mut Line, depth: usize) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    let part = |name| part(element, name, depth);
    match element.name.as_str() {
        "r" => run(element, line)?,
        "oMath" | "oMathPara" | "e" | "box" => children(element, line, depth)?,
        // Properties say how it looks.
        "ctrlPr" | "oMathParaPr" | "boxPr" | "argPr" | "bookmarkStart" | "bookmarkEnd" => {}
        "f" => match property(element, "fPr", "type") {
            Some("noBar") => return None,
            _ => line.fraction(&part("num")?, &part("den")?),
        },
        "sSup" => line.scripts(&part("e")?, "", &part("sup")?),
        "sSub" => line.scripts(&part("e")?, &part("sub")?, ""),
        "sSubSup" => line.scripts(&part("e")?, &part("sub")?, &part("sup")?),
        "rad" => {
            let index = if is_on(element, "radPr", "degHide") { String::new() } else { part("deg")? };
            line.root(&part("e")?, &index);
        }
        "nary" => {
            let sign = property(element, "naryPr", "chr").unwrap_or("∫");
            line.scripts(sign, &part("sub")?, &part("sup")?);
            line.bracketed("", &part("e")?, "");
        }
        "d" => delimiters(element, line, depth)?,
        "func" => line.function(&part("fName")?, &part("e")?),
        "acc" => line.over(&part("e")?, property(element, "accPr", "chr").unwrap_or("\u{302}"))?,
        "bar" if property(element, "barPr", "pos") == Some("top") => line.over(&part("e")?, "\u{304}")?,
        "limLow" => line.scripts(&part("e")?, &part("lim")?, ""),
        "eqArr" => rows(element.elements().filter(|row| row.name == "e").map(|row| vec![row]), line, depth)?,
        "m" => {
            let cells = |row: &'_ Element| row.elements().filter(|cell| cell.name == "e").count();
            if element.elements().any(|row| row.name == "mr" && cells(row) == 0) {
                return None;
            }
            let matrix = element.elements().filter(|row| row.name == "mr");
            rows(matrix.map(|row| row.elements().filter(|cell| cell.name == "e").collect()), line, depth)?;
        }
        _ => return None,
    }
    Some(())
}

/// A run: its text, unless it is struck through or holds something else.
fn run(run: &Element, line: &mut Line) -> Option<()> {
    for child in run.elements() {
        match child.name.as_str() {
            "t" => line.run(&child.text_without(&[])),
            "rPr" => {
                let struck = child.attribute("strike").is_some_and(|strike| strike != "noStrike");
                if struck
                    || child.elements().any(|format| matches!(format.name.as_str(), "strike" | "dstrike"))
                {
                    return None;
                }
            }
            "br" => line.space(),
            _ => return None,
        }
    }
    Some(())
}

fn delimiters(element: &Element, line: &mut Line, depth: usize) -> Option<()> {
    let sign = |name, default| property(element, "dPr", name).unwrap_or(default);
    let mut inside = Vec::new();
    for part in element.elements().filter(|part| part.name == "e") {
        let mut line = Line::default();
        children(part, &mut line, depth)?;
        inside.push(line.text());
    }
    line.bracketed(
        sign("begChr", "("),
        &inside.join(&format!(" {} ", sign("sepChr", "|"))),
        sign("endChr", ")"),
    );
    Some(())
}

fn rows<'a>(rows: impl Iterator<Item = Vec<&'a Element>>, line: &mut Line, depth: usize) -> Option<()> {
    let mut table = Vec::new();
    for row in rows {
        let mut cells = Vec::new();
        for cell in row {
            let mut line = Line::default();
            children(cell, &mut line, depth)?;
            // Office aligns lines at an ampersand.
            cells.push(line.text().replace('&', ""));
        }
        table.push(cells);
    }
    line.table(&table);
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::xml;

    fn linear(inside: &str) -> Option<String> {
        super::super::omml(&xml::parse(&format!("<oMath>{inside}</oMath>")).expect("xml"))
    }

    #[test]
    fn omml_in_one_line() {
        let r = |text: &str| format!("<r><t>{text}</t></r>");
        for (inside, right) in [
            (r("CL=72"), "CL = 72"),
            (r("(140-age)×0.85"), "(140-age) × 0.85"),
            (format!("<f><num>{}</num><den>{}</den></f>", r("a+b"), r("72")), "(a+b)/72"),
            (format!("<sSup><e>{}</e><sup>{}</sup></sSup>", r("10"), r("-3")), "10^-3"),
            (format!("<sSub><e>{}</e><sub>{}</sub></sSub>", r("C"), r("max")), "C_max"),
            (
                format!("<rad><radPr><degHide val='1'/></radPr><deg/><e>{}</e></rad>{}", r("x"), r("≥5")),
                "√(x) ≥ 5",
            ),
            (format!("<d><e>{}</e></d>", r("a-b")), "(a-b)"),
            (
                format!(
                    "<nary><naryPr><chr val='∑'/></naryPr><sub>{}</sub><sup>{}</sup><e>{}</e></nary>",
                    r("i=1"),
                    r("n"),
                    r("x")
                ),
                "∑_(i = 1)^n x",
            ),
            (format!("<func><fName>{}</fName><e>{}</e></func>", r("ln"), r("x")), "ln x"),
        ] {
            assert_eq!(linear(&inside).as_deref(), Some(right));
        }
    }

    #[test]
    fn what_is_struck_or_unknown_has_no_line() {
        assert_eq!(linear("<r><rPr strike='sngStrike'/><t>5</t></r>"), None);
        assert_eq!(linear("<borderBox><e><r><t>5</t></r></e></borderBox>"), None);
        assert_eq!(linear("<r><t>5</t></r><phant><e><r><t>6</t></r></e></phant>"), None);
    }
}
