//! What credits has done in a process of its own: composing items. It compares what strangers wrote with itself, sentence
//! by sentence, and knows nothing of orgs, tables or keys.

use std::collections::HashSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::{Source, Wanted, compose};

/// The kind of work.
pub(crate) const COMPOSE: &str = "credits.compose";

/// What a composer needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) sources: Vec<Source>,
    pub(crate) wanted: Wanted,
    /// The stems that the bank has already.
    pub(crate) taken: HashSet<String>,
}

/// Does what credits asked a child process for. `None` when it is no work of credits.
pub fn work(kind: &str, request: &Bytes) -> Option<Result<Vec<u8>, String>> {
    (kind == COMPOSE).then(|| {
        let Request { sources, wanted, taken } =
            postcard::from_bytes(request).map_err(|error| error.to_string())?;
        postcard::to_stdvec(&compose(&sources, &wanted, &taken)).map_err(|error| error.to_string())
    })
}
