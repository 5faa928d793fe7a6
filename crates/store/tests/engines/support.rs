//! Two services with a few tables, on either engine.

use std::sync::Arc;

use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor, SystemClock};
use preceptor_store::postgres::{self, Tenancy};
use preceptor_store::{Cells, Config, Handle, Migration, OutboxSeals, Schema, StoreError, tenant_tables};
use preceptor_testkit::postgres::Server;
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tempfile::TempDir;

/// A service with a table that only grows, one that changes, and one that refers to both.
pub(crate) const LIBRARY: Schema = Schema {
    service: "library",
    migrations: &[Migration {
        name: "0001_books",
        sql: "CREATE TABLE library_book (org_id TEXT NOT NULL, id TEXT NOT NULL, title TEXT NOT NULL, pages BIGINT NOT NULL, weight REAL NOT NULL,\n \
              CONSTRAINT library_book_key PRIMARY KEY (org_id, id),\n CONSTRAINT library_book_title UNIQUE (org_id, title),\n \
              CONSTRAINT library_book_pages CHECK (pages > 0));\n\
              CREATE TABLE library_shelf (org_id TEXT NOT NULL, id TEXT NOT NULL, book_id TEXT NOT NULL,\n \
              CONSTRAINT library_shelf_key PRIMARY KEY (org_id, id),\n \
              CONSTRAINT library_shelf_book FOREIGN KEY (org_id, book_id) REFERENCES library_book (org_id, id) ON UPDATE RESTRICT ON DELETE RESTRICT);\n",
        append_only: &["library_book"],
    }],
};

/// Another service, which must not see the first one's tables.
pub(crate) const OFFICE: Schema = Schema {
    service: "office",
    migrations: &[Migration {
        name: "0001_desks",
        sql: "CREATE TABLE office_desk (org_id TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (org_id, id));\n",
        append_only: &[],
    }],
};

tenant_tables! {
    /// Books.
    book = "library_book" key { id: String } { title: String, pages: i64, weight: f32 }

    /// Shelves.
    shelf = "library_shelf" key { id: String } { book_id: String }
}

/// Cells whose outboxes are sealed under one key.
pub(crate) async fn open(config: &Config, schemas: &[Schema]) -> Result<Cells, StoreError> {
    Cells::open(config, schemas, Arc::new(SystemClock), OutboxSeals::new(&[7; 32])).await
}

/// Cells on one engine, with what has to live as long.
pub(crate) struct Engine {
    pub(crate) cells: Cells,
    pub(crate) library: Handle,
    pub(crate) config: Config,
    _folder: TempDir,
    server: Option<Arc<Server>>,
}

impl Engine {
    async fn open(config: Config, folder: TempDir, server: Option<Arc<Server>>) -> Self {
        let cells = open(&config, &[LIBRARY, OFFICE]).await.expect("cells");
        let library = cells.handle("library").await.expect("a handle");
        Self { cells, library, config, _folder: folder, server }
    }

    pub(crate) async fn files() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::open(Config::Files(folder.path().join("cells")), folder, None).await
    }

    /// A new cell on a server.
    pub(crate) async fn postgres(server: Arc<Server>, connections: u32) -> Self {
        let config = prepared(&server, connections).await;
        Self::open(Config::Postgres(config), tempfile::tempdir().expect("a folder"), Some(server)).await
    }

    /// The tables of an org, with no wall in between.
    pub(crate) async fn raw(&self, org: OrgId) -> DatabaseConnection {
        let url = match (&self.config, &self.server) {
            (Config::Files(folder), _) => {
                format!("sqlite://{}", folder.join(format!("{org}.db")).display())
            }
            (Config::Postgres(config), Some(server)) => {
                server.admin_url(config.cell.rsplit('/').next().expect("a name"))
            }
            (Config::Postgres(_), None) => panic!("there is no server"),
        };
        Database::connect(ConnectOptions::new(url).max_connections(1).to_owned()).await.expect("it opens")
    }

    pub(crate) fn postgres_config(&self) -> &postgres::Config {
        match &self.config {
            Config::Postgres(config) => config,
            Config::Files(_) => panic!("this is no PostgreSQL"),
        }
    }
}

/// Roles and two new databases on a server.
pub(crate) async fn prepared(server: &Server, connections: u32) -> postgres::Config {
    let name = OrgId::generate().to_string().to_lowercase();
    let config = postgres::Config {
        cell: server.url(&format!("cell_{name}")),
        control: server.url(&format!("control_{name}")),
        secrets: server.secrets(),
        connections,
    };
    let tenancy = Tenancy { cell: &["library", "office"], control: "auth" };
    postgres::prepare(&server.admin_url("postgres"), &config, tenancy, || {
        OrgId::generate().to_string()[4..].to_owned()
    })
    .await
    .expect("it is prepared");
    config
}

/// A scope of an org of its own.
pub(crate) fn someone() -> Arc<Scope> {
    Arc::new(Scope::of_system(SystemActor::Credits, OrgId::generate()))
}

pub(crate) fn a_book(org: &str, id: &str) -> book::Model {
    book::Model {
        org_id: org.to_owned(),
        id: id.to_owned(),
        title: format!("About {id}"),
        pages: 3,
        weight: 0.1,
    }
}
