//! `preceptor verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use preceptor_certificate::status::StatusList;
use preceptor_certificate::verify::{Report, verify};
use preceptor_certificate::{IssuerKey, Refusal};

use super::Common;
use crate::issuers::{Issuers, Standing};
use crate::status_lists::StatusLists;

/// The certificate is not what its issuer made, or cannot be read.
const REFUSED: u8 = 1;
/// It is consistent, and no one said whose key signed it.
const UNKNOWN_ISSUER: u8 = 2;
/// It was voided, by a list of its issuer.
const VOIDED: u8 = 3;

/// Check a certificate: a PDF, a badge in JSON, or a JWT. Needs no network and no database.
#[derive(Debug, Args)]
#[command(
    after_help = "A PDF is checked whole: its seal over every byte, the badge's own signature, the JWT, that both state the same, and that the\n\
    provider's log holds the record of exactly this certificate. Name the provider's key with --key to be sure who signed; the provider\n\
    publishes it on its certificate pages. With --remember, later certificates of that provider are checked against it automatically.\n\n\
    The provider's page says whether it was voided since. Offline, a copy of the provider's list of voided certificates says so as of its\n\
    date: download it from the address that the badge names as credentialStatus, and pass the file with --status-list.\n\n\
    Ends with\n  \
      0  when the certificate holds and its key is known: named with --key, or remembered\n  \
      1  when it is refused, or cannot be read\n  \
      2  when it is self-consistent, but its issuer was not checked: no key was named or remembered\n  \
      3  when it was voided, by a list that its issuer signed\n  \
      64 when the command line is wrong"
)]
pub(super) struct Verify {
    /// The certificate.
    #[arg(required = true, value_name = "FILE")]
    file: PathBuf,
    /// The provider's key, as the provider publishes it.
    #[arg(long, value_name = "z6Mk…")]
    key: Option<String>,
    /// A copy of the provider's list of voided certificates.
    #[arg(long, value_name = "FILE")]
    status_list: Option<PathBuf>,
    /// Remember the key as this provider's and the list as its newest, in the data folder.
    #[arg(long)]
    remember: bool,
}

/// How it is known whose key signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Named,
    Remembered,
    Not,
}

/// Whether it was voided.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Status {
    /// Void by the list of this date.
    Void(String),
    /// Not void by the list of this date.
    Good(String),
    /// No list is at hand.
    NotChecked,
    /// It was issued before there were lists.
    NoList,
}

/// What the check may rest on.
struct Trusted {
    key: Option<IssuerKey>,
    issuers: Issuers,
    lists: StatusLists,
}

