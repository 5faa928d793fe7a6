//! Idempotent writes: the same key and body give the first answer again, byte for byte.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use preceptor_core::{Kind, Scope, SystemActor, Timestamp};
use preceptor_keys::{DataKey, KeyError};
use preceptor_runtime::tasks::{Stop, TaskError};
use preceptor_store::{Handle, StoreError};
use sha2::{Digest as _, Sha256};

use crate::Edge;
use crate::error::ApiError;
use crate::identity::Identity;
use crate::store::{self, Kept, answer};

const HEADER: &str = "idempotency-key";
const LONGEST_KEY: usize = 128;
/// How long an answer is kept.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// How often old ones are looked for.
const SWEEP: Duration = Duration::from_secs(600);
/// A request that has not ended by then went down with its process.
const LONGEST_REQUEST: Duration = Duration::from_secs(180);
/// Headers that belong to the answer.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        error.to_fault().into()
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        tracing::error!(%error, "an answer could not be sealed or opened");
        ApiError::new(Kind::Unavailable, "KEYS_UNAVAILABLE", "the key engine does not answer; try again in a moment").retry_after(1)
    }
}

/// Forgets answers that are older than they live, also where nobody writes any more.
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
    Answered(Response),
}

pub(crate) async fn layer(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let writes = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    if !writes || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    match with_key(&edge, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn with_key(edge: &Edge, request: Request, next: Next) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let key = key(parts.headers.get(HEADER))?;
    if super::messages::wants_stream(&parts.headers) {
        return Err(ApiError::new(
            Kind::InvalidInput,
            "IDEMPOTENCY_KEY_ON_STREAM",
            "a streamed answer cannot be repeated; ask for JSON, or leave the key out",
        ));
    }
    let identity = Identity::from_request_parts(&mut parts, edge).await?;
    let most = (edge.config.largest_upload_mib << 20) + (1 << 20);
    let body = to_bytes(body, most)
        .await
        .map_err(|_| ApiError::new(Kind::InvalidInput, "BODY_TOO_LARGE", "the body is larger than this operation takes"))?;
    let hash = fingerprint(&parts, &body);

    match begin(edge, &identity, &key, &hash).await? {
        Found::Answered(response) => Ok(response),
        Found::First(data_key) => {
            let response = next.run(Request::from_parts(parts, Body::from(body))).await;
            finish(edge, &identity, &key, &data_key, response).await
        }
    }
}

fn key(value: Option<&HeaderValue>) -> Result<String, ApiError> {
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text.is_empty() || text.len() > LONGEST_KEY {
        return Err(ApiError::new(Kind::InvalidInput, "IDEMPOTENCY_KEY_INVALID", "an idempotency key has 1 to 128 visible characters"));
    }
    Ok(text.to_owned())
}

/// The operation and everything that decides its outcome.
fn fingerprint(parts: &Parts, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(parts.method.as_str());
    hash.update([0]);
    hash.update(parts.uri.to_string());
    for name in [header::CONTENT_TYPE, header::IF_MATCH] {
        hash.update([0]);
        hash.update(parts.headers.get(name).map_or(&b""[..], HeaderValue::as_bytes));
    }
    hash.update([0]);
    hash.update(body);
    hex::encode(hash.finalize())
}

async fn begin(edge: &Edge, identity: &Identity, key: &str, hash: &str) -> Result<Found, ApiError> {
    let subject = identity.scope.subject();
    // Made before anything happens: an engine of keys that is away refuses the request, and not its answer.
    let (data_key, wrapped_key) = DataKey::make(&*edge.keys, identity.scope.org(), &place(identity, key)).await?;
    let tx = edge.store.write(&identity.scope).await?;
    let now = tx.now();
    let age = |row: &answer::Model| now.since(Timestamp::from_micros(row.started_at));
    let known = store::find(&tx, subject, key).await?.filter(|row| age(row) < LIFE && (row.body.is_none() || row.wrapped_key.is_some()));
    if let Some(row) = known {
        if row.request_sha256 != hash {
            let detail = "this idempotency key was used for another request; use a new key for a new request";
            return Err(ApiError::new(Kind::InvalidInput, "IDEMPOTENCY_KEY_REUSED", detail).with_status(StatusCode::UNPROCESSABLE_ENTITY));
        }
        if row.status.is_some() {
            drop(tx);
            return Ok(Found::Answered(replay(edge, identity, row).await?));
        }
        if age(&row) < LONGEST_REQUEST {
            let detail = "the first request with this key is still running; wait for it, then ask again";
            return Err(ApiError::new(Kind::Conflict, "IDEMPOTENCY_KEY_RUNNING", detail).retry_after(1));
        }
    }
    store::begin(&tx, subject, key, hash, wrapped_key).await?;
    tx.commit().await?;
    Ok(Found::First(data_key))
}

/// Where a sealed answer is, for the cipher, and whose key it has.
fn place(identity: &Identity, key: &str) -> String {
    format!("{}/gateway_idempotency/body/{}/{key}", identity.scope.org(), identity.scope.subject())
}

async fn replay(edge: &Edge, identity: &Identity, row: answer::Model) -> Result<Response, ApiError> {
    let broken = || ApiError::from(preceptor_core::Fault::internal());
    let headers: Vec<(String, String)> = serde_json::from_str(&row.headers).map_err(|_| broken())?;
    let status = row.status.and_then(|status| StatusCode::from_u16(status as u16).ok()).ok_or_else(broken)?;
    let place = place(identity, &row.key);
    let data_key = DataKey::open(&*edge.keys, identity.scope.org(), &place, &row.wrapped_key.unwrap_or_default()).await?;
    let body = data_key.unseal(&place, &row.body.unwrap_or_default())?;
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.header("idempotency-replayed", "true").body(Body::from(body)).map_err(|_| broken())
}

/// Keeps what was answered; a failure of ours is forgotten, so that the client may try again with the same key.
async fn finish(edge: &Edge, identity: &Identity, key: &str, data_key: &DataKey, response: Response) -> Result<Response, ApiError> {
    let subject = identity.scope.subject();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|_| ApiError::from(preceptor_core::Fault::internal()))?;
    let passing = parts.status.is_server_error() || matches!(parts.status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS);
    if passing {
        let tx = edge.store.write(&identity.scope).await?;
        store::remove(&tx, subject, key).await?;
        tx.commit().await?;
    } else {
        let kept = KEPT.iter().filter_map(|name| Some((name.as_str(), parts.headers.get(name)?.to_str().ok()?)));
        let headers = serde_json::to_string(&kept.collect::<Vec<_>>()).unwrap_or_else(|_| "[]".to_owned());
        let place = place(identity, key);
        let kept = Kept { status: parts.status.as_u16(), headers, body: data_key.seal(&place, &body)? };
        let tx = edge.store.write(&identity.scope).await?;
        store::finish(&tx, subject, key, kept).await?;
        tx.commit().await?;
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}
