use std::time::Duration;

use protect_connectors::core::ErrorKind;
use protect_sandbox::{Fault, FaultKind, Vendor};
use serde_json::json;

use super::{errors, open_findings, scan};
use crate::support::{World, exported};

/// A fault, where, and which kinds of error it may be; without any the scan comes to its end.
type Case = (FaultKind, Vendor, &'static [ErrorKind]);

#[tokio::test]
async fn whatever_a_vendor_answers_a_scan_loses_and_resolves_nothing_and_recovers() {
    use ErrorKind as K;
    let world = World::fast(20).await;
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    assert!(scan(&acme).await.complete);
    let known = open_findings(&acme).await;
    assert!(known.len() >= 3, "{known:?}");
    let cases: [Case; 24] = [
        (FaultKind::Unauthorized, Vendor::Hibp, &[]),
        (FaultKind::ScopeRemoved, Vendor::Hibp, &[]),
        (
            FaultKind::ScopeRemoved,
            Vendor::OnePassword,
            &[K::PermissionDenied],
        ),
        (
            FaultKind::RateLimitedBare,
            Vendor::Hibp,
            &[K::RateLimited, K::Timeout],
        ),
        (
            FaultKind::RateLimitedSeconds,
            Vendor::Hibp,
            &[K::RateLimited, K::Timeout],
        ),
        (
            FaultKind::RateLimitedDate,
            Vendor::OnePassword,
            &[K::RateLimited, K::Timeout],
        ),
        (
            FaultKind::RateLimitedBare,
            Vendor::OnePassword,
            &[K::RateLimited, K::Timeout],
        ),
        (FaultKind::Unavailable, Vendor::Hibp, &[K::Unavailable]),
        (
            FaultKind::Unavailable,
            Vendor::OnePassword,
            &[K::Unavailable],
        ),
        (FaultKind::Html200, Vendor::Hibp, &[K::InvalidResponse]),
        (
            FaultKind::Html200,
            Vendor::OnePassword,
            &[K::InvalidResponse],
        ),
        (FaultKind::Html502, Vendor::Hibp, &[K::Unavailable]),
        (
            FaultKind::TruncatedJson,
            Vendor::Hibp,
            &[K::InvalidResponse],
        ),
        (
            FaultKind::TruncatedJson,
            Vendor::OnePassword,
            &[K::InvalidResponse],
        ),
        (
            FaultKind::ResetMidBody,
            Vendor::Hibp,
            &[K::Unavailable, K::InvalidResponse],
        ),
        (
            FaultKind::CloseEarly,
            Vendor::OnePassword,
            &[K::Unavailable],
        ),
        (
            FaultKind::RedirectElsewhere,
            Vendor::Hibp,
            &[K::InvalidResponse],
        ),
        (
            FaultKind::RedirectElsewhere,
            Vendor::OnePassword,
            &[K::InvalidResponse],
        ),
        (FaultKind::HugeBody, Vendor::Hibp, &[K::InvalidResponse]),
        (
            FaultKind::HugeBody,
            Vendor::OnePassword,
            &[K::InvalidResponse],
        ),
        (FaultKind::UnknownEnum, Vendor::OnePassword, &[]),
        (FaultKind::NewFields, Vendor::OnePassword, &[]),
        (FaultKind::NewFields, Vendor::Hibp, &[]),
        (FaultKind::DuplicateItems, Vendor::OnePassword, &[]),
    ];
    for (kind, vendor, expected) in cases {
        let case = format!("{kind:?} at {vendor:?}");
        world.advance(Duration::from_hours(13));
        world.sandbox.set_fault(Fault::new(kind).at(vendor));
        let summary = scan(&acme).await;
        world.sandbox.clear_faults();
        let errors = errors(&summary);
        assert_eq!(summary.complete, expected.is_empty(), "{case}: {errors:?}");
        for (connector, error) in errors {
            assert!(expected.contains(&error.kind), "{case}: {error:?}");
            let name = if vendor == Vendor::Hibp {
                "breaches"
            } else {
                "passwords"
            };
            assert_eq!(connector, name, "{case}: {error:?}");
            assert_eq!(
                error.context.get("tenant").map(String::as_str),
                Some("acme"),
                "{case}: {error:?}"
            );
            let connection = if vendor == Vendor::Hibp {
                "hibp"
            } else {
                "acme-passwords"
            };
            assert_eq!(
                error.context.get("connection").map(String::as_str),
                Some(connection),
                "{case}: {error:?}"
            );
            assert!(!error.operation.is_empty(), "{case}: {error:?}");
        }
        let now = open_findings(&acme).await;
        // Who is not let in at all is told as a finding, too.
        let told = now.len() > known.len();
        let denied = matches!(kind, FaultKind::Unauthorized | FaultKind::ScopeRemoved);
        assert_eq!(told, denied || !expected.is_empty(), "{case}: {now:?}");
        let lost: Vec<_> = known.iter().filter(|id| !now.contains(id)).collect();
        assert!(lost.is_empty(), "{case}: {lost:?}");
    }
    world.advance(Duration::from_hours(13));
    let after = scan(&acme).await;
    assert!(after.complete, "{after:?}");
    assert_eq!(
        open_findings(&acme).await,
        known,
        "no operational finding stays"
    );
    assert!(exported(&engine).await.1.valid);
}

#[tokio::test]
async fn numbers_as_strings_are_read_or_named_and_lose_nothing() {
    let world = World::fast(20).await;
    let acme = world.tenant().await;
    assert!(scan(&acme).await.complete);
    let known = open_findings(&acme).await;
    for vendor in [Vendor::Hibp, Vendor::OnePassword] {
        world.advance(Duration::from_hours(13));
        let fault = Fault::new(FaultKind::NumbersAsStrings).at(vendor);
        world.sandbox.set_fault(fault);
        let summary = scan(&acme).await;
        world.sandbox.clear_faults();
        for (_, error) in errors(&summary) {
            assert_eq!(error.kind, ErrorKind::InvalidResponse, "{error:?}");
        }
        let now = open_findings(&acme).await;
        assert!(known.iter().all(|id| now.contains(id)), "{vendor:?}");
    }
}

#[tokio::test]
async fn an_account_that_the_vendor_does_not_know_is_named_and_loses_nothing() {
    let mut world = World::new().await;
    let known = {
        let acme = world.tenant().await;
        assert!(scan(&acme).await.complete);
        open_findings(&acme).await
    };
    let account = "/tenants/acme/connectors/passwords/account_id";
    world.set(account, json!("ZZZZZZZZZZZZZZZZZZZZZZZZZZ"));
    let acme = world.tenant().await;
    let summary = scan(&acme).await;
    assert!(!summary.complete);
    let errors = errors(&summary);
    assert!(!errors.is_empty());
    for (connector, error) in errors {
        assert_eq!(connector, "passwords", "{error:?}");
        assert_eq!(error.http_status, Some(404), "{error:?}");
        for (fact, value) in [("tenant", "acme"), ("connection", "acme-passwords")] {
            assert_eq!(error.context[fact], value, "{error:?}");
        }
    }
    let now = open_findings(&acme).await;
    assert!(known.iter().all(|id| now.contains(id)), "{now:?}");
}
