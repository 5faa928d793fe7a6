//! The demo: an organisation with one published program, seeded through the public API like any other.

mod deck;
mod learners;

use anyhow::Context as _;
use indicatif::ProgressBar;
use preceptor_core::Secret;
use preceptor_standins::{Article, MailCatcher, Provider, Registries};
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

/// The services outside of a deployment that the demo brings along: they listen on this machine and know what is told here.
#[derive(Debug)]
pub(crate) struct Outside {
    registries: Registries,
    mail: MailCatcher,
}

/// A number with a right check digit, which the demo's registry knows.
const NPI: &str = "1234567893";
/// An article that the demo's PubMed knows.
const PMID: &str = "31234567";

impl Outside {
    /// Starts the stand-ins. What comes by mail is shown where the demo was started.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let show = |mail: &str| {
            let line = |start: &str| mail.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default().trim().to_owned();
            println!("Mail for {}: Your code is {}", line("To:"), line("Your code is"));
        };
        let outside = Self { registries: Registries::start().await?, mail: MailCatcher::start_telling(show).await? };
        outside.registries.know_provider(Provider {
            npi: NPI.to_owned(),
            first_name: "Rosa".to_owned(),
            last_name: "Álvarez".to_owned(),
            licence: "MD12345".to_owned(),
        });
        outside.registries.know(Article {
            pmid: PMID.to_owned(),
            doi: "10.5555/bleeding.2026".to_owned(),
            title: "Managing bleeding on anticoagulants".to_owned(),
            journal: "Journal of the Demo".to_owned(),
            ..Article::default()
        });
        Ok(outside)
    }

    /// The settings that lead to them.
    pub(crate) fn settings(&self) -> [(&'static str, toml::Value); 4] {
        [
            ("ingestion.pubmed_url", self.registries.pubmed_url().into()),
            ("ingestion.crossref_url", self.registries.crossref_url().into()),
            ("credentials.npi_registry", self.registries.npi_url().into()),
            ("credentials.smtp", self.mail.url().into()),
        ]
    }
}

/// Seeds the program, unless it is there already, and prints links that open signed in.
pub(crate) async fn seed(config: &Config, outside: &Outside) -> anyhow::Result<()> {
    let path = config.data.join(ADMIN_TOKEN_FILE);
    let token = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let admin = Client::new(&format!("http://{}", config.gateway.listen), Secret::new(token.trim()))?;
    let known = admin.all("/v1/programs").await?.into_iter().find(|program| program["title"] == TITLE);
    let program = match known {
        Some(program) => id(&program, "id")?,
        None => create(&admin, outside).await?,
    };
    show_links(&admin, &program).await
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

async fn create(admin: &Client, outside: &Outside) -> anyhow::Result<String> {
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(std::time::Duration::from_millis(120));
    progress.set_message("Seeding the demo program");
    let editor = admin.hire("Edith Editor", "editor").await?;
    let reviewer = admin.hire("Ravi Reviewer", "reviewer").await?;
    admin.hire("Audra Auditor", "auditor").await?;
    let created = editor.post("/v1/programs", &json!({ "title": TITLE, "summary": SUMMARY, "objectives": OBJECTIVES })).await?;
    let program = id(&created, "id")?;
    for file in files()? {
        progress.set_message(format!("Reading {}", file.name));
        editor.add_source(&reviewer, &program, file, "Read in full; written for the demo").await?;
    }
    progress.set_message("Publishing");
    editor.publish(&program, "First version of the demo").await?;
    progress.set_message("Opening the quiz");
    let (items, offer) = learners::open_quiz(admin, &editor, &reviewer, &program).await?;
    progress.set_message("Leading learners to their credit");
    learners::lead(admin, &program, &items, &offer, &outside.mail).await?;
    progress.finish_and_clear();
    Ok(program)
}

/// The member of staff of a role.
fn of_role<'a>(staff: &'a Value, role: &str) -> Option<&'a str> {
    let known = staff["data"].as_array()?;
    known.iter().find(|member| member["role"] == role)?["id"].as_str()
}

async fn show_links(admin: &Client, program: &str) -> anyhow::Result<()> {
    let link = async |who: Value| -> anyhow::Result<String> { id(&admin.post("/v1/sign-in-links", &who).await?, "url") };
    println!("\nThe demo program is published. These links open signed in, for an hour:");
    for (name, stage) in std::iter::once(("visitor", "has just come")).chain(learners::STAGES) {
        let learner = admin.learner(program, name).await?;
        println!("  {name:9} {}   {stage}", link(json!({ "learner_token": learner.token() })).await?);
    }
    let staff = admin.get("/v1/staff").await?;
    for role in ["editor", "reviewer", "auditor", "admin"] {
        if let Some(member) = of_role(&staff, role) {
            println!("  {role:9} {}", link(json!({ "staff_id": member })).await?);
        }
    }
    println!("\nOr ask from another terminal:");
    for question in TRY {
        println!("  preceptor ask --program {program} \"{question}\"");
    }
    println!(
        "\nMail of the demo goes nowhere: codes appear here. Its registries are stand-ins that know PMID {PMID} (the article) and NPI {NPI}."
    );
    println!("Check a certificate that you downloaded, without any network: preceptor verify FILE");
    println!("\nCtrl-C stops it; the data stays for the next start.");
    Ok(())
}
