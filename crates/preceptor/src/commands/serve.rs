//! `preceptor serve`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use preceptor_models::Embedder;
use preceptor_rpc::ServiceName;

use super::Common;
use super::up::{run_until_stopped, show_first_start};
use crate::config::Config;
use crate::engines::Sharing;
use crate::mesh::{Mesh, NEED_MODEL, Plan};
use crate::model;
use crate::outside::{NPI, Outside, PMID, RETRACTED_PMID};

/// Run some services in this process.
#[derive(Debug, Args)]
#[command(
    after_help = "Services find each other at [mesh.addresses] and prove themselves with [mesh] secret. All processes of one deployment share a\n\
    data folder on one machine: the embedded engines serve no network, so this is for development.\n\n\
    PubMed, Crossref, the NPI registry and the mail server are stand-ins in this process, unless ingestion.pubmed_url,\n\
    ingestion.crossref_url, credentials.npi_registry or credentials.smtp name others."
)]
pub(super) struct Serve {
    /// The services: gateway, auth, ingestion, retrieval, answering, alignment, credentials, credits, analytics, audit.
    #[arg(required = true, value_name = "SERVICE")]
    services: Vec<ServiceName>,
    /// Confirms that this is a development setup on one machine.
    #[arg(long)]
    dev: bool,
    /// Start without the embedding model if it is not on this machine; search then compares words only.
    #[arg(long)]
    no_model: bool,
}

impl Serve {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        if !self.dev {
            bail!(
                "services in separate processes share the embedded engines of one machine, which is for development only; confirm with --dev"
            );
        }
        let outside = Outside::start().await?;
        let config = common.load_over(outside.settings().into(), Vec::new())?;
        if config.mesh.secret.is_none() {
            bail!(
                "set PRECEPTOR__MESH__SECRET to the same secret for every process, so that services can prove who they are"
            );
        }
        for service in &self.services {
            let address = config.mesh.address(*service);
            if !address.ip().is_loopback() {
                bail!(
                    "{service} would listen on {address}; under --dev services listen on loopback addresses only"
                );
            }
        }
        let telemetry = preceptor_runtime::telemetry::install(&config.telemetry, "preceptor")?;
        let embedder = self.embedder(&config, model::find_or_pull).await?;
        let plan =
            Plan { services: self.services.clone(), listens: true, sharing: Sharing::WithOtherProcesses };
        let mesh = Mesh::start(config.clone(), plan, embedder).await?;
        show_first_start(&config, &mesh)?;
        let names: Vec<_> = self.services.iter().map(|service| service.name()).collect();
        println!("Serving {}.", names.join(", "));
        self.show_stand_ins(&config, &outside);
        run_until_stopped(mesh, telemetry).await
    }

    /// The model, where a service of this process works with it. Without it answers would be refused that are in the
    /// sources, so it is pulled, or its absence is asked for.
    async fn embedder(
        &self,
        config: &Config,
        find_or_pull: impl AsyncFnOnce(&Config) -> anyhow::Result<Arc<dyn Embedder>>,
    ) -> anyhow::Result<Option<Arc<dyn Embedder>>> {
        if !self.services.iter().any(|service| NEED_MODEL.contains(service)) {
            return Ok(None);
        }
        if self.no_model && model::find(config).is_none() {
            return Ok(None);
        }
        let found = find_or_pull(config).await;
        found.map(Some).context("the embedding model could not be pulled; put it there with `preceptor models pull`, or say --no-model")
    }

    /// Says which services outside are none.
    fn show_stand_ins(&self, config: &Config, outside: &Outside) {
        if self.services.contains(&ServiceName::Ingestion)
            && config.ingestion.pubmed_url == outside.registries.pubmed_url()
        {
            println!(
                "PubMed and Crossref are stand-ins here; they know PMID {PMID}, and PMID {RETRACTED_PMID} as retracted."
            );
        }
        if self.services.contains(&ServiceName::Credentials) && config.credentials.smtp == outside.mail.url()
        {
            println!(
                "The mail server and the NPI registry are stand-ins here: codes appear below, and NPI {NPI} is known."
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Whether there is a model, or why there is no process, and how often one was to be pulled.
    async fn started(services: &[ServiceName], no_model: bool) -> (Result<bool, String>, usize) {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config { data: folder.path().to_owned(), ..Config::default() };
        let pulls = Cell::new(0);
        let pull = async |_: &Config| -> anyhow::Result<Arc<dyn Embedder>> {
            pulls.set(pulls.get() + 1);
            bail!("there is no network")
        };
        let serve = Serve { services: services.to_vec(), dev: true, no_model };
        let model = serve.embedder(&config, pull).await;
        (model.map(|model| model.is_some()).map_err(|error| error.to_string()), pulls.get())
    }

    #[tokio::test]
    async fn services_that_need_the_model_pull_it_or_do_not_start() {
        assert_eq!(started(&[ServiceName::Auth], false).await, (Ok(false), 0), "it needs none");
        for service in NEED_MODEL {
            assert_eq!(started(&[service], true).await, (Ok(false), 0), "{service} was to do without");
            let (model, pulls) = started(&[ServiceName::Auth, service], false).await;
            assert_eq!(pulls, 1, "{service}");
            assert!(model.is_err_and(|why| why.contains("--no-model")), "{service} started without");
        }
    }
}
