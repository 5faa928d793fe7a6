//! Who may do what with a table: row security, grants, and the lock on tables that only grow.

use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use super::{ORGS, OWNER, TENANT, role};
use crate::StoreError;

/// The function behind the triggers of tables that only grow.
pub(super) const REFUSE_CHANGE: &str = "preceptor_refuse_change";
/// The name of the policy that every table of tenants has.
pub(super) const POLICY: &str = "only_the_tenant_s_rows";

/// What a row's org is compared with. `nullif`, because after a transaction the setting is empty and not null.
pub(super) fn tenant_rule() -> String {
    format!("org_id = NULLIF(current_setting('{TENANT}', true), '')")
}

/// What every cell has before any table of a service: statements that may run again.
pub(super) fn foundation(services: &[&str]) -> Vec<String> {
    let mut statements = vec![
        "REVOKE ALL ON SCHEMA public FROM PUBLIC".to_owned(),
        format!(
            "CREATE OR REPLACE FUNCTION {REFUSE_CHANGE}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS \
             $$ BEGIN RAISE EXCEPTION 'append-only: % refuses %', TG_TABLE_NAME, lower(TG_OP); END $$"
        ),
        format!("REVOKE ALL ON FUNCTION {REFUSE_CHANGE}() FROM PUBLIC"),
    ];
    statements
        .extend(services.iter().map(|service| format!("GRANT USAGE ON SCHEMA public TO {}", role(service))));
    statements
}

/// The directory of a cell's orgs.
pub(super) fn directory(services: &[&str]) -> Vec<String> {
    let mut statements = vec![format!(
        "CREATE TABLE IF NOT EXISTS {ORGS} (org_id TEXT NOT NULL PRIMARY KEY, met_at BIGINT NOT NULL)"
    )];
    statements.extend(
        services.iter().map(|service| format!("GRANT SELECT, INSERT ON {ORGS} TO {}", role(service))),
    );
    statements
}

/// The lock on a table that only grows. It fires for the owner and for replicas as well; a superuser can take it off, and
/// the audit log is what tells.
pub(super) fn only_grows(table: &str) -> Vec<String> {
    vec![
        format!(
            "CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {REFUSE_CHANGE}()"
        ),
        format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_only_grows"),
    ]
}

/// Whose rows a service sees in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// Those of the transaction's tenant.
    OfTheTenant,
    /// All: the control database has one service and holds what exists before any tenant does.
    All,
}

/// The statements that give `service` its new table and no one else anything.
pub(super) fn hand_over(service: &str, table: &str, grows_only: bool, rows: Rows) -> Vec<String> {
    let may = if grows_only { "SELECT, INSERT" } else { "SELECT, INSERT, UPDATE, DELETE" };
    let mut statements = vec![format!("GRANT {may} ON {table} TO {}", role(service))];
    if rows == Rows::OfTheTenant {
        let rule = tenant_rule();
        statements.extend([
            format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"),
            format!("CREATE POLICY {POLICY} ON {table} USING ({rule}) WITH CHECK ({rule})"),
        ]);
    }
    statements
}

#[derive(FromQueryResult)]
struct Table {
    name: String,
}

/// The tables of a service that no one was granted anything on yet.
pub(super) async fn new_tables(db: &impl ConnectionTrait, service: &str) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT c.relname::text AS name FROM pg_class c \
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner \
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname LIKE $1 AND o.rolname = $2 \
        AND NOT has_table_privilege($3, c.oid, 'SELECT') ORDER BY c.relname";
    let values = [format!("{service}\\_%").into(), OWNER.into(), role(service).into()];
    let found =
        Table::find_by_statement(Statement::from_sql_and_values(db.get_database_backend(), sql, values))
            .all(db)
            .await?;
    Ok(found.into_iter().map(|table| table.name).collect())
}
