//! `preceptor.audit.v1.PublicLog`: what of a log anyone may see. A leaf's hash gives nothing away: every record holds an id
//! of its own that no one can guess.

use std::sync::Arc;

use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::audit::v1 as proto;
use preceptor_proto::audit::v1::public_log_server::{PublicLog, PublicLogServer};
use preceptor_store::{Handle, TenantTx};
use preceptor_tlog::{Hash, tiles};
use tonic::{Request, Response, Status};

use crate::Error;
use crate::domain::Signer;
use crate::store::{self, proofs};

/// The highest level of any tree.
const TOP: i32 = 63;

#[derive(Debug)]
pub(crate) struct Server {
    store: Handle,
    signer: Arc<Signer>,
}

impl Server {
    pub(crate) fn new(store: Handle, signer: Arc<Signer>) -> Self {
        Self { store, signer }
    }

    pub(crate) fn into_service(self) -> PublicLogServer<Self> {
        PublicLogServer::new(self)
    }

    /// The org of a log. Someone who makes up names finds no log, and makes none.
    async fn known(&self, org: &str) -> Result<OrgId, Error> {
        let org: OrgId = org.parse().map_err(|_| Error::NoSuchPart)?;
        if self.store.known_orgs().await?.contains(&org) { Ok(org) } else { Err(Error::NoSuchPart) }
    }

    /// The tables of a log, with its size.
    async fn read(&self, org: &str) -> Result<(TenantTx, u64), Error> {
        let org = self.known(org).await?;
        let tx = self.store.read(&Arc::new(Scope::of_system(SystemActor::Sequencer, org))).await?;
        let size = store::read_head(&tx).await?.0.size();
        Ok((tx, size))
    }
}

fn number(field: i64) -> Result<u64, Error> {
    u64::try_from(field).map_err(|_| Error::NoSuchPart)
}

fn encode(hashes: Vec<Hash>) -> Response<proto::Hashes> {
    Response::new(proto::Hashes { hashes: hashes.into_iter().map(|hash| hash.0.to_vec()).collect() })
}

#[tonic::async_trait]
impl PublicLog for Server {
    async fn get_checkpoint(
        &self,
        request: Request<proto::GetCheckpointRequest>,
    ) -> Result<Response<proto::Checkpoint>, Status> {
        let org = self.known(&request.into_inner().org_id).await?;
        let signed = self.signer.present(org).await?;
        let size = i64::try_from(signed.head.size).map_err(|_| Error::DamagedHead)?;
        Ok(Response::new(proto::Checkpoint { note: signed.note, log_key: signed.key.to_string(), size }))
    }

    async fn get_hashes(
        &self,
        request: Request<proto::GetHashesRequest>,
    ) -> Result<Response<proto::Hashes>, Status> {
        let request = request.into_inner();
        let level =
            u8::try_from(request.level).ok().filter(|_| request.level <= TOP).ok_or(Error::NoSuchPart)?;
        let count =
            u64::try_from(request.count).ok().filter(|count| (1..=u64::from(tiles::WIDTH)).contains(count));
        let (first, count) = (number(request.first)?, count.ok_or(Error::NoSuchPart)?);
        let (tx, size) = self.read(&request.org_id).await?;
        let is_there = first.checked_add(count).is_some_and(|end| end <= size >> level);
        if !is_there {
            return Err(Error::NoSuchPart.into());
        }
        Ok(encode(proofs::level(&tx, level, first, count).await?))
    }

    async fn prove_inclusion(
        &self,
        request: Request<proto::ProveInclusionRequest>,
    ) -> Result<Response<proto::Hashes>, Status> {
        let request = request.into_inner();
        let (index, asked) = (number(request.index)?, number(request.size)?);
        let (tx, size) = self.read(&request.org_id).await?;
        if asked > size || index >= asked {
            return Err(Error::NoSuchPart.into());
        }
        Ok(encode(proofs::prove(&tx, asked, &[index]).await?.pop().unwrap_or_default()))
    }

    async fn prove_consistency(
        &self,
        request: Request<proto::ProveConsistencyRequest>,
    ) -> Result<Response<proto::Hashes>, Status> {
        let request = request.into_inner();
        let (from, to) = (number(request.from)?, number(request.to)?);
        let (tx, size) = self.read(&request.org_id).await?;
        if to > size || from > to {
            return Err(Error::NoSuchPart.into());
        }
        Ok(encode(proofs::consistency(&tx, from, to).await?))
    }
}
