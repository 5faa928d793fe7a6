//! What an org chose for its certificates.

use preceptor_store::TenantTx;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use super::setting;
use crate::Error;

/// A setting, if it was chosen.
pub(crate) async fn get(tx: &TenantTx, name: &str) -> Result<Option<setting::Model>, Error> {
    Ok(tx.one(tx.find::<setting::Entity>().filter(setting::Column::Name.eq(name))).await?)
}

/// Forgets a setting; says whether it was chosen.
pub(crate) async fn forget(tx: &TenantTx, name: &str) -> Result<bool, Error> {
    let known = tx.delete::<setting::Entity>().filter(setting::Column::Name.eq(name));
    Ok(tx.run_delete(known).await? > 0)
}
