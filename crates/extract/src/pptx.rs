//! PPTX: slides in presentation order, speaker notes bound to their slide by relationship, tables with their header.

use std::collections::HashMap;
use std::io::{Cursor, Read as _};
use std::sync::Arc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::budget::{Budget, heading};
use super::builder::heading_of_rows;
use super::inline::Inlined;
use super::notes::NoteKind;
use super::xml::{self, Element};
use super::{Builder, ExtractError, Extracted, Limits, Locator, Picture, slide_svg};

mod body;
mod ground;

use body::lines;
pub(super) use body::paragraphs;
use ground::Ground;

/// An archive with more entries is no slide deck.
const MOST_ENTRIES: usize = 20_000;
/// Placeholders that repeat on every slide and say nothing about it.
const FURNITURE: [&str; 4] = ["sldNum", "dt", "ftr", "hdr"];

/// The archive, with a budget for what it unpacks to.
pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    budget: Budget,
}

impl<'a> Package<'a> {
    pub(super) fn open(content: &'a [u8], budget: &Budget) -> Result<Self, ExtractError> {
        let archive = ZipArchive::new(Cursor::new(content))
            .map_err(|error| ExtractError::Malformed(format!("the archive cannot be read ({error})")))?;
        if archive.len() > MOST_ENTRIES {
            return Err(ExtractError::Malformed("the archive has too many entries".into()));
        }
        Ok(Self { archive, budget: budget.clone() })
    }

    /// Unpacks one entry. Sizes that the archive announces are not trusted: reading stops at the budget.
    pub(super) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, ExtractError> {
        let entry = match self.archive.by_name(name) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => {
                return Err(ExtractError::Malformed(format!("{name} cannot be unpacked ({error})")));
            }
        };
        if entry.encrypted() {
            return Err(ExtractError::Encrypted);
        }
        let mut content = Vec::new();
        entry
            .take(self.budget.left_to_unpack().saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| ExtractError::Malformed(format!("{name} cannot be unpacked ({error})")))?;
        self.budget.unpack(content.len() as u64)?;
        Ok(Some(content))
    }

    fn xml(&mut self, name: &str) -> Result<Option<Element>, ExtractError> {
        self.read(name)?.map(|content| xml::parse(super::text(&content)?)).transpose()
    }

    fn required(&mut self, name: &str) -> Result<Element, ExtractError> {
        self.xml(name)?.ok_or_else(|| ExtractError::Malformed(format!("the presentation has no {name}")))
    }

    /// The relationships of a part: id to (type's last word, target).
    fn relationships(&mut self, part: &str) -> Result<HashMap<String, (String, String)>, ExtractError> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let Some(root) = self.xml(&format!("{folder}/_rels/{file}.rels"))? else { return Ok(HashMap::new()) };
        let read = |relationship: &Element| {
            let kind = relationship.attribute("Type")?.rsplit('/').next()?.to_owned();
            let target = resolve(folder, relationship.attribute("Target")?);
            Some((relationship.attribute("Id")?.to_owned(), (kind, target)))
        };
        Ok(root.elements().filter_map(read).collect())
    }
}

/// A target relative to the folder of the part that names it.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            ".." => {
                path.pop();
            }
            "." | "" => {}
            part => path.push(part),
        }
    }
    path.join("/")
}

/// A deck: its slides in the order in which they are shown, and their size.
pub(super) struct Deck {
    slides: Vec<String>,
    /// Width and height in English Metric Units.
    pub(super) size: (f64, f64),
}

impl Deck {
    pub(super) fn read(package: &mut Package<'_>, limits: &Limits) -> Result<Self, ExtractError> {
        const PRESENTATION: &str = "ppt/presentation.xml";
        let presentation = package.required(PRESENTATION)?;
        let relationships = package.relationships(PRESENTATION)?;
        let number = |name| presentation.child("sldSz").and_then(|size| size.attribute(name)?.parse().ok());
        // 16:9 at 13.33 inches, PowerPoint's default.
        let size = (number("cx").unwrap_or(12_192_000.0), number("cy").unwrap_or(6_858_000.0));
        let list = presentation.child("sldIdLst");
        let slides: Vec<_> = list
            .into_iter()
            .flat_map(Element::elements)
            // `r:id` and `id` differ only by prefix: the relationship is the one that is not a number.
            .filter_map(|slide| slide.attributes_named("id").find_map(|id| relationships.get(id)))
            .map(|(_, target)| target.clone())
            .collect();
        if slides.is_empty() {
            return Err(ExtractError::Malformed("the presentation has no slides".into()));
        }
        if slides.len() > limits.pages {
            return Err(ExtractError::TooManyPages { limit: limits.pages });
        }
        Ok(Self { slides, size })
    }
}

