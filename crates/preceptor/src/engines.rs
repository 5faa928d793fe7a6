//! The engines of a process: those of a data folder, and PostgreSQL where the configuration names it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use preceptor_bus::DurableLog;
use preceptor_cache::MemoryCache;
use preceptor_core::{Clock, Secret};
use preceptor_keys::{KeyName, Keyring, Keys as _, Once, Purpose, SealedMemory};
use preceptor_objects::{Directory, Sealed};
use preceptor_runtime::private;
use preceptor_store::{Cells, Control, ControlConfig, OutboxSeals, Schema};
use preceptor_vector::Edge;

use crate::config::Config;

/// How often a folder that is in use is tried again, and the pause in between: a process that is just ending, or a child
/// that was started a moment ago and has not let go of what its parent had open, gets that long.
const LOCK_TRIES: usize = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// Bytes of a secret that is made.
const SECRET_BYTES: usize = 32;

/// All engines, opened.
#[derive(Debug)]
pub struct Engines {
    /// The tables of all orgs.
    pub cells: Cells,
    /// The tables of the control plane.
    pub control: Control,
    /// The event log.
    pub bus: Arc<DurableLog>,
    /// The vector index.
    pub index: Arc<Edge>,
    /// Keys.
    pub keys: Arc<Keyring>,
    /// What the keys of logs signed last: in the folder also where the tables are elsewhere.
    pub memory: Arc<SealedMemory>,
    /// Which rolls of staff are the newest, in the same way.
    pub rolls: Arc<SealedMemory>,
    /// Whether the accounts of before were sealed, in the same way.
    pub accounts_sealed: Once,
    /// Whether the results of before were sealed, in the same way.
    pub results_sealed: Once,
    /// Whether the credits of before were sealed, in the same way.
    pub awards_sealed: Once,
    /// What the outboxes of all services are sealed by.
    pub outboxes: OutboxSeals,
    /// Files, sealed.
    pub objects: Sealed,
    /// Limits.
    pub cache: Arc<MemoryCache>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether no other process can do the work of this one's services, so that what earlier ones held is free.
    pub alone: bool,
    sealed_before: PathBuf,
    _lock: File,
}

/// Whether other processes may use the folder at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// One process has it to itself.
    Alone,
    /// The services of one deployment share it, each with its own tables.
    WithOtherProcesses,
}

impl Engines {
    /// Opens the engines. The data folder is made when it is missing.
    pub async fn open(config: &Config, sharing: Sharing, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let folder = config.data.as_path();
        private::write_privately();
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        private::refuse_open_folder(folder)?;
        let lock = lock(folder, sharing).await?;
        let keyring = folder.join("keyring.json");
        let passphrase = passphrase(folder)?;
        let keys =
            Arc::new(tokio::task::spawn_blocking(move || Keyring::open(&keyring, &passphrase)).await??);
        let bus = DurableLog::open(&folder.join("bus.db"), Arc::clone(&clock)).await?;
        let (cells, control) = match config.postgres() {
            Some(postgres) => {
                (preceptor_store::Config::Postgres(postgres.clone()), ControlConfig::Postgres(postgres))
            }
            None => (
                preceptor_store::Config::Files(folder.join("cells")),
                ControlConfig::File(folder.join("control.db")),
            ),
        };
        let outboxes = KeyName::of_deployment(Purpose::Outboxes);
        let outboxes = OutboxSeals::new(&keys.hmac(outboxes, b"outboxes").await?);
        let cells = Cells::open(&cells, &schemas(), Arc::clone(&clock), outboxes.clone()).await?;
        let accounts = preceptor_auth::SCHEMA;
        let sealed_before = folder.join("sealed-before");
        Ok(Self {
            cells,
            control: Control::open(&control, accounts, Arc::clone(&clock), outboxes.clone()).await?,
            outboxes,
            bus: Arc::new(bus),
            index: Arc::new(Edge::new(folder.join("index"), preceptor_retrieval::LAYOUT)),
            memory: Arc::new(SealedMemory::new(folder.join("signed-heads"), Arc::clone(&keys) as _)),
            rolls: Arc::new(SealedMemory::new(folder.join("staff-rolls"), Arc::clone(&keys) as _)),
            accounts_sealed: once(&sealed_before, "accounts", &keys),
            results_sealed: once(&sealed_before, "results", &keys),
            awards_sealed: once(&sealed_before, "awards", &keys),
            objects: Sealed::new(Arc::new(Directory::new(folder.join("objects"))), Arc::clone(&keys) as _),
            keys,
            cache: Arc::new(MemoryCache::new(Arc::clone(&clock))),
            clock,
            alone: alone(sharing, config),
            sealed_before,
            _lock: lock,
        })
    }

