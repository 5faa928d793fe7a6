//! The databases of a deployment on PostgreSQL: made, brought up to date, inspected.

use anyhow::Context as _;
use preceptor_core::{Clock as _, SystemClock};
use preceptor_store::postgres::{self, Finding, Prepared, Tenancy};

use crate::config::Config;
use crate::engines::{random_secret, schemas};

/// The databases that the configuration names.
fn named(config: &Config) -> anyhow::Result<postgres::Config> {
    config
        .postgres()
        .context("no database is named; set PRECEPTOR__DATABASE__CELL and PRECEPTOR__DATABASE__CONTROL")
}

/// Makes what is missing of roles, their password files and databases, as the administrator of `admin`.
pub async fn prepare(config: &Config, admin: &str) -> anyhow::Result<Prepared> {
    let schemas = schemas();
    let services: Vec<&str> = schemas.iter().map(|schema| schema.service).collect();
    let tenancy = Tenancy { cell: &services, control: preceptor_auth::SCHEMA.service };
    Ok(postgres::prepare(admin, &named(config)?, tenancy, random_secret).await?)
}

/// Brings both databases up to date, as the migrator.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    Ok(postgres::migrate(&named(config)?, &schemas(), preceptor_auth::SCHEMA, SystemClock.now()).await?)
}

/// What of the cell's walls is not as it has to be.
pub async fn inspect(config: &Config) -> anyhow::Result<Vec<Finding>> {
    Ok(postgres::inspect(&named(config)?, &schemas()).await?)
}
