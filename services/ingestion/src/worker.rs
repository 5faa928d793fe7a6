//! What ingestion has done in a process of its own: reading files and drawing their pages.
//!
//! Both work on what strangers send, so they know nothing of orgs, tables or keys: a file goes in, text or a picture
//! comes out.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::store::content;
use preceptor_extract::{Budget, ExtractError, Limits, MediaType, Picture, passages};

/// The kinds of work.
pub(crate) const READ: &str = "ingestion.read";
pub(crate) const DRAW: &str = "ingestion.draw";

/// What a reader needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// What the file is.
    pub(crate) media_type: String,
    pub(crate) limits: Limits,
    /// The page that is drawn.
    pub(crate) page: u32,
}

/// A file that was read: the text, and everything else as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) title: Option<String>,
    pub(crate) text: String,
    /// Where words are drawn, as JSON.
    pub(crate) layout: Vec<u8>,
    pub(crate) pages: u32,
    pub(crate) notes: Vec<String>,
    pub(crate) passages: Vec<content::Written>,
}

/// A page that was drawn.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Drawn {
    pub(crate) bytes: Vec<u8>,
}

/// Does what ingestion asked a child process for. `None` when it is no work of ingestion.
pub fn work(
    kind: &str,
    request: &[u8],
    file: &Bytes,
    progress: &mut dyn FnMut(u64, u64),
) -> Option<Result<Vec<u8>, String>> {
    match kind {
        READ => Some(answer(request, |request| read(request, file, progress))),
        DRAW => Some(answer(request, |request| draw(request, file))),
        _ => None,
    }
}

fn answer<T: Serialize>(
    request: &[u8],
    work: impl FnOnce(&Request) -> Result<T, ExtractError>,
) -> Result<Vec<u8>, String> {
    let request: Request = postcard::from_bytes(request).map_err(|error| error.to_string())?;
    postcard::to_stdvec(&work(&request)).map_err(|error| error.to_string())
}

fn media(request: &Request) -> Result<MediaType, ExtractError> {
    MediaType::of_name(&request.media_type).ok_or(ExtractError::Unsupported)
}

fn read(
    request: &Request,
    file: &Bytes,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Document, ExtractError> {
    let budget = Budget::of(&request.limits);
    let extracted = preceptor_extract::extract(media(request)?, file, &request.limits, &budget, progress)?;
    let passages = passages(&extracted, &budget)?;
    let unwritable = |error: serde_json::Error| ExtractError::Malformed(error.to_string());
    Ok(Document {
        passages: passages.iter().map(content::written).collect::<Result<_, _>>().map_err(unwritable)?,
        layout: serde_json::to_vec(&extracted.boxes).map_err(unwritable)?,
        title: extracted.title,
        text: extracted.text,
        pages: extracted.pages,
        notes: extracted.notes,
    })
}

fn draw(request: &Request, file: &Bytes) -> Result<Drawn, ExtractError> {
    let Picture { bytes, .. } =
        preceptor_extract::picture(media(request)?, file, request.page, &request.limits)?;
    Ok(Drawn { bytes })
}
