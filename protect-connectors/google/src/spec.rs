//! What the configuration may say, and making a connector from it.

use std::sync::Arc;

use protect_core::config::{CredentialSpec, EndpointSpec, KindSpec, SettingSpec, SettingType};
use protect_core::connector::Connector;
use protect_core::model::Severity;
use protect_core::registry::Registry;

use crate::config::{MY_CUSTOMER, Options, SERVICE_ACCOUNT, TOKEN_URL};
use crate::connector::GoogleConnector;
use crate::detections::{self, OTHER_ALERT, OTHER_ALERT_TITLE};
use crate::history::{DRIFT, DRIFT_TITLE};
use crate::scope::Api;
use crate::{CATALOGUE, KIND, directory, signals};

/// Adds the kind to a registry.
pub fn register(registry: &mut Registry) {
    registry.register(spec(), |setup, context| {
        let connector = GoogleConnector::new(&setup, context)?;
        Ok(Arc::new(connector) as Arc<dyn Connector>)
    });
}

/// What the configuration may say.
fn spec() -> KindSpec {
    let spec = KindSpec::new(
        KIND,
        "Google Workspace: judges how a customer is set up, reads what happened to accounts, and changes accounts.",
    )
    .endpoint(
        EndpointSpec::new("token", "The token endpoint, as a whole address.")
            .default(TOKEN_URL)
            .whole_url(),
    );
    let endpoint = |api: Api| {
        let docs = format!("Root of the {}.", api.title());
        EndpointSpec::new(api.endpoint(), docs).default(api.root())
    };
    let spec = Api::ALL
        .map(endpoint)
        .into_iter()
        .fold(spec, KindSpec::endpoint);
    let spec = spec
        .optional_scan(credential("that may read"))
        .respond(credential("that may change accounts"));
    let spec = settings().into_iter().fold(spec, KindSpec::setting);
    let spec = spec
        .account_state(directory::ARCHIVED)
        .account_state(directory::UNKNOWN)
        .signal(signals::ACCOUNT_EVENT, "Something happened to an account.")
        .signal(
            signals::ADMIN_EVENT,
            "An administrator changed roles, second factors or whom the domain trusts.",
        )
        .signal(signals::GRANT, "Somebody gave an application access.")
        .signal(signals::FAILURE_OF_ACCOUNT, "A sign-in failed.")
        .signal(
            signals::FAILURE_OF_ANY,
            "The same, beside the failed sign-ins of all others.",
        )
        .signal(signals::ALERT, "The Alert Center raised another alert.");
    let spec = CATALOGUE.checks.iter().fold(spec, |spec, check| {
        let docs = format!("Does not hold: {}", check.title);
        spec.check(check.id, check.severity, docs)
    });
    let spec = detections::checks().fold(spec, |spec, (check, severity, title)| {
        spec.check(check, severity, title)
    });
    spec.check(OTHER_ALERT, Severity::High, OTHER_ALERT_TITLE)
        .check(DRIFT, Severity::Low, DRIFT_TITLE)
}

fn credential(what: &str) -> CredentialSpec {
    CredentialSpec::new().secret(
        SERVICE_ACCOUNT,
        format!("The JSON file of a service account with domain-wide delegation {what}."),
    )
}

const COUNT: SettingType = SettingType::Integer {
    min: 1,
    max: 1_000_000,
};

fn settings() -> Vec<SettingSpec> {
    let own = Options::default();
    let span = |name, seconds: u64, docs| {
        let default = format!("{}h", seconds / 3_600);
        SettingSpec::new(name, SettingType::Duration, docs).default(default)
    };
    vec![
        SettingSpec::text("customer_id", "The customer's id (`C` and letters), or `my_customer` for that of `subject`.")
            .default(MY_CUSTOMER),
        SettingSpec::text("subject", "The address of the administrator to act as; the Policy API answers super administrators alone.")
            .required(),
        SettingSpec::one_of("profile", ["scuba", "cis"], "Which baseline's reading of the checks applies.")
            .default("scuba"),
        SettingSpec::new("checks", SettingType::Table, "Exclusions and levels per check, as in a snapshot's `config`."),
        span("posture_every", own.posture_every, "How old what is known of the settings may be before they are collected again."),
        SettingSpec::new("snapshots", SettingType::Path, "Folder in which collected answers are kept; without it they are removed after the run."),
        span("lookback", own.lookback, "How far back the first poll of the logs and alerts begins; at most 179 days."),
        SettingSpec::new("act_on_administrators", SettingType::Boolean, "Whether super administrators may be acted on; the last one never is.")
            .default(own.act_on_administrators),
        SettingSpec::new("break_glass", SettingType::TextList, "Accounts that are never acted on, by id or address."),
        SettingSpec::text("enforced_org_unit", "Path of the org unit in which 2-step verification is enforced; `enroll_mfa` moves accounts there, and needs it."),
        SettingSpec::new("failures", COUNT, "So many failed sign-ins of one account within `failure_window` are reported.")
            .default(own.failures),
        SettingSpec::new("sprayed_accounts", COUNT, "Failed sign-ins of so many accounts from one address within `failure_window` are reported.")
            .default(own.sprayed_accounts),
        SettingSpec::new("failure_window", SettingType::Duration, "The window for `failures` and `sprayed_accounts`.")
            .default("10m"),
        SettingSpec::new("handover", SettingType::Path, "Folder for what only an account's owner may see; with it `force_password_reset` makes a new password and leaves it there."),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use protect_core::config::Config;
    use protect_core::connector::ConnectorInfo;
    use protect_core::model::{ActionKind, ConnectorName, EffectClass, TenantId};
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
        let name = ConnectorName::new("workspace")?;
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
        let connector = example("subject", "subject").unwrap();
        let capability = connector.capability();
        assert_eq!(
            capability.checks.len(),
            CATALOGUE.checks.len() + detections::checks().count() + 2
        );
        assert_eq!(capability.actions.len(), 8, "all but `enroll_mfa`");
        let reset = ActionKind::ForcePasswordReset;
        assert_eq!(capability.actions[&reset], EffectClass::StateIdempotent);
        let more =
            "handover = \"new\"\nenforced_org_unit = \"/Enforced\"\nlookback = \"3d\"\nsubject";
        let actions = example("subject", more).unwrap().capability().actions;
        assert!(actions.contains_key(&ActionKind::EnrollMfa));
        assert_eq!(actions[&reset], EffectClass::NonIdempotent);
    }

    #[test]
    fn a_configuration_that_cannot_be_right_makes_none() {
        let place = "subject";
        for (text, by) in [
            (place, "administrator"),
            ("admin@acme.example", "admin"),
            (
                "{ file = \"scan.json\" }",
                "\"{\\\"type\\\":\\\"service_account\\\"}\"",
            ),
            (
                "service_account = { file = \"scan.json\" }",
                "client_id = \"1\"",
            ),
            (place, "customer_id = \"a/b\"\nsubject"),
            (place, "profile = \"prowler\"\nsubject"),
            (place, "lookback = \"200d\"\nsubject"),
            (place, "enforced_org_unit = \"Enforced\"\nsubject"),
            (place, "checks = { \"google.user.nothing\" = {} }\nsubject"),
            (
                place,
                "checks = { \"google.domain.spf\" = { level = \"none\" } }\nsubject",
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
            "act_on_administrators",
            "break_glass",
            "enforced_org_unit",
            "failures",
            "sprayed_accounts",
            "failure_window",
            "handover",
        ] {
            assert!(names.contains(name), "{name}");
        }
        assert_eq!(names.len(), 10 + 4);
    }
}
