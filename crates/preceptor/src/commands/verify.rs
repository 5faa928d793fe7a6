//! `preceptor verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use preceptor_certificate::IssuerKey;
use preceptor_certificate::verify::{Report, verify};

/// Check a certificate: a PDF, a badge in JSON, or a JWT. Needs no network and no database.
#[derive(Debug, Args)]
#[command(
    after_help = "A PDF is checked whole: its seal over every byte, the badge's own signature, the JWT, that both state the same, and that the\n\
    provider's log holds the record of exactly this certificate. Name the provider's key with --key to be sure who signed; the provider\n\
    publishes it on its certificate pages.\n\n\
    Ends with 0 when the certificate holds and with 1 when it is refused. Whether it was voided since, only the provider's page knows."
)]
pub(super) struct Verify {
    /// The certificate.
    #[arg(required = true, value_name = "FILE")]
    file: PathBuf,
    /// The provider's key, as it is printed on its certificates.
    #[arg(long, value_name = "z6Mk…")]
    key: Option<String>,
}

impl Verify {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let file = std::fs::read(&self.file).with_context(|| format!("{} cannot be read", self.file.display()))?;
        let key = self.key.as_deref().map(|key| {
            IssuerKey::of_multikey(key.trim_start_matches("did:key:")).with_context(|| format!("{key} is no key; it begins with z6Mk"))
        });
        match verify(&file, key.transpose()?.as_ref()) {
            Ok(report) => {
                show(&report);
                Ok(ExitCode::SUCCESS)
            }
            Err(refusal) => {
                eprintln!("REFUSED  {}: {refusal}", self.file.display());
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

fn show(report: &Report) {
    println!("{}  {}", if report.pinned { "HOLDS" } else { "HOLDS IN ITSELF" }, report.title);
    println!("  for         {}", report.name);
    println!("  award       {}", report.award);
    println!("  provider    {}", report.provider);
    println!("  completed   {}", report.completed_at);
    println!("  issued      {}", report.issued_at);
    println!("  code        {}", report.code);
    println!("  signed by   {}{}", report.key.multikey(), if report.pinned { " (the key that you named)" } else { "" });
    match report.log {
        Some((index, size)) => println!("  log         record {index} of a log of {size}, under a checkpoint that the log signed"),
        None => println!("  log         not checked: the proof is part of the PDF only"),
    }
    if !report.pinned {
        println!(
            "Anybody can sign with a key of their own: compare this one with the key that the provider publishes, or name that with --key."
        );
    }
    println!("Whether it was voided since: {}", report.verify_url);
}
