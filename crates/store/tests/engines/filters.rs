//! The innermost wall: every statement names its org, even where no other wall stands.

use preceptor_core::id::OrgId;
use preceptor_store::Config;
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, EntityTrait as _, Statement};

use crate::support::{Engine, a_book, shelf, someone};

/// A file of one org into which someone put a shelf of another.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_org_in_ones_own_file_is_neither_read_nor_changed_nor_deleted() {
    let engine = Engine::files().await;
    let (own, foreign) = (someone(), OrgId::generate().to_string());
    let tx = engine.library.write(&own).await.expect("a transaction");
    tx.insert(a_book(&tx.org_key(), "one")).await.expect("a row");
    tx.insert(shelf::Model { org_id: tx.org_key(), id: "own".into(), book_id: "one".into() })
        .await
        .expect("a row");
    tx.commit().await.expect("a commit");
    let Config::Files(folder) = &engine.config else { panic!("these are files") };
    let file = Database::connect(format!("sqlite://{}", folder.join(format!("{}.db", own.org())).display()))
        .await
        .expect("the file");
    for sql in [
        format!(
            "INSERT INTO library_book (org_id, id, title, pages, weight) VALUES ('{foreign}', 'b', 'B', 1, 1)"
        ),
        format!("INSERT INTO library_shelf (org_id, id, book_id) VALUES ('{foreign}', 'foreign', 'b')"),
    ] {
        file.execute_unprepared(&sql).await.expect("a row of another org");
    }

    let tx = engine.library.read(&own).await.expect("a read");
    let seen = tx.all(tx.find::<shelf::Entity>()).await.expect("rows");
    assert_eq!(seen.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["own"]);
    drop(tx);
    let tx = engine.library.write(&own).await.expect("a transaction");
    let changed = tx
        .run_update(tx.update::<shelf::Entity>().col_expr(shelf::Column::Id, Expr::value("moved")))
        .await
        .expect("an update");
    assert_eq!(changed, 1);
    let removed = tx.run_delete(tx.delete::<shelf::Entity>()).await.expect("a deletion");
    assert_eq!(removed, 1);
    tx.commit().await.expect("a commit");
    assert_eq!(shelves(&file).await, ["foreign"], "the control: the row was there all the time");
}

async fn shelves(file: &DatabaseConnection) -> Vec<String> {
    let statement =
        Statement::from_string(file.get_database_backend(), "SELECT org_id, id, book_id FROM library_shelf");
    let rows = shelf::Entity::find().from_raw_sql(statement).all(file).await.expect("rows");
    rows.into_iter().map(|row| row.id).collect()
}
