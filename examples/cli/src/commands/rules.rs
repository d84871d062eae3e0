//! `rules`.

use protect_connectors::core::Result;

use crate::app::App;
use crate::args::Rules;
use crate::output::Answer;
use crate::page::{Page, Table, Text, Tone};
use crate::words;

/// Which stored findings a rule applies to, and why not.
pub(super) async fn rules(app: &App, command: Rules) -> Result<Answer> {
    let Rules::Test { name, tenant } = command;
    let tenant = app.tenant(tenant.tenant.as_deref()).await?;
    let trials = tenant.try_rule(&name).await?;
    let applying = trials.iter().filter(|trial| trial.applies).count();
    let mut page = Page::new();
    page.line(format!(
        "`{name}` applies to {applying} of {}.",
        words::count_of(trials.len(), "stored finding")
    ));
    let mut table = Table::new(["applies", "what", "id", "because"]);
    for trial in &trials {
        let (word, tone) = if trial.applies {
            ("yes", Tone::Good)
        } else {
            ("no", Tone::Faint)
        };
        table.row([
            Text::new(word, tone),
            trial.title.as_str().into(),
            Text::faint(trial.finding.as_str()),
            trial.because.join("; ").into(),
        ]);
    }
    page.gap().table(table);
    Answer::many("trials", &trials, page)
}
