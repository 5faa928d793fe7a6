//! The table of jobs, and every statement on it.

use futures::future::BoxFuture;
use preceptor_store::{StoreError, TenantEntity, TenantTx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Order, SimpleExpr};
use sea_orm::{FromQueryResult, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::Job;

/// States of a job.
pub(crate) const WAITING: &str = "waiting";
pub(crate) const RUNNING: &str = "running";
pub(crate) const FAILED: &str = "failed";

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Row {
    /// Whose it is.
    pub org_id: String,
    /// What is to be done.
    pub kind: String,
    /// To what. There is one job of a kind for a subject.
    pub subject: String,
    /// Waiting, running or failed.
    pub state: String,
    /// Tries that were begun.
    pub tries: i64,
    /// Tries that came back with a failure.
    pub returns: i64,
    /// When it may be taken; of one that is running, when its lease ends.
    pub due_at: i64,
    /// Who has it.
    pub worker: String,
    /// How far it is.
    pub done: i64,
    /// Of how much.
    pub total: i64,
    /// Why it failed.
    pub code: String,
    /// Since when it waits.
    pub enqueued_at: i64,
}

/// A service's table of jobs: made by [`jobs_table!`](crate::jobs_table).
pub trait JobTable: TenantEntity {
    /// Adds a row.
    fn add(tx: &TenantTx, row: Row) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// The migration that makes a service's table of jobs.
#[macro_export]
macro_rules! migration {
    ($name:literal, $service:literal) => {
        $crate::store::Migration {
            name: $name,
            sql: concat!(
                "CREATE TABLE ",
                $service,
                "_job (org_id TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, state TEXT NOT NULL, tries BIGINT NOT NULL, ",
                "returns BIGINT NOT NULL, due_at BIGINT NOT NULL, worker TEXT NOT NULL, done BIGINT NOT NULL, total BIGINT NOT NULL, ",
                "code TEXT NOT NULL, enqueued_at BIGINT NOT NULL, CONSTRAINT ",
                $service,
                "_job_key PRIMARY KEY (org_id, kind, subject), CONSTRAINT ",
                $service,
                "_job_state CHECK (state IN ('waiting', 'running', 'failed')));\n",
                "CREATE INDEX ",
                $service,
                "_job_due ON ",
                $service,
                "_job (org_id, due_at);\n"
            ),
            append_only: &[],
        }
    };
}

/// Declares the entity of a service's table of jobs, as `job`.
#[macro_export]
macro_rules! jobs_table {
    ($table:tt) => {
        $crate::store::tenant_tables! {
            /// Work that waits, is under way, or was given up.
            job = $table key { kind: String, subject: String } {
                state: String,
                tries: i64,
                returns: i64,
                due_at: i64,
                worker: String,
                done: i64,
                total: i64,
                code: String,
                enqueued_at: i64,
            }
        }

        impl $crate::JobTable for job::Entity {
            fn add(
                tx: &$crate::store::TenantTx,
                row: $crate::Row,
            ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), $crate::store::StoreError>> + Send + '_>>
            {
                let $crate::Row {
                    org_id,
                    kind,
                    subject,
                    state,
                    tries,
                    returns,
                    due_at,
                    worker,
                    done,
                    total,
                    code,
                    enqueued_at,
                } = row;
                Box::pin(tx.insert(job::Model {
                    org_id,
                    kind,
                    subject,
                    state,
                    tries,
                    returns,
                    due_at,
                    worker,
                    done,
                    total,
                    code,
                    enqueued_at,
                }))
            }
        }
    };
}

fn column(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

fn named(kind: &str, subject: &str) -> SimpleExpr {
    column("kind").eq(kind).and(column("subject").eq(subject))
}

/// A job that is still this worker's, in this try.
fn held(job: &Job) -> SimpleExpr {
    named(&job.kind, &job.subject)
        .and(column("state").eq(RUNNING))
        .and(column("worker").eq(job.worker.as_str()))
        .and(column("tries").eq(job.tries))
}

/// One job.
pub(crate) async fn get<T: JobTable>(
    tx: &TenantTx,
    kind: &str,
    subject: &str,
) -> Result<Option<Row>, StoreError> {
    Ok(tx.all_as::<T, Row>(tx.find::<T>().filter(named(kind, subject))).await?.pop())
}

/// Jobs of a kind for these subjects.
pub(crate) async fn of<T: JobTable>(
    tx: &TenantTx,
    kind: &str,
    subjects: &[String],
) -> Result<Vec<Row>, StoreError> {
    let select = tx
        .find::<T>()
        .filter(column("kind").eq(kind))
        .filter(column("subject").is_in(subjects.iter().map(String::as_str)));
    tx.all_as::<T, Row>(select).await
}

/// Adds a job that is due now; one that was given up begins anew, any other stays as it is.
pub(crate) async fn enqueue<T: JobTable>(tx: &TenantTx, kind: &str, subject: &str) -> Result<(), StoreError> {
    match get::<T>(tx, kind, subject).await? {
        Some(known) if known.state != FAILED => return Ok(()),
        Some(_) => remove_any::<T>(tx, kind, subject).await?,
        None => false,
    };
    let now = tx.now().micros();
    let row = Row {
        org_id: tx.org_key(),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        state: WAITING.to_owned(),
        tries: 0,
        returns: 0,
        due_at: now,
        worker: String::new(),
        done: 0,
        total: 0,
        code: String::new(),
        enqueued_at: now,
    };
    T::add(tx, row).await
}

/// Makes a job that waits due now.
pub(crate) async fn hasten<T: JobTable>(tx: &TenantTx, kind: &str, subject: &str) -> Result<(), StoreError> {
    let now = tx.now().micros();
    let update = tx
        .update::<T>()
        .col_expr(Alias::new("due_at"), Expr::value(now))
        .filter(named(kind, subject))
        .filter(column("state").eq(WAITING))
        .filter(column("due_at").gt(now));
    tx.run_update(update).await?;
    Ok(())
}

/// Has this worker's job done again, from its first try. `false` when it is no longer this worker's.
pub(crate) async fn again<T: JobTable>(tx: &TenantTx, job: &Job, due: i64) -> Result<bool, StoreError> {
    let update = tx
        .update::<T>()
        .col_expr(Alias::new("state"), Expr::value(WAITING))
        .col_expr(Alias::new("worker"), Expr::value(""))
        .col_expr(Alias::new("tries"), Expr::value(0_i64))
        .col_expr(Alias::new("returns"), Expr::value(0_i64))
        .col_expr(Alias::new("due_at"), Expr::value(due))
        .col_expr(Alias::new("enqueued_at"), Expr::value(due))
        .col_expr(Alias::new("done"), Expr::value(0_i64))
        .col_expr(Alias::new("total"), Expr::value(0_i64))
        .filter(held(job));
    Ok(tx.run_update(update).await? == 1)
}

/// The job that has waited longest of those that may be taken now. For a process that is alone, what another one held may.
pub(crate) async fn due<T: JobTable>(
    tx: &TenantTx,
    worker: &str,
    alone: bool,
) -> Result<Option<Row>, StoreError> {
    let mut may_be_taken = column("due_at").lte(tx.now().micros());
    if alone {
        may_be_taken = may_be_taken.or(column("state").eq(RUNNING).and(column("worker").ne(worker)));
    }
    let select = tx
        .find::<T>()
        .filter(column("state").ne(FAILED))
        .filter(may_be_taken)
        .order_by(column("enqueued_at"), Order::Asc)
        .order_by(column("subject"), Order::Asc)
        .limit(1);
    Ok(tx.all_as::<T, Row>(select).await?.pop())
}

/// When the next job may be taken.
pub(crate) async fn next_due<T: JobTable>(tx: &TenantTx) -> Result<Option<i64>, StoreError> {
    let select =
        tx.find::<T>().filter(column("state").ne(FAILED)).order_by(column("due_at"), Order::Asc).limit(1);
    Ok(tx.all_as::<T, Row>(select).await?.pop().map(|row| row.due_at))
}

/// Takes a job, and counts the try. `false` when another worker was faster.
pub(crate) async fn take<T: JobTable>(
    tx: &TenantTx,
    seen: &Row,
    worker: &str,
    until: i64,
) -> Result<bool, StoreError> {
    let update = tx
        .update::<T>()
        .col_expr(Alias::new("state"), Expr::value(RUNNING))
        .col_expr(Alias::new("worker"), Expr::value(worker))
        .col_expr(Alias::new("tries"), Expr::value(seen.tries + 1))
        .col_expr(Alias::new("due_at"), Expr::value(until))
        .col_expr(Alias::new("done"), Expr::value(0_i64))
        .col_expr(Alias::new("total"), Expr::value(0_i64))
        .filter(named(&seen.kind, &seen.subject))
        .filter(column("state").eq(seen.state.as_str()))
        .filter(column("tries").eq(seen.tries))
        .filter(column("due_at").eq(seen.due_at));
    Ok(tx.run_update(update).await? == 1)
}

/// Keeps a job for longer, with how far it is. `false` when it is no longer this worker's.
pub(crate) async fn renew<T: JobTable>(
    tx: &TenantTx,
    job: &Job,
    until: i64,
    so_far: (u64, u64),
) -> Result<bool, StoreError> {
    let update = tx
        .update::<T>()
        .col_expr(Alias::new("due_at"), Expr::value(until))
        .col_expr(Alias::new("done"), Expr::value(so_far.0.cast_signed()))
        .col_expr(Alias::new("total"), Expr::value(so_far.1.cast_signed()))
        .filter(held(job));
    Ok(tx.run_update(update).await? == 1)
}

/// How a try ended that is not the last.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Back {
    /// It failed; the next may begin then.
    Failed(i64),
    /// The process stops, which is no one's failure: as if it had not been begun.
    Stopped,
}

/// Gives a job back.
pub(crate) async fn give_back<T: JobTable>(tx: &TenantTx, job: &Job, back: Back) -> Result<(), StoreError> {
    let (tries, returns, due_at) = match back {
        Back::Failed(due_at) => (job.tries, job.returns + 1, due_at),
        Back::Stopped => (job.tries - 1, job.returns, tx.now().micros()),
    };
    let update = tx
        .update::<T>()
        .col_expr(Alias::new("state"), Expr::value(WAITING))
        .col_expr(Alias::new("worker"), Expr::value(""))
        .col_expr(Alias::new("tries"), Expr::value(tries))
        .col_expr(Alias::new("returns"), Expr::value(returns))
        .col_expr(Alias::new("due_at"), Expr::value(due_at))
        .filter(held(job));
    tx.run_update(update).await?;
    Ok(())
}

/// Keeps a job as one that will not be done.
pub(crate) async fn fail<T: JobTable>(tx: &TenantTx, job: &Job, code: &str) -> Result<(), StoreError> {
    let update = tx
        .update::<T>()
        .col_expr(Alias::new("state"), Expr::value(FAILED))
        .col_expr(Alias::new("code"), Expr::value(code))
        .filter(held(job));
    tx.run_update(update).await?;
    Ok(())
}

/// Takes this worker's job off the queue. `false` when it is no longer this worker's.
pub(crate) async fn remove<T: JobTable>(tx: &TenantTx, job: &Job) -> Result<bool, StoreError> {
    Ok(tx.run_delete(tx.delete::<T>().filter(held(job))).await? == 1)
}

/// Takes a job off the queue, no matter who has it. `false` when there was none.
pub(crate) async fn remove_any<T: JobTable>(
    tx: &TenantTx,
    kind: &str,
    subject: &str,
) -> Result<bool, StoreError> {
    Ok(tx.run_delete(tx.delete::<T>().filter(named(kind, subject))).await? == 1)
}
