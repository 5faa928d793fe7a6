//! The suite that every vector engine passes.

use preceptor_core::id::{AppId, OrgId, ProgramId, ProgramVersionId};
use uuid::Uuid;

use crate::{Hit, Point, Query, VectorIndex, VersionKeys};

/// The length of the dense vectors that the suite stores under the name `dense`; its sparse vectors are `sparse`.
pub const DIMENSIONS: usize = 4;

/// Runs the whole suite. `open` opens the same index each time, as a restarted process would.
///
/// # Panics
/// When the engine does not conform; the message says how.
pub async fn run(open: impl Fn() -> Box<dyn VectorIndex>) {
    a_batch_returns_raw_scores(&*open()).await;
    nothing_outside_the_version_is_found(&*open()).await;
    foreign_points_move_no_score(&*open()).await;
    flushed_points_survive_a_restart(&open).await;
    a_removed_version_is_gone(&*open()).await;
    wrong_vectors_are_refused(&*open()).await;
}

fn keys() -> VersionKeys {
    VersionKeys {
        org: OrgId::generate(),
        app: AppId::generate(),
        program: ProgramId::generate(),
        version: ProgramVersionId::generate(),
    }
}

fn point(id: Uuid, dense: [f32; DIMENSIONS], sparse: &[(u32, f32)]) -> Point {
    Point { id, dense: vec![("dense", dense.to_vec())], sparse: vec![("sparse", sparse.to_vec())] }
}

fn queries() -> Vec<Query> {
    vec![
        Query::Dense { name: "dense", vector: vec![1.0, 0.0, 0.0, 0.0], limit: 10 },
        Query::Sparse { name: "sparse", vector: vec![(7, 2.0), (9, 0.5)], limit: 10 },
    ]
}

async fn search(index: &dyn VectorIndex, keys: VersionKeys) -> [Vec<Hit>; 2] {
    index.search(keys, queries()).await.expect("a search").try_into().expect("one list per query")
}

async fn a_batch_returns_raw_scores(index: &dyn VectorIndex) {
    let keys = keys();
    let (near, far) = (Uuid::now_v7(), Uuid::now_v7());
    let points = vec![
        point(near, [2.0, 0.0, 0.0, 0.0], &[(7, 3.0)]),
        point(far, [0.0, 1.0, 0.0, 0.0], &[(9, 4.0), (11, 9.0)]),
    ];
    index.upsert(keys, points).await.expect("an upsert");
    let [dense, sparse] = search(index, keys).await;
    let expected = |id, score| Hit { id, score };
    assert_eq!(dense, [expected(near, 1.0), expected(far, 0.0)], "dense scores are cosines");
    assert_eq!(sparse, [expected(near, 6.0), expected(far, 2.0)], "sparse scores are dot products");
    assert_eq!(index.count(keys).await.expect("a count"), 2);
}

async fn nothing_outside_the_version_is_found(index: &dyn VectorIndex) {
    let own = keys();
    index
        .upsert(own, vec![point(Uuid::now_v7(), [1.0, 0.0, 0.0, 0.0], &[(7, 1.0)])])
        .await
        .expect("an upsert");
    let elsewhere = [
        ("org", VersionKeys { org: OrgId::generate(), ..own }),
        ("app", VersionKeys { app: AppId::generate(), ..own }),
        ("program", VersionKeys { program: ProgramId::generate(), ..own }),
        ("version", VersionKeys { version: ProgramVersionId::generate(), ..own }),
    ];
    for (what, keys) in elsewhere {
        let [dense, sparse] = search(index, keys).await;
        assert!(dense.is_empty() && sparse.is_empty(), "a search in another {what} found the point");
    }
    assert_eq!(search(index, own).await[0].len(), 1, "the positive control found nothing");
}

async fn foreign_points_move_no_score(index: &dyn VectorIndex) {
    let own = keys();
    index
        .upsert(own, vec![point(Uuid::now_v7(), [0.3, 0.7, 0.1, 0.2], &[(7, 1.37), (9, 0.11)])])
        .await
        .expect("an upsert");
    let before = search(index, own).await;
    for keys in
        [keys(), VersionKeys { program: ProgramId::generate(), version: ProgramVersionId::generate(), ..own }]
    {
        let flood = (0..50_u8)
            .map(|number| point(Uuid::now_v7(), [0.4, f32::from(number), 0.1, 0.2], &[(7, 5.0), (9, 1.0)]));
        index.upsert(keys, flood.collect()).await.expect("an upsert");
    }
    let after = search(index, own).await;
    for (before, after) in before.iter().flatten().zip(after.iter().flatten()) {
        assert_eq!(before.score.to_bits(), after.score.to_bits(), "a foreign upload moved a score");
    }
}

async fn flushed_points_survive_a_restart(open: &impl Fn() -> Box<dyn VectorIndex>) {
    let keys = keys();
    let index = open();
    index
        .upsert(keys, vec![point(Uuid::now_v7(), [1.0, 0.0, 0.0, 0.0], &[(7, 1.0)])])
        .await
        .expect("an upsert");
    index.flush(keys.org).await.expect("a flush");
    drop(index);
    let again = open();
    assert_eq!(again.count(keys).await.expect("a count"), 1, "a flushed point is gone");
    assert_eq!(search(&*again, keys).await[1].len(), 1, "a flushed point is not found");
}

async fn a_removed_version_is_gone(index: &dyn VectorIndex) {
    let old = keys();
    let new = VersionKeys { version: ProgramVersionId::generate(), ..old };
    for keys in [old, new] {
        index
            .upsert(keys, vec![point(Uuid::now_v7(), [1.0, 0.0, 0.0, 0.0], &[(7, 1.0)])])
            .await
            .expect("an upsert");
    }
    index.remove(old).await.expect("a removal");
    assert_eq!(index.count(old).await.expect("a count"), 0);
    assert_eq!(index.count(new).await.expect("a count"), 1, "removing a version removed another's points");
}

async fn wrong_vectors_are_refused(index: &dyn VectorIndex) {
    let bad = Point { id: Uuid::now_v7(), dense: vec![("dense", vec![1.0])], sparse: Vec::new() };
    assert!(index.upsert(keys(), vec![bad]).await.is_err(), "a vector of the wrong length was taken");
}
