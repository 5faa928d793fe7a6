//! The suite that every engine passes.

use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_proto::events::v1::Envelope;
use preceptor_store::{APPEND_ONLY, AuditEntry, LARGEST_RECORD, StoreError};
use preceptor_testkit::postgres::server;
use prost::Message as _;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, QueryFilter as _, QueryOrder as _};

use crate::support::{Engine, a_book, book, open, shelf, someone};

/// The same test on both engines.
macro_rules! on_both_engines {
    ($($name:ident)+) => {
        mod on_files {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::support::Engine::files().await).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(server) = super::server(concat!("on_postgres::", stringify!($name))) else { return };
                super::$name(crate::support::Engine::postgres(server, 2).await).await;
            })+
        }
    };
}

on_both_engines! {
    rows_stay_with_their_org
    a_refusal_names_its_constraint
    what_only_grows_is_never_changed
    a_transaction_is_whole_or_nothing
    a_record_is_no_larger_than_an_entry_of_the_log
    numbers_have_no_gap_and_events_are_relayed_once
    what_was_changed_in_an_outbox_is_not_sent_and_stops_its_stream_only
    writers_of_one_org_take_turns
    an_event_is_taken_in_once
    a_text_that_cannot_be_stored_is_refused
    another_start_finds_everything
}

async fn rows_stay_with_their_org(engine: Engine) {
    let (a, b) = (someone(), someone());
    for scope in [&a, &b] {
        let tx = engine.library.write(scope).await.expect("a transaction");
        tx.insert(a_book(&tx.org_key(), "one")).await.expect("a row");
        tx.commit().await.expect("a commit");
    }
    let tx = engine.library.read(&a).await.expect("a read");
    let rows = tx.all(tx.find::<book::Entity>()).await.expect("rows");
    assert_eq!(rows.iter().map(|row| &row.org_id).collect::<Vec<_>>(), [&tx.org_key()]);
    assert!((rows[0].weight - 0.1).abs() < f32::EPSILON);
    drop(tx);
    let tx = engine.library.write(&a).await.expect("a transaction");
    let foreign = tx.insert(a_book(&b.org().to_string(), "two")).await;
    assert!(matches!(foreign, Err(StoreError::Refused(_))), "{foreign:?}");
    let changed = tx
        .run_update(tx.update::<shelf::Entity>().col_expr(shelf::Column::BookId, Expr::value("x")))
        .await
        .expect("an update");
    assert_eq!(changed, 0);
    drop(tx);
    let read_only = engine.library.read(&a).await.expect("a read");
    assert!(read_only.first_sight("e").await.is_err(), "reads cannot write");
}

async fn a_refusal_names_its_constraint(engine: Engine) {
    let scope = someone();
    let refused = async |row: book::Model| {
        let tx = engine.library.write(&scope).await.expect("a transaction");
        tx.insert(a_book(&tx.org_key(), "one")).await.expect("a row");
        tx.insert(row).await.expect_err("it is refused")
    };
    let org = scope.org().to_string();
    let named = |error: &StoreError| error.constraint().unwrap_or_default().to_owned();
    assert_eq!(named(&refused(book::Model { pages: 0, ..a_book(&org, "two") }).await), "library_book_pages");
    let title = refused(book::Model { title: "About one".into(), ..a_book(&org, "two") }).await;
    assert!(matches!(title, StoreError::Duplicate(_)) && named(&title) == "library_book_title", "{title}");
    assert_eq!(
        named(&refused(book::Model { title: "Another".into(), ..a_book(&org, "one") }).await),
        "library_book_key"
    );
    let tx = engine.library.write(&scope).await.expect("a transaction");
    let nowhere =
        tx.insert(shelf::Model { org_id: tx.org_key(), id: "s".into(), book_id: "none".into() }).await;
    assert_eq!(named(&nowhere.expect_err("no such book")), "library_shelf_book");
}

