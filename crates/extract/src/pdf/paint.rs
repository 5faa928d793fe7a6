//! What a page paints, and what of it one can see.
//!
//! A page may hold words that no one who looks at it sees: painted in no color, in the color of the ground, below
//! something else, outside of the page or of what is cut out. They are kept apart: nothing hidden is ever quoted.

use hayro::hayro_interpret::font::{Glyph, GlyphRun};
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, Paint, SoftMask,
};
use hayro::kurbo::{Affine, BezPath, Point, Rect, Shape as _};
use hayro_cmap::BfString;

use crate::ExtractError;
use crate::budget::Budget;
use crate::pdf_layout::Glyph as Placed;

/// Glyph space of PDF fonts: 1000 units to the em (ISO 32000-1, 9.2.4).
const UNITS_PER_EM: f64 = 1000.0;
/// What a glyph costs while its page is laid out.
const GLYPH: usize = 8;
/// Areas of a page that are looked at; behind them every ground is unknown.
const MOST_AREAS: usize = 2_000;
/// Colors that differ by less are one to the eye.
const SAME_COLOR: i16 = 6;
/// What is more transparent is not seen.
const FAINTEST: f32 = 0.05;
/// What is less opaque covers nothing.
const OPAQUE: f32 = 0.98;
/// A picture of so much of the page is a scan of it.
const SCAN: f64 = 0.5;

/// Why a glyph cannot be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    No,
    /// It is painted in no color, as the words are that text recognition lays over a scan.
    Unpainted,
    Otherwise,
}

struct Seen {
    glyph: Placed,
    color: Option<[u8; 3]>,
    hidden: Hidden,
}

/// An area that is painted over.
struct Area {
    rect: Rect,
    /// Its color, where it has one.
    color: Option<[u8; 3]>,
    /// Whether nothing below it is seen.
    covers: bool,
    is_picture: bool,
    /// How many glyphs were painted before it.
    after: usize,
}

/// A page as one sees it.
pub(super) struct Sight {
    pub(super) glyphs: Vec<Placed>,
    /// Words that cannot be seen, as they were painted.
    pub(super) hidden: Vec<String>,
    /// Whether the words are those that text recognition laid over a picture.
    pub(super) recognized: bool,
}

/// A device that keeps glyphs and areas.
pub(super) struct Collector<'b> {
    page: Rect,
    glyphs: Vec<Seen>,
    areas: Vec<Area>,
    clips: Vec<Rect>,
    /// The groups that are open: how opaque each is, and whether it mixes with what is below.
    groups: Vec<(f32, bool)>,
    budget: &'b Budget,
    /// The interpreter cannot be stopped; what comes after this is dropped.
    problem: Option<ExtractError>,
}

impl<'b> Collector<'b> {
    pub(super) fn new(page: Rect, budget: &'b Budget) -> Self {
        Self {
            page,
            glyphs: Vec::new(),
            areas: Vec::new(),
            clips: Vec::new(),
            groups: Vec::new(),
            budget,
            problem: None,
        }
    }

    fn clip(&self) -> Rect {
        self.clips.last().copied().unwrap_or(self.page)
    }

    fn opacity(&self) -> f32 {
        self.groups.iter().map(|(opacity, _)| opacity).product()
    }

    fn mixes(&self) -> bool {
        self.groups.iter().any(|&(opacity, mixes)| mixes || opacity < OPAQUE)
    }

    fn add_area(&mut self, rect: Rect, color: Option<[u8; 3]>, covers: bool, is_picture: bool) {
        let rect = rect.intersect(self.clip());
        // Lines and specks cover no word.
        if self.problem.is_none()
            && self.areas.len() < MOST_AREAS
            && rect.width() > 2.0
            && rect.height() > 2.0
            && rect.is_finite()
        {
            self.areas.push(Area { rect, color, covers, is_picture, after: self.glyphs.len() });
        }
    }

