//! `evaluate`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use protect_connectors::core::model::{CheckResult, NotEvaluatedReason, Severity, Verdict};
use protect_connectors::core::posture::EvaluateConfig;
use protect_connectors::core::{Error, Result};
use protect_connectors::hibp::severity::{self, Policy};
use protect_connectors::posture::{self, Source};
use serde_json::{Value, json};

use crate::app::{self, App};
use crate::args::{Evaluate, Snapshots};
use crate::exit::Exit;
use crate::output::{Answer, Output, data};
use crate::page::{Page, Table, Text};
use crate::words;

/// So many of the things that failed are named.
const NAMED: usize = 3;

/// The pure checks, over files.
pub(super) fn run(app: &App, command: Evaluate) -> Result<Option<Answer>> {
    match command {
        Evaluate::Hibp { breaches } => hibp(&breaches).map(Some),
        Evaluate::Google(snapshots) => posture_of("google", app, &snapshots),
        Evaluate::M365(snapshots) => posture_of("m365", app, &snapshots),
    }
}

fn hibp(path: &Path) -> Result<Answer> {
    let breaches = severity::evaluate(&app::read_text(path)?, &Policy::default())
        .map_err(|error| not_a_catalogue(path, error))?;
    let mut table = Table::new(["severity", "form", "confidence", "breach", "because"]);
    for breach in &breaches {
        table.row([
            words::severity(breach.severity),
            breach.form.as_str().into(),
            breach.confidence.as_str().into(),
            breach.name.as_str().into(),
            Text::faint(breach.reasons.join("; ")),
        ]);
    }
    let mut page = Page::new();
    page.table(table).gap();
    page.line(Text::faint(
        "  Source: Have I Been Pwned (https://haveibeenpwned.com), CC BY 4.0",
    ));
    Ok(Answer {
        document: data(&breaches)?,
        page,
        exit: Exit::OK,
    })
}

/// A snapshot as one answer; a folder of them as a line each.
fn posture_of(kind: &str, app: &App, asked: &Snapshots) -> Result<Option<Answer>> {
    let config = app
        .config_typed
        .then(|| read_config(&app.config))
        .transpose()?;
    let evaluate = |path: &Path| {
        let profile = asked.profile.as_deref();
        posture::evaluate(kind, Source::Path(path), profile, config.as_ref())
    };
    let Some(snapshots) = several(&asked.path)? else {
        let results = evaluate(&asked.path)?;
        if app.output.is_json() {
            print_list(&results)?;
        } else {
            app.output.page(&page_of(kind, &results)?)?;
        }
        return Ok(Some(Answer::printed(exit_of(&results, asked))));
    };
    let mut exit = Exit::OK;
    for path in snapshots {
        let file = name_of(&path);
        match evaluate(&path) {
            Ok(results) => {
                exit = exit.and(exit_of(&results, asked));
                let mut page = Page::new();
                page.heading(&file);
                app.output.page(&page)?;
                let line = json!({ "file": file, "results": data(&results)? });
                app.output.item(&line, &page_of(kind, &results)?)?;
            }
            Err(error) => {
                exit = exit.and(Exit::of(&error));
                let line = json!({ "file": file, "error": data(&error.envelope())? });
                let mut page = Page::new();
                page.heading(&file).line(words::error(&error.envelope()));
                app.output.item(&line, &page)?;
            }
        }
    }
    Ok(Some(Answer::printed(exit)))
}

/// One list, a result a line: a year's log may tell of tens of thousands of events.
fn print_list(results: &[CheckResult]) -> Result<()> {
    let mut list = Output::stream();
    list.text("[")?;
    for (number, result) in results.iter().enumerate() {
        list.text(if number == 0 { "\n" } else { ",\n" })?;
        list.value(result)?;
    }
    list.text("\n]\n")?;
    list.end()
}

/// What the vendor's answer would be blamed for is here the file's fault.
fn not_a_catalogue(path: &Path, error: Error) -> Error {
    let words = "not a list of breaches as the `/breaches` endpoint answers it";
    let mut wrong = Error::invalid_input(words).with_context("file", path.display().to_string());
    for (key, value) in error.context() {
        wrong = wrong.with_context(key, value.clone());
    }
    wrong.with_source(error)
}

fn read_config(path: &Path) -> Result<EvaluateConfig> {
    EvaluateConfig::parse(&app::read_text(path)?)
        .map_err(|error| error.with_context("file", path.display().to_string()))
}

