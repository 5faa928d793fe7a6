//! What holds of every file that is read, whatever it is. Shared by the mutations and the fuzz target.

use bytes::Bytes;
use preceptor_extract::{Budget, Extracted, Limits, Locator, MediaType, extract, passages};

/// Small enough that a damaged file cannot make a run long.
pub(crate) const LIMITS: Limits =
    Limits { file_bytes: 1 << 20, unpacked_bytes: 4 << 20, text_bytes: 1 << 20, pages: 50 };

/// The kinds, with the folder of each in the corpus.
pub(crate) const KINDS: [(&str, MediaType); 8] = [
    ("plain", MediaType::Plain),
    ("markdown", MediaType::Markdown),
    ("pdf", MediaType::Pdf),
    ("pptx", MediaType::Pptx),
    ("jats", MediaType::Jats),
    ("vtt", MediaType::WebVtt),
    ("srt", MediaType::Srt),
    ("sections", MediaType::Sections),
];

/// Reads a file and checks what came of it; says whether it could be read. Panics where something does not hold.
pub(crate) fn read(media: MediaType, content: &[u8]) -> bool {
    let budget = Budget::of(&LIMITS);
    let content = Bytes::copy_from_slice(content);
    let Ok(document) = extract(media, &content, &LIMITS, &budget, &mut |_, _| {}) else { return false };
    assert!(document.text.len() <= LIMITS.text_bytes);
    check_blocks(&document);
    check_boxes(&document);
    if let Ok(cut) = passages(&document, &budget) {
        for passage in &cut {
            let text = document.text.get(passage.range.clone()).expect("a passage is a part of the text");
            assert!(!text.trim().is_empty(), "no passage is empty");
            for sentence in &passage.sentences {
                assert!(text.get(sentence.clone()).is_some_and(|sentence| !sentence.trim().is_empty()));
            }
        }
        assert!(
            cut.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start),
            "passages do not overlap"
        );
    }
    true
}

fn check_blocks(document: &Extracted) {
    for block in &document.blocks {
        let text = document.text.get(block.range.clone()).expect("a block is a part of the text");
        assert!(!text.trim().is_empty(), "no block is empty");
        match &block.locator {
            Locator::Page(number) | Locator::Slide { number, .. } => {
                assert!((1..=document.pages).contains(number), "{number} of {} pages", document.pages);
            }
            Locator::Time { start_ms, end_ms, .. } => assert!(0 <= *start_ms && start_ms <= end_ms),
            Locator::Section(_) => {}
        }
    }
    assert!(
        document.blocks.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start),
        "in reading order"
    );
}

fn check_boxes(document: &Extracted) {
    for word in &document.boxes {
        let range = word.start as usize..word.end as usize;
        assert!(document.text.get(range).is_some(), "a box is of a part of the text");
        assert!((1..=document.pages).contains(&word.page));
        for value in [word.x, word.y, word.width, word.height] {
            assert!(value.is_finite(), "{word:?}");
        }
    }
}
