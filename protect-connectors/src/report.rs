//! Sections of the monthly report that belong to single connectors.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use protect_core::Result;
use protect_core::engine::Tenant;
use protect_core::model::ConnectorName;
use protect_core::report::{Block, Figure, Line, Month, ReportSection, Section};
use protect_email::reports::summary::{DomainSummary, summarise};
use protect_email::reports::volumes::{Counts, Month as MailMonth, Volumes};

/// Every section of this build, in order.
pub fn sections() -> Vec<&'static dyn ReportSection> {
    vec![&Mail]
}

/// Sources that are drawn.
const SOURCES: usize = 8;

/// The mail in the name of the tenant's domains, as aggregate reports tell it.
#[derive(Debug)]
struct Mail;

#[async_trait]
impl ReportSection for Mail {
    async fn write(&self, tenant: &Tenant, month: Month) -> Result<Option<Section>> {
        let mut volumes = Volumes::default();
        for (name, connector) in &tenant.config().connectors {
            if connector.kind == protect_email::KIND {
                read(tenant, name, month, &mut volumes).await?;
            }
        }
        let domains = summarise(&volumes);
        if domains.is_empty() {
            return Ok(None);
        }
        Ok(Some(Section {
            id: "mail".to_owned(),
            title: "Mail in the name of your domains".to_owned(),
            blocks: vec![
                figures(&domains),
                text("Share of the mail that receivers found genuine (DMARC), by day:"),
                rates(&volumes, month, "genuine mail", Counts::pass_rate),
                text(
                    "Share of the mail that came from a server that the domain's SPF names, by day:",
                ),
                rates(&volumes, month, "mail with SPF", Counts::spf_rate),
                text("Share of the mail that bears the domain's own signature (DKIM), by day:"),
                rates(&volumes, month, "mail with DKIM", Counts::dkim_rate),
                text("Messages by sender:"),
                senders(&domains),
                table(&domains),
            ],
        }))
    }
}

/// What the connector keeps of a month. Of a domain that left the watch list the past stays true.
async fn read(
    tenant: &Tenant,
    connector: &ConnectorName,
    month: Month,
    volumes: &mut Volumes,
) -> Result<()> {
    let wanted = month.to_string();
    for (key, value) in tenant.scanner_state(connector, "month:").await? {
        let parts: Vec<_> = key.split(':').collect();
        let [_, domain, of] = parts.as_slice() else {
            continue;
        };
        // What an older version stored and this one cannot read is left out.
        if *of == wanted
            && let Ok(part) = serde_json::from_value::<MailMonth>(value)
        {
            volumes.add(domain, of, part);
        }
    }
    Ok(())
}

fn figures(domains: &[DomainSummary]) -> Block {
    let sum = |of: fn(&DomainSummary) -> u64| Figure {
        label: String::new(),
        value: domains.iter().map(of).fold(0, u64::saturating_add),
    };
    let figure = |label: &str, of| Figure {
        label: label.to_owned(),
        ..sum(of)
    };
    Block::Figures {
        figures: vec![
            figure("messages", |domain| domain.counts.messages),
            figure("genuine", |domain| domain.counts.passed),
            figure("quarantined or refused", |domain| {
                domain
                    .counts
                    .quarantined
                    .saturating_add(domain.counts.rejected)
            }),
            figure("unknown senders", |domain| domain.unknown_senders),
        ],
    }
}

fn text(text: &str) -> Block {
    Block::Text {
        text: text.to_owned(),
    }
}

/// A line a domain, a point a day.
fn rates(
    volumes: &Volumes,
    month: Month,
    of_what: &str,
    rate: fn(&Counts) -> Option<f64>,
) -> Block {
    let days = days(month);
    let lines = volumes.domains().map(|(domain, months)| {
        let mut by_day: BTreeMap<Date, Counts> = BTreeMap::new();
        for (day, counts) in months.values().flat_map(MailMonth::days) {
            by_day.entry(day).or_default().add(&counts);
        }
        let percent = |day: &Date| rate(by_day.get(day)?).map(|share| share * 100.0);
        Line {
            label: domain.to_owned(),
            percent: days.iter().map(percent).collect(),
        }
    });
    Block::Lines {
        title: format!("Share of {of_what} by day in {month}, in percent"),
        along: days.iter().map(|day| day.day().to_string()).collect(),
        lines: lines.collect(),
    }
}

fn days(month: Month) -> Vec<Date> {
    let first = month.start().to_zoned(TimeZone::UTC).date();
    first
        .series(jiff::Span::new().days(1))
        .take_while(|day| day.month() == first.month())
        .collect()
}