async fn what_only_grows_is_never_changed(engine: Engine) {
    let scope = someone();
    let tx = engine.library.write(&scope).await.expect("a transaction");
    tx.insert(a_book(&tx.org_key(), "one")).await.expect("a row");
    tx.commit().await.expect("a commit");
    let tx = engine.library.write(&scope).await.expect("a transaction");
    let changed =
        tx.run_update(tx.update::<book::Entity>().col_expr(book::Column::Pages, Expr::value(9_i64))).await;
    let refusals = [APPEND_ONLY, preceptor_store::PRIVILEGE];
    assert!(changed.is_err_and(|error| error.constraint().is_some_and(|name| refusals.contains(&name))));
    drop(tx);
    let tx = engine.library.write(&scope).await.expect("a transaction");
    let deleted = tx.run_delete(tx.delete::<book::Entity>()).await;
    assert!(deleted.is_err_and(|error| error.constraint().is_some_and(|name| refusals.contains(&name))));
}

async fn a_transaction_is_whole_or_nothing(engine: Engine) {
    let scope = someone();
    let mut tx = engine.library.write(&scope).await.expect("a transaction");
    tx.insert(a_book(&tx.org_key(), "one")).await.expect("a row");
    tx.audit(AuditEntry::done("book.added", "one")).expect("a record");
    drop(tx);
    let tx = engine.library.read(&scope).await.expect("a read");
    assert_eq!(tx.all(tx.find::<book::Entity>()).await.expect("rows"), []);
    assert!(engine.library.unsent(scope.org(), 10).await.expect("unsent").is_empty());
}

async fn a_record_is_no_larger_than_an_entry_of_the_log(engine: Engine) {
    let scope = someone();
    let with_reason = |length: usize| AuditEntry::done("book.added", "one").because("x".repeat(length));
    let mut tx = engine.library.write(&scope).await.expect("a transaction");
    let longest = (LARGEST_RECORD - 300..=LARGEST_RECORD)
        .take_while(|length| tx.audit(with_reason(*length)).is_ok())
        .last()
        .expect("a record");
    let refused = tx.audit(with_reason(longest + 1)).expect_err("one byte too many");
    assert_eq!(
        (refused.to_fault().reason.as_ref(), refused.is_transient()),
        ("RECORD_TOO_LARGE", false),
        "{refused}"
    );
    drop(tx);
    let mut tx = engine.library.write(&scope).await.expect("a transaction");
    tx.audit(with_reason(longest)).expect("a record");
    tx.commit().await.expect("a commit");
    let unsent = engine.library.unsent(scope.org(), 10).await.expect("unsent");
    let envelope = Envelope::decode(unsent[0].envelope.as_slice()).expect("an envelope");
    assert_eq!(envelope.payload.len(), LARGEST_RECORD);
}

