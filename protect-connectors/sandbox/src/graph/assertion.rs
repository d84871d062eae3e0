//! Client assertions signed with a certificate (identity-platform/certificate-credentials).

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::login::{Application, Refused};
use crate::{
    assertion::{Certificate, Jwt, built_in},
    request::Context,
};

/// Entra forgives clocks that are off by so many seconds.
const TOLERANCE: i64 = 300;
/// What the vendor asks for at most, in seconds between `nbf` and `exp`.
const LONGEST: i64 = 600;

/// The identifiers of the assertions that were used.
#[derive(Debug, Default)]
pub(crate) struct Assertions {
    used: HashSet<String>,
}

impl Assertions {
    /// Checks an assertion for this application and the token endpoint at `audience`.
    pub(crate) fn check(
        &mut self,
        text: &str,
        application: &Application,
        audience: &str,
        cx: &mut Context,
    ) -> Result<(), Refused> {
        let jwt = Jwt::parse(text).ok_or_else(|| invalid("The assertion is malformed."))?;
        let registered = match &application.certificates {
            Some(registered) => registered.clone(),
            None => Certificate::parse(&built_in().certificate)
                .into_iter()
                .collect(),
        };
        let Some(signer) = registered.iter().find(|it| is_named_by(it, &jwt.header)) else {
            return Err(wrong_key(
                "The certificate is not registered on application.",
            ));
        };
        if !signer.verifies(&jwt) {
            return Err(wrong_key("Client assertion failed signature validation."));
        }
        check_claims(&jwt, &application.client_id, audience)?;
        check_times(&jwt, cx)?;
        let identifier = jwt.claims["jti"].as_str().unwrap_or_default();
        if identifier.is_empty() || !self.used.insert(identifier.to_owned()) {
            return Err(invalid(
                "The identifier (jti) is missing or was used before.",
            ));
        }
        Ok(())
    }
}

fn check_claims(jwt: &Jwt<'_>, client: &str, audience: &str) -> Result<(), Refused> {
    if jwt.claims["iss"] != client || jwt.claims["sub"] != client {
        return Err(invalid(
            "Issuer and subject must be the client's identifier.",
        ));
    }
    if jwt.claims["aud"] != audience {
        return Err(invalid("The audience must be the token endpoint."));
    }
    Ok(())
}

fn check_times(jwt: &Jwt<'_>, cx: &mut Context) -> Result<(), Refused> {
    let at = |name: &str| jwt.claims[name].as_i64();
    let (Some(begin), Some(end)) = (at("nbf"), at("exp")) else {
        return Err(invalid("The assertion needs nbf and exp."));
    };
    let now = cx.now.as_second();
    if now + TOLERANCE < begin || now - TOLERANCE > end {
        return Err(out_of_time());
    }
    if end - begin > LONGEST {
        cx.violate("assertion_long_lived", "5 to 10 minutes are asked for");
    }
    Ok(())
}

/// The vendor knows a certificate by its thumbprint.
fn is_named_by(certificate: &Certificate, header: &Value) -> bool {
    let is = |name: &str, digest: &[u8]| {
        header[name]
            .as_str()
            .map(|given| given == URL_SAFE_NO_PAD.encode(digest))
    };
    is("x5t#S256", &Sha256::digest(certificate.der()))
        .or_else(|| is("x5t", &Sha1::digest(certificate.der())))
        .unwrap_or(false)
}

fn invalid(message: &'static str) -> Refused {
    Refused::client(50_013, message, "client_assertion")
}

fn wrong_key(message: &'static str) -> Refused {
    Refused::client(700_027, message, "client_assertion")
}

fn out_of_time() -> Refused {
    let message = "Client assertion is not within its valid time range.";
    Refused::client(700_024, message, "client_assertion").unforeseen()
}
