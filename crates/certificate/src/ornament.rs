//! The engraved parts of the sheet: a border and a seal of waves that run through each other, as curves.

use std::f64::consts::{FRAC_PI_2, PI, TAU};
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::Paper;

const ACCENT: &str = "#1c4a63";
const BRONZE: &str = "#a98a55";
const GROUND: &str = "#fffdf8";

type Point = (f64, f64);

/// The border of a sheet, SVG in millimeters.
pub(crate) fn frame(paper: Paper) -> &'static str {
    static FRAMES: LazyLock<[String; 2]> = LazyLock::new(|| Paper::ALL.map(draw_frame));
    &FRAMES[usize::from(paper == Paper::A4)]
}

/// The seal, SVG.
pub(crate) fn seal() -> &'static str {
    static SEAL: LazyLock<String> = LazyLock::new(draw_seal);
    &SEAL
}

/// A closed line through all `points` of a curve that `at` gives for 0..`end`, smooth in each.
fn closed(at: impl Fn(f64) -> Point, end: f64, points: u32) -> String {
    /// The curve's direction is taken from two points this far apart.
    const NEAR: f64 = 1e-4;
    let step = end / f64::from(points);
    let sample = |number: u32| {
        let place = f64::from(number) * step;
        let ((ax, ay), (bx, by)) = (at(place - NEAR), at(place + NEAR));
        let third = step / (2.0 * NEAR) / 3.0;
        (at(place), ((bx - ax) * third, (by - ay) * third))
    };
    let mut before = sample(0);
    let mut path = format!("M{:.2} {:.2}", before.0.0, before.0.1);
    for number in 1..=points {
        let ((x, y), (dx, dy)) = sample(number % points);
        let ((from_x, from_y), (from_dx, from_dy)) = before;
        // Writing to a text does not fail.
        let _ = write!(
            path,
            "C{:.2} {:.2} {:.2} {:.2} {x:.2} {y:.2}",
            from_x + from_dx,
            from_y + from_dy,
            x - dx,
            y - dy
        );
        before = ((x, y), (dx, dy));
    }
    path + "Z"
}

/// A rectangle with round corners, by the way along it from the left end of its upper side, clockwise.
struct Rail {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    radius: f64,
}

impl Rail {
    fn length(&self) -> f64 {
        2.0 * (self.width + self.height) - 8.0 * self.radius + TAU * self.radius
    }

    /// The point at a place, and the direction outwards there.
    fn at(&self, place: f64) -> (Point, Point) {
        let Self { left, top, width, height, radius } = *self;
        let (across, down, turn) = (width - 2.0 * radius, height - 2.0 * radius, FRAC_PI_2 * radius);
        let (right, bottom) = (left + width, top + height);
        let mut rest = place.rem_euclid(self.length());
        let sides = [
            (across, (left + radius, top), (1.0, 0.0), (right - radius, top + radius)),
            (down, (right, top + radius), (0.0, 1.0), (right - radius, bottom - radius)),
            (across, (right - radius, bottom), (-1.0, 0.0), (left + radius, bottom - radius)),
            (down, (left, bottom - radius), (0.0, -1.0), (left + radius, top + radius)),
        ];
        for (length, (x, y), (dx, dy), (corner_x, corner_y)) in sides {
            if rest <= length {
                return ((x + dx * rest, y + dy * rest), (dy, -dx));
            }
            rest -= length;
            if rest <= turn {
                let angle = f64::atan2(-dx, dy) + rest / radius;
                let (sin, cos) = angle.sin_cos();
                return ((corner_x + radius * cos, corner_y + radius * sin), (cos, sin));
            }
            rest -= turn;
        }
        ((left + radius, top), (0.0, -1.0))
    }
}

