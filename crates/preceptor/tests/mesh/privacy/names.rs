//! Names and titles that are printed or signed are what they look like, wherever they come in.

use preceptor::journey::physician;
use preceptor_testkit::Store;
use serde_json::json;

use crate::support::{WARFARIN, markdown};

preceptor_testkit::on_both_stores! {
    a_name_that_is_not_what_it_looks_like_is_refused_everywhere_and_its_sign_named
}

async fn a_name_that_is_not_what_it_looks_like_is_refused_everywhere_and_its_sign_named(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let learner = local.learner(&program, "l").await.expect("a learner");
    for (name, sign) in [
        ("\u{200b}", "U+200B"),
        ("Rosa\u{200f} Alvarez", "U+200F"),
        ("Rosa \u{202e}zeravlA", "U+202E"),
        ("Rosa \u{410}lvarez", "U+0410"),
        ("Rosa\u{e0041} Alvarez", "U+E0041"),
    ] {
        let statement = physician(name, "rosa@example.org");
        let refused = [
            learner.put("/v1/me/clinician", &statement).await,
            local.editor.post("/v1/staff", &json!({ "name": name, "role": "editor" })).await,
            local.operator.post("/v1/orgs", &json!({ "name": name, "admin_name": "Admin" })).await,
            local.operator.post("/v1/orgs", &json!({ "name": "Harbor", "admin_name": name })).await,
            local.editor.accredit(name).await.map(serde_json::Value::String),
            local.editor.post("/v1/programs", &json!({ "title": name, "objectives": [] })).await,
        ];
        for (place, refused) in refused.into_iter().enumerate() {
            let said = refused.expect_err(&format!("{name:?} was taken at {place}")).to_string();
            // Where scripts meet inside a word, either letter may be the one that is named.
            let named = said.contains(sign) || (sign == "U+0410" && said.contains("mixes scripts"));
            assert!(said.contains("INVALID_FIELD") && named, "{place}: {said}");
        }
    }
    for title in ["TNFα and IL-1β in uveitis", "β-blockers after infarction"] {
        local
            .editor
            .post("/v1/programs", &json!({ "title": title, "objectives": [] }))
            .await
            .expect("a title");
    }
    local.stop().await;
}
