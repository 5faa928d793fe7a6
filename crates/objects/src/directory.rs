//! The embedded object store: a directory.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use preceptor_core::id::{ObjectId, OrgId};

use crate::{Key, ObjectError, Objects, Reading, Writing};

/// Objects as files under one directory.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// Uses `root`, which is made when it is first written to.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn path(&self, key: Key) -> PathBuf {
        self.root.join(key.to_string())
    }
}

fn failed(key: &str, error: &io::Error) -> ObjectError {
    match error.kind() {
        io::ErrorKind::NotFound => ObjectError::NotFound(key.to_owned()),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ObjectError::Full,
        _ => ObjectError::Unavailable(error.to_string()),
    }
}

/// Writes beside the target and renames, so that a reader or a crash sees the whole object or none.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("an object has a folder"))?;
    fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("{}.part", ObjectId::generate()));
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_data()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        // Best effort: the error that matters is the one of the write.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A file beside its target, until it is whole.
#[derive(Debug)]
struct Piecewise {
    key: Key,
    path: PathBuf,
    beside: PathBuf,
    file: Arc<fs::File>,
    is_whole: bool,
}

impl Piecewise {
    fn begin(key: Key, path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(path.parent().ok_or_else(|| io::Error::other("an object has a folder"))?)?;
        let beside = path.with_extension(format!("{}.part", ObjectId::generate()));
        let file = Arc::new(fs::File::create(&beside)?);
        Ok(Self { key, path, beside, file, is_whole: false })
    }
}

impl Drop for Piecewise {
    fn drop(&mut self) {
        if !self.is_whole {
            // Best effort: what stays behind is swept with the object that it belongs to.
            let _ = fs::remove_file(&self.beside);
            if let Some(folder) = self.path.parent() {
                // Fails when other parts of the object are there, as it should.
                let _ = fs::remove_dir(folder);
            }
        }
    }
}

#[async_trait]
impl Writing for Piecewise {
    async fn write(&mut self, piece: Bytes) -> Result<(), ObjectError> {
        let file = Arc::clone(&self.file);
        blocking(move || (&*file).write_all(&piece))
            .await
            .map_err(|error| failed(&self.key.to_string(), &error))
    }

    async fn finish(mut self: Box<Self>) -> Result<(), ObjectError> {
        let (file, beside, path) = (Arc::clone(&self.file), self.beside.clone(), self.path.clone());
        let renamed = blocking(move || {
            file.sync_data()?;
            fs::rename(beside, path)
        });
        renamed.await.map_err(|error| failed(&self.key.to_string(), &error))?;
        self.is_whole = true;
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Bytes of a piece that is read.
const PIECE: usize = 256 << 10;

/// A file that is being read. One that is replaced meanwhile is read to its end.
#[derive(Debug)]
struct Opened {
    key: Key,
    file: Arc<fs::File>,
}

#[async_trait]
impl Reading for Opened {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        let file = Arc::clone(&self.file);
        let piece = blocking(move || {
            let mut piece = Vec::with_capacity(PIECE);
            (&*file).take(PIECE as u64).read_to_end(&mut piece)?;
            Ok(piece)
        });
        let piece = piece.await.map_err(|error| failed(&self.key.to_string(), &error))?;
        Ok((!piece.is_empty()).then(|| piece.into()))
    }
}

#[async_trait]
impl Objects for Directory {
    async fn begin(&self, key: Key) -> Result<Box<dyn Writing>, ObjectError> {
        let path = self.path(key);
        let begun = blocking(move || Piecewise::begin(key, path)).await;
        Ok(Box::new(begun.map_err(|error| failed(&key.to_string(), &error))?))
    }

    async fn put(&self, key: Key, content: Bytes) -> Result<(), ObjectError> {
        let path = self.path(key);
        blocking(move || write_whole(&path, &content)).await.map_err(|error| failed(&key.to_string(), &error))
    }

    async fn open(&self, key: Key) -> Result<Box<dyn Reading>, ObjectError> {
        let path = self.path(key);
        let file =
            blocking(move || fs::File::open(path)).await.map_err(|error| failed(&key.to_string(), &error))?;
        Ok(Box::new(Opened { key, file: Arc::new(file) }))
    }

    async fn get(&self, key: Key) -> Result<Bytes, ObjectError> {
        let path = self.path(key);
        let content =
            blocking(move || fs::read(path)).await.map_err(|error| failed(&key.to_string(), &error))?;
        Ok(Bytes::from(content))
    }

    async fn delete(&self, org: OrgId, id: ObjectId) -> Result<(), ObjectError> {
        let folder = self.root.join(org.to_string()).join(id.to_string());
        match blocking(move || fs::remove_dir_all(folder)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&id.to_string(), &error)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Part, conformance};

    #[tokio::test]
    async fn a_directory_conforms() {
        let folder = tempfile::tempdir().expect("a folder");
        conformance::run(&Directory::new(folder.path().join("objects"))).await;
    }

    #[tokio::test]
    async fn what_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = Directory::new(folder.path().to_owned());
        let (org, id) = (OrgId::generate(), ObjectId::generate());
        let mut writing = directory.begin(Key::new(org, id, Part::Original)).await.expect("it begins");
        writing.write(Bytes::from_static(b"half")).await.expect("a write");
        drop(writing);
        assert_eq!(fs::read_dir(folder.path().join(org.to_string())).expect("the org's folder").count(), 0);
    }

    #[tokio::test]
    async fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("objects");
        fs::write(&root, b"a file where the folder should be").expect("a file");
        let key = Key::new(OrgId::generate(), ObjectId::generate(), Part::Text);
        let directory = Directory::new(root);
        assert!(matches!(
            directory.put(key, Bytes::from_static(b"x")).await,
            Err(ObjectError::Unavailable(_))
        ));
    }
}
