//! `email spf`.

use std::net::IpAddr;
use std::sync::Arc;

use clap::Args;
use protect_connectors::core::Result;
use protect_connectors::email::resolve::Resolver;
use protect_connectors::email::spf::{
    Decision, LOOKUP_LIMIT, Message, Problem, SpfResult, VOID_LIMIT, check_host,
};

use crate::exit::Exit;
use crate::output::Answer;
use crate::page::{Page, Table, Text, Tone};

#[derive(Debug, Args)]
pub(crate) struct Spf {
    /// The domain whose policy is asked; by default the sender's.
    domain: Option<String>,
    /// The address that the message comes from.
    #[arg(long)]
    ip: IpAddr,
    /// What the sending host calls itself.
    #[arg(long, default_value = "")]
    helo: String,
    /// The sender of the envelope; by default `postmaster` of the domain. Empty for a bounce, which
    /// is checked as `postmaster` of the sending host.
    #[arg(long)]
    sender: Option<String>,
    /// Who checks; an explanation may name it.
    #[arg(long, default_value = "unknown")]
    receiver: String,
    #[command(flatten)]
    dns: super::Dns,
}

/// What a receiver would answer.
pub(super) async fn run(wanted: &Spf) -> Result<Answer> {
    let context = wanted.dns.context()?;
    let sender = match (&wanted.sender, &wanted.domain) {
        (Some(sender), _) => sender.clone(),
        (None, Some(domain)) => format!("postmaster@{domain}"),
        (None, None) => String::new(),
    };
    let message = Message {
        ip: wanted.ip,
        sender: &sender,
        domain: wanted.domain.as_deref(),
        helo: &wanted.helo,
        receiver: &wanted.receiver,
    };
    let dns = Resolver::new(Arc::clone(&context.dns));
    let decision = check_host(&message, &dns, &*context.clock).await;
    let exit = Exit::trouble(decision.result == SpfResult::TempError);
    Ok(Answer::one(&decision, page(&decision))?.exit(exit))
}

fn page(decision: &Decision) -> Page {
    let mut page = Page::new();
    page.mixed([
        Text::new(decision.result.as_str(), tone(decision.result)),
        decision
            .domain
            .as_ref()
            .map(|domain| format!("  by {domain}"))
            .unwrap_or_default()
            .into(),
    ]);
    let mut about = Table::bare().indent(2);
    if let Some(matched) = &decision.matched {
        let place = format!("of {}, at character {}", matched.domain, matched.place);
        about.row([
            Text::faint("term"),
            matched.term.as_str().into(),
            Text::faint(place),
        ]);
    }
    if let Some(problem) = &decision.problem {
        about.row([
            Text::faint("because"),
            words(problem).into(),
            Text::default(),
        ]);
    }
    if let Some(explanation) = &decision.explanation {
        let text = Text::from(explanation.as_str());
        about.row([Text::faint("the domain says"), text, Text::default()]);
    }
    let cost = format!(
        "{} of {LOOKUP_LIMIT}, {} of {VOID_LIMIT} void",
        decision.lookups, decision.void_lookups
    );
    about.row([Text::faint("lookups"), cost.into(), Text::default()]);
    page.table(about);
    page
}

fn tone(result: SpfResult) -> Tone {
    match result {
        SpfResult::Pass => Tone::Good,
        SpfResult::Fail | SpfResult::PermError => Tone::Bad,
        _ => Tone::Warn,
    }
}

fn words(problem: &Problem) -> String {
    match problem {
        Problem::Dns { domain, failure } => format!("the record of {domain}: {failure}"),
        Problem::TimeLimit => "it took too long".to_owned(),
        Problem::Syntax { domain, mistake } => format!("the record of {domain}, {mistake}"),
        Problem::SeveralRecords { domain } => format!("{domain} has several records"),
        Problem::NoRecord { domain, term } => {
            format!("`{term}` of {domain} leads to no record")
        }
        Problem::TooManyLookups => format!("more than {LOOKUP_LIMIT} terms ask DNS"),
        Problem::TooManyVoidLookups => format!("more than {VOID_LIMIT} lookups find nothing"),
        Problem::TooManyMailHosts { domain } => format!("{domain} has more than ten mail hosts"),
    }
}
