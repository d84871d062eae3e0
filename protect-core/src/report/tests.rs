use super::*;
use crate::engine::Engine;
use crate::model::{
    CheckId, Confidence, Finding, FindingId, FindingKind, FindingStatus, Incident, IncidentId,
    Observation, Severity, Subject, TenantId,
};
use crate::store::{Commit, Expect, MemoryStore, Put, RecordKind, Store};

const HOSTILE: &str = "<script>alert(1)</script>|`x`";

async fn tenant(findings: &[Finding]) -> Tenant {
    let registry = crate::registry::Registry::new();
    let text = "[tenants.acme]\nname = \"Acme & Sons\"\ndomains = [\"acme.example\"]\n";
    let config = crate::config::Config::from_toml(text, &registry).unwrap();
    let store = std::sync::Arc::new(MemoryStore::new());
    let mut commit = Commit::default();
    for finding in findings {
        let put = Put::new(RecordKind::Finding, finding.id.as_str(), finding).unwrap();
        commit = commit.put(put.expect(Expect::Absent));
    }
    store
        .commit(&TenantId::new("acme").unwrap(), commit)
        .await
        .unwrap();
    let context = crate::testing::context().context;
    let engine = Engine::builder(config, registry, context)
        .build(store)
        .unwrap();
    engine.tenant("acme").unwrap()
}

fn finding(number: u32, severity: Severity, status: FindingStatus) -> Finding {
    let tenant = TenantId::new("acme").unwrap();
    let check = CheckId::new("hibp.exposure.breach").unwrap();
    let subject = Subject::domain(&format!("{number}.example"));
    let seen = "2026-11-05T00:00:00Z".parse().unwrap();
    Finding {
        id: FindingId::of(&tenant, &check, &subject, ""),
        tenant,
        source: "breaches".parse().unwrap(),
        observation: Observation {
            check,
            kind: FindingKind::CredentialExposure,
            subject,
            discriminator: String::new(),
            cause: None,
            severity,
            confidence: Confidence::High,
            title: HOSTILE.to_owned(),
            reasons: Vec::new(),
            attribution: Some(Attribution {
                source: "Have I Been Pwned".to_owned(),
                url: "https://haveibeenpwned.com".to_owned(),
                licence: "CC BY 4.0".to_owned(),
            }),
            references: Vec::new(),
            details: crate::model::Attributes::new(),
            from_event: false,
        },
        status,
        baseline: false,
        occurrence: 1,
        first_seen: seen,
        last_seen: seen,
        resolved_at: None,
        acceptance: (status == FindingStatus::Accepted).then(|| crate::model::Acceptance {
            until: seen,
            reason: HOSTILE.to_owned(),
            author: "carol".to_owned(),
        }),
        incident: None,
    }
}

#[tokio::test]
async fn open_and_accepted_findings_lower_the_score_and_settled_ones_do_not() {
    let findings = [
        finding(1, Severity::Critical, FindingStatus::New),
        finding(2, Severity::High, FindingStatus::Accepted),
        finding(3, Severity::Critical, FindingStatus::Resolved),
        finding(4, Severity::Critical, FindingStatus::FalsePositive),
    ];
    let score = tenant(&findings).await.score().await.unwrap();
    assert_eq!(score.total, Some(100 - 25 - 15));
    assert_eq!(score.weights.exposures["critical"], 25);
    let nothing = tenant(&[]).await.score().await.unwrap();
    assert_eq!(
        nothing.total, None,
        "nothing was looked at is not a good score"
    );
}

#[tokio::test]
async fn outside_text_stays_text_in_every_form_and_the_source_is_credited() {
    let findings = [finding(1, Severity::Low, FindingStatus::Accepted)];
    let month = "2026-11".parse().unwrap();
    let report = tenant(&findings).await.report(month, &[]).await.unwrap();
    let html = report.to_html().unwrap();
    assert!(!html.contains("<script>"));
    assert!(html.contains("&lt;script&gt;") && html.contains("Acme &amp; Sons"));
    let markdown = report.to_markdown();
    assert!(markdown.contains("\\<script\\>"), "{markdown}");
    let json: Report = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    assert_eq!(json, report);
    for text in [html, markdown] {
        assert!(text.contains("Have I Been Pwned") && text.contains("CC BY 4.0"));
    }
}

