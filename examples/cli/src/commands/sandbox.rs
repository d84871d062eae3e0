//! `sandbox`.

use protect_connectors::core::Result;
use protect_connectors::core::model::Mode;

use crate::app::{self, App};
use crate::args::Sandbox as Arguments;
use crate::output::Answer;
use crate::page::{Page, Table, Text};
use crate::vendors::{self, SecretPlace};

/// The simulated vendors, until stopped.
pub(super) async fn run(app: &App, wanted: Arguments) -> Result<Option<Answer>> {
    let builder = protect_sandbox::Sandbox::builder()
        .seed(wanted.seed)
        .address(wanted.listen);
    let builder = match &wanted.catalogue {
        Some(path) => builder.catalogue(path),
        None => builder,
    };
    let sandbox = builder.start().await.map_err(vendors::not_started)?;
    let mut page = Page::new();
    page.heading("Simulated vendors");
    let mut table = Table::bare().indent(2);
    let addresses = [
        ("Have I Been Pwned", sandbox.hibp_api_url()),
        ("Pwned Passwords", sandbox.hibp_passwords_url()),
        ("1Password Users API", sandbox.onepassword_api_url()),
        ("1Password Events API", sandbox.onepassword_events_url()),
        ("Microsoft Entra", sandbox.m365_login_url()),
        ("Microsoft Graph", sandbox.m365_graph_url()),
        ("Azure Key Vault", sandbox.m365_vault_url()),
        ("Google Workspace", sandbox.google_api_url()),
        ("Google's token endpoint", sandbox.google_token_url()),
        ("The One Stack", sandbox.one_stack_root()),
        ("webhook receiver", sandbox.webhook_url()),
        ("Stripe", sandbox.stripe_api_url()),
        ("SCIM application", sandbox.scim_url()),
        ("mail server", sandbox.smtp_url()),
        ("name server", sandbox.dns_address().to_string()),
        (
            "switches and journal",
            format!("{}/_sandbox", sandbox.base_url()),
        ),
    ];
    for (name, address) in addresses {
        table.row([Text::faint(name), address.into()]);
    }
    page.table(table).gap();
    page.line(Text::faint(
        "# Made up from the seed; they open nothing but this sandbox.",
    ));
    for secret in vendors::secrets(&sandbox) {
        page.line(format!("export {}='{}'", secret.variable, secret.value));
    }
    if let Some(path) = &wanted.config_out {
        let config = vendors::config(&sandbox, Mode::Enforce, SecretPlace::Environment);
        app::write_new(path, &config)?;
        page.gap().line(format!("Written: {}", path.display()));
        let command = format!("protect --config {} doctor", path.display());
        page.next(command, "in another terminal, after the exports above");
    }
    let command = format!(
        "protect email audit acme.example acme-shop.example --resolver {} --no-fetch",
        sandbox.dns_address()
    );
    page.next(command, "in another terminal; it needs none of the above");
    page.gap().line(Text::faint("Ctrl-C stops them."));
    app.output.item(&sandbox.describe(), &page)?;
    app::stopped().await?;
    sandbox.shutdown().await;
    Ok(None)
}
