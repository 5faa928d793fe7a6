//! Files on their way in: from a form to ingestion, piece by piece, without the whole of it anywhere.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use preceptor_core::Kind;
use preceptor_proto::ingestion::v1 as proto;
use preceptor_proto::ingestion::v1::upload_source_request::Part;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::error::ApiError;
use crate::identity::Identity;
use crate::{Edge, UPLOAD_TIMEOUT};

/// Bytes per message of an upload.
const CHUNK: usize = 256 << 10;
/// Messages between the form and ingestion.
const AHEAD: usize = 2;
/// Characters of a value beside a file, and the bytes that they may take.
const LONGEST_FORM_VALUE: usize = 1000;
const MOST_VALUE_BYTES: usize = 4 * LONGEST_FORM_VALUE;

/// What a form holds, hashed as it is read: the names, file names and contents of its parts. How the client framed them
/// is left out, for every request has a boundary of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct FormDigest(Arc<Mutex<(Sha256, bool)>>);

impl FormDigest {
    fn part(&self, name: &str, file_name: &str, content: Sha256) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for text in [name, file_name] {
            state.0.update((text.len() as u64).to_be_bytes());
            state.0.update(text);
        }
        state.0.update(content.finalize());
    }

    fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
    }

    /// The hash, once the form was read to its end.
    pub(crate) fn finished(&self) -> Option<String> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.then(|| hex::encode(state.0.clone().finalize()))
    }
}

/// Whether a request carries a form with files.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("multipart/form-data")
}

/// A form with a file, read as it arrives.
#[derive(Debug)]
pub(crate) struct UploadForm {
    parts: Multipart,
    digest: FormDigest,
    /// What the client says the whole request takes.
    length: i64,
}

impl FromRequest<Edge> for UploadForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, ApiError> {
        if !is_form(request.headers()) {
            let error = ApiError::new(
                Kind::InvalidInput,
                "FORM_INVALID",
                "send the file as multipart/form-data, in the part named `file`",
            );
            return Err(error.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let digest = request.extensions().get::<FormDigest>().cloned().unwrap_or_default();
        let length = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok())
            .unwrap_or(0);
        let bad = |_: MultipartRejection| {
            ApiError::new(
                Kind::InvalidInput,
                "FORM_INVALID",
                "the Content-Type has no boundary that can be one",
            )
        };
        Ok(Self { parts: Multipart::from_request(request, edge).await.map_err(bad)?, digest, length })
    }
}

/// Why a form was not read to its end.
enum Cut {
    /// The form is wrong.
    Refused(Box<ApiError>),
    /// No one takes it any more: the answer says why.
    NotTaken,
}

impl From<ApiError> for Cut {
    fn from(error: ApiError) -> Self {
        Self::Refused(Box::new(error))
    }
}

type Messages = mpsc::Sender<proto::UploadSourceRequest>;

async fn send(to: &Messages, part: Part) -> Result<(), Cut> {
    to.send(proto::UploadSourceRequest { part: Some(part) }).await.map_err(|_| Cut::NotTaken)
}

impl UploadForm {
    /// Reads the form only to know what it holds.
    pub(crate) async fn drain(mut self) -> Result<(), ApiError> {
        while let Some(mut field) = self.parts.next_field().await.map_err(bad_form)? {
            let (name, file_name, kind) = names(&field);
            let mut content = Sha256::new();
            while let Some(bytes) = field.chunk().await.map_err(bad_form)? {
                content.update(&bytes);
            }
            self.digest.part(&name, &known_as(&file_name, &kind), content);
        }
        self.digest.end();
        Ok(())
    }