#[tokio::test]
async fn incidents_that_differ_only_in_whom_they_are_about_are_one_line() {
    let tenant = tenant(&[]).await;
    let mut commit = Commit::default();
    for (number, severity) in [(1, "high"), (2, "critical"), (3, "high")] {
        let cause = format!("subject:{number}");
        let incident: Incident = serde_json::from_value(serde_json::json!({
            "id": IncidentId::of(tenant.id(), &cause, 1), "tenant": "acme", "cause": cause,
            "generation": 1, "title": "More than one factor", "kind": "misconfiguration",
            "severity": severity, "status": "new", "findings": [],
            "opened_at": "2026-11-05T00:00:00Z", "updated_at": "2026-11-05T00:00:00Z",
        }))
        .unwrap();
        commit = commit.put(Put::new(RecordKind::Incident, &incident.id, &incident).unwrap());
    }
    tenant.store().commit(tenant.id(), commit).await.unwrap();
    let report = tenant
        .report("2026-11".parse().unwrap(), &[])
        .await
        .unwrap();
    let markdown = report.to_markdown();
    let lines: Vec<&str> = markdown
        .lines()
        .filter(|line| line.contains("More than one factor"))
        .map(str::trim)
        .collect();
    assert_eq!(
        lines,
        [
            "| critical | More than one factor | 1 | 0 | new |",
            "| high | More than one factor | 2 | 0 | new |",
        ]
    );
}

#[tokio::test]
async fn a_section_of_ones_own_stands_in_the_report() {
    #[derive(Debug)]
    struct Own;
    #[async_trait]
    impl ReportSection for Own {
        async fn write(&self, tenant: &Tenant, month: Month) -> Result<Option<Section>> {
            Ok(Some(Section {
                id: "own".to_owned(),
                title: "Our own".to_owned(),
                blocks: vec![Block::Text {
                    text: format!("{} in {month}", tenant.id()),
                }],
            }))
        }
    }
    let month = "2026-11".parse().unwrap();
    let report = tenant(&[]).await.report(month, &[&Own]).await.unwrap();
    assert!(report.to_html().unwrap().contains("acme in 2026-11"));
}

#[tokio::test]
async fn shares_over_time_are_drawn_without_script_and_said_in_words() {
    #[derive(Debug)]
    struct Shares;
    #[async_trait]
    impl ReportSection for Shares {
        async fn write(&self, _: &Tenant, _: Month) -> Result<Option<Section>> {
            let line = |label: &str, percent: [Option<f64>; 3]| Line {
                label: label.to_owned(),
                percent: percent.into(),
            };
            Ok(Some(Section {
                id: "shares".to_owned(),
                title: "Shares".to_owned(),
                blocks: vec![Block::Lines {
                    title: HOSTILE.to_owned(),
                    along: vec!["1".to_owned(), HOSTILE.to_owned(), "3".to_owned()],
                    lines: vec![
                        line("one", [Some(10.0), Some(90.0), None]),
                        line(HOSTILE, [None, Some(50.0), None]),
                    ],
                }],
            }))
        }
    }
    let month = "2026-11".parse().unwrap();
    let report = tenant(&[]).await.report(month, &[&Shares]).await.unwrap();
    let html = report.to_html().unwrap();
    assert!(
        html.contains("<svg viewBox") && html.contains("aria-label=\"&lt;script"),
        "{html}"
    );
    assert!(
        html.contains("<circle") && html.contains("stroke-dasharray"),
        "{html}"
    );
    assert!(!html.contains("<script"));
    let markdown = report.to_markdown();
    assert!(markdown.contains("| 1 | 10.0 % |"), "{markdown}");
    let json: Report = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    assert_eq!(json, report);
}

#[tokio::test]
async fn the_score_of_each_day_is_kept_and_drawn_and_compared_with_the_month_before() {
    let tenant = tenant(&[finding(1, Severity::Critical, FindingStatus::New)]).await;
    let day = |day: &str, total: u32| DayScore {
        day: day.to_owned(),
        at: format!("{day}T10:00:00Z").parse().unwrap(),
        total: Some(total),
        parts: [("dark_web".to_owned(), total)].into(),
        members: std::collections::BTreeMap::new(),
    };
    let mut commit = Commit::default();
    for score in [day("2025-12-30", 50), day("2025-12-31", 60)] {
        commit = commit.put(Put::new(RecordKind::Score, score.day.as_str(), &score).unwrap());
    }
    tenant.store().commit(tenant.id(), commit).await.unwrap();
    // The test's clock begins with January.
    tenant.scan().await.unwrap();
    let january = "2026-01".parse().unwrap();
    let kept = tenant.score_history(january).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].day.as_str(), kept[0].total),
        ("2026-01-01", Some(75))
    );
    let score = tenant.score().await.unwrap();
    assert_eq!(score.month_before.unwrap().day, "2025-12-31");
    assert_eq!(score.change, Some(15));
    let report = tenant.report(january, &[]).await.unwrap();
    let ids: Vec<_> = report.sections.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids[..2], ["summary", "score"]);
    assert!(report.to_markdown().contains("dark web: 75"));
}

