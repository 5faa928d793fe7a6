//! PDF: text with page numbers and positions, and pages as pictures.
//!
//! One engine reads and draws, so that a highlight lies exactly on what the reader sees. How the engine was chosen is in
//! docs/adr/0004-pdf-reader.md.

use std::sync::Arc;

use bytes::Bytes;
use hayro::hayro_interpret::util::TransformExt as _;
use hayro::hayro_interpret::{Context, InterpreterCache, InterpreterSettings, interpret_page};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{LoadPdfError, Pdf};
use hayro::kurbo::Rect;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};

use super::budget::Budget;
use super::notes::NoteKind;
use super::pdf_layout::Layout;
use super::{ExtractError, Extracted, Limits, Locator, Picture};

mod paint;

use paint::{Collector, Sight};

/// How wide a picture of a page is, in pixels.
const PICTURE_WIDTH: f32 = 1400.0;
/// Bounds the memory of a picture of a strangely shaped page.
const LARGEST_SIDE: f32 = 4000.0;

fn open(content: &Bytes) -> Result<Pdf, ExtractError> {
    Pdf::new(Arc::new(content.clone())).map_err(|error| match error {
        LoadPdfError::Decryption(_) => ExtractError::Encrypted,
        LoadPdfError::Invalid => ExtractError::Malformed("the PDF structure cannot be read".into()),
    })
}

/// Reads a PDF; `progress` is told how many pages of how many are read.
pub(crate) fn extract(
    content: &Bytes,
    limits: &Limits,
    budget: &Budget,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Extracted, ExtractError> {
    let pdf = open(content)?;
    let pages = pdf.pages();
    if pages.len() > limits.pages {
        return Err(ExtractError::TooManyPages { limit: limits.pages });
    }
    let mut layout = Layout::default();
    for (read, page) in pages.iter().enumerate() {
        progress(read as u64, pages.len() as u64);
        // Pages may share one stream; each of them costs what it decodes to.
        budget.unpack(page.page_stream().map_or(0, <[u8]>::len) as u64)?;
        let (width, height) = page.render_dimensions();
        let sight = look_at(page, budget)?;
        let place = Locator::Page(read as u32 + 1);
        for words in &sight.hidden {
            layout.note(NoteKind::HiddenText, words, &place);
        }
        if sight.recognized {
            layout.note(NoteKind::RecognizedText, "", &place);
        }
        layout.add_page(width, height, sight.glyphs);
    }
    layout.finish(budget)
}

/// Every glyph that a page shows with the place it is drawn at, from the top left, and what it does not show.
fn look_at(page: &Page<'_>, budget: &Budget) -> Result<Sight, ExtractError> {
    let (width, height) = page.render_dimensions();
    let cache = InterpreterCache::new();
    let bounds = Rect::new(0.0, 0.0, width.into(), height.into());
    let transform = page.initial_transform(true).to_kurbo();
    let mut context = Context::new(transform, bounds, &cache, page.xref(), InterpreterSettings::default());
    let mut collector = Collector::new(bounds, budget);
    interpret_page(page, &mut context, &mut collector);
    collector.finish()
}

pub(crate) fn picture(content: &Bytes, page: u32, budget: &Budget) -> Result<Picture, ExtractError> {
    let pdf = open(content)?;
    let index = (page as usize).checked_sub(1);
    let page = index.and_then(|index| pdf.pages().get(index)).ok_or(ExtractError::Empty)?;
    budget.unpack(page.page_stream().map_or(0, <[u8]>::len) as u64)?;
    let (width, height) = page.render_dimensions();
    let scale = (PICTURE_WIDTH / width.max(1.0))
        .min(LARGEST_SIDE / height.max(1.0))
        .min(LARGEST_SIDE / width.max(1.0));
    let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let pixmap = hayro::render(
        page,
        &RenderCache::new(),
        &InterpreterSettings::default(),
        &RenderSettings::default(),
        &settings,
    );
    let bytes = pixmap
        .into_png()
        .map_err(|error| ExtractError::Malformed(format!("the page cannot be drawn ({error})")))?;
    Ok(Picture { media_type: "image/png", bytes })
}
