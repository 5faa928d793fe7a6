//! What NCBI's E-utilities answer: efetch (XML) and esearch (JSON).
//!
//! A retraction is marked in two ways in PubMed, and both are read: the publication type "Retracted Publication" of the
//! article (MeSH D016441), and the link to its notice (`CommentsCorrections RefType="RetractionIn"`). Errors come in many
//! forms and often with status 200 (NBK25497; recorded in `shared/data/registries`).

use serde::Deserialize;

use super::{Article, Reading, Registry, Verdict};
use preceptor_extract::xml::{self, Element};

/// Reads an efetch answer for one article.
pub(super) fn article(body: &[u8], pmid: &str) -> Reading<Article> {
    if is_rate_limit(body) {
        return Reading::NoAnswer("the registry's limit of requests was reached");
    }
    let Ok(text) = std::str::from_utf8(body) else { return Reading::NoAnswer("the answer is not text") };
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.is_empty() {
        return Reading::Nothing("the answer is empty");
    }
    if start.get(..9).is_some_and(|start| {
        start.eq_ignore_ascii_case("<!doctype") && text.to_ascii_lowercase().contains("<html")
    }) || start.starts_with("<html")
    {
        return Reading::NoAnswer("the answer is a web page");
    }
    let Ok(root) = xml::parse(text) else { return Reading::NoAnswer("the answer breaks off or is not XML") };
    let refusal = if root.name == "ERROR" { Some(&root) } else { root.child("ERROR") };
    if let Some(refusal) = refusal {
        let text = refusal.text().to_lowercase();
        return if ["id list is empty", "empty id list"].iter().any(|part| text.contains(part)) {
            Reading::Nothing("the registry does not accept the identifier")
        } else {
            Reading::NoAnswer("the registry answered with an error")
        };
    }
    let articles = root.descendants("PubmedArticle");
    let own = articles
        .into_iter()
        .find(|article| article.at(&["MedlineCitation", "PMID"]).is_some_and(|id| id.text().trim() == pmid));
    own.map_or(Reading::Nothing("the registry has no article of this number"), |article| {
        Reading::Found(read(article, pmid))
    })
}

fn read(article: &Element, pmid: &str) -> Article {
    let text = |path: &[&str]| article.at(path).map(|element| one_line(&element.text())).unwrap_or_default();
    let doi = article.at(&["PubmedData", "ArticleIdList"]).into_iter().flat_map(Element::elements);
    let doi = doi
        .filter(|id| id.attribute("IdType") == Some("doi"))
        .map(|id| id.text().trim().to_lowercase())
        .next();
    let (verdict, markers) = verdict(article);
    Article {
        registry: Registry::PubMed,
        pmid: pmid.to_owned(),
        doi: doi.unwrap_or_default(),
        title: text(&["MedlineCitation", "Article", "ArticleTitle"]),
        journal: text(&["MedlineCitation", "Article", "Journal", "Title"]),
        year: text(&["MedlineCitation", "Article", "Journal", "JournalIssue", "PubDate", "Year"]),
        verdict,
        markers,
    }
}

/// The worst thing that the markers say.
fn verdict(article: &Element) -> (Verdict, Vec<String>) {
    let types = article
        .at(&["MedlineCitation", "Article", "PublicationTypeList"])
        .into_iter()
        .flat_map(Element::elements);
    let types = types.filter_map(|kind| {
        let is_retracted =
            kind.attribute("UI") == Some("D016441") || kind.text().trim() == "Retracted Publication";
        is_retracted.then(|| (Verdict::Retracted, "publication type: Retracted Publication".to_owned()))
    });
    let links =
        article.at(&["MedlineCitation", "CommentsCorrectionsList"]).into_iter().flat_map(Element::elements);
    let links = links.filter_map(|link| {
        let kind = link.attribute("RefType")?;
        let verdict = match kind {
            "RetractionIn" => Verdict::Retracted,
            "PartialRetractionIn" => Verdict::PartiallyRetracted,
            "RetractedandRepublishedIn" => Verdict::RetractedAndRepublished,
            "ExpressionOfConcernIn" => Verdict::ExpressionOfConcern,
            "ErratumIn" | "CorrectedandRepublishedIn" => Verdict::Erratum,
            _ => return None,
        };
        let notice = link.child("RefSource").map(|source| one_line(&source.text())).unwrap_or_default();
        Some((verdict, format!("{kind}: {notice}")))
    });
    let found: Vec<(Verdict, String)> = types.chain(links).collect();
    let republished = found.iter().any(|(verdict, _)| *verdict == Verdict::RetractedAndRepublished);
    let worst = found.iter().map(|(verdict, _)| *verdict).max().unwrap_or(Verdict::Verified);
    // An article that was republished carries the marker of its retraction too.
    let verdict =
        if republished && worst == Verdict::Retracted { Verdict::RetractedAndRepublished } else { worst };
    (verdict, found.into_iter().map(|(_, marker)| marker).collect())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Deserialize)]
struct Search {
    esearchresult: Option<SearchResult>,
}

#[derive(Deserialize)]
struct SearchResult {
    #[serde(default)]
    idlist: Vec<String>,
    /// The search failed; there is not a list then, and none of it means that nothing was found.
    #[serde(rename = "ERROR")]
    error: Option<String>,
}

