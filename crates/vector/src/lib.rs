//! The vector index behind one small trait.
//!
//! Points carry ids and filter keys, never text. Every search is filtered to one version of one program of one app of
//! one org, and all its queries go to the engine in one round trip; raw scores come back, fusion is the caller's.
//! Sparse scores are plain dot products: what weighs a term travels in the query, so nothing that another program or
//! org stores can move a score. [`Edge`] is the embedded engine, Qdrant's own in process, with one shard per org.
//! [`conformance`] is the suite that every engine passes.
//!
//! The index is derived data. The embedded engine does not replay its log when it is opened, so a version counts as
//! indexed only after [`VectorIndex::flush`], and anyone who builds it keeps a marker elsewhere.

pub mod conformance;
mod edge;

use std::fmt;

use async_trait::async_trait;
use preceptor_core::id::{AppId, OrgId, PassageId, ProgramId, ProgramVersionId};

use uuid::Uuid;

pub use edge::{Edge, MOST_OPEN_SHARDS};

/// The vectors that every point may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VectorName {
    /// A dense vector, compared by cosine.
    Dense(&'static str),
    /// A sparse vector, compared by dot product.
    Sparse(&'static str),
}

/// What an index holds per point.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Length of every dense vector.
    pub dimensions: usize,
    /// Names of the dense vectors.
    pub dense: &'static [&'static str],
    /// Names of the sparse vectors.
    pub sparse: &'static [&'static str],
}

/// The keys that a search is filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionKeys {
    /// The org, which also decides the shard.
    pub org: OrgId,
    /// The app.
    pub app: AppId,
    /// The program.
    pub program: ProgramId,
    /// The frozen version.
    pub version: ProgramVersionId,
}

/// Non-zero entries of a sparse vector, by ascending dimension.
pub type SparseVector = Vec<(u32, f32)>;

/// A passage of one version, ready to be found.
#[derive(Debug, Clone)]
pub struct Point {
    /// Its id in the index, which only the version it belongs to can have: see [`point_id`].
    pub id: Uuid,
    /// Its dense vectors, by name.
    pub dense: Vec<(&'static str, Vec<f32>)>,
    /// Its sparse vectors, by name.
    pub sparse: Vec<(&'static str, SparseVector)>,
}

/// One search of a batch.
#[derive(Debug, Clone)]
pub enum Query {
    /// The nearest by cosine.
    Dense {
        /// The vector's name.
        name: &'static str,
        /// The query vector.
        vector: Vec<f32>,
        /// How many hits.
        limit: usize,
    },
    /// The largest dot products.
    Sparse {
        /// The vector's name.
        name: &'static str,
        /// The query vector.
        vector: SparseVector,
        /// How many hits.
        limit: usize,
    },
}

/// A found point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Its id. The caller checks it against those of the version it asked for.
    pub id: Uuid,
    /// The raw score: a cosine or a dot product.
    pub score: f32,
}

/// The id of a passage as part of a version: the same passage in two versions is two points, and an id that a version
/// does not know was found outside it.
pub fn point_id(version: ProgramVersionId, passage: PassageId) -> Uuid {
    Uuid::new_v5(&version.uuid(), passage.uuid().as_bytes())
}

/// Why the index could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// The engine cannot be reached or opened.
    #[error("the vector index is not available: {0}")]
    Unavailable(String),
    /// A vector has the wrong length or name.
    #[error("the vector index refused its input: {0}")]
    Invalid(String),
}

/// The vector index.
#[async_trait]
pub trait VectorIndex: Send + Sync + fmt::Debug {
    /// Adds points to a version, replacing points of the same passage and version.
    async fn upsert(&self, keys: VersionKeys, points: Vec<Point>) -> Result<(), VectorError>;

    /// Makes everything of the org that was added durable.
    async fn flush(&self, org: OrgId) -> Result<(), VectorError>;

    /// Removes a version.
    async fn remove(&self, keys: VersionKeys) -> Result<(), VectorError>;

    /// How many points a version has.
    async fn count(&self, keys: VersionKeys) -> Result<usize, VectorError>;

    /// Runs all `queries` inside one version, in one round trip. One list of hits per query, best first.
    async fn search(&self, keys: VersionKeys, queries: Vec<Query>) -> Result<Vec<Vec<Hit>>, VectorError>;
}
