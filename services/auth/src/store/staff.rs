//! `auth_staff`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_staff")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) org_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) role: String,
    pub(crate) state: String,
    /// Encrypted under the org's key.
    pub(crate) email: Option<String>,
    /// Raised when everything that was issued to this person has to end.
    pub(crate) epoch: i64,
    pub(crate) created_at: i64,
    /// A keyed hash over the whole row.
    pub(crate) seal: String,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
