//! `auth_provider_number`: whose a number at an accreditor is, over the whole deployment.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_provider_number")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) body: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) number: String,
    pub(crate) org_id: String,
    pub(crate) held_by: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) held_at: i64,
    pub(crate) released_at: Option<i64>,
    /// A keyed hash over the whole row.
    pub(crate) seal: String,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
