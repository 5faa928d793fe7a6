//! The rooms, joined and running.
//!
//! One table says which room is built from what; whether a peer is in this process or behind an address is decided in
//! one place, [`Peers::channel`].

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use futures::FutureExt as _;
use preceptor_certificate::Fonts;
use preceptor_core::{Clock, SystemActor, SystemClock};
use preceptor_models::Embedder;
use preceptor_models::kinds::Kinds;
use preceptor_rpc::health::Reporter;
use preceptor_rpc::records::Recorder;
use preceptor_rpc::{Channel, KeySource, Ledger, MeshSecret, Policies, Server, Service, ServiceName, SharedVerifier, SystemCalls, Task};
use preceptor_runtime::health::State;
use preceptor_runtime::modules::{self, Module, Running, Table};
use preceptor_runtime::{Health, OnEnd, Tasks};
use preceptor_sandbox::{Processes, Sandbox};
use preceptor_store::Handle;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::engines::{Engines, Sharing};
use crate::probes;
use crate::recorders::{InCell, InControl};

/// One process does the work of a service: the log of events and the files are in its data folder, which it holds a lock on.
const ALONE: bool = true;
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
    /// The rooms of this process.
    pub rooms: Vec<ServiceName>,
    /// Whether every room also listens for the others.
    pub listens: bool,
    /// Whether the folder is shared with other processes.
    pub sharing: Sharing,
}

impl Plan {
    /// The whole mesh in this process.
    pub fn whole() -> Self {
        Self { rooms: ServiceName::ALL.to_vec(), listens: false, sharing: Sharing::Alone }
    }
}

/// Where rooms are found: in this process, or at an address.
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
        let secret = self.secret.as_ref().context("mesh.secret is needed to reach rooms in other processes")?;
        Ok(Channel::remote(&format!("http://{}", self.config.address(to)), caller, secret)?)
    }
}

/// What all rooms are built from.
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
    /// Starts the rooms of `plan`; on failure nothing is left running.
    pub async fn start(config: Config, plan: Plan, embedder: Option<Arc<dyn Embedder>>) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let engines = Arc::new(Engines::open(&config, plan.sharing, Arc::clone(&clock)).await?);
        let health = Health::default();
        if embedder.is_none() && plan.rooms.iter().any(|room| NEED_MODEL.contains(room)) {
            health.set("model", State::Degraded("no embedding model: search compares words only; run `preceptor models pull`".into()));
        }
        let parts = Parts {
            engines: Arc::clone(&engines),
            embedder,
            kinds: Arc::new(Kinds::fitted()?),
            verifier: SharedVerifier::pending(),
            health: health.clone(),
            fonts: fonts(&config),
            sandbox: sandbox(&config)?,
            config,
        };
        let first_start = if plan.rooms.contains(&ServiceName::Auth) { found(&parts).await? } else { None };
        let listener = if plan.rooms.contains(&ServiceName::Gateway) {
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

    /// A channel to a room as `caller` sees it: for tools and tests that speak gRPC.
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
    let program = preceptor_sandbox::program(config.sandbox.program.as_deref()).map_err(anyhow::Error::msg)?;
    Ok(Arc::new(Processes::new(program, config.sandbox.clone())))
}

/// What `auth` is built from.
pub(crate) fn auth_deps(engines: &Engines, config: &Config) -> anyhow::Result<preceptor_auth::Deps> {
    Ok(preceptor_auth::Deps {
        control: engines.control.clone(),
        keys: Arc::clone(&engines.keys) as _,
        bus: Arc::clone(&engines.bus) as _,
        mail: config.credentials.mail()?,
        public_url: config.gateway.public_url.clone(),
        clock: Arc::clone(&engines.clock),
    })
}

/// Makes what a first start needs, and the verifier of tokens.
async fn found(parts: &Parts) -> anyhow::Result<Option<preceptor_auth::FirstStart>> {
    let first = preceptor_auth::bootstrap(&auth_deps(&parts.engines, &parts.config)?, &parts.config.auth).await?;
    parts.verifier.set(preceptor_auth::verifier(&*parts.engines.keys, &parts.config.auth).await?);
    parts.verifier.learn_from(own_keys(Arc::clone(&parts.engines), parts.config.auth.clone()));
    Ok(first)
}

