//! What the connector is told: cloud, tenant, credentials, profile and what a tenant tuned.

use std::path::PathBuf;
use std::str::FromStr;

use protect_core::model::Attributes;
use protect_core::posture::EvaluateConfig;
use protect_core::registry::ConnectorSetup;
use protect_core::secret::Credential;
use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::auth::{AppCredential, Proof};

/// Which of Microsoft's clouds the tenant lives in. Tokens of one mean nothing in another
/// (<https://learn.microsoft.com/graph/deployments>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    /// The public cloud, with GCC.
    #[default]
    Global,
    /// US Government L4.
    GccHigh,
    /// US Government L5.
    Dod,
    /// Operated by 21Vianet.
    China,
}

impl Cloud {
    /// Every cloud.
    pub const ALL: [Self; 4] = [Self::Global, Self::GccHigh, Self::Dod, Self::China];

    /// The stable name, which also stands in snapshots.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::GccHigh => "gcc_high",
            Self::Dod => "dod",
            Self::China => "china",
        }
    }

    /// Root of the sign-in service.
    pub const fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::GccHigh | Self::Dod => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// Root of Microsoft Graph.
    pub const fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::GccHigh => "https://graph.microsoft.us",
            Self::Dod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// Suffix of key vaults' hosts, and what their tokens are asked for.
    pub const fn vault(self) -> &'static str {
        match self {
            Self::Global => "vault.azure.net",
            Self::GccHigh | Self::Dod => "vault.usgovcloudapi.net",
            Self::China => "vault.azure.cn",
        }
    }
}

impl FromStr for Cloud {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|cloud| cloud.as_str() == text);
        found.ok_or_else(|| {
            Error::invalid_input("the cloud is one of global, gcc_high, dod and china")
        })
    }
}

/// The tenant as it stands in the path of its token endpoint: a GUID or a verified domain. `common`
/// and its like are refused for applications (AADSTS9001023).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TenantName(String);

impl TenantName {
    pub(crate) fn new(text: &str) -> Result<Self> {
        let text = text.trim();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        let is_one = text.len() <= 253
            && text.bytes().all(fits)
            && !text.starts_with(['.', '-'])
            && (is_guid(text) || text.contains('.'));
        if is_one {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(Error::invalid_input(
                "the tenant is a GUID (`Directory (tenant) ID` on the application's overview page) or one of its verified domains; `common` does not work for applications",
            ))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the text has the form of an object id: nothing else may become part of a path.
pub(crate) fn is_guid(text: &str) -> bool {
    crate::id::Name::new(text).is_guid() && text.trim() == text
}

/// Where the tenant is and how to get there.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) tenant: TenantName,
    pub(crate) cloud: Cloud,
    pub(crate) login: String,
    pub(crate) graph: String,
}

impl Place {
    /// The cloud's own roots.
    pub(crate) fn of(tenant: TenantName, cloud: Cloud) -> Self {
        Self {
            tenant,
            cloud,
            login: cloud.login().to_owned(),
            graph: cloud.graph().to_owned(),
        }
    }
}

/// Everything that a connector was configured with, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) place: Place,
    pub(crate) scan: Option<AppCredential>,
    pub(crate) respond: Option<AppCredential>,
    pub(crate) evaluate: EvaluateConfig,
    pub(crate) options: Options,
}

/// The tenant's own settings besides those of the checks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Where collected answers lie; a private temporary folder where nobody says.
    pub(crate) snapshots: Option<PathBuf>,
    /// How old what is known of the settings may be before they are collected again, in seconds.
    pub(crate) posture_every: u64,
    /// How far back the first poll of sign-ins, detections and alerts begins, in seconds.
    pub(crate) lookback: u64,
    /// Whether single sign-ins are read: many, and five requests in ten seconds.
    pub(crate) sign_ins: bool,
    /// Whether accounts with the highest roles may be acted on.
    pub(crate) act_on_administrators: bool,
    /// Whether accounts that an on-premises directory keeps may be acted on.
    pub(crate) act_on_synced: bool,
    /// How far the secure score may fall between two runs, in percent points.
    pub(crate) score_drop: u32,
    /// Folder for what only the owner of an account may see, such as a Temporary Access Pass.
    pub(crate) handover: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            snapshots: None,
            posture_every: 24 * 3_600,
            lookback: 7 * 24 * 3_600,
            sign_ins: true,
            act_on_administrators: false,
            act_on_synced: false,
            score_drop: 5,
            handover: None,
        }
    }
}

/// The vendor keeps sign-ins for 30 days (with Entra ID P1), so more is never there.
const MAX_LOOKBACK: u64 = 30 * 24 * 3_600;

