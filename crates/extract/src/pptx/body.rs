//! The text of a shape.

use super::super::inline::{Inline, Inlined};
use super::super::notes::{self, NoteKind};
use super::Element;
use super::ground::Ground;
use crate::math;

/// The paragraphs of a text body; line breaks become spaces.
pub(crate) fn paragraphs(body: &Element) -> Vec<String> {
    lines(body, &Ground::unknown())
        .into_iter()
        .map(|line| line.text)
        .filter(|text| !text.is_empty())
        .collect()
}

/// The paragraphs of a text body, with what is missing from them. `ground` is what they are painted on.
pub(super) fn lines(body: &Element, ground: &Ground) -> Vec<Inlined> {
    let paragraphs = body.elements().filter(|element| element.name == "p");
    let lines = paragraphs.map(|paragraph| {
        let mut line = Inline::default();
        runs(paragraph, ground, &mut line);
        line.finish()
    });
    lines.filter(|line| !line.text.is_empty() || !line.left_out.is_empty()).collect()
}

fn runs(parent: &Element, ground: &Ground, line: &mut Inline) {
    for run in parent.elements() {
        match run.name.as_str() {
            "r" | "fld" => text_of(run, ground, line),
            "br" | "tab" => line.space(),
            // Office writes a formula and, for programs that know none, its picture.
            "AlternateContent" => {
                if let Some(choice) = run.child("Choice").or_else(|| run.child("Fallback")) {
                    runs(choice, ground, line);
                }
            }
            "m" | "oMath" | "oMathPara" => formula(run, line),
            "pPr" | "endParaRPr" => {}
            name => line.leave_out(NoteKind::UnknownElement, name),
        }
    }
}

fn text_of(run: &Element, ground: &Ground, line: &mut Inline) {
    let Some(text) = run.child("t").map(|text| text.text_without(&[])) else { return };
    let format = run.child("rPr");
    let attribute = |name| format.and_then(|format| format.attribute(name));
    if attribute("strike").is_some_and(|strike| strike != "noStrike") {
        line.leave_out(NoteKind::StruckText, &text);
        line.space();
        return;
    }
    if ground.hides(format) && !text.trim().is_empty() {
        line.leave_out(NoteKind::HiddenText, &text);
        line.space();
        return;
    }
    // In thousandths of a percent, or in percent.
    let baseline =
        attribute("baseline").map_or(0.0, |value| value.trim_end_matches('%').parse().unwrap_or(0.0));
    if baseline > 0.0 {
        line.superscript(&text);
    } else if baseline < 0.0 {
        line.subscript(&text);
    } else {
        line.text(&text);
    }
}

fn formula(formula: &Element, line: &mut Inline) {
    let formulas = if formula.name == "oMath" { vec![formula] } else { formula.descendants("oMath") };
    for formula in formulas {
        match math::omml(formula) {
            Some(text) => line.text(&text),
            None => line.hole(notes::FORMULA),
        }
    }
}

/// Whatever text is in a shape, for a note that it was left out.
pub(super) fn all_text(shape: &Element) -> String {
    let texts: Vec<String> = shape.descendants("t").into_iter().map(|text| text.text_without(&[])).collect();
    texts.join(" ")
}
