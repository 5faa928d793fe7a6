//! Drawings of strangers: SVG made of a closed list of shapes. A drawing costs in proportion to its size, because nothing
//! in it is drawn more than once for every time it is written; it fetches nothing, and it runs nothing.

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

/// Elements inside each other; anyone who draws them goes as deep.
const DEEPEST: usize = 32;
const MOST_ELEMENTS: usize = 2000;
/// What is drawn, and what says how. `use`, `pattern`, `mask`, `marker` and `filter` repeat what they name, and each
/// other: a few lines of them draw a billion things.
const ALLOWED: [&str; 20] = [
    "circle",
    "clipPath",
    "defs",
    "desc",
    "ellipse",
    "g",
    "line",
    "linearGradient",
    "metadata",
    "path",
    "polygon",
    "polyline",
    "radialGradient",
    "rect",
    "stop",
    "style",
    "svg",
    "text",
    "title",
    "tspan",
];
/// What drawing programs write beside the drawing. No one draws it.
const NOTES: [&str; 6] = [
    "http://creativecommons.org/ns#",
    "http://purl.org/dc/elements/1.1/",
    "http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd",
    "http://web.resource.org/cc/",
    "http://www.inkscape.org/namespaces/inkscape",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
];

/// Properties that draw a shape more than once, or over every pixel near it.
const REPEATS: [&str; 6] = ["filter", "mask", "marker", "marker-end", "marker-mid", "marker-start"];

/// What is open while a drawing is read, outermost first.
#[derive(Debug, Default)]
struct Open(Vec<String>);

impl Open {
    fn is_in(&self, name: &str) -> bool {
        self.0.iter().any(|open| open == name)
    }

    fn styles(&self) -> bool {
        self.0.last().is_some_and(|open| open == "style")
    }
}

/// Refuses a drawing that has anything but shapes, with words for the one who drew it.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut reader = NsReader::from_str(text);
    let (mut open, mut elements) = (Open::default(), 0);
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|error| broken(&error))?;
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                elements += 1;
                if elements > MOST_ELEMENTS || open.0.len() >= DEEPEST {
                    return Err(format!("must have at most {MOST_ELEMENTS} elements, nested {DEEPEST} deep"));
                }
                check_element(start, &namespace, &open)?;
                if matches!(event, Event::Start(_)) {
                    open.0.push(start.local_name().as_ref().to_owned());
                }
            }
            Event::End(_) => drop(open.0.pop()),
            Event::Text(text) if open.styles() => check_style(&text.xml10_content())?,
            Event::CData(data) if open.styles() => check_style(&data.xml10_content())?,
            Event::GeneralRef(_) if open.styles() => return Err("must write its style sheet in plain".into()),
            Event::DocType(_) => return Err("must have no document type; save it as plain SVG".into()),
            Event::PI(_) => return Err("must have no processing instructions".into()),
            Event::Eof => break,
            _ => {}
        }
    }
    if elements == 0 || !open.0.is_empty() { Err("must be a whole SVG drawing".into()) } else { Ok(()) }
}

fn broken(error: &dyn std::fmt::Display) -> String {
    format!("cannot be read as SVG ({error})")
}

fn check_element(start: &BytesStart<'_>, namespace: &ResolveResult<'_>, open: &Open) -> Result<(), String> {
    let name = start.local_name();
    let name: &str = name.as_ref();
    let is_root = open.0.is_empty();
    let is_note = matches!(namespace, ResolveResult::Bound(Namespace(of)) if NOTES.contains(of));
    if is_root != (name == "svg") || !(is_note || ALLOWED.contains(&name)) {
        return Err(format!("must draw with its own shapes only, without <{name}>"));
    }
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| broken(&error))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| broken(&error))?;
        let key = attribute.key.local_name();
        check_attribute(name, key.as_ref(), &value.to_lowercase(), open)?;
    }
    Ok(())
}

fn check_attribute(element: &str, name: &str, value: &str, open: &Open) -> Result<(), String> {
    let named = name.to_lowercase();
    if named.starts_with("on") || value.contains("javascript:") {
        return Err(format!("must run nothing, as its {name} would"));
    }
    if REPEATS.contains(&named.as_str()) {
        return Err(format!("must be drawn without {name}"));
    }
    // A gradient may take its stops from another one; whatever else refers to something would fetch or repeat it.
    if named == "href" && !(value.starts_with('#') && element.ends_with("Gradient")) {
        return Err("must refer to nothing outside of itself, and repeat none of its parts".into());
    }
    let clips = named == "clip-path" || (named == "style" && value.contains("clip-path"));
    if clips && (element == "clipPath" || open.is_in("clipPath")) {
        return Err("must not clip what it clips with".into());
    }
    if named == "style" { check_declarations(value) } else { check_references(value) }
}

