//! Running heads and page numbers: whole lines that agree on most pages, and nothing else.

use std::collections::HashMap;

use super::{Line, PageLines};

/// The share of the page's height at its top and bottom where running heads live.
const MARGIN: f32 = 0.09;
/// Numbers of a line that may be that of the page.
const MOST_NUMBERS: usize = 4;

/// Leaves out lines that stand at the same place of most pages and agree in every word, a page number aside. What is as
/// large as a heading is one. Returns what was left out.
pub(super) fn drop_running_heads(pages: &mut [PageLines], heading: f32) -> Vec<String> {
    let mut dropped = Vec::new();
    if pages.len() < 4 {
        return dropped;
    }
    let mut seen: HashMap<(String, i32), usize> = HashMap::new();
    for (number, page) in pages.iter().enumerate() {
        for line in page.lines.iter().filter(|line| is_candidate(page, line, heading)) {
            for key in keys(page, line, number) {
                *seen.entry(key).or_default() += 1;
            }
        }
    }
    let most = pages.len().div_ceil(2);
    for (number, page) in pages.iter_mut().enumerate() {
        let lines = std::mem::take(&mut page.lines);
        let (kept, heads): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| {
            !is_candidate(page, line, heading)
                || keys(page, line, number).iter().all(|key| seen.get(key).copied().unwrap_or(0) < most)
        });
        page.lines = kept;
        dropped.extend(heads.iter().map(Line::text));
    }
    dropped
}

fn is_candidate(page: &PageLines, line: &Line, heading: f32) -> bool {
    let in_margin = line.baseline < page.height * MARGIN || line.baseline > page.height * (1.0 - MARGIN);
    in_margin && line.angle == 0.0 && line.size < heading
}

/// The line as it would stand on other pages: as it is, or with one number that goes with that of the page.
fn keys(page: &PageLines, line: &Line, number: usize) -> Vec<(String, i32)> {
    let place = (line.baseline / 6.0).round() as i32;
    let text = line.text();
    let mut keys = vec![(text.clone(), place)];
    // The title of a slide may count the parts of its topic; its number stands at the bottom.
    if page.is_slide() && line.baseline < page.height * MARGIN {
        return keys;
    }
    let mut from = 0;
    for _ in 0..MOST_NUMBERS {
        let Some(start) = text[from..].find(|c: char| c.is_ascii_digit()).map(|at| from + at) else { break };
        let end = text[start..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |at| start + at);
        if let Ok(value) = text[start..end].parse::<i64>() {
            let offset = value - number as i64;
            keys.push((format!("{}\u{0}{offset}\u{0}{}", &text[..start], &text[end..]), place));
        }
        from = end;
    }
    keys
}
