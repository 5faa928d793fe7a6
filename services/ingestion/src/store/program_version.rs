//! `ingestion_program_version`: frozen, which never changes.

use preceptor_store::TenantEntity;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ingestion_program_version")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) org_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) program_id: String,
    pub(crate) number: i64,
    pub(crate) title: String,
    pub(crate) app_id: String,
    pub(crate) passages: i64,
    pub(crate) frozen_by: String,
    pub(crate) frozen_at: i64,
    pub(crate) reason: String,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantEntity for Entity {
    const ORG: Column = Column::OrgId;
}
