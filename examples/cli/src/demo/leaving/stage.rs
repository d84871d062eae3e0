//! More vendors than the first story has: wherever somebody who leaves had access.

use std::fmt::Write as _;
use std::path::Path;

use protect_connectors::core::Result;
use protect_connectors::core::model::Mode;
use protect_sandbox::Sandbox;

use crate::app;
use crate::vendors::{self, MICROSOFT, RMM_KEY, SecretPlace};

/// Where people have accounts.
pub(super) const DIRECTORIES: [&str; 4] = [MICROSOFT, "passwords", "workspace", "wiki"];

/// The configuration, and the files of the secrets that it reads.
pub(super) fn config(sandbox: &Sandbox, folder: &Path) -> Result<String> {
    let own = sandbox.credentials();
    for (name, value) in [
        ("google-scan.json", &own.google_scan_key),
        ("google-respond.json", &own.google_respond_key),
        ("scim-scan.token", &own.scim_scan_token),
        ("scim-respond.token", &own.scim_respond_token),
        ("smtp.password", &own.smtp_password),
    ] {
        app::write_secret(&folder.join(name), value)?;
    }
    let mut out = vendors::config(sandbox, Mode::Enforce, SecretPlace::Files);
    // Writing to a string does not fail.
    let _ = write!(
        out,
        r#"
[connections.acme-google]
kind = "google"
tenants = ["acme"]
endpoints = {{ token = "{token}", admin = "{google}", reports = "{google}", cloud_identity = "{google}", alerts = "{google}" }}
scan = {{ service_account = {{ file = "google-scan.json" }} }}
respond = {{ service_account = {{ file = "google-respond.json" }} }}

[connections.acme-wiki]
kind = "scim"
tenants = ["acme"]
endpoints = {{ base = "{scim}" }}
requests_per_second = 20
scan = {{ token = {{ file = "scim-scan.token" }} }}
respond = {{ token = {{ file = "scim-respond.token" }} }}

[connections.hub]
kind = "hub"
tenants = ["acme"]
endpoints = {{ api = "{hub}" }}
respond = {{ integration_key = {{ file = "{RMM_KEY}" }} }}

[connections.defend]
kind = "defend"
tenants = ["acme"]
endpoints = {{ api = "{defend}" }}
respond = {{ integration_key = {{ file = "{RMM_KEY}" }} }}

[connections.mail]
kind = "notify"
tenants = ["acme"]
endpoints = {{ smtp = "{smtp}" }}
respond = {{ username = "{username}", password = {{ file = "smtp.password" }} }}

[tenants.acme.connectors.workspace]
connection = "acme-google"
subject = "{subject}"

[tenants.acme.connectors.wiki]
connection = "acme-wiki"

[tenants.acme.connectors.hub]
connection = "hub"
organisation_id = "{organisation}"
owners = []

[tenants.acme.connectors.defend]
connection = "defend"
organisation_id = "{organisation}"
elevated_monitoring = true
enabled_by = "the works council"

[tenants.acme.connectors.mail]
connection = "mail"
to = ["security@{domain}"]

[tenants.acme.people.notices]
connector = "mail"
hr = ["hr@{domain}"]
it = ["it@{domain}"]
"#,
        token = sandbox.google_token_url(),
        google = sandbox.google_api_url(),
        scim = sandbox.scim_url(),
        hub = sandbox.one_stack_url("hub"),
        defend = sandbox.one_stack_url("defend"),
        smtp = sandbox.smtp_url(),
        username = own.smtp_username,
        subject = own.google_subject,
        organisation = vendors::one_stack(sandbox).id,
        domain = sandbox.planted().domain,
    );
    Ok(out)
}