/// Every room of this process as a module.
async fn table(parts: &Parts, plan: &Plan, listener: Option<TcpListener>) -> anyhow::Result<(Table, Peers)> {
    let secret = parts.config.mesh.secret.as_ref().map(MeshSecret::new);
    let server = Server::new(Policies::of_contracts()?, parts.verifier.clone(), Arc::clone(&parts.engines.clock), secret.clone());
    let mut peers = Peers { local: HashMap::new(), config: parts.config.mesh.clone(), secret };
    let mut table = Table::default();
    table.add(probes::store(parts.engines.cells.handle(ServiceName::Gateway.name()).await?));
    let mut names = Vec::new();
    // In this order every room is built after those it calls.
    for room in BUILD_ORDER.into_iter().filter(|room| plan.rooms.contains(room)) {
        // Of the rooms only auth has no rows of orgs.
        let store = if room == ServiceName::Auth { None } else { Some(parts.engines.cells.handle(room.name()).await?) };
        let ledger = ledger(store.clone(), parts);
        let mut service = build(room, store, parts, &peers)?;
        service.tasks.push(ledger.task());
        let (routes, reporter) = preceptor_rpc::health::with_health(room, service.routes).await?;
        let routes = server.stack(room, routes, ledger);
        peers.local.insert(room, routes.clone());
        let listens = if plan.listens {
            Some(Listens {
                socket: preceptor_rpc::server::bind(parts.config.mesh.address(room)).await?,
                routes,
                server: server.clone(),
                reporter,
            })
        } else {
            None
        };
        table.add(room_module(room, names.clone(), service.tasks, listens));
        names.push(room.name());
    }
    if !plan.rooms.contains(&ServiceName::Auth) {
        parts.verifier.learn_from(keys_of(peers.channel(ServiceName::Auth, plan.rooms[0])?));
    }
    table.add(keys_module(parts.verifier.clone()));
    if let Some(listener) = listener {
        let elsewhere = BUILD_ORDER.into_iter().filter(|room| !plan.rooms.contains(room));
        let elsewhere: anyhow::Result<Vec<_>> = elsewhere.map(|room| Ok((room, peers.channel(room, ServiceName::Gateway)?))).collect();
        table.add(probes::peers(elsewhere?));
        let store = parts.engines.cells.handle(ServiceName::Gateway.name()).await?;
        let tasks = preceptor_gateway::tasks(store.clone());
        table.add(gateway_module(gateway(store, parts, &peers, listener)?, tasks, names));
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

fn build(room: ServiceName, store: Option<Handle>, parts: &Parts, peers: &Peers) -> anyhow::Result<Service> {
    let Parts { engines, config, embedder, kinds, .. } = parts;
    let store = || store.clone().with_context(|| format!("{room} has no tables"));
    let bus = || Arc::clone(&engines.bus) as _;
    let keys = || Arc::clone(&engines.keys) as _;
    let channel = |to| peers.channel(to, room);
    let system = |actor| Ok::<_, anyhow::Error>(SystemCalls::new(channel(ServiceName::Auth)?, actor, Arc::clone(&engines.clock)));
    Ok(match room {
        ServiceName::Auth => preceptor_auth::build(&auth_deps(engines, config)?, config.auth.clone()),
        ServiceName::Audit => {
            let (memory, health) = (Arc::clone(&engines.memory) as _, parts.health.clone());
            preceptor_audit::build(
                &preceptor_audit::Deps { store: store()?, bus: bus(), keys: keys(), memory, health },
                config.audit.clone(),
            )
        }
        ServiceName::Ingestion => {
            let deps = preceptor_ingestion::Deps {
                store: store()?,
                objects: engines.objects.clone(),
                bus: bus(),
                cache: Arc::clone(&engines.cache) as _,
                keys: keys(),
                sandbox: Arc::clone(&parts.sandbox),
                alone: ALONE,
                clock: Arc::clone(&engines.clock),
            };
            preceptor_ingestion::build(&deps, config.ingestion.clone())?
        }
        ServiceName::Retrieval => {
            let deps = preceptor_retrieval::Deps {
                store: store()?,
                index: Arc::clone(&engines.index) as _,
                embedder: embedder.clone(),
                kinds: Arc::clone(kinds),
                bus: bus(),
                ingestion: channel(ServiceName::Ingestion)?,
                system: system(SystemActor::Indexer)?,
            };
            preceptor_retrieval::build(&deps, config.retrieval.clone())
        }
        ServiceName::Answering => {
            let retrieval = channel(ServiceName::Retrieval)?;
            let deps = preceptor_answering::Deps { store: store()?, bus: bus(), keys: keys(), retrieval };
            preceptor_answering::build(&deps, config.answering.clone())
        }
        ServiceName::Alignment => preceptor_alignment::build(&preceptor_alignment::Deps {
            store: store()?,
            bus: bus(),
            ingestion: channel(ServiceName::Ingestion)?,
            answering: channel(ServiceName::Answering)?,
            retrieval: channel(ServiceName::Retrieval)?,
            system: system(SystemActor::Alignment)?,
            embedder: embedder.clone(),
            kinds: Arc::clone(kinds),
        }),
        ServiceName::Credentials => {
            let deps = preceptor_credentials::Deps { store: store()?, keys: keys(), bus: bus(), fonts: Arc::clone(&parts.fonts) };
            preceptor_credentials::build(&deps, &config.credentials)?
        }
        ServiceName::Credits => preceptor_credits::build(&preceptor_credits::Deps {
            store: store()?,
            keys: keys(),
            bus: bus(),
            ingestion: channel(ServiceName::Ingestion)?,
            credentials: channel(ServiceName::Credentials)?,
            audit: channel(ServiceName::Audit)?,
            auth: channel(ServiceName::Auth)?,
            sandbox: Arc::clone(&parts.sandbox),
            alone: ALONE,
            system: system(SystemActor::Credits)?,
            public_url: config.gateway.public_url.trim_end_matches('/').to_owned(),
            fonts: Arc::clone(&parts.fonts),
        }),
        ServiceName::Analytics => preceptor_analytics::build(&preceptor_analytics::Deps { store: store()?, bus: bus() }),
        ServiceName::Gateway => anyhow::bail!("the gateway has no RPCs of its own"),
    })
}

/// What the public edge is made of.
struct Public {
    listener: preceptor_edge::Listener,
    router: Router,
    work: Tasks,
}

fn gateway(store: Handle, parts: &Parts, peers: &Peers, socket: TcpListener) -> anyhow::Result<Public> {
    let channel = |to| peers.channel(to, ServiceName::Gateway);
    let rooms = preceptor_gateway::Rooms {
        auth: channel(ServiceName::Auth)?,
        ingestion: channel(ServiceName::Ingestion)?,
        answering: channel(ServiceName::Answering)?,
        alignment: channel(ServiceName::Alignment)?,
        analytics: channel(ServiceName::Analytics)?,
        credentials: channel(ServiceName::Credentials)?,
        credits: channel(ServiceName::Credits)?,
        audit: channel(ServiceName::Audit)?,
    };
    let work = Tasks::standalone("requests");
    let deps = preceptor_gateway::Deps {
        rooms,
        store,
        keys: Arc::clone(&parts.engines.keys) as _,
        cache: Arc::clone(&parts.engines.cache) as _,
        verifier: parts.verifier.clone(),
        clock: Arc::clone(&parts.engines.clock),
        health: parts.health.clone(),
        terms: parts.config.terms(),
        policies: Policies::of_contracts()?,
        work: work.clone(),
    };
    let config = parts.config.gateway.clone();
    let listener = preceptor_edge::Listener {
        socket,
        limits: config.connections.clone(),
        trusted: config.trusted_proxies.clone(),
        tls: config.tls.clone().map(preceptor_edge::tls::Tls::load).transpose()?,
    };
    Ok(Public { listener, router: preceptor_gateway::build(deps, config), work })
}

/// What certificates are printed with; whoever runs this is told which names will be refused.
fn fonts(config: &Config) -> Arc<Fonts> {
    let fonts = Fonts::of_folders(&config.certificates.fonts);
    let missing = fonts.missing_scripts();
    if !missing.is_empty() {
        let scripts = missing.join(", ");
        tracing::warn!(scripts, "no font for names in these scripts, which are refused: install Noto fonts, or set certificates.fonts");
    }
    fonts
}

/// What a service of this process needs to be called from others.
struct Listens {
    socket: TcpListener,
    routes: Router,
    server: Server,
    reporter: Reporter,
}

fn room_module(room: ServiceName, after: Vec<&'static str>, tasks: Vec<Task>, listens: Option<Listens>) -> Module {
    Module::new(room.name(), &after, move |context| async move {
        for task in tasks {
            task.spawn(&context.tasks);
        }
        if let Some(Listens { socket, routes, server, reporter }) = listens {
            let stop = context.tasks.stop_signal();
            context.tasks.spawn_once("health", probes::report(reporter, context.health.clone(), stop.clone()));
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
