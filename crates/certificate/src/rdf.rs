//! From JSON-LD to the canonical N-Quads that are signed (RDFC-1.0 with SHA-256), with the contexts at hand and nothing
//! ever fetched.
//!
//! The contexts are those terms of the W3C's and 1EdTech's documents that our credentials use, under the same names and
//! IRIs. A document that uses any other term is refused: JSON-LD would drop it, and what is dropped is not signed.

use std::collections::{BTreeMap, HashMap};

use oxjsonld::{JsonLdParser, JsonLdRemoteDocument};
use oxrdf::dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm};
use oxrdf::{Dataset, NamedOrBlankNodeRef, TermRef};
use serde_json::{Value, json};

/// The contexts of a credential, in their order.
pub(crate) const CONTEXT_NAMES: [&str; 2] =
    ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"];
const CONTEXTS: [(&str, &[u8]); 2] = [
    (CONTEXT_NAMES[0], include_bytes!("../contexts/credentials-v2.terms.json")),
    (CONTEXT_NAMES[1], include_bytes!("../contexts/open-badges-3.0.3.terms.json")),
];
/// Marks of what JSON-LD would drop without a word.
const UNDEFINED_TERM: &str = "urn:x-undefined:";
const RELATIVE_IRI: &str = "https://undefined.invalid/";
/// RDFC-1.0 takes exponential time over blank nodes that look alike.
const MOST_AMBIGUOUS: usize = 8;

/// Why a document has no canonical form here.
pub(crate) type Problem = String;

/// The canonical N-Quads of a document.
pub(crate) fn canonical(document: &Value) -> Result<String, Problem> {
    refuse_odd_forms(document, true)?;
    refuse_dropped(document)?;
    let mut dataset = dataset(document, None)?;
    refuse_hard_graphs(&dataset)?;
    dataset.canonicalize(CanonicalizationAlgorithm::Rdfc10 {
        hash_algorithm: CanonicalizationHashAlgorithm::Sha256,
    });
    let mut lines: Vec<String> = dataset.iter().map(|quad| format!("{quad} .\n")).collect();
    lines.sort_unstable();
    Ok(lines.concat())
}

fn dataset(document: &Value, base: Option<&str>) -> Result<Dataset, Problem> {
    let bytes = serde_json::to_vec(document).map_err(|error| error.to_string())?;
    let mut parser = JsonLdParser::new();
    if let Some(base) = base {
        parser = parser.with_base_iri(base).map_err(|error| error.to_string())?;
    }
    let quads = parser.for_slice(&bytes).with_load_document_callback(|url, _| {
        match CONTEXTS.iter().find(|(known, _)| *known == url) {
            Some((_, document)) => {
                Ok(JsonLdRemoteDocument { document: document.to_vec(), document_url: url.to_owned() })
            }
            None => Err(format!("the context {url} is not at hand").into()),
        }
    });
    quads.collect::<Result<Dataset, _>>().map_err(|error| error.to_string())
}

/// One spelling only: plain keys, contexts by name, no labeled blank nodes.
fn refuse_odd_forms(value: &Value, top: bool) -> Result<(), Problem> {
    // Badges name both contexts; what is no badge names the first alone.
    let is_ours = |contexts: &[Value]| {
        let names: Option<Vec<&str>> = contexts.iter().map(Value::as_str).collect();
        names.is_some_and(|names| names == CONTEXT_NAMES || names == CONTEXT_NAMES[..1])
    };
    match value {
        Value::Object(map) => map.iter().try_for_each(|(key, value)| match (key.as_str(), value) {
            ("@context", Value::Array(contexts)) if top && is_ours(contexts) => Ok(()),
            _ if key.starts_with('@') || key.contains(':') => Err(format!("{key} is not expected here")),
            _ => refuse_odd_forms(value, false),
        }),
        Value::Array(values) => values.iter().try_for_each(|value| refuse_odd_forms(value, false)),
        Value::String(text) if text.starts_with("_:") => Err("a blank node with a label".to_owned()),
        _ => Ok(()),
    }
}

/// With a vocabulary and a base that no one uses, everything that would be dropped shows up as a quad.
fn refuse_dropped(document: &Value) -> Result<(), Problem> {
    let mut probe = document.clone();
    let Some(Value::Array(contexts)) = probe.get_mut("@context") else {
        return Err("it names no contexts".to_owned());
    };
    contexts.insert(0, json!({ "@vocab": UNDEFINED_TERM }));
    let dataset = dataset(&probe, Some(RELATIVE_IRI))?;
    let dropped = dataset
        .iter()
        .map(|quad| quad.to_string())
        .find(|line| [UNDEFINED_TERM, RELATIVE_IRI].iter().any(|mark| line.contains(&format!("<{mark}"))));
    dropped.map_or(Ok(()), |line| Err(format!("its signature would not cover {line}")))
}

/// Refuses named graphs and blank nodes that take too long to tell apart.
fn refuse_hard_graphs(dataset: &Dataset) -> Result<(), Problem> {
    let mut quads_of: HashMap<String, Vec<String>> = HashMap::new();
    for quad in dataset {
        if !quad.graph_name.is_default_graph() {
            return Err("a graph inside the graph".to_owned());
        }
        let subject =
            matches!(quad.subject, NamedOrBlankNodeRef::BlankNode(_)).then(|| quad.subject.to_string());
        let object = matches!(quad.object, TermRef::BlankNode(_)).then(|| quad.object.to_string());
        for node in [&subject, &object].into_iter().flatten() {
            let mark = |blank: Option<&String>, term: String| match blank {
                Some(blank) if blank == node => "_:self".to_owned(),
                Some(_) => "_:other".to_owned(),
                None => term,
            };
            let subject = mark(subject.as_ref(), quad.subject.to_string());
            let object = mark(object.as_ref(), quad.object.to_string());
            quads_of.entry(node.clone()).or_default().push(format!("{subject} {} {object}", quad.predicate));
        }
    }
    let mut alike: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for mut quads in quads_of.into_values() {
        quads.sort_unstable();
        *alike.entry(quads).or_default() += 1;
    }
    let ambiguous: usize = alike.values().filter(|nodes| **nodes > 1).sum();
    if ambiguous > MOST_AMBIGUOUS { Err("too many nodes that look alike".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(extra: Value) -> Value {
        let mut document = json!({
            "@context": CONTEXT_NAMES,
            "id": "https://example.org/verify/1",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "A certificate",
            "validFrom": "2026-01-15T10:00:00Z",
        });
        if let (Value::Object(document), Value::Object(extra)) = (&mut document, extra) {
            document.extend(extra);
        }
        document
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let one = canonical(&document(json!({}))).expect("quads");
        let text = document(json!({})).to_string();
        let turned: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(canonical(&turned).expect("quads"), one);
        assert!(one.contains("<https://schema.org/name> \"A certificate\""), "{one}");
        assert!(one.contains("<https://www.w3.org/2018/credentials#validFrom>"), "{one}");
    }

    #[test]
    fn what_would_not_be_signed_is_refused() {
        for extra in [
            json!({ "unheardOf": "x" }),
            json!({ "id": "relative" }),
            json!({ "@graph": [] }),
            json!({ "https://schema.org/name": "x" }),
            json!({ "@context": ["https://example.org/context"] }),
            json!({ "issuer": "_:b0" }),
        ] {
            assert!(canonical(&document(extra.clone())).is_err(), "{extra}");
        }
    }
}
