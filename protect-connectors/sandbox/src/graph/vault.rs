//! Azure Key Vault: reading a secret (learn.microsoft.com/rest/api/keyvault/secrets/get-secret).

use axum::http::{HeaderName, header};
use serde_json::{Value, json};

use super::login::{Audience, Login, PUBLIC_VAULT};
use crate::request::{Call, Context, Reply, decode};

const VERSIONS: [&str; 9] = [
    "7.0",
    "7.1",
    "7.2",
    "7.3",
    "7.4",
    "7.5",
    "7.6",
    "2025-07-01",
    "2025-06-01-preview",
];

pub(crate) struct Vault {
    root: String,
    secrets: Vec<Secret>,
}

/// A secret of the vault, by its name.
pub(crate) struct Secret {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) version: String,
    pub(crate) enabled: bool,
}

impl Vault {
    pub(crate) fn new(root: &str, secrets: Vec<Secret>) -> Self {
        Self {
            root: root.to_owned(),
            secrets,
        }
    }

    pub(crate) fn secret(&self, login: &Login, call: &Call, cx: &mut Context) -> Reply {
        let allowed = Self::admit(login, call, cx).and_then(|()| self.find(call, cx));
        match allowed {
            Ok(secret) => Reply::json(200, &self.shown(secret, cx)),
            Err(refusal) => refusal,
        }
    }

    fn admit(login: &Login, call: &Call, cx: &mut Context) -> Result<(), Reply> {
        cx.tenant = Some(login.tenant.clone());
        // A request without a token is how a client learns whom to ask for one.
        if call.bearer().is_none() {
            return Err(challenge(login));
        }
        let grant = login
            .tokens
            .check(call, cx)
            .ok_or_else(|| challenge(login))?;
        if grant.audience != Audience::Vault {
            cx.violate("token_audience", "the token is for another resource");
            return Err(challenge(login));
        }
        if !login.applications[grant.application].reads_vault {
            cx.violate("permission_missing", "the application may not read secrets");
            return Err(error(
                403,
                "Forbidden",
                "Caller is not authorized to perform action on resource.",
            ));
        }
        let version = call.query.iter().find(|(name, _)| name == "api-version");
        if !version.is_some_and(|(_, version)| VERSIONS.contains(&version.as_str())) {
            cx.violate("api_version", "api-version must name a version of the API");
            return Err(error(
                400,
                "BadParameter",
                "api-version is missing or unknown.",
            ));
        }
        Ok(())
    }

    fn find(&self, call: &Call, cx: &mut Context) -> Result<&Secret, Reply> {
        let part = |place: usize| call.segments.get(place).and_then(|text| decode(text));
        let name = part(2).unwrap_or_default();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if name.is_empty() || name.len() > 127 || !name.bytes().all(plain) {
            cx.violate("secret_name", "a name has letters, digits and hyphens");
            return Err(error(
                400,
                "BadParameter",
                "The request URI contains an invalid name.",
            ));
        }
        let wanted = part(3);
        let found = self.secrets.iter().find(|secret| {
            secret.name.eq_ignore_ascii_case(&name)
                && wanted.as_ref().is_none_or(|it| *it == secret.version)
        });
        let message = "A secret with this name/id was not found in this key vault.";
        let secret = found.ok_or_else(|| error(404, "SecretNotFound", message))?;
        if secret.enabled {
            return Ok(secret);
        }
        let message = "Operation get is not allowed on a disabled secret.";
        Err(error(403, "Forbidden", message))
    }

    fn shown(&self, secret: &Secret, cx: &Context) -> Value {
        let since = cx.now.as_second() - 90 * 24 * 3600;
        json!({
            "value": secret.value,
            "id": format!("{}/secrets/{}/{}", self.root, secret.name, secret.version),
            "attributes": {
                "enabled": secret.enabled,
                "created": since,
                "updated": since,
                "recoveryLevel": "Recoverable+Purgeable",
                "recoverableDays": 90,
            },
            "tags": {},
        })
    }
}

/// Errors of the vault, which has Graph's form without identifiers.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"code": code, "message": message}}),
    )
    .with(
        HeaderName::from_static("x-ms-keyvault-service-version"),
        "1.9",
    )
}

fn challenge(login: &Login) -> Reply {
    let asked = format!(
        "Bearer authorization=\"https://login.windows.net/{}\", resource=\"{PUBLIC_VAULT}\"",
        login.tenant
    );
    let message = "AKV10000: Request is missing a Bearer or PoP token.";
    error(401, "Unauthorized", message).with(header::WWW_AUTHENTICATE, &asked)
}
