//! `retrieval_vector`: vectors by what they are of.

use preceptor_store::TenantEntity;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "retrieval_vector")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) org_id: String,
    /// Hex SHA-256 of model, heading and text.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) content: String,
    pub(crate) passage: Vec<u8>,
    pub(crate) sentences: Vec<u8>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantEntity for Entity {
    const ORG: Column = Column::OrgId;
}
