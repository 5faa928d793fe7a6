//! A slide as a picture: its shapes, texts, tables and images at their places, as SVG.
//!
//! This is a faithful plan of the slide, not PowerPoint: themes, effects and charts are left out. It serves a reader who
//! follows a citation and wants to see the slide itself.

use std::collections::HashMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::budget::Budget;
use super::pptx::{paragraphs, placeholder, shapes};
use super::xml::Element;
use super::{ExtractError, WordBox};

/// English Metric Units to a point (914,400 to the inch, 72 points to the inch).
const EMU_PER_POINT: f64 = 12_700.0;
/// The font size of text that names none, in points.
const DEFAULT_SIZE: f64 = 18.0;
const TITLE_SIZE: f64 = 36.0;
/// Average width of a character, in font sizes: for wrapping.
const CHARACTER_WIDTH: f64 = 0.5;
const LINE_HEIGHT: f64 = 1.2;

/// Where a shape is, in points.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Frame {
    /// The frame as the place of a run of text on a slide of `size` units.
    pub(super) fn word_box(self, page: u32, start: u64, end: u64, size: (f64, f64)) -> WordBox {
        let (width, height) = (size.0 / EMU_PER_POINT, size.1 / EMU_PER_POINT);
        WordBox {
            page,
            start,
            end,
            x: (self.x / width) as f32,
            y: (self.y / height) as f32,
            width: (self.width / width) as f32,
            height: (self.height / height) as f32,
        }
    }
}

/// The shape's own frame, if it names one.
pub(super) fn frame(shape: &Element) -> Option<Frame> {
    let transform = shape.at(&["spPr", "xfrm"]).or_else(|| shape.child("xfrm"))?;
    let number = |child: &str, name: &str| -> Option<f64> {
        let value: f64 = transform.child(child)?.attribute(name)?.parse().ok()?;
        Some(value / EMU_PER_POINT)
    };
    Some(Frame {
        x: number("off", "x")?,
        y: number("off", "y")?,
        width: number("ext", "cx")?,
        height: number("ext", "cy")?,
    })
}

/// Whether a shape lies beside a slide of `size` units, where the show never paints it.
pub(super) fn is_off_slide(shape: &Element, size: (f64, f64)) -> bool {
    let (width, height) = (size.0 / EMU_PER_POINT, size.1 / EMU_PER_POINT);
    frame(shape).is_some_and(|place| {
        place.x >= width || place.y >= height || place.x + place.width <= 0.0 || place.y + place.height <= 0.0
    })
}

/// The frame of the layout's placeholder that `shape` fills.
fn inherited(shape: &Element, layout: Option<&Element>) -> Option<Frame> {
    let kind = placeholder(shape)?;
    let same = |candidate: &str| candidate == kind || (kind.ends_with("itle") && candidate.ends_with("itle"));
    shapes(layout?).into_iter().filter(|candidate| placeholder(candidate).is_some_and(same)).find_map(frame)
}

/// Draws a slide of `size` English Metric Units; what is written is drawn from `budget`.
pub(super) fn draw(
    slide: &Element,
    layout: Option<&Element>,
    images: &HashMap<String, (String, Vec<u8>)>,
    size: (f64, f64),
    budget: &Budget,
) -> Result<String, ExtractError> {
    let (width, height) = (size.0 / EMU_PER_POINT, size.1 / EMU_PER_POINT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" font-family=\"Helvetica, Arial, sans-serif\">\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
    );
    let mut free = Frame { x: 36.0, y: 110.0, width: width - 72.0, height: height - 140.0 };
    for shape in shapes(slide) {
        let place = frame(shape).or_else(|| inherited(shape, layout));
        let is_title = matches!(placeholder(shape), Some("title" | "ctrTitle"));
        let place = place.unwrap_or(if is_title {
            Frame { x: 36.0, y: 24.0, width: width - 72.0, height: 80.0 }
        } else {
            free
        });
        let before = svg.len();
        draw_shape(&mut svg, shape, place, is_title, images);
        // A slide may show one image a thousand times.
        budget.keep(svg.len() - before)?;
        if !is_title {
            free.y += 20.0;
        }
    }
    svg.push_str("</svg>");
    Ok(svg)
}

