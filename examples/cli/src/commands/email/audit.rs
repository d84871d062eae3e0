//! `email audit` and `email propose`.

use clap::Args;
use futures::StreamExt as _;
use protect_connectors::core::Result;
use protect_connectors::core::connector::OpContext;
use protect_connectors::core::model::{Actor, NotEvaluatedReason, Severity, TenantId, Verdict};
use protect_connectors::email::checks::Known;
use protect_connectors::email::dkim::Guess;
use protect_connectors::email::score::MailScore;
use protect_connectors::email::transport::MailHosts;
use protect_connectors::email::{AuditOptions, DomainAudit, Proposal, audit, audit_all, auditable};
use serde_json::json;

use super::tree;
use crate::app::App;
use crate::exit::Exit;
use crate::output::{Answer, data};
use crate::page::{Page, Table, Text, Tone};
use crate::progress::Progress;
use crate::words;

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// The domains; several are audited side by side.
    #[arg(required = true)]
    domains: Vec<String>,
    #[command(flatten)]
    how: How,
    /// Exit with 1 where something at least this bad is wrong.
    #[arg(long, value_name = "SEVERITY", value_parser = crate::args::severity)]
    fail_on: Option<Severity>,
    /// Exit with 3 also where the configuration or missing reports keep a check from deciding.
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Propose {
    /// The domain.
    domain: String,
    #[command(flatten)]
    how: How,
}

/// How to look.
#[derive(Debug, Args)]
struct How {
    #[command(flatten)]
    dns: super::Dns,
    /// A DKIM selector that the domains are known to use; may be repeated.
    #[arg(long = "selector", value_name = "NAME")]
    selectors: Vec<String>,
    /// Ask for every DKIM selector that many domains use, also where a key was found under a usual one.
    #[arg(long)]
    all_selectors: bool,
    /// Your own mailbox for reports, to be proposed and looked for; may be repeated.
    #[arg(long = "rua", value_name = "ADDRESS")]
    rua: Vec<String>,
    /// Do not fetch MTA-STS policies over HTTPS.
    #[arg(long)]
    no_fetch: bool,
}

impl How {
    fn options(&self) -> AuditOptions {
        AuditOptions {
            selectors: self.selectors.clone(),
            guess: if self.all_selectors {
                Guess::All
            } else {
                Guess::UntilFound
            },
            fetch_policies: !self.no_fetch,
            known: Known {
                our_rua: self.rua.clone(),
                ..Known::default()
            },
            ..AuditOptions::default()
        }
    }
}

/// Audits without any account and without a configuration.
pub(super) async fn audit_domains(app: &App, wanted: Audit) -> Result<Option<Answer>> {
    let domains = wanted.domains.iter().map(|text| auditable(text));
    let domains: Vec<_> = domains.collect::<Result<_>>()?;
    let (context, options, cx) = (
        wanted.how.dns.context()?,
        wanted.how.options(),
        operation()?,
    );
    if let [domain] = domains.as_slice() {
        let progress = Progress::start(app.output, format!("asking about {domain}"));
        let audit = audit(domain, &options, &context, &cx).await?;
        drop(progress);
        let exit = exit_of(&audit, &wanted);
        return Ok(Some(Answer::one(&audit, page_of(&audit))?.exit(exit)));
    }
    let total = domains.len();
    let progress = Progress::start(app.output, format!("0 of {total} domains"));
    let mut audits = Box::pin(audit_all(domains, &options, &context, &cx));
    let (mut exit, mut done) = (Exit::OK, 0);
    while let Some(audit) = audits.next().await {
        let audit = audit?;
        done += 1;
        progress.say(format!("{done} of {total} domains"));
        exit = exit.and(exit_of(&audit, &wanted));
        progress.pause(|| app.output.item(&audit, &page_of(&audit)))?;
    }
    Ok(Some(Answer::printed(exit)))
}

/// What to publish.
pub(super) async fn propose(app: &App, wanted: Propose) -> Result<Answer> {
    let domain = auditable(&wanted.domain)?;
    let (context, options, cx) = (
        wanted.how.dns.context()?,
        wanted.how.options(),
        operation()?,
    );
    let progress = Progress::start(app.output, format!("asking about {domain}"));
    let audit = audit(&domain, &options, &context, &cx).await?;
    drop(progress);
    let mut page = Page::new();
    page.heading(format!("{domain}: what to publish"));
    proposals(&mut page, &audit.proposals);
    rollout(&mut page, &audit);
    Ok(Answer {
        document: json!({
            "domain": data(&audit.domain)?,
            "at": data(&audit.at)?,
            "proposals": data(&audit.proposals)?,
            "rollout": data(&audit.rollout)?,
        }),
        page,
        exit: Exit::trouble(!audit.complete),
    })
}

fn operation() -> Result<OpContext> {
    Ok(OpContext::new(
        TenantId::new("cli")?,
        "cli",
        Actor::unverified("cli"),
    ))
}

fn exit_of(audit: &DomainAudit, wanted: &Audit) -> Exit {
    let found = wanted
        .fail_on
        .is_some_and(|bad| audit.worst().is_some_and(|worst| worst >= bad));
    let undecided = audit.results.iter().any(|result| {
        result.verdict == Verdict::NotEvaluated
            && (wanted.strict || result.not_evaluated == Some(NotEvaluatedReason::VendorError))
    });
    Exit::found(found).and(Exit::trouble(undecided))
}

