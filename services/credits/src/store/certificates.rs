//! Certificates, their files, and the lists of those that were voided.

use preceptor_store::TenantTx;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, DbErr, FromQueryResult, QueryFilter as _, QueryOrder as _, QueryResult,
    QuerySelect as _, QueryTrait as _,
};

use super::{award, certificate, certificate_file, certificate_sheet, ledger, status_entry};
use crate::Error;

/// The certificate of an award.
pub(crate) async fn of_award(tx: &TenantTx, award: &str) -> Result<Option<certificate::Model>, Error> {
    Ok(tx.one(tx.find::<certificate::Entity>().filter(certificate::Column::AwardId.eq(award))).await?)
}

/// A certificate, and whether it is printed.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) certificate: certificate::Model,
    pub(crate) is_printed: bool,
}

impl FromQueryResult for Signed {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let printed: Option<String> = row.try_get(prefix, "printed")?;
        let certificate = certificate::Model::from_query_result(row, prefix)?;
        Ok(Self { certificate, is_printed: printed.is_some() })
    }
}

/// The certificates of awards, each with whether it is printed.
pub(crate) async fn of_awards(tx: &TenantTx, awards: &[String]) -> Result<Vec<Signed>, Error> {
    use certificate_file::{Column, Entity};
    let printed = Query::select()
        .column(Column::CertificateId)
        .from(Entity)
        .and_where(Expr::col((Entity, Column::OrgId)).eq(tx.org_key()))
        .and_where(
            Expr::col(Column::CertificateId).eq(Expr::col((certificate::Entity, certificate::Column::Id))),
        )
        .to_owned();
    let select = tx.find::<certificate::Entity>().filter(certificate::Column::AwardId.is_in(awards));
    Ok(tx.all_as(select.expr_as(printed, "printed")).await?)
}

/// Awards whose certificate is not printed, the oldest first.
pub(crate) async fn unprinted(tx: &TenantTx) -> Result<Vec<String>, Error> {
    let printed = tx
        .find::<certificate_file::Entity>()
        .select_only()
        .column(certificate_file::Column::CertificateId)
        .into_query();
    let with_file = tx.find::<certificate::Entity>().filter(certificate::Column::Id.in_subquery(printed));
    let done = with_file.select_only().column(certificate::Column::AwardId).into_query();
    let missing = tx
        .find::<award::Entity>()
        .filter(award::Column::Id.not_in_subquery(done))
        .order_by_asc(award::Column::Id);
    Ok(tx.all(missing).await?.into_iter().map(|award| award.id).collect())
}

/// The certificate of a code.
pub(crate) async fn of_code(tx: &TenantTx, code: &str) -> Result<Option<certificate::Model>, Error> {
    Ok(tx.one(tx.find::<certificate::Entity>().filter(certificate::Column::Code.eq(code))).await?)
}

/// The printed file of a certificate.
pub(crate) async fn file(tx: &TenantTx, certificate: &str) -> Result<Option<certificate_file::Model>, Error> {
    let select =
        tx.find::<certificate_file::Entity>().filter(certificate_file::Column::CertificateId.eq(certificate));
    Ok(tx.one(select).await?)
}

/// A certificate on another paper than its first.
pub(crate) async fn sheet(
    tx: &TenantTx,
    certificate: &str,
    paper: &str,
) -> Result<Option<certificate_sheet::Model>, Error> {
    use certificate_sheet::{Column, Entity};
    Ok(tx
        .one(
            tx.find::<Entity>().filter(Column::CertificateId.eq(certificate)).filter(Column::Paper.eq(paper)),
        )
        .await?)
}

/// The number of the list that is filled at the moment; none when there is not a list yet.
pub(crate) async fn newest_list(tx: &TenantTx) -> Result<Option<i64>, Error> {
    Ok(tx
        .one(tx.find::<status_entry::Entity>().order_by_desc(status_entry::Column::List))
        .await?
        .map(|entry| entry.list))
}

/// Which of some places of a list are taken.
pub(crate) async fn taken(tx: &TenantTx, list: i64, places: &[i64]) -> Result<Vec<i64>, Error> {
    use status_entry::{Column, Entity};
    let found = tx
        .all(
            tx.find::<Entity>()
                .filter(Column::List.eq(list))
                .filter(Column::Place.is_in(places.iter().copied())),
        )
        .await?;
    Ok(found.into_iter().map(|entry| entry.place).collect())
}

/// The places of a list whose certificates are void, in order.
pub(crate) async fn voided(tx: &TenantTx, list: i64) -> Result<Vec<i64>, Error> {
    use status_entry::{Column, Entity};
    let voids = tx
        .find::<ledger::Entity>()
        .filter(ledger::Column::Kind.eq("void"))
        .select_only()
        .column(ledger::Column::AwardId);
    let certificates =
        tx.find::<certificate::Entity>().filter(certificate::Column::AwardId.in_subquery(voids.into_query()));
    let ids = certificates.select_only().column(certificate::Column::Id).into_query();
    let select =
        tx.find::<Entity>().filter(Column::List.eq(list)).filter(Column::CertificateId.in_subquery(ids));
    Ok(tx.all(select.order_by_asc(Column::Place)).await?.into_iter().map(|entry| entry.place).collect())
}

/// Whether a list of that number was begun.
pub(crate) async fn has_list(tx: &TenantTx, list: i64) -> Result<bool, Error> {
    Ok(tx.one(tx.find::<status_entry::Entity>().filter(status_entry::Column::List.eq(list))).await?.is_some())
}

/// Whether anything was awarded under an offer.
pub(crate) async fn is_awarded(tx: &TenantTx, offer: &str) -> Result<bool, Error> {
    Ok(tx.one(tx.find::<award::Entity>().filter(award::Column::OfferId.eq(offer))).await?.is_some())
}

/// Whether there is any certificate.
pub(crate) async fn is_any(tx: &TenantTx) -> Result<bool, Error> {
    Ok(tx.one(tx.find::<certificate::Entity>()).await?.is_some())
}
