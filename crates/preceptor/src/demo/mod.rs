//! The demo: an organisation with one published program, seeded through the public API like any other.

mod deck;

use anyhow::Context as _;
use indicatif::ProgressBar;
use preceptor_core::Secret;
use serde_json::{Value, json};

use crate::client::{Client, Upload, id};
use crate::commands::ADMIN_TOKEN_FILE;
use crate::config::Config;

/// The org that the demo makes.
pub(crate) const ORG: &str = "Harbor Medical Education (demo)";
const TITLE: &str = "Anticoagulants in older adults";
const SUMMARY: &str =
    "A lecture, a slide deck and an article on anticoagulants for atrial fibrillation. Written for this demo; no clinical guidance.";
const OBJECTIVES: [&str; 5] = [
    "Estimate the stroke risk of a person with atrial fibrillation",
    "Choose the dose of a direct oral anticoagulant by kidney function, age and weight",
    "Recognize when a direct oral anticoagulant must not be used",
    "Plan the interruption of an anticoagulant before a procedure",
    "Manage bleeding on an anticoagulant",
];
/// What a visitor can try at once.
const TRY: [&str; 3] = [
    "Should rivaroxaban be taken with food?",
    "How long before a high-risk procedure is the drug omitted?",
    "Should my father stop his warfarin?",
];

/// Seeds the program, unless it is there already, and prints links that open signed in.
pub(crate) async fn seed(config: &Config) -> anyhow::Result<()> {
    let path = config.data.join(ADMIN_TOKEN_FILE);
    let token = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let admin = Client::new(&format!("http://{}", config.gateway.listen), Secret::new(token.trim()))?;
    let known = admin.all("/v1/programs").await?.into_iter().find(|program| program["title"] == TITLE);
    let program = match known {
        Some(program) => id(&program, "id")?,
        None => create(&admin).await?,
    };
    show_links(&admin, &program).await
}

/// Adds a member of staff; returns their client.
async fn hire(admin: &Client, name: &str, role: &str) -> anyhow::Result<Client> {
    let created = admin.post("/v1/staff", &json!({ "name": name, "role": role })).await?;
    Ok(admin.with_token(id(&created, "token")?))
}

fn files() -> anyhow::Result<Vec<Upload>> {
    let file = |name: &str, title: &str, content: Vec<u8>| Upload {
        name: name.to_owned(),
        content,
        title: Some(title.to_owned()),
        external_id: None,
    };
    Ok(vec![
        file("lecture.vtt", "Lecture: Anticoagulants in older adults", include_bytes!("../../demo/lecture.vtt").to_vec()),
        file("slides.pptx", "Slides: Anticoagulants in older adults", deck::pptx(include_str!("../../demo/slides.toml"))?),
        file("article.md", "Article: Managing bleeding on anticoagulants", include_bytes!("../../demo/article.md").to_vec()),
    ])
}

async fn create(admin: &Client) -> anyhow::Result<String> {
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(std::time::Duration::from_millis(120));
    progress.set_message("Seeding the demo program");
    let editor = hire(admin, "Edith Editor", "editor").await?;
    let reviewer = hire(admin, "Ravi Reviewer", "reviewer").await?;
    let created = editor.post("/v1/programs", &json!({ "title": TITLE, "summary": SUMMARY, "objectives": OBJECTIVES })).await?;
    let program = id(&created, "id")?;
    for file in files()? {
        progress.set_message(format!("Reading {}", file.name));
        let source = id(&editor.upload(&program, file).await?, "id")?;
        editor.wait_for_source(&source, |_| {}).await?;
        editor.post(&format!("/v1/sources/{source}/submit"), &json!({})).await?;
        let decision = json!({ "approve": true, "reason": "Read in full; written for the demo" });
        reviewer.post(&format!("/v1/sources/{source}/decision"), &decision).await?;
    }
    progress.set_message("Publishing");
    editor.post(&format!("/v1/programs/{program}/publish"), &json!({ "reason": "First version of the demo" })).await?;
    editor.wait_for_publication(&program, |_| {}).await?;
    progress.finish_and_clear();
    Ok(program)
}

/// The member of staff of a role.
fn of_role<'a>(staff: &'a Value, role: &str) -> Option<&'a str> {
    let known = staff["data"].as_array()?;
    known.iter().find(|member| member["role"] == role)?["id"].as_str()
}

async fn show_links(admin: &Client, program: &str) -> anyhow::Result<()> {
    let learner = admin.post(&format!("/v1/programs/{program}/learners"), &json!({ "user_hash": "demo-learner" })).await?;
    let link = async |who: Value| -> anyhow::Result<String> { id(&admin.post("/v1/sign-in-links", &who).await?, "url") };
    println!("\nThe demo program is published. These links open signed in, for an hour:");
    println!("  learner   {}", link(json!({ "learner_token": id(&learner, "token")? })).await?);
    let staff = admin.get("/v1/staff").await?;
    for role in ["editor", "reviewer", "admin"] {
        if let Some(member) = of_role(&staff, role) {
            println!("  {role:9} {}", link(json!({ "staff_id": member })).await?);
        }
    }
    println!("\nOr ask from another terminal:");
    for question in TRY {
        println!("  preceptor ask --program {program} \"{question}\"");
    }
    println!("\nCtrl-C stops it; the data stays for the next start.");
    Ok(())
}
