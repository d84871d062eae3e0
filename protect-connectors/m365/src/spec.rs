//! What the configuration may say, and making a connector from it.

use std::sync::Arc;

use protect_core::config::{CredentialSpec, EndpointSpec, KindSpec, SettingSpec, SettingType};
use protect_core::connector::Connector;
use protect_core::model::Severity;
use protect_core::registry::Registry;

use crate::config::{Cloud, Options};
use crate::connector::M365Connector;
use crate::detections::{self, USER_AT_RISK};
use crate::{CATALOGUE, KIND, directory, signals};

/// Adds the kind to a registry.
pub fn register(registry: &mut Registry) {
    registry.register(spec(), |setup, context| {
        let connector = M365Connector::new(&setup, context)?;
        Ok(Arc::new(connector) as Arc<dyn Connector>)
    });
}

/// What the configuration may say.
fn spec() -> KindSpec {
    let clouds = Cloud::ALL.map(Cloud::as_str);
    let spec = KindSpec::new(
        KIND,
        "Microsoft 365: judges how a tenant is set up, reads risks, sign-ins and alerts, and changes users, through Microsoft Graph.",
    )
    .endpoint(EndpointSpec::new("login", "Root of the sign-in service instead of the cloud's."))
    .endpoint(EndpointSpec::new("graph", "Root of Microsoft Graph instead of the cloud's."))
    .optional_scan(credential("that may read"))
    .respond(credential("that may change users"))
    .connection_setting(
        SettingSpec::one_of("cloud", clouds, "In which of Microsoft's clouds the tenant lives.")
            .default(Cloud::default().as_str()),
    );
    let spec = settings().into_iter().fold(spec, KindSpec::setting);
    // The state of an account of which Graph does not say whether it can sign in.
    let spec = spec
        .account_state(directory::UNKNOWN)
        .signal(
            signals::RISK_DETECTION,
            "Identity Protection noticed a risk.",
        )
        .signal(signals::SIGN_IN, "Somebody signed in, or tried to.")
        .signal(
            signals::DIRECTORY_AUDIT,
            "Somebody changed something in the directory.",
        )
        .signal(
            signals::ALERT,
            "A security product of Microsoft raised an alert.",
        )
        .signal(signals::SECURE_SCORE, "Microsoft scored the tenant.");
    let spec = CATALOGUE.checks.iter().fold(spec, |spec, check| {
        let docs = format!("Does not hold: {}", check.title);
        spec.check(check.id, check.severity, docs)
    });
    let spec = detections::SPECS
        .iter()
        .fold(spec, |spec, it| spec.check(it.check, it.severity, it.title));
    let at_risk = "Identity Protection holds an account to be at risk";
    spec.check(USER_AT_RISK, Severity::High, at_risk)
}

fn credential(what: &str) -> CredentialSpec {
    CredentialSpec::new()
        .plain("client_id", format!("Id of an application {what}."))
        .secret("client_secret", "Its client secret.")
        .secret("certificate", "Its certificate (PEM), instead of a secret.")
        .secret(
            "private_key",
            "The certificate's private key (PEM, RSA, without a passphrase).",
        )
        .alternative(["client_id", "client_secret"])
        .alternative(["client_id", "certificate", "private_key"])
}

