//! From a credential to a verified call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use moka::sync::Cache;
use preceptor_core::{Fault, Kind, Scope};
use preceptor_proto::auth::v1 as proto;
use preceptor_rpc::Call;
use preceptor_rpc::call::unscoped;
use preceptor_rpc::records::Entry;

use crate::error::ApiError;
use crate::extract::is_api;
use crate::gate::address_of;
use crate::limits;
use crate::pages::PageError;
use crate::{CALL_TIMEOUT, Config, Edge};

/// The name of the cookie that holds a browser's session. With the prefix browsers take it from this very host only, over
/// TLS, and for all paths; without TLS they would refuse it.
pub(crate) fn session_cookie_name(config: &Config) -> &'static str {
    if config.public_url.starts_with("https:") { "__Host-preceptor_session" } else { "preceptor_session" }
}

/// A revoked credential stops working everywhere within this time.
const REMEMBERED: Duration = Duration::from_secs(5);
const MOST_REMEMBERED: u64 = 50_000;

/// Who is asking, as `auth` says.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) scope: Arc<Scope>,
    pub(crate) display_name: String,
    token: Arc<str>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("subject", &self.scope.subject()).finish_non_exhaustive()
    }
}

impl Identity {
    /// A call on behalf of this subject.
    pub(crate) fn call(&self, time: Duration) -> Call {
        Call::begin(Arc::clone(&self.scope), Arc::clone(&self.token), time)
    }

    /// A request with the usual deadline.
    pub(crate) fn request<T>(&self, message: T) -> Result<tonic::Request<T>, ApiError> {
        Ok(self.call(CALL_TIMEOUT).request(message)?)
    }
}

/// Identities that were asked for a moment ago.
pub(crate) struct Identities(Cache<(Carrier, String), Identity>);

impl Default for Identities {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(REMEMBERED).build())
    }
}

impl Edge {
    /// Exchanges a credential for whom it speaks for, at the door it came in by.
    pub(crate) async fn identify(&self, credential: &str, carrier: Carrier) -> Result<Identity, ApiError> {
        let place = (carrier, credential.to_owned());
        if let Some(known) =
            self.identities.0.get(&place).filter(|known| known.scope.expires_at() > self.clock.now())
        {
            return Ok(known);
        }
        self.limit_exchange(credential).await?;
        let door = match carrier {
            Carrier::Bearer => proto::Door::Header,
            Carrier::Cookie => proto::Door::Cookie,
        };
        let request = unscoped(
            proto::ExchangeRequest { credential: credential.to_owned(), door: door.into() },
            CALL_TIMEOUT,
        );
        let exchanged = self.auth.clone().exchange(request).await?.into_inner();
        let token: Arc<str> = exchanged.scope_token.into();
        let scope = self.verifier.verified(&token, self.clock.now()).await.map_err(|rejection| {
            tracing::error!(%rejection, "auth issued a token that does not verify");
            ApiError::from(Fault::internal())
        })?;
        let identity = Identity { scope, display_name: exchanged.display_name, token };
        self.identities.0.insert(place, identity.clone());
        self.proven.note(credential);
        Ok(identity)
    }

    /// Puts on record that `scope` was refused `what`: the first time within a minute at once, then how often.
    pub(crate) async fn record_refusal(&self, scope: &Arc<Scope>, what: &str, why: &str) {
        if let Err(error) = self.ledger.count(Entry::refusal(scope, what, why)).await {
            tracing::error!(%error, what, "a refusal is not on record");
        }
    }

    /// Puts a request that another site started on the record of the org whose credential came with it.
    async fn record_cross_site(&self, parts: &Parts) {
        let Some((secret, carrier)) = credential(&parts.headers, session_cookie_name(&self.config)) else {
            return;
        };
        let address = address_of(self, parts);
        if self.check_refusals(address, &secret).await.is_err() {
            return;
        }
        match self.identify(&secret, carrier).await {
            Ok(identity) => {
                let route =
                    parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
                let what = format!("{} {route}", parts.method);
                self.record_refusal(&identity.scope, &what, CROSS_SITE).await;
            }
            Err(error) if error.status() == StatusCode::UNAUTHORIZED => {
                self.note_refusal(address).await;
            }
            // No one knows whose it is; the request is refused in any case.
            Err(_) => {}
        }
    }

    /// Forgets a credential at once: its session ended.
    pub(crate) fn forget(&self, session: &str) {
        self.identities.0.invalidate(&(Carrier::Cookie, session.to_owned()));
    }
}