fn senders(domains: &[DomainSummary]) -> Block {
    let mut messages: BTreeMap<String, u64> = BTreeMap::new();
    for source in domains.iter().flat_map(|domain| &domain.top_sources) {
        let name = source
            .sender
            .clone()
            .unwrap_or_else(|| source.source.to_string());
        let sum = messages.entry(name).or_default();
        *sum = sum.saturating_add(source.counts.messages);
    }
    let mut bars: Vec<_> = messages
        .into_iter()
        .map(|(label, value)| Figure { label, value })
        .collect();
    bars.sort_by(|a, b| b.value.cmp(&a.value).then(a.label.cmp(&b.label)));
    bars.truncate(SOURCES);
    Block::Bars { bars }
}

fn table(domains: &[DomainSummary]) -> Block {
    let rows = domains.iter().map(|domain| {
        let percent = |rate: Option<f64>| {
            let shown = rate.map(|rate| format!("{:.1} %", rate * 100.0));
            shown.unwrap_or_default()
        };
        vec![
            domain.domain.clone(),
            domain.reports.to_string(),
            domain.counts.messages.to_string(),
            percent(domain.pass_rate),
            percent(domain.spf_rate),
            percent(domain.dkim_rate),
            domain.unknown_senders.to_string(),
        ]
    });
    let columns = [
        "domain",
        "reports",
        "messages",
        "genuine",
        "SPF",
        "DKIM",
        "unknown senders",
    ];
    Block::Table {
        columns: columns.map(str::to_owned).into(),
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use protect_core::testing;
    use serde_json::json;

    use super::*;
    use crate::Protect;

    /// The title of a drawing of lines, how many points it has, and its first line.
    fn lines(block: &Block) -> Option<(&str, usize, &Line)> {
        match block {
            Block::Lines {
                title,
                along,
                lines,
            } => Some((title, along.len(), lines.first()?)),
            _ => None,
        }
    }

    fn report(day: u32, passed: u32) -> String {
        // 2026-01-01 and after, at the beginning of the test's clock.
        let begin = 1_767_225_600 + day * 86_400;
        let end = begin + 86_399;
        let row = |source: &str, count: u32, result: &str, spf: &str| {
            format!(
                "<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated>\
                 <disposition>none</disposition><dkim>{result}</dkim><spf>{spf}</spf></policy_evaluated></row>\
                 <identifiers><header_from>b.example</header_from></identifiers><auth_results/></record>"
            )
        };
        format!(
            "<feedback><report_metadata><org_name>R</org_name><report_id>{day}</report_id>\
             <date_range><begin>{begin}</begin><end>{end}</end></date_range></report_metadata>\
             <policy_published><domain>b.example</domain><p>none</p></policy_published>{}{}{}</feedback>",
            row("192.0.2.1", passed - 10, "pass", "fail"),
            row("192.0.2.1", 10, "fail", "pass"),
            row("192.0.2.66", 100 - passed, "fail", "fail"),
        )
    }

    #[tokio::test]
    async fn a_scan_reads_reports_and_the_months_report_draws_them() {
        let folder = tempfile::tempdir().unwrap();
        for (day, passed) in [(0, 90), (1, 50)] {
            let path = folder.path().join(format!("{day}.xml"));
            std::fs::write(path, report(day, passed)).unwrap();
        }
        let test = testing::context();
        test.dns.set_txt("_dmarc.b.example", &["v=DMARC1; p=none"]);
        let config = json!({
            "store": { "kind": "memory" },
            "tenants": { "acme": {
                "name": "Acme",
                "domains": ["b.example"],
                "monitor": { "domains": true },
                "connectors": { "mail": { "kind": "email", "reports": folder.path() } },
            } },
        });
        let opened = Protect::builder()
            .context(test.context)
            .open_config(&config);
        let acme = opened.await.unwrap().tenant("acme").unwrap();
        let summary = acme.scan().await.unwrap();
        assert!(summary.complete, "{summary:?}");
        let month = "2026-01".parse().unwrap();
        let report = acme.report(month, &sections()).await.unwrap();
        let mail = report
            .sections
            .iter()
            .find(|section| section.id == "mail")
            .unwrap();
        let drawn: Vec<_> = mail.blocks.iter().filter_map(lines).collect();
        assert!(drawn.iter().all(|(_, along, _)| *along == 31));
        let told: Vec<_> = drawn
            .iter()
            .map(|(title, _, line)| (*title, line.percent[..3].to_vec()))
            .collect();
        assert_eq!(
            told,
            [
                (
                    "Share of genuine mail by day in 2026-01, in percent",
                    vec![Some(90.0), Some(50.0), None]
                ),
                (
                    "Share of mail with SPF by day in 2026-01, in percent",
                    vec![Some(10.0), Some(10.0), None]
                ),
                (
                    "Share of mail with DKIM by day in 2026-01, in percent",
                    vec![Some(80.0), Some(40.0), None]
                ),
            ]
        );
        let html = report.to_html().unwrap();
        // Two of the score, and one of each share.
        assert_eq!(html.matches("<path d=\"M40").count(), 5, "{html}");
        assert!(
            report
                .to_markdown()
                .contains("| b.example | 2 | 200 | 70.0 % | 10.0 % | 60.0 % | 1 |")
        );
    }
}
