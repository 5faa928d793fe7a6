//! `preceptor audit`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use preceptor_audit::Verifier;
use preceptor_core::SystemClock;
use preceptor_core::id::OrgId;
use preceptor_proto::events::v1::AuditRecord;
use preceptor_rpc::ServiceName;
use preceptor_tlog::{Checkpoint, LogKey, Proof};
use prost::Message as _;
use serde_json::Value;

use super::{Common, Remote};
use crate::client::{Client, id};
use crate::config::Config;
use crate::engines::{Engines, Sharing};
use crate::logs::{Logs, Remembered};

/// `EX_UNAVAILABLE` of sysexits.h: nothing was found out.
const NOT_CHECKED: u8 = 69;
/// Records that are named where many are missing.
const MOST_NAMED: usize = 10;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Read every record of the log, recompute its root, and compare it with earlier checkpoints.
    Verify(Verify),
    /// Accept the stored log as it is, after a restore. Only while nothing else uses the data folder.
    BeginAgain(BeginAgain),
    /// Complete the index of objects from the records. Only while nothing else uses the data folder.
    Reindex(Reindex),
}

/// Accept what is stored as the log.
#[derive(Debug, Args)]
#[command(
    after_help = "The signer of a log signs nothing that does not continue what it signed before (LOG_INCONSISTENT). After a restore from an older\n\
    backup that is expected, and a person has to confirm it. The confirmation goes on the record, with the last signature that is known.\n\
    Checkpoints and certificates that were signed over the lost records will not be continued by the log."
)]
pub(super) struct BeginAgain {
    /// The organization, `org_…`.
    #[arg(long, value_name = "ORG")]
    org: OrgId,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl BeginAgain {
    async fn run(&self, config: &Config) -> anyhow::Result<()> {
        let engines = Engines::open(config, Sharing::Alone, Arc::new(SystemClock)).await?;
        let store = engines.cells.handle(ServiceName::Audit.name()).await?;
        let done = if store.known_orgs().await?.contains(&self.org) {
            preceptor_audit::begin_again(&store, &*engines.memory, self.org, &self.reason)
                .await
                .map_err(Into::into)
        } else {
            Err(anyhow::anyhow!("there is no log of {}", self.org))
        };
        engines.close().await;
        done?;
        println!("The log of {} is signed again as it is stored, from the next start on.", self.org);
        Ok(())
    }
}

/// Complete the index of a log.
#[derive(Debug, Args)]
#[command(
    after_help = "The index says which records speak of an object. Where rows of it were deleted, `preceptor audit verify` says so and ends with 1;\n\
    what is shown stays whole, because the records are read without it. This names every record again that the index lacks. It reads\n\
    all records, which must give the root that the signer remembers, and goes on the record."
)]
pub(super) struct Reindex {
    /// The organization, `org_…`.
    #[arg(long, value_name = "ORG")]
    org: OrgId,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Reindex {
    async fn run(&self, config: &Config) -> anyhow::Result<()> {
        let engines = Engines::open(config, Sharing::Alone, Arc::new(SystemClock)).await?;
        let store = engines.cells.handle(ServiceName::Audit.name()).await?;
        let done = if store.known_orgs().await?.contains(&self.org) {
            preceptor_audit::reindex(&store, &*engines.memory, self.org, &self.reason)
                .await
                .map_err(Into::into)
        } else {
            Err(anyhow::anyhow!("there is no log of {}", self.org))
        };
        engines.close().await;
        match done? {
            0 => println!("The index of {} lacks no record.", self.org),
            count => println!("Records that the index of {} lacked, and names now: {count}", self.org),
        }
        Ok(())
    }
}

/// Check a log.
#[derive(Debug, Args)]
#[command(
    after_help = "Every record is read and hashed again; together they must give the root of the head, which the log's key must have signed. That\n\
    finds a changed record, but not a log that was rewritten as a whole. Checkpoints that were kept elsewhere find that too: name files\n\
    with --against, and keep the newest one in logs.toml of the data folder with --remember. A certificate of that provider is\n\
    such a file, because it carries a checkpoint of the log it was issued under.\n\n\
    Ends with 0 when everything that was checked holds, with 1 when the log does not hold, and with 69 when it could not be checked:\n\
    the server did not answer, or a file could not be read. 2 and 64 are wrong arguments and a wrong configuration."
)]
pub(super) struct Verify {
    /// An earlier checkpoint: a signed note, a log proof, or a certificate as PDF. May be given several times.
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Keep the verified checkpoint and the log's key, and compare later runs with them.
    #[arg(long)]
    remember: bool,
    #[command(flatten)]
    remote: Remote,
}