/// The credential of a request: a bearer token, else the session cookie.
pub(crate) fn credential(headers: &HeaderMap, cookie: &str) -> Option<(String, Carrier)> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        // The name of the scheme is case-insensitive (RFC 9110, 11.1).
        let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| (token.trim().to_owned(), Carrier::Bearer));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let session = pairs.find(|(name, _)| *name == cookie)?.1;
    Some((session.to_owned(), Carrier::Cookie))
}

/// How a credential came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Carrier {
    Bearer,
    Cookie,
}

/// Browsers send cookies along with requests that other sites start, and let other sites send forms. Those requests say
/// so: `Sec-Fetch-Site` in every current browser, `Origin` before that.
fn comes_from_our_pages(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin == public_url.trim_end_matches('/'),
        (None, None) => false,
    }
}

const CROSS_SITE: &str = "CROSS_SITE_REQUEST";

fn cross_site() -> ApiError {
    let detail = "this request was started by another site; use our own pages or an API token";
    ApiError::new(Kind::Forbidden, CROSS_SITE, detail)
}

const fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Writes come from our own pages: every one to a page, also one that needs no credential, such as signing in; and those
/// to the API that a cookie is sent along with, and no token.
pub(crate) async fn from_our_pages(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_api = is_api(request.uri().path());
    let cookie_alone = !headers.contains_key(header::AUTHORIZATION) && headers.contains_key(header::COOKIE);
    let looked_at = request.extensions().get::<MatchedPath>().is_some() && (!is_api || cookie_alone);
    if is_safe(request.method()) || !looked_at || comes_from_our_pages(headers, &edge.config.public_url) {
        return next.run(request).await;
    }
    let (parts, _) = request.into_parts();
    edge.record_cross_site(&parts).await;
    if is_api { cross_site().into_response() } else { PageError::from(cross_site()).into_response() }
}

fn missing() -> ApiError {
    ApiError::new(
        Kind::Unauthenticated,
        "CREDENTIAL_MISSING",
        "send an API token as `Authorization: Bearer …`, or sign in",
    )
}

impl FromRequestParts<Edge> for Identity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, ApiError> {
        if let Some(identity) = parts.extensions.get::<Self>() {
            return Ok(identity.clone());
        }
        let (secret, carrier) =
            credential(&parts.headers, session_cookie_name(&edge.config)).ok_or_else(missing)?;
        let seen = parts.extensions.get::<limits::Seen>();
        let identity = match edge.identify(&secret, carrier).await {
            Ok(identity) => identity,
            Err(error) => {
                // Of a failure no bucket of a subject can be told; one of the address is, where the credential is none.
                if let Some(seen) = seen.filter(|_| error.status() != StatusCode::UNAUTHORIZED) {
                    seen.note(edge.standing_of_exchange(&secret).await);
                }
                return Err(error);
            }
        };
        let decision = edge.limit_requests(&identity).await?;
        if let Some(seen) = seen {
            seen.note(limits::headers("requests", edge.config.requests_per_minute, &decision));
        }
        parts.extensions.insert(identity.clone());
        Ok(identity)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_bearer_token_goes_before_a_cookie() {
        let both = headers(&[("authorization", "Bearer a"), ("cookie", "x=1; preceptor_session=b")]);
        let name = session_cookie_name(&Config::default());
        assert_eq!(credential(&both, name), Some(("a".into(), Carrier::Bearer)));
        assert_eq!(
            credential(&headers(&[("authorization", "bEARER  a")]), name),
            Some(("a".into(), Carrier::Bearer))
        );
        let session = headers(&[("cookie", "x=1; preceptor_session=b")]);
        assert_eq!(credential(&session, name), Some(("b".into(), Carrier::Cookie)));
        let public = Config { public_url: "https://learn.example.org".into(), ..Config::default() };
        assert_eq!(
            credential(&session, session_cookie_name(&public)),
            None,
            "a cookie that another host could set"
        );
        assert_eq!(credential(&headers(&[("authorization", "Basic a")]), name), None);
    }

    #[test]
    fn another_site_cannot_use_the_cookie_for_a_write() {
        let ours = "http://127.0.0.1:8080";
        assert!(comes_from_our_pages(&headers(&[("sec-fetch-site", "same-origin")]), ours));
        assert!(comes_from_our_pages(&headers(&[("origin", "http://127.0.0.1:8080")]), ours));
        for foreign in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            assert!(!comes_from_our_pages(&headers(&[foreign]), ours), "{foreign:?}");
        }
        assert!(!comes_from_our_pages(&HeaderMap::new(), ours));
    }
}
