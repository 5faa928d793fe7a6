//! The embedded engine: Qdrant in process, one shard directory per org.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use preceptor_core::id::OrgId;
use qdrant_edge::{
    Condition, CountRequest, CreateIndex, Distance, EdgeConfigBuilder, EdgeShard, EdgeSparseVectorParams,
    EdgeVectorParams, FieldCondition, FieldIndexOperations, Filter, JsonPath, Match, NamedQuery,
    PayloadFieldSchema, PayloadSchemaType, PointId, PointInsertOperations, PointOperations, PointStruct,
    QueryEnum, QueryRequest, ScoredPoint, ScoringQuery, SearchParams, UpdateOperation, Vector,
    VectorInternal, Vectors, WithPayloadInterface, WithVector,
};

use crate::{Hit, Layout, Point, Query, VectorError, VectorIndex, VersionKeys};

/// Shards that are open at the same time; the one used longest ago is closed first.
pub const MOST_OPEN_SHARDS: usize = 32;

const KEYS: [&str; 4] = ["org", "app", "program", "version"];

type OpenShard = Arc<Mutex<Option<Arc<EdgeShard>>>>;

#[derive(Default)]
struct Open {
    shards: HashMap<OrgId, (u64, OpenShard)>,
    uses: u64,
}

/// Shards under one directory.
pub struct Edge {
    root: PathBuf,
    layout: Layout,
    open: Arc<Mutex<Open>>,
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge").field("root", &self.root).finish_non_exhaustive()
    }
}

fn unavailable(error: impl fmt::Display) -> VectorError {
    VectorError::Unavailable(error.to_string())
}