impl Settings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// `config_invalid` naming tenant, connector, connection and field.
    pub(crate) fn read(setup: &ConnectorSetup) -> Result<Self> {
        let Some((_, connection)) = &setup.connection else {
            return Err(setup.error("connection", "an m365 connector needs a connection"));
        };
        let cloud = match connection.settings.get("cloud") {
            None => Cloud::default(),
            Some(Value::String(text)) => text.parse().map_err(setup.at("cloud"))?,
            Some(_) => return Err(setup.error("cloud", "the cloud is a text")),
        };
        if let Some(key) = connection.settings.keys().find(|key| *key != "cloud") {
            return Err(setup.error(key, "unknown key of an m365 connection"));
        }
        let scan = read_app(setup, "scan", connection.scan.clone())?;
        let respond = connection.respond.clone();
        let respond = respond.map(|fields| read_app(setup, "respond", fields));
        let respond = respond.transpose()?.flatten();
        if scan.is_none() && respond.is_none() {
            return Err(setup.error(
                "scan",
                "give `client_id` and `client_secret` or a certificate",
            ));
        }
        let mut fields = setup.settings.clone();
        let tenant = setup.take_text(&mut fields, "tenant_id")?;
        let tenant = TenantName::new(tenant.as_deref().unwrap_or_default())
            .map_err(setup.at("tenant_id"))?;
        let mut place = Place::of(tenant, cloud);
        for (name, url) in &connection.endpoints {
            match name.as_str() {
                "login" => place.login.clone_from(url),
                "graph" => place.graph.clone_from(url),
                _ => {
                    let field = format!("endpoints.{name}");
                    return Err(setup.error(field, "the endpoints are `login` and `graph`"));
                }
            }
        }
        let evaluate = setup.take_evaluate(&crate::CATALOGUE, &mut fields)?;
        Ok(Self {
            place,
            scan,
            respond,
            evaluate,
            options: read_options(setup, fields)?,
        })
    }
}

fn read_options(setup: &ConnectorSetup, fields: Attributes) -> Result<Options> {
    let options: Options = setup.read_rest(fields)?;
    if options.lookback > MAX_LOOKBACK {
        let message = "a span of time; Microsoft keeps sign-ins for 30 days";
        return Err(setup.error("lookback", message));
    }
    Ok(options)
}

/// An application's id with its secret, or with its certificate and key.
fn read_app(
    setup: &ConnectorSetup,
    section: &str,
    mut fields: Attributes,
) -> Result<Option<AppCredential>> {
    let field = |name: &str| format!("{section}.{name}");
    let mut secret = |name: &str| {
        let value = fields.remove(name);
        let read = value
            .map(|value| Credential::from_config(&value))
            .transpose();
        read.map_err(|error| setup.error(field(name), error.message()))
    };
    let (client_secret, certificate, key) = (
        secret("client_secret")?,
        secret("certificate")?,
        secret("private_key")?,
    );
    let client_id = setup.take_text(&mut fields, "client_id")?;
    if let Some(key) = fields.keys().next() {
        return Err(setup.error(field(key), "unknown key of an m365 credential"));
    }
    let proof = match (client_secret, certificate, key) {
        (None, None, None) if client_id.is_none() => return Ok(None),
        (Some(secret), None, None) => Proof::Secret(secret),
        (None, Some(certificate), Some(private_key)) => Proof::Certificate {
            certificate,
            private_key,
        },
        (None, None, Some(_)) => return Err(setup.error(field("certificate"), "missing")),
        (None, Some(_), None) => return Err(setup.error(field("private_key"), "missing")),
        (None, None, None) => return Err(setup.error(field("client_secret"), "missing")),
        (Some(_), ..) => {
            let message = "give a secret or a certificate with its key, not both";
            return Err(setup.error(field("client_secret"), message));
        }
    };
    let client_id = client_id.ok_or_else(|| setup.error(field("client_id"), "missing"))?;
    AppCredential::new(client_id, proof)
        .map(Some)
        .map_err(|error| setup.error(field("client_id"), error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_guid_or_a_domain_and_never_a_path() {
        for right in [
            "5f0c7d3e-0000-4000-8000-00000000000A",
            "acme.onmicrosoft.com",
            "acme.example",
        ] {
            assert!(TenantName::new(right).is_ok(), "{right}");
        }
        for wrong in [
            "common",
            "organizations",
            "",
            "a/b.c",
            "..",
            ".a.b",
            "a b.c",
            "a.b?c",
        ] {
            assert!(TenantName::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_cloud_reads_as_it_is_written() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.as_str().parse::<Cloud>().unwrap(), cloud);
            assert_eq!(serde_json::json!(cloud), cloud.as_str());
        }
        assert!("gcc".parse::<Cloud>().is_err());
    }
}
