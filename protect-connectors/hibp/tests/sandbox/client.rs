//! The client over real HTTP: every operation, and what is not an answer.

use std::collections::BTreeSet;

use crate::world::World;
use protect_core::ErrorKind;
use protect_hibp::{BreachRef, Hibp, OPERATIONS, Password};
use protect_sandbox::{Fault, FaultKind};
use serde_json::json;

/// Calls the method behind an operation's name; what it gives is told by the type it has.
async fn call(client: &Hibp, name: &str) -> protect_core::Result<&'static str> {
    let account = "account-exists@hibp-integration-tests.com";
    match name {
        "breaches" => client.breaches(None, None).await.map(|_| "List(Breach)"),
        "breach" => client.breach("Adobe").await.map(|_| "Optional(Breach)"),
        "latest_breach" => client.latest_breach().await.map(|_| "Optional(Breach)"),
        "data_classes" => client.data_classes().await.map(|_| "One(DataClasses)"),
        "breached_account" => client
            .breached_account(account)
            .await
            .map(|_| "List(BreachRef)"),
        "breached_account_range" => client
            .breached_account_range(account)
            .await
            .map(|_| "List(BreachRef)"),
        "breached_domain" => client
            .breached_domain("acme.example")
            .await
            .map(|_| "One(DomainExposure)"),
        "subscribed_domains" => client
            .subscribed_domains()
            .await
            .map(|_| "List(SubscribedDomain)"),
        "generate_dns_token" => client
            .generate_dns_token("new.example")
            .await
            .map(|_| "One(DnsToken)"),
        "verify_dns_token" => client
            .verify_dns_token("new.example")
            .await
            .map(|_: bool| "Boolean"),
        "send_verification_email" => client
            .send_verification_email("new.example", "security")
            .await
            .map(|()| "Nothing"),
        "paste_account" => client.paste_account(account).await.map(|_| "List(Paste)"),
        "stealer_logs_by_email" => client
            .stealer_logs_by_email("ann@acme.example")
            .await
            .map(|_| "One(Websites)"),
        "stealer_logs_by_website_domain" => client
            .stealer_logs_by_website_domain("acme.example")
            .await
            .map(|_| "One(Addresses)"),
        "stealer_logs_by_email_domain" => client
            .stealer_logs_by_email_domain("acme.example")
            .await
            .map(|_| "One(DomainExposure)"),
        "subscription_status" => client
            .subscription_status()
            .await
            .map(|_| "One(SubscriptionStatus)"),
        "check_password" => client
            .check_password(Password::from("password"))
            .await
            .map(|_: u64| "Integer"),
        "check_password_ntlm" => client
            .check_password_ntlm(Password::from("password"))
            .await
            .map(|_: u64| "Integer"),
        other => panic!("{other} is in the table and no method of the client"),
    }
}

#[tokio::test]
async fn the_table_and_the_methods_say_the_same_and_break_no_rule_of_the_vendor() {
    let world = World::new("Pro 2").await;
    let client = world.client().build(&world.context).unwrap();
    let mut names = BTreeSet::new();
    for operation in OPERATIONS {
        assert!(
            names.insert(operation.name),
            "{} stands twice",
            operation.name
        );
        let gives = call(&client, operation.name).await.unwrap();
        assert_eq!(
            gives,
            format!("{:?}", operation.result),
            "{}",
            operation.name
        );
    }
    assert_eq!(names.len(), 18);
    assert_eq!(world.sandbox.violations(), []);
}

fn names(found: &[BreachRef]) -> usize {
    found.len()
}

#[tokio::test]
async fn the_test_accounts_have_the_breaches_and_pastes_of_the_vendors_table() {
    let world = World::new("Pro 2").await;
    let client = world.client().build(&world.context).unwrap();
    for (alias, breaches, pastes) in [
        ("account-exists", 1, 1),
        ("multiple-breaches", 3, 0),
        ("not-active-and-active-breach", 1, 0),
        ("not-active-breach", 0, 0),
        ("opt-out", 0, 0),
        ("opt-out-breach", 0, 0),
        ("paste-sensitive-breach", 0, 1),
        ("permanent-opt-out", 0, 0),
        ("sensitive-and-other-breaches", 2, 0),
        ("sensitive-breach", 0, 0),
        ("spam-list-only", 1, 0),
        ("spam-list-and-others", 3, 0),
        ("stealer-log", 1, 0),
        ("subscription-free-breach", 1, 0),
        ("subscription-free-and-other-breaches", 3, 0),
        ("unverified-breach", 1, 0),
    ] {
        let account = format!("{alias}@hibp-integration-tests.com");
        let direct = client.breached_account(&account).await.unwrap();
        let ranged = client.breached_account_range(&account).await.unwrap();
        assert_eq!(names(&direct), breaches, "{alias}");
        assert_eq!(
            direct.iter().map(|b| &b.name).collect::<BTreeSet<_>>(),
            ranged.iter().map(|b| &b.name).collect::<BTreeSet<_>>(),
            "{alias}"
        );
        let found = client.paste_account(&account).await.unwrap();
        assert_eq!(found.len(), pastes, "{alias}");
    }
    assert_eq!(world.sandbox.violations(), []);
}

#[tokio::test]
async fn odd_addresses_arrive_whole() {
    let world = World::new("Pro 2").await;
    let client = world.client().build(&world.context).unwrap();
    for address in [
        "user+tag@a.example",
        "o'neil@a.example",
        "weird/slash?x=1&y#z%@a.example",
        "jörg@müller.example",
    ] {
        world
            .tell("accounts", json!({"email": address, "breaches": ["Adobe"]}))
            .await;
        let found = client
            .breached_account(&format!(" {} ", address.to_uppercase()))
            .await;
        assert_eq!(names(&found.unwrap()), 1, "{address}");
    }
    assert_eq!(world.sandbox.violations(), []);
}

