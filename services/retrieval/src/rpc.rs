//! `preceptor.retrieval.v1.Retrieval`: decode, call, encode.

use std::sync::Arc;

use preceptor_proto::retrieval::v1 as proto;
use preceptor_proto::retrieval::v1::retrieval_server::{Retrieval, RetrievalServer};
use preceptor_rpc::Call;
use tonic::{Request, Response, Status};

use crate::Error;
use crate::domain::{EVIDENCE, Found, Search};

/// Hits per search.
const MOST_HITS: i32 = 50;
const LONGEST_QUESTION: usize = 8_000;

#[derive(Debug)]
pub(crate) struct Server {
    search: Arc<Search>,
}

impl Server {
    pub(crate) fn new(search: Arc<Search>) -> Self {
        Self { search }
    }

    pub(crate) fn into_service(self) -> RetrievalServer<Self> {
        RetrievalServer::new(self)
    }
}

#[tonic::async_trait]
impl Retrieval for Server {
    async fn search(
        &self,
        request: Request<proto::SearchRequest>,
    ) -> Result<Response<proto::SearchResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let program = request
            .program_id
            .parse()
            .map_err(|_| Error::InvalidField { field: "program_id", what: "is not an id" })?;
        if request.question.trim().is_empty() || request.question.len() > LONGEST_QUESTION {
            return Err(Error::InvalidField { field: "question", what: "must have 1 to 8000 bytes" }.into());
        }
        let limit = request.limit.clamp(1, MOST_HITS) as usize;
        Ok(Response::new(encode(self.search.find(&call, program, &request.question, limit).await?)))
    }

    async fn known_terms(
        &self,
        request: Request<proto::KnownTermsRequest>,
    ) -> Result<Response<proto::KnownTermsResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let program = request
            .program_id
            .parse()
            .map_err(|_| Error::InvalidField { field: "program_id", what: "is not an id" })?;
        let known = self.search.known_terms(&call, program, &request.terms).await?;
        Ok(Response::new(proto::KnownTermsResponse { known }))
    }
}

fn encode(found: Found) -> proto::SearchResponse {
    let evidence = found.evidence.map(|values| proto::Evidence {
        values: values.into_iter().map(|value| value as f32).collect(),
        names: EVIDENCE.map(str::to_owned).into(),
    });
    proto::SearchResponse {
        program_version_id: found.version,
        version_number: found.version_number,
        program_title: found.program_title,
        hits: found
            .passages
            .into_iter()
            .map(|found| proto::Hit {
                passage: Some(found.passage),
                score: found.score as f32,
                sentence_scores: found.sentence_scores,
            })
            .collect(),
        evidence,
        corrections: found
            .corrections
            .into_iter()
            .map(|correction| proto::Correction { from: correction.from, to: correction.to })
            .collect(),
        lexical_only: found.lexical_only,
    }
}
