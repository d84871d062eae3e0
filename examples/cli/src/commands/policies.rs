//! `policies`.

use protect_connectors::core::Result;

use crate::app::App;
use crate::args::OneTenant;
use crate::output::Answer;
use crate::page::{Page, Table, Text, Tone};

/// How far each policy is acknowledged.
pub(super) async fn run(app: &App, of: OneTenant) -> Result<Answer> {
    let tenant = app.tenant(of.tenant.as_deref()).await?;
    let policies = tenant.policies().await?;
    let mut page = Page::new();
    let mut table = Table::new([
        "policy",
        "version",
        "acknowledged",
        "pending",
        "overdue",
        "stands",
    ]);
    for it in &policies {
        let stands = match (it.stale, it.compliant) {
            (true, _) => Text::new("not known: last seen a while ago", Tone::Warn),
            (false, true) => Text::faint("compliant"),
            (false, false) => Text::new("not yet", Tone::Plain),
        };
        table.row([
            it.policy.title.as_str().into(),
            it.policy.version.as_str().into(),
            format!("{} of {}", it.acknowledged, it.required).into(),
            it.pending.len().to_string().into(),
            it.overdue.len().to_string().into(),
            stands,
        ]);
    }
    if table.is_empty() {
        page.line("No policy is known.");
    }
    page.table(table);
    Answer::many("policies", &policies, page)
}
