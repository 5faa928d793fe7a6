//! Objects that no one reads on disk: every one is sealed under a key of its own, which a key of its org wraps.
//!
//! Services are given this and no engine, so that none of them can forget it. A sealed object is bound to its key: one
//! that is moved to another place, another org included, does not open, and neither does one that was changed or cut.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use preceptor_core::id::{ObjectId, OrgId};
use preceptor_keys::{KeyError, Keys, StreamKey, TAG_LEN};

use crate::{Key, ObjectError, Objects, Reading, Writing};

/// What a sealed object begins with: a name, and the version of the format.
const MAGIC: &[u8; 4] = b"PSO1";
/// Bytes of a piece before it is sealed.
const PIECE: usize = 64 << 10;

/// An engine whose objects are sealed.
#[derive(Debug, Clone)]
pub struct Sealed {
    engine: Arc<dyn Objects>,
    keys: Arc<dyn Keys>,
}

impl Sealed {
    /// Seals what `engine` keeps.
    pub fn new(engine: Arc<dyn Objects>, keys: Arc<dyn Keys>) -> Self {
        Self { engine, keys }
    }
}

fn failed(error: KeyError) -> ObjectError {
    match error {
        KeyError::BadCiphertext => ObjectError::Damaged,
        other => ObjectError::Unavailable(other.to_string()),
    }
}

/// The content of an object on its way into an engine: a header, then sealed pieces of equal length, then the last.
#[derive(Debug)]
struct Sealer {
    key: StreamKey,
    /// What is not a whole piece yet.
    rest: BytesMut,
}

impl Sealer {
    /// Begins an object; returns what it begins with.
    async fn begin(keys: &dyn Keys, key: Key) -> Result<(Self, Bytes), ObjectError> {
        let (stream, wrapped) = StreamKey::make(keys, key.org(), &key.to_string()).await.map_err(failed)?;
        let length = u16::try_from(wrapped.len())
            .map_err(|_| ObjectError::Unavailable("a wrapped key is too long".to_owned()))?;
        let header = [MAGIC.as_slice(), &length.to_be_bytes(), &wrapped].concat();
        Ok((Self { key: stream, rest: BytesMut::new() }, header.into()))
    }

    /// Seals what is whole of the content so far. The last piece is kept back: only the end knows that it is the last.
    fn seal(&mut self, content: &[u8]) -> Result<Bytes, ObjectError> {
        self.rest.extend_from_slice(content);
        let mut sealed = BytesMut::new();
        while self.rest.len() > PIECE {
            let piece = self.rest.split_to(PIECE);
            sealed.extend_from_slice(&self.key.seal(&piece, false).map_err(failed)?);
        }
        Ok(sealed.freeze())
    }

    /// Seals the end.
    fn finish(mut self) -> Result<Bytes, ObjectError> {
        Ok(self.key.seal(&self.rest, true).map_err(failed)?.into())
    }
}

/// The content of an object on its way out of an engine.
#[derive(Debug)]
struct Opener {
    key: StreamKey,
    /// What is stored and not opened yet. The last piece is kept back: only the end knows that it is the last.
    rest: BytesMut,
}

/// The wrapped key that a stored object begins with, and how long all of its header is. `None` while too little is known.
fn header(stored: &[u8]) -> Result<Option<(&[u8], usize)>, ObjectError> {
    if !stored.starts_with(&MAGIC[..stored.len().min(MAGIC.len())]) {
        return Err(ObjectError::Damaged);
    }
    let Some(length) = stored.get(MAGIC.len()..).and_then(|rest| rest.first_chunk::<2>()) else {
        return Ok(None);
    };
    let from = MAGIC.len() + length.len();
    let to = from + usize::from(u16::from_be_bytes(*length));
    Ok(stored.get(from..to).map(|wrapped| (wrapped, to)))
}