/// A checkpoint that someone kept.
struct Witness {
    /// Where it was.
    from: String,
    note: String,
}

/// A log that was read whole and found in order in itself.
struct Whole {
    verifier: Verifier,
    head: Checkpoint,
    note: String,
    key: LogKey,
    /// The places of records that the index of objects lacks.
    unindexed: Vec<u64>,
}

/// Why a log was not found in order.
#[derive(Debug)]
enum Failure {
    /// It does not hold.
    Refused(anyhow::Error),
    /// It was not found out.
    NotChecked(anyhow::Error),
}

fn unknown(error: impl Into<anyhow::Error>) -> Failure {
    Failure::NotChecked(error.into())
}

fn refused(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Refused(error.into())
}

impl Audit {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let config = common.load(Vec::new())?;
        let asked = match self {
            Self::Verify(asked) => asked,
            Self::BeginAgain(asked) => return asked.run(&config).await.map(|()| ExitCode::SUCCESS),
            Self::Reindex(asked) => return asked.run(&config).await.map(|()| ExitCode::SUCCESS),
        };
        match asked.verify(&config.data, asked.remote.client(&config)?).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(Failure::Refused(error)) => {
                eprintln!("REFUSED  {error:#}");
                Ok(ExitCode::FAILURE)
            }
            Err(Failure::NotChecked(error)) => {
                eprintln!("preceptor: the log was not checked: {error:#}");
                Ok(ExitCode::from(NOT_CHECKED))
            }
        }
    }
}

impl Verify {
    async fn verify(&self, data: &Path, client: Client) -> Result<(), Failure> {
        let mut logs = Logs::read(data).map_err(unknown)?;
        let mut witnesses = self
            .against
            .iter()
            .map(|path| witness(path))
            .collect::<anyhow::Result<Vec<_>>>()
            .map_err(unknown)?;
        let log = read(&client).await?;
        if let Some(known) = logs.of(&log.head.origin) {
            if known.key != log.key.to_string() {
                return Err(refused(anyhow::anyhow!(
                    "the log is signed by another key than the one that was remembered for it"
                )));
            }
            witnesses.push(Witness { from: "remembered".into(), note: known.checkpoint.clone() });
        }
        let mut held = Vec::new();
        for witness in &witnesses {
            held.push((witness.from.as_str(), continues(&log, witness)?));
        }
        tell(&log, &held);
        all_indexed(&log.unindexed).map_err(refused)?;
        if self.remember {
            let remembered = Remembered { key: log.key.to_string(), checkpoint: log.note.clone() };
            logs.remember(&log.head.origin, remembered).map_err(unknown)?;
            println!("From now on the log is compared with this checkpoint.");
        }
        Ok(())
    }
}

/// Says what was checked, and what was not.
fn tell(log: &Whole, held: &[(&str, u64)]) {
    let Checkpoint { origin, size, root } = &log.head;
    println!("{origin}: {size} records, root {}", STANDARD.encode(root));
    println!(
        "  Every record gives its hash, all together give the root, and the log's key signed it: the log is consistent in itself."
    );
    for (from, size) in held {
        println!(
            "  It continues the checkpoint of {size} records ({from}): those records are as they were then."
        );
    }
    if held.is_empty() {
        println!(
            "  Nothing from outside was compared. A log that was rewritten as a whole would look the same: keep this checkpoint with\n  \
            --remember, or name an older one or a certificate with --against."
        );
    }
}

