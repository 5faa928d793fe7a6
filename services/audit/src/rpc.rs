//! `preceptor.audit.v1.Audit`: decode, call, encode.

use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_core::id::OrgId;
use preceptor_keys::{KeyError, KeyName, Keys, Purpose};
use preceptor_proto::audit::v1 as proto;
use preceptor_proto::audit::v1::audit_server::{Audit, AuditServer};
use preceptor_rpc::Call;
use preceptor_store::{Handle, TenantTx};
use preceptor_tlog::{LogKey, Proof};
use tlog_tiles::tlog::Hash;
use tonic::{Request, Response, Status};

use crate::store::{self, leaf, proofs};
use crate::{Config, Deps, Error};

/// Leaves per page.
const MOST_LEAVES: u64 = 1000;
/// Objects per question.
const MOST_OBJECTS: usize = 500;

#[derive(Debug)]
pub(crate) struct Server {
    store: Handle,
    keys: Arc<dyn Keys>,
    config: Config,
}

impl Server {
    pub(crate) fn new(deps: Deps, config: Config) -> Self {
        Self { store: deps.store, keys: deps.keys, config }
    }

    /// The org's log under its name, with the key that signs its checkpoints.
    async fn log_key(&self, org: OrgId) -> Result<LogKey, Error> {
        let keys = self.keys.public_keys(KeyName::of_org(Purpose::AuditLog, org)).await?;
        let raw = keys.into_iter().next().and_then(|key| key.bytes.try_into().ok());
        let raw = raw.ok_or_else(|| KeyError::Unavailable("the log has no key".into()))?;
        Ok(LogKey::new(self.origin(org), raw))
    }

    fn origin(&self, org: OrgId) -> String {
        format!("{}/{org}", self.config.deployment)
    }

    async fn prove(&self, scope: &Arc<Scope>, event: &str) -> Result<proto::InclusionProof, Error> {
        let tx = self.store.read(scope).await?;
        let leaf = proofs::leaf_of(&tx, event).await?.ok_or(Error::NotInLog)?;
        self.proofs(&tx, vec![leaf]).await?.pop().ok_or(Error::NotInLog)
    }

    async fn prove_objects(&self, scope: &Arc<Scope>, objects: &[String]) -> Result<Vec<proto::InclusionProof>, Error> {
        let tx = self.store.read(scope).await?;
        let leaves = proofs::leaves_about(&tx, objects, MOST_LEAVES as usize).await?;
        self.proofs(&tx, leaves).await
    }

    /// The proofs of leaves that are in the tree, under one checkpoint.
    async fn proofs(&self, tx: &TenantTx, mut leaves: Vec<leaf::Model>) -> Result<Vec<proto::InclusionProof>, Error> {
        let org = tx.scope().org();
        let (frontier, _) = store::read_head(tx).await?;
        let size = i64::try_from(frontier.size()).map_err(|_| Error::DamagedHead)?;
        leaves.retain(|leaf| leaf.idx < size);
        if leaves.is_empty() {
            return Ok(Vec::new());
        }
        let indexes: Vec<u64> = leaves.iter().map(|leaf| leaf.idx as u64).collect();
        let paths = proofs::prove(tx, frontier.size(), &indexes).await?;
        let key = self.log_key(org).await?;
        let text = key.checkpoint_text(frontier.size(), &frontier.root().0);
        let signature = self.keys.sign(KeyName::of_org(Purpose::AuditLog, org), text.as_bytes()).await?;
        let checkpoint = key.checkpoint(&text, &signature.bytes);
        let proof = |(leaf, hashes): (leaf::Model, Vec<Hash>)| {
            let proof = Proof { index: leaf.idx as u64, hashes, checkpoint: checkpoint.clone() };
            // Nothing leaves this room that a verifier would refuse.
            proof.verify(&leaf.record, &key).map_err(|_| Error::DamagedHead)?;
            Ok(proto::InclusionProof { index: leaf.idx, size, proof: proof.to_string(), record: leaf.record, log_key: key.to_string() })
        };
        leaves.into_iter().zip(paths).map(proof).collect()
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
            origin: self.origin(scope.org()),
            size: i64::try_from(frontier.size()).map_err(|_| Error::DamagedHead)?,
            root: frontier.root().0.to_vec(),
            updated_at,
        }))
    }

    async fn prove(&self, request: Request<proto::ProveRequest>) -> Result<Response<proto::InclusionProof>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        Ok(Response::new(self.prove(&scope, &request.into_inner().event_id).await?))
    }

    async fn prove_objects(&self, request: Request<proto::ProveObjectsRequest>) -> Result<Response<proto::ProveObjectsResponse>, Status> {
        let scope = Call::of(&request)?.shared_scope();
        let objects = request.into_inner().objects;
        if objects.len() > MOST_OBJECTS {
            return Err(Error::TooManyObjects(MOST_OBJECTS).into());
        }
        Ok(Response::new(proto::ProveObjectsResponse { proofs: self.prove_objects(&scope, &objects).await? }))
    }

    async fn get_log_key(&self, request: Request<proto::GetLogKeyRequest>) -> Result<Response<proto::LogKey>, Status> {
        let org = Call::of(&request)?.scope().org();
        Ok(Response::new(proto::LogKey { log_key: self.log_key(org).await?.to_string() }))
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
