//! `evidence`.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use protect_connectors::Protect;
use protect_connectors::core::ledger::{
    self, Checkpoint, CheckpointStanding, LedgerKey, LedgerPublicKey, VerifyReport,
};
use protect_connectors::core::model::TenantId;
use protect_connectors::core::{Error, Result};
use serde_json::json;

use crate::app::{self, App};
use crate::args::Evidence;
use crate::exit::Exit;
use crate::output::{self, Answer};
use crate::page::{Page, Table, Text, Tone};

/// The ledger.
pub(super) async fn run(app: &App, command: Evidence) -> Result<Option<Answer>> {
    match command {
        Evidence::Export { tenant, output } => {
            let protect = app.open().await?;
            let tenant = app::choose(&protect, tenant.tenant.as_deref())?;
            export_to(&protect, tenant.id(), output.as_deref()).await
        }
        Evidence::Checkpoint { tenant, output } => {
            let protect = app.open().await?;
            let tenant = app::choose(&protect, tenant.tenant.as_deref())?;
            checkpoint_to(app, &protect, tenant.id(), output.as_deref()).await
        }
        Evidence::Verify {
            file,
            checkpoint,
            key,
        } => verify(&file, checkpoint.as_deref(), key.as_deref()).map(Some),
    }
}

/// Writes a tenant's whole ledger; gives the number of entries.
pub(crate) async fn export(protect: &Protect, tenant: &TenantId, path: &Path) -> Result<u64> {
    let mut file = app::create_private(path)?;
    ledger::export(protect.store().as_ref(), tenant, &mut file).await
}

/// Signs the head of a tenant's ledger with the key of the configuration.
pub(crate) async fn checkpoint(
    protect: &Protect,
    tenant: &TenantId,
) -> Result<(Checkpoint, LedgerPublicKey)> {
    let Some(reference) = &protect.config().ledger.key else {
        return Err(Error::config(
            "ledger.key",
            "no key to sign with; make one with `openssl genpkey -algorithm ed25519 -out ledger.key` \
             and write `[ledger]` with `key = { file = \"ledger.key\" }`",
        ));
    };
    let key = protect.context().secrets.resolve(reference).await?;
    let key = LedgerKey::parse(&key)?;
    let now = protect.context().clock.now();
    let store = protect.store().as_ref();
    let checkpoint = ledger::checkpoint(store, tenant, &key, now).await?;
    Ok((checkpoint, key.public()))
}

async fn export_to(
    protect: &Protect,
    tenant: &TenantId,
    output: Option<&Path>,
) -> Result<Option<Answer>> {
    let Some(path) = output else {
        let mut lines = Vec::new();
        ledger::export(protect.store().as_ref(), tenant, &mut lines).await?;
        output::raw(&String::from_utf8_lossy(&lines))?;
        return Ok(None);
    };
    let entries = export(protect, tenant, path).await?;
    let mut page = Page::new();
    page.line(format!(
        "Written: {}, {}",
        path.display(),
        entries_of(entries)
    ));
    let command = format!("protect evidence verify {}", path.display());
    page.next(command, "from the file alone");
    Ok(Some(Answer {
        document: json!({ "written": path, "entries": entries }),
        page,
        exit: Exit::OK,
    }))
}

async fn checkpoint_to(
    app: &App,
    protect: &Protect,
    tenant: &TenantId,
    output: Option<&Path>,
) -> Result<Option<Answer>> {
    let (checkpoint, key) = checkpoint(protect, tenant).await?;
    let text = checkpoint.to_string();
    let mut page = Page::new();
    if let Some(path) = output {
        app::write(path, &text)?;
        let entries = entries_of(checkpoint.size);
        page.line(format!("Written: {}, {entries}", path.display()));
        page.mixed([Text::faint("public key: "), key.to_string().into()]);
        page.gap()
            .line("Publish both where whoever can write the ledger cannot change them.");
    } else if !app.output.is_json() {
        output::raw(&text)?;
        return Ok(None);
    }
    Ok(Some(Answer {
        document: json!({
            "written": output,
            "tenant": checkpoint.tenant,
            "entries": checkpoint.size,
            "head": checkpoint.head,
            "at": checkpoint.at,
            "checkpoint": text,
            "public_key": key.to_string(),
        }),
        page,
        exit: Exit::OK,
    }))
}

/// Checks an exported ledger, from the file alone.
fn verify(file: &Path, checkpoint: Option<&Path>, key: Option<&str>) -> Result<Answer> {
    let checkpoint: Option<Checkpoint> = match checkpoint {
        Some(path) => Some(
            app::read_text(path)?
                .parse()
                .map_err(|error: Error| error.with_context("file", path.display().to_string()))?,
        ),
        None => None,
    };
    let key: Option<LedgerPublicKey> = match key {
        Some(key) => Some(
            key.parse()
                .map_err(|error: Error| error.with_context("argument", "--key"))?,
        ),
        None => None,
    };
    let reader: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(file).map_err(|error| app::about(file, "cannot be read", error))?;
        Box::new(BufReader::new(opened))
    };
    let report = ledger::verify(reader, checkpoint.as_ref(), key.as_ref())?;
    let mut page = Page::new();
    show(&mut page, &report);
    Ok(Answer::one(&report, page)?.exit(Exit::trouble(!report.valid)))
}

fn show(page: &mut Page, report: &VerifyReport) {
    let (word, tone) = if report.valid {
        ("valid", Tone::Good)
    } else {
        ("NOT valid", Tone::Bad)
    };
    page.mixed([
        Text::new(word, tone),
        format!(": {}", entries_of(report.entries)).into(),
    ]);
    let mut facts = Table::bare().indent(2);
    if let Some(problem) = &report.problem {
        let place = problem
            .line
            .map_or_else(String::new, |line| format!("line {line}: "));
        let words = format!("{place}{}", problem.what);
        facts.row([Text::faint("problem"), Text::new(words, Tone::Bad)]);
    }
    if let Some(tenant) = &report.tenant {
        facts.row([Text::faint("tenant"), tenant.as_str().into()]);
    }
    if let Some(head) = &report.head {
        facts.row([Text::faint("head"), head.as_str().into()]);
    }
    facts.row([
        Text::faint("checkpoint"),
        standing(report.checkpoint).into(),
    ]);
    page.table(facts);
}

/// What a checkpoint adds.
pub(crate) fn standing(standing: CheckpointStanding) -> &'static str {
    match standing {
        CheckpointStanding::NotGiven => {
            "not given: entries may be missing at the end (`--checkpoint FILE`)"
        }
        CheckpointStanding::SignatureNotChecked => {
            "agrees; its signature was not checked (`--key PUBLIC-KEY`)"
        }
        CheckpointStanding::Signed => "agrees, and its signature is good",
        CheckpointStanding::Refused => "its signature is not by this key",
        _ => "unknown to this version",
    }
}

fn entries_of(number: u64) -> String {
    let noun = if number == 1 { "entry" } else { "entries" };
    format!("{number} {noun}")
}