impl Opener {
    /// Opens an object by what its engine gives first. `None` when that is less than its header.
    async fn begin(keys: &dyn Keys, key: Key, stored: &[u8]) -> Result<Option<Self>, ObjectError> {
        let Some((wrapped, length)) = header(stored)? else { return Ok(None) };
        let stream = StreamKey::open(keys, key.org(), &key.to_string(), wrapped).await.map_err(failed)?;
        Ok(Some(Self { key: stream, rest: BytesMut::from(&stored[length..]) }))
    }

    /// Opens what is whole so far.
    fn unseal(&mut self, stored: &[u8]) -> Result<Bytes, ObjectError> {
        self.rest.extend_from_slice(stored);
        let mut content = BytesMut::new();
        while self.rest.len() > PIECE + TAG_LEN {
            let mut piece = self.rest.split_to(PIECE + TAG_LEN);
            let length = self.key.unseal(&mut piece, false).map_err(failed)?;
            content.extend_from_slice(&piece[..length]);
        }
        Ok(content.freeze())
    }

    /// Opens the end. An object without any piece was cut off: even an empty one has its last.
    fn finish(mut self) -> Result<Bytes, ObjectError> {
        let before = self.unseal(&[])?;
        let length = self.key.unseal(&mut self.rest, true).map_err(failed)?;
        self.rest.truncate(length);
        Ok(if before.is_empty() { self.rest.freeze() } else { [before, self.rest.freeze()].concat().into() })
    }
}

/// An object that is opened while it is read.
#[derive(Debug)]
struct SealedReading {
    object: Key,
    /// `None` after the end.
    opener: Option<Opener>,
    inner: Box<dyn Reading>,
}