    /// What one sees of the page.
    pub(super) fn finish(mut self) -> Result<Sight, ExtractError> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let full = (self.areas.len() == MOST_AREAS).then(|| self.areas[MOST_AREAS - 1].after);
        for (number, seen) in self.glyphs.iter_mut().enumerate() {
            if seen.hidden == Hidden::No {
                seen.hidden = sight(seen, number, &self.areas, full);
            }
        }
        let count = |hidden| self.glyphs.iter().filter(|seen| seen.hidden == hidden).count();
        let (seen, unpainted) = (count(Hidden::No), count(Hidden::Unpainted));
        let area = self.page.area().max(1.0);
        let is_scan = self.areas.iter().any(|place| place.is_picture && place.rect.area() > SCAN * area);
        let recognized = unpainted > 0 && is_scan && seen * 10 < unpainted;
        let mut sight = Sight { glyphs: Vec::new(), hidden: Vec::new(), recognized };
        let mut before: Option<(usize, f32)> = None;
        for (number, seen) in self.glyphs.into_iter().enumerate() {
            if seen.hidden == Hidden::No || (recognized && seen.hidden == Hidden::Unpainted) {
                sight.glyphs.push(seen.glyph);
                continue;
            }
            let goes_on =
                before.is_some_and(|(last, y)| last + 1 == number && (y - seen.glyph.baseline).abs() < 1.0);
            before = Some((number, seen.glyph.baseline));
            match sight.hidden.last_mut().filter(|_| goes_on) {
                Some(words) => words.push_str(&seen.glyph.text),
                None => sight.hidden.push(seen.glyph.text),
            }
        }
        sight.hidden.retain(|words| words.chars().any(char::is_alphanumeric));
        Ok(sight)
    }
}

/// Whether a painted glyph can be seen among the areas of its page.
fn sight(seen: &Seen, number: usize, areas: &[Area], full: Option<usize>) -> Hidden {
    let glyph = &seen.glyph;
    let middle = Point::new(
        f64::midpoint(f64::from(glyph.x), f64::from(glyph.end)),
        f64::from(glyph.baseline - 0.3 * glyph.size),
    );
    let middle =
        if glyph.angle == 0.0 { middle } else { Point::new(f64::from(glyph.x), f64::from(glyph.baseline)) };
    let covered = areas.iter().find(|area| area.after > number && area.covers && area.rect.contains(middle));
    if let Some(area) = covered {
        return if area.is_picture { Hidden::Unpainted } else { Hidden::Otherwise };
    }
    let Some(color) = seen.color else { return Hidden::No };
    if full.is_some_and(|full| number >= full) {
        return Hidden::No;
    }
    let ground = areas.iter().rev().find(|area| area.after <= number && area.rect.contains(middle));
    let ground = ground.map_or(Some([255; 3]), |area| area.color);
    let same = |ground: [u8; 3]| {
        ground.iter().zip(color).all(|(&one, other)| (i16::from(one) - i16::from(other)).abs() <= SAME_COLOR)
    };
    if ground.is_some_and(same) { Hidden::Otherwise } else { Hidden::No }
}

fn color(paint: &Paint<'_>) -> (Option<[u8; 3]>, f32) {
    match paint {
        Paint::Color(color) => {
            let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
            (Some([red, green, blue]), f32::from(alpha) / 255.0)
        }
        Paint::Pattern(_) => (None, 1.0),
    }
}

