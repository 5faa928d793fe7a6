//! `preceptor up`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use preceptor_models::Embedder;
use preceptor_runtime::telemetry::Telemetry;

use super::{ADMIN_TOKEN_FILE, Common};
use crate::config::Config;
use crate::engines::write_private;
use crate::mesh::{Mesh, Plan};
use crate::outside::Outside;
use crate::{demo, model};

/// Start the whole mesh in this process.
#[derive(Debug, Args)]
#[command(
    after_help = "The first start makes an organization and prints the tokens of its admin and of the operator, once.\n\
    Ctrl-C stops everything in order; what was acknowledged is on disk."
)]
pub(super) struct Up {
    /// Seed a demo program with a lecture, a slide deck and an article, and print links that open signed in.
    #[arg(long)]
    demo: bool,
    /// Where the API and the pages listen.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// A folder with the embedding model.
    #[arg(long, value_name = "FOLDER")]
    model_dir: Option<PathBuf>,
    /// Start without the embedding model if it is not on this machine; search then compares words only.
    #[arg(long)]
    no_model: bool,
}

impl Up {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let begun = Instant::now();
        let outside = if self.demo { Some(Outside::start().await?) } else { None };
        let mut values = self.values();
        values.extend(outside.iter().flat_map(Outside::settings));
        let config = common.load_over(self.defaults(), values)?;
        let telemetry = preceptor_runtime::telemetry::install(&config.telemetry, "preceptor")?;
        let embedder = self.embedder(&config).await?;
        let mesh = Mesh::start(config.clone(), Plan::whole(), embedder).await?;
        show_first_start(&config, &mesh)?;
        println!(
            "Preceptor is ready at {} ({:.1} s).",
            config.gateway.public_url,
            begun.elapsed().as_secs_f64()
        );
        if let Some(outside) = &outside {
            demo::seed(&config, outside, mesh.first_start.as_ref()).await?;
        }
        run_until_stopped(mesh, telemetry).await
    }

    fn values(&self) -> Vec<(&'static str, toml::Value)> {
        let mut values: Vec<(&str, toml::Value)> = Vec::new();
        if let Some(listen) = &self.listen {
            values.push(("gateway.listen", listen.clone().into()));
            values.push(("gateway.public_url", format!("http://{listen}").into()));
        }
        if let Some(folder) = &self.model_dir {
            values.push(("models.folder", folder.display().to_string().into()));
        }
        if self.demo {
            values.push(("auth.first_org", demo::ORG.into()));
        }
        values
    }

    /// What holds unless someone says otherwise. A newcomer to the demo wants to see the links, not the machinery.
    fn defaults(&self) -> Vec<(&'static str, toml::Value)> {
        if self.demo { vec![("telemetry.filter", "warn".into())] } else { Vec::new() }
    }

    async fn embedder(&self, config: &Config) -> anyhow::Result<Option<Arc<dyn Embedder>>> {
        let folder = match model::find(config) {
            Some(folder) => folder,
            None if self.no_model => return Ok(None),
            None => match model::pull(config).await {
                Ok(folder) => folder,
                Err(error) => {
                    eprintln!(
                        "The embedding model could not be pulled, so search compares words only for now: {error:#}"
                    );
                    return Ok(None);
                }
            },
        };
        Ok(Some(model::load(&folder).await?))
    }
}

/// Prints the tokens of a first start and keeps the admin's for the command line.
pub(super) fn show_first_start(config: &Config, mesh: &Mesh) -> anyhow::Result<()> {
    let Some(first) = &mesh.first_start else { return Ok(()) };
    write_private(&config.data.join(ADMIN_TOKEN_FILE), first.admin_token.expose())?;
    println!("This is a first start; these tokens are shown once:");
    println!(
        "  admin     {}   (also in {}, for the command line)",
        first.admin_token.expose(),
        config.data.join(ADMIN_TOKEN_FILE).display()
    );
    println!("  operator  {}", first.operator_token.expose());
    Ok(())
}

/// Serves until the process is asked to stop or a part fails, then stops everything in order.
pub(super) async fn run_until_stopped(mut mesh: Mesh, telemetry: Telemetry) -> anyhow::Result<ExitCode> {
    let code = tokio::select! {
        cause = mesh.failed() => {
            eprintln!("preceptor: stopping: {cause}");
            ExitCode::FAILURE
        }
        () = asked_to_stop() => {
            println!("Stopping.");
            ExitCode::SUCCESS
        }
    };
    mesh.stop().await;
    tokio::task::spawn_blocking(move || telemetry.shutdown()).await?;
    Ok(code)
}

/// Completes on Ctrl-C and on the signal that service managers send.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
