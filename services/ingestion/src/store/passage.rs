//! `ingestion_passage`.

use preceptor_store::TenantEntity;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ingestion_passage")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) org_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) source_version_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) ordinal: i64,
    pub(crate) id: String,
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) start_byte: i64,
    pub(crate) end_byte: i64,
    /// JSON of [`super::content::StoredLocator`].
    pub(crate) locator: String,
    /// A JSON list of pairs of byte offsets.
    pub(crate) sentences: String,
    /// A JSON list of [`preceptor_extract::Cue`].
    pub(crate) cues: String,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TenantEntity for Entity {
    const ORG: Column = Column::OrgId;
}
