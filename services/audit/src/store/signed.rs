//! `audit_signed`: the newest signed head, beside what it is of. The signer does not believe it: it shows that the memory of
//! the signer was lost.

use preceptor_store::{TenantTx, tenant_tables};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use crate::Error;

tenant_tables! {
    /// The newest signed head.
    last = "audit_signed" key { part: String } { size: i64, note: String }
}

pub(crate) use last::Model as Last;

/// The only part there is; a key needs more than the org.
const PART: &str = "head";

/// The newest signed head.
pub(crate) async fn last(tx: &TenantTx) -> Result<Option<Last>, Error> {
    Ok(tx.one(tx.find::<last::Entity>()).await?)
}

/// Keeps a newer one.
pub(crate) async fn keep(tx: &TenantTx, size: u64, note: &str) -> Result<(), Error> {
    let size = i64::try_from(size).map_err(|_| Error::DamagedHead)?;
    if last(tx).await?.is_none() {
        return Ok(tx
            .insert(last::Model { org_id: tx.org_key(), part: PART.to_owned(), size, note: note.to_owned() })
            .await?);
    }
    let update = tx.update::<last::Entity>().col_expr(last::Column::Size, Expr::value(size));
    tx.run_update(update.col_expr(last::Column::Note, Expr::value(note)).filter(last::Column::Size.lt(size)))
        .await?;
    Ok(())
}

/// Takes the newest signed head away.
pub(crate) async fn forget(tx: &TenantTx) -> Result<(), Error> {
    tx.run_delete(tx.delete::<last::Entity>()).await?;
    Ok(())
}
