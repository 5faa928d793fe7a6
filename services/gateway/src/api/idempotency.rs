//! Idempotent writes: the same key and body give the first answer again, byte for byte, for as long as what it quotes may be
//! quoted.
//!
//! A write runs in a task of its own, and its answer is kept there: a client that goes away changes nothing. A key is free
//! text, in which anything may stand, so it is kept nowhere: a row is found by a keyed hash of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, FromRequestParts as _, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::response;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use preceptor_core::{Fault, Kind, Scope, SystemActor, Timestamp};
use preceptor_edge::body::Account;
use preceptor_keys::{DataKey, KeyError, KeyName, Purpose};
use preceptor_runtime::tasks::{Stop, TaskError};
use preceptor_store::{Handle, StoreError};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument as _;

use super::quoted;
use super::upload::{self, FormDigest, UploadForm};
use crate::Edge;
use crate::error::ApiError;
use crate::identity::Identity;
use crate::problems::{self, RequestId};
use crate::store::{self, Begun, Kept, answer};

const HEADER: &str = "idempotency-key";
const LONGEST_KEY: usize = 128;
/// How long an answer is kept.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// How often old ones are looked for.
const SWEEP: Duration = Duration::from_secs(600);
/// How long a running request holds its key without saying that it still runs: then its process is gone.
const LEASE: Duration = Duration::from_secs(15);
/// Headers that belong to the answer.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        error.to_fault().into()
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        Self::from(error.to_fault()).retry_after(1)
    }
}

/// Forgets answers that are older than they live, also where no one writes any more.
pub(crate) async fn forget_answers(store: Handle, stop: Stop) -> Result<(), TaskError> {
    loop {
        for org in store.known_orgs().await? {
            let scope = Arc::new(Scope::of_system(SystemActor::Gateway, org));
            let tx = store.write(&scope).await?;
            let forgotten = Timestamp::from_micros(tx.now().micros() - LIFE.as_micros() as i64);
            store::forget_older(&tx, forgotten).await?;
            tx.commit().await?;
        }
        if !stop.sleep(SWEEP).await {
            return Ok(());
        }
    }
}

/// What to do with a request that carries a key.
enum Found {
    /// It is the first; its answer is sealed under this key.
    First(DataKey),
    /// It was answered before.
    Answered(answer::Model),
}

/// Has every write done to its end, whether or not the client waits for it, and answers a repeated one as the first.
pub(crate) async fn layer(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    // What no route takes is refused by the router, also under a key that was used before.
    if !edge.permissions.takes(request.method(), route) {
        return next.run(request).await;
    }
    // Bytes of the body are held until the handler is done, and not until the client is gone.
    let account = request.extensions().get::<Arc<Account>>().cloned();
    let tasks = edge.work.clone();
    let work = async move {
        let _account = account;
        if !request.headers().contains_key(HEADER) {
            return caught(next.run(request)).await;
        }
        with_key(&edge, request, next).await.unwrap_or_else(IntoResponse::into_response)
    };
    let answered = tasks.detached("request", work.in_current_span()).await;
    answered.unwrap_or_else(|| ApiError::from(Fault::internal()).into_response())
}

/// A panic is the answer of its own request only, and its key can be used again.
async fn caught(answer: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a handler panicked");
        ApiError::from(Fault::internal()).into_response()
    })
}

async fn with_key(edge: &Edge, request: Request, next: Next) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let text = key(parts.headers.get(HEADER))?;
    if super::messages::wants_stream(&parts.headers) {
        return Err(ApiError::new(
            Kind::InvalidInput,
            "IDEMPOTENCY_KEY_ON_STREAM",
            "a streamed answer cannot be repeated; ask for JSON, or leave the key out",
        ));
    }
    let identity = Identity::from_request_parts(&mut parts, edge).await?;
    let key = hashed(edge, &identity.scope, &text).await?;
    let route = parts.extensions.get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str).unwrap_or_default();
    let place = Place { edge, identity: &identity, key: &key, route };
    if upload::is_form(&parts.headers) {
        return with_form(place, Request::from_parts(parts, body), next).await;
    }
    // The gate bounds the body, and says what was wrong with one that breaks off.
    let body = to_bytes(body, usize::MAX).await.map_err(|_| broken_off())?;
    let hash = fingerprint(&parts, &hex::encode(Sha256::digest(&body)), true);
    match place.begin(&hash).await? {
        Found::Answered(row) if row.request_sha256 == hash => place.replay(row).await,
        Found::Answered(_) => Err(reused()),
        Found::First(data_key) => {
            let id = request_id(&parts);
            let running = place.keep_running();
            let response = caught(next.run(Request::from_parts(parts, Body::from(body)))).await;
            drop(running);
            place.finish(&data_key, id, Some(hash), response).await
        }
    }
}

