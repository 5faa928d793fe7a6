//! `preceptor.analytics.v1.Analytics`: decode, call, encode.

use preceptor_core::id::ProgramId;
use preceptor_proto::analytics::v1 as proto;
use preceptor_proto::analytics::v1::analytics_server::{Analytics, AnalyticsServer};
use preceptor_rpc::Call;
use preceptor_store::Handle;
use tonic::{Request, Response, Status};

use crate::Error;
use crate::store::{self, Measure, count};

#[derive(Debug)]
pub(crate) struct Server {
    store: Handle,
}

impl Server {
    pub(crate) fn new(store: Handle) -> Self {
        Self { store }
    }

    pub(crate) fn into_service(self) -> AnalyticsServer<Self> {
        AnalyticsServer::new(self)
    }
}

#[tonic::async_trait]
impl Analytics for Server {
    async fn get_program_report(
        &self,
        request: Request<proto::GetProgramReportRequest>,
    ) -> Result<Response<proto::ProgramReport>, Status> {
        let call = Call::of(&request)?;
        let id = request.into_inner().program_id;
        let program: ProgramId =
            id.parse().map_err(|_| Error::InvalidField { field: "program_id", what: "is not an id" })?;
        if !call.scope().reaches(program) {
            return Ok(Response::new(proto::ProgramReport {
                program_id: id,
                ..proto::ProgramReport::default()
            }));
        }
        let tx = self.store.read(&call.shared_scope()).await.map_err(Error::from)?;
        let counts = store::counts(&tx, &id).await?;
        let outcome =
            |key: &str| of(&counts, Measure::Outcome).find(|row| row.key == key).map_or(0, |row| row.count);
        let (answered, closest, refused) = (outcome("answered"), outcome("closest"), outcome("refused"));
        Ok(Response::new(proto::ProgramReport {
            messages: answered + closest + refused,
            answered,
            closest,
            refused,
            learners: store::learners(&tx, &id).await?,
            refusals_by_code: listed(&counts, Measure::Refusal),
            messages_by_objective: listed(&counts, Measure::Objective),
            citations_by_source: listed(&counts, Measure::Citation),
            as_of: tx.now().micros(),
            program_id: id,
        }))
    }
}

fn of(counts: &[count::Model], measure: Measure) -> impl Iterator<Item = &count::Model> {
    counts.iter().filter(move |row| row.measure == measure.name())
}

fn listed(counts: &[count::Model], measure: Measure) -> Vec<proto::Count> {
    of(counts, measure).map(|row| proto::Count { key: row.key.clone(), count: row.count }).collect()
}