async fn numbers_have_no_gap_and_events_are_relayed_once(engine: Engine) {
    let scope = someone();
    for number in 0..5 {
        let mut tx = engine.library.write(&scope).await.expect("a transaction");
        tx.audit(AuditEntry::done("book.added", number)).expect("a record");
        // Every other change is undone, with its number.
        if number % 2 == 0 {
            tx.commit().await.expect("a commit");
        }
    }
    let dirty = engine.library.dirty_orgs().await;
    assert!(dirty.contains(&scope.org()));
    let unsent = engine.library.unsent(scope.org(), 10).await.expect("unsent");
    assert_eq!(unsent.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    engine.library.mark_sent(scope.org(), &unsent[..2]).await.expect("marked");
    assert_eq!(engine.library.unsent(scope.org(), 10).await.expect("unsent").len(), 1);
}

async fn what_was_changed_in_an_outbox_is_not_sent_and_stops_its_stream_only(engine: Engine) {
    let (scope, other) = (someone(), someone());
    for scope in [&scope, &scope, &scope, &other] {
        let mut tx = engine.library.write(scope).await.expect("a transaction");
        tx.audit(AuditEntry::done("book.added", "one")).expect("a record");
        tx.emit("library.grown", &Envelope::default()).expect("an event");
        tx.commit().await.expect("a commit");
    }
    let waiting = async |of: &Arc<Scope>| {
        let unsent = engine.library.unsent(of.org(), 10).await.expect("unsent");
        unsent.into_iter().map(|event| format!("{} {}", event.stream, event.sequence)).collect::<Vec<_>>()
    };
    let all = ["audit 1", "audit 2", "audit 3", "events 1", "events 2", "events 3"];
    assert_eq!(waiting(&scope).await, all);
    let raw = engine.raw(scope.org()).await;
    let set = async |value: &str, stream: &str, sequence: i64| {
        let row = format!("org_id = '{}' AND stream = '{stream}' AND sequence = {sequence}", scope.org());
        raw.execute_unprepared(&format!("UPDATE library_outbox SET {value} WHERE {row}")).await.expect(value);
    };
    set("topic = 'source'", "audit", 2).await;
    assert_eq!(waiting(&scope).await, ["audit 1", "events 1", "events 2", "events 3"]);
    set("event_id = 'another'", "events", 1).await;
    assert_eq!(waiting(&scope).await, ["audit 1"]);
    assert_eq!(waiting(&other).await, ["audit 1", "events 1"], "others go on");
    set("topic = 'audit'", "audit", 2).await;
    assert_eq!(waiting(&scope).await, ["audit 1", "audit 2", "audit 3"], "what is as it was goes on");

    // Rows from before there were seals are sealed as they are, and no others.
    set("seal = ''", "audit", 1).await;
    assert!(waiting(&scope).await.is_empty());
    assert_eq!(engine.library.seal_earlier().await.expect("seals"), 1);
    assert_eq!(waiting(&scope).await, ["audit 1", "audit 2", "audit 3"]);
}

async fn writers_of_one_org_take_turns(engine: Engine) {
    const WRITERS: usize = 40;
    let scope = someone();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (library, scope) = (engine.library.clone(), scope.clone());
        writers.spawn(async move {
            let tx = library.write(&scope).await.expect("a transaction");
            // What was read stays true until the commit: no one else can have added a row.
            let known = tx.all(tx.find::<book::Entity>()).await.expect("rows").len();
            tokio::task::yield_now().await;
            tx.insert(book::Model {
                pages: known as i64 + 1,
                ..a_book(&tx.org_key(), &format!("{writer:03}"))
            })
            .await
            .expect("a row");
            tx.commit().await.expect("a commit");
        });
    }
    writers.join_all().await;
    let tx = engine.library.read(&scope).await.expect("a read");
    let rows = tx.all(tx.find::<book::Entity>().order_by_asc(book::Column::Pages)).await.expect("rows");
    assert_eq!(
        rows.iter().map(|row| row.pages).collect::<Vec<_>>(),
        (1..=WRITERS as i64).collect::<Vec<_>>()
    );
}

async fn an_event_is_taken_in_once(engine: Engine) {
    let scope = someone();
    for expected in [true, false] {
        let tx = engine.library.write(&scope).await.expect("a transaction");
        assert_eq!(tx.first_sight("event").await.expect("an inbox"), expected);
        tx.commit().await.expect("a commit");
    }
    let other = engine.library.write(&someone()).await.expect("a transaction");
    assert!(other.first_sight("event").await.expect("an inbox"), "every org has its own inbox");
}

async fn a_text_that_cannot_be_stored_is_refused(engine: Engine) {
    let tx = engine.library.write(&someone()).await.expect("a transaction");
    let refused = tx.insert(book::Model { title: "a\0b".into(), ..a_book(&tx.org_key(), "one") }).await;
    assert!(matches!(refused, Err(StoreError::InvalidText)), "{refused:?}");
}

async fn another_start_finds_everything(engine: Engine) {
    let scope = someone();
    let mut tx = engine.library.write(&scope).await.expect("a transaction");
    tx.insert(a_book(&tx.org_key(), "one")).await.expect("a row");
    tx.audit(AuditEntry::done("book.added", "one")).expect("a record");
    tx.commit().await.expect("a commit");
    engine.cells.close().await;
    let schemas = [crate::support::LIBRARY, crate::support::OFFICE];
    let cells = open(&engine.config, &schemas).await.expect("cells");
    let library = cells.handle("library").await.expect("a handle");
    assert!(library.dirty_orgs().await.contains(&scope.org()), "what was not sent is sent now");
    let tx = library.read(&scope).await.expect("a read");
    let rows = tx.all(tx.find::<book::Entity>().filter(book::Column::Id.eq("one"))).await.expect("rows");
    assert_eq!(rows.len(), 1);
    drop(tx);
    cells.close().await;
}