fn page_of(audit: &DomainAudit) -> Page {
    let mut page = Page::new();
    page.heading(audit.domain.to_string());
    if audit.mail == MailHosts::NoSuchDomain {
        let text = "  There is no such domain. What follows is what a receiver sees who is sent mail in its name.";
        page.line(Text::new(text, Tone::Bad));
    }
    let mut scores = Table::bare().indent(2);
    scores.row([
        "authentication".into(),
        total(&audit.score),
        because(&audit.score),
    ]);
    scores.row([
        "transport".into(),
        total(&audit.transport_score),
        because(&audit.transport_score),
    ]);
    page.table(scores);
    parts(&mut page, &audit.score);
    left_out(&mut page, audit);
    tree::spf(&mut page, &audit.spf);
    wrong(&mut page, audit);
    undecided(&mut page, audit);
    if !audit.proposals.is_empty() {
        page.heading("What to publish");
        proposals(&mut page, &audit.proposals);
    }
    rollout(&mut page, audit);
    page
}

fn total(score: &MailScore) -> Text {
    match (score.total, score.grade) {
        (Some(total), Some(grade)) => {
            let tone = match total {
                80.. => Tone::Good,
                50.. => Tone::Warn,
                _ => Tone::Bad,
            };
            Text::new(format!("{total} of 100, {grade:?}"), tone)
        }
        _ => Text::new("no score", Tone::Warn),
    }
}

fn because(score: &MailScore) -> Text {
    let caps = score
        .caps
        .iter()
        .map(|cap| format!("at most {}: {}", cap.at, cap.why));
    let dkim = score
        .dkim_unknown
        .then(|| "DKIM left out: no selector is known".to_owned());
    let why: Vec<_> = score
        .reason
        .iter()
        .cloned()
        .chain(caps)
        .chain(dkim)
        .collect();
    Text::faint(why.join("; "))
}

fn parts(page: &mut Page, score: &MailScore) {
    let mut table = Table::new(["area", "points", "for"]).indent(2);
    for part in &score.parts {
        let tone = if part.points == part.of {
            Tone::Plain
        } else {
            Tone::Warn
        };
        table.row([
            part.area.as_str().into(),
            Text::new(format!("{} of {}", part.points, part.of), tone),
            Text::faint(&part.what),
        ]);
    }
    page.gap().table(table);
}

fn left_out(page: &mut Page, audit: &DomainAudit) {
    let (asked, left) = (audit.dkim.asked.len(), audit.dkim.left_out.len());
    if left > 0 {
        let text = format!(
            "  DKIM keys were looked for under {asked} names, and not under {left} less usual ones (--all-selectors)."
        );
        page.line(Text::faint(text));
    }
}

fn wrong(page: &mut Page, audit: &DomainAudit) {
    let wrong = audit.wrong();
    if wrong.is_empty() {
        page.gap()
            .line(Text::new("  Nothing is wrong.", Tone::Good));
        return;
    }
    page.heading("What is wrong");
    let mut table = Table::new(["severity", "check", "what"]).indent(2);
    for result in wrong {
        table.row([
            words::severity(result.severity),
            result.check.as_str().into(),
            result.reason.as_str().into(),
        ]);
    }
    page.table(table);
}

/// What DNS, or a host that was asked, did not answer.
fn undecided(page: &mut Page, audit: &DomainAudit) {
    let mut table = Table::bare().indent(2);
    for result in &audit.results {
        if result.not_evaluated == Some(NotEvaluatedReason::VendorError) {
            table.row([
                Text::new(result.check.as_str(), Tone::Warn),
                Text::faint(&result.reason),
            ]);
        }
    }
    if !table.is_empty() {
        page.heading("What could not be looked at");
        page.table(table);
    }
}

fn proposals(page: &mut Page, proposals: &[Proposal]) {
    if proposals.is_empty() {
        page.line(Text::faint(
            "  Nothing: what stands there is right, or nobody could say.",
        ));
    }
    for proposal in proposals {
        page.gap();
        page.mixed([
            "  ".into(),
            Text::strong(&proposal.name),
            Text::faint(format!("  {}", proposal.kind.as_str())),
        ]);
        for line in proposal.value.lines() {
            page.line(format!("    {line}"));
        }
        let mut about = Table::bare().indent(4);
        for old in &proposal.replaces {
            about.row([Text::faint("replaces"), Text::faint(old)]);
        }
        if let Some(needs) = &proposal.needs {
            about.row([Text::faint("needs"), Text::new(needs, Tone::Warn)]);
        }
        about.row([Text::faint("why"), Text::faint(&proposal.reason)]);
        about.row([Text::faint("risk"), Text::faint(&proposal.risk)]);
        page.table(about);
    }
}

fn rollout(page: &mut Page, audit: &DomainAudit) {
    let rollout = &audit.rollout;
    let Some(next) = rollout.next.filter(|_| !rollout.ready) else {
        return;
    };
    page.gap();
    page.line(format!(
        "  DMARC stands at {}; {} comes next and waits:",
        stage(rollout.stage),
        stage(next)
    ));
    for reason in &rollout.waits_for {
        page.line(Text::faint(format!("    {reason}")));
    }
}

fn stage(stage: protect_connectors::email::dmarc::Stage) -> &'static str {
    use protect_connectors::email::dmarc::Stage;
    match stage {
        Stage::Absent => "no record",
        Stage::Monitoring => "monitoring",
        Stage::QuarantineTest => "quarantine under test",
        Stage::Quarantine => "quarantine",
        Stage::Reject => "reject",
    }
}
