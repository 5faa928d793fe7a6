//! `preceptor.alignment.v1.Alignment`: decode, call, encode.

use preceptor_core::id::ProgramId;
use preceptor_proto::alignment::v1 as proto;
use preceptor_proto::alignment::v1::alignment_server::{Alignment, AlignmentServer};
use preceptor_rpc::Call;
use preceptor_store::Handle;
use tonic::{Request, Response, Status};

use crate::Error;
use crate::store::{self, classification};

const MOST: i32 = 500;

#[derive(Debug)]
pub(crate) struct Server {
    store: Handle,
}

impl Server {
    pub(crate) fn new(store: Handle) -> Self {
        Self { store }
    }

    pub(crate) fn into_service(self) -> AlignmentServer<Self> {
        AlignmentServer::new(self)
    }
}

#[tonic::async_trait]
impl Alignment for Server {
    async fn list_alignments(
        &self,
        request: Request<proto::ListAlignmentsRequest>,
    ) -> Result<Response<proto::ListAlignmentsResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let program: ProgramId = request
            .program_id
            .parse()
            .map_err(|_| Error::InvalidField { field: "program_id", what: "is not an id" })?;
        if !call.scope().reaches(program) {
            return Ok(Response::new(proto::ListAlignmentsResponse::default()));
        }
        let limit = request.limit.clamp(1, MOST) as usize;
        let tx = self.store.read(&call.shared_scope()).await.map_err(Error::from)?;
        let mut rows = store::list(&tx, &request, limit as u64 + 1).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more {
            rows.last().map(|row| row.message_id.clone()).unwrap_or_default()
        } else {
            String::new()
        };
        Ok(Response::new(proto::ListAlignmentsResponse {
            classifications: rows.into_iter().map(encode).collect(),
            next,
        }))
    }
}

fn encode(row: classification::Model) -> proto::Classification {
    proto::Classification {
        message_id: row.message_id,
        objective_id: row.objective_id,
        objective_text: row.objective_text,
        confidence: row.confidence,
        about_program: row.about_program,
        classifier: row.classifier,
        classified_at: row.classified_at,
    }
}