/// A style sheet says which shapes are meant by their class; it imports nothing, and hides nothing behind escapes.
fn check_style(sheet: &str) -> Result<(), String> {
    let sheet = sheet.to_lowercase();
    if sheet.contains('@') || sheet.contains("clip-path") {
        return Err("must have no @ rules and no clip-path in its style sheet; use attributes".into());
    }
    check_declarations(&sheet)
}

fn check_declarations(declarations: &str) -> Result<(), String> {
    if declarations.contains('\\') {
        return Err("must have no escapes in its styles".into());
    }
    if let Some(property) = REPEATS.iter().find(|property| declarations.contains(**property)) {
        return Err(format!("must be drawn without {property}"));
    }
    check_references(declarations)
}

fn check_references(value: &str) -> Result<(), String> {
    let inside = |after: &str| after.trim_start_matches([' ', '"', '\'']).starts_with('#');
    if value.split("url(").skip(1).all(inside) {
        return Ok(());
    }
    Err("must refer to nothing outside of itself".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(inside: &str) -> String {
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{inside}</svg>"#
        )
    }

    #[test]
    fn what_drawing_programs_write_is_taken() {
        for inside in [
            r##"<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient>
                <linearGradient id="b" xlink:href="#a"/></defs><path fill="url(#b)" d="M0 0h9v9z"/>"##,
            r##"<style>.cls-1{fill:url("#b");}</style><rect class="cls-1" width="3" height="3"/>"##,
            r#"<clipPath id="c"><rect class="d" width="3" height="3"/></clipPath><g clip-path="url(#c)"><circle r="1"/></g>"#,
            r#"<metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:li/></rdf:RDF></metadata>"#,
            r#"<text x="1" y="2"><tspan>Harbor &amp; Sons</tspan></text>"#,
        ] {
            assert_eq!(check(&drawing(inside)), Ok(()), "{inside}");
        }
    }

    #[test]
    fn what_fetches_runs_or_repeats_is_refused_however_it_is_written() {
        for inside in [
            r##"<g id="a"/><use href="#a"/>"##,
            r##"<s:use xmlns:s="http://www.w3.org/2000/svg" href="#a"/>"##,
            r##"<s:use xmlns:s="http://www.w3.org/2000/sv&#103;" href="#a"/>"##,
            r#"<pattern id="p"><path fill="url(#p)"/></pattern>"#,
            r#"<image href="/etc/hostname"/>"#,
            r#"<rect fill="url(http://x.example/#a)"/>"#,
            r#"<rect style="fill:u\72l(http://x.example/)"/>"#,
            r#"<style>@import "http://x.example/a.css";</style>"#,
            r#"<style>&#64;import "http://x.example/a.css";</style>"#,
            r#"<style><![CDATA[@import "http://x.example/a.css";]]></style>"#,
            r#"<rect onclick="x()"/>"#,
            r#"<linearGradient xlink:href="htt&#112;://x.example/#a"/>"#,
            r##"<a href="#x"><rect/></a>"##,
            r#"<clipPath id="a"><rect clip-path="url(#b)"/><rect clip-path="url(#b)"/></clipPath>"#,
            r#"<clipPath id="a" clip-path="url(#b)"><rect/></clipPath>"#,
            r#"<clipPath id="a"><rect style="clip-path:url(#b)"/></clipPath>"#,
            "<style>rect{clip-path:url(#b)}</style>",
            r#"<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>"#,
            "<svg/>",
            r#"<g filter="blur(5000) blur(5000)"><rect/></g>"#,
            r#"<g style="filter: blur(5000)"><rect/></g>"#,
            "<style>g{FILTER:blur(9px)}</style>",
            r#"<path marker-mid="url(#a)" d="M0 0h9"/>"#,
        ] {
            assert!(check(&drawing(inside)).is_err(), "{inside}");
        }
        assert!(check(&drawing(&format!("{}{}", "<g>".repeat(40), "</g>".repeat(40)))).is_err(), "depth");
        assert!(check(&drawing(&"<g/>".repeat(3000))).is_err(), "number");
        for whole in
            ["", "<svg>", "<html><svg/></html>", "<!DOCTYPE svg><svg/>", "<?xml-stylesheet href='x'?><svg/>"]
        {
            assert!(check(whole).is_err(), "{whole}");
        }
    }
}
