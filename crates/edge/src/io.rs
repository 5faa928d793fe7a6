//! The socket of a connection: what it tells of itself, and how it ends.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::connections::Connection;
use crate::limits::Limits;
use crate::pace::Pace;

/// How long the rest of a refused request is read and thrown away.
const LINGER: Duration = Duration::from_secs(5);
/// How much of it.
const LINGER_BYTES: usize = 256 << 20;

/// A socket that says when bytes come and go, and fails when the other end takes nothing for too long, or too little on
/// average: what it takes slowly stays in memory here. Only time in which a write waits counts.
#[derive(Debug)]
pub(crate) struct Watched {
    stream: Option<TcpStream>,
    connection: Arc<Connection>,
    pace: Pace,
    /// Runs while a write waits; with when the wait began.
    waiting: Option<(Pin<Box<Sleep>>, Instant)>,
    back: Option<oneshot::Sender<TcpStream>>,
}

impl Watched {
    /// Watches a socket; the receiver gets it back when its protocol is done with it.
    pub(crate) fn new(
        stream: TcpStream,
        connection: Arc<Connection>,
        limits: &Limits,
    ) -> (Self, oneshot::Receiver<TcpStream>) {
        let (back, returned) = oneshot::channel();
        let pace = Pace::new(limits, None);
        (Self { stream: Some(stream), connection, pace, waiting: None, back: Some(back) }, returned)
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn count(&mut self, outcome: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = outcome {
            self.pace.moved(*bytes);
        }
    }

    /// Looks how a write went.
    fn after_write<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            if let Some((_, since)) = self.waiting.take() {
                self.pace.waited(since.elapsed());
                self.connection.set_blocked(false);
            }
            return outcome;
        }
        let (connection, pace) = (&self.connection, &self.pace);
        let (waiting, _) = self.waiting.get_or_insert_with(|| {
            connection.set_blocked(true);
            let now = Instant::now();
            (Box::pin(sleep_until(pace.deadline(now))), now)
        });
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the answer was taken too slowly")))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let (Some(stream), Some(back)) = (self.stream.take(), self.back.take()) {
            // No one waits for it when the connection is let go at once.
            let _ = back.send(stream);
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = self.stream()?.poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.connection.bytes_arrived();
        }
        outcome
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.stream()?.poll_write(context, bytes);
        self.count(&outcome);
        self.after_write(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.stream()?.poll_write_vectored(context, slices);
        self.count(&outcome);
        self.after_write(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.stream()?.poll_flush(context);
        self.after_write(context, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.stream()?.poll_shutdown(context);
        self.after_write(context, outcome)
    }
}

/// Ends a connection so that the last answer is read: a socket that is closed with bytes unread resets the connection,
/// and the other end may lose the answer that tells it why it was refused.
pub(crate) async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut thrown = 0;
    let mut buffer = vec![0; 16 << 10];
    let rest = async {
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            thrown += read;
            if thrown > LINGER_BYTES {
                break;
            }
        }
    };
    // Anyone who goes on sending for longer has no interest in the answer.
    let _ = tokio::time::timeout(LINGER, rest).await;
}