fn invalid(error: impl fmt::Display) -> VectorError {
    VectorError::Invalid(error.to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Edge {
    /// Uses `root`, which is made when it is first written to.
    pub fn new(root: PathBuf, layout: Layout) -> Self {
        Self { root, layout, open: Arc::default() }
    }

    /// Closes every shard. The engine writes when it closes one, so this comes before its folder goes.
    pub fn close(&self) {
        lock(&self.open).shards.clear();
    }

    /// The org's place among the open shards; closes the one used longest ago when there are too many.
    fn slot(&self, org: OrgId) -> OpenShard {
        let mut open = lock(&self.open);
        open.uses += 1;
        let now = open.uses;
        let entry = open.shards.entry(org).or_default();
        entry.0 = now;
        let slot = Arc::clone(&entry.1);
        if open.shards.len() > MOST_OPEN_SHARDS {
            // A slot that someone else holds is in use: its shard must not be opened a second time.
            let idle = open.shards.iter().filter(|(_, (_, slot))| Arc::strong_count(slot) == 1);
            if let Some(oldest) = idle.min_by_key(|(_, (used, _))| *used).map(|(org, _)| *org) {
                open.shards.remove(&oldest);
            }
        }
        slot
    }

    /// Runs `work` on the org's shard, off the async threads. Work that writes holds the slot, because the engine
    /// panics when it is flushed during an update.
    async fn on_shard<T, F>(&self, org: OrgId, exclusive: bool, work: F) -> Result<T, VectorError>
    where
        T: Send + 'static,
        F: FnOnce(&EdgeShard) -> Result<T, VectorError> + Send + 'static,
    {
        let (slot, path, layout) = (self.slot(org), self.root.join(org.to_string()), self.layout.clone());
        let task = move || {
            let mut guard = lock(&slot);
            let shard = match &*guard {
                Some(shard) => Arc::clone(shard),
                None => Arc::clone(guard.insert(Arc::new(open_shard(&path, &layout)?))),
            };
            if exclusive {
                return work(&shard);
            }
            drop(guard);
            work(&shard)
        };
        tokio::task::spawn_blocking(task).await.map_err(unavailable)?
    }
}

fn open_shard(path: &Path, layout: &Layout) -> Result<EdgeShard, VectorError> {
    std::fs::create_dir_all(path).map_err(unavailable)?;
    let mut config = EdgeConfigBuilder::new().on_disk_payload(true);
    for &name in layout.dense {
        // In memory a re-opened shard would pre-load 32 MiB, whatever it holds.
        config = config.vector(
            name,
            EdgeVectorParams::builder(layout.dimensions, Distance::Cosine).on_disk(true).build(),
        );
    }
    for &name in layout.sparse {
        config = config.sparse_vector(name, EdgeSparseVectorParams::default());
    }
    if path.join("segments").exists() {
        return EdgeShard::load(path, Some(config.build())).map_err(unavailable);
    }
    let shard = EdgeShard::new(path, config.build()).map_err(unavailable)?;
    for key in KEYS {
        let index = CreateIndex {
            field_name: json_path(key)?,
            field_schema: Some(PayloadFieldSchema::FieldType(PayloadSchemaType::Keyword)),
        };
        shard
            .update(UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(index)))
            .map_err(unavailable)?;
    }
    shard.flush();
    Ok(shard)
}

fn json_path(key: &str) -> Result<JsonPath, VectorError> {
    key.parse().map_err(|()| invalid(format!("{key} is not a payload key")))
}

fn values(keys: &VersionKeys) -> [String; 4] {
    [keys.org.to_string(), keys.app.to_string(), keys.program.to_string(), keys.version.to_string()]
}

fn filter(keys: &VersionKeys) -> Result<Filter, VectorError> {
    let conditions = KEYS
        .into_iter()
        .zip(values(keys))
        .map(|(key, value)| {
            Ok(Condition::Field(FieldCondition::new_match(json_path(key)?, Match::from(value))))
        })
        .collect::<Result<Vec<_>, VectorError>>()?;
    Ok(Filter { must: Some(conditions), ..Filter::default() })
}

fn stored(keys: &VersionKeys, point: Point) -> Result<PointStruct, VectorError> {
    let mut vectors = Vec::with_capacity(point.dense.len() + point.sparse.len());
    for (name, vector) in point.dense {
        vectors.push((name, Vector::new_dense(vector)));
    }
    for (name, entries) in point.sparse {
        let (dimensions, weights): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        vectors.push((name, Vector::new_sparse(dimensions, weights).map_err(invalid)?));
    }
    let mut payload = serde_json::Map::new();
    for (key, value) in KEYS.into_iter().zip(values(keys)) {
        payload.insert(key.to_owned(), value.into());
    }
    Ok(PointStruct::new(PointId::Uuid(point.id), Vectors::new_named(vectors), payload.into()))
}

fn request(keys: &VersionKeys, query: Query) -> Result<QueryRequest, VectorError> {
    let (vector, name, limit) = match query {
        Query::Dense { name, vector, limit } => (VectorInternal::Dense(vector), name, limit),
        Query::Sparse { name, vector, limit } => {
            let (dimensions, weights): (Vec<_>, Vec<_>) = vector.into_iter().unzip();
            (Vector::new_sparse(dimensions, weights).map_err(invalid)?.0, name, limit)
        }
    };
    Ok(QueryRequest {
        prefetches: Vec::new(),
        query: Some(ScoringQuery::Vector(QueryEnum::Nearest(NamedQuery::new(vector, name)))),
        filter: Some(filter(keys)?),
        score_threshold: None,
        limit,
        offset: 0,
        params: Some(SearchParams { exact: true, ..SearchParams::default() }),
        with_vector: WithVector::Bool(false),
        with_payload: WithPayloadInterface::Bool(false),
    })
}

fn hit(point: ScoredPoint) -> Option<Hit> {
    match point.id {
        PointId::Uuid(id) => Some(Hit { id, score: point.score }),
        PointId::NumId(_) => None,
    }
}

#[async_trait]
impl VectorIndex for Edge {
    async fn upsert(&self, keys: VersionKeys, points: Vec<Point>) -> Result<(), VectorError> {
        let points = points
            .into_iter()
            .map(|point| Ok(stored(&keys, point)?.into()))
            .collect::<Result<Vec<_>, VectorError>>()?;
        let operation = PointOperations::UpsertPoints(PointInsertOperations::PointsList(points));
        self.on_shard(keys.org, true, |shard| {
            shard.update(UpdateOperation::PointOperation(operation)).map_err(invalid)
        })
        .await
    }

    async fn flush(&self, org: OrgId) -> Result<(), VectorError> {
        self.on_shard(org, true, |shard| {
            shard.flush();
            Ok(())
        })
        .await
    }

    async fn remove(&self, keys: VersionKeys) -> Result<(), VectorError> {
        let operation = PointOperations::DeletePointsByFilter(filter(&keys)?);
        self.on_shard(keys.org, true, |shard| {
            shard.update(UpdateOperation::PointOperation(operation)).map_err(unavailable)?;
            shard.flush();
            Ok(())
        })
        .await
    }

    async fn count(&self, keys: VersionKeys) -> Result<usize, VectorError> {
        let request = CountRequest { filter: Some(filter(&keys)?), exact: true };
        self.on_shard(keys.org, false, |shard| shard.count(request).map_err(unavailable)).await
    }

    async fn search(&self, keys: VersionKeys, queries: Vec<Query>) -> Result<Vec<Vec<Hit>>, VectorError> {
        let requests =
            queries.into_iter().map(|query| request(&keys, query)).collect::<Result<Vec<_>, _>>()?;
        self.on_shard(keys.org, false, move |shard| {
            requests
                .into_iter()
                .map(|request| {
                    Ok(shard.query(request).map_err(unavailable)?.into_iter().filter_map(hit).collect())
                })
                .collect()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    const LAYOUT: Layout =
        Layout { dimensions: conformance::DIMENSIONS, dense: &["dense"], sparse: &["sparse"] };

    #[tokio::test]
    async fn the_embedded_engine_conforms() {
        let folder = tempfile::tempdir().expect("a folder");
        conformance::run(|| -> Box<dyn VectorIndex> {
            Box::new(Edge::new(folder.path().to_owned(), LAYOUT))
        })
        .await;
    }
}
