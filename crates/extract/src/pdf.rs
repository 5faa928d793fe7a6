//! PDF: text with page numbers and positions, and pages as pictures.
//!
//! One engine reads and draws, so that a highlight lies exactly on what the reader sees. How the engine was chosen is in
//! docs/adr/0004-pdf-reader.md.

use std::sync::Arc;

use bytes::Bytes;
use hayro::hayro_interpret::font::{Glyph, GlyphRun};
use hayro::hayro_interpret::util::TransformExt as _;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, interpret_page,
};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{LoadPdfError, Pdf};
use hayro::kurbo::{Affine, BezPath, Point, Rect};
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_cmap::BfString;

use super::budget::Budget;
use super::pdf_layout::{Glyph as Placed, Layout};
use super::{ExtractError, Extracted, Limits, Picture};

/// Glyph space of PDF fonts: 1000 units to the em (ISO 32000-1, 9.2.4).
const UNITS_PER_EM: f64 = 1000.0;
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

/// What a glyph costs while its page is laid out.
const GLYPH: usize = 8;

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
        layout.add_page(width, height, glyphs(page, budget)?);
    }
    layout.finish(budget)
}

/// Every glyph of a page with the place it is drawn at, from the top left.
fn glyphs(page: &Page<'_>, budget: &Budget) -> Result<Vec<Placed>, ExtractError> {
    let (width, height) = page.render_dimensions();
    let cache = InterpreterCache::new();
    let bounds = Rect::new(0.0, 0.0, width.into(), height.into());
    let transform = page.initial_transform(true).to_kurbo();
    let mut context = Context::new(transform, bounds, &cache, page.xref(), InterpreterSettings::default());
    let mut collector = Collector { glyphs: Vec::new(), budget, problem: None };
    interpret_page(page, &mut context, &mut collector);
    collector.problem.map_or(Ok(collector.glyphs), Err)
}

/// A device that keeps the glyphs and drops everything else.
struct Collector<'b> {
    glyphs: Vec<Placed>,
    budget: &'b Budget,
    /// The interpreter cannot be stopped; what comes after this is dropped.
    problem: Option<ExtractError>,
}

impl<'a> Device<'a> for Collector<'_> {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        for glyph in run.glyphs() {
            if self.problem.is_some() {
                return;
            }
            let advance = match &**glyph {
                Glyph::Outline(outline) => outline.advance_width(),
                Glyph::Type3(drawn) => drawn.advance_width(),
            };
            let text = glyph.as_unicode().map(|text| match text {
                BfString::Char(character) => character.to_string(),
                BfString::String(text) => text,
            });
            if let Some(placed) =
                place(text.unwrap_or_default(), props.transform * glyph.transform(), advance)
            {
                self.problem = self.budget.keep(GLYPH + placed.text.len()).err();
                self.glyphs.push(placed);
            }
        }
    }
}

/// Where a glyph lies. `None` for what has no text, no size, or stands on its head.
fn place(text: String, transform: Affine, advance: Option<f32>) -> Option<Placed> {
    let origin = transform * Point::ORIGIN;
    let top = transform * Point::new(0.0, UNITS_PER_EM);
    let end = transform * Point::new(f64::from(advance.unwrap_or(500.0)), 0.0);
    let size = (top - origin).hypot();
    let finite = [origin.x, origin.y, end.x, size].iter().all(|value| value.is_finite());
    if text.is_empty() || !finite || size < 0.5 {
        return None;
    }
    // Text that runs upwards or downwards is an axis label or a watermark: kept, but on lines of its own.
    let level = (end.y - origin.y).abs() <= (end.x - origin.x).abs();
    Some(Placed {
        text,
        x: origin.x as f32,
        end: end.x as f32,
        baseline: origin.y as f32,
        size: size as f32,
        level,
    })
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
