//! Writers of tables, captions and formulas in the formats that readers know.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::write::{SimpleFileOptions, ZipWriter};

use super::Random;

/// A part of a fact: text on the line, or raised.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Raised(String),
}

/// Something that a cell or a caption says: a number with its sign and unit, a negation, a power.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fact(Vec<Part>);

impl Fact {
    /// A made-up fact; `plain` ones hold only what every font of a PDF has.
    pub(crate) fn of(random: &mut Random, plain: bool) -> Self {
        let signs: &[&str] = if plain {
            &["", "<", ">", "±", "-", "< ", "~"]
        } else {
            &["", "<", ">", "≤ ", "≥", "±", "−", "< ", "~", "≠ "]
        };
        let units: &[&str] = if plain {
            &["mg", "mL/min", "mg/kg", "%", "mmol/L", "IU", "µg"]
        } else {
            &["mg", "mL/min", "µg", "mg/kg", "%", "mmol/L", "IU", "°C", "μmol/L"]
        };
        let negations = ["", "", "", "not ", "never ", "no more than ", "do not give if "];
        let number = match random.below(4) {
            0 => format!("{}", random.below(1000)),
            1 => format!("{}.{}", random.below(100), random.below(10)),
            2 => format!("{}–{}", random.below(10), 10 + random.below(90)),
            _ => format!("{},{:03}", 1 + random.below(9), random.below(1000)),
        };
        let head = format!("{}{}{number}", random.one_of(&negations), random.one_of(signs));
        if random.below(3) > 0 {
            return Self(vec![Part::Text(format!("{head} {}", random.one_of(units)))]);
        }
        let power = random.one_of(&["9", "12", "-3", "6", "-12"]);
        let unit = random.one_of(&["/L", " mol/L", " cells"]);
        Self(vec![
            Part::Text(format!("{head} × 10")),
            Part::Raised(power.to_owned()),
            Part::Text(unit.to_owned()),
        ])
    }

    fn text(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// As it must be read.
    pub(crate) fn linear(&self) -> String {
        self.written(str::to_owned, |power| format!("^{power}"))
    }

    fn written(&self, text: impl Fn(&str) -> String, raised: impl Fn(&str) -> String) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(part) => text(part),
            Part::Raised(part) => raised(part),
        });
        parts.collect()
    }

    fn html(&self) -> String {
        self.written(escape, |power| format!("<sup>{power}</sup>"))
    }

    fn drawing(&self) -> String {
        let run =
            |format: &str, text: &str| format!("<a:r><a:rPr{format}/><a:t>{}</a:t></a:r>", escape(text));
        self.written(|text| run("", text), |power| run(" baseline=\"30000\"", power))
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A table; its first column may have cells that cover several rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    names: Vec<String>,
    /// Per row: how many rows its first cell covers (0 where one above covers it), and its cells.
    rows: Vec<(usize, Vec<Fact>)>,
}

impl Table {
    pub(crate) fn of(random: &mut Random, plain: bool) -> Self {
        let columns = 2 + random.below(3);
        let all = ["Drug", "Dose", "Renal dose", "Limit", "Interval"];
        let names = (0..columns).map(|at| all[at].to_owned()).collect();
        let mut rows: Vec<(usize, Vec<Fact>)> = Vec::new();
        let count = 2 + random.below(5);
        while rows.len() < count {
            let most = if plain { 1 } else { (count - rows.len()).min(3) };
            let covers = 1 + random.below(most);
            let name = Fact::text(&format!("drug{}", rows.len()));
            for at in 0..covers {
                let mut cells = vec![name.clone()];
                cells.extend((1..columns).map(|_| Fact::of(random, plain)));
                rows.push((if at == 0 { covers } else { 0 }, cells));
            }
        }
        Self { names, rows }
    }

    /// The same without merged cells.
    pub(crate) fn unmerged(&self) -> Self {
        Self {
            names: self.names.clone(),
            rows: self.rows.iter().map(|(_, cells)| (1, cells.clone())).collect(),
        }
    }

