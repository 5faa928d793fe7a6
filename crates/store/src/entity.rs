//! A table of tenants' rows, declared once.

/// Declares the entities of tables: for each a module with `Entity`, `Column` and `Model`, whose key is `org_id` followed
/// by the columns after `key`.
///
/// ```text
/// tenant_tables! {
///     /// What a learner answered.
///     answer = "credits_answer" key { attempt_id: String, position: i64 } { option: i64, correct: i64 }
/// }
/// ```
#[macro_export]
macro_rules! tenant_tables {
    ($($(#[$doc:meta])* $module:ident = $table:tt key { $($key:ident: $key_type:ty),+ $(,)? } { $($(#[$mapped:meta])* $column:ident: $type:ty),* $(,)? })+) => {$(
        $(#[$doc])*
        pub(crate) mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub(crate) struct Model {
                #[sea_orm(primary_key, auto_increment = false)]
                pub(crate) org_id: String,
                $(#[sea_orm(primary_key, auto_increment = false)]
                pub(crate) $key: $key_type,)+
                $($(#[$mapped])*
                pub(crate) $column: $type,)*
            }

            #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
            pub(crate) enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}

            impl $crate::TenantEntity for Entity {
                const ORG: Column = Column::OrgId;
            }
        }
    )+};
}