fn draw_shape(
    svg: &mut String,
    shape: &Element,
    place: Frame,
    is_title: bool,
    images: &HashMap<String, (String, Vec<u8>)>,
) {
    if let Some(color) = fill(shape) {
        rectangle(svg, place, &color, "none");
    }
    if let Some(image) = shape.at(&["blipFill", "blip"]).and_then(|blip| images.get(blip.attribute("embed")?))
    {
        picture(svg, place, image);
    }
    if let Some(body) = shape.child("txBody") {
        let bulleted = !is_title && paragraphs(body).len() > 1;
        text(svg, place, &paragraphs(body), font_size(body, is_title), is_title, bulleted);
    }
    for table in shape.descendants("tbl") {
        draw_table(svg, place, table);
    }
}

/// A solid fill with a color of its own; theme colors are left to the reader's white.
fn fill(shape: &Element) -> Option<String> {
    let color = shape.at(&["spPr", "solidFill", "srgbClr"])?.attribute("val")?;
    let is_color = color.len() == 6 && color.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_color.then(|| format!("#{color}"))
}

fn rectangle(svg: &mut String, place: Frame, fill: &str, stroke: &str) {
    let Frame { x, y, width, height } = place;
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\" stroke=\"{stroke}\"/>"
    );
}

fn picture(svg: &mut String, place: Frame, (name, bytes): &(String, Vec<u8>)) {
    let media = match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        _ => return rectangle(svg, place, "#f2f2f2", "#999"),
    };
    let Frame { x, y, width, height } = place;
    let _ = write!(
        svg,
        "<image x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" href=\"data:{media};base64,{}\"/>",
        STANDARD.encode(bytes)
    );
}

/// The size that the text names first, in points.
fn font_size(body: &Element, is_title: bool) -> f64 {
    let named = body
        .descendants("rPr")
        .into_iter()
        .find_map(|properties| properties.attribute("sz")?.parse::<f64>().ok());
    named.map_or(if is_title { TITLE_SIZE } else { DEFAULT_SIZE }, |hundredths| {
        (hundredths / 100.0).clamp(6.0, 96.0)
    })
}

/// Text as it is drawn: its size, and per line the paragraph that it belongs to.
struct Lines {
    size: f64,
    lines: Vec<(usize, String)>,
}

/// Wraps paragraphs into `place`, in a smaller size where they would not fit.
fn lay_out(place: Frame, paragraphs: &[String], size: f64, bulleted: bool) -> Lines {
    let mut size = size;
    let mut lines = wrapped(paragraphs, place.width, size, bulleted);
    while size > 8.0 && lines.len() as f64 * size * LINE_HEIGHT > place.height.max(size * LINE_HEIGHT) {
        size *= 0.9;
        lines = wrapped(paragraphs, place.width, size, bulleted);
    }
    Lines { size, lines }
}

fn text(svg: &mut String, place: Frame, paragraphs: &[String], size: f64, bold: bool, bulleted: bool) {
    let Lines { size, lines } = lay_out(place, paragraphs, size, bulleted);
    let weight = if bold { "bold" } else { "normal" };
    for (index, (_, line)) in lines.iter().enumerate() {
        let y = place.y + size * LINE_HEIGHT * (index as f64 + 0.9);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"{size:.1}\" font-weight=\"{weight}\" fill=\"#1a1a1a\">{}</text>",
            place.x + 4.0,
            escape(line)
        );
    }
}

