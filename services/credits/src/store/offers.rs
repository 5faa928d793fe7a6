//! Accreditations, policies, offers.

use preceptor_store::TenantTx;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::{accreditation, accreditation_decision, offer, policy, policy_class, recognition};
use crate::Error;

/// All accreditations, newest period first.
pub(crate) async fn accreditations(tx: &TenantTx) -> Result<Vec<accreditation::Model>, Error> {
    Ok(tx.all(tx.find::<accreditation::Entity>().order_by_desc(accreditation::Column::ValidFrom)).await?)
}

/// One accreditation.
pub(crate) async fn accreditation(tx: &TenantTx, id: &str) -> Result<Option<accreditation::Model>, Error> {
    Ok(tx.one(tx.find::<accreditation::Entity>().filter(accreditation::Column::Id.eq(id))).await?)
}

/// The accreditations of these ids.
pub(crate) async fn accreditations_of(
    tx: &TenantTx,
    ids: Vec<String>,
) -> Result<Vec<accreditation::Model>, Error> {
    Ok(tx.all(tx.find::<accreditation::Entity>().filter(accreditation::Column::Id.is_in(ids))).await?)
}

/// The decisions of the operator about accreditations, those about each in the order in which they were made.
pub(crate) async fn decisions(
    tx: &TenantTx,
    accreditations: Vec<String>,
) -> Result<Vec<accreditation_decision::Model>, Error> {
    use accreditation_decision::{Column, Entity};
    let select = tx.find::<Entity>().filter(Column::AccreditationId.is_in(accreditations));
    Ok(tx.all(select.order_by_asc(Column::Number)).await?)
}

/// The newest decision of the operator about an accreditation.
pub(crate) async fn decision(
    tx: &TenantTx,
    accreditation: &str,
) -> Result<Option<accreditation_decision::Model>, Error> {
    use accreditation_decision::{Column, Entity};
    let select = tx.find::<Entity>().filter(Column::AccreditationId.eq(accreditation));
    Ok(tx.one(select.order_by_desc(Column::Number)).await?)
}

/// A decision of the operator.
pub(crate) async fn decision_of_id(
    tx: &TenantTx,
    id: &str,
) -> Result<Option<accreditation_decision::Model>, Error> {
    use accreditation_decision::{Column, Entity};
    Ok(tx.one(tx.find::<Entity>().filter(Column::Id.eq(id))).await?)
}

/// Makes the policy of that key, unless it is there.
pub(crate) async fn ensure_policy(tx: &TenantTx, key: &str) -> Result<(), Error> {
    if tx.one(tx.find::<policy::Entity>().filter(policy::Column::Id.eq(key))).await?.is_some() {
        return Ok(());
    }
    tx.insert(policy::Model { org_id: tx.org_key(), id: key.to_owned() }).await?;
    let class = |class: &str| policy_class::Model {
        org_id: tx.org_key(),
        policy_id: key.to_owned(),
        class: class.to_owned(),
    };
    Ok(tx.insert_all(key.split('+').map(class).collect()).await?)
}

/// One offer.
pub(crate) async fn get(tx: &TenantTx, id: &str) -> Result<Option<offer::Model>, Error> {
    Ok(tx.one(tx.find::<offer::Entity>().filter(offer::Column::Id.eq(id))).await?)
}

/// The offers of these ids.
pub(crate) async fn of_ids(tx: &TenantTx, ids: Vec<String>) -> Result<Vec<offer::Model>, Error> {
    Ok(tx.all(tx.find::<offer::Entity>().filter(offer::Column::Id.is_in(ids))).await?)
}

/// The offers of a program, in the order in which they were made.
pub(crate) async fn of_program(tx: &TenantTx, program: &str) -> Result<Vec<offer::Model>, Error> {
    Ok(tx
        .all(
            tx.find::<offer::Entity>()
                .filter(offer::Column::ProgramId.eq(program))
                .order_by_asc(offer::Column::Id),
        )
        .await?)
}

/// What the professions receive under an offer.
pub(crate) async fn recognitions(tx: &TenantTx, offer: &str) -> Result<Vec<recognition::Model>, Error> {
    use recognition::{Column, Entity};
    Ok(tx.all(tx.find::<Entity>().filter(Column::OfferId.eq(offer))).await?)
}
