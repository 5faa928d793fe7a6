//! The demo: an organization with one published program, seeded through the public API like any other.

mod deck;
mod learners;
mod retracted;

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use preceptor_auth::FirstStart;
use preceptor_certificate::verify::verify;
use preceptor_core::Secret;
use serde_json::{Value, json};

use crate::client::{Client, Upload, id};
use crate::commands::ADMIN_TOKEN_FILE;
use crate::config::Config;
use crate::issuers::Issuers;
use crate::outside::{NPI, Outside, PMID};

/// The org that the demo makes.
pub(crate) const ORG: &str = "Harbor Medical Education (demo)";
const TITLE: &str = "Anticoagulants in older adults";
const SUMMARY: &str = "A lecture, a slide deck and an article on anticoagulants for atrial fibrillation. Written for this demo; no clinical guidance.";
const OBJECTIVES: [&str; 5] = [
    "Estimate the stroke risk of a person with atrial fibrillation",
    "Choose the dose of a direct oral anticoagulant by kidney function, age and weight",
    "Recognize when a direct oral anticoagulant must not be used",
    "Plan the interruption of an anticoagulant before a procedure",
    "Manage bleeding on an anticoagulant",
];
/// Items that the demo's quiz is made of.
const ITEMS: usize = 6;
/// What a visitor can try at once.
const TRY: [&str; 3] = [
    "Should rivaroxaban be taken with food?",
    "How long before a high-risk procedure is the drug omitted?",
    "Should my father stop his warfarin?",
];

/// The staff that seeds the demo.
pub(super) struct Team {
    /// Who runs the deployment; known on a first start.
    operator: Option<Client>,
    admin: Client,
    editor: Client,
    reviewer: Client,
}

/// Seeds the program, unless it is there already, and prints links that open signed in.
pub(crate) async fn seed(
    config: &Config,
    outside: &Outside,
    first: Option<&FirstStart>,
) -> anyhow::Result<()> {
    let path = config.data.join(ADMIN_TOKEN_FILE);
    let token =
        std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let admin = Client::new(&format!("http://{}", config.gateway.listen), Secret::new(token.trim()))?;
    let known = admin.all("/v1/programs").await?;
    let titled = |title: &str| {
        known.iter().find(|program| program["title"] == title).map(|program| id(program, "id")).transpose()
    };
    let programs = match (titled(TITLE)?, titled(retracted::TITLE)?) {
        (Some(main), Some(retracted)) => Programs { main, retracted },
        (None, None) => {
            create(
                config,
                &admin,
                outside,
                first.map(|first| admin.with_token(first.operator_token.expose())),
            )
            .await?
        }
        _ => bail!(
            "{} holds a part of the demo only; remove that folder and start again",
            config.data.display()
        ),
    };
    show_links(&admin, &programs, outside).await
}

/// The programs of the demo.
struct Programs {
    main: String,
    retracted: String,
}

fn files() -> anyhow::Result<Vec<Upload>> {
    let file = |name: &str, title: &str, content: Vec<u8>| Upload {
        name: name.to_owned(),
        content,
        title: Some(title.to_owned()),
        external_id: None,
    };
    Ok(vec![
        file(
            "lecture.vtt",
            "Lecture: Anticoagulants in older adults",
            include_bytes!("../../demo/lecture.vtt").to_vec(),
        ),
        file(
            "slides.pptx",
            "Slides: Anticoagulants in older adults",
            deck::pptx(include_str!("../../demo/slides.toml"))?,
        ),
        file(
            "article.md",
            "Article: Managing bleeding on anticoagulants",
            include_bytes!("../../demo/article.md").to_vec(),
        ),
    ])
}

