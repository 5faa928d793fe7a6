//! The services, joined and running.
//!
//! One table says which service is built from what; whether a peer is in this process or behind an address is decided in
//! one place, [`Peers::channel`].

mod wiring;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use futures::FutureExt as _;
use preceptor_bus::Bus;
use preceptor_certificate::Fonts;
use preceptor_core::{Clock, SystemClock};
use preceptor_models::Embedder;
use preceptor_models::kinds::Kinds;
use preceptor_rpc::health::Reporter;
use preceptor_rpc::records::Recorder;
use preceptor_rpc::{
    Channel, KeySource, Ledger, MeshSecret, Policies, Server, ServiceName, SharedVerifier, Task,
};
use preceptor_runtime::health::State;
use preceptor_runtime::modules::{self, Module, Running, Table};
use preceptor_runtime::{Health, OnEnd};
use preceptor_sandbox::{Processes, Sandbox};
use preceptor_store::Handle;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::engines::{Engines, Sharing};
use crate::probes;
use crate::recorders::{InCell, InControl};

pub(crate) use wiring::auth_deps;
use wiring::{Public, build, fonts, gateway};

/// How long a stop may take.
const GRACE: Duration = Duration::from_secs(10);

/// The services that work with the embedding model.
pub(crate) const NEED_MODEL: [ServiceName; 2] = [ServiceName::Retrieval, ServiceName::Alignment];

/// A running mesh.
#[derive(Debug)]
pub struct Mesh {
    running: Running,
    engines: Arc<Engines>,
    peers: Peers,
    /// Where the API and the pages are, when this process serves them.
    pub address: Option<SocketAddr>,
    /// What a first start made, to be shown once.
    pub first_start: Option<preceptor_auth::FirstStart>,
}

/// What a process runs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The services of this process.
    pub services: Vec<ServiceName>,
    /// Whether every service also listens for the others.
    pub listens: bool,
    /// Whether the folder is shared with other processes.
    pub sharing: Sharing,
}

impl Plan {
    /// The whole mesh in this process.
    pub fn whole() -> Self {
        Self { services: ServiceName::ALL.to_vec(), listens: false, sharing: Sharing::Alone }
    }
}

/// Where services are found: in this process, or at an address.
#[derive(Debug)]
struct Peers {
    local: HashMap<ServiceName, Router>,
    config: crate::config::Mesh,
    secret: Option<MeshSecret>,
}

impl Peers {
    /// A channel to `to` on behalf of `caller`.
    fn channel(&self, to: ServiceName, caller: ServiceName) -> anyhow::Result<Channel> {
        if let Some(routes) = self.local.get(&to) {
            return Ok(Channel::local(routes.clone(), caller));
        }
        let secret =
            self.secret.as_ref().context("mesh.secret is needed to reach services in other processes")?;
        Ok(Channel::remote(&format!("http://{}", self.config.address(to)), caller, secret)?)
    }
}

/// What all services are built from.
struct Parts {
    engines: Arc<Engines>,
    config: Config,
    embedder: Option<Arc<dyn Embedder>>,
    kinds: Arc<Kinds>,
    verifier: SharedVerifier,
    health: Health,
    fonts: Arc<Fonts>,
    sandbox: Arc<dyn Sandbox>,
}

impl Mesh {
    /// Starts the services of `plan`; on failure nothing is left running.
    pub async fn start(
        config: Config,
        plan: Plan,
        embedder: Option<Arc<dyn Embedder>>,
    ) -> anyhow::Result<Self> {
        Self::start_at(config, plan, embedder, Arc::new(SystemClock)).await
    }

    /// The same by another clock than the machine's: every expiry of the product reads it.
    pub async fn start_at(
        config: Config,
        plan: Plan,
        embedder: Option<Arc<dyn Embedder>>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        // A start holds much at once; those who wait for it need not.
        Box::pin(Self::begin(config, plan, embedder, clock)).await
    }

    async fn begin(
        config: Config,
        plan: Plan,
        embedder: Option<Arc<dyn Embedder>>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let engines = Arc::new(Engines::open(&config, plan.sharing, Arc::clone(&clock)).await?);
        let health = Health::default();
        if embedder.is_none() && plan.services.iter().any(|name| NEED_MODEL.contains(name)) {
            health.set(
                "model",
                State::Degraded(
                    "no embedding model: search compares words only; run `preceptor models pull`".into(),
                ),
            );
        }
        let parts = Parts {
            engines: Arc::clone(&engines),
            embedder,
            kinds: Arc::new(Kinds::fitted()?),
            verifier: SharedVerifier::pending(clock),
            health: health.clone(),
            fonts: fonts(&config),
            sandbox: sandbox(&config)?,
            config,
        };
        let first_start =
            if plan.services.contains(&ServiceName::Auth) { found(&parts).await? } else { None };
        let listener = if plan.services.contains(&ServiceName::Gateway) {
            Some(preceptor_rpc::server::bind(parts.config.gateway.listen).await?)
        } else {
            None
        };
        let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
        let (table, peers) = table(&parts, &plan, listener).await?;
        let running = modules::start(table.into_order()?, health, GRACE).await?;
        Ok(Self { running, engines, peers, address, first_start })
    }

