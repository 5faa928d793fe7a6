use std::io::Write as _;

use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

const LIMITS: Limits =
    Limits { file_bytes: 1 << 26, unpacked_bytes: 1 << 22, text_bytes: 1 << 22, pages: 10 };

fn read(content: &[u8]) -> Result<Extracted, ExtractError> {
    extract(content, &LIMITS, &Budget::of(&LIMITS), &mut |_, _| {})
}

fn deck(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        writer.write_all(content.as_bytes()).expect("content");
    }
    writer.finish().expect("an archive").into_inner()
}

fn relationships(list: &[(&str, &str, &str)]) -> String {
    let items: String = list
        .iter()
        .map(|(id, kind, target)| {
            format!("<Relationship Id='{id}' Type='http://x/{kind}' Target='{target}'/>")
        })
        .collect();
    format!("<Relationships>{items}</Relationships>")
}

fn shape(kind: &str, text: &str) -> String {
    format!(
        "<p:sp><p:nvSpPr><p:nvPr><p:ph type='{kind}'/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
    )
}

fn slide(shapes: &str) -> String {
    format!("<p:sld xmlns:p='p' xmlns:a='a'><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>")
}

/// Two slides, shown in the other order than their files are named; only the second file has notes, under a name
/// that belongs to the first by position.
fn example() -> Vec<u8> {
    let table = "<p:graphicFrame><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Drug</a:t></a:r></a:p></a:txBody></a:tc></a:tr>\
                 <a:tr><a:tc><a:txBody><a:p><a:r><a:t>A 5 mg</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>";
    deck(&[
        (
            "ppt/presentation.xml",
            "<p:presentation xmlns:p='p' xmlns:r='r'><p:sldIdLst><p:sldId id='256' r:id='rId2'/><p:sldId id='257' r:id='rId1'/></p:sldIdLst></p:presentation>",
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            &relationships(&[("rId1", "slide", "slides/slide1.xml"), ("rId2", "slide", "slides/slide2.xml")]),
        ),
        ("ppt/slides/slide1.xml", &slide(&format!("{}{table}", shape("title", "Doses")))),
        (
            "ppt/slides/slide2.xml",
            &slide(&format!(
                "{}{}{}",
                shape("ctrTitle", "Welcome"),
                shape("body", "Point one"),
                shape("sldNum", "7")
            )),
        ),
        (
            "ppt/slides/_rels/slide2.xml.rels",
            &relationships(&[("rId9", "notesSlide", "../notesSlides/notesSlide1.xml")]),
        ),
        (
            "ppt/notesSlides/notesSlide1.xml",
            &slide(&format!("{}{}", shape("body", "Say hello"), shape("sldNum", "1"))),
        ),
    ])
}

#[test]
fn slides_come_in_order_and_notes_stay_with_theirs() {
    let extracted = read(&example()).expect("a deck");
    let blocks: Vec<_> = extracted
        .blocks
        .iter()
        .map(|block| (&extracted.text[block.range.clone()], &*block.heading, block.locator.clone()))
        .collect();
    let at = |number, notes| Locator::Slide { number, notes };
    assert_eq!(
        blocks,
        [
            ("Welcome", "Welcome", at(1, false)),
            ("Point one", "Welcome", at(1, false)),
            ("Say hello", "Welcome", at(1, true)),
            ("Doses", "Doses", at(2, false)),
            ("Drug", "Doses", at(2, false)),
            ("A 5 mg", "Doses: Drug", at(2, false)),
        ]
    );
    assert_eq!((extracted.title.as_deref(), extracted.pages), (Some("Welcome"), 2));
}

#[test]
fn a_bomb_is_not_unpacked() {
    let slide = format!("<a>{}</a>", " ".repeat(8 << 20));
    let bomb = deck(&[("ppt/presentation.xml", &slide)]);
    assert!(bomb.len() < 100_000, "the bomb is small: {}", bomb.len());
    assert!(matches!(read(&bomb), Err(ExtractError::ExpandsTooMuch { limit_mib: 4 })));
}

