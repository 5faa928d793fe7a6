//! Real slides, articles, documents and transcripts, as they are: citations open the right slide, section or second.

use preceptor::client::{Upload, id};
use preceptor_testkit::{Local, model, shared_data};
use serde_json::Value;

use crate::support::list;

/// A file with a question that it answers, and where.
struct Case {
    file: &'static str,
    question: &'static str,
    /// What the locator must hold.
    place: fn(&Value) -> bool,
}

const CASES: [Case; 4] = [
    Case {
        file: "course/slides-evaluation-imaging-ai.pdf",
        question: "How is the performance of imaging AI evaluated?",
        place: |locator| locator["page"].as_i64().is_some_and(|page| page > 0),
    },
    Case {
        file: "course/course.md",
        question: "What is artificial intelligence in medical imaging?",
        place: |locator| !list(locator, "path").is_empty(),
    },
    Case {
        file: "jats/pmed.1001518.xml",
        question: "What were the methods of the study?",
        place: |locator| !list(locator, "path").is_empty(),
    },
    Case {
        file: "transcripts/day1_consultation01.vtt",
        question: "What brings the patient in today?",
        place: |locator| locator["end_ms"].as_i64() > locator["start_ms"].as_i64(),
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn citations_of_real_files_open_the_place_they_quote() {
    let (Some(data), Some(model)) = (shared_data("real sources"), model("real sources")) else { return };
    let local = Local::start(Some(model)).await.expect("a mesh");
    for case in CASES {
        let upload = Upload::read(&data.join(case.file)).expect("a file");
        let program = local.publish(case.file, &[], vec![upload]).await.expect("a program");
        let answer = local.editor.ask(&program, case.question).await.expect("an answer");
        let cited: Vec<&Value> = list(&answer, "sentences")
            .iter()
            .chain(list(&answer["closest"], "quotes"))
            .flat_map(|sentence| list(sentence, "citations"))
            .chain(list(&answer["refusal"], "sources"))
            .collect();
        assert!(!cited.is_empty(), "{}: {answer:#}", case.file);
        for citation in cited {
            assert!((case.place)(&citation["locator"]), "{}: {citation:#}", case.file);
            opens(&local, citation).await;
        }
    }
    local.stop().await;
}

/// The page behind a citation highlights exactly the quotation.
async fn opens(local: &Local, citation: &Value) {
    let admin = local.mesh.first_start.as_ref().expect("a first start").admin_token.expose();
    let url = format!("{}{}", local.url, id(citation, "url").expect("a url"));
    let page = reqwest::Client::new()
        .get(url)
        .bearer_auth(admin)
        .send()
        .await
        .expect("a page")
        .text()
        .await
        .expect("text");
    let marked: String = page
        .split("<mark")
        .skip(1)
        .filter_map(|part| Some(part.split_once('>')?.1.split("</mark>").next()?.to_owned() + " "))
        .collect();
    let letters = |text: &str| {
        text.replace("&#39;", "'")
            .replace("&#34;", "\"")
            .replace("&#38;", "&")
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .split_whitespace()
            .collect::<String>()
    };
    assert_eq!(letters(&marked), letters(citation["quote"].as_str().expect("a quote")), "{citation:#}");
}