    /// How the parts are.
    pub fn health(&self) -> &Health {
        &self.running.health
    }

    /// A channel to a service as `caller` sees it: for tools and tests that speak gRPC.
    pub fn channel(&self, to: ServiceName, caller: ServiceName) -> anyhow::Result<Channel> {
        self.peers.channel(to, caller)
    }

    /// Completes with the cause when a part that the process cannot do without has ended.
    pub async fn failed(&mut self) -> String {
        self.running.failed().await
    }

    /// Stops everything in order.
    pub async fn stop(self) {
        self.running.stop(GRACE).await;
        self.engines.close().await;
    }
}

/// Where files are read: in children of this binary, and nowhere else.
fn sandbox(config: &Config) -> anyhow::Result<Arc<dyn Sandbox>> {
    let program =
        preceptor_sandbox::program(config.sandbox.program.as_deref()).map_err(anyhow::Error::msg)?;
    Ok(Arc::new(Processes::new(program, config.sandbox.clone())))
}

/// Makes what a first start needs, and the verifier of tokens.
async fn found(parts: &Parts) -> anyhow::Result<Option<preceptor_auth::FirstStart>> {
    let first =
        preceptor_auth::bootstrap(&auth_deps(&parts.engines, &parts.config)?, &parts.config.auth).await?;
    parts.verifier.set(preceptor_auth::verifier(&*parts.engines.keys, &parts.config.auth).await?);
    parts.verifier.learn_from(own_keys(Arc::clone(&parts.engines), parts.config.auth.clone()));
    Ok(first)
}

/// Every service of this process as a module.
async fn table(parts: &Parts, plan: &Plan, listener: Option<TcpListener>) -> anyhow::Result<(Table, Peers)> {
    let secret = parts.config.mesh.secret.as_ref();
    let secret = secret.map(|secret| MeshSecret::new(secret, Arc::clone(&parts.engines.clock)));
    let server = Server::new(
        Policies::of_contracts()?,
        parts.verifier.clone(),
        Arc::clone(&parts.engines.clock),
        secret.clone(),
    );
    let mut peers = Peers { local: HashMap::new(), config: parts.config.mesh.clone(), secret };
    let mut table = Table::default();
    table.add(probes::store(parts.engines.cells.handle(ServiceName::Gateway.name()).await?));
    table.add(probes::outboxes(parts.engines.outboxes.clone()));
    let mut names = Vec::new();
    // In this order every service is built after those it calls.
    for name in BUILD_ORDER.into_iter().filter(|name| plan.services.contains(name)) {
        // Of the services only auth has no rows of orgs.
        let store = if name == ServiceName::Auth {
            None
        } else {
            Some(parts.engines.cells.handle(name.name()).await?)
        };
        let ledger = ledger(store.clone(), parts);
        wiring::seal_earlier(name, store.as_ref(), &parts.engines).await?;
        let mut service = build(name, store, parts, &peers)?;
        service.tasks.push(ledger.task());
        let (routes, reporter) = preceptor_rpc::health::with_health(name, service.routes).await?;
        let routes = server.stack(name, routes, ledger);
        peers.local.insert(name, routes.clone());
        let listens = if plan.listens {
            Some(Listens {
                socket: preceptor_rpc::server::bind(parts.config.mesh.address(name)).await?,
                routes,
                server: server.clone(),
                reporter,
            })
        } else {
            None
        };
        table.add(service_module(name, names.clone(), service.tasks, listens));
        names.push(name.name());
    }
    if !plan.services.contains(&ServiceName::Auth) {
        parts.verifier.learn_from(keys_of(peers.channel(ServiceName::Auth, plan.services[0])?));
    }
    table.add(keys_module(parts.verifier.clone()));
    if let Some(listener) = listener {
        let elsewhere = BUILD_ORDER.into_iter().filter(|name| !plan.services.contains(name));
        let elsewhere: anyhow::Result<Vec<_>> =
            elsewhere.map(|name| Ok((name, peers.channel(name, ServiceName::Gateway)?))).collect();
        table.add(probes::peers(elsewhere?));
        let store = parts.engines.cells.handle(ServiceName::Gateway.name()).await?;
        wiring::seal_earlier(ServiceName::Gateway, Some(&store), &parts.engines).await?;
        let ledger = ledger(Some(store.clone()), parts);
        let bus: Arc<dyn Bus> = Arc::clone(&parts.engines.bus) as _;
        let tasks = preceptor_gateway::tasks(&store, &bus, &ledger);
        table.add(gateway_module(gateway(store, ledger, parts, &peers, listener)?, tasks, names));
    }
    Ok((table, peers))
}

