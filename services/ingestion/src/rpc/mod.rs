//! `preceptor.ingestion.v1.Ingestion`: decode, call, encode.

mod encode;

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt as _};
use preceptor_core::Secret;
use preceptor_proto::ingestion::v1 as proto;
use preceptor_proto::ingestion::v1::ingestion_server::{Ingestion, IngestionServer};
use preceptor_rpc::Call;
use tonic::{Request, Response, Status, Streaming};

use crate::Error;
use crate::domain::{Content, Upload, Way};

/// Bytes of a file per message: well below the transport's limit.
const CHUNK: usize = 1 << 20;
/// Documents carry their whole text and layout.
const LARGEST_MESSAGE: usize = 256 << 20;
const MOST_PER_PAGE: u64 = 100;

#[derive(Debug)]
pub(crate) struct Server {
    content: Arc<Content>,
}

impl Server {
    pub(crate) fn new(content: Arc<Content>) -> Self {
        Self { content }
    }

    pub(crate) fn into_service(self) -> IngestionServer<Self> {
        IngestionServer::new(self).max_encoding_message_size(LARGEST_MESSAGE)
    }
}

type Answer<T> = Result<Response<T>, Status>;

fn limit(asked: i32) -> u64 {
    u64::try_from(asked).ok().filter(|&limit| limit > 0).unwrap_or(MOST_PER_PAGE).min(MOST_PER_PAGE)
}

fn revision(asked: i64) -> Option<i64> {
    (asked > 0).then_some(asked)
}

