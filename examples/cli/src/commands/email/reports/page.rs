//! The same for people: a table for each domain, and what went wrong.

use protect_connectors::email::reports::Tally;
use protect_connectors::email::reports::summary::DomainSummary;

use super::notes::Notes;
use crate::page::{Page, Table, Text, Tone};
use crate::words;

pub(super) fn of(domains: &[DomainSummary], tally: &Tally, notes: &Notes) -> Page {
    let mut page = Page::new();
    for domain in domains {
        of_domain(&mut page, domain);
    }
    troubles(&mut page, notes);
    page.gap();
    page.line(Text::faint(read(tally)));
    page
}

fn of_domain(page: &mut Page, domain: &DomainSummary) {
    page.heading(&domain.domain);
    let counts = &domain.counts;
    let mut facts = Table::bare().indent(2);
    facts.row(["messages".into(), counts.messages.to_string().into()]);
    facts.row(["pass".into(), rate(domain.pass_rate)]);
    facts.row([
        "unknown senders".into(),
        Text::new(
            domain.unknown_senders.to_string(),
            if domain.unknown_senders == 0 {
                Tone::Good
            } else {
                Tone::Warn
            },
        ),
    ]);
    facts.row(["reports".into(), domain.reports.to_string().into()]);
    page.table(facts).gap();
    let mut sources =
        Table::new(["source", "sender", "messages", "pass", "failing both ways"]).indent(2);
    for source in &domain.top_sources {
        sources.row([
            source.source.to_string().into(),
            match &source.sender {
                Some(sender) => sender.as_str().into(),
                None => Text::faint("unknown"),
            },
            source.counts.messages.to_string().into(),
            rate(source.counts.pass_rate()),
            source.counts.unauthorised.to_string().into(),
        ]);
    }
    page.table(sources);
    for advice in &domain.advice {
        page.mixed([Text::faint("  next: "), advice.as_str().into()]);
    }
}

fn rate(rate: Option<f64>) -> Text {
    let Some(rate) = rate else {
        return Text::faint("-");
    };
    let tone = match rate {
        rate if rate >= 0.98 => Tone::Good,
        rate if rate >= 0.9 => Tone::Warn,
        _ => Tone::Bad,
    };
    Text::new(format!("{:.1} %", rate * 100.0), tone)
}

fn troubles(page: &mut Page, notes: &Notes) {
    let mut table = Table::new(["file", "place", "what"]).indent(2);
    for broken in &notes.errors {
        table.row([
            place(&broken.file, &broken.part).into(),
            broken.place.clone().unwrap_or_default().into(),
            Text::new(&broken.message, Tone::Bad),
        ]);
    }
    for noted in &notes.issues {
        let tone = if noted.found.lost {
            Tone::Bad
        } else {
            Tone::Warn
        };
        table.row([
            place(&noted.file, &noted.part).into(),
            noted.found.place.to_string().into(),
            Text::new(noted.found.problem.as_words(), tone),
        ]);
    }
    for duplicate in notes.duplicates.iter().filter(|it| it.contradicts) {
        table.row([
            place(&duplicate.file, &duplicate.part).into(),
            Text::default(),
            Text::new(
                "says something else than the same report before; the first one holds",
                Tone::Warn,
            ),
        ]);
    }
    if !table.is_empty() {
        page.heading("Not usable");
        page.table(table);
    }
}

fn place(file: &str, part: &str) -> String {
    if part.is_empty() {
        file.to_owned()
    } else {
        format!("{file}, {part}")
    }
}

fn read(tally: &Tally) -> String {
    let mut text = format!(
        "{} read: {} with {}",
        words::count(tally.files, "file"),
        words::count(tally.reports, "report"),
        words::count(tally.records, "record"),
    );
    for (number, what) in [
        (tally.tls_reports, "TLS report"),
        (tally.failure_reports, "failure report"),
        (tally.duplicates, "duplicate"),
    ] {
        if number > 0 {
            text.push_str(", ");
            text.push_str(&words::count(number, what));
        }
    }
    text
}
