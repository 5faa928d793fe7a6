//! Names as certificates show them: in every script that there are fonts for, and refused early where there are none.

use std::process::Command;

use preceptor_certificate::verify::verify;
use preceptor_testkit::{Local, Store, skip, tools};
use serde_json::json;

use super::certificate::{fetched, issued_to};
use super::checking::without_network;
use super::course;

preceptor_testkit::on_both_stores! {
    a_name_that_cannot_be_printed_is_refused_before_anything_is_issued
    the_admin_sees_which_names_cannot_be_printed_before_anything_is_issued
}

/// Names from right to left, and letters with accents beside them.
const NAMES: [&str; 3] = ["أمينة الخطيب", "שרה לוי", "Zoë Åström-Łukasiewicz"];

#[tokio::test(flavor = "multi_thread")]
async fn names_of_every_direction_are_printed_and_can_be_read_again() {
    if Command::new("pdftotext").arg("-v").output().is_err() {
        return skip(
            "names_of_every_direction_are_printed_and_can_be_read_again",
            "poppler-utils is not installed",
        );
    }
    let local = Local::start(None).await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let folder = tempfile::tempdir().expect("a folder");
    for (place, name) in NAMES.into_iter().enumerate() {
        let learner = local.learner(&course.program, name).await.expect("a learner");
        let statement = preceptor::journey::physician(name, &format!("{place}@example.org"));
        learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
        let (_, _, pdf) = issued_to(&course, learner).await;
        assert!(verify(&pdf, None).expect("it holds").name.starts_with(name));
        let path = folder.path().join("certificate.pdf");
        std::fs::write(&path, &pdf).expect("a file");
        let output = Command::new("pdftotext").arg(&path).arg("-").output().expect("it runs");
        // Marks of direction are not letters of the name.
        let text: String = String::from_utf8_lossy(&output.stdout)
            .chars()
            .filter(|c| !('\u{200e}'..='\u{202e}').contains(c))
            .collect();
        assert!(text.contains(name) && text.contains('™'), "{name} in {text}");
    }
    local.stop().await;
}

async fn a_name_that_cannot_be_printed_is_refused_before_anything_is_issued(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = local.learner(&course.program, "cuneiform").await.expect("a learner");
    // A script that no usual font has.
    let statement = preceptor::journey::physician("𒂗𒃶𒌌𒀭𒈾", "enheduanna@example.org");
    let refused =
        learner.put("/v1/me/clinician", &statement).await.expect_err("it cannot be printed").to_string();
    assert!(refused.contains("NAME_NOT_PRINTABLE") && refused.contains("𒂗 (U+12097)"), "{refused}");
    assert!(refused.contains("write it in Latin letters, or ask your provider"), "{refused}");
    let refused = local.editor.accredit("𒂗𒃶𒌌 𒀭𒈾").await.expect_err("it cannot be printed").to_string();
    assert!(refused.contains("NAME_NOT_PRINTABLE"), "{refused}");
    local.stop().await;
}

async fn the_admin_sees_which_names_cannot_be_printed_before_anything_is_issued(store: Store) {
    // No fonts but those of the binary, whatever this machine has.
    let empty = tempfile::tempdir().expect("a folder");
    let named = empty.path().to_owned();
    let local =
        store.mesh_with(None, |config| config.certificates.fonts = vec![named]).await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let accreditations = local.editor.get("/v1/accreditations").await.expect("accreditations");
    let offers =
        local.editor.get(&format!("/v1/programs/{}/offers", course.program)).await.expect("the offers");
    let settings = local.editor.get("/v1/certificate-settings").await.expect("settings");
    for answer in [&accreditations["data"][0], &offers["data"][0], &settings] {
        let missing = answer["unprintable_scripts"].as_array().expect("a list");
        assert!(
            missing.contains(&json!("Chinese")) && !missing.contains(&json!("Arabic")),
            "what the binary's own fonts lack: {answer}"
        );
    }
    for page in [format!("/console/programs/{}/offers", course.program), "/console/certificates".to_owned()] {
        let shown = fetched(&local, &local.editor, &page, "text/html").await.2;
        assert!(shown.contains("no fonts for names in") && shown.contains("preceptor fonts pull"), "{shown}");
    }
    local.stop().await;
}

/// Names in scripts that the fonts of the binary lack, as people write them.
const NAMES_OF_THE_WORLD: [&str; 10] = [
    "王小明",
    "山田 太郎",
    "김민수",
    "प्रिया शर्मा",
    "সুমিতা সেন",
    "பிரியா குமார்",
    "สมชาย ใจดี",
    "សុខា ចាន់",
    "အောင်ဆန်း",
    "አበበ ቢቂላ",
];

#[tokio::test(flavor = "multi_thread")]
async fn fonts_are_pulled_once_and_print_names_of_every_script() {
    let test = "fonts_are_pulled_once_and_print_names_of_every_script";
    let Some(wheels) = tools::set(test, "fonts") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let pull = |from: &std::path::Path| {
        let mut command = without_network();
        command.current_dir(folder.path()).arg("--data").arg(folder.path().join("data"));
        let output = command.args(["fonts", "pull", "--from"]).arg(from).output().expect("it runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), said)
    };
    let (pulled, said) = pull(folder.path());
    assert!(!pulled && said.contains("holds no wheel of"), "{said}");
    let (pulled, said) = pull(&wheels);
    assert!(pulled && said.contains("are now in") && said.contains("every script"), "{said}");
    let (pulled, said) = pull(folder.path());
    assert!(pulled && said.contains("The fonts are in"), "nothing is fetched again: {said}");

    let (cache, empty) = (folder.path().join("data/fonts"), folder.path().join("empty"));
    std::fs::create_dir(&empty).expect("a folder");
    let local = Store::Files
        .mesh_with(None, |config| {
            // No fonts of the system.
            config.certificates.fonts = vec![empty];
            config.certificates.cache = Some(cache);
        })
        .await
        .expect("a mesh");
    let course = course(&local, json!({})).await;
    let accreditations = local.editor.get("/v1/accreditations").await.expect("accreditations");
    assert_eq!(accreditations["data"][0]["unprintable_scripts"], json!([]));
    for (place, name) in NAMES_OF_THE_WORLD.into_iter().enumerate() {
        let learner = local.learner(&course.program, &format!("learner-{place}")).await.expect("a learner");
        let statement = preceptor::journey::physician(name, &format!("{place}@example.org"));
        learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
        let (_, _, pdf) = issued_to(&course, learner).await;
        assert!(verify(&pdf, None).expect("it holds").name.starts_with(name), "{name}");
    }
    local.stop().await;
}
