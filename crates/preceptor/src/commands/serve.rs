//! `preceptor serve`.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use preceptor_rpc::ServiceName;

use super::Common;
use super::up::{run_until_stopped, show_first_start};
use crate::engines::Sharing;
use crate::mesh::{Mesh, Plan};
use crate::model;

/// Run some rooms in this process.
#[derive(Debug, Args)]
#[command(
    after_help = "Rooms find each other at [mesh.addresses] and prove themselves with [mesh] secret. All processes of one deployment share a\n\
    data folder on one machine: the embedded engines serve no network, so this is for development."
)]
pub(super) struct Serve {
    /// The rooms: gateway, auth, ingestion, retrieval, answering, alignment, credentials, credits, analytics, audit.
    #[arg(required = true, value_name = "ROOM")]
    rooms: Vec<ServiceName>,
    /// Confirms that this is a development set-up on one machine.
    #[arg(long)]
    dev: bool,
}

impl Serve {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        if !self.dev {
            bail!(
                "rooms in separate processes share the embedded engines of one machine, which is for development only; confirm with --dev"
            );
        }
        let config = common.load(Vec::new())?;
        if config.mesh.secret.is_none() {
            bail!("set PRECEPTOR__MESH__SECRET to the same secret for every process, so that rooms can prove who they are");
        }
        for room in &self.rooms {
            let address = config.mesh.address(*room);
            if !address.ip().is_loopback() {
                bail!("{room} would listen on {address}; under --dev rooms listen on loopback addresses only");
            }
        }
        let telemetry = preceptor_runtime::telemetry::install(&config.telemetry, "preceptor")?;
        let embedder = match model::find(&config) {
            Some(folder) => Some(model::load(&folder).await?),
            None => None,
        };
        let plan = Plan { rooms: self.rooms.clone(), listens: true, sharing: Sharing::WithOtherRooms };
        let mesh = Mesh::start(config.clone(), plan, embedder).await?;
        show_first_start(&config, &mesh)?;
        let names: Vec<_> = self.rooms.iter().map(|room| room.name()).collect();
        println!("Serving {}.", names.join(", "));
        run_until_stopped(mesh, telemetry).await
    }
}
