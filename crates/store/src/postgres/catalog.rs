//! What the catalog of a cell says about its walls. Tables, roles and functions are found there and not listed here,
//! so that a new one without its walls is a finding.

use sea_orm::sqlx::postgres::PgPoolOptions;
use sea_orm::{DatabaseConnection, FromQueryResult, SqlxPostgresConnector, Statement};

use super::access::{POLICY, REFUSE_CHANGE};
use super::{Config, MIGRATOR, ORGS, OWNER, TENANT, pool};
use crate::schema::migrations_table;
use crate::{Schema, StoreError};

/// Something about a cell that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Finding {
    /// The table, role, function or database.
    pub object: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Our tables, as rows of `t`: the oid, the name, and whether they hold rows of tenants.
const TABLES: &str = "t AS (SELECT c.oid, c.relname::text AS name, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relname::text <> ALL(SELECT unnest(open) FROM lists) AS tenants \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p'))";
/// The name of the column at a place of a list of column numbers.
const FIRST_COLUMN: &str =
    "(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %REL AND a.attnum = %LIST)";

/// Every check: what follows the tables in a statement, and gives findings.
fn checks() -> Vec<String> {
    let first = |relation: &str, list: &str| FIRST_COLUMN.replace("%REL", relation).replace("%LIST", list);
    // As the catalog prints it, within a literal.
    let rule =
        format!("(org_id = NULLIF(current_setting('{TENANT}'::text, true), ''::text))").replace('\'', "''");
    vec![
        format!("SELECT name AS object, 'is not owned by {OWNER}' AS problem FROM t WHERE relowner <> (SELECT oid FROM pg_roles WHERE rolname = '{OWNER}')"),
        "SELECT name AS object, 'has no org_id that is never null' AS problem FROM t WHERE tenants AND NOT EXISTS \
         (SELECT 1 FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'org_id' AND a.attnotnull)".to_owned(),
        "SELECT name AS object, 'has no forced row security' AS problem FROM t WHERE tenants AND NOT (relrowsecurity AND relforcerowsecurity)".to_owned(),
        format!(
            "SELECT name AS object, 'does not have exactly the policy of tenants' AS problem FROM t WHERE tenants AND \
             (SELECT count(*) FILTER (WHERE p.polname = '{POLICY}' AND p.polcmd = '*' AND p.polpermissive AND p.polroles = '{{0}}' \
             AND pg_get_expr(p.polqual, p.polrelid) = '{rule}' AND pg_get_expr(p.polwithcheck, p.polrelid) = '{rule}') * 10 + count(*) \
             FROM pg_policy p WHERE p.polrelid = t.oid) <> 11"
        ),
        format!(
            "SELECT x.relname::text AS object, 'is an index that does not begin with the org' AS problem FROM t JOIN pg_index i ON i.indrelid = t.oid \
             JOIN pg_class x ON x.oid = i.indexrelid WHERE tenants AND {} IS DISTINCT FROM 'org_id'",
            first("t.oid", "i.indkey[0]")
        ),
        format!(
            "SELECT k.conname::text AS object, 'is a reference that does not begin with the org' AS problem FROM t JOIN pg_constraint k ON k.conrelid = t.oid \
             WHERE tenants AND k.contype = 'f' AND ({} IS DISTINCT FROM 'org_id' OR {} IS DISTINCT FROM 'org_id')",
            first("k.conrelid", "k.conkey[1]"),
            first("k.confrelid", "k.confkey[1]")
        ),
        "SELECT k.conname::text AS object, 'is a reference that follows changes' AS problem FROM t JOIN pg_constraint k ON k.conrelid = t.oid \
         WHERE k.contype = 'f' AND (k.confupdtype NOT IN ('r', 'a') OR k.confdeltype NOT IN ('r', 'a') OR NOT k.convalidated)".to_owned(),
        format!(
            "SELECT name AS object, g.grantee::regrole::text || ' may ' || g.privilege_type AS problem FROM t \
             JOIN pg_class c ON c.oid = t.oid CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g \
             WHERE g.grantee <> c.relowner AND NOT (\
               (name = '{ORGS}' AND g.privilege_type IN ('SELECT', 'INSERT') AND g.grantee::regrole::text LIKE 'preceptor\\_%') \
               OR (g.grantee::regrole::text = 'preceptor_' || split_part(name, '_', 1) AND NOT g.is_grantable AND \
                 (CASE WHEN name = ANY(SELECT unnest(grow) FROM lists) THEN g.privilege_type IN ('SELECT', 'INSERT') \
                  WHEN NOT tenants THEN g.privilege_type = 'SELECT' ELSE g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') END)))"
        ),
        format!(
            "SELECT name AS object, 'can be changed: the lock on tables that only grow is missing or off' AS problem FROM t WHERE name = ANY(SELECT unnest(grow) FROM lists) AND NOT EXISTS \
             (SELECT 1 FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid WHERE g.tgrelid = t.oid AND f.proname = '{REFUSE_CHANGE}' \
             AND g.tgenabled = 'A' AND g.tgtype & 58 = 58)"
        ),
        "SELECT c.relname::text AS object, 'is a view that sees with the eyes of its owner' AS problem FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'public' AND c.relkind IN ('v', 'm') AND NOT coalesce('security_invoker=true' = ANY(c.reloptions), false)".to_owned(),
        format!(
            "SELECT f.proname::text AS object, 'is a function that nobody knows' AS problem FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace \
             WHERE n.nspname = 'public' AND (f.proname <> '{REFUSE_CHANGE}' OR f.prosecdef)"
        ),
        format!(
            "SELECT r.rolname::text AS object, 'has more rights than a role of ours may have' AS problem FROM pg_roles r WHERE r.rolname LIKE 'preceptor\\_%' \
             AND (r.rolsuper OR r.rolbypassrls OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication OR (r.rolname = '{OWNER}' AND r.rolcanlogin) \
             OR EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid AND r.rolname <> 'preceptor_{MIGRATOR}'))"
        ),
        "SELECT datname::text AS object, 'compares texts by a locale, or lets everyone in' AS problem FROM pg_database d WHERE datname = current_database() \
         AND (datcollate <> 'C' OR pg_encoding_to_char(encoding) <> 'UTF8' OR EXISTS \
         (SELECT 1 FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) g WHERE g.grantee = 0))".to_owned(),
        "SELECT nspname::text AS object, 'is a schema that is open to everyone' AS problem FROM pg_namespace n WHERE nspname = 'public' \
         AND EXISTS (SELECT 1 FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) g WHERE g.grantee = 0)".to_owned(),
    ]
}

