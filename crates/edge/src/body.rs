//! Bodies: how fast they arrive, how large they get, and how much of them is held in memory.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::connections::Connection;
use crate::limits::Limits;
use crate::pace::Pace;

/// Why a body was broken off. Put into every request, so that its owner can tell the client after the handler has made
/// of the broken body whatever it makes of broken bodies.
#[derive(Debug, Clone, Default)]
pub struct Fate(Arc<AtomicU8>);

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It stood still, or was too slow on average, or took too long in all.
    TooSlow,
    /// It is larger than allowed.
    TooLarge,
    /// So much is held in memory that there is no space for it now.
    NoSpace,
}

impl Fate {
    /// Why the body was broken off, if it was.
    pub fn broken(&self) -> Option<Broken> {
        match self.0.load(Ordering::Relaxed) {
            1 => Some(Broken::TooSlow),
            2 => Some(Broken::TooLarge),
            3 => Some(Broken::NoSpace),
            _ => None,
        }
    }

    fn set(&self, broken: Broken) -> BodyError {
        let code = match broken {
            Broken::TooSlow => 1,
            Broken::TooLarge => 2,
            Broken::NoSpace => 3,
        };
        self.0.store(code, Ordering::Relaxed);
        BodyError(broken)
    }
}

/// A body that was broken off.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the body was broken off: {0:?}")]
pub struct BodyError(pub Broken);

/// A body as it arrives, which fails when it arrives too slowly. Only time in which it is waited for counts.
pub(crate) struct Paced<B> {
    inner: B,
    connection: Arc<Connection>,
    fate: Fate,
    pace: Pace,
    /// Runs while more is waited for; with when the wait began.
    waiting: Option<(Pin<Box<Sleep>>, Instant)>,
    begun: bool,
    ended: bool,
}

impl<B> Paced<B> {
    pub(crate) fn new(inner: B, connection: Arc<Connection>, limits: &Limits, fate: Fate) -> Self {
        let pace = Pace::new(limits, Some(Instant::now() + limits.request()));
        Self { inner, connection, fate, pace, waiting: None, begun: false, ended: false }
    }

    fn end(&mut self) {
        if self.begun && !self.ended {
            self.connection.body_ended();
        }
        self.ended = true;
    }
}

