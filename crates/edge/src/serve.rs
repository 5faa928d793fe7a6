//! The accept loop, and the life of a connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use ipnet::IpNet;
use preceptor_runtime::{Stop, Tasks};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::address::{Client, Prefix};
use crate::body::{Fate, Keep, Kept, Paced};
use crate::connections::{Connection, Connections, Full, Guard, Standing};
use crate::io::{Watched, linger};
use crate::limits::{Limits, connections_of, open_files};
use crate::tls::{RENEWAL, Tls};

/// How long the loop waits for a place before it looks again.
const FOR_A_PLACE: Duration = Duration::from_millis(200);
/// The pause after the system had no file for a connection.
const NO_FILES: Duration = Duration::from_millis(20);
/// Connections that are let go then.
const RELIEF: usize = 4;
/// How long a connection has to end by itself when the process stops or it was quiet for too long.
const GOODBYE: Duration = Duration::from_secs(5);

/// What a listener needs.
#[derive(Debug)]
pub struct Listener {
    /// Where connections come from.
    pub socket: TcpListener,
    /// The bounds.
    pub limits: Limits,
    /// Proxies that speak for others; they have no share of their own.
    pub trusted: Vec<IpNet>,
    /// Set when TLS ends here.
    pub tls: Option<Arc<Tls>>,
}

/// What connections share.
struct Shared {
    limits: Limits,
    tls: Option<TlsAcceptor>,
    http: auto::Builder<TokioExecutor>,
    router: Router,
    stop: Stop,
}

/// Serves `router` until the end is requested; connections are tasks of `tasks`, so that a stop waits for them.
///
/// # Errors
/// When the certificate cannot be used. Nothing that a client does ends this.
pub async fn serve(listener: Listener, router: Router, tasks: Tasks) -> Result<(), crate::tls::TlsError> {
    let Listener { socket, limits, trusted, tls } = listener;
    let most = limits.most_connections.min(connections_of(open_files()));
    let connections = Arc::new(Connections::new(most, limits.most_connections_per_address));
    tracing::info!(connections = most, "listening");
    let stop = tasks.stop_signal();
    let shared = Arc::new(Shared {
        tls: tls.as_ref().map(Tls::acceptor).transpose()?,
        http: http(&limits),
        limits,
        router,
        stop: stop.clone(),
    });
    let mut looked_at = Instant::now();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = stop.requested() => return Ok(()),
        };
        if let Some(tls) = tls.as_ref().filter(|_| looked_at.elapsed() > RENEWAL) {
            looked_at = Instant::now();
            tls.renew();
        }
        match accepted {
            Ok((stream, peer)) => {
                let share = (!trusted.iter().any(|network| network.contains(&peer.ip().to_canonical())))
                    .then(|| Prefix::of(peer.ip()));
                // Without a place the socket is closed here.
                let Some(guard) = place(&connections, share).await else { continue };
                tasks.spawn_once("connection", connection(Arc::clone(&shared), stream, peer, guard));
            }
            // The system has no file or memory for it, or the client has gone already. Others are let go; nothing ends.
            Err(error) => {
                let relieved = connections.relieve(RELIEF, None);
                tracing::warn!(%error, relieved, open = connections.count(), "a connection could not be accepted");
                sleep(NO_FILES).await;
            }
        }
    }
}

/// How many times the largest header are read: up to here what serves a request refuses it in words, beyond it the
/// connection ends with a bare 431.
const HEADROOM: usize = 4;

fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let header = (limits.largest_header_kib << 10) * HEADROOM;
    let mut http = auto::Builder::new(TokioExecutor::new());
    // Headers are timed by the watch of the connection, which also sees what comes before the protocol is known.
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(header)
        .max_headers(limits.most_header_lines * HEADROOM);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.most_streams)
        .max_header_list_size(header as u32)
        .max_send_buf_size(256 << 10)
        .keep_alive_interval(limits.idle())
        .keep_alive_timeout(limits.stalled());
    http
}

