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

fn texts(read: &Extracted) -> Vec<(&str, &str)> {
    read.blocks.iter().map(|block| (&read.text[block.range.clone()], &*block.heading)).collect()
}

fn one_page(lines: &[Vec<Glyph>]) -> Extracted {
    let mut layout = Layout::default();
    layout.add_page(600.0, 800.0, page(lines));
    layout.finish(&budget()).expect("a document")
}

#[test]
fn a_row_of_a_table_is_one_block_below_its_header_however_it_is_drawn() {
    let cell = |text: &str, column: usize, row: usize| {
        line(text, 50.0 + 150.0 * column as f32, 100.0 + 14.0 * row as f32, 10.0)
    };
    let by_rows = [
        cell("Drug", 0, 0),
        cell("Dose", 1, 0),
        cell("Renal dose", 2, 0),
        cell("Apixaban", 0, 1),
        cell("5 mg", 1, 1),
        cell("2.5 mg", 2, 1),
        cell("Edoxaban", 0, 2),
        cell("60 mg once", 1, 2),
        cell("30 mg", 2, 2),
        line("daily", 200.0, 100.0 + 14.0 * 3.0, 10.0),
        cell("Warfarin", 0, 4),
        cell("2 mg", 1, 4),
        cell("2 mg", 2, 4),
    ];
    let read = one_page(&by_rows);
    let heading = "Drug | Dose | Renal dose";
    assert_eq!(
        texts(&read),
        [
            (heading, ""),
            ("Apixaban | 5 mg | 2.5 mg", heading),
            ("Edoxaban | 60 mg once daily | 30 mg", heading),
            ("Warfarin | 2 mg | 2 mg", heading),
        ]
    );
    let mut by_columns = by_rows.to_vec();
    by_columns.sort_by_key(|glyphs| glyphs[0].x as i32);
    assert_eq!(texts(&one_page(&by_columns)), texts(&read));
}

#[test]
fn columns_are_read_one_after_the_other_however_they_are_drawn() {
    let left = ["Give the drug to", "adults who are not", "allergic to it."];
    let right = ["Stop it when the", "platelets fall and", "tell the doctor."];
    let mut by_rows = Vec::new();
    for row in 0..3 {
        by_rows.push(line(left[row], 50.0, 100.0 + 12.0 * row as f32, 10.0));
        by_rows.push(line(right[row], 300.0, 100.0 + 12.0 * row as f32, 10.0));
    }
    let right = "Stop it when the platelets fall and tell the doctor.";
    let columns = [("Give the drug to adults who are not allergic to it.", ""), (right, "")];
    assert_eq!(texts(&one_page(&by_rows)), columns);
    by_rows.sort_by_key(|glyphs| glyphs[0].x as i32);
    assert_eq!(texts(&one_page(&by_rows)), columns);
    // Two lists side by side are no table.
    let lists = [
        line("• Give aspirin", 50.0, 100.0, 10.0),
        line("• Avoid ibuprofen", 300.0, 100.0, 10.0),
        line("• Give oxygen", 50.0, 112.0, 10.0),
        line("• Avoid fluids", 300.0, 112.0, 10.0),
    ];
    let items: Vec<_> = ["• Give aspirin", "• Give oxygen", "• Avoid ibuprofen", "• Avoid fluids"]
        .map(|item| (item, ""))
        .into();
    assert_eq!(texts(&one_page(&lists)), items);
}

#[test]
fn a_real_compound_keeps_its_hyphen() {
    for (above, below, right) in [
        ("give low-", "molecular heparin", "give low-molecular heparin"),
        ("the treat-", "ment of", "the treatment of"),
        ("doses of 5-", "10 mg", "doses of 5-10 mg"),
        ("an IL-", "6 blocker", "an IL-6 blocker"),
        ("the Stevens-", "Johnson syndrome", "the Stevens-Johnson syndrome"),
        ("drug -", "not more", "drug - not more"),
    ] {
        let read = one_page(&[line(above, 50.0, 100.0, 10.0), line(below, 50.0, 112.0, 10.0)]);
        assert_eq!(read.text, right);
        for word in &read.boxes {
            assert!(
                read.text
                    .get(word.start as usize..word.end as usize)
                    .is_some_and(|word| !word.trim().is_empty())
            );
        }
    }
    let seen = [
        line("Dose-limiting effects are rare.", 50.0, 100.0, 10.0),
        line("A dose-", 50.0, 130.0, 10.0),
        line("limiting effect", 50.0, 142.0, 10.0),
    ];
    assert!(one_page(&seen).text.ends_with("A dose-limiting effect"));
}