/// A form streams through, so what it holds is known only when it has been read.
async fn with_form(place: Place<'_>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let digest = FormDigest::default();
    request.extensions_mut().insert(digest.clone());
    let (parts, body) = request.into_parts();
    let head = parts.clone();
    let hash = || Some(fingerprint(&head, &digest.finished()?, false));
    match place.begin("").await? {
        Found::Answered(row) => {
            UploadForm::from_request(Request::from_parts(parts, body), place.edge).await?.drain().await?;
            if hash().as_deref() == Some(&row.request_sha256) {
                place.replay(row).await
            } else {
                Err(reused())
            }
        }
        Found::First(data_key) => {
            let id = request_id(&parts);
            let running = place.keep_running();
            let response = caught(next.run(Request::from_parts(parts, body))).await;
            drop(running);
            place.finish(&data_key, id, hash(), response).await
        }
    }
}

fn request_id(parts: &Parts) -> RequestId {
    parts.extensions.get::<RequestId>().cloned().unwrap_or_else(RequestId::new)
}

fn broken_off() -> ApiError {
    ApiError::new(Kind::InvalidInput, "REQUEST_TIMEOUT", "the body is incomplete; send it again")
        .with_status(StatusCode::REQUEST_TIMEOUT)
}

fn reused() -> ApiError {
    let detail = "this idempotency key was used for another request; use a new key for a new request";
    ApiError::new(Kind::InvalidInput, "IDEMPOTENCY_KEY_REUSED", detail)
        .with_status(StatusCode::UNPROCESSABLE_ENTITY)
}

fn key(value: Option<&HeaderValue>) -> Result<String, ApiError> {
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_key =
        (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !is_key {
        return Err(ApiError::new(
            Kind::InvalidInput,
            "IDEMPOTENCY_KEY_INVALID",
            "an idempotency key has 1 to 128 visible characters",
        ));
    }
    Ok(text.to_owned())
}

/// What a key is kept as. Without the key of the org, the hash of a short text would say what the text was.
async fn hashed(edge: &Edge, scope: &Scope, text: &str) -> Result<String, KeyError> {
    // JSON keeps the parts apart, whatever they hold.
    let message = serde_json::to_vec(&("gateway_idempotency", scope.subject(), text)).unwrap_or_default();
    let name = KeyName::of_org(Purpose::BlindIndex, scope.org());
    Ok(hex::encode(edge.keys.hmac(name, &message).await?))
}

/// The operation and everything that decides its outcome.
fn fingerprint(parts: &Parts, body: &str, with_type: bool) -> String {
    let mut hash = Sha256::new();
    hash.update(parts.method.as_str());
    hash.update([0]);
    hash.update(parts.uri.path_and_query().map_or("", |path| path.as_str()));
    // The type of a form carries its boundary, which is another one every time.
    let names = [header::IF_MATCH, header::CONTENT_TYPE];
    for name in names.iter().take(if with_type { 2 } else { 1 }) {
        hash.update([0]);
        hash.update(parts.headers.get(name).map_or(&b""[..], HeaderValue::as_bytes));
    }
    hash.update([0]);
    hash.update(body);
    hex::encode(hash.finalize())
}

/// The key of a subject, and where its row is.
#[derive(Clone, Copy)]
struct Place<'a> {
    edge: &'a Edge,
    identity: &'a Identity,
    /// Hashed.
    key: &'a str,
    route: &'a str,
}