    /// Whether what waited in the outbox of a service before was sealed, in the same way as accounts.
    pub fn outbox_sealed(&self, service: &'static str) -> Once {
        once(&self.sealed_before.join("outboxes"), service, &self.keys)
    }

    /// Closes the databases, so that nothing is left in their logs.
    pub async fn close(&self) {
        let index = Arc::clone(&self.index);
        // The engine blocks while it closes.
        let _ = tokio::task::spawn_blocking(move || index.close()).await;
        self.cells.close().await;
        self.control.close().await;
        self.bus.close().await;
    }
}

/// What tells that rows of before were sealed: in a folder of its own, so that a restore can do without it.
fn once(folder: &Path, what: &'static str, keys: &Arc<Keyring>) -> Once {
    Once::new(Arc::new(SealedMemory::new(folder.join(what), Arc::clone(keys) as _)), what)
}

/// Whether a process has its tables to itself. A lock on the folder keeps others from tables that are in it, and from no
/// others: on PostgreSQL, and where the folder is shared, a replica may be at work.
fn alone(sharing: Sharing, config: &Config) -> bool {
    sharing == Sharing::Alone && config.postgres().is_none()
}

/// The tables of a cell, each after those that it refers to.
pub fn schemas() -> Vec<Schema> {
    vec![
        preceptor_ingestion::SCHEMA,
        preceptor_retrieval::SCHEMA,
        preceptor_answering::SCHEMA,
        preceptor_alignment::SCHEMA,
        // Credits refer to rows of ingestion and credentials: their tables come first.
        preceptor_credentials::SCHEMA,
        preceptor_credits::SCHEMA,
        preceptor_analytics::SCHEMA,
        preceptor_audit::SCHEMA,
        preceptor_gateway::SCHEMA,
    ]
}

/// Takes the folder, so that two processes do not write the same files.
async fn lock(folder: &Path, sharing: Sharing) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    for _ in 0..LOCK_TRIES {
        let locked = match sharing {
            Sharing::Alone => file.try_lock(),
            Sharing::WithOtherProcesses => file.try_lock_shared(),
        };
        match locked {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", path.display()));
            }
        }
    }
    bail!("{} is in use by another preceptor; stop it, or name another folder with --data", folder.display())
}

/// A secret that no one can guess, in letters and digits.
pub(crate) fn random_secret() -> String {
    rand::random::<[u8; SECRET_BYTES]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What seals the keyring: a file beside it that only its owner can read, made on first use. Anyone who copies the
/// keyring alone gets nothing.
fn passphrase(folder: &Path) -> anyhow::Result<Secret> {
    let path = folder.join("passphrase");
    match fs::read_to_string(&path) {
        Ok(text) => return Ok(Secret::new(text.trim())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
    let text = random_secret();
    write_private(&path, &text)?;
    Ok(Secret::new(text))
}

/// Writes a file that only its owner can read.
pub fn write_private(path: &PathBuf, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("{} cannot be written", path.display()))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alone_only_with_tables_that_its_lock_protects() {
        let files = Config::default();
        let mut postgres = Config::default();
        postgres.database.cell = Some("postgres://localhost/cell".into());
        postgres.database.control = Some("postgres://localhost/control".into());
        assert!(postgres.postgres().is_some());
        assert!(alone(Sharing::Alone, &files));
        assert!(!alone(Sharing::WithOtherProcesses, &files));
        assert!(!alone(Sharing::Alone, &postgres));
        assert!(!alone(Sharing::WithOtherProcesses, &postgres));
    }
}
