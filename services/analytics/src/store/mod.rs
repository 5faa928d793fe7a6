//! Tables of analytics.

pub(crate) mod count;
pub(crate) mod learner;

use preceptor_store::{Migration, Schema, TenantTx};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::Error;

/// The tables of the analytics service.
pub const SCHEMA: Schema = Schema {
    service: "analytics",
    migrations: &[Migration { name: "0001_counts", sql: include_str!("0001_counts.sql"), append_only: &[] }],
};

/// The key of messages that fit no objective.
pub(crate) const NO_OBJECTIVE: &str = "none";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Answered, closest passages shown, or refused.
    Outcome,
    /// Refusals by their code.
    Refusal,
    /// Messages by objective.
    Objective,
    /// Answers by a source that they cite.
    Citation,
}

impl Measure {
    /// The name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Refusal => "refusal",
            Self::Objective => "objective",
            Self::Citation => "citation",
        }
    }
}

/// Counts one more.
pub(crate) async fn add(tx: &TenantTx, program: &str, measure: Measure, key: &str) -> Result<(), Error> {
    use count::{Column, Entity};
    let update = tx
        .update::<Entity>()
        .col_expr(Column::Count, Expr::col(Column::Count).add(1))
        .filter(Column::ProgramId.eq(program))
        .filter(Column::Measure.eq(measure.name()))
        .filter(Column::Key.eq(key));
    if tx.run_update(update).await? > 0 {
        return Ok(());
    }
    let row = count::Model {
        org_id: tx.org_key(),
        program_id: program.to_owned(),
        measure: measure.name().to_owned(),
        key: key.to_owned(),
        count: 1,
    };
    Ok(tx.insert(row).await?)
}

/// Notes that a learner asked in a program.
pub(crate) async fn see_learner(tx: &TenantTx, program: &str, subject: &str) -> Result<(), Error> {
    use learner::{Column, Entity};
    let known = tx.find::<Entity>().filter(Column::ProgramId.eq(program)).filter(Column::Subject.eq(subject));
    if tx.one(known).await?.is_some() {
        return Ok(());
    }
    let row =
        learner::Model { org_id: tx.org_key(), program_id: program.to_owned(), subject: subject.to_owned() };
    Ok(tx.insert(row).await?)
}

/// All counts of a program, largest first.
pub(crate) async fn counts(tx: &TenantTx, program: &str) -> Result<Vec<count::Model>, Error> {
    let select = tx.find::<count::Entity>().filter(count::Column::ProgramId.eq(program));
    Ok(tx.all(select.order_by_desc(count::Column::Count).order_by_asc(count::Column::Key)).await?)
}

#[derive(FromQueryResult)]
struct Total {
    total: i64,
}

/// How many learners asked in a program.
pub(crate) async fn learners(tx: &TenantTx, program: &str) -> Result<i64, Error> {
    use learner::{Column, Entity};
    let select = tx.find::<Entity>().filter(Column::ProgramId.eq(program)).select_only();
    let select = select.column_as(Expr::col(Column::Subject).count(), "total");
    let rows: Vec<Total> = tx.all_as(select).await?;
    Ok(rows.first().map_or(0, |row| row.total))
}
