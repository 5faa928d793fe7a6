//! Files: upload, reading, review, approval.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use preceptor_proto::ingestion::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::upload::UploadForm;
use super::view::{Passage, Source, passage_view, source_view};
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::identity::Identity;
use crate::{Edge, UPLOAD_TIMEOUT};

pub(super) fn router(largest_upload_mib: usize) -> OpenApiRouter<Edge> {
    // Multipart framing comes on top of the file itself.
    let uploads = OpenApiRouter::new()
        .routes(routes!(upload, list))
        .layer(DefaultBodyLimit::max((largest_upload_mib << 20) + (1 << 20)));
    OpenApiRouter::new()
        .merge(uploads)
        .routes(routes!(get))
        .routes(routes!(cancel_reading))
        .routes(routes!(submit))
        .routes(routes!(decide))
        .routes(routes!(document))
        .routes(routes!(picture))
        .routes(routes!(original))
}

/// A page of sources.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourcePage {
    data: Vec<Source>,
    next_cursor: Option<String>,
}

/// A reviewer's decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDecision {
    approve: bool,
    /// Goes to the audit log; a rejection needs one.
    #[schema(example = "Checked against the guideline of 2026", max_length = 2000)]
    #[serde(default)]
    reason: String,
}

/// The extracted text of a source with its passages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Document {
    source: Source,
    text: String,
    passages: Vec<Passage>,
    /// Pages or slides that can be shown as pictures.
    pictures: i32,
}

/// The form of an upload, for the description of the API.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the multipart form; it is read part by part")]
struct UploadFields {
    /// The file. Its type is decided from the ending of its name, or from the media type of its part where the name has no
    /// ending, and its bytes must agree with it: plain text, Markdown, PDF, PPTX, JATS XML, WebVTT or SRT.
    #[schema(format = Binary, content_media_type = "application/octet-stream",
        example = "# Doses\n\nThe usual dose of apixaban is 5 mg twice daily.\n")]
    file: String,
    /// Taken from the document when it is left out.
    #[schema(max_length = 1000, example = "Doses of apixaban")]
    title: Option<String>,
    /// Your own name for the source, unique in the program.
    #[schema(max_length = 1000, example = "lecture-7")]
    external_id: Option<String>,
    /// Adds a new version to this source.
    source_id: Option<String>,
}

/// Lists the sources of a program, newest first.
#[utoipa::path(get, path = "/v1/programs/{id}/sources", operation_id = "listSources", tag = "Sources", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = SourcePage)))]
async fn list(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    page: Page,
) -> Result<Json<SourcePage>, ApiError> {
    let request = proto::ListSourcesRequest { program_id: id, limit: page.limit, after: page.after.clone() };
    let listed = edge.ingestion.clone().list_sources(identity.request(request)?).await?.into_inner();
    let next_cursor = page.next(&edge, &listed.next).await?;
    Ok(Json(SourcePage { next_cursor, data: listed.sources.into_iter().map(source_view).collect() }))
}

/// Uploads a file; poll the source until it is read. Values may come before or after the file.
#[utoipa::path(post, path = "/v1/programs/{id}/sources", operation_id = "uploadSource", tag = "Sources", params(("id" = String, Path)),
    request_body(content = inline(UploadFields), content_type = "multipart/form-data"),
    responses((status = 202, body = Source)))]
async fn upload(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    form: UploadForm,
) -> Result<Response, ApiError> {
    let source = source_view(edge.upload(&identity, id, form).await?);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, format!("/v1/sources/{}", source.id))], Json(source))
        .into_response())
}

/// Reads a source: its state, progress, problem, decision.
#[utoipa::path(get, path = "/v1/sources/{id}", operation_id = "getSource", tag = "Sources", params(("id" = String, Path)),
    responses((status = 200, body = Source)))]
async fn get(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Source>, ApiError> {
    let request = proto::GetSourceRequest { source_id: id };
    Ok(Json(source_view(edge.ingestion.clone().get_source(identity.request(request)?).await?.into_inner())))
}

/// Stops the reading of a source, which has then failed. A source that was read already stays as it is.
#[utoipa::path(post, path = "/v1/sources/{id}/cancel-reading", operation_id = "cancelReading", tag = "Sources", params(("id" = String, Path)),
    responses((status = 200, body = Source)))]
