//! What bad input gets: an error that says where, and nothing lost.

use std::time::Duration;

use protect_connectors::Protect;
use protect_connectors::core::ErrorKind;
use protect_connectors::core::engine::{FindingFilter, ScanOptions, ScanSummary, Tenant};
use protect_connectors::core::model::{Address, FindingKind};
use protect_connectors::core::store::{SqliteOptions, SqliteStore};
use protect_sandbox::{Fault, FaultKind, Vendor};
use serde_json::json;
use sqlx::Connection as _;

use crate::support::{World, alice, exported, open_with};

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_its_place() {
    let world = World::new().await;
    let tenant = "/tenants/acme";
    for (pointer, value, said) in [
        ("/mod".to_owned(), json!("enforce"), &["mod", "mode"][..]),
        (
            format!("{tenant}/connectors/passwords/acount_id"),
            json!("x"),
            &["acme", "passwords", "acount_id", "account_id"],
        ),
        (
            "/connections/acme-passwords/scan/client_secrt".to_owned(),
            json!({ "env": "X" }),
            &["acme-passwords", "client_secrt", "client_secret"],
        ),
        (
            "/connections/hibp/scan/api_key".to_owned(),
            json!("in the clear"),
            &["hibp", "api_key"],
        ),
        (
            "/connections/hibp/endpoints/api".to_owned(),
            json!("http://hibp.example/api/v3"),
            &["hibp", "api", "https"],
        ),
        (
            "/connections/acme-desk/endpoints/url".to_owned(),
            json!("http://desk.example/hook"),
            &["acme-desk", "url", "https"],
        ),
        (
            format!("{tenant}/rules/0/when/severty"),
            json!(">=high"),
            &["acme", "leaked password", "severty", "severity"],
        ),
        (
            format!("{tenant}/rules/0/when/severity"),
            json!(">=hihg"),
            &["acme", "leaked password", "severity", "high"],
        ),
        (
            format!("{tenant}/rules/0/when/kind"),
            json!("credential_exposur"),
            &["acme", "leaked password", "kind", "credential_exposure"],
        ),
        (
            format!("{tenant}/rules/0/then"),
            json!(["suspend_acount"]),
            &["acme", "leaked password", "suspend_account"],
        ),
        (
            format!("{tenant}/rules/0/then"),
            json!([{ "action": "suspend_account", "fore": "24h" }]),
            &["acme", "leaked password", "fore", "for"],
        ),
        (
            format!("{tenant}/connectors/breaches/connection"),
            json!("hipb"),
            &["acme", "breaches", "connection"],
        ),
    ] {
        let mut config = world.config.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        config.pointer_mut(parent).unwrap()[key] = value;
        let opened = Protect::builder().context(world.context());
        let error = opened.open_config(&config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{pointer}: {error}");
        let shown = error.to_string();
        for word in said {
            assert!(shown.contains(word), "{pointer}: no `{word}` in: {shown}");
        }
        assert!(!shown.contains("in the clear"), "{shown}");
    }
    assert!(world.sandbox.requests().is_empty(), "nobody was asked");
}

#[tokio::test]
async fn a_missing_secret_is_named_with_tenant_connector_and_reference_and_stops_nobody_else() {
    let mut world = World::new().await;
    let gone = json!({ "file": world.folder.path().join("gone.key") });
    world.set("/connections/hibp/scan/api_key", gone);
    let acme = world.tenant().await;
    let summary = scan(&acme).await;
    assert!(!summary.complete);
    for scan in &summary.connectors {
        let is_it = scan.connector.as_str() == "breaches";
        assert_eq!(scan.error.is_some(), is_it, "{scan:?}");
        if let Some(error) = &scan.error {
            assert_eq!(error.kind, ErrorKind::ConfigInvalid);
            for word in ["acme", "breaches", "hibp", "gone.key"] {
                let shown = serde_json::to_string(&error).unwrap();
                assert!(shown.contains(word), "no `{word}` in {shown}");
            }
        }
    }
}

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

#[tokio::test]
async fn odd_addresses_are_watched_and_found_or_refused_by_name() {
    let world = World::new().await;
    let acme = world.tenant().await;
    let odd = [
        "Big.Capitals@Acme.Example",
        "plus+tag@acme.example",
        "o'brien@acme.example",
        "\"two words\"@acme.example",
        "gr\u{fc}n@acme.example",
        "someone@b\u{fc}cher.example",
        "under_score-dash@sub.other.example",
    ];
    let mut watched = Vec::new();
    for text in odd {
        match Address::new(text) {
            Ok(address) => {
                acme.monitor_add(&address, &alice()).await.unwrap();
                watched.push(address.as_str().to_owned());
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
                assert!(!error.to_string().contains(text), "{error}");
            }
        }
    }
    assert!(watched.len() >= 3, "{watched:?}");
    world.leak("OddLeak", &watched);
    let summary = scan(&acme).await;
    assert!(summary.complete, "{:?}", errors(&summary));
    let filter = FindingFilter {
        kinds: vec![FindingKind::CredentialExposure],
        limit: Some(1_000),
        ..FindingFilter::default()
    };
    let found = acme.findings(&filter).await.unwrap().findings;
    for address in &watched {
        let is_it = found.iter().any(|f| f.observation.subject.id == *address);
        assert!(is_it, "nothing about {address}");
    }
    world.assert_no_violations();
    for text in [
        "",
        "@",
        "no-at",
        "two@at@signs@",
        "a@b\u{0}",
        " @acme.example",
    ] {
        assert!(Address::new(text).is_err(), "{text:?} is an address");
    }
}

fn forced() -> ScanOptions {
    ScanOptions {
        forced: true,
        ..ScanOptions::default()
    }
}

async fn scan(tenant: &Tenant) -> ScanSummary {
    tenant.scan_with(forced()).await.unwrap()
}

/// The ids of what is open.
async fn open_findings(tenant: &Tenant) -> Vec<String> {
    let filter = FindingFilter {
        limit: Some(1_000),
        ..FindingFilter::default()
    };
    let page = tenant.findings(&filter).await.unwrap();
    let open = page.findings.into_iter().filter(|f| f.status.is_open());
    open.map(|finding| finding.id.to_string()).collect()
}

/// What went wrong, by connector.
fn errors(summary: &ScanSummary) -> Vec<(String, protect_connectors::core::ErrorEnvelope)> {
    let scans = summary.connectors.iter().map(|s| (&s.connector, &s.error));
    let directories = summary.directories.iter().map(|d| (&d.connector, &d.error));
    scans
        .chain(directories)
        .filter_map(|(name, error)| Some((name.to_string(), error.clone()?)))
        .collect()
}