/// Everything about the cell that is not as it has to be. Empty when all walls stand.
pub async fn inspect(config: &Config, schemas: &[Schema]) -> Result<Vec<Finding>, StoreError> {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(pool::login(
        config,
        &config.cell,
        MIGRATOR,
    )?);
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    let found = inspect_on(&db, schemas).await;
    let closed = db.close_by_ref().await;
    let found = found?;
    closed?;
    Ok(found)
}

/// The same by whatever connection to the cell.
pub async fn inspect_on(db: &DatabaseConnection, schemas: &[Schema]) -> Result<Vec<Finding>, StoreError> {
    let mut open: Vec<String> = schemas.iter().map(|schema| migrations_table(schema.service)).collect();
    open.push(ORGS.to_owned());
    let grow: Vec<String> = schemas.iter().flat_map(Schema::append_only).map(str::to_owned).collect();
    let mut findings = Vec::new();
    for check in checks() {
        let sql = format!(
            "WITH lists AS (SELECT string_to_array($1, ',') AS open, string_to_array($2, ',') AS grow), {TABLES} {check}"
        );
        let values = [open.join(",").into(), grow.join(",").into()];
        let statement = Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, sql, values);
        findings.extend(Finding::find_by_statement(statement).all(db).await?);
    }
    Ok(findings)
}