impl Place<'_> {
    /// Where a sealed answer is, for the cipher, and whose key it has.
    fn name(&self) -> String {
        format!(
            "{}/gateway_idempotency/body/{}/{}",
            self.identity.scope.org(),
            self.identity.scope.subject(),
            self.key
        )
    }

    /// Whether this is the operator's, who is in no tenant and has no cell.
    fn is_operator(&self) -> bool {
        !self.identity.scope.org().is_tenant()
    }

    /// Notes that a request begins, unless it is one that began before. `hash` is empty where it is not known yet.
    async fn begin(&self, hash: &str) -> Result<Found, ApiError> {
        let (edge, scope) = (self.edge, &self.identity.scope);
        // Made before anything happens: an engine of keys that is away refuses the request, and not its answer.
        let (data_key, wrapped_key) = DataKey::make(&*edge.keys, scope.org(), &self.name()).await?;
        if self.is_operator() {
            let now = edge.clock.now();
            return edge.operator_answers.with(|rows| -> Result<Found, ApiError> {
                if let Some(row) = answered(rows.find(self.key), hash, now)? {
                    return Ok(Found::Answered(row));
                }
                let begun = Begun { request_sha256: hash, wrapped_key, now, until: now.after(LEASE) };
                rows.begin(scope.subject(), self.key, begun, LIFE);
                Ok(Found::First(data_key))
            });
        }
        let tx = edge.store.write(scope).await?;
        let now = tx.now();
        if let Some(row) = answered(store::find(&tx, scope.subject(), self.key).await?, hash, now)? {
            return Ok(Found::Answered(row));
        }
        store::begin(&tx, scope.subject(), self.key, hash, wrapped_key, now.after(LEASE)).await?;
        tx.commit().await?;
        Ok(Found::First(data_key))
    }

    /// Renews the lease of the row until what it gives back is dropped.
    fn keep_running(&self) -> DropGuard {
        let ended = CancellationToken::new();
        let (edge, scope, key, stop) =
            (self.edge.clone(), Arc::clone(&self.identity.scope), self.key.to_owned(), ended.clone());
        let renew = async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(LEASE / 3) => {}
                }
                if let Err(error) = renew(&edge, &scope, &key).await {
                    tracing::warn!(%error, "the lease of an idempotency key was not renewed");
                }
            }
        };
        self.edge.work.spawn_once("lease of a key", renew);
        ended.drop_guard()
    }

    async fn replay(&self, row: answer::Model) -> Result<Response, ApiError> {
        let broken = || ApiError::from(Fault::internal());
        let headers: Vec<(String, String)> = serde_json::from_str(&row.headers).map_err(|_| broken())?;
        let status =
            row.status.and_then(|status| StatusCode::from_u16(status as u16).ok()).ok_or_else(broken)?;
        let place = self.name();
        let data_key = DataKey::open(
            &*self.edge.keys,
            self.identity.scope.org(),
            &place,
            &row.wrapped_key.unwrap_or_default(),
        )
        .await?;
        let body = data_key.unseal(&place, &row.body.unwrap_or_default())?;
        let body = quoted::again(self.edge, self.identity, self.route, body).await?;
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        response.header("idempotency-replayed", "true").body(Body::from(body)).map_err(|_| broken())
    }

    /// Keeps what was answered. What changed nothing and may turn out differently is forgotten, so that the client may
    /// try again with the same key: failures of ours, limits, and conflicts with a state that passes.
    async fn finish(
        &self,
        data_key: &DataKey,
        id: RequestId,
        hash: Option<String>,
        response: Response,
    ) -> Result<Response, ApiError> {
        let (edge, scope) = (self.edge, &self.identity.scope);
        // What is kept is what is sent, the id of this request included.
        let (parts, body) = problems::finish(edge, &id, response).into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|_| ApiError::from(Fault::internal()))?;
        let kept = match hash.filter(|_| !is_passing(parts.status)) {
            Some(hash) => Some(self.kept(data_key, &parts, &body, hash)?),
            None => None,
        };
        if self.is_operator() {
            edge.operator_answers.with(|rows| match kept {
                Some(kept) => rows.finish(self.key, kept),
                None => rows.remove(self.key),
            });
        } else {
            let tx = edge.store.write(scope).await?;
            match kept {
                Some(kept) => store::finish(&tx, scope.subject(), self.key, kept).await?,
                None => store::remove(&tx, scope.subject(), self.key).await?,
            }
            tx.commit().await?;
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    /// An answer as it is kept.
    fn kept(
        &self,
        data_key: &DataKey,
        parts: &response::Parts,
        body: &[u8],
        hash: String,
    ) -> Result<Kept, ApiError> {
        let headers =
            KEPT.iter().filter_map(|name| Some((name.as_str(), parts.headers.get(name)?.to_str().ok()?)));
        Ok(Kept {
            status: parts.status.as_u16(),
            headers: serde_json::to_string(&headers.collect::<Vec<_>>()).unwrap_or_else(|_| "[]".to_owned()),
            body: data_key.seal(&self.name(), body)?,
            request_sha256: hash,
        })
    }
}

/// The answer that is kept of a request with this fingerprint, if it has one; an error while it runs, or when the key was
/// used for another. `hash` is empty where it is not known yet.
fn answered(
    known: Option<answer::Model>,
    hash: &str,
    now: Timestamp,
) -> Result<Option<answer::Model>, ApiError> {
    let lives = |row: &answer::Model| now.since(Timestamp::from_micros(row.started_at)) < LIFE;
    let known = known.filter(|row| lives(row) && (row.body.is_none() || row.wrapped_key.is_some()));
    let Some(row) = known else { return Ok(None) };
    if row.status.is_some() {
        return Ok(Some(row));
    }
    if ![hash, ""].contains(&row.request_sha256.as_str()) {
        return Err(reused());
    }
    if row.leased_until > now.micros() {
        let detail = "the first request with this key is still running; wait for it, then ask again";
        return Err(ApiError::new(Kind::Conflict, "IDEMPOTENCY_KEY_RUNNING", detail).retry_after(1));
    }
    // No one renewed the lease: the process that ran the request is gone.
    Ok(None)
}

/// Whether the same request may be answered differently although nothing was done.
fn is_passing(status: StatusCode) -> bool {
    let passing = [
        StatusCode::UNAUTHORIZED,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::CONFLICT,
        StatusCode::PRECONDITION_FAILED,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    status.is_server_error() || passing.contains(&status)
}

async fn renew(edge: &Edge, scope: &Arc<Scope>, key: &str) -> Result<(), StoreError> {
    if !scope.org().is_tenant() {
        edge.operator_answers.with(|rows| rows.renew(key, edge.clock.now().after(LEASE)));
        return Ok(());
    }
    let tx = edge.store.write(scope).await?;
    store::renew(&tx, scope.subject(), key, tx.now().after(LEASE)).await?;
    tx.commit().await
}
