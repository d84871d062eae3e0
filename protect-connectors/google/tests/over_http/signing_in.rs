use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protect_core::clock::Clock;
use protect_core::context::Context;
use protect_core::secret::SecretString;
use protect_core::{ErrorKind, Result};
use protect_google::{Google, JwtSigner};
use serde_json::{Map, Value, json};

use crate::world::World;

async fn refusal(client: Google) -> protect_core::Error {
    client.users_page(None).await.unwrap_err()
}

#[tokio::test]
async fn every_scope_has_a_token_of_its_own_so_that_one_that_is_missing_closes_itself_alone() {
    let world = World::new().await;
    let all = world.watcher().granted_scopes().await.unwrap();
    assert_eq!(all.len(), 9, "{all:?}");
    world.delegate(
        "scan",
        &[
            "admin.directory.user.readonly",
            "admin.reports.audit.readonly",
        ],
    );
    let client = world.watcher();
    assert_eq!(client.granted_scopes().await.unwrap().len(), 2);
    client.users_page(None).await.unwrap();
    let error = client.domains().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    let shown = error.to_string();
    assert!(shown.contains("admin.directory.domain.readonly"), "{shown}");
    assert!(shown.contains("Domain-wide delegation"), "{shown}");
    world.assert_lawful();
}

#[tokio::test]
async fn refusals_say_what_is_wrong_and_what_to_do() {
    for (standing, kind, says) in [
        (
            "not_delegated",
            ErrorKind::PermissionDenied,
            "is not delegated in the domain",
        ),
        (
            "registered_by_email",
            ErrorKind::PermissionDenied,
            "numeric client id",
        ),
        (
            "blocked_by_policy",
            ErrorKind::PermissionDenied,
            "App access control",
        ),
        ("key_disabled", ErrorKind::Unauthenticated, "make a new one"),
        ("client_disabled", ErrorKind::Unauthenticated, "enable it"),
    ] {
        let world = World::new().await;
        let change = json!({ "standing": standing });
        assert!(world.sandbox.edit_google_service_account("scan", change));
        let error = refusal(world.watcher()).await;
        assert_eq!(error.kind(), kind, "{standing}: {error}");
        assert!(error.message().contains(says), "{standing}: {error}");
    }
    let world = World::new().await;
    let key = world.own.google_scan_key.as_str();
    let domain = world.own.google_subject.split_once('@').unwrap().1;
    let nobody = world
        .builder()
        .service_account(key)
        .subject(format!("nobody@{domain}"));
    let error = refusal(nobody.build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.message().contains("`subject`"), "{error}");
    assert!(!error.to_string().contains('@'), "{error}");
}

/// A clock that is ahead of the world's.
#[derive(Debug)]
struct Ahead(Arc<dyn Clock>);

#[async_trait]
impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.0.now() + SignedDuration::from_mins(10)
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    async fn sleep(&self, wait: Duration) {
        self.0.sleep(wait).await;
    }
}

#[tokio::test]
async fn a_clock_ten_minutes_off_is_told_with_by_how_much() {
    let world = World::new().await;
    let context = Context {
        clock: Arc::new(Ahead(Arc::clone(&world.context.clock))),
        ..world.context.clone()
    };
    let key = world.own.google_scan_key.as_str();
    let client = world
        .builder()
        .context(context)
        .service_account(key)
        .build()
        .unwrap();
    let error = refusal(client).await;
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(
        error.message().contains("set this machine's clock"),
        "{error}"
    );
    let told = error.message().contains("600 s ahead") || error.message().contains("599 s ahead");
    assert!(told, "{error}");
}

#[tokio::test]
async fn a_key_that_is_none_is_told_without_any_of_it() {
    let world = World::new().await;
    let right: Value = serde_json::from_str(&world.own.google_scan_key).unwrap();
    let with = |field: &str, value: &str| {
        let mut key = right.clone();
        key[field] = value.into();
        key.to_string()
    };
    let pem = right["private_key"].as_str().unwrap();
    for (key, says) in [
        ("canary".to_owned(), "JSON object"),
        ("[]".to_owned(), "JSON object"),
        (with("type", "authorized_user"), "`type`"),
        (with("client_email", ""), "`client_email`"),
        (with("private_key", "canary"), "PEM"),
        (
            with("private_key", &pem.replace("MII", "AAA")),
            "`private_key`",
        ),
    ] {
        let error = refusal(
            world
                .builder()
                .service_account(key.as_str())
                .build()
                .unwrap(),
        )
        .await;
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{error}");
        assert!(error.message().contains(says), "{says}: {error}");
        let shown = format!("{error:?}");
        assert!(
            !shown.contains("canary") && !shown.contains("MII"),
            "{shown}"
        );
    }
    assert_eq!(world.asked("/token"), 0, "nothing was sent");
}

/// A signer that is no file.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl JwtSigner for Broken {
    async fn sign(&self, claims: Map<String, Value>) -> Result<SecretString> {
        assert!(claims["scope"].as_str().unwrap().starts_with("https://"));
        let ends = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!(ends <= 3_600);
        Ok("a.b.c".into())
    }
}

#[tokio::test]
async fn whoever_keeps_the_contract_can_sign() {
    let world = World::new().await;
    let client = world.builder().signer(Arc::new(Broken)).build().unwrap();
    let error = refusal(client).await;
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert_eq!(world.asked("/token"), 1);
}

#[tokio::test]
async fn a_token_that_was_withdrawn_is_asked_for_again_once() {
    let world = World::new().await;
    let client = world.watcher();
    client.users_page(None).await.unwrap();
    world.fault(&json!({ "kind": "unauthorized", "count": 1 }));
    client.users_page(None).await.unwrap();
}