/// A place for a newcomer. Others give way for it, who lose less by it than it would by being refused.
async fn place(connections: &Arc<Connections>, share: Option<Prefix>) -> Option<Guard> {
    const TRIES: usize = 10;
    for _ in 0..TRIES {
        let of = match connections.admit(share) {
            Ok(guard) => return Some(guard),
            Err(Full::Everywhere) => None,
            Err(Full::ForAddress) => share,
        };
        if connections.relieve(1, of) == 0 {
            if of.is_some() {
                // Everything that this address has is busy: it has to wait for itself, not everyone for it.
                return None;
            }
            connections.share_out(share);
        }
        let _ = timeout(FOR_A_PLACE, connections.one_left()).await;
    }
    None
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, guard: Guard) {
    let connection = Arc::clone(&guard.connection);
    // Best effort: an answer may be late by a few milliseconds without it.
    let _ = stream.set_nodelay(true);
    let (watched, returned) = Watched::new(stream, Arc::clone(&connection), &shared.limits);
    let ended = match &shared.tls {
        None => http_connection(&shared, watched, peer, &connection).await,
        Some(tls) => {
            let handshake = tokio::select! {
                handshake = timeout(shared.limits.header(), tls.accept(watched)) => handshake,
                () = connection.close.cancelled() => return,
            };
            match handshake {
                Ok(Ok(stream)) => http_connection(&shared, stream, peer, &connection).await,
                _ => return,
            }
        }
    };
    connection.set_leaving();
    if let (Ended::ByItself, Ok(stream)) = (ended, returned.await) {
        tokio::select! {
            () = linger(stream) => {}
            () = connection.close.cancelled() => {}
        }
    }
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    ByItself,
    LetGo,
}

async fn http_connection(
    shared: &Arc<Shared>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    connection: &Arc<Connection>,
) -> Ended {
    let service = service_fn(|request| answer(Arc::clone(shared), request, peer, Arc::clone(connection)));
    let mut served = pin!(shared.http.serve_connection(TokioIo::new(stream), service));
    let mut watch = pin!(sleep(shared.limits.header()));
    let mut leaving = false;
    loop {
        tokio::select! {
            _ = served.as_mut() => return Ended::ByItself,
            () = connection.close.cancelled() => return Ended::LetGo,
            () = shared.stop.requested(), if !leaving => {
                leaving = true;
                served.as_mut().graceful_shutdown();
            }
            () = watch.as_mut() => match connection.standing(&shared.limits) {
                Standing::Fine(next) => watch.as_mut().reset(Instant::now() + next),
                Standing::Idle | Standing::Old if !leaving => {
                    leaving = true;
                    served.as_mut().graceful_shutdown();
                    watch.as_mut().reset(Instant::now() + GOODBYE);
                }
                Standing::Idle | Standing::Old | Standing::Late => return Ended::LetGo,
            },
        }
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    peer: SocketAddr,
    connection: Arc<Connection>,
) -> Result<Response<Body>, Infallible> {
    let busy = Busy { request: connection.request_begins(), connection: Arc::clone(&connection) };
    let fate = Fate::default();
    let mut request =
        request.map(|body| Body::new(Paced::new(body, connection, &shared.limits, fate.clone())));
    request.extensions_mut().insert(fate);
    request.extensions_mut().insert(Client(peer));
    let response = shared.router.clone().oneshot(request).await?;
    busy.polled(true);
    Ok(response.map(|body| Body::new(Kept { inner: body, kept: busy })))
}

/// Counts a request until its answer has left.
struct Busy {
    connection: Arc<Connection>,
    request: u64,
}

impl Keep for Busy {
    /// A piece that was handed out waits to be taken until the next one is asked for.
    fn polled(&self, had_one: bool) {
        self.connection.set_untaken(self.request, had_one);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.connection.request_ends(self.request);
    }
}
