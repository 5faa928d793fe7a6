//! `ingestion_source_version`.

use preceptor_store::TenantEntity;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ingestion_source_version")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) org_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) source_id: String,
    pub(crate) program_id: String,
    pub(crate) number: i64,
    pub(crate) title: String,
    pub(crate) file_name: String,
    pub(crate) media_type: String,
    pub(crate) object_id: String,
    pub(crate) size_bytes: i64,
    pub(crate) sha256: String,
    pub(crate) author: String,
    pub(crate) state: String,
    pub(crate) problem_code: String,
    pub(crate) problem_message: String,
    /// A JSON list of sentences.
    pub(crate) notes: String,
    pub(crate) pages: i64,
    pub(crate) passages: i64,
    pub(crate) created_at: i64,
    pub(crate) submitted_at: Option<i64>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The join from decisions to the versions they are about.
    pub(crate) fn belongs_to_approval() -> RelationDef {
        Self::belongs_to(super::approval::Entity)
            .from((Column::OrgId, Column::Id))
            .to((super::approval::Column::OrgId, super::approval::Column::SourceVersionId))
            .into()
    }
}

impl TenantEntity for Entity {
    const ORG: Column = Column::OrgId;
}