    /// Hands the file on as it arrives. The last message says that it was whole.
    async fn feed(mut self, program_id: String, to: Messages) -> Result<(), Cut> {
        let mut details = proto::UploadDetails::default();
        let mut has_file = false;
        while let Some(mut field) = self.parts.next_field().await.map_err(bad_form)? {
            let (name, file_name, kind) = names(&field);
            let label = known_as(&file_name, &kind);
            let content = match name.as_str() {
                "file" if has_file => {
                    return Err(
                        ApiError::field("/file", "send one file; another one is another upload").into()
                    );
                }
                "file" => {
                    has_file = true;
                    let proto::UploadDetails { source_id, title, external_id } = details.clone();
                    let (program_id, length) = (program_id.clone(), self.length);
                    let header = proto::UploadHeader {
                        program_id,
                        source_id,
                        file_name,
                        media_type: kind,
                        title,
                        external_id,
                        length,
                    };
                    send(&to, Part::Header(header)).await?;
                    pass_on(&mut field, &to).await?
                }
                "title" => value(field, &mut details.title).await?,
                "external_id" => value(field, &mut details.external_id).await?,
                "source_id" => value(field, &mut details.source_id).await?,
                other => {
                    let detail = "is not a part of an upload; use file, title, external_id, source_id";
                    return Err(ApiError::field(format!("/{other}"), detail).into());
                }
            };
            self.digest.part(&name, &label, content);
        }
        if !has_file {
            return Err(ApiError::field("/file", "send the file as the part named `file`").into());
        }
        self.digest.end();
        send(&to, Part::Details(details)).await
    }
}

/// The names of a part and of its file, and the media type of a file whose name has no ending: otherwise the name says what
/// the file is, for clients guess the type from it.
fn names(field: &Field<'_>) -> (String, String, String) {
    let file_name = field.file_name().unwrap_or_default();
    let kind = field.content_type().filter(|_| !file_name.contains('.')).unwrap_or_default();
    (field.name().unwrap_or_default().to_owned(), file_name.to_owned(), kind.to_owned())
}

/// What a file is known as when two forms are compared.
fn known_as(file_name: &str, kind: &str) -> String {
    if kind.is_empty() { file_name.to_owned() } else { format!("{file_name};{kind}") }
}

/// Passes the bytes of a file on, in pieces that fit a message.
async fn pass_on(field: &mut Field<'_>, to: &Messages) -> Result<Sha256, Cut> {
    let mut content = Sha256::new();
    while let Some(mut bytes) = field.chunk().await.map_err(bad_form)? {
        content.update(&bytes);
        while bytes.len() > CHUNK {
            send(to, Part::Chunk(bytes.split_to(CHUNK).to_vec())).await?;
        }
        send(to, Part::Chunk(bytes.to_vec())).await?;
    }
    Ok(content)
}

/// Reads a value, which stands once.
async fn value(mut field: Field<'_>, into: &mut String) -> Result<Sha256, ApiError> {
    let pointer = format!("/{}", field.name().unwrap_or_default());
    if !into.is_empty() {
        return Err(ApiError::field(pointer, "stands twice"));
    }
    let too_long = format!("must have at most {LONGEST_FORM_VALUE} characters");
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(bad_form)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MOST_VALUE_BYTES {
            return Err(ApiError::field(pointer, too_long));
        }
    }
    let content = Sha256::new_with_prefix(&bytes);
    let text = String::from_utf8(bytes).map_err(|_| ApiError::field(pointer.clone(), "is not UTF-8"))?;
    if text.chars().count() > LONGEST_FORM_VALUE {
        return Err(ApiError::field(pointer, too_long));
    }
    *into = text;
    Ok(content)
}

fn bad_form(error: MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return file_too_large();
    }
    ApiError::new(
        Kind::InvalidInput,
        "FORM_INVALID",
        "the form is incomplete, or its parts cannot be separated",
    )
}

/// A file beyond the bound of uploads.
pub(crate) fn file_too_large() -> ApiError {
    let detail = "the file is larger than this deployment takes; split it, or ask the operator to raise gateway.largest_upload_mib";
    ApiError::new(Kind::InvalidInput, "FILE_TOO_LARGE", detail).with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

impl Edge {
    /// Takes a file from a form to ingestion. When either of them ends early, so does the other.
    pub(crate) async fn upload(
        &self,
        identity: &Identity,
        program: String,
        form: UploadForm,
    ) -> Result<proto::Source, ApiError> {
        let (to, messages) = mpsc::channel(AHEAD);
        let request = identity.call(UPLOAD_TIMEOUT).request(ReceiverStream::new(messages))?;
        let mut ingestion = self.ingestion.clone();
        let mut call = std::pin::pin!(ingestion.upload_source(request));
        let fed = tokio::select! {
            biased;
            fed = form.feed(program, to) => fed,
            answer = call.as_mut() => return Ok(answer?.into_inner()),
        };
        match fed {
            // The call is dropped and with it what came in so far.
            Err(Cut::Refused(error)) => Err(*error),
            Ok(()) | Err(Cut::NotTaken) => Ok(call.await?.into_inner()),
        }
    }
}