impl<B> Drop for Paced<B> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<B> HttpBody for Paced<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) {
            if let Some((_, since)) = this.waiting.take() {
                this.pace.waited(since.elapsed());
            }
            let length =
                frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref().map(Bytes::len)).unwrap_or(0);
            this.pace.moved(length);
            this.connection.body_grew(length);
            if frame.is_none() {
                this.end();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        if !this.begun {
            this.begun = true;
            this.connection.body_begins();
        }
        let pace = &this.pace;
        let (sleep, _) = this.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            (Box::pin(sleep_until(pace.deadline(now))), now)
        });
        ready!(sleep.as_mut().poll(context));
        this.end();
        Poll::Ready(Some(Err(this.fate.set(Broken::TooSlow).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The budget of bytes of bodies that are held in memory.
#[derive(Debug)]
pub struct Budget {
    free: Arc<Semaphore>,
    share: usize,
    held: Mutex<HashMap<String, usize>>,
}

/// Bytes per unit of the budget.
const UNIT: usize = 1 << 10;

impl Budget {
    /// A budget of `total` bytes, of which one holder may have `share`.
    pub fn new(total: usize, share: usize) -> Arc<Self> {
        let units = (total / UNIT).min(Semaphore::MAX_PERMITS);
        Arc::new(Self { free: Arc::new(Semaphore::new(units)), share: share / UNIT, held: Mutex::default() })
    }

    /// An account of one request of `holder`.
    pub fn account(self: &Arc<Self>, holder: String) -> Arc<Account> {
        Arc::new(Account {
            budget: Arc::clone(self),
            holder,
            permit: Mutex::default(),
            units: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        })
    }

    /// Bytes that are free.
    pub fn free(&self) -> usize {
        self.free.available_permits() * UNIT
    }
}

/// What one request holds of the budget; it is given back when the last one who holds this is done.
pub struct Account {
    budget: Arc<Budget>,
    holder: String,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
    units: AtomicUsize,
    bytes: AtomicUsize,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Account {
    /// Reserves space for `bytes` more; `false` when there is none.
    pub fn take(&self, bytes: usize) -> bool {
        let wanted = (self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes).div_ceil(UNIT);
        let more = wanted.saturating_sub(self.units.load(Ordering::Relaxed));
        if more == 0 {
            return true;
        }
        let mut all = self.budget.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = all.entry(self.holder.clone()).or_default();
        if *held + more > self.budget.share {
            return false;
        }
        let Ok(permit) =
            Arc::clone(&self.budget.free).try_acquire_many_owned(u32::try_from(more).unwrap_or(u32::MAX))
        else {
            return false;
        };
        *held += more;
        self.units.fetch_add(more, Ordering::Relaxed);
        let mut own = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
        match own.as_mut() {
            Some(own) => own.merge(permit),
            None => *own = Some(permit),
        }
        true
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let mut all = self.budget.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = all.get_mut(&self.holder) {
            *held = held.saturating_sub(self.units.load(Ordering::Relaxed));
            if *held == 0 {
                all.remove(&self.holder);
            }
        }
    }
}

/// A body that may not become larger than `most`, and whose bytes come out of an account when there is one.
pub fn bounded(body: Body, most: usize, account: Option<Arc<Account>>, fate: Fate) -> Body {
    Body::new(Bounded { inner: body, left: most, account, fate })
}

/// A body that is in memory until the other end took it, or went away: it keeps its account as long.
pub fn held(body: Body, account: Arc<Account>) -> Body {
    Body::new(Kept { inner: body, kept: account })
}

/// What is kept as long as a body is.
pub(crate) trait Keep {
    /// The body was asked for a piece, and had one or not.
    fn polled(&self, _had_one: bool) {}
}

impl Keep for Arc<Account> {}

/// A body as it is, which keeps something until it was taken or the other end went away.
pub(crate) struct Kept<K> {
    pub(crate) inner: Body,
    pub(crate) kept: K,
}

impl<K: Keep + Unpin> HttpBody for Kept<K> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        self.kept.polled(frame.is_ready());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

struct Bounded {
    inner: Body,
    left: usize,
    account: Option<Arc<Account>>,
    fate: Fate,
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(context)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(axum::Error::into_inner)?;
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(left) = self.left.checked_sub(length) else {
            return Poll::Ready(Some(Err(self.fate.set(Broken::TooLarge).into())));
        };
        self.left = left;
        if self.account.as_ref().is_some_and(|account| !account.take(length)) {
            return Poll::Ready(Some(Err(self.fate.set(Broken::NoSpace).into())));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_body_beyond_its_bound_is_broken_off_and_says_why() {
        let fate = Fate::default();
        let body = bounded(Body::from(vec![1; 100]), 99, None, fate.clone());
        to_bytes(body, usize::MAX).await.expect_err("too large");
        assert_eq!(fate.broken(), Some(Broken::TooLarge));
        let fate = Fate::default();
        assert_eq!(
            to_bytes(bounded(Body::from(vec![1; 99]), 99, None, fate.clone()), usize::MAX)
                .await
                .expect("fits")
                .len(),
            99
        );
        assert_eq!(fate.broken(), None);
    }

    #[tokio::test]
    async fn what_is_held_is_bounded_in_all_and_for_each() {
        let budget = Budget::new(64 << 10, 16 << 10);
        let read = async |holder: &str, size: usize| {
            let (account, fate) = (budget.account(holder.to_owned()), Fate::default());
            let body =
                bounded(Body::from(vec![1; size]), usize::MAX, Some(Arc::clone(&account)), fate.clone());
            // What was read stays in memory as long as the account lives.
            (to_bytes(body, usize::MAX).await.is_ok(), fate.broken(), account)
        };
        let first = read("a", 16 << 10).await;
        assert!(first.0);
        assert_eq!(read("a", 1).await.1, Some(Broken::NoSpace), "a has its share");
        let others = [read("b", 16 << 10).await, read("c", 16 << 10).await, read("d", 16 << 10).await];
        assert!(others.iter().all(|read| read.0));
        assert_eq!(read("e", 1).await.1, Some(Broken::NoSpace), "nothing is left");
        assert_eq!(budget.free(), 0);
        drop((first, others));
        assert_eq!(budget.free(), 64 << 10, "everything is given back");
        assert!(budget.held.lock().expect("no panic").is_empty());
    }
}