#[tokio::test]
async fn whatever_is_no_answer_is_an_error_and_never_an_empty_list() {
    for kind in [
        FaultKind::CloseEarly,
        FaultKind::ResetMidBody,
        FaultKind::TruncatedJson,
        FaultKind::Html200,
        FaultKind::Html502,
        FaultKind::RateLimitedSeconds,
        FaultKind::RateLimitedDate,
        FaultKind::RateLimitedBare,
        FaultKind::Unavailable,
        FaultKind::Unauthorized,
        FaultKind::ScopeRemoved,
        FaultKind::RedirectElsewhere,
    ] {
        let world = World::new("Pro 2").await;
        let client = world.client().build(&world.context).unwrap();
        client.subscription_status().await.unwrap();
        world.sandbox.set_fault(Fault::new(kind));
        let account = "multiple-breaches@hibp-integration-tests.com";
        for name in ["breached_account", "breached_account_range"] {
            let asked = if name == "breached_account" {
                client.breached_account(account).await
            } else {
                client.breached_account_range(account).await
            };
            let error = asked.expect_err(name);
            assert!(
                !format!("{error:?}").contains("multiple-breaches"),
                "{error:?}"
            );
        }
        let pasted = "account-exists@hibp-integration-tests.com";
        assert!(client.paste_account(pasted).await.is_err(), "{kind:?}");
        assert!(
            client.breached_domain("acme.example").await.is_err(),
            "{kind:?}"
        );
        world.sandbox.clear_faults();
        let found = client.breached_account(account).await.unwrap();
        assert_eq!(names(&found), 3, "{kind:?}");
    }
}

#[tokio::test]
async fn a_429_is_waited_for_and_the_question_repeated() {
    for kind in [
        FaultKind::RateLimitedSeconds,
        FaultKind::RateLimitedDate,
        FaultKind::RateLimitedBare,
    ] {
        let world = World::new("Pro 2").await;
        let client = world.client().build(&world.context).unwrap();
        world
            .sandbox
            .set_fault(Fault::new(kind).on("/breachedaccount/{account}").times(1));
        let account = "account-exists@hibp-integration-tests.com";
        let found = client.breached_account(account).await.unwrap();
        assert_eq!(names(&found), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn what_the_plan_lacks_fails_early_and_names_the_feature() {
    let world = World::new("Core 1").await;
    let client = world.client().build(&world.context).unwrap();
    for (name, feature) in [
        ("breached_account_range", "IncludesKAnon"),
        ("stealer_logs_by_email", "IncludesStealerLogs"),
        ("stealer_logs_by_website_domain", "IncludesStealerLogs"),
        ("stealer_logs_by_email_domain", "IncludesStealerLogs"),
        ("generate_dns_token", "IncludesBulkDomainAdd"),
        ("verify_dns_token", "IncludesBulkDomainAdd"),
        ("send_verification_email", "IncludesBulkDomainAdd"),
    ] {
        let error = call(&client, name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{name}");
        assert!(error.to_string().contains(feature), "{error}");
    }
    assert_eq!(world.sandbox.violations(), [], "nothing was sent in vain");
}

#[tokio::test]
async fn a_domain_is_verified_by_dns_in_two_steps_whichever_way_failure_is_told() {
    for status in [200, 400] {
        let world = World::new("Pro 2").await;
        world
            .tell("settings", json!({"dns_failure_status": status}))
            .await;
        let client = world.client().build(&world.context).unwrap();
        let token = client.generate_dns_token("new.example").await.unwrap();
        assert!(token.txt_record_value.starts_with("hibp-verify="));
        assert!(!client.verify_dns_token("new.example").await.unwrap());
        world
            .tell(
                "domains",
                json!({"domain": "new.example", "txt": token.txt_record_value}),
            )
            .await;
        assert!(client.verify_dns_token("new.example").await.unwrap());
    }
}

#[tokio::test]
async fn another_mailbox_is_refused_before_anything_is_sent() {
    let world = World::new("Pro 2").await;
    let client = world.client().build(&world.context).unwrap();
    let error = client
        .send_verification_email("new.example", "ceo")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(world.sandbox.requests(), []);
}

#[tokio::test]
async fn a_password_is_counted_by_either_hash_without_a_key() {
    let world = World::new("Pro 2").await;
    let client = world.client().build(&world.context).unwrap();
    for (password, expected) in [("password", 10_434_004), ("dragon", 1_118_451)] {
        let sha1 = client.check_password(Password::from(password)).await;
        let ntlm = client.check_password_ntlm(Password::from(password)).await;
        assert_eq!((sha1.unwrap(), ntlm.unwrap()), (expected, expected));
    }
    let unseen = client
        .check_password(Password::from("nobody ever chose this one 9f3"))
        .await;
    assert_eq!(unseen.unwrap(), 0);
    assert_eq!(world.sandbox.violations(), []);
}

#[tokio::test]
async fn a_user_agent_that_names_nobody_is_refused() {
    let world = World::new("Pro 2").await;
    for agent in ["", "protect", "Mozilla/5.0 (X11)", "a/", "näme/1"] {
        let error = world
            .client()
            .user_agent(agent)
            .build(&world.context)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{agent}");
    }
}

#[tokio::test]
async fn a_call_gives_up_at_its_deadline() {
    let world = World::new("Pro 2").await;
    let client = world.client().build(&world.context).unwrap();
    client.subscription_status().await.unwrap();
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::RateLimitedSeconds).seconds(600));
    let error = client
        .within(std::time::Duration::from_secs(5))
        .breached_account("account-exists@hibp-integration-tests.com")
        .await
        .unwrap_err();
    assert!(error.is_retryable(), "{error}");
}