impl Verify {
    pub(super) fn run(&self, common: &Common) -> anyhow::Result<ExitCode> {
        let file = read(&self.file)?;
        let data = common.load(Vec::new())?.data;
        let key = self.key.as_deref().map(|key| {
            IssuerKey::of_multikey(key.trim_start_matches("did:key:"))
                .with_context(|| format!("{key} is not a valid key: expected it to begin with z6Mk"))
        });
        anyhow::ensure!(
            !self.remember || self.key.is_some() || self.status_list.is_some(),
            "--remember needs --key or --status-list"
        );
        let mut trusted =
            Trusted { key: key.transpose()?, issuers: Issuers::read(&data)?, lists: StatusLists::of(&data) };
        let checked = check(&file, trusted.key.as_ref(), &trusted.issuers);
        let given = self.status_list.as_deref().map(read).transpose()?;
        let checked = match checked {
            Ok((report, known)) => {
                trusted.status(&report, given.as_deref())?.map(|status| (report, known, status))
            }
            Err(refusal) => Err(refusal),
        };
        let (report, known, status) = match checked {
            Ok(checked) => checked,
            Err(refusal) => {
                eprintln!("REFUSED  {}: {refusal}", self.file.display());
                return Ok(ExitCode::from(REFUSED));
            }
        };
        show(&report, known, &status);
        if self.remember {
            trusted.remember(&report, known, given.as_deref())?;
        }
        Ok(match (status, known) {
            (Status::Void(_), _) => ExitCode::from(VOIDED),
            (_, Known::Not) => ExitCode::from(UNKNOWN_ISSUER),
            _ => ExitCode::SUCCESS,
        })
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

impl Trusted {
    /// Whether the list that is given, or else the one that was remembered, has the certificate as void.
    fn status(&self, report: &Report, given: Option<&[u8]>) -> anyhow::Result<Result<Status, Refusal>> {
        let Some(entry) = &report.status else { return Ok(Ok(Status::NoList)) };
        let list = match given.map(StatusList::read) {
            Some(Err(refusal)) => return Ok(Err(refusal)),
            Some(Ok(list)) => Some(list),
            // The sheet of a voided certificate brings its own.
            None => match &report.status_list {
                Some(list) if list.is_void(entry) == Some(true) => Some(list.clone()),
                _ => self.lists.find(&entry.list)?,
            },
        };
        let Some(list) = list else { return Ok(Ok(Status::NotChecked)) };
        // Lists are signed with the newest key of a provider, and certificates outlive keys.
        if list.key != report.key && self.issuers.standing(&report.provider, &list.key) != Standing::Trusted {
            return Ok(Err(Refusal::OtherKey {
                found: list.key.multikey(),
                expected_by: "certificate whose status list this is meant to be",
            }));
        }
        Ok(match list.is_void(entry) {
            None => Err(Refusal::NoList("the certificate stands on another list")),
            Some(true) => Ok(Status::Void(list.made_at)),
            Some(false) => Ok(Status::Good(list.made_at)),
        })
    }

    fn remember(&mut self, report: &Report, known: Known, given: Option<&[u8]>) -> anyhow::Result<()> {
        if self.key.is_some() {
            self.issuers.remember(&report.provider, &report.key)?;
            println!("From now on, certificates of {} are checked against this key.", report.provider);
        }
        let Some(file) = given else { return Ok(()) };
        anyhow::ensure!(
            known != Known::Not,
            "a list is remembered only of a provider whose key is known: name the key with --key"
        );
        let list = StatusList::read(file)?;
        if self.lists.remember(&list, std::str::from_utf8(file)?)? {
            println!(
                "From now on, certificates of {} are looked up in its list of {}.",
                report.provider, list.made_at
            );
        } else {
            println!("A newer list of {} is remembered already, and stays.", report.provider);
        }
        Ok(())
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
        Standing::Other => Err(Refusal::OtherKey {
            found: report.key.multikey(),
            expected_by: "keys that were remembered for its provider",
        }),
    }
}

fn show(report: &Report, known: Known, status: &Status) {
    let outcome = match (status, known) {
        (Status::Void(_), _) => "VOIDED",
        (_, Known::Not) => "SELF-CONSISTENT (issuer not checked)",
        _ => "HOLDS",
    };
    println!("{outcome}  {}", report.title);
    println!("  for         {}", report.name);
    println!("  award       {}", report.award);
    println!("  provider    {}", report.provider);
    if let Some(standing) = &report.standing {
        println!("              {standing}");
    }
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
        Some((index, size)) => println!(
            "  log         record {index} of a log of {size}, under a checkpoint that the log signed"
        ),
        None => println!("  log         not checked: the proof is part of the PDF only"),
    }
    match status {
        Status::Void(date) => println!("  status      voided, by the provider's list of {date}"),
        Status::Good(date) => println!("  status      not voided, by the provider's list of {date}"),
        Status::NotChecked => {
            println!("  status      not checked: no list of voided certificates is at hand");
        }
        Status::NoList => println!("  status      not checked: this certificate names no list"),
    }
    if known == Known::Not {
        println!(
            "Anyone can sign with a key of their own, under any provider's name: compare this one with the key that the provider publishes, or\n\
            name that with --key and have it remembered with --remember."
        );
    }
    if let (Known::Not, Some(url)) = (known, &report.issuer_url) {
        println!("By the certificate's own statement, its issuer's keys are at {url}");
    }
    show_ways(report, status);
}

/// How to find out whether it was voided since.
fn show_ways(report: &Report, status: &Status) {
    if matches!(status, Status::Void(_)) {
        println!("The provider's page about it: {}", report.verify_url);
        return;
    }
    println!("Whether it was voided since:");
    println!("  online      open {}", report.verify_url);
    if let Some(entry) = &report.status {
        println!("  offline     download {} where there is a network,", entry.list);
        println!("              and name the file here with --status-list");
    }
}
