use super::*;
use crate::tests::budget;

fn line(text: &str, x: f32, baseline: f32, size: f32) -> Vec<Glyph> {
    text.char_indices()
        .map(|(index, c)| {
            let x = x + index as f32 * size * 0.5;
            Glyph { text: c.to_string(), x, end: x + size * 0.5, baseline, size, angle: 0.0 }
        })
        .collect()
}

fn page(lines: &[Vec<Glyph>]) -> Vec<Glyph> {
    lines.concat()
}

#[test]
fn words_paragraphs_headings_and_boxes() {
    let mut layout = Layout::default();
    let glyphs = page(&[
        line("The heading", 50.0, 60.0, 20.0),
        line("A first line that is long enough and ends with a divi-", 50.0, 100.0, 10.0),
        line("ded word.", 50.0, 112.0, 10.0),
        line("Another paragraph.", 50.0, 150.0, 10.0),
    ]);
    layout.add_page(400.0, 600.0, glyphs);
    let extracted = layout.finish(&budget()).expect("a document");
    let blocks: Vec<_> = extracted
        .blocks
        .iter()
        .map(|block| (&extracted.text[block.range.clone()], &*block.heading))
        .collect();
    assert_eq!(
        blocks,
        [
            ("The heading", "The heading"),
            ("A first line that is long enough and ends with a divided word.", "The heading"),
            ("Another paragraph.", "The heading"),
        ]
    );
    let word = extracted
        .boxes
        .iter()
        .find(|word| &extracted.text[word.start as usize..word.end as usize] == "Another")
        .expect("a box");
    assert!(
        (word.x - 50.0 / 400.0).abs() < 1e-3
            && word.y < 150.0 / 600.0
            && word.y + word.height > 150.0 / 600.0
    );
}

#[test]
fn a_slide_begins_with_its_title_even_when_that_is_drawn_last() {
    let mut layout = Layout::default();
    let glyphs = page(&[
        line("• None to declare", 60.0, 200.0, 18.0),
        line("and more of it here", 60.0, 222.0, 18.0),
        line("DISCLOSURES", 60.0, 60.0, 36.0),
    ]);
    layout.add_page(960.0, 540.0, glyphs);
    let read = layout.finish(&budget()).expect("a document");
    assert!(read.text.starts_with("DISCLOSURES"), "{}", read.text);
    assert_eq!(&*read.blocks[1].heading, "DISCLOSURES");
}

#[test]
fn running_heads_are_left_out() {
    let mut layout = Layout::default();
    for number in 1..=5 {
        let text = format!("Text of page {number} itself.");
        let foot = format!("Journal of Things {number}");
        layout.add_page(400.0, 600.0, page(&[line(&text, 50.0, 300.0, 10.0), line(&foot, 50.0, 590.0, 8.0)]));
    }
    let extracted = layout.finish(&budget()).expect("a document");
    assert!(!extracted.text.contains("Journal"), "{}", extracted.text);
    assert_eq!(extracted.blocks.len(), 5);
}

#[test]
fn a_page_without_text_is_noted() {
    let mut layout = Layout::default();
    layout.add_page(400.0, 600.0, line("words", 50.0, 300.0, 10.0));
    layout.add_page(400.0, 600.0, Vec::new());
    let read = layout.finish(&budget()).expect("a document");
    assert_eq!(read.notes, ["1 page(s) hold no text on page 2"]);
}
