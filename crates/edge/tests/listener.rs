//! The listener as strangers meet it, over sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::{get, post};
use preceptor_edge::body::{Broken, Fate};
use preceptor_edge::{Limits, Listener, serve};
use preceptor_runtime::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Short times, so that tests are.
fn limits() -> Limits {
    Limits { header_seconds: 1, idle_seconds: 2, stalled_seconds: 1, ..Limits::default() }
}

async fn start(limits: Limits, router: Router) -> (SocketAddr, Tasks) {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    let tasks = Tasks::standalone("edge");
    let served = serve(Listener { socket, limits, trusted: Vec::new(), tls: None }, router, tasks.clone());
    tasks.spawn_vital("http", async move { Ok(served.await?) });
    (address, tasks)
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

/// Sends `text` and reads until the other end closes; how long that took.
async fn exchange(address: SocketAddr, text: &[u8]) -> (String, Duration) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(text).await.expect("it is sent");
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut answer).await;
    (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
}

const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_not_complete_in_time_ends_the_connection() {
    let (address, _tasks) = start(limits(), hello()).await;
    // Nothing, half a line, half a header, half of what HTTP/2 begins with, and all of that with nothing after it.
    for text in [
        &b""[..],
        b"GE",
        b"GET / HTTP/1.1\r\nhost: x\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let (_, time) = exchange(address, text).await;
        assert!(time >= Duration::from_millis(900) && time < Duration::from_secs(5), "{text:?} {time:?}");
    }
    assert!(exchange(address, ASK).await.0.ends_with("hello"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_may_be_quiet_between_requests_for_a_while_only() {
    let (address, _tasks) = start(limits(), hello()).await;
    let (answer, time) = exchange(address, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.ends_with("hello"));
    assert!(time >= Duration::from_millis(1900) && time < Duration::from_secs(8), "{time:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_any_size_or_number_are_refused() {
    let (address, _tasks) = start(limits(), hello()).await;
    let large = |size: usize| {
        format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: {}\r\n\r\n", "a".repeat(size))
    };
    let many = |count: usize| {
        format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}\r\n", "x: a\r\n".repeat(count))
    };
    for text in [large(140 << 10), many(401)] {
        let (answer, _) = exchange(address, text.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    // What is larger than it should be and not that large is read, so that the service can say what is wrong with it.
    for text in [large(40 << 10), many(150)] {
        let (answer, _) = exchange(address, text.as_bytes()).await;
        assert!(answer.ends_with("hello"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_is_broken_off_and_said_to_be() {
    let broken = async |request: Request| {
        let fate = request.extensions().get::<Fate>().cloned().expect("a fate");
        let read = to_bytes(request.into_body(), usize::MAX).await;
        assert!(read.is_err());
        if fate.broken() == Some(Broken::TooSlow) { StatusCode::REQUEST_TIMEOUT } else { StatusCode::OK }
    };
    let (address, _tasks) = start(limits(), Router::new().route("/", post(broken))).await;
    let (answer, time) = exchange(
        address,
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\nconnection: close\r\n\r\nab",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(time < Duration::from_secs(4), "{time:?}");

    // One byte often enough not to stand still is too slow all the same.
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\nconnection: close\r\n\r\n")
        .await
        .expect("it is sent");
    let (mut reader, mut writer) = stream.into_split();
    let drip = async {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            if writer.write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut answer = Vec::new();
    let begun = Instant::now();
    tokio::select! {
        _ = reader.read_to_end(&mut answer) => {}
        () = drip => {}
    }
    assert!(answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn anyone_who_means_it_is_served_while_others_hold_every_place() {
    let limits =
        Limits { most_connections: 10, most_connections_per_address: 10, header_seconds: 30, ..limits() };
    let slow = async |request: Request| {
        let _ = to_bytes(request.into_body(), usize::MAX).await;
        "slow"
    };
    let (address, _tasks) = start(limits, hello().route("/slow", post(slow))).await;
    let mut held = Vec::new();
    for number in 0..60 {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let text: &[u8] = if number % 2 == 0 { b"GET / HTTP/1.1\r\nho" } else { b"" };
        // Those that gave way already are not written to.
        let _ = stream.write_all(text).await;
        held.push(stream);
    }
    for _ in 0..20 {
        let (answer, time) = exchange(address, ASK).await;
        assert!(answer.ends_with("hello"), "{answer:?}");
        assert!(time < Duration::from_secs(2), "{time:?}");
    }
    drop(held);

    // Bodies that drip have to give way too, once they had a chance to show how fast they are.
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream
            .write_all(b"POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nx")
            .await
            .expect("it is sent");
        held.push(stream);
    }
    let (answer, time) = exchange(address, ASK).await;
    assert!(answer.ends_with("hello") && time < Duration::from_secs(4), "{answer:?} {time:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_refused_body_arrives() {
    let refuse = async || StatusCode::FORBIDDEN;
    let (address, _tasks) = start(limits(), Router::new().route("/", post(refuse))).await;
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 8000000\r\n\r\n")
        .await
        .expect("it is sent");
    // The client sends all of it before it looks at the answer, as many do.
    for _ in 0..80 {
        stream.write_all(&vec![b'x'; 100_000]).await.expect("the other end takes it");
    }
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("the answer");
    assert_eq!(&answer, b"HTTP/1.1 403");
}

/// Counts when it goes.
struct Held(Arc<AtomicUsize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// An answer without an end, which counts how often it was let go.
fn endless(taken: &Arc<AtomicUsize>) -> Router {
    let dropped = Arc::clone(taken);
    let endless = move || {
        let held = Held(Arc::clone(&dropped));
        async move {
            let pieces = futures::stream::repeat_with(move || {
                let _ = &held;
                Ok::<_, std::io::Error>(vec![b'x'; 64 << 10])
            });
            axum::body::Body::from_stream(pieces)
        }
    };
    Router::new().route("/", get(endless))
}

#[tokio::test(flavor = "multi_thread")]
async fn anyone_who_takes_nothing_of_an_answer_is_let_go() {
    let taken = Arc::new(AtomicUsize::new(0));
    let (address, _tasks) = start(limits(), endless(&taken)).await;
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(ASK).await.expect("it is sent");
    let begun = Instant::now();
    while taken.load(Ordering::SeqCst) == 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "the answer is held for someone who takes nothing"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn anyone_who_takes_an_answer_in_drops_is_let_go_too() {
    let taken = Arc::new(AtomicUsize::new(0));
    // It never stands still, and never gets near the least speed.
    let limits = Limits { stalled_seconds: 60, least_bytes_per_second: 1 << 20, ..limits() };
    let (address, _tasks) = start(limits, endless(&taken)).await;
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(8 << 10).expect("a small buffer");
    let mut stream = socket.connect(address).await.expect("a connection");
    stream.write_all(ASK).await.expect("it is sent");
    let begun = Instant::now();
    let mut drops = vec![0; 4 << 10];
    while taken.load(Ordering::SeqCst) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(40), "the answer is held for someone who takes drops");
        // Fails once the other end has let go.
        let _ = stream.read(&mut drops).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_answers_and_not_for_idlers() {
    let slow = async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        "done"
    };
    let (address, tasks) = start(Limits::default(), Router::new().route("/", get(slow))).await;
    let _idler = TcpStream::connect(address).await.expect("a connection");
    let begun = Instant::now();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        tasks.finish(Duration::from_secs(20)).await
    };
    let (asked, ended) = tokio::join!(exchange(address, ASK), stop);
    assert!(ended, "everything ended");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert!(asked.0.ends_with("done"));
}
