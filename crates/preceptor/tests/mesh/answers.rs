//! Refusals, guards, corrections, and what no upload elsewhere can move.

use preceptor_testkit::local::publish;
use preceptor_testkit::{Store, model};
use serde_json::Value;

use crate::support::{WARFARIN, eventually, list, markdown};

preceptor_testkit::on_both_stores! {
    what_is_not_in_the_program_is_refused_with_the_closest_sources
    what_may_not_be_an_answer_is_shown_as_the_closest_passages
    a_misspelled_word_is_corrected_visibly
    without_a_model_words_are_compared_and_the_answer_says_so
    uploads_elsewhere_move_no_score_by_a_bit
}

async fn what_is_not_in_the_program_is_refused_with_the_closest_sources(store: Store) {
    let Some(model) = model("refusals") else { return };
    let local = store.mesh_with(Some(model), |_| {}).await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let learner = local.learner(&program, "l").await.expect("a learner");
    let cases = [
        ("How is gout treated in pregnancy?", "NOT_IN_PROGRAM"),
        ("Should my father stop his warfarin?", "PATIENT_SPECIFIC"),
        ("MRN 00123456, which dose of warfarin?", "PHI_DETECTED"),
    ];
    for (question, code) in cases {
        let answer = learner.ask(&program, question).await.expect("an answer");
        assert_eq!(answer["refusal"]["code"], code, "{question}");
        assert!(
            list(&answer, "sentences").is_empty() && !list(&answer["refusal"], "sources").is_empty(),
            "{question}"
        );
    }
    let listed = local.editor.get(&format!("/v1/programs/{program}/messages")).await.expect("messages");
    let withheld = list(&listed, "data")
        .iter()
        .find(|message| message["quarantined"] == true)
        .expect("the quarantined one");
    assert_eq!(withheld["question"], "");
    assert!(!contains(&local.data(), b"00123456"), "nothing on disk holds what was pasted");
    local.stop().await;
}

async fn what_may_not_be_an_answer_is_shown_as_the_closest_passages(store: Store) {
    let Some(model) = model("closest passages") else { return };
    let local = store.mesh_with(Some(model), |_| {}).await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let learner = local.learner(&program, "l").await.expect("a learner");
    let answer = learner.ask(&program, "Is warfarin safe with alcohol?").await.expect("a reply");
    assert_eq!(answer["outcome"], "closest", "{answer:#}");
    assert!(list(&answer, "sentences").is_empty() && answer["refusal"].is_null(), "{answer:#}");
    let said = answer["closest"]["message"].as_str().unwrap_or_default();
    assert!(said.contains("may not answer"), "{said}");
    let quotes = list(&answer["closest"], "quotes");
    assert!((1..=3).contains(&quotes.len()), "{answer:#}");
    for quote in quotes {
        assert!(WARFARIN.contains(quote["text"].as_str().unwrap_or("?")), "verbatim: {quote}");
        assert_eq!(quote["citations"][0]["quote"], quote["text"]);
    }
    let message = answer["message_id"].as_str().expect("an id");
    let on_record = learner.get(&format!("/v1/messages/{message}")).await.expect("the message");
    assert_eq!((&on_record["outcome"], &on_record["closest"]), (&answer["outcome"], &answer["closest"]));
    eventually("the count", async || {
        let report = local.editor.get(&format!("/v1/programs/{program}/report")).await.ok()?;
        (report["closest"] == 1 && report["messages"] == 1).then_some(())
    })
    .await;
    local.stop().await;
}

/// Whether any file of a folder holds some bytes.
fn contains(folder: &std::path::Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("a folder").flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return contains(&path, needle);
        }
        std::fs::read(&path).is_ok_and(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
    })
}

async fn a_misspelled_word_is_corrected_visibly(store: Store) {
    let Some(model) = model("corrections") else { return };
    let local = store.mesh_with(Some(model), |_| {}).await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let answer =
        local.editor.ask(&program, "What is the startnig dose of warfarin?").await.expect("an answer");
    assert_eq!(answer["corrections"][0]["to"], "starting", "{answer:#}");
    local.stop().await;
}

async fn without_a_model_words_are_compared_and_the_answer_says_so(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let answer =
        local.editor.ask(&program, "What is the usual starting dose of warfarin?").await.expect("an answer");
    assert_eq!(answer["lexical_only"], true);
    let first = match answer["outcome"].as_str() {
        Some("answered") => &answer["sentences"][0]["citations"][0],
        Some("closest") => &answer["closest"]["quotes"][0]["citations"][0],
        _ => &answer["refusal"]["sources"][0],
    };
    assert_eq!(first["heading"], "Dosing");
    local.stop().await;
}

/// What of an answer must not move: everything but ids and times.
fn fingerprint(answer: &Value) -> String {
    let quotes: Vec<_> = list(answer, "sentences")
        .iter()
        .chain(list(&answer["closest"], "quotes"))
        .flat_map(|sentence| list(sentence, "citations"))
        .map(|citation| citation["quote"].clone())
        .collect();
    let offered: Vec<_> =
        list(&answer["refusal"], "sources").iter().map(|citation| citation["quote"].clone()).collect();
    let confidence = answer["confidence"].as_f64().expect("a confidence").to_bits();
    format!("{} {confidence:x} {quotes:?} {offered:?}", answer["outcome"])
}

async fn uploads_elsewhere_move_no_score_by_a_bit(store: Store) {
    let Some(model) = model("foreign uploads") else { return };
    let local = store.mesh_with(Some(model), |_| {}).await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let questions = [
        "What is the usual starting dose of warfarin?",
        "When is vitamin K given?",
        "How is gout treated?",
        "Does fluconazole interact?",
    ];
    let mut before = Vec::new();
    for question in questions {
        before.push(fingerprint(&local.editor.ask(&program, question).await.expect("an answer")));
    }
    // The same words, many times over, in the same org and in another one.
    let flood: String = (0..60)
        .map(|n| {
            format!("## Part {n}\n\nWarfarin, fluconazole, vitamin K and the INR, once more: gout {n}.\n\n")
        })
        .collect();
    local
        .publish("Flood", &[], vec![markdown("flood.md", &format!("# Flood\n\n{flood}"))])
        .await
        .expect("a program");
    let (admin, reviewer) = local.other_org("Elsewhere").await.expect("an org");
    publish(&admin, &reviewer, "Flood", &[], vec![markdown("flood.md", &format!("# Flood\n\n{flood}"))])
        .await
        .expect("a program");
    for (question, before) in questions.iter().zip(before) {
        let after = fingerprint(&local.editor.ask(&program, question).await.expect("an answer"));
        assert_eq!(after, before, "{question}");
    }
    local.stop().await;
}