/// Reads an esearch answer: the number of the only article that has the identifier.
pub(super) fn number(body: &[u8]) -> Reading<String> {
    if is_rate_limit(body) {
        return Reading::NoAnswer("the registry's limit of requests was reached");
    }
    let Ok(search) = serde_json::from_slice::<Search>(body) else {
        return Reading::NoAnswer("the answer breaks off or is not JSON");
    };
    let Some(result) = search.esearchresult else { return Reading::NoAnswer("the answer holds no result") };
    if result.error.is_some() {
        return Reading::NoAnswer("the registry's search failed");
    }
    match result.idlist.as_slice() {
        [only] => Reading::Found(only.clone()),
        [] => Reading::Nothing("PubMed has no article of this DOI"),
        _ => Reading::Nothing("PubMed has several articles of this DOI"),
    }
}

/// "API rate limit exceeded", with status 429 or 200.
pub(super) fn is_rate_limit(body: &[u8]) -> bool {
    let start = &body[..body.len().min(400)];
    String::from_utf8_lossy(start).to_ascii_lowercase().contains("api rate limit exceeded")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetched(types: &str, links: &str) -> Reading<Article> {
        let body = format!(
            r#"<?xml version="1.0" ?><!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2024//EN" "https://dtd.nlm.nih.gov/x.dtd">
            <PubmedArticleSet><PubmedArticle><MedlineCitation><PMID Version="1">42</PMID><Article><Journal><JournalIssue><PubDate><Year>2024</Year></PubDate></JournalIssue>
            <Title>A journal</Title></Journal><ArticleTitle>On <i>something</i>.</ArticleTitle><PublicationTypeList>{types}</PublicationTypeList></Article>
            <CommentsCorrectionsList>{links}</CommentsCorrectionsList></MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="doi">10.1/X</ArticleId></ArticleIdList></PubmedData></PubmedArticle></PubmedArticleSet>"#
        );
        article(body.as_bytes(), "42")
    }

    fn verdict_of(types: &str, links: &str) -> Verdict {
        match fetched(types, links) {
            Reading::Found(article) => article.verdict,
            other => panic!("{other:?}"),
        }
    }

    fn link(kind: &str) -> String {
        format!(
            r#"<CommentsCorrections RefType="{kind}"><RefSource>A journal. 2025</RefSource><PMID>43</PMID></CommentsCorrections>"#
        )
    }

    #[test]
    fn an_article_is_read() {
        let Reading::Found(article) =
            fetched(r#"<PublicationType UI="D016428">Journal Article</PublicationType>"#, "")
        else {
            panic!("found")
        };
        assert_eq!(
            (article.title.as_str(), article.doi.as_str(), article.year.as_str()),
            ("On something.", "10.1/x", "2024")
        );
        assert_eq!(article.verdict, Verdict::Verified);
    }

    #[test]
    fn both_markers_of_a_retraction_are_read() {
        let retracted = r#"<PublicationType UI="D016441">Retracted Publication</PublicationType>"#;
        assert_eq!(verdict_of(retracted, ""), Verdict::Retracted);
        assert_eq!(verdict_of("", &link("RetractionIn")), Verdict::Retracted);
        assert_eq!(
            verdict_of(retracted, &link("RetractedandRepublishedIn")),
            Verdict::RetractedAndRepublished
        );
        assert_eq!(
            verdict_of("", &(link("ErratumIn") + &link("ExpressionOfConcernIn"))),
            Verdict::ExpressionOfConcern
        );
        assert_eq!(verdict_of("", &link("PartialRetractionIn")), Verdict::PartiallyRetracted);
        assert_eq!(verdict_of("", &link("CommentIn")), Verdict::Verified);
        // A notice is no retracted article.
        assert_eq!(
            verdict_of(
                r#"<PublicationType UI="D016440">Retraction of Publication</PublicationType>"#,
                &link("RetractionOf")
            ),
            Verdict::Verified
        );
    }

    #[test]
    fn what_is_no_answer_is_never_verified() {
        let nothing = [
            "<PubmedArticleSet></PubmedArticleSet>",
            "",
            "<eFetchResult><ERROR>Empty id list - nothing todo</ERROR></eFetchResult>",
        ];
        for body in nothing {
            assert!(matches!(article(body.as_bytes(), "42"), Reading::Nothing(_)), "{body}");
        }
        let no_answer = [
            "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
            "<html>maintenance</html>",
            "<eFetchResult><ERROR>Unable to obtain query #1</ERROR></eFetchResult>",
            r#"{"error":"API rate limit exceeded","api-key":"1.2.3.4","count":"4","limit":"3"}"#,
            "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>42</PMID>",
            r#"<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>"#,
        ];
        for body in no_answer {
            assert!(matches!(article(body.as_bytes(), "42"), Reading::NoAnswer(_)), "{body}");
        }
        let Reading::Nothing(_) = article(
            b"<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>7</PMID></MedlineCitation></PubmedArticle></PubmedArticleSet>",
            "42",
        ) else {
            panic!("another article is not this one");
        };
    }

    #[test]
    fn a_search_finds_one_article_or_none() {
        assert_eq!(
            number(br#"{"esearchresult":{"count":"1","idlist":["42"]}}"#),
            Reading::Found("42".into())
        );
        assert!(matches!(number(br#"{"esearchresult":{"count":"0","idlist":[]}}"#), Reading::Nothing(_)));
        assert!(matches!(
            number(br#"{"error":"API rate limit exceeded","count":"11"}"#),
            Reading::NoAnswer(_)
        ));
        assert!(matches!(number(b"<html>"), Reading::NoAnswer(_)));
        assert!(matches!(
            number(br#"{"esearchresult":{"ERROR":"Search Backend failed: read failed"}}"#),
            Reading::NoAnswer(_)
        ));
    }
}
