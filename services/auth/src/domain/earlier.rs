//! Rows that were there before they had a seal.

use preceptor_keys::{KeyError, MemoryError};
use preceptor_store::ControlTx;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::{Accounts, seals};
use crate::Error;
use crate::store::{org, provider_number};

impl Accounts {
    /// Seals the orgs and numbers of an earlier version as they are: once for a deployment. That it was done is remembered
    /// outside of the database, so a row that has no seal later on lost it by hand, and stays refused.
    pub(super) async fn seal_earlier(&self) -> Result<(), Error> {
        if self.deps.sealed.is_done().await.map_err(memory_error)? {
            return Ok(());
        }
        let tx = self.deps.control.write().await?;
        let sealed = self.seal_orgs(&tx).await? + self.seal_numbers(&tx).await?;
        tx.commit().await?;
        // After the commit: a process that dies in between finds nothing left to seal.
        self.deps.sealed.done().await.map_err(memory_error)?;
        if sealed > 0 {
            tracing::warn!(sealed, "rows of accounts from before they had seals were sealed as they are");
        }
        Ok(())
    }

    async fn seal_orgs(&self, tx: &ControlTx) -> Result<u64, Error> {
        use org::{Column, Entity};
        let mut sealed = 0;
        for row in tx.all(Entity::find().filter(Column::Seal.eq(""))).await? {
            let row = seals::seal(&*self.deps.keys, row).await?;
            let update = Entity::update_many()
                .col_expr(Column::Seal, Expr::value(row.seal))
                .filter(Column::Id.eq(row.id));
            sealed += tx.update(update).await?;
        }
        Ok(sealed)
    }

    async fn seal_numbers(&self, tx: &ControlTx) -> Result<u64, Error> {
        use provider_number::{Column, Entity};
        let mut sealed = 0;
        for row in tx.all(Entity::find().filter(Column::Seal.eq(""))).await? {
            let row = seals::seal(&*self.deps.keys, row).await?;
            let update = Entity::update_many()
                .col_expr(Column::Seal, Expr::value(row.seal))
                .filter(Column::Body.eq(row.body))
                .filter(Column::Number.eq(row.number))
                .filter(Column::HeldAt.eq(row.held_at));
            sealed += tx.update(update).await?;
        }
        Ok(sealed)
    }
}

/// What cannot be read is never taken for "not yet done": nothing is sealed then.
fn memory_error(error: MemoryError) -> Error {
    match error {
        MemoryError::Unavailable(why) => KeyError::Unavailable(why).into(),
        MemoryError::Damaged | MemoryError::Moved | MemoryError::Backwards { .. } => {
            tracing::error!(alarm = "SEALS_FORGOTTEN", %error, "whether accounts were sealed before cannot be told");
            Error::Defect("what is remembered of the seals of accounts was changed")
        }
    }
}
