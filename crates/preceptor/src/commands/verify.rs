//! `preceptor verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use preceptor_certificate::verify::{Report, verify};
use preceptor_certificate::{IssuerKey, Refusal};

use super::Common;
use crate::issuers::{Issuers, Standing};

/// Check a certificate: a PDF, a badge in JSON, or a JWT. Needs no network and no database.
#[derive(Debug, Args)]
#[command(
    after_help = "A PDF is checked whole: its seal over every byte, the badge's own signature, the JWT, that both state the same, and that the\n\
    provider's log holds the record of exactly this certificate. Name the provider's key with --key to be sure who signed; the provider\n\
    publishes it on its certificate pages. With --remember, later certificates of that provider are held against it by themselves.\n\n\
    Ends with 0 when the certificate holds and with 1 when it is refused. Whether it was voided since, only the provider's page knows."
)]
pub(super) struct Verify {
    /// The certificate.
    #[arg(required = true, value_name = "FILE")]
    file: PathBuf,
    /// The provider's key, as it is printed on its certificates.
    #[arg(long, value_name = "z6Mk…")]
    key: Option<String>,
    /// Remember that key as this provider's, in issuers.toml of the data folder.
    #[arg(long, requires = "key")]
    remember: bool,
}

/// How it is known whose key signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Named,
    Remembered,
    Not,
}

impl Verify {
    pub(super) fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let file = std::fs::read(&self.file).with_context(|| format!("{} cannot be read", self.file.display()))?;
        let mut issuers = Issuers::read(&common.load(Vec::new())?.data)?;
        let key = self.key.as_deref().map(|key| {
            IssuerKey::of_multikey(key.trim_start_matches("did:key:")).with_context(|| format!("{key} is no key; it begins with z6Mk"))
        });
        match check(&file, key.transpose()?.as_ref(), &issuers) {
            Ok((report, known)) => {
                show(&report, known);
                if self.remember {
                    issuers.remember(&report.provider, &report.key)?;
                    println!("From now on, certificates of {} are held against this key.", report.provider);
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(refusal) => {
                eprintln!("REFUSED  {}: {refusal}", self.file.display());
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

/// Checks a file against the named key or, without one, against those that were remembered for its provider.
fn check(file: &[u8], named: Option<&IssuerKey>, issuers: &Issuers) -> Result<(Report, Known), Refusal> {
    let report = verify(file, named)?;
    if report.pinned {
        return Ok((report, Known::Named));
    }
    match issuers.standing(&report.provider, &report.key) {
        Standing::Trusted => Ok((report, Known::Remembered)),
        Standing::Unknown => Ok((report, Known::Not)),
        Standing::Other => {
            Err(Refusal::OtherKey { found: report.key.multikey(), expected_by: "keys that were remembered for its provider" })
        }
    }
}

fn show(report: &Report, known: Known) {
    println!("{}  {}", if known == Known::Not { "HOLDS IN ITSELF" } else { "HOLDS" }, report.title);
    println!("  for         {}", report.name);
    println!("  award       {}", report.award);
    println!("  provider    {}", report.provider);
    println!("  completed   {}", report.completed_at);
    println!("  issued      {}", report.issued_at);
    println!("  code        {}", report.code);
    let how = match known {
        Known::Named => " (the key that you named)",
        Known::Remembered => " (remembered as this provider's)",
        Known::Not => "",
    };
    println!("  signed by   {}{how}", report.key.multikey());
    match report.log {
        Some((index, size)) => println!("  log         record {index} of a log of {size}, under a checkpoint that the log signed"),
        None => println!("  log         not checked: the proof is part of the PDF only"),
    }
    if known == Known::Not {
        println!(
            "Anybody can sign with a key of their own: compare this one with the key that the provider publishes, or name that with --key\n\
            and have it remembered with --remember."
        );
    }
    println!("Whether it was voided since: {}", report.verify_url);
}