    pub(crate) fn columns(&self) -> String {
        self.names.join(" | ")
    }

    /// The rows as they must be read.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.rows
            .iter()
            .map(|(_, cells)| cells.iter().map(Fact::linear).collect::<Vec<_>>().join(" | "))
            .collect()
    }

    pub(crate) fn markdown(&self) -> Vec<u8> {
        let mut out = format!("| {} |\n|{}\n", self.names.join(" | "), "--|".repeat(self.names.len()));
        for (_, cells) in &self.rows {
            let _ = writeln!(out, "| {} |", cells.iter().map(Fact::html).collect::<Vec<_>>().join(" | "));
        }
        out.into_bytes()
    }

    /// Rows of `<td>`, merged as the table is.
    fn body(&self) -> String {
        let mut out = String::new();
        for (covers, cells) in &self.rows {
            out.push_str("<tr>");
            for (column, cell) in cells.iter().enumerate() {
                match (column, covers) {
                    (0, 0) => {}
                    (0, 2..) => {
                        let _ = write!(out, "<td rowspan=\"{covers}\">{}</td>", cell.html());
                    }
                    _ => {
                        let _ = write!(out, "<td>{}</td>", cell.html());
                    }
                }
            }
            out.push_str("</tr>");
        }
        out
    }

    fn head(&self) -> String {
        let names: String = self.names.iter().map(|name| format!("<th>{name}</th>")).collect();
        format!("<thead><tr>{names}</tr></thead>")
    }

    pub(crate) fn html(&self) -> Vec<u8> {
        format!("<table>{}<tbody>{}</tbody></table>\n", self.head(), self.body()).into_bytes()
    }

    pub(crate) fn jats(&self) -> Vec<u8> {
        article(&format!(
            "<table-wrap><table>{}<tbody>{}</tbody></table></table-wrap>",
            self.head(),
            self.body()
        ))
    }

    pub(crate) fn pptx(&self) -> Vec<u8> {
        let cell = |attributes: &str, runs: &str| {
            format!("<a:tc{attributes}><a:txBody><a:bodyPr/><a:p>{runs}</a:p></a:txBody></a:tc>")
        };
        let names: String = self.names.iter().map(|name| cell("", &Fact::text(name).drawing())).collect();
        let mut rows = format!("<a:tr>{names}</a:tr>");
        for (covers, cells) in &self.rows {
            rows.push_str("<a:tr>");
            for (column, fact) in cells.iter().enumerate() {
                rows.push_str(&match (column, covers) {
                    (0, 0) => cell(" vMerge=\"1\"", ""),
                    (0, 2..) => cell(&format!(" rowSpan=\"{covers}\""), &fact.drawing()),
                    _ => cell("", &fact.drawing()),
                });
            }
            rows.push_str("</a:tr>");
        }
        deck(&format!(
            "<p:graphicFrame><a:graphic><a:graphicData><a:tbl>{rows}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
        ))
    }

    /// One page, drawn row by row or column by column.
    pub(crate) fn pdf(&self, random: &mut Random) -> Vec<u8> {
        let mut pieces: Vec<(usize, usize, String)> = Vec::new();
        for (column, name) in self.names.iter().enumerate() {
            pieces.push((0, column, show(&Fact::text(name))));
        }
        for (row, (_, cells)) in self.rows.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                pieces.push((row + 1, column, show(cell)));
            }
        }
        // What is drawn column by column may as well be columns of a text, unless it is surely a table.
        let sure = pieces.iter().all(|(_, _, shown)| shown.matches(' ').count() < 9);
        if random.below(2) == 0 && sure && self.rows.len() > 2 {
            pieces.sort_by_key(|(row, column, _)| (*column, *row));
        }
        let mut content = String::from("BT /F1 10 Tf ET\n");
        for (row, column, shown) in pieces {
            let _ = writeln!(content, "BT 1 0 0 1 {} {} Tm {shown} ET", 40 + 220 * column, 700 - 20 * row);
        }
        page(&content)
    }
}