#[test]
fn glyphs_that_are_drawn_twice_are_read_once() {
    // The whole line again, as bold is made; a number whose digits repeat stays.
    let text = line("Give 100 mg", 50.0, 100.0, 10.0);
    let shadow: Vec<Glyph> =
        text.iter().map(|glyph| Glyph { x: glyph.x + 0.4, end: glyph.end + 0.4, ..glyph.clone() }).collect();
    assert_eq!(one_page(&[text, shadow]).text, "Give 100 mg");
}

#[test]
fn powers_and_marks_are_told_by_their_place() {
    let mut glyphs = line("below 10", 50.0, 100.0, 10.0);
    glyphs.extend(line("9", 90.0, 96.0, 6.0));
    glyphs.extend(line("/L in H", 93.0, 100.0, 10.0));
    glyphs.extend(line("2", 128.0, 102.0, 6.0));
    glyphs.extend(line("O. Then", 131.0, 100.0, 10.0));
    glyphs.extend(line("12", 166.0, 96.0, 6.0));
    glyphs.extend(line(" more", 172.0, 100.0, 10.0));
    assert_eq!(one_page(&[glyphs]).text, "below 10^9/L in H2O. Then more");
}

#[test]
fn text_that_is_turned_has_its_words() {
    let upward: Vec<Glyph> = line("Dose per day", 0.0, 0.0, 10.0)
        .into_iter()
        .map(|glyph| Glyph {
            x: 30.0,
            end: 30.0 + (glyph.end - glyph.x),
            baseline: 400.0 - glyph.x,
            angle: -std::f32::consts::FRAC_PI_2,
            ..glyph
        })
        .collect();
    let read = one_page(&[line("Level text here.", 60.0, 100.0, 10.0), upward]);
    assert_eq!(texts(&read), [("Level text here.", ""), ("Dose per day", "")]);
    let word = read.boxes.last().expect("a box");
    assert!(word.x * 600.0 > 15.0 && word.x * 600.0 < 40.0 && word.height > word.width, "{word:?}");
}

#[test]
fn right_to_left_is_read_in_logical_order_however_it_is_drawn() {
    let right = "מינון 2.5-5 מ\"ג (apixaban dose) ביום";
    let visual = "םויב (apixaban dose) ג\"מ 2.5-5 ןונימ";
    let glyphs = line(visual, 50.0, 100.0, 10.0);
    // `line` counts bytes: letters of two bytes would lie apart.
    let dense: Vec<Glyph> = glyphs
        .into_iter()
        .enumerate()
        .map(|(at, glyph)| Glyph { x: 50.0 + 5.0 * at as f32, end: 55.0 + 5.0 * at as f32, ..glyph })
        .collect();
    assert_eq!(one_page(&[dense]).text, right);
    let plain = "םויב ג\"מ ןונימ";
    let mut logical: Vec<Glyph> = plain
        .chars()
        .enumerate()
        .map(|(at, letter)| Glyph {
            text: letter.to_string(),
            x: 50.0 + 5.0 * at as f32,
            end: 55.0 + 5.0 * at as f32,
            baseline: 100.0,
            size: 10.0,
            angle: 0.0,
        })
        .collect();
    logical.reverse();
    assert_eq!(one_page(&[logical]).text, "מינון מ\"ג ביום");
}

#[test]
fn a_title_that_counts_its_parts_is_no_running_head() {
    let mut layout = Layout::default();
    for number in 1..=5 {
        let title = line(&format!("Doses ({number}/5)"), 50.0, 30.0, 12.0);
        let limit = line(&format!("Dose {number}0 mg"), 50.0, 590.0, 10.0);
        layout.add_page(
            400.0,
            600.0,
            page(&[title, line("Text in ten points, more of it.", 50.0, 300.0, 10.0), limit]),
        );
    }
    let read = layout.finish(&budget()).expect("a document");
    assert!((1..=5).all(|number| read.text.contains(&format!("Doses ({number}/5)"))), "{}", read.text);
    assert!((1..=5).all(|number| read.text.contains(&format!("Dose {number}0 mg"))), "{}", read.text);
    assert_eq!(read.left_out, []);
}

#[test]
fn what_has_no_character_is_a_hole_and_a_bullet_is_none() {
    let read = one_page(&[
        line("\u{f06c} clearance \u{f0a3} 30 and \u{fffd}", 50.0, 100.0, 10.0),
        line("\u{fffd}\u{fffd} \u{fffd}", 50.0, 300.0, 10.0),
    ]);
    let sign = SIGN;
    assert_eq!(read.text, format!("• clearance {sign} 30 and {sign}"));
    assert_eq!(read.left_out.iter().map(|note| note.count).sum::<u32>(), 3, "{:?}", read.left_out);
}
