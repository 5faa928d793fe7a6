//! `answering_message`: what was asked and answered.

use preceptor_store::TenantEntity;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "answering_message")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) org_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) session_id: String,
    pub(crate) program_id: String,
    pub(crate) program_version_id: String,
    pub(crate) subject: String,
    pub(crate) asked_at: i64,
    /// Sealed under the key of the learner.
    pub(crate) record: Vec<u8>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantEntity for Entity {
    const ORG: Column = Column::OrgId;
}