#[tonic::async_trait]
impl Ingestion for Server {
    async fn create_program(&self, request: Request<proto::CreateProgramRequest>) -> Answer<proto::Program> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let view = self
            .content
            .create_program(&scope, &request.title, &request.summary, &request.objectives)
            .await?;
        Ok(Response::new(encode::program(view)))
    }

    async fn get_program(&self, request: Request<proto::GetProgramRequest>) -> Answer<proto::Program> {
        let scope = Call::of(&request)?.shared_scope();
        let view = self.content.program(&scope, &request.into_inner().program_id).await?;
        Ok(Response::new(encode::program(view)))
    }

    async fn list_programs(
        &self,
        request: Request<proto::ListProgramsRequest>,
    ) -> Answer<proto::ListProgramsResponse> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let limit = limit(request.limit);
        let views = self.content.list_programs(&scope, &request.after, limit).await?;
        let programs: Vec<_> = views.into_iter().map(encode::program).collect();
        let next = encode::next(&programs, limit, |program| &program.id);
        Ok(Response::new(proto::ListProgramsResponse { programs, next }))
    }

    async fn update_program(&self, request: Request<proto::UpdateProgramRequest>) -> Answer<proto::Program> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let (title, summary) = (&request.title, &request.summary);
        let view = self
            .content
            .update_program(&scope, &request.program_id, title, summary, revision(request.revision))
            .await?;
        Ok(Response::new(encode::program(view)))
    }

    async fn set_objectives(&self, request: Request<proto::SetObjectivesRequest>) -> Answer<proto::Program> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let objectives: Vec<_> =
            request.objectives.into_iter().map(|objective| (objective.id, objective.text)).collect();
        let view = self
            .content
            .set_objectives(&scope, &request.program_id, &objectives, revision(request.revision))
            .await?;
        Ok(Response::new(encode::program(view)))
    }

    async fn upload_source(
        &self,
        request: Request<Streaming<proto::UploadSourceRequest>>,
    ) -> Answer<proto::Source> {
        use proto::upload_source_request::Part;
        let scope = Call::of(&request)?.shared_scope();
        let mut parts = request.into_inner();
        let Some(Part::Header(header)) = parts.message().await?.and_then(|first| first.part) else {
            return Err(Error::InvalidField { field: "header", what: "must come first" }.into());
        };
        let upload = Upload {
            program_id: header.program_id,
            source_id: header.source_id,
            file_name: header.file_name,
            media_type: header.media_type,
            title: header.title,
            external_id: header.external_id,
            length: header.length,
        };
        let mut intake = self.content.begin_intake(&scope, upload).await?;
        let object = intake.object();
        let taken = async {
            loop {
                match parts.message().await?.and_then(|message| message.part) {
                    Some(Part::Chunk(chunk)) => intake.take(chunk).await?,
                    Some(Part::Details(last)) => {
                        intake.learn(last.source_id, last.title, last.external_id);
                        return Ok::<_, Status>(self.content.finish_intake(&scope, intake).await?);
                    }
                    Some(Part::Header(_)) => {
                        return Err(
                            Error::InvalidField { field: "header", what: "comes once, and first" }.into()
                        );
                    }
                    None => {
                        return Err(Error::InvalidField {
                            field: "details",
                            what: "end the stream; without them it was broken off",
                        }
                        .into());
                    }
                }
            }
        };
        match taken.await {
            Ok(view) => Ok(Response::new(encode::source(view))),
            Err(status) => {
                self.content.abandon_intake(&scope, object).await;
                Err(status)
            }
        }
    }

    async fn verify_source(&self, request: Request<proto::VerifySourceRequest>) -> Answer<proto::Source> {
        use proto::verify_source_request::By;
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let way = match request.by {
            Some(By::Pmid(pmid)) => Way::Pmid(pmid),
            Some(By::Doi(doi)) => Way::Doi(doi),
            Some(By::Attestation(attestation)) => {
                let class = match attestation.class() {
                    proto::SourceClass::Guideline => "guideline",
                    proto::SourceClass::ProviderAttested => "provider_attested",
                    _ => {
                        return Err(Error::InvalidField {
                            field: "class",
                            what: "must be guideline or provider_attested",
                        }
                        .into());
                    }
                };
                Way::Attestation(class, attestation.statement)
            }
            None => {
                return Err(Error::InvalidField {
                    field: "by",
                    what: "give a pmid, a doi, or an attestation",
                }
                .into());
            }
        };
        Ok(Response::new(encode::source(self.content.verify(&scope, &request.source_id, way).await?)))
    }

    async fn list_verifications(
        &self,
        request: Request<proto::ListVerificationsRequest>,
    ) -> Answer<proto::ListVerificationsResponse> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let views =
            self.content.verifications(&scope, &request.source_id, request.source_version_ids).await?;
        Ok(Response::new(proto::ListVerificationsResponse {
            verifications: views.into_iter().map(encode::verification).collect(),
        }))
    }

    async fn get_registry_key(
        &self,
        request: Request<proto::GetRegistryKeyRequest>,
    ) -> Answer<proto::RegistryKey> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(
            self.content.registry_key(&scope).await?.map(encode::registry_key).unwrap_or_default(),
        ))
    }

    async fn set_registry_key(
        &self,
        request: Request<proto::SetRegistryKeyRequest>,
    ) -> Answer<proto::RegistryKey> {
        let scope = Call::of(&request)?.shared_scope();
        let key = Secret::new(request.into_inner().api_key);
        Ok(Response::new(encode::registry_key(self.content.set_registry_key(&scope, &key).await?)))
    }

    async fn remove_registry_key(
        &self,
        request: Request<proto::RemoveRegistryKeyRequest>,
    ) -> Answer<proto::RemoveRegistryKeyResponse> {
        self.content.remove_registry_key(&Call::of(&request)?.shared_scope()).await?;
        Ok(Response::new(proto::RemoveRegistryKeyResponse {}))
    }

    async fn list_registry_calls(
        &self,
        request: Request<proto::ListRegistryCallsRequest>,
    ) -> Answer<proto::ListRegistryCallsResponse> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let limit = request.limit.clamp(1, 100) as usize;
        let mut calls = self
            .content
            .registry_calls(&scope, &request.source_id, &request.before, limit as u64 + 1)
            .await?;
        let more = calls.len() > limit;
        calls.truncate(limit);
        let next = calls.last().filter(|_| more).map(|call| call.id.clone()).unwrap_or_default();
        Ok(Response::new(proto::ListRegistryCallsResponse {
            calls: calls.into_iter().map(encode::registry_call).collect(),
            next,
        }))
    }

    type GetRegistryAnswerStream = BoxStream<'static, Result<proto::GetRegistryAnswerResponse, Status>>;

    async fn get_registry_answer(
        &self,
        request: Request<proto::GetRegistryAnswerRequest>,
    ) -> Answer<Self::GetRegistryAnswerStream> {
        let scope = Call::of(&request)?.shared_scope();
        let mut call = self.content.registry_call(&scope, &request.into_inner().call_id).await?;
        let body = std::mem::take(&mut call.body);
        let head =
            proto::GetRegistryAnswerResponse { call: Some(encode::registry_call(call)), chunk: Vec::new() };
        let chunks: Vec<_> = body
            .chunks(CHUNK)
            .map(|chunk| proto::GetRegistryAnswerResponse { call: None, chunk: chunk.to_vec() })
            .collect();
        Ok(Response::new(stream::iter(std::iter::once(head).chain(chunks)).map(Ok).boxed()))
    }

    async fn list_tasks(
        &self,
        request: Request<proto::ListTasksRequest>,
    ) -> Answer<proto::ListTasksResponse> {
        let scope = Call::of(&request)?.shared_scope();
        let tasks = self.content.tasks(&scope, &request.into_inner().program_id).await?;
        Ok(Response::new(proto::ListTasksResponse { tasks: tasks.into_iter().map(encode::task).collect() }))
    }

    async fn close_task(&self, request: Request<proto::CloseTaskRequest>) -> Answer<proto::Task> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        Ok(Response::new(encode::task(
            self.content.close_task(&scope, &request.task_id, &request.outcome).await?,
        )))
    }

    type ReadContentStream = BoxStream<'static, Result<proto::ReadContentResponse, Status>>;

    async fn read_content(
        &self,
        request: Request<proto::ReadContentRequest>,
    ) -> Answer<Self::ReadContentStream> {
        let scope = Call::of(&request)?.shared_scope();
        let content = self.content.content(&scope, &request.into_inner().program_id).await?;
        Ok(Response::new(stream::iter(content.into_iter().map(|source| Ok(encode::content(source)))).boxed()))
    }

    async fn get_source(&self, request: Request<proto::GetSourceRequest>) -> Answer<proto::Source> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(encode::source(self.content.source(&scope, &request.into_inner().source_id).await?)))
    }

    async fn list_sources(
        &self,
        request: Request<proto::ListSourcesRequest>,
    ) -> Answer<proto::ListSourcesResponse> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let limit = limit(request.limit);
        let views = self.content.list_sources(&scope, &request.program_id, &request.after, limit).await?;
        let sources: Vec<_> = views.into_iter().map(encode::source).collect();
        let next = encode::next(&sources, limit, |source| &source.id);
        Ok(Response::new(proto::ListSourcesResponse { sources, next }))
    }

    async fn cancel_reading(&self, request: Request<proto::CancelReadingRequest>) -> Answer<proto::Source> {
        let scope = Call::of(&request)?.shared_scope();
        let view = self.content.cancel_reading(&scope, &request.into_inner().source_id).await?;
        Ok(Response::new(encode::source(view)))
    }

    async fn submit_source(&self, request: Request<proto::SubmitSourceRequest>) -> Answer<proto::Source> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(encode::source(self.content.submit(&scope, &request.into_inner().source_id).await?)))
    }

    async fn decide_source(&self, request: Request<proto::DecideSourceRequest>) -> Answer<proto::Source> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let view = self.content.decide(&scope, &request.source_id, request.approve, &request.reason).await?;
        Ok(Response::new(encode::source(view)))
    }

    async fn publish_program(
        &self,
        request: Request<proto::PublishProgramRequest>,
    ) -> Answer<proto::Program> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        Ok(Response::new(encode::program(
            self.content.publish(&scope, &request.program_id, &request.reason).await?,
        )))
    }

    async fn withdraw_program(
        &self,
        request: Request<proto::WithdrawProgramRequest>,
    ) -> Answer<proto::Program> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        Ok(Response::new(encode::program(
            self.content.withdraw(&scope, &request.program_id, &request.reason).await?,
        )))
    }

    async fn get_document(&self, request: Request<proto::GetDocumentRequest>) -> Answer<proto::Document> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let document = self.content.document(&scope, &request.source_id, &request.source_version_id).await?;
        Ok(Response::new(encode::document(document)))
    }

    async fn get_page_picture(
        &self,
        request: Request<proto::GetPagePictureRequest>,
    ) -> Answer<proto::GetPagePictureResponse> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let page = u32::try_from(request.page).map_err(|_| Error::PageNotFound)?;
        let picture =
            self.content.picture(&scope, &request.source_id, &request.source_version_id, page).await?;
        let media_type = picture.media_type.to_owned();
        Ok(Response::new(proto::GetPagePictureResponse { media_type, picture: picture.bytes }))
    }

    type GetOriginalStream = BoxStream<'static, Result<proto::GetOriginalResponse, Status>>;

    async fn get_original(
        &self,
        request: Request<proto::GetOriginalRequest>,
    ) -> Answer<Self::GetOriginalStream> {
        let scope = Call::of(&request)?.shared_scope();
        let (version, content) = self.content.original(&scope, &request.into_inner().source_id).await?;
        let stream = stream::try_unfold((version, content), |(version, mut content)| async move {
            let Some(chunk) = content.next().await.map_err(Error::from)? else { return Ok(None) };
            let response = proto::GetOriginalResponse {
                media_type: version.media_type.clone(),
                file_name: version.file_name.clone(),
                chunk: chunk.into(),
            };
            Ok(Some((response, (version, content))))
        });
        Ok(Response::new(stream.boxed()))
    }

    async fn resolve_published(
        &self,
        request: Request<proto::ResolvePublishedRequest>,
    ) -> Answer<proto::ResolvePublishedResponse> {
        let scope = Call::of(&request)?.shared_scope();
        let version = self.content.resolve(&scope, &request.into_inner().program_id).await?;
        Ok(Response::new(proto::ResolvePublishedResponse {
            program_version_id: version.id.clone(),
            number: version.number,
            program_title: version.title.clone(),
        }))
    }

    async fn read_passages(
        &self,
        request: Request<proto::ReadPassagesRequest>,
    ) -> Answer<proto::ReadPassagesResponse> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let (views, version) = self
            .content
            .passages(&scope, &request.program_id, &request.program_version_id, request.passage_ids)
            .await?;
        Ok(Response::new(proto::ReadPassagesResponse {
            passages: views.into_iter().map(encode::passage).collect(),
            program_title: version.title.clone(),
            version_number: version.number,
        }))
    }

    type StreamVersionStream = BoxStream<'static, Result<proto::StreamVersionResponse, Status>>;

    async fn stream_version(
        &self,
        request: Request<proto::StreamVersionRequest>,
    ) -> Answer<Self::StreamVersionStream> {
        let scope = Call::of(&request)?.shared_scope();
        let version = request.into_inner().program_version_id;
        let content = Arc::clone(&self.content);
        let pages = stream::try_unfold((0, 0), move |mut place| {
            let (content, scope, version) = (Arc::clone(&content), Arc::clone(&scope), version.clone());
            async move {
                let page = content.version_page(&scope, &version, &mut place).await?;
                Ok::<_, Status>(page.map(|page| (encode::version_page(page), place)))
            }
        });
        Ok(Response::new(pages.boxed()))
    }

    type StreamSourceStream = BoxStream<'static, Result<proto::StreamVersionResponse, Status>>;

    async fn stream_source(
        &self,
        request: Request<proto::StreamSourceRequest>,
    ) -> Answer<Self::StreamSourceStream> {
        let scope = Call::of(&request)?.shared_scope();
        let version = request.into_inner().source_version_id;
        let content = Arc::clone(&self.content);
        let pages = stream::try_unfold(0, move |from| {
            let (content, scope, version) = (Arc::clone(&content), Arc::clone(&scope), version.clone());
            async move {
                let passages = content.source_page(&scope, &version, from).await?;
                let next = from + passages.len() as i64;
                let page = proto::StreamVersionResponse {
                    passages: passages.into_iter().map(encode::passage).collect(),
                    ..proto::StreamVersionResponse::default()
                };
                Ok::<_, Status>((!page.passages.is_empty()).then_some((page, next)))
            }
        });
        Ok(Response::new(pages.boxed()))
    }

    async fn list_indexed_versions(
        &self,
        request: Request<proto::ListIndexedVersionsRequest>,
    ) -> Answer<proto::ListIndexedVersionsResponse> {
        let scope = Call::of(&request)?.shared_scope();
        let versions = self.content.versions_to_index(&scope).await?;
        let versions = versions
            .into_iter()
            .map(|(program_id, program_version_id)| proto::IndexedVersion { program_id, program_version_id })
            .collect();
        Ok(Response::new(proto::ListIndexedVersionsResponse { versions }))
    }
}
