//! The suite that every object store passes.

use bytes::Bytes;
use preceptor_core::id::{ObjectId, OrgId};

use crate::{Key, ObjectError, Objects, Part};

/// Reads an object in pieces.
///
/// # Errors
/// Those of the engine.
pub async fn in_pieces(objects: &dyn Objects, key: Key) -> Result<Bytes, ObjectError> {
    let (mut reading, mut content) = (objects.open(key).await?, Vec::new());
    while let Some(piece) = reading.next().await? {
        content.extend_from_slice(&piece);
    }
    Ok(content.into())
}

/// Runs the whole suite.
///
/// # Panics
/// When the engine does not conform; the message says how.
pub async fn run(objects: &dyn Objects) {
    let (org, other) = (OrgId::generate(), OrgId::generate());
    let id = ObjectId::generate();
    let original = Key::new(org, id, Part::Original);
    let picture = Key::new(org, id, Part::Picture(12));

    assert!(
        matches!(objects.get(original).await, Err(ObjectError::NotFound(_))),
        "an object exists before it was put"
    );
    objects.put(original, Bytes::from_static(b"one")).await.expect("a write");
    objects.put(picture, Bytes::from_static(b"twelve")).await.expect("a write");
    assert_eq!(objects.get(original).await.expect("the object"), "one");
    assert_eq!(in_pieces(objects, original).await.expect("the object"), "one");
    let large: Bytes = (0..700_000_u32).map(|number| number as u8).collect();
    objects.put(original, large.clone()).await.expect("a write");
    assert_eq!(in_pieces(objects, original).await.expect("the object"), large);
    objects.put(original, Bytes::from_static(b"two")).await.expect("a write");
    assert_eq!(objects.get(original).await.expect("the object"), "two", "the newer write did not win");

    let mut pieces = objects.begin(original).await.expect("it begins");
    pieces.write(Bytes::from_static(b"thr")).await.expect("a write");
    assert_eq!(objects.get(original).await.expect("the object"), "two", "half an object was seen");
    pieces.write(Bytes::from_static(b"ee")).await.expect("a write");
    pieces.finish().await.expect("it appears");
    assert_eq!(objects.get(original).await.expect("the object"), "three");
    let mut dropped = objects.begin(original).await.expect("it begins");
    dropped.write(Bytes::from_static(b"four")).await.expect("a write");
    drop(dropped);
    assert_eq!(objects.get(original).await.expect("the object"), "three", "what was thrown away was seen");

    let foreign = objects.get(Key::new(other, id, Part::Original)).await;
    assert!(matches!(foreign, Err(ObjectError::NotFound(_))), "another org reads the object");
    let foreign = in_pieces(objects, Key::new(other, id, Part::Original)).await;
    assert!(matches!(foreign, Err(ObjectError::NotFound(_))), "another org reads the object in pieces");

    objects.delete(other, id).await.expect("no error");
    assert_eq!(objects.get(picture).await.expect("the object"), "twelve", "another org deleted the object");
    objects.delete(org, id).await.expect("a deletion");
    for key in [original, picture] {
        assert!(
            matches!(objects.get(key).await, Err(ObjectError::NotFound(_))),
            "a deleted object is still there"
        );
    }
    objects.delete(org, id).await.expect("deleting twice is no error");
}