fn draw_frame(paper: Paper) -> String {
    /// From the edge of the sheet to the middle of the band.
    const INSET: f64 = 11.5;
    const WAVE: f64 = 8.5;
    let (width, height) = paper.size();
    let rail = Rail {
        left: INSET,
        top: INSET,
        width: width - 2.0 * INSET,
        height: height - 2.0 * INSET,
        radius: 7.0,
    };
    let length = rail.length();
    let waves = (length / WAVE).round();
    let wave = |swing: f64, phase: f64| {
        let at = |place: f64| {
            let ((x, y), (out_x, out_y)) = rail.at(place);
            let out = swing * (TAU * waves * place / length + phase).sin();
            (x + out_x * out, y + out_y * out)
        };
        closed(at, length, waves as u32 * 4)
    };
    let mut svg =
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" fill="none">"#);
    let waves = [
        (3.1, 0.0, ACCENT, 0.22),
        (3.1, PI, ACCENT, 0.22),
        (3.1, FRAC_PI_2, BRONZE, 0.2),
        (3.1, -FRAC_PI_2, BRONZE, 0.2),
        (1.5, 0.0, ACCENT, 0.14),
        (1.5, PI, ACCENT, 0.14),
    ];
    for (swing, phase, color, stroke) in waves {
        let _ = write!(svg, r#"<path d="{}" stroke="{color}" stroke-width="{stroke}"/>"#, wave(swing, phase));
    }
    for (inset, radius, stroke, color) in
        [(7.3, 11.0, 0.7, ACCENT), (15.7, 3.2, 0.35, ACCENT), (16.6, 2.4, 0.15, BRONZE)]
    {
        let (inner_width, inner_height) = (width - 2.0 * inset, height - 2.0 * inset);
        let _ = write!(
            svg,
            r#"<rect x="{inset}" y="{inset}" width="{inner_width}" height="{inner_height}" rx="{radius}" stroke="{color}" stroke-width="{stroke}"/>"#
        );
    }
    svg + "</svg>"
}

/// The middle of the seal.
const MIDDLE: f64 = 20.0;

/// A ring of `waves` waves around the middle of the seal.
fn ring(radius: f64, swing: f64, waves: u32, phase: f64, points_per_wave: u32) -> String {
    let at = |angle: f64| {
        let out = radius + swing * (f64::from(waves) * angle + phase).sin();
        (MIDDLE + out * angle.cos(), MIDDLE + out * angle.sin())
    };
    closed(at, TAU, waves * points_per_wave)
}

/// The lines of the seal around its middle, which is left to the one who uses it.
fn rings() -> String {
    let mut svg = format!(r#"<path d="{}" fill="{ACCENT}"/>"#, ring(19.0, 0.55, 48, 0.0, 6));
    let _ = write!(svg, r#"<circle cx="{MIDDLE}" cy="{MIDDLE}" r="17.7" fill="{GROUND}"/>"#);
    for turn in 0..6_u32 {
        let color = if turn % 2 == 0 { ACCENT } else { BRONZE };
        let path = ring(9.2, 1.5, 10, f64::from(turn) * PI / 3.0, 6);
        let _ = write!(svg, r#"<path d="{path}" stroke="{color}" stroke-width=".16"/>"#);
    }
    for turn in 0..4_u32 {
        let path = ring(10.9, 0.5, 40, f64::from(turn) * FRAC_PI_2, 4);
        let _ = write!(svg, r#"<path d="{path}" stroke="{ACCENT}" stroke-width=".12"/>"#);
    }
    for (radius, stroke) in [(17.1, 0.25), (12.0, 0.25), (7.2, 0.3), (6.7, 0.15)] {
        let _ = write!(
            svg,
            r#"<circle cx="{MIDDLE}" cy="{MIDDLE}" r="{radius}" stroke="{ACCENT}" stroke-width="{stroke}"/>"#
        );
    }
    svg
}

const TICK: &str = "M16.6 20.2l2.5 2.5 4.6-5.2";

fn draw_seal() -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" fill="none">{}<path d="{TICK}" stroke="{ACCENT}" stroke-width="1.1" stroke-linecap="round" stroke-linejoin="round"/></svg>"#,
        rings()
    )
}

/// The image of an activity's badge, SVG: the seal with the name of the credit in plain words beneath.
pub fn badge_image(title: &str, credit: &str) -> String {
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let short: String = if credit.chars().count() > 36 {
        credit.chars().take(35).chain(['…']).collect()
    } else {
        credit.to_owned()
    };
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 46" width="400" height="460" role="img" fill="none"><title>{}</title><desc>{}</desc>{}<path d="{TICK}" stroke="{ACCENT}" stroke-width="1.1" stroke-linecap="round" stroke-linejoin="round"/><text x="20" y="44" fill="{ACCENT}" font-family="serif" font-size="2.1" font-weight="600" text-anchor="middle">{}</text></svg>"#,
        plain(title),
        plain(credit),
        rings(),
        plain(&short)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_closes_and_stays_on_the_sheet() {
        for paper in Paper::ALL {
            let (width, height) = paper.size();
            let rail =
                Rail { left: 11.5, top: 11.5, width: width - 23.0, height: height - 23.0, radius: 7.0 };
            let mut before = rail.at(0.0);
            let steps = 4000;
            for step in 1..=steps {
                let here = rail.at(rail.length() * f64::from(step) / f64::from(steps));
                let moved = f64::hypot(here.0.0 - before.0.0, here.0.1 - before.0.1);
                assert!(
                    moved < 0.3 && (f64::hypot(here.1.0, here.1.1) - 1.0).abs() < 1e-9,
                    "{paper:?} at {step}: {moved}"
                );
                assert!(
                    (11.4..width - 11.4).contains(&here.0.0) && (11.4..height - 11.4).contains(&here.0.1)
                );
                before = here;
            }
            assert!(frame(paper).ends_with("</svg>") && !frame(paper).contains("NaN"));
        }
    }

    #[test]
    fn a_badge_shows_names_as_text() {
        let image = badge_image("A <b> & c", "AMA PRA Category 1 Credit(s)™");
        assert!(image.contains("A &lt;b&gt; &amp; c") && !image.contains("<b>"), "{image}");
    }
}
