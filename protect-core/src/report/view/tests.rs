use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::config::Config;
use crate::engine::Engine;
use crate::model::{CheckId, Confidence, FindingId, IncidentId, Observation, Subject, TenantId};
use crate::registry::Registry;
use crate::store::{Commit, MemoryStore, Put, Store};

/// What stands in the stored finding and must never come out.
const INTERNAL: [&str; 4] = [
    "inc-secret",
    "pastebin.example/raw/1",
    "note-to-self",
    "alice-approver",
];

fn exposed(tenant: &str, address: &str, breach: Option<&str>) -> Finding {
    let tenant = TenantId::new(tenant).unwrap();
    let check = CheckId::new("hibp.exposure.breach").unwrap();
    let subject = Subject::address(&Address::new(address).unwrap());
    let seen = "2026-11-05T00:00:00Z".parse().unwrap();
    let details = json!({
        "breach_date": "2026-10-01", "data_classes": ["Passwords", "Phone numbers"],
        "dump": INTERNAL[1], "note": INTERNAL[2], "approved_by": INTERNAL[3],
    });
    Finding {
        id: FindingId::of(&tenant, &check, &subject, breach.unwrap_or(INTERNAL[1])),
        tenant,
        source: "breaches".parse().unwrap(),
        observation: Observation {
            check,
            kind: FindingKind::CredentialExposure,
            subject,
            discriminator: breach.unwrap_or(INTERNAL[1]).to_owned(),
            cause: breach.map(|name| format!("breach:{name}")),
            severity: Severity::High,
            confidence: Confidence::High,
            title: "Stands in a paste".to_owned(),
            reasons: vec![INTERNAL[2].to_owned()],
            attribution: Some(Attribution {
                source: "Have I Been Pwned".to_owned(),
                url: "https://haveibeenpwned.com".to_owned(),
                licence: "CC BY 4.0".to_owned(),
            }),
            references: Vec::new(),
            details: details.as_object().unwrap().clone(),
            from_event: false,
        },
        status: FindingStatus::New,
        baseline: false,
        occurrence: 1,
        first_seen: seen,
        last_seen: seen,
        resolved_at: None,
        acceptance: None,
        incident: Some(INTERNAL[0].parse::<IncidentId>().unwrap()),
    }
}

async fn engine(switches: &str) -> Engine {
    let registry = Registry::new();
    let text = format!(
        "[tenants.acme]\nname = \"Acme\"\ndomains = [\"acme.example\"]\n{switches}\n[tenants.beta]\nname = \"Beta\"\n"
    );
    let config = Config::from_toml(&text, &registry).unwrap();
    let store = Arc::new(MemoryStore::new());
    let findings = [
        exposed("acme", "jane@acme.example", Some("Adobe")),
        exposed("acme", "john@acme.example", None),
        exposed("beta", "bea@beta.example", Some("Canva")),
    ];
    for finding in findings {
        let put = Put::new(RecordKind::Finding, finding.id.as_str(), &finding).unwrap();
        let commit = Commit::default().put(put);
        store.commit(&finding.tenant, commit).await.unwrap();
    }
    let context = crate::testing::context().context;
    Engine::builder(config, registry, context)
        .build(store)
        .unwrap()
}

async fn seen_by(level: AccessLevel, address: Option<&str>) -> ClientView {
    let acme = engine("").await.tenant("acme").unwrap();
    let address = address.map(|address| Address::new(address).unwrap());
    acme.client_view(&Viewer { level, address }).await.unwrap()
}

fn accounts(view: &ClientView) -> Vec<&str> {
    let mut accounts: Vec<_> = view
        .alerts
        .iter()
        .flatten()
        .map(|alert| alert.account.as_str())
        .collect();
    accounts.sort_unstable();
    accounts
}

#[tokio::test]
async fn who_administers_the_company_sees_addresses_and_others_only_their_own() {
    let admin = seen_by(AccessLevel::CompanyAdmin, None).await;
    assert_eq!(accounts(&admin), ["jane@acme.example", "john@acme.example"]);
    let company = seen_by(AccessLevel::Company, Some("Jane@acme.example")).await;
    assert_eq!(
        accounts(&company),
        ["j***@acme.example", "jane@acme.example"]
    );
    let own = seen_by(AccessLevel::Own, Some("jane@acme.example")).await;
    assert_eq!(accounts(&own), ["jane@acme.example"]);
    let nobody = seen_by(AccessLevel::Own, None).await;
    assert!(accounts(&nobody).is_empty());
}

#[tokio::test]
async fn nothing_internal_is_in_any_view() {
    for level in AccessLevel::ALL {
        let view = seen_by(level, Some("john@acme.example")).await;
        let shown = serde_json::to_string(&view).unwrap();
        for secret in INTERNAL {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(
            !shown.contains("bea") && !shown.contains("Canva"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn an_alert_says_by_what_when_and_what_was_exposed_with_its_credit() {
    let view = seen_by(AccessLevel::CompanyAdmin, None).await;
    let alerts = view.alerts.unwrap();
    let jane = alerts
        .iter()
        .find(|alert| alert.account.starts_with("jane"))
        .unwrap();
    assert_eq!(jane.breach_name, "Adobe");
    assert_eq!(jane.breach_date.as_deref(), Some("2026-10-01"));
    assert_eq!(jane.data_types, ["Passwords", "Phone numbers"]);
    let john = alerts
        .iter()
        .find(|alert| alert.account.starts_with("john"))
        .unwrap();
    assert_eq!(
        john.breach_name, "Stands in a paste",
        "a paste has no name that is no place"
    );
    assert_eq!(view.credits.len(), 1);
    assert_eq!(view.credits[0].licence, "CC BY 4.0");
}

#[tokio::test]
async fn each_switch_takes_its_part_away() {
    type Has = fn(&ClientView) -> bool;
    let parts: [(&str, Has); 4] = [
        ("protection_dashboard", |view| view.score.is_some()),
        ("active_alerts", |view| {
            view.alerts.is_some() || !view.credits.is_empty()
        }),
        ("dmarc_status", |view| view.domains.is_some()),
        ("reports", |view| view.reports.is_some()),
    ];
    for (off, _) in parts {
        let switches = format!("client_view = {{ {off} = false }}");
        let acme = engine(&switches).await.tenant("acme").unwrap();
        let viewer = Viewer {
            level: AccessLevel::CompanyAdmin,
            address: None,
        };
        let view = acme.client_view(&viewer).await.unwrap();
        for (part, has) in parts {
            assert_eq!(has(&view), part != off, "{part} with {off} switched off");
        }
    }
}

#[tokio::test]
async fn a_report_is_kept_as_it_was_and_listed() {
    let acme = engine("").await.tenant("acme").unwrap();
    let month: Month = "2026-11".parse().unwrap();
    let made = acme.keep_report(month).await.unwrap();
    assert_eq!(acme.keep_report(month).await.unwrap(), made);
    let viewer = |level| Viewer {
        level,
        address: None,
    };
    let view = acme
        .client_view(&viewer(AccessLevel::Company))
        .await
        .unwrap();
    let reports = view.reports.unwrap();
    assert_eq!((reports.len(), reports[0].period), (1, month));
    let own = acme.client_view(&viewer(AccessLevel::Own)).await.unwrap();
    assert!(
        own.reports.unwrap().is_empty(),
        "a report tells of everybody"
    );
}
