//! What the connector is told.

use std::net::SocketAddr;
use std::path::PathBuf;

use protect_core::Result;
use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::registry::ConnectorSetup;
use serde::Deserialize;
use serde_json::Value;

use crate::checks;
use crate::dkim::is_selector;
use crate::reports::rules;

/// Everything that a connector was configured with, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) resolver: Option<SocketAddr>,
    pub(crate) selectors: Vec<String>,
    pub(crate) rua: Vec<String>,
    pub(crate) reports: Option<PathBuf>,
}

impl Settings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// `config_invalid` naming tenant, connector and field.
    pub(crate) fn read(setup: &ConnectorSetup) -> Result<Self> {
        if setup.connection.is_some() {
            return Err(setup.error("connection", "an email connector needs no connection"));
        }
        let written: Written = serde_json::from_value(Value::Object(setup.settings.clone()))
            .map_err(|error| setup.error("settings", without_value(&error)))?;
        if let Some(odd) = written.selectors.iter().find(|name| !is_selector(name)) {
            let text = "a selector is one to ten labels of letters, digits, `-` and `_`";
            return Err(setup
                .error("selectors", text)
                .with_context("selector", odd.clone()));
        }
        let resolver = written.resolver.map(|text| server(&text)).transpose();
        let resolver = resolver.map_err(|text| setup.error("resolver", text))?;
        if written.rua.iter().any(|mailbox| mailbox.trim().is_empty()) {
            return Err(setup.error("rua", "a mailbox or a domain is needed"));
        }
        Ok(Self {
            resolver,
            selectors: written.selectors,
            rua: written.rua,
            reports: written.reports,
        })
    }
}

/// A name server as people write it; without a port it is 53.
pub(crate) fn server(text: &str) -> Result<SocketAddr, &'static str> {
    let address = text.trim();
    let with_port = address.parse().ok();
    let alone = || Some(SocketAddr::new(address.parse().ok()?, 53));
    with_port
        .or_else(alone)
        .ok_or("not an address of a name server; write it as 192.0.2.53 or 127.0.0.1:5353")
}

fn without_value(error: &serde_json::Error) -> &'static str {
    if error.to_string().starts_with("unknown field") {
        "there is no such setting"
    } else {
        "a setting has the wrong type"
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    resolver: Option<String>,
    #[serde(default)]
    selectors: Vec<String>,
    #[serde(default)]
    rua: Vec<String>,
    reports: Option<PathBuf>,
}

/// What the configuration may say.
pub(crate) fn spec() -> KindSpec {
    let spec = KindSpec::new(
        crate::KIND,
        "Email authentication: SPF, DKIM, DMARC, MTA-STS and TLS-RPT of the tenant's domains, and the reports about them. It needs no account anywhere.",
    )
    .setting(SettingSpec::text(
        "resolver",
        "The name server to ask (`192.0.2.53`, `127.0.0.1:5353`); left out, the machine's own.",
    ))
    .setting(SettingSpec::new(
        "selectors",
        SettingType::TextList,
        "DKIM selectors that the domains are known to use; DNS does not list them.",
    ))
    .setting(SettingSpec::new(
        "rua",
        SettingType::TextList,
        "Your own mailboxes for aggregate reports, or their domains: the checks say where a domain does not report to them.",
    ))
    .setting(SettingSpec::new(
        "reports",
        SettingType::Path,
        "A folder in which reports arrive; every file in it is read once.",
    ));
    let spec = checks::all().fold(spec, |spec, check| {
        let docs = format!("Does not hold: {}", check.title);
        spec.check(check.id, check.severity, docs)
    });
    rules::ALL.into_iter().fold(spec, |spec, rule| {
        spec.check(rule.id, rule.severity, rule.says)
    })
}

#[cfg(test)]
mod tests {
    use protect_core::connector::ConnectorInfo;
    use serde_json::json;

    use super::*;

    pub(crate) fn setup(settings: &Value) -> ConnectorSetup {
        ConnectorSetup {
            info: ConnectorInfo {
                kind: crate::KIND.to_owned(),
                name: "mail".parse().unwrap(),
                tenant: "acme".parse().unwrap(),
            },
            connection: None,
            settings: settings.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn every_setting_is_read_and_none_is_needed() {
        let settings = Settings::read(&setup(&json!({
            "resolver": "127.0.0.1:5353",
            "selectors": ["mail2026"],
            "rua": ["dmarc@msp.example"],
            "reports": "/var/reports",
        })))
        .unwrap();
        assert_eq!(settings.resolver, Some("127.0.0.1:5353".parse().unwrap()));
        assert_eq!(settings.selectors, ["mail2026"]);
        assert_eq!(settings.reports, Some(PathBuf::from("/var/reports")));
        assert!(
            Settings::read(&setup(&json!({})))
                .unwrap()
                .resolver
                .is_none()
        );
        for (text, port) in [("192.0.2.53", 53), ("::1", 53), ("[::1]:5353", 5353)] {
            assert_eq!(server(text).unwrap().port(), port);
        }
    }

    #[test]
    fn a_mistake_names_tenant_connector_and_field() {
        for (settings, field) in [
            (json!({"resolver": "dns.example"}), "resolver"),
            (json!({"selectors": ["a b"]}), "selectors"),
            (json!({"rua": [""]}), "rua"),
            (json!({"dns": "x"}), "settings"),
        ] {
            let error = Settings::read(&setup(&settings)).unwrap_err();
            let facts = error.context();
            assert!(facts.contains(&("field", field.to_owned())), "{error}");
            assert!(facts.contains(&("tenant", "acme".to_owned())), "{error}");
        }
    }
}