/// The snapshots of a folder of them, by name; `None` for a snapshot.
fn several(path: &Path) -> Result<Option<Vec<PathBuf>>> {
    if !path.is_dir() || path.join("manifest.json").is_file() {
        return Ok(None);
    }
    let mut found = Vec::new();
    for entry in path
        .read_dir()
        .map_err(|error| app::about(path, "cannot be read", error))?
    {
        let entry = entry
            .map_err(|error| app::about(path, "cannot be read", error))?
            .path();
        let is_file = entry
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("json"));
        if (entry.is_file() && is_file) || entry.join("manifest.json").is_file() {
            found.push(entry);
        }
    }
    if found.is_empty() {
        return Err(Error::invalid_input("the folder holds no snapshot")
            .with_context("file", path.display().to_string()));
    }
    found.sort();
    Ok(Some(found))
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// The results by severity, the worst first, and how many there are of each kind.
fn page_of(kind: &str, results: &[CheckResult]) -> Result<Page> {
    let catalogue = posture::catalogue(kind)?;
    let title = |check: &str| catalogue.check(check).map(|it| it.title);
    let mut table = Table::new(["verdict", "check", "", "because"]);
    for severity in Severity::ALL.into_iter().rev() {
        let mut of: Vec<_> = results
            .iter()
            .filter(|it| it.severity == severity)
            .collect();
        of.sort_by_key(|it| rank(it.verdict));
        if !of.is_empty() {
            table.group(words::severity(severity));
        }
        // What happened is a result each time; people want it once, with how often.
        let alike = |one: &&CheckResult, other: &&CheckResult| {
            let check = other.check.as_str();
            title(check).is_none() && one.check == other.check && one.verdict == other.verdict
        };
        for alike in of.chunk_by(alike) {
            let Some(first) = alike.first() else { continue };
            let check = first.check.as_str();
            let times = match alike.len() {
                1 => String::new(),
                times => format!("{times} times"),
            };
            table.row([
                words::verdict(first.verdict),
                check.into(),
                title(check).map_or_else(|| times.into(), Text::from),
                Text::faint(because(alike)),
            ]);
        }
    }
    let mut page = Page::new();
    page.table(table).gap();
    page.line(summary(results));
    Ok(page)
}

/// What failed first.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::NotEvaluated => 1,
        Verdict::Manual => 2,
        Verdict::NotApplicable => 3,
        Verdict::Pass => 4,
    }
}

/// The reason, what nearly does, and what is affected, of results that are alike.
fn because(alike: &[&CheckResult]) -> String {
    let first = alike.first();
    let mut words: Vec<_> = first.map(|it| it.reason.clone()).into_iter().collect();
    let details = first.map(|it| &it.details);
    let misses = details
        .and_then(|it| it.get("near_misses"))
        .and_then(Value::as_array);
    for miss in misses.into_iter().flatten() {
        if let (Some(name), Some(but_for)) = (miss["name"].as_str(), miss["but_for"].as_str()) {
            words.push(format!("`{name}` would do, but it {but_for}"));
        }
    }
    let affected: BTreeSet<&str> = alike
        .iter()
        .flat_map(|it| it.affected.iter().map(String::as_str))
        .collect();
    let named: Vec<_> = affected.iter().copied().take(NAMED).collect();
    if !named.is_empty() {
        let more = affected.len() - named.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        words.push(format!("{}{more}", named.join(", ")));
    }
    words.join("; ")
}

/// `4 fail (1 critical, 3 low), 50 pass, 6 not evaluated`.
fn summary(results: &[CheckResult]) -> String {
    let count = |verdict| results.iter().filter(|it| it.verdict == verdict).count();
    let mut failed: BTreeMap<Severity, u64> = BTreeMap::new();
    for result in results.iter().filter(|it| it.verdict == Verdict::Fail) {
        *failed.entry(result.severity).or_default() += 1;
    }
    let worst = if failed.is_empty() {
        String::new()
    } else {
        format!(" ({})", words::by_severity(&failed))
    };
    let rest = [
        (Verdict::Pass, "pass"),
        (Verdict::NotApplicable, "not applicable"),
        (Verdict::Manual, "manual"),
        (Verdict::NotEvaluated, "not evaluated"),
    ];
    let rest = rest.map(|(verdict, word)| (count(verdict), word));
    let rest = rest.iter().filter(|(count, _)| *count > 0);
    let failing = format!("{} fail{worst}", count(Verdict::Fail));
    let parts = std::iter::once(failing).chain(rest.map(|(count, word)| format!("{count} {word}")));
    parts.collect::<Vec<_>>().join(", ")
}

fn exit_of(results: &[CheckResult], asked: &Snapshots) -> Exit {
    let found = results.iter().any(|it| {
        it.verdict == Verdict::Fail && asked.fail_on.is_some_and(|least| it.severity >= least)
    });
    let unread = results.iter().filter_map(|it| it.not_evaluated);
    let trouble = unread
        .into_iter()
        .any(|reason| asked.strict || reason == NotEvaluatedReason::VendorError);
    Exit::found(found).and(Exit::trouble(trouble))
}
