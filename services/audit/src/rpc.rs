//! `preceptor.audit.v1.Audit`: decode, call, encode.

use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_proto::audit::v1 as proto;
use preceptor_proto::audit::v1::audit_server::{Audit, AuditServer};
use preceptor_rpc::Call;
use preceptor_store::Handle;
use preceptor_tlog::{Hash, Proof};
use tonic::{Request, Response, Status};

use crate::Error;
use crate::domain::{About, Index, Signed, Signer};
use crate::store::{self, about, leaf, proofs};

/// Leaves per page.
const MOST_LEAVES: u64 = 1000;
/// Objects per question.
const MOST_OBJECTS: usize = 500;

#[derive(Debug)]
pub(crate) struct Server {
    store: Handle,
    signer: Arc<Signer>,
    index: Index,
}

impl Server {
    pub(crate) fn new(store: Handle, signer: Arc<Signer>, index: Index) -> Self {
        Self { store, signer, index }
    }

    async fn prove(&self, scope: &Arc<Scope>, event: &str) -> Result<proto::InclusionProof, Error> {
        let tx = self.store.read(scope).await?;
        let leaf = proofs::leaf_of(&tx, event).await?.ok_or(Error::NotInLog)?;
        drop(tx);
        self.proofs(scope, vec![leaf]).await?.pop().ok_or(Error::NotInLog)
    }

    async fn prove_objects(
        &self,
        scope: &Arc<Scope>,
        objects: &[String],
    ) -> Result<proto::ProveObjectsResponse, Error> {
        let head = self.signer.present(scope.org()).await?.head;
        let about = self.index.about(scope, &head, objects).await;
        if let Err(error @ Error::Inconsistent(_)) = &about {
            self.signer.tell(scope.org(), Some(error));
        }
        let About { mut leaves, unindexed } = about?;
        leaves.truncate(MOST_LEAVES as usize);
        Ok(proto::ProveObjectsResponse { proofs: self.proofs(scope, leaves).await?, unindexed })
    }

    async fn counters(&self, scope: &Arc<Scope>) -> Result<Vec<proto::Counter>, Error> {
        let tx = self.store.read(scope).await?;
        let counters = store::counters(&tx).await?.into_iter();
        Ok(counters.map(|(producer, records)| proto::Counter { producer, records }).collect())
    }

    /// The proofs of leaves, under one checkpoint that covers them.
    async fn proofs(
        &self,
        scope: &Arc<Scope>,
        mut leaves: Vec<leaf::Model>,
    ) -> Result<Vec<proto::InclusionProof>, Error> {
        let Some(newest) = leaves.iter().map(|leaf| leaf.idx as u64).max() else { return Ok(Vec::new()) };
        let Signed { head, note, key, .. } = self.signer.covering(scope.org(), newest).await?;
        let size = i64::try_from(head.size).map_err(|_| Error::DamagedHead)?;
        leaves.retain(|leaf| leaf.idx < size);
        let indexes: Vec<u64> = leaves.iter().map(|leaf| leaf.idx as u64).collect();
        let tx = self.store.read(scope).await?;
        let paths = proofs::prove(&tx, head.size, &indexes).await?;
        let proof = |(leaf, hashes): (leaf::Model, Vec<Hash>)| {
            let proof = Proof { index: leaf.idx as u64, hashes, checkpoint: note.clone() };
            // Nothing leaves this service that a verifier would refuse.
            let holds = proof.verify(&leaf.record, &key);
            holds.map_err(|refusal| Error::Inconsistent(format!("record {}: {refusal}", leaf.idx)))?;
            Ok(proto::InclusionProof {
                index: leaf.idx,
                size,
                proof: proof.to_string(),
                record: leaf.record,
                log_key: key.to_string(),
            })
        };
        let proved: Result<Vec<_>, Error> = leaves.into_iter().zip(paths).map(proof).collect();
        self.signer.tell(scope.org(), proved.as_ref().err());
        proved
    }

    pub(crate) fn into_service(self) -> AuditServer<Self> {
        AuditServer::new(self)
    }
}

#[tonic::async_trait]
impl Audit for Server {
    async fn get_head(
        &self,
        request: Request<proto::GetHeadRequest>,
    ) -> Result<Response<proto::Head>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        // In this order: whatever is counted now is under the head that comes next.
        let counters = self.counters(&scope).await?;
        let Signed { head, note, key, updated_at } = self.signer.present(scope.org()).await?;
        Ok(Response::new(proto::Head {
            counters,
            size: i64::try_from(head.size).map_err(|_| Error::DamagedHead)?,
            root: head.root.to_vec(),
            origin: head.origin,
            updated_at,
            checkpoint: note,
            log_key: key.to_string(),
        }))
    }

    async fn prove(
        &self,
        request: Request<proto::ProveRequest>,
    ) -> Result<Response<proto::InclusionProof>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(self.prove(&scope, &request.into_inner().event_id).await?))
    }

    async fn prove_objects(
        &self,
        request: Request<proto::ProveObjectsRequest>,
    ) -> Result<Response<proto::ProveObjectsResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let objects = request.into_inner().objects;
        if objects.len() > MOST_OBJECTS {
            return Err(Error::TooManyObjects(MOST_OBJECTS).into());
        }
        Ok(Response::new(self.prove_objects(&scope, &objects).await?))
    }

    async fn get_log_key(
        &self,
        request: Request<proto::GetLogKeyRequest>,
    ) -> Result<Response<proto::LogKey>, Status> {
        let org = Call::of(&request)?.scope().org();
        Ok(Response::new(proto::LogKey { log_key: self.signer.log_key(org).await?.to_string() }))
    }

    async fn confirm_checkpoint(
        &self,
        request: Request<proto::ConfirmCheckpointRequest>,
    ) -> Result<Response<proto::ConfirmCheckpointResponse>, Status> {
        let org = Call::of(&request)?.scope().org();
        let present = self.signer.confirm(org, &request.into_inner().note).await?;
        Ok(Response::new(proto::ConfirmCheckpointResponse {
            size: i64::try_from(present.head.size).map_err(|_| Error::DamagedHead)?,
        }))
    }

    async fn list_leaves(
        &self,
        request: Request<proto::ListLeavesRequest>,
    ) -> Result<Response<proto::ListLeavesResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let request = request.into_inner();
        let tx = self.store.read(&scope).await.map_err(Error::from)?;
        let (frontier, _) = store::read_head(&tx).await?;
        let limit = u64::try_from(request.limit).unwrap_or(0).clamp(1, MOST_LEAVES);
        let leaves = store::leaves(&tx, request.from.max(0), limit).await?;
        let unindexed = about::unindexed(&tx, &leaves).await?;
        let leaf = |row: leaf::Model| proto::Leaf {
            index: row.idx,
            leaf_hash: row.leaf_hash,
            record: row.record,
            unindexed: unindexed.contains(&row.idx),
        };
        let leaves = leaves.into_iter().map(leaf).collect();
        Ok(Response::new(proto::ListLeavesResponse {
            leaves,
            size: i64::try_from(frontier.size()).map_err(|_| Error::DamagedHead)?,
        }))
    }
}