fn wrapped(paragraphs: &[String], width: f64, size: f64, bulleted: bool) -> Vec<(usize, String)> {
    let most = ((width - 8.0) / (size * CHARACTER_WIDTH)).max(4.0) as usize;
    let mut lines = Vec::new();
    for (number, paragraph) in paragraphs.iter().enumerate() {
        let mut line = if bulleted { "• ".to_owned() } else { String::new() };
        let mut empty = true;
        for word in paragraph.split(' ') {
            if !empty && line.chars().count() + 1 + word.chars().count() > most {
                lines.push((number, std::mem::take(&mut line)));
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        lines.push((number, line));
    }
    lines
}

/// Where each paragraph of a shape's text is drawn; none for a shape that takes its place from the layout.
pub(super) fn paragraph_frames(shape: &Element) -> Vec<Frame> {
    let (Some(place), Some(body)) = (frame(shape), shape.child("txBody")) else { return Vec::new() };
    let texts = paragraphs(body);
    let is_title = matches!(placeholder(shape), Some("title" | "ctrTitle"));
    let Lines { size, lines } =
        lay_out(place, &texts, font_size(body, is_title), !is_title && texts.len() > 1);
    let height = size * LINE_HEIGHT;
    let mut first = 0;
    // Every paragraph has a line at least, and its lines follow each other.
    let of_paragraph = |own: &[(usize, String)]| {
        let longest = own.iter().map(|(_, line)| line.chars().count()).max().unwrap_or(0) as f64;
        let frame = Frame {
            x: place.x + 2.0,
            y: place.y + height * first as f64,
            width: (longest * size * CHARACTER_WIDTH + 8.0).min(place.width),
            height: height * own.len() as f64,
        };
        first += own.len();
        frame
    };
    lines.chunk_by(|(a, _), (b, _)| a == b).map(of_paragraph).collect()
}

/// Where each row of a shape's table is drawn.
pub(super) fn row_frames(shape: &Element, table: &Element) -> Vec<Frame> {
    let Some(place) = frame(shape) else { return Vec::new() };
    let rows = table.elements().filter(|element| element.name == "tr").count();
    let height = place.height / rows.max(1) as f64;
    (0..rows).map(|row| Frame { y: place.y + height * row as f64, height, ..place }).collect()
}

fn draw_table(svg: &mut String, place: Frame, table: &Element) {
    let rows: Vec<&Element> = table.elements().filter(|element| element.name == "tr").collect();
    let height = place.height / rows.len().max(1) as f64;
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<&Element> = row.elements().filter(|element| element.name == "tc").collect();
        let width = place.width / cells.len().max(1) as f64;
        for (column, cell) in cells.iter().enumerate() {
            let place = Frame {
                x: place.x + width * column as f64,
                y: place.y + height * index as f64,
                width,
                height,
            };
            rectangle(svg, place, if index == 0 { "#eef2f7" } else { "#fff" }, "#99a");
            let paragraphs = cell.child("txBody").map(paragraphs).unwrap_or_default();
            text(svg, place, &paragraphs, 14.0, index == 0, false);
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml;

    #[test]
    fn texts_are_escaped_and_placed() {
        let slide = xml::parse(
            "<sld><cSld><spTree><sp><nvSpPr><nvPr><ph type='title'/></nvPr></nvSpPr>\
             <spPr><xfrm><off x='127000' y='254000'/><ext cx='1270000' cy='1270000'/></xfrm></spPr>\
             <txBody><p><r><t>a &lt;script&gt; &amp; b</t></r></p></txBody></sp></spTree></cSld></sld>",
        )
        .expect("a slide");
        let svg = draw(&slide, None, &HashMap::new(), (12_700_000.0, 6_350_000.0), &crate::tests::budget())
            .expect("a picture");
        assert!(svg.contains("viewBox=\"0 0 1000.0 500.0\""), "{svg}");
        assert!(
            svg.contains("x=\"14.0\"") && svg.contains("&lt;script&gt;") && !svg.contains("<script"),
            "{svg}"
        );
    }
}
