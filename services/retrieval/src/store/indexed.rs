//! `retrieval_indexed`: versions whose points are in the engine.

use preceptor_store::TenantEntity;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "retrieval_indexed")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) org_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) program_version_id: String,
    pub(crate) program_id: String,
    pub(crate) app_id: String,
    pub(crate) model: String,
    pub(crate) passages: i64,
    /// [`crate::domain::Profile`], encoded by postcard.
    pub(crate) profile: Vec<u8>,
    pub(crate) indexed_at: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantEntity for Entity {
    const ORG: Column = Column::OrgId;
}
