//! Credits issued in a second by the mesh, against the same SQL statements run bare in the same shape of transactions, on
//! both stores.
//!
//! Half of the learners claim through the mesh, as the gateway asks for it; for the other half the statements of a claim
//! are sent to the database directly, by as many connections, with nothing around them: no token is verified, no message
//! encoded, no key unwrapped. Their events go to streams of their own, since the log notices a number that is missing. The
//! halves take turns, and between them the mesh comes to rest: certificates are printed behind the scenes.

mod bare;
mod learners;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use preceptor_core::id::OrgId;
use preceptor_proto::credits::v1::ClaimCreditRequest;
use preceptor_proto::credits::v1::credits_client::CreditsClient;
use preceptor_rpc::{Channel, ServiceName};
use preceptor_testkit::Store;
use preceptor_testkit::postgres::Server;
use serde_json::json;
use tonic::Request;

use bare::Bare;
use learners::{Course, Learner};

/// Rounds of both halves.
const ROUNDS: usize = 4;
/// What the mesh issues of what the bare statements would, at least.
const PROMISE: f64 = 0.65;
/// How long one claim may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures how many credits are issued in a second.
#[derive(Debug, Parser)]
struct Options {
    /// Learners who claim through the mesh, and as many whose statements are run bare.
    #[arg(long, default_value_t = 240)]
    learners: usize,
    /// Claims that are under way at the same time.
    #[arg(long, default_value_t = 8)]
    at_once: usize,
    /// Only this store; both when left out.
    #[arg(long)]
    store: Option<Engine>,
}

/// A store that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    Sqlite,
    Postgres,
}

fn main() -> anyhow::Result<ExitCode> {
    if let Some(code) = preceptor::worker::run_if_asked() {
        return Ok(code);
    }
    tokio::runtime::Runtime::new()?.block_on(run())?;
    Ok(ExitCode::SUCCESS)
}

async fn run() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut ratios = Vec::new();
    if options.store != Some(Engine::Postgres) {
        ratios.push(measure("SQLite", Store::Files, &options).await?);
    }
    if options.store != Some(Engine::Sqlite) {
        ratios.push(measure("PostgreSQL", postgres()?, &options).await?);
    }
    anyhow::ensure!(ratios.iter().all(|ratio| *ratio >= PROMISE), "below {PROMISE}: the promise is not kept");
    Ok(())
}

fn postgres() -> anyhow::Result<Store> {
    preceptor_testkit::postgres::install().map_err(anyhow::Error::msg)?;
    // What is acknowledged is on disk, as in production.
    Ok(Store::Postgres(Arc::new(Server::start(true).map_err(anyhow::Error::msg)?)))
}

/// Measures one store; gives the ratio.
async fn measure(engine: &str, store: Store, options: &Options) -> anyhow::Result<f64> {
    let connections = options.at_once as u32;
    let local = store.mesh_with(None, move |config| config.database.connections = connections).await?;
    let course = Course::open(&local).await?;
    let each = options.learners / ROUNDS;
    let mut learners = course.learners(&local, 2 * each * ROUNDS, options.at_once).await?;
    let org: OrgId = learners::org(&local).await?.parse()?;
    let bare = Arc::new(Bare::open(&store, &local, org, &course.offer, options.at_once).await?);
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let half: Vec<Learner> = learners.drain(..each).collect();
        let facts = bare.facts(&half).await?;
        let begun = Instant::now();
        let claims = facts.into_iter().map(|facts| Arc::clone(&bare).issue(facts));
        all(claims, options.at_once).await?;
        parts.push(each as f64 / begun.elapsed().as_secs_f64());

        let half: Vec<Learner> = learners.drain(..each).collect();
        let begun = Instant::now();
        let channel = local.mesh.channel(ServiceName::Credits, ServiceName::Gateway)?;
        let claims = half.iter().map(|learner| claim(channel.clone(), learner.clone(), course.offer.clone()));
        all(claims, options.at_once).await?;
        whole.push(each as f64 / begun.elapsed().as_secs_f64());
        learners::wait_for_certificates(&half).await?;
    }
    let (whole, parts) = (median(whole), median(parts));
    let ratio = (whole / parts * 1000.0).round() / 1000.0;
    println!(
        "{}",
        json!({ "figure": format!("credits issued, {engine}"), "whole": whole, "bare": parts, "unit": "credits/s", "ratio": ratio, "promise": format!("ratio >= {PROMISE}") })
    );
    bare.close().await?;
    local.stop().await;
    Ok(ratio)
}

/// Each in a task of its own, as requests are, `at_once` at a time.
#[expect(clippy::disallowed_methods, reason = "what is awaited here needs no supervisor")]
async fn all(
    claims: impl Iterator<Item = impl Future<Output = anyhow::Result<()>> + Send + 'static>,
    at_once: usize,
) -> anyhow::Result<()> {
    let tasks = stream::iter(claims).map(|claim| async { tokio::spawn(claim).await? });
    tasks.buffer_unordered(at_once).try_collect().await
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// One claim, as the gateway sends it.
async fn claim(channel: Channel, learner: Learner, offer: String) -> anyhow::Result<()> {
    let message = ClaimCreditRequest { attempt_id: learner.attempt, offer_id: offer, quarters: 2 };
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request.metadata_mut().insert("authorization", format!("Bearer {}", learner.scope_token).parse()?);
    let credit = CreditsClient::new(channel).claim_credit(request).await?.into_inner();
    anyhow::ensure!(credit.fresh, "a credit was there already");
    Ok(())
}

/// The message of a missing field.
fn missing(what: &'static str) -> impl Fn() -> anyhow::Error {
    move || anyhow::anyhow!("no {what}")
}

/// A text of a JSON answer.
fn text(value: &serde_json::Value, field: &'static str) -> anyhow::Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("no {field}"))
}
