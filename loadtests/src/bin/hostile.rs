//! What 200 hostile connections at once do to a tenant that means well: the 95th percentile of its requests with and
//! without them, against a process with few open files and little memory; and clients that go away in the middle.
//!
//! Prints one JSON line per figure. The ratio is what is promised; exit status 1 when a promise is broken.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use futures::future::join_all;
use preceptor::client::{Client, id};
use preceptor_core::Secret;
use preceptor_runtime::Tasks;
use preceptor_testkit::Dice;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// How much slower the tenant may become.
const PROMISE: f64 = 3.0;
/// How long the process may take to be ready.
const STARTS: Duration = Duration::from_secs(60);

/// Measures a tenant among strangers.
#[derive(Debug, Parser)]
struct Options {
    /// The binary.
    #[arg(long, default_value = "target/release/preceptor")]
    binary: PathBuf,
    /// Hostile connections at the same time.
    #[arg(long, default_value_t = 200)]
    connections: usize,
    /// Requests of the tenant, each time.
    #[arg(long, default_value_t = 400)]
    requests: usize,
    /// Writes whose client goes away.
    #[arg(long, default_value_t = 1000)]
    resets: usize,
}

/// A mesh in a process of its own, with 120 open files and 6 GiB of address space.
struct Server {
    child: Child,
    address: SocketAddr,
    admin: Client,
    _data: tempfile::TempDir,
}

impl Server {
    async fn start(binary: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // Made by the mesh itself, which wants it private.
        let data = folder.path().join("data");
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let limits = "ulimit -n 120; ulimit -v 6291456; exec \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", limits, "sh"]).arg(binary).arg("up").arg("--no-model");
        command.arg("--data").arg(&data).args(["--listen", &address.to_string()]).kill_on_drop(true);
        for limit in ["REQUESTS", "PUBLIC_REQUESTS", "REFUSALS"] {
            command.env(format!("PRECEPTOR__GATEWAY__{limit}_PER_MINUTE"), "1000000");
        }
        command.stdout(std::process::Stdio::null());
        let mut child = command.spawn().with_context(|| format!("{} cannot be started", binary.display()))?;
        let begun = Instant::now();
        let token = loop {
            ensure!(begun.elapsed() < STARTS, "the mesh is not ready in time");
            ensure!(child.try_wait()?.is_none(), "the mesh ended; what it said is above");
            sleep(Duration::from_millis(100)).await;
            let Ok(token) = std::fs::read_to_string(data.join("admin.token")) else { continue };
            if TcpStream::connect(address).await.is_ok() {
                break token;
            }
        };
        let admin = Client::new(&format!("http://{address}"), Secret::new(token.trim()))?;
        Ok(Self { child, address, admin, _data: folder })
    }

    fn resident_mib(&self) -> usize {
        let status = self
            .child
            .id()
            .and_then(|id| std::fs::read_to_string(format!("/proc/{id}/status")).ok())
            .unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).unwrap_or(0) >> 10
    }
}

/// Milliseconds below which 95 of 100 requests of the tenant are answered.
async fn p95(server: &Server, requests: usize) -> anyhow::Result<f64> {
    let mut times = Vec::with_capacity(requests);
    for _ in 0..requests {
        let begun = Instant::now();
        timeout(Duration::from_secs(10), server.admin.get("/v1/programs"))
            .await
            .context("no answer in 10 s")??;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() * 95 / 100])
}

/// One stranger, who comes back whenever the connection ends.
async fn hostile(
    address: SocketAddr,
    kind: usize,
    learner: Arc<str>,
    program: Arc<str>,
    attempts: Arc<AtomicUsize>,
) {
    loop {
        attempts.fetch_add(1, Ordering::Relaxed);
        // However it ends, it begins again.
        let _ = attack(address, kind, &learner, &program).await;
        sleep(Duration::from_millis(20)).await;
    }
}

