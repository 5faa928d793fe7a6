//! `auth_credential`: what opens a door, known by the keyed hash of its secret.

use sea_orm::Condition;
use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_credential")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) org_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) kind: String,
    /// What its owner calls it.
    pub(crate) name: String,
    pub(crate) secret_hash: String,
    pub(crate) staff_id: Option<String>,
    /// The pseudonym that the scope token will carry.
    pub(crate) subject: String,
    pub(crate) program_id: Option<String>,
    /// The member of staff who acts through it.
    pub(crate) acting: Option<String>,
    /// The credential it was made with.
    pub(crate) parent_id: Option<String>,
    /// The epoch of its member of staff, or of its maker, when it was issued.
    pub(crate) epoch: i64,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    /// Noted for sessions only, once a minute.
    pub(crate) last_seen_at: Option<i64>,
    pub(crate) revoked_at: Option<i64>,
    /// A keyed hash over the whole row.
    pub(crate) seal: String,
    /// The admin who made it for an app. It ends with them and does not speak for them.
    pub(crate) made_by: Option<String>,
}

impl Model {
    /// The member of staff with whose rights it ends: its own, or who made it for an app.
    pub(crate) fn ends_with(&self) -> Option<&String> {
        self.staff_id.as_ref().or(self.made_by.as_ref())
    }
}

/// The credentials that end with a member of staff.
pub(crate) fn ending_with(staff_id: &str) -> Condition {
    Condition::any().add(Column::StaffId.eq(staff_id)).add(Column::MadeBy.eq(staff_id))
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
