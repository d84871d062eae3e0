//! The simulated vendors as a configuration names them: for `sandbox` and `demo`.

use std::fmt::Write as _;
use std::path::Path;

use protect_connectors::core::model::Mode;
use protect_connectors::core::{Error, Result};
use protect_sandbox::{Fault, OneStackOrganisation, Sandbox, SandboxError};

use crate::app;

/// What a configuration of ours calls its connector of Microsoft 365.
pub(crate) const MICROSOFT: &str = "entra";

/// The files of the keys of The One Stack.
pub(crate) const PSA_KEY: &str = "one-stack-api.key";
pub(crate) const RMM_KEY: &str = "one-stack-integration.key";

/// The organisation at The One Stack whose tenant is protected.
pub(crate) fn one_stack(sandbox: &Sandbox) -> OneStackOrganisation {
    sandbox.credentials().one_stack.swap_remove(0)
}

/// A secret of the simulated vendors: it opens nothing but them.
pub(crate) struct Secret {
    /// The environment variable that a configuration reads it from.
    pub(crate) variable: &'static str,
    /// The file that a configuration reads it from.
    pub(crate) file: &'static str,
    /// What it is.
    pub(crate) value: String,
}

/// Where a configuration finds its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretPlace {
    /// In environment variables.
    Environment,
    /// In files beside it.
    Files,
}

/// Every secret of a sandbox.
pub(crate) fn secrets(sandbox: &Sandbox) -> [Secret; 9] {
    let accepted = sandbox.credentials();
    let one_stack = one_stack(sandbox);
    let secret = |variable, file, value| Secret {
        variable,
        file,
        value,
    };
    [
        secret("HIBP_API_KEY", "hibp.key", accepted.hibp_api_key),
        secret(
            "OP_SCAN_SECRET",
            "onepassword-scan.secret",
            accepted.scan_client_secret,
        ),
        secret(
            "OP_EVENTS_TOKEN",
            "onepassword-events.token",
            accepted.events_token,
        ),
        secret(
            "OP_RESPOND_SECRET",
            "onepassword-respond.secret",
            accepted.respond_client_secret,
        ),
        secret(
            "M365_SCAN_SECRET",
            "m365-scan.secret",
            accepted.m365_scan_client_secret,
        ),
        secret(
            "M365_RESPOND_SECRET",
            "m365-respond.secret",
            accepted.m365_respond_client_secret,
        ),
        secret("WEBHOOK_SECRET", "desk.secret", accepted.webhook_secret),
        secret("ONESTACK_API_KEY", PSA_KEY, one_stack.api_key),
        secret(
            "ONESTACK_INTEGRATION_KEY",
            RMM_KEY,
            one_stack.integration_key,
        ),
    ]
}