/// Text operators that show a fact, in the encoding of Windows.
fn show(fact: &Fact) -> String {
    let hex = |text: &str| -> String {
        let byte = |character: char| match character {
            '–' => 0x96,
            character => u8::try_from(u32::from(character)).expect("a character of Latin-1"),
        };
        text.chars().map(|character| format!("{:02x}", byte(character))).collect()
    };
    fact.written(
        |text| format!("<{}> Tj ", hex(text)),
        |power| format!("/F1 6 Tf 4 Ts <{}> Tj /F1 10 Tf 0 Ts ", hex(power)),
    )
}

fn page(content: &str) -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1000 1400] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len() + 1),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        let _ = write!(out, "{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let start = out.len();
    let _ = write!(out, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(out, "{offset:010} 00000 n ");
    }
    let _ = write!(out, "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    out.into_bytes()
}

fn article(body: &str) -> Vec<u8> {
    format!("<article><body><sec><title>Doses</title>{body}</sec></body></article>").into_bytes()
}

fn deck(shapes: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let relationships = |kind: &str, target: &str| {
        format!(
            "<Relationships><Relationship Id='rId1' Type='http://x/{kind}' Target='{target}'/></Relationships>"
        )
    };
    for (name, content) in [
        (
            "ppt/presentation.xml",
            "<p:presentation><p:sldIdLst><p:sldId id='256' r:id='rId1'/></p:sldIdLst></p:presentation>"
                .to_owned(),
        ),
        ("ppt/_rels/presentation.xml.rels", relationships("slide", "slides/slide1.xml")),
        ("ppt/slides/slide1.xml", format!("<p:sld><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>")),
    ] {
        writer.start_file(name, SimpleFileOptions::default()).expect("an entry");
        writer.write_all(content.as_bytes()).expect("content");
    }
    writer.finish().expect("an archive").into_inner()
}

pub(crate) fn jats_formula(formula: &str) -> Vec<u8> {
    article(&format!("<p>It is = <inline-formula>{formula}</inline-formula> mg, not less.</p>"))
}

pub(crate) fn pptx_formula(formula: &str) -> Vec<u8> {
    deck(&format!(
        "<p:sp><p:txBody><a:p><a:r><a:t>It is = </a:t></a:r><mc:AlternateContent><mc:Choice Requires='a14'><a14:m>\
         <m:oMath>{formula}</m:oMath></a14:m></mc:Choice><mc:Fallback><a:r><a:t>a picture</a:t></a:r></mc:Fallback>\
         </mc:AlternateContent><a:r><a:t> mg, not less.</a:t></a:r></a:p></p:txBody></p:sp>"
    ))
}

/// Captions that say these words, cut anywhere; WebVTT with entities and tags, SRT with signs as they are.
pub(crate) fn captions(words: &[String], is_webvtt: bool, random: &mut Random) -> String {
    let mut out = if is_webvtt { String::from("WEBVTT\n\n") } else { String::new() };
    let mut rest = words;
    let mut number = 0;
    while !rest.is_empty() {
        let (now, later) = rest.split_at((1 + random.below(7)).min(rest.len()));
        rest = later;
        number += 1;
        let point = if is_webvtt { '.' } else { ',' };
        let time = |seconds: u64| format!("00:{:02}:{:02}{point}500", seconds / 60, seconds % 60);
        let _ = write!(out, "{number}\n{} --> {}\n", time(number * 2), time(number * 2 + 2));
        for (at, word) in now.iter().enumerate() {
            if at > 0 {
                out.push(if random.below(4) == 0 { '\n' } else { ' ' });
            }
            let word = if is_webvtt { escape(word) } else { word.clone() };
            let (open, close) = match random.below(6) {
                0 => ("<i>", "</i>"),
                1 if is_webvtt => ("<c.loud>", "</c>"),
                _ => ("", ""),
            };
            out.push_str(open);
            out.push_str(&word);
            out.push_str(close);
        }
        out.push_str("\n\n");
    }
    out
}