fn settings() -> Vec<SettingSpec> {
    let own = Options::default();
    let span = |name, seconds: u64, docs| {
        let default = format!("{}h", seconds / 3_600);
        SettingSpec::new(name, SettingType::Duration, docs).default(default)
    };
    let flag = |name, default: bool, docs| {
        SettingSpec::new(name, SettingType::Boolean, docs).default(default)
    };
    vec![
        SettingSpec::text("tenant_id", "The tenant's id (a GUID), or one of its verified domains.")
            .required(),
        SettingSpec::one_of("profile", ["scuba", "cis", "prowler"], "Which baseline's reading of the checks applies.")
            .default("scuba"),
        SettingSpec::new("checks", SettingType::Table, "Exclusions and levels per check, as in a snapshot's `config`."),
        span("posture_every", own.posture_every, "How old what is known of the settings may be before they are collected again."),
        SettingSpec::new("snapshots", SettingType::Path, "Folder in which collected answers are kept; without it they are removed after the run."),
        span("lookback", own.lookback, "How far back the first poll of detections, sign-ins and alerts begins; at most 30 days."),
        flag("sign_ins", own.sign_ins, "Whether single sign-ins are read; they are many, and slow to come."),
        flag("act_on_administrators", own.act_on_administrators, "Whether global administrators may be acted on; the last one never is."),
        flag("act_on_synced", own.act_on_synced, "Whether accounts that an on-premises directory keeps may be acted on; it may take the change back."),
        SettingSpec::new("score_drop", SettingType::Integer { min: 1, max: 100 }, "How far Microsoft's score of the tenant may fall from one day to the next, in percent points.")
            .default(own.score_drop),
        SettingSpec::new("handover", SettingType::Path, "Folder for what only an account's owner may see, such as a Temporary Access Pass; `enroll_mfa` needs it."),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use protect_core::config::Config;
    use protect_core::connector::ConnectorInfo;
    use protect_core::model::{ActionKind, ConnectorName, TenantId};
    use protect_core::registry::ConnectorSetup;
    use protect_core::{ErrorKind, Result};

    use super::*;

    /// The example of the documentation, with one text in it replaced.
    fn example(text: &str, by: &str) -> Result<Arc<dyn Connector>> {
        let docs = include_str!("docs.md");
        let (_, rest) = docs.split_once("```toml").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        assert!(example.contains(text), "{text}");
        let mut registry = Registry::new();
        register(&mut registry);
        let config = Config::from_toml(&example.replace(text, by), &registry)?;
        let tenant = TenantId::new("acme")?;
        let name = ConnectorName::new("entra")?;
        let connector = config.tenants[&tenant].connectors[&name].clone();
        let connection = connector.connection.unwrap();
        let setup = ConnectorSetup {
            info: ConnectorInfo {
                kind: connector.kind,
                name,
                tenant,
            },
            connection: Some((connection.clone(), config.connections[&connection].clone())),
            settings: connector.settings,
        };
        registry.build(setup, &protect_core::testing::context().context)
    }

    #[test]
    fn the_documented_configuration_makes_a_connector_that_can_do_everything() {
        let connector = example("tenant_id", "tenant_id").unwrap();
        let capability = connector.capability();
        assert_eq!(capability.checks.len(), CATALOGUE.checks.len() + 6);
        assert_eq!(capability.actions.len(), 12, "all but `enroll_mfa`");
        let more = "handover = \"passes\"\nlookback = \"3d\"\nsign_ins = false\ntenant_id";
        let actions = example("tenant_id", more).unwrap().capability().actions;
        assert!(actions.contains_key(&ActionKind::EnrollMfa));
        let certificate = "certificate = { file = \"c.pem\" }, private_key = { file = \"k.pem\" }";
        example(
            "client_secret = { env = \"M365_SCAN_SECRET\" }",
            certificate,
        )
        .unwrap();
    }

    #[test]
    fn a_configuration_that_cannot_be_right_makes_none() {
        let place = "tenant_id";
        for (text, by) in [
            (place, "tenant"),
            ("acme.onmicrosoft.com", "common"),
            ("\"global\"", "\"gcc\""),
            ("{ env = \"M365_SCAN_SECRET\" }", "\"in clear\""),
            ("11111111-1111-4111-8111-111111111111", "my app"),
            (place, "profile = \"strict\"\ntenant_id"),
            (place, "lookback = \"60d\"\ntenant_id"),
            (place, "checks = { \"m365.ca.nothing\" = {} }\ntenant_id"),
            (
                place,
                "checks = { \"m365.ca.mfa_all_users\" = { excluded = [] } }\ntenant_id",
            ),
            (
                place,
                "checks = { \"m365.user.stale_accounts\" = { level = \"long\" } }\ntenant_id",
            ),
            (
                "client_secret = { env = \"M365_SCAN_SECRET\" }",
                "certificate = { file = \"c.pem\" }",
            ),
        ] {
            let error = example(text, by).expect_err(by);
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{by}: {error}");
        }
    }

    #[test]
    fn every_setting_has_a_field_and_every_default_is_the_fields() {
        let names: BTreeSet<_> = settings().into_iter().map(|it| it.name).collect();
        for name in [
            "snapshots",
            "posture_every",
            "lookback",
            "sign_ins",
            "act_on_administrators",
            "act_on_synced",
            "score_drop",
            "handover",
        ] {
            assert!(names.contains(name), "{name}");
        }
        assert_eq!(names.len(), 8 + 3);
    }
}