async fn with_branding(branding: &str) -> crate::error::Result<Report> {
    let registry = crate::registry::Registry::new();
    let text = format!("[tenants.acme]\nname = \"Acme\"\n[tenants.acme.branding]\n{branding}\n");
    let config = crate::config::Config::from_toml(&text, &registry)?;
    let context = crate::testing::context().context;
    let engine = Engine::builder(config, registry, context);
    let engine = engine.build(std::sync::Arc::new(MemoryStore::new()))?;
    let acme = engine.tenant("acme")?;
    acme.report("2026-11".parse()?, &[]).await
}

#[tokio::test]
async fn a_report_wears_the_tenants_branding_and_fetches_nothing() {
    let report = with_branding(
        "logo = \"data:image/png;base64,iVBORw0KGgo=\"\nprimary = \"#ffd400\"\naccent = \"#0b3d91\"\nfooter = \"Acme <IT>\"",
    );
    let html = report.await.unwrap().to_html().unwrap();
    assert!(
        html.contains("<img src=\"data:image&#x2f;png;base64,iVBORw0KGgo=\""),
        "{html}"
    );
    assert!(
        html.contains("background: #ffd400; color: #1b1f24"),
        "dark ink on yellow: {html}"
    );
    assert!(html.contains("--bar: #0b3d91") && html.contains("Acme &lt;IT&gt;"));
    for outside in ["http://", "https://", "<script", "<link", "@import", "url("] {
        assert!(!html.contains(outside), "{outside} in {html}");
    }
}

#[tokio::test]
async fn branding_that_could_not_be_read_is_refused_when_the_configuration_is_loaded() {
    for (branding, says) in [
        ("accent = \"#ffe08a\"", "contrast"),
        ("primary = \"blue\"", "not a colour"),
        ("logo = \"https://acme.example/logo.png\"", "not a picture"),
        ("colour = \"#000000\"", "colour"),
    ] {
        let error = with_branding(branding).await.unwrap_err().to_string();
        assert!(error.contains(says), "{branding}: {error}");
    }
}

#[tokio::test]
async fn page_one_says_how_it_stands_what_changed_and_what_to_do_first_with_its_source() {
    let findings = [
        finding(1, Severity::High, FindingStatus::New),
        finding(2, Severity::Critical, FindingStatus::New),
        finding(3, Severity::Medium, FindingStatus::Resolved),
    ];
    let month = "2026-11".parse().unwrap();
    let report = tenant(&findings).await.report(month, &[]).await.unwrap();
    let summary = &report.sections[0];
    assert_eq!(summary.id, "summary");
    let markdown = report.to_markdown();
    assert!(
        markdown.contains("The protection score is 60 of 100 (fair)"),
        "{markdown}"
    );
    assert!(markdown.contains("3 new exposed credentials"), "{markdown}");
    assert!(
        markdown.contains("known from Have I Been Pwned (CC BY 4.0)"),
        "{markdown}"
    );
    let Some(Block::Table { rows, .. }) = summary.blocks.last() else {
        unreachable!("{summary:?}");
    };
    assert_eq!(
        rows[0][2..4],
        ["critical", "1"],
        "the heaviest first: {rows:?}"
    );
    assert!(
        rows.iter().all(|row| row[4].contains("Have I Been Pwned")),
        "{rows:?}"
    );
}

#[tokio::test]
async fn a_month_that_is_over_shows_its_own_score_and_not_that_of_now() {
    let tenant = tenant(&[finding(1, Severity::Critical, FindingStatus::New)]).await;
    let day = |day: &str, total: u32| DayScore {
        day: day.to_owned(),
        at: format!("{day}T10:00:00Z").parse().unwrap(),
        total: Some(total),
        parts: [("dark_web".to_owned(), total)].into(),
        members: std::collections::BTreeMap::new(),
    };
    let mut commit = Commit::default();
    for score in [
        day("2025-11-30", 40),
        day("2025-12-05", 50),
        day("2025-12-31", 62),
    ] {
        commit = commit.put(Put::new(RecordKind::Score, score.day.as_str(), &score).unwrap());
    }
    tenant.store().commit(tenant.id(), commit).await.unwrap();
    // The test's clock begins with January.
    let december = tenant
        .report("2025-12".parse().unwrap(), &[])
        .await
        .unwrap();
    assert_eq!(
        (december.score.total, december.score.change),
        (Some(62), Some(22))
    );
    assert_eq!(december.score.rating, Some(Rating::Fair));
}