async fn attack(address: SocketAddr, kind: usize, learner: &str, program: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let upload = format!(
        "POST /v1/programs/{program}/sources HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {learner}\r\ncontent-type: multipart/form-data; \
         boundary=b\r\ncontent-length: {}\r\n\r\n",
        95 << 20
    );
    match kind % 6 {
        0 => stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await?,
        1 => {}
        2 => stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?,
        3 => {
            stream.write_all(b"POST /sign-in HTTP/1.1\r\nhost: x\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\n").await?;
            loop {
                sleep(Duration::from_secs(5)).await;
                stream.write_all(b"a").await?;
            }
        }
        4 => {
            stream.write_all(upload.as_bytes()).await?;
            let piece = vec![b'x'; 64 << 10];
            for _ in 0..(95 << 4) {
                stream.write_all(&piece).await?;
                // A line of some megabytes a second: the processor is not what is attacked here.
                sleep(Duration::from_millis(20)).await;
            }
        }
        _ => {
            // Asks, and takes nothing of the answers.
            for _ in 0..200 {
                stream.write_all(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n").await?;
            }
            sleep(Duration::from_secs(60)).await;
        }
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.map(|_| ())
}

/// Writes whose client goes away at a random moment, and comes back with the same key. Counts the keys that were stuck,
/// and the programs beyond one for each key.
async fn resets(server: &Server, count: usize) -> anyhow::Result<(usize, i64)> {
    let before = server.admin.all("/v1/programs").await?.len();
    let mut dice = Dice::new(11);
    let mut stuck = 0;
    for number in 0..count {
        let body = format!("{{\"title\":\"Reset {number}\"}}");
        let request = format!(
            "POST /v1/programs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\nidempotency-key: \
             reset-{number}\r\ncontent-length: {}\r\n",
            server.admin.token(),
            body.len()
        );
        let mut stream = TcpStream::connect(server.address).await?;
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).await?;
        sleep(Duration::from_micros(dice.roll(12_000) as u64)).await;
        stream.set_zero_linger()?;
        drop(stream);
        let mut answered = false;
        for _ in 0..100 {
            let mut stream = TcpStream::connect(server.address).await?;
            stream.write_all(format!("{request}connection: close\r\n\r\n{body}").as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            answered = answer.starts_with("HTTP/1.1 201");
            if answered {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        stuck += usize::from(!answered);
    }
    let after = server.admin.all("/v1/programs").await?.len();
    Ok((stuck, after as i64 - before as i64 - (count - stuck) as i64))
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let server = Server::start(&options.binary).await?;
    let program: Arc<str> =
        id(&server.admin.post("/v1/programs", &json!({ "title": "P" })).await?, "id")?.into();
    let learner: Arc<str> = server.admin.learner(&program, "l").await?.token().into();
    p95(&server, options.requests / 4).await?;

    let (alone, memory) = (p95(&server, options.requests).await?, server.resident_mib());
    let attempts = Arc::new(AtomicUsize::new(0));
    let strangers = Tasks::standalone("strangers");
    let address = server.address;
    let one =
        |kind| hostile(address, kind, Arc::clone(&learner), Arc::clone(&program), Arc::clone(&attempts));
    let attack = join_all((0..options.connections).map(one));
    let stop = strangers.stop_signal();
    strangers.spawn_once("attack", async move {
        tokio::select! {
            _ = attack => {}
            () = stop.requested() => {}
        }
    });
    sleep(Duration::from_secs(3)).await;
    let among = p95(&server, options.requests).await;
    let grown = server.resident_mib().saturating_sub(memory);
    strangers.finish(Duration::from_secs(5)).await;
    let among = among?;
    let figure = json!({ "figure": "p95 among strangers", "alone_ms": alone, "among_ms": among, "ratio": among / alone });
    println!("{figure}");
    println!(
        "{}",
        json!({ "figure": "strangers", "attacks": attempts.load(Ordering::Relaxed), "grown_mib": grown })
    );

    let (stuck, duplicates) = resets(&server, options.resets).await?;
    println!(
        "{}",
        json!({ "figure": "clients that go away", "resets": options.resets, "stuck_keys": stuck, "duplicates": duplicates })
    );
    let kept = among / alone <= PROMISE && stuck == 0 && duplicates == 0;
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
