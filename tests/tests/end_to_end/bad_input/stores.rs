use std::time::Duration;

use protect_connectors::core::ErrorKind;
use protect_connectors::core::store::{SqliteOptions, SqliteStore};
use sqlx::Connection as _;

use super::{errors, forced, scan};
use crate::support::{World, alice, exported, open_with};

#[tokio::test]
async fn a_full_disk_is_named_and_what_was_stored_before_is_still_there() {
    let world = World::new().await;
    let path = world.store_path();
    let full = SqliteOptions::new(&path).max_page_count(20);
    let engine = open_with(&world.path(), world.context(), full)
        .await
        .unwrap();
    let acme = engine.tenant("acme").unwrap();
    let failed = acme.scan_with(forced()).await;
    let error = match failed {
        Err(error) => error.envelope(),
        Ok(summary) => errors(&summary).remove(0).1,
    };
    assert_eq!(error.kind, ErrorKind::Store, "{error:?}");
    assert!(error.message.contains("full"), "{error:?}");
    drop((acme, engine));
    let engine = world.engine().await;
    assert!(exported(&engine).await.1.valid, "the chain is whole");
    assert!(scan(&engine.tenant("acme").unwrap()).await.complete);
    assert!(exported(&engine).await.1.valid);
}

#[tokio::test]
async fn a_locked_store_is_a_passing_error_and_a_damaged_one_a_lasting_one() {
    let world = World::new().await;
    scan(&world.tenant().await).await;
    let url = format!("sqlite://{}", world.store_path().display());
    let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let short = || SqliteOptions::new(world.store_path()).busy_timeout(Duration::from_millis(100));
    let locked = match open_with(&world.path(), world.context(), short()).await {
        Ok(engine) => engine
            .tenant("acme")
            .unwrap()
            .pause(&alice(), "x")
            .await
            .unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(locked.kind(), ErrorKind::Store);
    assert!(locked.is_retryable(), "{locked}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    assert!(exported(&world.engine().await).await.1.valid);

    let mut bytes = std::fs::read(world.store_path()).unwrap();
    bytes[..64].fill(0x5a);
    std::fs::write(world.store_path(), &bytes).unwrap();
    let damaged = SqliteStore::open(short()).await.unwrap_err();
    assert_eq!(damaged.kind(), ErrorKind::Store);
    assert!(!damaged.is_retryable(), "{damaged}");
    let after = std::fs::read(world.store_path()).unwrap();
    assert!(after == bytes, "a damaged store is left as it is");
}
