//! Requests for item drafts.

use preceptor_store::TenantTx;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use super::generation::{Column, Entity, Model};
use crate::Error;

/// One request.
pub(crate) async fn get(tx: &TenantTx, id: &str) -> Result<Option<Model>, Error> {
    Ok(tx.one(tx.find::<Entity>().filter(Column::Id.eq(id))).await?)
}

/// Notes how far a request is.
pub(crate) async fn progress(tx: &TenantTx, id: &str, state: &str, sources_read: usize) -> Result<(), Error> {
    let update = tx
        .update::<Entity>()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::SourcesRead, Expr::value(sources_read as i64));
    tx.run_update(update.filter(Column::Id.eq(id)).filter(Column::EndedAt.is_null())).await?;
    Ok(())
}

/// How a request ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) state: &'static str,
    pub(crate) items: Vec<String>,
    pub(crate) note: String,
    pub(crate) problem_code: String,
}

/// Ends a request. `false` when it had ended before.
pub(crate) async fn end(tx: &TenantTx, id: &str, end: End) -> Result<bool, Error> {
    let update = tx
        .update::<Entity>()
        .col_expr(Column::State, Expr::value(end.state))
        .col_expr(Column::Items, Expr::value(end.items.join(" ")))
        .col_expr(Column::Note, Expr::value(end.note))
        .col_expr(Column::ProblemCode, Expr::value(end.problem_code))
        .col_expr(Column::EndedAt, Expr::value(Some(tx.now().micros())));
    Ok(tx.run_update(update.filter(Column::Id.eq(id)).filter(Column::EndedAt.is_null())).await? == 1)
}