impl SealedReading {
    async fn begin(keys: &dyn Keys, key: Key, mut inner: Box<dyn Reading>) -> Result<Self, ObjectError> {
        let mut stored = BytesMut::new();
        loop {
            if let Some(opener) = Opener::begin(keys, key, &stored).await? {
                return Ok(Self { object: key, opener: Some(opener), inner });
            }
            stored.extend_from_slice(&inner.next().await?.ok_or(ObjectError::Damaged)?);
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, ObjectError> {
        while let Some(opener) = &mut self.opener {
            let content = match self.inner.next().await? {
                Some(stored) => opener.unseal(&stored)?,
                None => self.opener.take().ok_or(ObjectError::Damaged)?.finish()?,
            };
            if !content.is_empty() {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }
}

/// Says in the log that an object is damaged: only the one who runs the deployment can do something about it.
fn logged<T>(key: Key, opened: Result<T, ObjectError>) -> Result<T, ObjectError> {
    if matches!(opened, Err(ObjectError::Damaged)) {
        tracing::error!(object.key = %key, "a stored object was changed, moved or cut off");
    }
    opened
}

#[async_trait]
impl Reading for SealedReading {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        let piece = self.piece().await;
        logged(self.object, piece)
    }
}

/// An object that is sealed while it is written.
#[derive(Debug)]
struct SealedWriting {
    sealer: Sealer,
    inner: Box<dyn Writing>,
}

#[async_trait]
impl Writing for SealedWriting {
    async fn write(&mut self, piece: Bytes) -> Result<(), ObjectError> {
        let sealed = self.sealer.seal(&piece)?;
        if sealed.is_empty() { Ok(()) } else { self.inner.write(sealed).await }
    }

    async fn finish(self: Box<Self>) -> Result<(), ObjectError> {
        let Self { sealer, mut inner } = *self;
        inner.write(sealer.finish()?).await?;
        inner.finish().await
    }
}

#[async_trait]
impl Objects for Sealed {
    async fn begin(&self, key: Key) -> Result<Box<dyn Writing>, ObjectError> {
        let mut inner = self.engine.begin(key).await?;
        let (sealer, header) = Sealer::begin(&*self.keys, key).await?;
        inner.write(header).await?;
        Ok(Box::new(SealedWriting { sealer, inner }))
    }

    async fn put(&self, key: Key, content: Bytes) -> Result<(), ObjectError> {
        let (mut sealer, header) = Sealer::begin(&*self.keys, key).await?;
        let sealed = [header, sealer.seal(&content)?, sealer.finish()?].concat();
        self.engine.put(key, sealed.into()).await
    }

    async fn open(&self, key: Key) -> Result<Box<dyn Reading>, ObjectError> {
        let inner = self.engine.open(key).await?;
        Ok(Box::new(logged(key, SealedReading::begin(&*self.keys, key, inner).await)?))
    }

    async fn get(&self, key: Key) -> Result<Bytes, ObjectError> {
        let stored = self.engine.get(key).await?;
        let opened =
            async { Opener::begin(&*self.keys, key, &stored).await?.ok_or(ObjectError::Damaged)?.finish() };
        logged(key, opened.await)
    }

    async fn delete(&self, org: OrgId, id: ObjectId) -> Result<(), ObjectError> {
        self.engine.delete(org, id).await
    }
}

#[cfg(test)]
mod tests {
    use preceptor_core::Secret;
    use preceptor_keys::Keyring;
    use tempfile::TempDir;

    use super::*;
    use crate::{Directory, Part, conformance};

    fn sealed(folder: &TempDir) -> Sealed {
        let keys = Keyring::open(&folder.path().join("keys"), &Secret::new("test")).expect("keys");
        Sealed::new(Arc::new(Directory::new(folder.path().join("objects"))), Arc::new(keys))
    }

    #[tokio::test]
    async fn a_sealed_directory_conforms() {
        let folder = tempfile::tempdir().expect("a folder");
        conformance::run(&sealed(&folder)).await;
    }

    #[tokio::test]
    async fn content_of_every_length_comes_back_and_is_not_on_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let objects = sealed(&folder);
        let key = Key::new(OrgId::generate(), ObjectId::generate(), Part::Text);
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17] {
            let content: Bytes = b"Rosa Alvarez ".iter().copied().cycle().take(length).collect();
            objects.put(key, content.clone()).await.expect("a write");
            assert_eq!(objects.get(key).await.expect("the object"), content, "{length}");
            let mut pieces = objects.begin(key).await.expect("it begins");
            for piece in content.chunks(1000) {
                pieces.write(Bytes::copy_from_slice(piece)).await.expect("a write");
            }
            pieces.finish().await.expect("it appears");
            assert_eq!(objects.get(key).await.expect("the object"), content, "{length} in pieces");
            let read = conformance::in_pieces(&objects, key).await.expect("the object");
            assert_eq!(read, content, "{length} read in pieces");
            let stored = objects.engine.get(key).await.expect("the file");
            assert!(!stored.windows(13).any(|window| window == b"Rosa Alvarez "), "{length}");
        }
    }

    #[tokio::test]
    async fn a_changed_swapped_or_cut_object_does_not_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let objects = sealed(&folder);
        let (org, id) = (OrgId::generate(), ObjectId::generate());
        let (one, two) = (Key::new(org, id, Part::Original), Key::new(org, id, Part::Text));
        objects.put(one, Bytes::from(vec![1; 2 * PIECE])).await.expect("a write");
        objects.put(two, Bytes::from_static(b"two")).await.expect("a write");
        let stored = objects.engine.get(one).await.expect("the file");

        let whole = stored.len();
        let mut flipped = stored.to_vec();
        flipped[whole - 1] ^= 1;
        let clear = Bytes::from_static(b"never sealed");
        let spoilt = [flipped.into(), stored.slice(..whole - PIECE), stored.slice(..40), Bytes::new(), clear];
        for content in spoilt {
            objects.engine.put(one, content.clone()).await.expect("a write");
            for opened in [objects.get(one).await, conformance::in_pieces(&objects, one).await] {
                assert!(matches!(opened, Err(ObjectError::Damaged)), "{} bytes", content.len());
            }
        }
        for (key, name) in
            [(two, "another part"), (Key::new(OrgId::generate(), id, Part::Original), "another org")]
        {
            objects.engine.put(key, stored.clone()).await.expect("a write");
            assert!(matches!(objects.get(key).await, Err(ObjectError::Damaged)), "{name}");
        }
    }
}