/// Reads a deck; `progress` is told how many slides of how many are read.
pub(crate) fn extract(
    content: &[u8],
    limits: &Limits,
    budget: &Budget,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Extracted, ExtractError> {
    let mut package = Package::open(content, budget)?;
    let deck = Deck::read(&mut package, limits)?;
    let mut builder = Builder::new(budget);
    for (index, part) in deck.slides.iter().enumerate() {
        progress(index as u64, deck.slides.len() as u64);
        let number = index as u32 + 1;
        let slide = package.required(part)?;
        let title = slide_title(&slide);
        if slide.attribute("show").is_some_and(|show| matches!(show, "0" | "false")) {
            builder.note(NoteKind::HiddenSlide, &title, Some(&Locator::Slide { number, notes: false }));
            continue;
        }
        if builder.document().title.is_none() && !title.is_empty() {
            builder.document().title = Some(title.clone());
        }
        let relationships = package.relationships(part)?;
        let ground = Ground::of(&slide, &relationships, &mut package)?;
        let mut writer = SlideWriter {
            builder: &mut builder,
            number,
            title: heading(&title),
            size: deck.size,
            ground,
            relationships,
        };
        writer.slide(&mut package, &slide)?;
        writer.notes(&mut package)?;
    }
    builder.document().pages = deck.slides.len() as u32;
    Ok(builder.finish())
}

/// Shapes, pictures, tables and groups of a slide that the show paints, in drawing order.
pub(super) fn shapes(slide: &Element) -> Vec<&Element> {
    let painted = |shape: &Shape<'_>| {
        !shape.hidden && matches!(shape.element.name.as_str(), "sp" | "pic" | "graphicFrame" | "cxnSp")
    };
    all_shapes(slide).into_iter().filter(painted).map(|shape| shape.element).collect()
}

/// A shape of a slide.
#[derive(Clone, Copy)]
struct Shape<'a> {
    element: &'a Element,
    hidden: bool,
    /// Whether it is in a group, which has coordinates of its own.
    grouped: bool,
}

/// All shapes of a slide.
fn all_shapes(slide: &Element) -> Vec<Shape<'_>> {
    fn collect<'a>(tree: &'a Element, hidden: bool, grouped: bool, out: &mut Vec<Shape<'a>>) {
        for element in tree.elements() {
            let hidden = hidden || is_hidden(element);
            match element.name.as_str() {
                "grpSp" => collect(element, hidden, true, out),
                "AlternateContent" => {
                    if let Some(choice) = element.child("Choice").or_else(|| element.child("Fallback")) {
                        collect(choice, hidden, grouped, out);
                    }
                }
                "nvGrpSpPr" | "grpSpPr" | "extLst" => {}
                _ => out.push(Shape { element, hidden, grouped }),
            }
        }
    }
    let mut out = Vec::new();
    if let Some(tree) = slide.at(&["cSld", "spTree"]) {
        collect(tree, false, false, &mut out);
    }
    out
}

fn is_hidden(shape: &Element) -> bool {
    let hidden = shape.elements().find_map(|properties| properties.child("cNvPr")?.attribute("hidden"));
    hidden.is_some_and(|hidden| matches!(hidden, "1" | "true"))
}

/// The kind of placeholder a shape fills, if it fills one.
pub(super) fn placeholder(shape: &Element) -> Option<&str> {
    let holder = shape.elements().find_map(|properties| properties.child("nvPr"))?.child("ph")?;
    Some(holder.attribute("type").unwrap_or("body"))
}

fn slide_title(slide: &Element) -> String {
    let shapes = shapes(slide);
    let title = shapes.iter().find(|shape| matches!(placeholder(shape), Some("title" | "ctrTitle")));
    title.and_then(|shape| shape.child("txBody")).map(|body| paragraphs(body).join(" ")).unwrap_or_default()
}