#[test]
fn another_archive_is_refused() {
    assert!(matches!(read(&deck(&[("word/document.xml", "<w/>")])), Err(ExtractError::Malformed(_))));
    assert!(matches!(read(b"PK\x03\x04 damaged"), Err(ExtractError::Malformed(_))));
}

fn one_slide(shapes: &str) -> Extracted {
    read(&deck(&[
        ("ppt/presentation.xml", "<p><sldIdLst><sldId id='256' r:id='rId1'/></sldIdLst></p>"),
        ("ppt/_rels/presentation.xml.rels", &relationships(&[("rId1", "slide", "slides/slide1.xml")])),
        ("ppt/slides/slide1.xml", &slide(shapes)),
    ]))
    .expect("a deck")
}

#[test]
fn runs_follow_the_rule_and_what_is_not_shown_is_kept_apart() {
    let shape = |properties: &str, fill: &str, runs: &str| {
        format!(
            "<p:sp><p:nvSpPr><p:cNvPr id='2' {properties}/></p:nvSpPr><p:spPr>{fill}</p:spPr><p:txBody><a:p>{runs}</a:p></p:txBody></p:sp>"
        )
    };
    let run = |format: &str, text: &str| format!("<a:r><a:rPr {format}</a:rPr><a:t>{text}</a:t></a:r>");
    let white = "><a:solidFill><a:srgbClr val='ffffff'/></a:solidFill>";
    let dark = "<a:solidFill><a:srgbClr val='002060'/></a:solidFill>";
    let off = "<a:xfrm><a:off x='13000000' y='0'/><a:ext cx='100' cy='100'/></a:xfrm>";
    let read = one_slide(
        &[
            shape(
                "",
                "",
                &[
                    run(">", "Below 10"),
                    run("baseline='30000'>", "9"),
                    run(">", "/L give "),
                    run("strike='sngStrike'>", "50"),
                    run(">", " 5 mg"),
                    "<a:br/>".to_owned(),
                    run(">", "daily. "),
                    run(white, "Unseen."),
                ]
                .concat(),
            ),
            shape("", dark, &run(white, "White on blue.")),
            shape("hidden='1'", "", &run(">", "Hidden.")),
            shape("", off, &run(">", "Beside.")),
            "<p:pic><p:nvPicPr><p:cNvPr id='3' descr='A heart'/></p:nvPicPr></p:pic>".to_owned(),
            "<p:graphicFrame><a:graphic><a:graphicData uri='http://x/chart'/></a:graphic></p:graphicFrame>"
                .to_owned(),
        ]
        .concat(),
    );
    assert_eq!(read.text, "Below 10^9/L give 5 mg daily.\n\nWhite on blue.");
    let notes: Vec<_> = read.left_out.iter().map(|note| (note.kind, note.detail.as_str())).collect();
    assert_eq!(
        notes,
        [
            (NoteKind::StruckText, "50"),
            (NoteKind::HiddenText, "Unseen."),
            (NoteKind::HiddenText, "Hidden."),
            (NoteKind::HiddenText, "Beside."),
            (NoteKind::Picture, "A heart"),
            (NoteKind::Chart, ""),
        ]
    );
}

#[test]
fn a_formula_is_a_line_or_a_hole_and_never_its_picture_too() {
    let formula = |inside: &str| {
        format!(
            "<p:sp><p:txBody><a:p><a:r><a:t>CL is </a:t></a:r><mc:AlternateContent><mc:Choice><a14:m><m:oMath>{inside}</m:oMath></a14:m></mc:Choice>\
             <mc:Fallback><a:r><a:t>fallback</a:t></a:r></mc:Fallback></mc:AlternateContent></a:p></p:txBody></p:sp>"
        )
    };
    assert_eq!(one_slide(&formula("<m:r><m:t>≤72</m:t></m:r>")).text, "CL is ≤ 72");
    let hole = one_slide(&formula("<m:r><m:t>72</m:t></m:r><m:unknown/>"));
    assert_eq!(hole.text, "CL is [formula that cannot be read]");
    assert_eq!(hole.left_out[0].kind, NoteKind::UnreadableFormula);
}