impl<'a> Device<'a> for Collector<'_> {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        if !matches!(mode, DrawMode::Fill(_) | DrawMode::FillAndStroke(..)) {
            return;
        }
        let bounds = path.bounding_box();
        let (color, alpha) = color(&props.paint);
        let alpha = alpha * self.opacity();
        if alpha < FAINTEST || bounds.area() <= 0.0 {
            return;
        }
        let straight = props.transform.as_coeffs();
        let turned = straight[1].abs().min(straight[0].abs()) > 1e-6;
        let fills = path.area().abs() >= 0.98 * bounds.area() && !turned;
        let plain = alpha >= OPAQUE
            && !self.mixes()
            && props.blend_mode == BlendMode::Normal
            && props.soft_mask.is_none();
        let rect = props.transform.transform_rect_bbox(bounds);
        let color = color.filter(|_| plain && fills);
        let covers = plain && fills && color.is_some();
        self.add_area(rect, color, covers, false);
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        let clip = self.clip().intersect(clip.path.bounding_box());
        self.clips.push(clip);
    }

    fn push_clip_rect(&mut self, rect: &Rect) {
        let clip = self.clip().intersect(*rect);
        self.clips.push(clip);
    }

    fn push_transparency_group(&mut self, opacity: f32, mask: Option<SoftMask<'a>>, mode: BlendMode) {
        self.groups.push((opacity, mask.is_some() || mode != BlendMode::Normal));
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        let size = Rect::new(0.0, 0.0, f64::from(image.width()), f64::from(image.height()));
        let whole = match &image {
            Image::Raster(raster) => {
                let stream = raster.stream();
                !["SMask", "Mask", "SMaskInData"].into_iter().any(|key| stream.dict().contains_key(key))
            }
            Image::Stencil(_) => false,
        };
        let covers =
            whole && !self.mixes() && props.blend_mode == BlendMode::Normal && props.soft_mask.is_none();
        self.add_area(props.transform.transform_rect_bbox(size), None, covers, true);
    }

    fn pop_clip(&mut self) {
        self.clips.pop();
    }

    fn pop_transparency_group(&mut self) {
        self.groups.pop();
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let (color, alpha) = color(&props.paint);
        let unpainted = matches!(mode, DrawMode::Invisible);
        let faint = alpha * self.opacity() < FAINTEST;
        for glyph in run.glyphs() {
            if self.problem.is_some() {
                return;
            }
            let advance = match &**glyph {
                Glyph::Outline(outline) => outline.advance_width(),
                Glyph::Type3(drawn) => drawn.advance_width(),
            };
            let Some(placed) = place(text(glyph), props.transform * glyph.transform(), advance) else {
                continue;
            };
            self.problem = self.budget.keep(GLYPH + placed.text.len()).err();
            let at = Point::new(f64::from(placed.x), f64::from(placed.baseline - 0.3 * placed.size));
            let inside = self.clip().inflate(1.0, 1.0).contains(at) && self.page.contains(at);
            let hidden = match () {
                () if unpainted => Hidden::Unpainted,
                () if faint || !inside => Hidden::Otherwise,
                () => Hidden::No,
            };
            // A glyph that is drawn by instructions may have colors of its own.
            let own = color.filter(|_| matches!(&**glyph, Glyph::Outline(_)) && !self.mixes());
            self.glyphs.push(Seen { glyph: placed, color: own, hidden });
        }
    }
}

/// The character of a glyph. One that has none is a hole, unless nothing is drawn of it: then it is a space.
fn text(glyph: &Glyph<'_>) -> String {
    let text = match glyph.as_unicode() {
        Some(BfString::Char(character)) => character.to_string(),
        Some(BfString::String(text)) => text,
        None => String::new(),
    };
    let text: String = text.chars().filter(|&character| character != '\0').collect();
    if !text.is_empty() {
        return text;
    }
    let is_blank = match glyph {
        Glyph::Outline(outline) => outline.outline().elements().is_empty(),
        Glyph::Type3(_) => false,
    };
    if is_blank { " ".to_owned() } else { char::REPLACEMENT_CHARACTER.to_string() }
}

/// Where a glyph lies. `None` for what has no size.
fn place(text: String, transform: Affine, advance: Option<f32>) -> Option<Placed> {
    let origin = transform * Point::ORIGIN;
    let top = transform * Point::new(0.0, UNITS_PER_EM);
    let end = transform * Point::new(f64::from(advance.unwrap_or(500.0)), 0.0);
    let ahead = transform * Point::new(UNITS_PER_EM, 0.0);
    let size = (top - origin).hypot();
    let finite = [origin.x, origin.y, end.x, end.y, size].iter().all(|value| value.is_finite());
    if !finite || size < 0.5 {
        return None;
    }
    let along = ahead - origin;
    // What is nearly level is level: scans are never quite straight.
    let angle = along.y.atan2(along.x);
    let level = angle.abs() < 0.03;
    let length = (end - origin).hypot();
    Some(Placed {
        text,
        x: origin.x as f32,
        end: if level { end.x as f32 } else { (origin.x + length) as f32 },
        baseline: origin.y as f32,
        size: size as f32,
        angle: if level { 0.0 } else { angle as f32 },
    })
}