/// Writes one slide into the document.
struct SlideWriter<'b> {
    builder: &'b mut Builder,
    number: u32,
    title: Arc<str>,
    size: (f64, f64),
    ground: Ground,
    relationships: HashMap<String, (String, String)>,
}

impl SlideWriter<'_> {
    fn place(&self) -> Locator {
        Locator::Slide { number: self.number, notes: false }
    }

    fn note(&mut self, kind: NoteKind, detail: &str) {
        let place = self.place();
        self.builder.note(kind, detail, Some(&place));
    }

    fn push(
        &mut self,
        line: &Inlined,
        heading: &Arc<str>,
        frame: Option<&slide_svg::Frame>,
    ) -> Result<(), ExtractError> {
        let start = self.builder.push_line(line, heading, self.place())?;
        let end = self.builder.document().text.len() as u64;
        let box_of = |(start, frame): (usize, &slide_svg::Frame)| {
            frame.word_box(self.number, start as u64, end, self.size)
        };
        self.builder.add_boxes(start.zip(frame).map(box_of))
    }

    fn slide(&mut self, package: &mut Package<'_>, slide: &Element) -> Result<(), ExtractError> {
        for Shape { element: shape, hidden, grouped } in all_shapes(slide) {
            if placeholder(shape).is_some_and(|kind| FURNITURE.contains(&kind)) {
                continue;
            }
            if hidden || (!grouped && slide_svg::is_off_slide(shape, self.size)) {
                self.note(NoteKind::HiddenText, &body::all_text(shape));
                continue;
            }
            match shape.name.as_str() {
                "sp" | "cxnSp" => self.text_of(shape)?,
                "graphicFrame" => self.graphic(package, shape)?,
                "pic" => self.note(NoteKind::Picture, &described(shape)),
                name => self.note(NoteKind::UnknownElement, name),
            }
        }
        Ok(())
    }

    fn text_of(&mut self, shape: &Element) -> Result<(), ExtractError> {
        let Some(body) = shape.child("txBody") else { return Ok(()) };
        let ground = self.ground.below(shape);
        let frames = slide_svg::paragraph_frames(shape);
        let title = Arc::clone(&self.title);
        let mut at = 0;
        for line in lines(body, &ground) {
            self.push(&line, &title, frames.get(at))?;
            at += usize::from(!line.text.is_empty());
        }
        Ok(())
    }

    /// A table, a diagram, a chart, or an object of another program.
    fn graphic(&mut self, package: &mut Package<'_>, shape: &Element) -> Result<(), ExtractError> {
        let tables = shape.descendants("tbl");
        for &table in &tables {
            let frames = slide_svg::row_frames(shape, table);
            for (at, (line, heading)) in rows(table, &self.title, &self.ground).iter().enumerate() {
                self.push(line, heading, frames.get(at))?;
            }
        }
        if !tables.is_empty() {
            return Ok(());
        }
        if let Some(ids) = shape.descendants("relIds").first() {
            return self.diagram(package, ids);
        }
        let uri = shape.descendants("graphicData").first().and_then(|data| data.attribute("uri"));
        let kind = match uri.and_then(|uri| uri.rsplit('/').next()) {
            Some("chart" | "chartex") => NoteKind::Chart,
            _ => NoteKind::EmbeddedObject,
        };
        self.note(kind, &described(shape));
        Ok(())
    }

    /// The words of a diagram, in the order in which its program lists them.
    fn diagram(&mut self, package: &mut Package<'_>, ids: &Element) -> Result<(), ExtractError> {
        let data =
            ids.attribute("dm").and_then(|id| self.relationships.get(id)).map(|(_, target)| target.clone());
        let model = data.map(|part| package.xml(&part)).transpose()?.flatten();
        let points = model.as_ref().and_then(|model| model.child("ptLst"));
        let title = Arc::clone(&self.title);
        for text in points.into_iter().flat_map(Element::elements).filter_map(|point| point.child("t")) {
            for line in lines(text, &Ground::unknown()) {
                self.push(&line, &title, None)?;
            }
        }
        let detail = if points.is_some() { "" } else { "its words could not be found" };
        self.note(NoteKind::Diagram, detail);
        Ok(())
    }

    /// The notes page that this slide names, and of it the body: not the slide's picture or the page's furniture.
    fn notes(&mut self, package: &mut Package<'_>) -> Result<(), ExtractError> {
        let target = self.relationships.values().find(|(kind, _)| kind == "notesSlide");
        let Some(target) = target.map(|(_, target)| target.clone()) else { return Ok(()) };
        let Some(notes) = package.xml(&target)? else { return Ok(()) };
        let place = Locator::Slide { number: self.number, notes: true };
        for shape in shapes(&notes).into_iter().filter(|shape| placeholder(shape) == Some("body")) {
            for line in shape.child("txBody").map(|body| lines(body, &Ground::unknown())).unwrap_or_default()
            {
                self.builder.push_line(&line, &self.title, place.clone())?;
            }
        }
        Ok(())
    }
}

