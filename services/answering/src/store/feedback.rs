//! `answering_feedback`: what learners thought of answers.

use preceptor_store::TenantEntity;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "answering_feedback")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) org_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) message_id: String,
    pub(crate) helpful: bool,
    /// The comment, sealed under the key of the learner.
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) given_at: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantEntity for Entity {
    const ORG: Column = Column::OrgId;
}
