//! What each service is built from: the one table of the mesh.

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use preceptor_certificate::Fonts;
use preceptor_core::SystemActor;
use preceptor_rpc::{Ledger, Policies, Service, ServiceName, SystemCalls};
use preceptor_runtime::Tasks;
use preceptor_store::Handle;
use tokio::net::TcpListener;

use super::{Parts, Peers};
use crate::config::Config;
use crate::engines::Engines;

/// What `auth` is built from.
pub(crate) fn auth_deps(engines: &Engines, config: &Config) -> anyhow::Result<preceptor_auth::Deps> {
    Ok(preceptor_auth::Deps {
        control: engines.control.clone(),
        keys: Arc::clone(&engines.keys) as _,
        memory: Arc::clone(&engines.rolls) as _,
        sealed: engines.accounts_sealed.clone(),
        bus: Arc::clone(&engines.bus) as _,
        mail: config.credentials.mail()?,
        public_url: config.gateway.public_url.clone(),
        clock: Arc::clone(&engines.clock),
    })
}

pub(super) fn build(
    name: ServiceName,
    store: Option<Handle>,
    parts: &Parts,
    peers: &Peers,
) -> anyhow::Result<Service> {
    let Parts { engines, config, embedder, kinds, .. } = parts;
    let store = || store.clone().with_context(|| format!("{name} has no tables"));
    let bus = || Arc::clone(&engines.bus) as _;
    let keys = || Arc::clone(&engines.keys) as _;
    let channel = |to| peers.channel(to, name);
    let system = |actor| {
        Ok::<_, anyhow::Error>(SystemCalls::new(
            channel(ServiceName::Auth)?,
            actor,
            Arc::clone(&engines.clock),
        ))
    };
    Ok(match name {
        ServiceName::Auth => preceptor_auth::build(&auth_deps(engines, config)?, config.auth.clone()),
        ServiceName::Audit => {
            let (memory, health) = (Arc::clone(&engines.memory) as _, parts.health.clone());
            preceptor_audit::build(
                &preceptor_audit::Deps { store: store()?, bus: bus(), keys: keys(), memory, health },
                config.audit.clone(),
            )
        }
        ServiceName::Ingestion => ingestion(store()?, parts)?,
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
            let deps = preceptor_credentials::Deps {
                store: store()?,
                keys: keys(),
                bus: bus(),
                fonts: Arc::clone(&parts.fonts),
                alone: engines.alone,
            };
            preceptor_credentials::build(&deps, &config.credentials)?
        }
        ServiceName::Credits => credits(store()?, parts, peers)?,
        ServiceName::Analytics => {
            preceptor_analytics::build(&preceptor_analytics::Deps { store: store()?, bus: bus() })
        }
        ServiceName::Gateway => anyhow::bail!("the gateway has no RPCs of its own"),
    })
}

fn ingestion(store: Handle, parts: &Parts) -> anyhow::Result<Service> {
    let Parts { engines, config, .. } = parts;
    let deps = preceptor_ingestion::Deps {
        store,
        objects: engines.objects.clone(),
        bus: Arc::clone(&engines.bus) as _,
        cache: Arc::clone(&engines.cache) as _,
        keys: Arc::clone(&engines.keys) as _,
        sandbox: Arc::clone(&parts.sandbox),
        alone: engines.alone,
        clock: Arc::clone(&engines.clock),
    };
    Ok(preceptor_ingestion::build(&deps, config.ingestion.clone())?)
}

/// Seals what an earlier version of a service left without a seal, once, before anything of it is sent, claimed or shown.
pub(super) async fn seal_earlier(
    name: ServiceName,
    store: Option<&Handle>,
    engines: &Engines,
) -> anyhow::Result<()> {
    seal_outbox(name, store, engines).await?;
    if let (ServiceName::Credits, Some(store)) = (name, store) {
        let (results, awards) = (&engines.results_sealed, &engines.awards_sealed);
        preceptor_credits::seal_earlier(store, &*engines.keys, results, awards).await?;
    }
    Ok(())
}

/// Seals what waits in the outbox of a service since an earlier version.
async fn seal_outbox(name: ServiceName, store: Option<&Handle>, engines: &Engines) -> anyhow::Result<()> {
    let sealed = engines.outbox_sealed(name.name());
    if sealed.is_done().await? {
        return Ok(());
    }
    let count = match store {
        Some(store) => store.seal_earlier().await?,
        None => engines.control.seal_earlier().await?,
    };
    if count > 0 {
        tracing::warn!(
            service = name.name(),
            count,
            "events from before they had seals were sealed as they are"
        );
    }
    Ok(sealed.done().await?)
}

fn credits(store: Handle, parts: &Parts, peers: &Peers) -> anyhow::Result<Service> {
    let Parts { engines, config, .. } = parts;
    let channel = |to| peers.channel(to, ServiceName::Credits);
    let clock = Arc::clone(&engines.clock);
    Ok(preceptor_credits::build(&preceptor_credits::Deps {
        store,
        keys: Arc::clone(&engines.keys) as _,
        bus: Arc::clone(&engines.bus) as _,
        ingestion: channel(ServiceName::Ingestion)?,
        credentials: channel(ServiceName::Credentials)?,
        audit: channel(ServiceName::Audit)?,
        auth: channel(ServiceName::Auth)?,
        sandbox: Arc::clone(&parts.sandbox),
        alone: engines.alone,
        system: SystemCalls::new(channel(ServiceName::Auth)?, SystemActor::Credits, clock),
        public_url: config.gateway.public_url.trim_end_matches('/').to_owned(),
        fonts: Arc::clone(&parts.fonts),
    }))
}

/// What the public edge is made of.
pub(super) struct Public {
    pub(super) listener: preceptor_edge::Listener,
    pub(super) router: Router,
    pub(super) work: Tasks,
}

pub(super) fn gateway(
    store: Handle,
    ledger: Arc<Ledger>,
    parts: &Parts,
    peers: &Peers,
    socket: TcpListener,
) -> anyhow::Result<Public> {
    let channel = |to| peers.channel(to, ServiceName::Gateway);
    let services = preceptor_gateway::Services {
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
        services,
        store,
        ledger,
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

/// What certificates are printed with; anyone who runs this is told which names will be refused.
pub(super) fn fonts(config: &Config) -> Arc<Fonts> {
    let fonts = crate::fonts::load(config);
    let missing = fonts.missing_scripts();
    if !missing.is_empty() {
        let scripts = missing.join(", ");
        tracing::warn!(
            scripts,
            "no font for names in these scripts, which are refused: `preceptor fonts pull` gets them"
        );
    }
    fonts
}