/// What a picture shows, as its author describes it.
fn described(shape: &Element) -> String {
    let properties = shape.elements().find_map(|properties| properties.child("cNvPr"));
    properties.and_then(|properties| properties.attribute("descr")).unwrap_or_default().to_owned()
}

/// The rows of a table, each with the heading that it keeps: the slide's title and the table's header.
///
/// A merged cell is in every row and column that it covers: PowerPoint keeps a cell in each of them and marks those that
/// only go on with another.
fn rows(table: &Element, title: &Arc<str>, ground: &Ground) -> Vec<(Inlined, Arc<str>)> {
    let mut heading: Option<Arc<str>> = None;
    let mut rows = Vec::new();
    let mut above: Vec<String> = Vec::new();
    for row in table.elements().filter(|element| element.name == "tr") {
        let mut cells: Vec<String> = Vec::new();
        let mut left_out = Vec::new();
        for cell in row.elements().filter(|element| element.name == "tc") {
            let goes_on = |name| cell.attribute(name).is_some_and(|value| matches!(value, "1" | "true"));
            let text = if goes_on("vMerge") {
                above.get(cells.len()).cloned().unwrap_or_default()
            } else if goes_on("hMerge") {
                cells.last().cloned().unwrap_or_default()
            } else {
                let lines = cell.child("txBody").map(|body| lines(body, ground)).unwrap_or_default();
                let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
                let text = texts.join(" ");
                left_out.extend(lines.into_iter().flat_map(|line| line.left_out));
                text
            };
            cells.push(text);
        }
        let all_one = cells.len() > 1 && cells.iter().all(|cell| *cell == cells[0]);
        let text = if cells.iter().all(String::is_empty) {
            String::new()
        } else if all_one {
            cells[0].clone()
        } else {
            cells.join(" | ")
        };
        let over = heading.clone().unwrap_or_else(|| Arc::clone(title));
        // A row across the whole table is its name, not that of its columns.
        if heading.is_none() && !text.is_empty() && !all_one {
            heading = Some(heading_of_rows(title, &text));
        }
        above = cells;
        rows.push((Inlined { text, left_out }, over));
    }
    rows
}

/// Draws one slide.
pub(crate) fn picture(
    content: &[u8],
    page: u32,
    limits: &Limits,
    budget: &Budget,
) -> Result<Picture, ExtractError> {
    let mut package = Package::open(content, budget)?;
    let deck = Deck::read(&mut package, limits)?;
    let index = (page as usize).checked_sub(1);
    let part = index.and_then(|index| deck.slides.get(index)).ok_or(ExtractError::Empty)?.clone();
    let slide = package.required(&part)?;
    let relationships = package.relationships(&part)?;
    // What the slide leaves open, its layout says.
    let layout_part =
        relationships.values().find(|(kind, _)| kind == "slideLayout").map(|(_, target)| target.clone());
    let layout = layout_part.map(|part| package.xml(&part)).transpose()?.flatten();
    let mut images = HashMap::new();
    for (id, (kind, target)) in &relationships {
        if kind == "image"
            && let Some(bytes) = package.read(target)?
        {
            images.insert(id.clone(), (target.clone(), bytes));
        }
    }
    let svg = slide_svg::draw(&slide, layout.as_ref(), &images, deck.size, budget)?;
    Ok(Picture { media_type: "image/svg+xml", bytes: svg.into_bytes() })
}

#[cfg(test)]
mod tests;
