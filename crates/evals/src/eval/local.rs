//! A mesh with the programs of a set.

use std::collections::HashMap;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use preceptor::client::{Client, Upload, id};
use preceptor::config::Config;
use preceptor_testkit::Local;
use serde_json::json;

use super::Options;
use crate::data::Program;

/// Programs and uploads that are under way at the same time.
const PROGRAMS: usize = 2;
const UPLOADS: usize = 8;

/// A program that is published.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub(crate) id: String,
    /// A client that asks as a learner.
    pub(crate) learner: Client,
    /// The program's objectives, as the API names them.
    pub(crate) objectives: Vec<String>,
}

/// Starts a mesh with the model that the options name.
pub(crate) async fn start(options: &Options) -> anyhow::Result<Local> {
    if options.no_model {
        return Local::start(None).await;
    }
    let mut config = Config::default();
    config.models.folder.clone_from(&options.model_dir);
    let folder = match preceptor::model::find(&config) {
        Some(folder) => folder,
        None => preceptor::model::pull(&config).await?,
    };
    Local::start(Some(folder)).await
}

/// Loads programs, each source one document, and publishes each program.
pub(crate) async fn publish_all(
    local: &Local,
    programs: &[Program],
) -> anyhow::Result<HashMap<String, Published>> {
    let bar = ProgressBar::new(programs.iter().map(|program| program.sources.len() as u64).sum());
    let published = stream::iter(programs)
        .map(|program| async {
            let published = publish(local, program, &bar).await.with_context(|| program.program.clone())?;
            Ok::<_, anyhow::Error>((program.program.clone(), published))
        })
        .buffer_unordered(PROGRAMS)
        .try_collect()
        .await;
    bar.finish_and_clear();
    published
}

async fn publish(local: &Local, program: &Program, bar: &ProgressBar) -> anyhow::Result<Published> {
    let objectives: Vec<_> = program.objectives.iter().map(|objective| objective.text.clone()).collect();
    let title = if program.title.is_empty() { &program.program } else { &program.title };
    let created =
        local.editor.post("/v1/programs", &json!({ "title": title, "objectives": objectives })).await?;
    let program_id = id(&created, "id")?;
    stream::iter(&program.sources)
        .map(|source| async {
            let name = format!(
                "{}.json",
                source
                    .id
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
                    .collect::<String>()
            );
            let upload = Upload {
                name,
                content: source.document()?,
                external_id: Some(source.id.clone()),
                ..Upload::default()
            };
            local.editor.add_source(&local.reviewer, &program_id, upload, "measured").await?;
            bar.inc(1);
            Ok::<_, anyhow::Error>(())
        })
        .buffered(UPLOADS)
        .try_collect::<Vec<()>>()
        .await?;
    local.editor.publish(&program_id, "measured").await?;
    let names = created["objectives"].as_array().into_iter().flatten().map(|objective| id(objective, "id"));
    Ok(Published {
        learner: local.editor.learner(&program_id, "measure").await?,
        objectives: names.collect::<Result<_, _>>()?,
        id: program_id,
    })
}
