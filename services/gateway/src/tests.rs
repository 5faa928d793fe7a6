//! The layers of the edge as they are put together, around handlers of a test, on engines of its own.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::routing::get;
use preceptor_cache::MemoryCache;
use preceptor_core::{Clock, Secret, SystemClock};
use preceptor_keys::Keyring;
use preceptor_rpc::records::{Entry, Recorder, Unrecorded};
use preceptor_rpc::{Channel, Ledger, Policies, ServiceName, SharedVerifier};
use preceptor_runtime::{Health, Tasks};
use preceptor_store::Cells;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::identity::Carrier;
use crate::{Config, Deps, Edge, SCHEMA, Services, Terms, layered};

#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Recorder for Nowhere {
    async fn record(&self, _entries: Vec<Entry>) -> Result<(), Unrecorded> {
        Ok(())
    }
}

/// Services that know no method.
fn services() -> Services {
    let channel = || Channel::local(Router::new(), ServiceName::Gateway);
    Services {
        auth: channel(),
        ingestion: channel(),
        answering: channel(),
        alignment: channel(),
        analytics: channel(),
        credentials: channel(),
        credits: channel(),
        audit: channel(),
    }
}

async fn edge(folder: &TempDir, config: Config) -> Edge {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let keyring = Keyring::open(&folder.path().join("keyring.json"), &Secret::new("test"));
    let cells = preceptor_store::Config::Files(folder.path().join("cells"));
    let seals = preceptor_store::OutboxSeals::new(&[7; 32]);
    let cells = Cells::open(&cells, &[SCHEMA], Arc::clone(&clock), seals).await.expect("cells");
    let deps = Deps {
        services: services(),
        store: cells.handle("gateway").await.expect("tables"),
        keys: Arc::new(keyring.expect("a keyring")),
        cache: Arc::new(MemoryCache::new(Arc::clone(&clock))),
        verifier: SharedVerifier::pending(Arc::clone(&clock)),
        health: Health::default(),
        terms: Terms::default(),
        ledger: Ledger::new(Arc::new(Nowhere), Arc::clone(&clock)),
        policies: Policies::of_contracts().expect("contracts"),
        work: Tasks::standalone("requests"),
        clock,
    };
    Edge::new(deps, config)
}

async fn panics() -> &'static str {
    panic!("on purpose")
}

#[tokio::test]
async fn a_handler_that_panics_behind_all_layers_answers_for_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let handlers = Router::new().route("/v1/bad", get(panics)).route("/bad", get(panics));
    let router = layered(handlers, edge(&folder, Config::default()).await);
    for (path, kind) in [("/v1/bad", "application/problem+json"), ("/bad", "text/html")] {
        let request = Request::get(path).header(header::HOST, "localhost").body(Body::empty());
        let answer = router.clone().oneshot(request.expect("a request")).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        let told = answer.headers()[header::CONTENT_TYPE].to_str().expect("text").to_owned();
        assert!(told.starts_with(kind), "{path}: {told}");
    }
}

#[tokio::test]
async fn the_same_credential_is_exchanged_only_so_often() {
    let folder = tempfile::tempdir().expect("a folder");
    let edge = edge(&folder, Config { requests_per_minute: 3, ..Config::default() }).await;
    let tried = async |credential: &str| {
        let refused = edge.identify(credential, Carrier::Bearer).await.expect_err("no one is behind it");
        refused.status() == StatusCode::TOO_MANY_REQUESTS
    };
    for _ in 0..3 {
        assert!(!tried("one").await, "it is asked about");
    }
    assert!(tried("one").await, "not any more");
    assert!(!tried("other").await, "another credential is");
}