/// Reads every record, and finds the log consistent in itself or not.
async fn read(client: &Client) -> Result<Whole, Failure> {
    let head = client.get("/v1/audit/head").await.map_err(telling)?;
    let text = |field: &str| id(&head, field).map_err(unknown);
    let (note, key) = (text("checkpoint")?, text("log_key")?.parse::<LogKey>().map_err(refused)?);
    let signed = key.open(&note).map_err(refused)?;
    let root = STANDARD.decode(text("root")?).map_err(refused)?;
    if (head["size"].as_u64(), root.as_slice(), text("origin")?)
        != (Some(signed.size), signed.root.as_slice(), signed.origin.clone())
    {
        return Err(refused(anyhow::anyhow!("the head is not what its checkpoint says")));
    }
    let mut verifier = Verifier::default();
    let mut proved = Tally::default();
    let (mut read, mut unindexed) = (0, Vec::new());
    while read < signed.size {
        let page = client.get(&format!("/v1/audit/leaves?from={read}")).await.map_err(telling)?;
        let leaves = page["data"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        if leaves.is_empty() {
            return Err(refused(anyhow::anyhow!("the log ends at {read} of {} records", signed.size)));
        }
        for leaf in leaves.iter().take((signed.size - read) as usize) {
            add(&mut verifier, &mut proved, leaf).map_err(refused)?;
            if leaf["unindexed"] == true {
                unindexed.push(read);
            }
            read += 1;
        }
    }
    verifier.check(signed.size, &signed.root).map_err(refused)?;
    proved.covers(&head["counters"]).map_err(refused)?;
    Ok(Whole { verifier, head: signed, note, key, unindexed })
}

/// Whether the index of objects names every record. The log holds without it, and what is looked up by it would not.
fn all_indexed(unindexed: &[u64]) -> anyhow::Result<()> {
    let named: Vec<String> = unindexed.iter().take(MOST_NAMED).map(u64::to_string).collect();
    let more = if unindexed.len() > MOST_NAMED { ", …" } else { "" };
    anyhow::ensure!(
        unindexed.is_empty(),
        "the index of objects lacks {} of the records ({}{more}): its rows were deleted; the records themselves hold. `preceptor audit reindex` names them again",
        unindexed.len(),
        named.join(", ")
    );
    Ok(())
}

/// The server itself may say that the log is not what it was.
fn telling(error: anyhow::Error) -> Failure {
    if error.to_string().contains("LOG_INCONSISTENT") {
        Failure::Refused(error)
    } else {
        Failure::NotChecked(error)
    }
}

/// How many records of each producer the log has, by its leaves.
#[derive(Debug, Default)]
struct Tally(BTreeMap<String, i64>);

impl Tally {
    fn add(&mut self, record: &[u8]) -> anyhow::Result<()> {
        let producer = AuditRecord::decode(record).context("a record cannot be read")?.producer;
        *self.0.entry(producer).or_default() += 1;
        Ok(())
    }

    /// Whether the leaves prove what the log's counters say. They were read before the head, so there may be more leaves.
    fn covers(&self, counters: &Value) -> anyhow::Result<()> {
        for counter in counters.as_array().map_or(&[] as &[Value], Vec::as_slice) {
            let producer = id(counter, "producer")?;
            let counted = counter["records"].as_i64().context("a counter has no number")?;
            let proved = self.0.get(&producer).copied().unwrap_or(0);
            anyhow::ensure!(
                counted <= proved,
                "{counted} records of {producer} were counted, and the log has {proved}: the counter was changed, or records are missing"
            );
        }
        Ok(())
    }
}

fn add(verifier: &mut Verifier, proved: &mut Tally, leaf: &Value) -> anyhow::Result<()> {
    let record = STANDARD.decode(id(leaf, "record")?)?;
    let hash = STANDARD.decode(id(leaf, "leaf_hash")?)?;
    proved.add(&record)?;
    Ok(verifier.leaf(leaf["index"].as_u64().context("a record has no index")?, &record, &hash)?)
}

/// Whether the log continues a checkpoint; returns its size.
fn continues(log: &Whole, witness: &Witness) -> Result<u64, Failure> {
    let earlier = log.key.open(&witness.note).with_context(|| witness.from.clone()).map_err(refused)?;
    if earlier.size > log.head.size {
        let shrunk =
            format!("{}: it names {} records, and the log has {}", witness.from, earlier.size, log.head.size);
        return Err(refused(anyhow::anyhow!(shrunk)));
    }
    // The root over the first records, from their bytes: no proof says more.
    let same = log.verifier.check_first(earlier.size, &earlier.root);
    same.with_context(|| {
        format!("{}: the first {} records are not the ones that it names", witness.from, earlier.size)
    })
    .map_err(refused)?;
    Ok(earlier.size)
}

/// The checkpoint in a file.
fn witness(path: &Path) -> anyhow::Result<Witness> {
    let from = path.display().to_string();
    let file = std::fs::read(path).with_context(|| format!("{from} cannot be read"))?;
    if file.starts_with(b"%PDF-") {
        let proof = preceptor_certificate::verify::log_proof(&file).with_context(|| from.clone())?;
        return Ok(Witness { from, note: proof.checkpoint });
    }
    let text = String::from_utf8(file)
        .with_context(|| format!("{from} is neither a checkpoint nor a certificate"))?;
    let note = text.parse::<Proof>().map_or(text, |proof| proof.checkpoint);
    Ok(Witness { from, note })
}