/// A whole configuration for a sandbox.
pub(crate) fn config(sandbox: &Sandbox, mode: Mode, place: SecretPlace) -> String {
    let accepted = sandbox.credentials();
    let [
        hibp,
        scan,
        events,
        respond,
        m365_scan,
        m365_respond,
        desk,
        psa,
        rmm,
    ] = secrets(sandbox).map(|secret| match place {
        SecretPlace::Environment => format!("{{ env = \"{}\" }}", secret.variable),
        SecretPlace::Files => format!("{{ file = \"{}\" }}", secret.file),
    });
    let mode = match mode {
        Mode::DryRun => "dry_run",
        Mode::Enforce => "enforce",
    };
    let mut out =
        format!("mode = \"{mode}\"\n\n[store]\nkind = \"sqlite\"\npath = \"protect.db\"\n");
    if place == SecretPlace::Files {
        out.push_str("\n[ledger]\nkey = { file = \"ledger.key\" }\n");
    }
    // Writing to a string does not fail.
    let _ = write!(
        out,
        r#"
[connections.hibp]
kind = "hibp"
tenants = ["acme"]
endpoints = {{ api = "{hibp_api}", passwords = "{hibp_passwords}" }}
scan = {{ api_key = {hibp} }}

[connections.acme-passwords]
kind = "onepassword"
tenants = ["acme"]
endpoints = {{ api = "{op_api}", events = "{op_events}" }}
scan = {{ client_id = "{scan_id}", client_secret = {scan}, events_token = {events} }}
respond = {{ client_id = "{respond_id}", client_secret = {respond} }}

[connections.acme-m365]
kind = "m365"
tenants = ["acme"]
endpoints = {{ login = "{m365_login}", graph = "{m365_graph}" }}
scan = {{ client_id = "{m365_scan_id}", client_secret = {m365_scan} }}
respond = {{ client_id = "{m365_respond_id}", client_secret = {m365_respond} }}

[connections.desk]
kind = "webhook"
tenants = ["acme"]
endpoints = {{ url = "{desk_url}" }}
respond = {{ signing_secret = {desk} }}

[connections.psa]
kind = "psa"
tenants = ["acme"]
endpoints = {{ api = "{psa_api}" }}
respond = {{ api_key = {psa} }}

[connections.rmm]
kind = "rmm"
tenants = ["acme"]
endpoints = {{ api = "{rmm_api}" }}
respond = {{ integration_key = {rmm} }}

[connections.compliance]
kind = "compliance"
tenants = ["acme"]
endpoints = {{ api = "{compliance_api}" }}
respond = {{ integration_key = {rmm} }}

[tenants.acme]
name = "Acme GmbH"
domains = ["{domain}"]
monitor = {{ domains = true, directories = ["{MICROSOFT}", "passwords"] }}
route = {{ open_ticket = ["psa"], force_password_reset = ["rmm"] }}

[tenants.acme.connectors.breaches]
connection = "hibp"

[tenants.acme.connectors.passwords]
connection = "acme-passwords"
account_id = "{account}"

[tenants.acme.connectors.{MICROSOFT}]
connection = "acme-m365"
tenant_id = "{m365_tenant}"

[tenants.acme.connectors.desk]
connection = "desk"

[tenants.acme.connectors.psa]
connection = "psa"
organisation_id = "{organisation}"

[tenants.acme.connectors.rmm]
connection = "rmm"
organisation_id = "{organisation}"
owners = []

[tenants.acme.connectors.compliance]
connection = "compliance"
organisation_id = "{organisation}"

[[tenants.acme.rules]]
name = "leaked credential"
when = {{ kind = "credential_exposure", severity = ">=high" }}
then = ["suspend_account", "force_password_reset", "open_ticket"]

[[tenants.acme.rules]]
name = "flagged sign-in"
when = {{ kind = "suspicious_sign_in", severity = ">=high" }}
then = ["suspend_account", "revoke_sessions", "open_ticket"]
"#,
        hibp_api = sandbox.hibp_api_url(),
        hibp_passwords = sandbox.hibp_passwords_url(),
        op_api = sandbox.onepassword_api_url(),
        op_events = sandbox.onepassword_events_url(),
        scan_id = accepted.scan_client_id,
        respond_id = accepted.respond_client_id,
        m365_login = sandbox.m365_login_url(),
        m365_graph = sandbox.m365_graph_url(),
        m365_scan_id = accepted.m365_scan_client_id,
        m365_respond_id = accepted.m365_respond_client_id,
        m365_tenant = accepted.m365_tenant_id,
        desk_url = sandbox.webhook_url(),
        psa_api = sandbox.one_stack_url("psa"),
        rmm_api = sandbox.one_stack_url("rmm"),
        compliance_api = sandbox.one_stack_url("compliance"),
        organisation = one_stack(sandbox).id,
        domain = sandbox.planted().domain,
        account = accepted.account_id,
    );
    out
}

/// Writes the secrets of a sandbox into a folder, readable for their owner alone.
pub(crate) fn write_secrets(sandbox: &Sandbox, folder: &Path) -> Result<()> {
    for secret in secrets(sandbox) {
        app::write_secret(&folder.join(secret.file), &secret.value)?;
    }
    Ok(())
}

/// The fault of this name.
pub(crate) fn fault(name: &str) -> Result<Fault> {
    Fault::named(name).ok_or_else(|| {
        let known: Vec<_> = Fault::NAMES.iter().map(|(name, _)| *name).collect();
        Error::invalid_input(format!("no such fault; there are: {}", known.join(", ")))
            .with_context("argument", "--fault")
    })
}

/// Why the simulated vendors did not start.
pub(crate) fn not_started(error: SandboxError) -> Error {
    Error::invalid_input(format!("the simulated vendors did not start: {error}")).with_source(error)
}