async fn cancel_reading(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Source>, ApiError> {
    let request = proto::CancelReadingRequest { source_id: id };
    Ok(Json(source_view(
        edge.ingestion.clone().cancel_reading(identity.request(request)?).await?.into_inner(),
    )))
}

/// Hands a source to review.
#[utoipa::path(post, path = "/v1/sources/{id}/submit", operation_id = "submitSource", tag = "Sources", params(("id" = String, Path)),
    responses((status = 200, body = Source)))]
async fn submit(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Source>, ApiError> {
    let request = proto::SubmitSourceRequest { source_id: id };
    Ok(Json(source_view(
        edge.ingestion.clone().submit_source(identity.request(request)?).await?.into_inner(),
    )))
}

/// Approves or rejects a submitted source. Its author cannot.
#[utoipa::path(post, path = "/v1/sources/{id}/decision", operation_id = "decideSource", tag = "Sources", params(("id" = String, Path)),
    request_body = NewDecision, responses((status = 200, body = Source)))]
async fn decide(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(decision): Json<NewDecision>,
) -> Result<Json<Source>, ApiError> {
    let request =
        proto::DecideSourceRequest { source_id: id, approve: decision.approve, reason: decision.reason };
    Ok(Json(source_view(
        edge.ingestion.clone().decide_source(identity.request(request)?).await?.into_inner(),
    )))
}

impl Edge {
    /// The text of a source; `version` empty for the one that this subject should see.
    pub(crate) async fn document(
        &self,
        identity: &Identity,
        source: String,
        version: String,
    ) -> Result<proto::Document, ApiError> {
        let request = proto::GetDocumentRequest { source_id: source, source_version_id: version };
        Ok(self.ingestion.clone().get_document(identity.request(request)?).await?.into_inner())
    }
}

/// Which version of a source.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionQuery {
    /// A source version; the newest that you may see when left out.
    #[serde(default)]
    pub(crate) version: String,
}

/// Reads the extracted text of a source with its passages.
#[utoipa::path(get, path = "/v1/sources/{id}/document", operation_id = "getDocument", tag = "Sources", params(("id" = String, Path), VersionQuery),
    responses((status = 200, body = Document), (status = 409)))]
async fn document(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<Document>, ApiError> {
    let document = edge.document(&identity, id, query.version).await?;
    let source = document.source.ok_or_else(|| ApiError::from(preceptor_core::Fault::internal()))?;
    let passages = document.passages.into_iter().map(passage_view).collect();
    Ok(Json(Document {
        source: source_view(source),
        text: document.text,
        passages,
        pictures: document.pictures,
    }))
}

/// Shows a page or slide as a picture.
#[utoipa::path(get, path = "/v1/sources/{id}/pages/{page}", operation_id = "getPagePicture", tag = "Sources",
    params(("id" = String, Path), ("page" = i32, Path, description = "Counted from 1"), VersionQuery),
    responses((status = 200, content_type = "image/png", body = Vec<u8>)))]
async fn picture(
    State(edge): State<Edge>,
    identity: Identity,
    Path((id, page)): Path<(String, i32)>,
    Query(query): Query<VersionQuery>,
) -> Result<Response, ApiError> {
    let request = proto::GetPagePictureRequest { source_id: id, source_version_id: query.version, page };
    let picture = edge.ingestion.clone().get_page_picture(identity.request(request)?).await?.into_inner();
    Ok(([(header::CONTENT_TYPE, picture.media_type)], picture.picture).into_response())
}

/// Downloads the original file.
#[utoipa::path(get, path = "/v1/sources/{id}/original", operation_id = "getOriginal", tag = "Sources", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
async fn original(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let request = identity.call(UPLOAD_TIMEOUT).request(proto::GetOriginalRequest { source_id: id })?;
    let mut chunks = edge.ingestion.clone().get_original(request).await?.into_inner();
    let first = chunks.message().await?.unwrap_or_default();
    let body = stream::iter([Ok(Bytes::from(first.chunk))])
        .chain(chunks.map(|chunk| chunk.map(|chunk| Bytes::from(chunk.chunk))));
    Ok(download(&first.file_name, body))
}

/// A file that the browser keeps and does not open.
pub(super) fn download(
    name: &str,
    body: impl Stream<Item = Result<Bytes, tonic::Status>> + Send + 'static,
) -> Response {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let mut response = Body::from_stream(body).into_response();
    // Never shown in the browser: what a file holds is not ours to run.
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if let Ok(disposition) = format!("attachment; filename=\"{name}\"").parse() {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}