async fn create(
    config: &Config,
    admin: &Client,
    outside: &Outside,
    operator: Option<Client>,
) -> anyhow::Result<Programs> {
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(std::time::Duration::from_millis(120));
    progress.set_message("Seeding the demo program");
    let team = Team {
        operator,
        admin: admin.clone(),
        editor: hire(admin, "Edith Editor", "editor").await?,
        reviewer: hire(admin, "Ravi Reviewer", "reviewer").await?,
    };
    hire(admin, "Audra Auditor", "auditor").await?;
    let new = json!({ "title": TITLE, "summary": SUMMARY, "objectives": OBJECTIVES });
    let main = id(&team.editor.post("/v1/programs", &new).await?, "id")?;
    for file in files()? {
        progress.set_message(format!("Reading {}", file.name));
        team.editor.add_source(&team.reviewer, &main, file, "Read in full; written for the demo").await?;
    }
    progress.set_message("Publishing");
    team.editor.publish(&main, "First version of the demo").await?;
    progress.set_message("Opening the quiz");
    learners::verify_sources(&team, &main).await?;
    let (items, offer) = learners::open_quiz(&team, &main, ITEMS).await?;
    progress.set_message("Leading learners to their credit");
    learners::lead(admin, &learners::Course { program: &main, items: &items, offer: &offer }, &outside.mail)
        .await?;
    progress.set_message("Having an article retracted");
    let (retracted, certificate) = retracted::seed(&team, outside).await?;
    trust(config, &certificate)?;
    progress.finish_and_clear();
    Ok(Programs { main, retracted })
}

/// Adds a member of staff with an address, to which their links are mailed.
async fn hire(admin: &Client, name: &str, role: &str) -> anyhow::Result<Client> {
    let new = json!({ "name": name, "role": role, "email": address(role) });
    Ok(admin.with_token(id(&admin.post("/v1/staff", &new).await?, "token")?))
}

fn address(role: &str) -> String {
    format!("{role}@example.org")
}

/// Has `preceptor verify` hold certificates of the demo's provider against its key: on this machine it is known.
fn trust(config: &Config, certificate: &[u8]) -> anyhow::Result<()> {
    let report = verify(certificate, None)?;
    Issuers::read(&config.data)?.remember(&report.provider, &report.key)
}

/// The member of staff of a role.
fn of_role<'a>(staff: &'a Value, role: &str) -> Option<&'a str> {
    let known = staff["data"].as_array()?;
    known.iter().find(|member| member["role"] == role)?["id"].as_str()
}

async fn show_links(admin: &Client, programs: &Programs, outside: &Outside) -> anyhow::Result<()> {
    let link = async |who: Value| -> anyhow::Result<String> {
        id(&admin.post("/v1/sign-in-links", &who).await?, "url")
    };
    println!("\nThe demo program is published. These links sign in once each, within an hour:");
    let of_main = std::iter::once(("visitor", "has just come"))
        .chain(learners::STAGES)
        .map(|learner| (&programs.main, learner));
    for (program, (name, stage)) in of_main.chain([(&programs.retracted, retracted::LEARNER)]) {
        let learner = admin.learner(program, name).await?;
        println!("  {name:9} {}   {stage}", link(json!({ "learner_token": learner.token() })).await?);
    }
    let staff = admin.get("/v1/staff").await?;
    for role in ["editor", "reviewer", "auditor"] {
        if let Some(member) = of_role(&staff, role) {
            // Links for others go to their address: here they are taken out of the mail of the demo.
            admin.post("/v1/sign-in-links", &json!({ "staff_id": member, "confirm": admin.token() })).await?;
            println!(
                "  {role:9} {}",
                outside.mail.newest_link(&address(role)).context("the link was not mailed")?
            );
        }
    }
    if let Some(member) = of_role(&staff, "admin") {
        println!("  {:9} {}", "admin", link(json!({ "staff_id": member })).await?);
    }
    println!("\nOr ask from another terminal:");
    for question in TRY {
        println!("  preceptor ask --program {} \"{question}\"", programs.main);
    }
    println!(
        "\nMail of the demo goes nowhere: codes appear here. Its registries are stand-ins that know PMID {PMID} (the article) and NPI {NPI}."
    );
    println!("Check a certificate that you downloaded, without any network: preceptor verify FILE");
    println!("\nCtrl-C stops it; the data stays for the next start.");
    Ok(())
}
