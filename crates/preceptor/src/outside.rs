//! The services outside of a deployment, as stand-ins on this machine: for the demo and for development. They answer in the
//! recorded forms of PubMed, Crossref and the NPI registry, and know only what is told them here; mail goes nowhere, its
//! codes are shown where the process was started.

use preceptor_standins::{Article, MailCatcher, Provider, Registries, Status};

/// An article that this PubMed knows.
pub(crate) const PMID: &str = "31234567";
/// An article that it knows as retracted.
pub(crate) const RETRACTED_PMID: &str = "29876543";
/// A number with a right check digit, which this registry of providers knows.
pub(crate) const NPI: &str = "1234567893";

/// The stand-ins. They stop when this is dropped.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) registries: Registries,
    pub(crate) mail: MailCatcher,
}

impl Outside {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let show = |mail: &str| {
            let line = |start: &str| {
                mail.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default().trim().to_owned()
            };
            let code = line("Your code is");
            if !code.is_empty() {
                println!("Mail for {}: Your code is {code}", line("To:"));
            }
        };
        let outside =
            Self { registries: Registries::start().await?, mail: MailCatcher::start_telling(show).await? };
        outside.registries.know_provider(Provider {
            npi: NPI.to_owned(),
            first_name: "Rosa".to_owned(),
            last_name: "Álvarez".to_owned(),
            license: "MD12345".to_owned(),
            ..Provider::default()
        });
        let article = |pmid: &str, doi: &str, title: &str, status| Article {
            pmid: pmid.to_owned(),
            doi: doi.to_owned(),
            title: title.to_owned(),
            journal: "Journal of the Demo".to_owned(),
            status,
        };
        let known = [
            article(PMID, "10.5555/bleeding.2026", "Managing bleeding on anticoagulants", Status::Sound),
            article(
                RETRACTED_PMID,
                "10.5555/bridging.2025",
                "Heparin bridging before procedures",
                Status::Retracted,
            ),
        ];
        for article in known {
            outside.registries.know(article);
        }
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
