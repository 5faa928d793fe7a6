//! `preceptor.audit.v1.Audit`: decode, call, encode.

use preceptor_proto::audit::v1 as proto;
use preceptor_proto::audit::v1::audit_server::{Audit, AuditServer};
use preceptor_rpc::Call;
use preceptor_store::Handle;
use tonic::{Request, Response, Status};

use crate::{Config, Error, store};

/// Leaves per page.
const MOST_LEAVES: u64 = 1000;

#[derive(Debug)]
pub(crate) struct Server {
    store: Handle,
    config: Config,
}

impl Server {
    pub(crate) fn new(store: Handle, config: Config) -> Self {
        Self { store, config }
    }

    pub(crate) fn into_service(self) -> AuditServer<Self> {
        AuditServer::new(self)
    }
}

#[tonic::async_trait]
impl Audit for Server {
    async fn get_head(&self, request: Request<proto::GetHeadRequest>) -> Result<Response<proto::Head>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let tx = self.store.read(&scope).await.map_err(Error::from)?;
        let (frontier, updated_at) = store::read_head(&tx).await?;
        Ok(Response::new(proto::Head {
            origin: format!("{}/{}", self.config.deployment, scope.org()),
            size: i64::try_from(frontier.size()).map_err(|_| Error::DamagedHead)?,
            root: frontier.root().0.to_vec(),
            updated_at,
        }))
    }

    async fn list_leaves(&self, request: Request<proto::ListLeavesRequest>) -> Result<Response<proto::ListLeavesResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let tx = self.store.read(&scope).await.map_err(Error::from)?;
        let (frontier, _) = store::read_head(&tx).await?;
        let limit = u64::try_from(request.limit).unwrap_or(0).clamp(1, MOST_LEAVES);
        let leaves = store::leaves(&tx, request.from.max(0), limit).await?;
        let leaves = leaves.into_iter().map(|row| proto::Leaf { index: row.idx, leaf_hash: row.leaf_hash, record: row.record }).collect();
        Ok(Response::new(proto::ListLeavesResponse { leaves, size: i64::try_from(frontier.size()).map_err(|_| Error::DamagedHead)? }))
    }
}
