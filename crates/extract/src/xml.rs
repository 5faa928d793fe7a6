//! Hardened XML: a small tree, bounded in depth and number, without entities of the document's own.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::{ExtractError, inline};

/// Elements nested deeper than any article or slide.
const DEEPEST: usize = 128;
/// More elements than any article or slide has.
const MOST_ELEMENTS: usize = 2_000_000;

/// An element: names are local names, without prefixes.
#[derive(Debug, Default)]
pub struct Element {
    /// Its local name.
    pub name: String,
    attributes: Vec<(String, String)>,
    /// What is in it, in order.
    pub children: Vec<Node>,
}

/// What an element holds.
#[derive(Debug)]
pub enum Node {
    /// Another element.
    Element(Element),
    /// Text, entities replaced.
    Text(String),
}

fn malformed(error: impl std::fmt::Display) -> ExtractError {
    ExtractError::Malformed(format!("the XML cannot be read ({error})"))
}

/// Parses a document and returns its root element.
pub fn parse(text: &str) -> Result<Element, ExtractError> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open = vec![Element::default()];
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(malformed)?;
        if matches!(event, Event::Start(_) | Event::Empty(_)) {
            elements += 1;
            if elements > MOST_ELEMENTS || open.len() > DEEPEST {
                return Err(malformed("it is nested too deep or has too many elements"));
            }
        }
        match event {
            Event::Start(start) => open.push(element(&start)?),
            Event::Empty(start) => append(&mut open, Node::Element(element(&start)?)),
            Event::End(_) => {
                let closed = open.pop().ok_or_else(|| malformed("an end without a start"))?;
                append(&mut open, Node::Element(closed));
            }
            Event::Text(text) => append_text(&mut open, &text.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(data) => append_text(&mut open, &data.xml_content(XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) => {
                let text = match reference.resolve_char_ref().map_err(malformed)? {
                    Some(character) => character.to_string(),
                    None => named_entity(&reference),
                };
                append_text(&mut open, &text);
            }
            // A subset can declare entities that expand without end.
            Event::DocType(doctype) if doctype.contains('[') => return Err(ExtractError::Entities),
            Event::Eof => break,
            _ => {}
        }
    }
    let root = open.pop().filter(|_| open.is_empty()).ok_or_else(|| malformed("an element is not closed"))?;
    let mut elements = root.children.into_iter().filter_map(|node| match node {
        Node::Element(element) => Some(element),
        Node::Text(_) => None,
    });
    elements.next().ok_or_else(|| malformed("it has no element"))
}

/// The character of an entity that the DTDs of journals and HTML name. No DTD is ever fetched: any other is a character
/// that cannot be known, and one sees that it is missing.
fn named_entity(name: &str) -> String {
    inline::entity(name).map_or_else(|| char::REPLACEMENT_CHARACTER.to_string(), Cow::into_owned)
}

fn element(start: &BytesStart<'_>) -> Result<Element, ExtractError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(malformed)?;
        let value = match attribute.normalized_value(XmlVersion::Implicit1_0) {
            Ok(value) => value.into_owned(),
            // An entity of a DTD, in an attribute.
            Err(_) => inline::decode_entities(&attribute.value).into_owned(),
        };
        attributes.push((attribute.key.local_name().as_ref().to_owned(), value));
    }
    Ok(Element { name: start.local_name().as_ref().to_owned(), attributes, children: Vec::new() })
}

fn append(open: &mut [Element], node: Node) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(node);
    }
}

fn append_text(open: &mut [Element], text: &str) {
    let Some(parent) = open.last_mut() else { return };
    match parent.children.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ => parent.children.push(Node::Text(text.to_owned())),
    }
}

impl Element {
    /// The value of an attribute, by local name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The values of all attributes of that local name: two prefixes may share one.
    pub fn attributes_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Child elements, in order.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first child element of that name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.name == name)
    }

    /// Follows names from child to child.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// All elements of that name, at any depth, in document order; none inside another.
    pub fn descendants(&self, name: &str) -> Vec<&Self> {
        let mut found = Vec::new();
        for element in self.elements() {
            if element.name == name {
                found.push(element);
            } else {
                found.extend(element.descendants(name));
            }
        }
        found
    }

    /// All text inside, in order, leaving out elements that `skip` names.
    pub fn text_without(&self, skip: &[&str]) -> String {
        let mut text = String::new();
        self.collect_text(skip, &mut text);
        text
    }

    fn collect_text(&self, skip: &[&str], out: &mut String) {
        for node in &self.children {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Element(element) if !skip.contains(&element.name.as_str()) => {
                    element.collect_text(skip, out);
                }
                Node::Element(_) => {}
            }
        }
    }

    /// All text inside, white space folded.
    pub fn text(&self) -> String {
        super::fold(&self.text_without(&[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_with_references_and_prefixes() {
        let root =
            parse("<?xml version='1.0'?><!DOCTYPE a SYSTEM 'x.dtd'><a><x:b k='1 &amp; 2'>one &#x3b1;&lt;<![CDATA[<c>]]></x:b>&thinsp;&ge;&nosuch;</a>")
                .expect("a tree");
        let b = root.child("b").expect("a child");
        assert_eq!((b.attribute("k"), b.text().as_str()), (Some("1 & 2"), "one α<<c>"));
        assert_eq!(root.text(), "one α<<c> ≥[sign that cannot be read]");
    }

    #[test]
    fn a_billion_laughs_are_not_laughed() {
        let bomb = "<!DOCTYPE a [<!ENTITY l 'ha'><!ENTITY m '&l;&l;&l;'>]><a>&m;</a>";
        assert!(matches!(parse(bomb), Err(ExtractError::Entities)));
    }

    #[test]
    fn a_tower_is_refused() {
        let tower = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert!(matches!(parse(&tower), Err(ExtractError::Malformed(_))));
    }

    #[test]
    fn broken_documents_are_errors() {
        for broken in ["", "words", "<a>", "<a></b>", "<a"] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }
}
