//! What Crossref's REST API answers for one work. On the work that was retracted, `updated-by` names the notice.

use serde::Deserialize;

use super::{Article, Reading, Registry, Verdict};

#[derive(Deserialize)]
struct Answer {
    message: Work,
}

#[derive(Deserialize)]
struct Work {
    #[serde(rename = "DOI")]
    doi: String,
    #[serde(default)]
    title: Vec<String>,
    #[serde(default, rename = "container-title")]
    journal: Vec<String>,
    #[serde(default)]
    issued: Option<Issued>,
    #[serde(default, rename = "updated-by")]
    updates: Vec<Update>,
}

#[derive(Deserialize)]
struct Issued {
    #[serde(default, rename = "date-parts")]
    parts: Vec<Vec<Option<i64>>>,
}

#[derive(Deserialize)]
struct Update {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default, rename = "DOI")]
    doi: String,
    #[serde(default)]
    source: String,
}

/// Reads an answer about `doi`.
pub(super) fn article(body: &[u8], doi: &str) -> Reading<Article> {
    if body.starts_with(b"Resource not found") {
        return Reading::Nothing("Crossref has no work of this DOI");
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Reading::NoAnswer("the answer breaks off or is not JSON");
    };
    let work = answer.message;
    if !work.doi.eq_ignore_ascii_case(doi) {
        return Reading::Nothing("Crossref answered with another work");
    }
    let updates: Vec<(Verdict, String)> = work.updates.iter().filter_map(update).collect();
    let year = work.issued.and_then(|issued| issued.parts.into_iter().flatten().flatten().next());
    Reading::Found(Article {
        registry: Registry::Crossref,
        pmid: String::new(),
        doi: work.doi.to_lowercase(),
        title: work.title.into_iter().next().unwrap_or_default(),
        journal: work.journal.into_iter().next().unwrap_or_default(),
        year: year.map(|year| year.to_string()).unwrap_or_default(),
        verdict: updates.iter().map(|(verdict, _)| *verdict).max().unwrap_or(Verdict::Verified),
        markers: updates.into_iter().map(|(_, marker)| marker).collect(),
    })
}

fn update(update: &Update) -> Option<(Verdict, String)> {
    let verdict = match update.kind.as_str() {
        "retraction" | "withdrawal" | "removal" => Verdict::Retracted,
        "partial_retraction" => Verdict::PartiallyRetracted,
        "expression_of_concern" => Verdict::ExpressionOfConcern,
        "correction" | "corrigendum" | "erratum" | "addendum" | "clarification" => Verdict::Erratum,
        _ => return None,
    };
    Some((verdict, format!("updated-by {} {} (source: {})", update.kind, update.doi, update.source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(updates: &str) -> Reading<Article> {
        let body = format!(
            r#"{{"status":"ok","message":{{"DOI":"10.1/X","title":["A work"],"container-title":["A journal"],"issued":{{"date-parts":[[1998,2]]}},"updated-by":[{updates}]}}}}"#
        );
        article(body.as_bytes(), "10.1/x")
    }

    #[test]
    fn an_update_is_the_verdict() {
        let Reading::Found(plain) = answer("") else { panic!("found") };
        assert_eq!((plain.verdict, plain.year.as_str()), (Verdict::Verified, "1998"));
        let Reading::Found(retracted) = answer(
            r#"{"type":"correction","DOI":"10.1/c"},{"type":"retraction","DOI":"10.1/r","source":"retraction-watch"}"#,
        ) else {
            panic!("found")
        };
        assert_eq!(retracted.verdict, Verdict::Retracted);
        assert!(retracted.markers[1].contains("retraction-watch"));
    }

    #[test]
    fn what_is_no_answer_is_never_verified() {
        assert!(matches!(article(b"Resource not found.", "10.1/x"), Reading::Nothing(_)));
        assert!(matches!(article(b"<html>", "10.1/x"), Reading::NoAnswer(_)));
        assert!(matches!(answer(""), Reading::Found(_)));
        assert!(matches!(article(br#"{"message":{"DOI":"10.1/y"}}"#, "10.1/x"), Reading::Nothing(_)));
    }
}
