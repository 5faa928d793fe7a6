//! "How was this credit earned?": the chain as a tree, from the credit down to its sources.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use serde_json::Value;

use super::people::People;
use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::extract::Path;

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    credit_id: String,
    links: Vec<Link>,
    proof: String,
    document: String,
}

/// One link of the chain, as the tree shows it.
struct Link {
    title: String,
    at: String,
    facts: Vec<(&'static str, String)>,
    children: Vec<Self>,
}

impl Link {
    /// Shows names in the place of ids of staff.
    fn name(&mut self, people: &People) {
        for (_, value) in &mut self.facts {
            let name = people.name(value);
            if name != value.as_str() {
                *value = name.to_owned();
            }
        }
        for child in &mut self.children {
            child.name(people);
        }
    }
}

/// Which facts of a part are shown, by label and name in the document.
type Facts = &'static [(&'static str, &'static str)];

const CREDIT: Facts = &[
    ("Amount", "amount"),
    ("Type", "credit_name"),
    ("Recognition", "recognition"),
    ("Learner", "learner"),
    ("Ledger entry", "ledger_entry"),
];
const ACCREDITATION: Facts = &[
    ("Body", "body"),
    ("Provider", "provider"),
    ("Provider number", "provider_number"),
    ("Confirmed by the operator", "confirmed"),
    ("Status", "status"),
    ("From", "valid_from"),
    ("Until", "valid_until"),
    ("Recorded by", "recorded_by"),
];
const DESIGNATION: Facts = &[
    ("Activity", "activity"),
    ("At most", "maximum"),
    ("By", "designated_by"),
    ("Statement", "designation_statement"),
    ("SHA-256", "statements_sha256"),
];
const ATTEMPT: Facts = &[
    ("Right answers", "right_answers"),
    ("Of", "items"),
    ("Threshold, percent", "threshold_percent"),
    ("Passed", "passed"),
    ("Begun", "started_at"),
];
const QUIZ: Facts = &[("Form", "form_id"), ("Frozen by", "frozen_by"), ("SHA-256", "sha256")];
const ITEM: Facts = &[
    ("Asked", "stem"),
    ("Chosen", "chosen"),
    ("Right", "correct"),
    ("Made by", "author"),
    ("Approved by", "reviewer"),
    ("SHA-256", "sha256"),
    ("Notice", "notice"),
];
const CREDENTIAL: Facts = &[
    ("Name", "name"),
    ("Profession", "profession"),
    ("Level", "level"),
    ("Method", "method"),
    ("Valid from", "valid_from"),
    ("Valid until", "valid_until"),
];
const CHECK: Facts = &[("Passed", "passed"), ("Found", "detail"), ("By", "actor")];
const SOURCE: Facts = &[
    ("Class", "class"),
    ("Title", "title"),
    ("PMID", "pmid"),
    ("DOI", "doi"),
    ("Statement", "statement"),
    ("By", "actor"),
    ("Event", "verification_id"),
];
const CALL: Facts =
    &[("Request", "request"), ("Status", "status"), ("Answer, SHA-256", "sha256"), ("Finding", "finding")];
const LATER: Facts = &[("Verdict", "verdict")];
const PROOF: Facts = &[
    ("Certificate", "certificate_id"),
    ("Credential, SHA-256", "credential_sha256"),
    ("Signed by", "signing_key"),
    ("Record in the log", "leaf_index"),
    ("Size of the log", "log_size"),
];

const UNINDEXED: Facts = &[("Places in the log", "unindexed")];

/// Which records of the log speak of an object, by its id.
struct Records(BTreeMap<String, Vec<String>>);

impl Records {
    fn of(document: &Value) -> Self {
        let mut by_object: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in list(&document["records"]["entries"]) {
            by_object.entry(text(&entry["object"])).or_default().push(format!(
                "{} {}",
                entry["leaf_index"],
                text(&entry["action"])
            ));
        }
        Self(by_object)
    }

    /// Has a link say where in the log its records are.
    fn note(&self, link: &mut Link, object: &Value) {
        if let Some(records) = self.0.get(&text(object)) {
            link.facts.push(("Proved by records", records.join(" · ")));
        }
    }
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let document = edge.provenance(&identity, &id).await?;
    let proof = document["proof"]["inclusion_proof"].as_str().unwrap_or_default().to_owned();
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    let people = People::of(&edge, &identity).await?;
    let mut links = chain(&document);
    for link in &mut links {
        link.name(&people);
    }
    html(&HistoryPage { frame: Frame::of(&identity), credit_id: id, links, proof, document: text })
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(" · "),
        other => other.to_string(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn link(title: impl Into<String>, part: &Value, at: &str, facts: Facts) -> Link {
    let facts =
        facts.iter().map(|(label, name)| (*label, text(&part[*name]))).filter(|(_, value)| !value.is_empty());
    Link { title: title.into(), at: text(&part[at]), facts: facts.collect(), children: Vec::new() }
}

fn chain(document: &Value) -> Vec<Link> {
    let records = Records::of(document);
    let proved = |title: &str, part: &Value, at: &str, facts: Facts| {
        let mut made = link(title, part, at, facts);
        records.note(&mut made, &part["id"]);
        made
    };
    let mut links = vec![
        proved("Credit", &document["credit"], "issued_at", CREDIT),
        proved("Accreditation", &document["accreditation"], "recorded_at", ACCREDITATION),
        proved("Designation", &document["designation"], "designated_at", DESIGNATION),
        proved("Attempt", &document["attempt"], "completed_at", ATTEMPT),
        quiz(&document["quiz"], &records),
        credential(&document["credential"], &document["credit"]["learner"], &records),
    ];
    links.extend(
        list(&document["sources"]).iter().enumerate().map(|(place, part)| source(place + 1, part, &records)),
    );
    links.push(link("Proof", &document["proof"], "issued_at", PROOF));
    if !list(&document["records"]["unindexed"]).is_empty() {
        links.push(link("Records that the index of the log lacks", &document["records"], "", UNINDEXED));
    }
    links
}

fn quiz(part: &Value, records: &Records) -> Link {
    let item = |(place, item): (usize, &Value)| {
        let mut child = link(format!("Item {}", place + 1), item, "approved_at", ITEM);
        let quote = text(&item["passages"][0]["quote"]);
        if !quote.is_empty() {
            child.facts.push(("Passage", quote));
        }
        records.note(&mut child, &item["item_version_id"]);
        child
    };
    let mut made = Link {
        children: list(&part["items"]).iter().enumerate().map(item).collect(),
        ..link("Quiz", part, "frozen_at", QUIZ)
    };
    records.note(&mut made, &part["form_id"]);
    made
}

fn credential(part: &Value, learner: &Value, records: &Records) -> Link {
    let check =
        |check: &Value| link(format!("Check: {}", text(&check["method"])), check, "checked_at", CHECK);
    let mut made = Link {
        children: list(&part["checks"]).iter().map(check).collect(),
        ..link("Credential", part, "asserted_at", CREDENTIAL)
    };
    records.note(&mut made, learner);
    made
}

fn source(number: usize, part: &Value, records: &Records) -> Link {
    let call = |call: &Value| link(format!("Asked {}", text(&call["registry"])), call, "called_at", CALL);
    let later = |later: &Value| link("Later", later, "at", LATER);
    let children =
        list(&part["calls"]).iter().map(call).chain(list(&part["later"]).iter().map(later)).collect();
    let mut made = Link { children, ..link(format!("Source {number}"), part, "verified_at", SOURCE) };
    records.note(&mut made, &part["source_version_id"]);
    made
}
