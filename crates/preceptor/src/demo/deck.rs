//! The demo's slide deck: a PPTX made from text that can be reviewed, with the parts that a presentation needs and no
//! more (ECMA-376, PresentationML).

use std::io::{Cursor, Write as _};

use serde::Deserialize;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deck {
    slide: Vec<Slide>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Slide {
    title: String,
    #[serde(default)]
    bullets: Vec<String>,
    #[serde(default)]
    table: Vec<Vec<String>>,
    notes: String,
}

const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
const SPACES: &str = r#"xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main""#;
const RELATIONSHIP: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const GROUP: &str =
    r#"<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>"#;

/// The presentation that `text` (TOML) describes.
pub(super) fn pptx(text: &str) -> anyhow::Result<Vec<u8>> {
    let deck: Deck = toml::from_str(text)?;
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, content: String| -> anyhow::Result<()> {
        archive.start_file(name, SimpleFileOptions::default())?;
        Ok(archive.write_all(format!("{DECLARATION}{content}").as_bytes())?)
    };
    let count = deck.slide.len();
    part("[Content_Types].xml", content_types(count))?;
    part("_rels/.rels", relationships(&[("rId1", "officeDocument", "ppt/presentation.xml".to_owned())]))?;
    part("ppt/presentation.xml", presentation(count))?;
    let slides: Vec<_> =
        (1..=count).map(|number| (format!("rId{number}"), format!("slides/slide{number}.xml"))).collect();
    let targets: Vec<_> = slides.iter().map(|(id, target)| (id.as_str(), "slide", target.clone())).collect();
    part("ppt/_rels/presentation.xml.rels", relationships(&targets))?;
    for (index, slide) in deck.slide.iter().enumerate() {
        let number = index + 1;
        part(&format!("ppt/slides/slide{number}.xml"), slide_xml(slide))?;
        let notes = ("rId1", "notesSlide", format!("../notesSlides/notesSlide{number}.xml"));
        part(&format!("ppt/slides/_rels/slide{number}.xml.rels"), relationships(&[notes]))?;
        part(&format!("ppt/notesSlides/notesSlide{number}.xml"), notes_xml(&slide.notes))?;
    }
    Ok(archive.finish()?.into_inner())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn content_types(count: usize) -> String {
    let base = "application/vnd.openxmlformats-officedocument.presentationml";
    let each = (1..=count).map(|number| {
        format!(
            r#"<Override PartName="/ppt/slides/slide{number}.xml" ContentType="{base}.slide+xml"/><Override PartName="/ppt/notesSlides/notesSlide{number}.xml" ContentType="{base}.notesSlide+xml"/>"#
        )
    });
    format!(
        r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/ppt/presentation.xml" ContentType="{base}.presentation.main+xml"/>{}</Types>"#,
        each.collect::<String>()
    )
}

fn relationships(list: &[(&str, &str, String)]) -> String {
    let each = list.iter().map(|(id, kind, target)| {
        format!(r#"<Relationship Id="{id}" Type="{RELATIONSHIP}/{kind}" Target="{target}"/>"#)
    });
    format!(
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>"#,
        each.collect::<String>()
    )
}

fn presentation(count: usize) -> String {
    let slides: String =
        (1..=count).map(|number| format!(r#"<p:sldId id="{}" r:id="rId{number}"/>"#, 255 + number)).collect();
    format!(
        r#"<p:presentation {SPACES}><p:sldIdLst>{slides}</p:sldIdLst><p:sldSz cx="12192000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>"#
    )
}

/// A paragraph in a size of `points`.
fn paragraph(text: &str, points: u32) -> String {
    format!(r#"<a:p><a:r><a:rPr lang="en" sz="{}"/><a:t>{}</a:t></a:r></a:p>"#, points * 100, escape(text))
}

/// A rectangle on the slide, in English Metric Units.
fn frame(x: u32, y: u32, width: u32, height: u32) -> String {
    format!(r#"<a:off x="{x}" y="{y}"/><a:ext cx="{width}" cy="{height}"/>"#)
}

fn shape(id: u32, kind: &str, frame: &str, paragraphs: &str) -> String {
    format!(
        r#"<p:sp><p:nvSpPr><p:cNvPr id="{id}" name="{kind}"/><p:cNvSpPr/><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr><p:spPr><a:xfrm>{frame}</a:xfrm></p:spPr><p:txBody><a:bodyPr/>{paragraphs}</p:txBody></p:sp>"#
    )
}

fn slide_xml(slide: &Slide) -> String {
    let title =
        shape(2, "title", &frame(609_600, 365_760, 10_972_800, 1_005_840), &paragraph(&slide.title, 40));
    let content = if slide.table.is_empty() {
        let bullets: String = slide.bullets.iter().map(|text| paragraph(text, 28)).collect();
        shape(3, "body", &frame(609_600, 1_600_200, 10_972_800, 4_525_963), &bullets)
    } else {
        table(&slide.table)
    };
    format!("<p:sld {SPACES}><p:cSld><p:spTree>{GROUP}{title}{content}</p:spTree></p:cSld></p:sld>")
}

fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(1, Vec::len) as u32;
    let grid: String =
        (0..columns).map(|_| format!(r#"<a:gridCol w="{}"/>"#, 10_972_800 / columns)).collect();
    let cell = |text: &String| {
        format!("<a:tc><a:txBody><a:bodyPr/>{}</a:txBody><a:tcPr/></a:tc>", paragraph(text, 18))
    };
    let row = |cells: &Vec<String>| {
        format!(r#"<a:tr h="731520">{}</a:tr>"#, cells.iter().map(cell).collect::<String>())
    };
    format!(
        r#"<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="3" name="table"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm>{}</p:xfrm><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/table"><a:tbl><a:tblPr firstRow="1"/><a:tblGrid>{grid}</a:tblGrid>{}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"#,
        frame(609_600, 1_600_200, 10_972_800, 4_525_963),
        rows.iter().map(row).collect::<String>()
    )
}

fn notes_xml(text: &str) -> String {
    let body = shape(2, "body", &frame(685_800, 4_400_550, 5_486_400, 3_600_450), &paragraph(text, 18));
    format!("<p:notes {SPACES}><p:cSld><p:spTree>{GROUP}{body}</p:spTree></p:cSld></p:notes>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deck_holds_every_slide_with_its_notes() {
        let bytes = pptx(include_str!("../../demo/slides.toml")).expect("a deck");
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
        let mut text = String::new();
        std::io::Read::read_to_string(
            &mut archive.by_name("ppt/slides/slide3.xml").expect("a slide"),
            &mut text,
        )
        .expect("text");
        assert!(text.contains("Apixaban") && text.contains("a:tbl"));
        assert!(archive.by_name("ppt/notesSlides/notesSlide5.xml").is_ok());
    }
}
