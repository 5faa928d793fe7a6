//! The item bank.

use std::collections::HashMap;

use preceptor_store::TenantTx;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query, SelectStatement};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _};

use super::{item_decision, item_option, item_passage, item_version};
use crate::Error;
use crate::domain::{ItemState as State, ItemView};

/// Keeps an item version with its options and passages.
pub(crate) async fn insert(tx: &TenantTx, view: &ItemView) -> Result<(), Error> {
    tx.insert(view.version.clone()).await?;
    tx.insert_all(view.options.clone()).await?;
    Ok(tx.insert_all(view.passages.clone()).await?)
}

/// The stems that a program's bank has.
pub(crate) async fn stems(tx: &TenantTx, program: &str) -> Result<Vec<String>, Error> {
    let select = tx.find::<item_version::Entity>().filter(item_version::Column::ProgramId.eq(program));
    Ok(tx.all(select).await?.into_iter().map(|version| version.stem).collect())
}

/// The newest version of each item of a program, in the order of the items.
pub(crate) async fn newest(tx: &TenantTx, program: &str) -> Result<Vec<ItemView>, Error> {
    use item_version::{Column, Entity};
    let select = tx
        .find::<Entity>()
        .filter(Column::ProgramId.eq(program))
        .order_by_asc(Column::ItemId)
        .order_by_desc(Column::Number);
    let mut versions = tx.all(select).await?;
    versions.dedup_by(|later, first| later.item_id == first.item_id);
    with_parts(tx, versions).await
}

/// The newest versions of items of a program behind `after`, in the order of the items: all, or those in `state`.
pub(crate) async fn page(
    tx: &TenantTx,
    program: &str,
    state: Option<State>,
    after: &str,
    limit: u64,
) -> Result<Vec<ItemView>, Error> {
    use item_version::{Column, Entity};
    let (later, own) = (Alias::new("later"), |column: Column| Expr::col((Entity, column)));
    let of_later = |column: Column| Expr::col((later.clone(), column));
    let newer = Query::select()
        .expr(Expr::value(1))
        .from_as(Entity, later.clone())
        .and_where(of_later(Column::OrgId).eq(own(Column::OrgId)))
        .and_where(of_later(Column::ItemId).eq(own(Column::ItemId)))
        .and_where(of_later(Column::Number).gt(own(Column::Number)))
        .to_owned();
    let select = tx.find::<Entity>().filter(Column::ProgramId.eq(program)).filter(Expr::exists(newer).not());
    let select = match state {
        None => select,
        Some(State::Draft) => select.filter(Column::Id.not_in_subquery(decided(tx, None))),
        Some(State::Approved) => select.filter(Column::Id.in_subquery(decided(tx, Some(true)))),
        Some(State::Rejected) => select.filter(Column::Id.in_subquery(decided(tx, Some(false)))),
    };
    let select = select.filter(Column::ItemId.gt(after)).order_by_asc(Column::ItemId).limit(limit);
    with_parts(tx, tx.all(select).await?).await
}

/// The versions that were decided on, or decided on in one way.
fn decided(tx: &TenantTx, approved: Option<bool>) -> SelectStatement {
    use item_decision::{Column, Entity};
    let mut select = tx.find::<Entity>();
    if let Some(approved) = approved {
        select = select.filter(Column::Approved.eq(approved));
    }
    select.select_only().column(Column::ItemVersionId).into_query()
}

/// The newest version of one item.
pub(crate) async fn newest_of(tx: &TenantTx, item: &str) -> Result<Option<ItemView>, Error> {
    use item_version::{Column, Entity};
    let version =
        tx.one(tx.find::<Entity>().filter(Column::ItemId.eq(item)).order_by_desc(Column::Number)).await?;
    Ok(with_parts(tx, version.into_iter().collect()).await?.pop())
}

/// These versions, by id.
pub(crate) async fn versions(tx: &TenantTx, ids: Vec<String>) -> Result<HashMap<String, ItemView>, Error> {
    use item_version::{Column, Entity};
    let found = tx.all(tx.find::<Entity>().filter(Column::Id.is_in(ids))).await?;
    Ok(with_parts(tx, found).await?.into_iter().map(|view| (view.version.id.clone(), view)).collect())
}

/// Ids that go into one statement: more than a page has.
const BATCH: usize = 500;

async fn with_parts(tx: &TenantTx, versions: Vec<item_version::Model>) -> Result<Vec<ItemView>, Error> {
    let mut views: Vec<ItemView> = versions
        .into_iter()
        .map(|version| ItemView { version, options: Vec::new(), passages: Vec::new(), decision: None })
        .collect();
    for batch in views.chunks_mut(BATCH) {
        let ids: Vec<String> = batch.iter().map(|view| view.version.id.clone()).collect();
        let options = tx.find::<item_option::Entity>().filter(item_option::Column::ItemVersionId.is_in(&ids));
        let options = tx.all(options.order_by_asc(item_option::Column::Option)).await?;
        let passages =
            tx.find::<item_passage::Entity>().filter(item_passage::Column::ItemVersionId.is_in(&ids));
        let passages = tx.all(passages.order_by_asc(item_passage::Column::Ordinal)).await?;
        let decisions = tx
            .all(tx.find::<item_decision::Entity>().filter(item_decision::Column::ItemVersionId.is_in(&ids)))
            .await?;
        for view in batch {
            let id = &view.version.id;
            view.options = options.iter().filter(|option| option.item_version_id == *id).cloned().collect();
            view.passages =
                passages.iter().filter(|passage| passage.item_version_id == *id).cloned().collect();
            view.decision = decisions.iter().find(|decision| decision.item_version_id == *id).cloned();
        }
    }
    Ok(views)
}