/// The record as the layers of one service keep it.
fn ledger(store: Option<Handle>, parts: &Parts) -> Arc<Ledger> {
    let recorder: Arc<dyn Recorder> = match store {
        Some(store) => Arc::new(InCell(store)),
        None => Arc::new(InControl(parts.engines.control.clone())),
    };
    Ledger::new(recorder, Arc::clone(&parts.engines.clock))
}

const BUILD_ORDER: [ServiceName; 9] = [
    ServiceName::Auth,
    ServiceName::Audit,
    ServiceName::Ingestion,
    ServiceName::Retrieval,
    ServiceName::Answering,
    ServiceName::Alignment,
    ServiceName::Credentials,
    ServiceName::Credits,
    ServiceName::Analytics,
];

/// What a service of this process needs to be called from others.
struct Listens {
    socket: TcpListener,
    routes: Router,
    server: Server,
    reporter: Reporter,
}

fn service_module(
    name: ServiceName,
    after: Vec<&'static str>,
    tasks: Vec<Task>,
    listens: Option<Listens>,
) -> Module {
    Module::new(name.name(), &after, move |context| async move {
        for task in tasks {
            task.spawn(&context.tasks);
        }
        if let Some(Listens { socket, routes, server, reporter }) = listens {
            let stop = context.tasks.stop_signal();
            context
                .tasks
                .spawn_once("health", probes::report(reporter, context.health.clone(), stop.clone()));
            context.tasks.spawn_vital("listener", async move {
                server.serve(socket, routes, async move { stop.requested().await }).await?;
                Ok(())
            });
        }
        Ok(())
    })
}

/// The pause before `auth` is asked for its keys again.
const KEYS_PAUSE: Duration = Duration::from_millis(500);
const KEYS_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the keys of `auth` are looked at without a reason: one that was retired is forgotten within this time.
const KEYS_AGAIN: Duration = Duration::from_secs(30);

/// Gets the keys that verify tokens as soon as they are there, and looks at them again from time to time.
fn keys_module(verifier: SharedVerifier) -> Module {
    Module::new("keys", &[], move |context| async move {
        context.tasks.spawn("fetch", OnEnd::Expected, move |stop| {
            let verifier = verifier.clone();
            async move {
                loop {
                    let pause = if verifier.refresh().await { KEYS_AGAIN } else { KEYS_PAUSE };
                    if !stop.sleep(pause).await {
                        return Ok(());
                    }
                }
            }
        });
        Ok(())
    })
}

/// The keys of `auth` in this process.
fn own_keys(engines: Arc<Engines>, config: preceptor_auth::Config) -> KeySource {
    Arc::new(move || {
        let (engines, config) = (Arc::clone(&engines), config.clone());
        let asked = async move {
            let found = preceptor_auth::verifier(&*engines.keys, &config).await;
            found.inspect_err(|error| tracing::warn!(%error, "the keys of tokens could not be read")).ok()
        };
        asked.boxed()
    })
}

/// The keys of `auth` in another process.
fn keys_of(auth: Channel) -> KeySource {
    Arc::new(move || {
        let auth = auth.clone();
        let asked = async move {
            let found = fetch_keys(auth).await;
            found.inspect_err(|error| tracing::info!(%error, "waiting for the keys of auth")).ok()
        };
        asked.boxed()
    })
}

async fn fetch_keys(auth: Channel) -> anyhow::Result<preceptor_core::scope::ScopeVerifier> {
    use preceptor_proto::auth::v1::GetKeysRequest;
    use preceptor_proto::auth::v1::auth_client::AuthClient;
    let request = preceptor_rpc::call::unscoped(GetKeysRequest {}, KEYS_TIMEOUT);
    let response = AuthClient::new(auth).get_keys(request).await?.into_inner();
    let keys = response.keys.iter().map(|key| (key.key_id.as_str(), key.public_key.as_slice()));
    Ok(preceptor_core::scope::ScopeVerifier::new(&response.issuer, keys)?)
}

fn gateway_module(public: Public, tasks: Vec<Task>, after: Vec<&'static str>) -> Module {
    Module::new(ServiceName::Gateway.name(), &after, move |context| async move {
        for task in tasks {
            task.spawn(&context.tasks);
        }
        let Public { listener, router, work } = public;
        // Requests go on when their connections end, and a stop waits for them.
        let stop = context.tasks.stop_signal();
        context.tasks.spawn_once("requests", async move {
            stop.requested().await;
            if !work.finish(GRACE).await {
                tracing::warn!("requests did not end in time");
            }
        });
        let served = preceptor_edge::serve(listener, router, context.tasks.clone());
        context.tasks.spawn_vital("http", async move { Ok(served.await?) });
        Ok(())
    })
}
