//! Originals, pictures and exports behind one small trait.
//!
//! Keys are built from an org and an id, never from a file's own name. The embedded engine, the only one so far, is a
//! directory; the trait is cut to what S3 offers. An object appears whole or not at all. [`Sealed`] wraps an engine, so that what it keeps can be read
//! with the keys of its org only. [`conformance`] is the suite that every engine passes.

pub mod conformance;
mod directory;
mod sealed;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use preceptor_core::id::{ObjectId, OrgId};
use preceptor_core::{Fault, Kind};

pub use directory::Directory;
pub use sealed::Sealed;

/// The name of an object: its org, its id, and what it is to that id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    org: OrgId,
    id: ObjectId,
    part: Part,
}

/// What an object is to its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The file as it was uploaded.
    Original,
    /// The extracted text.
    Text,
    /// Where words are on their pages.
    Layout,
    /// The picture of one page, counted from 1.
    Picture(u32),
}

impl Key {
    /// A part of the object `id` of `org`.
    pub const fn new(org: OrgId, id: ObjectId, part: Part) -> Self {
        Self { org, id, part }
    }

    /// The org that the object belongs to.
    pub const fn org(&self) -> OrgId {
        self.org
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.org, self.id)?;
        match self.part {
            Part::Original => f.write_str("original"),
            Part::Text => f.write_str("text"),
            Part::Layout => f.write_str("layout"),
            Part::Picture(page) => write!(f, "picture-{page}"),
        }
    }
}

/// Why an object could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("object {0} does not exist")]
    NotFound(String),
    /// What is stored was changed, moved or cut off since it was written.
    #[error("the stored object is damaged")]
    Damaged,
    /// The storage is full.
    #[error("object storage is full")]
    Full,
    /// The storage cannot be reached.
    #[error("object storage is not available: {0}")]
    Unavailable(String),
}

impl ObjectError {
    /// The fault for callers that have nothing more specific to say. What failed is in the log.
    pub fn to_fault(&self) -> Fault {
        if matches!(self, Self::Full) {
            let what = "the storage is full; an operator has to free some space";
            return Fault::new(Kind::Unavailable, "STORE_FULL", what);
        }
        tracing::error!(error = %self, "object storage failed");
        Fault::new(
            Kind::Unavailable,
            "OBJECTS_UNAVAILABLE",
            "the file storage is not reachable; try again in a moment",
        )
    }
}

/// An object that is being written in pieces. No one sees it before it is whole; dropping this throws it away.
#[async_trait]
pub trait Writing: Send + fmt::Debug {
    /// Adds the next piece.
    async fn write(&mut self, piece: Bytes) -> Result<(), ObjectError>;

    /// Makes the object appear, replacing an older one of the same key.
    async fn finish(self: Box<Self>) -> Result<(), ObjectError>;
}

/// An object that is being read in pieces.
#[async_trait]
pub trait Reading: Send + fmt::Debug {
    /// The next piece; `None` after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError>;
}

/// The object store.
#[async_trait]
pub trait Objects: Send + Sync + fmt::Debug {
    /// Begins an object whose size no one has to hold in memory.
    async fn begin(&self, key: Key) -> Result<Box<dyn Writing>, ObjectError>;

    /// Stores an object, replacing an older one of the same key.
    async fn put(&self, key: Key, content: Bytes) -> Result<(), ObjectError>;

    /// Begins to read an object whose size no one has to hold in memory.
    async fn open(&self, key: Key) -> Result<Box<dyn Reading>, ObjectError>;

    /// Reads a whole object.
    async fn get(&self, key: Key) -> Result<Bytes, ObjectError>;

    /// Deletes every part of an object. Deleting what is not there is no error.
    async fn delete(&self, org: OrgId, id: ObjectId) -> Result<(), ObjectError>;
}
