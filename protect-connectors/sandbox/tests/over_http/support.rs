//! What the tests over HTTP share: a sandbox and a plain client.

use aws_lc_rs::{rand::SystemRandom, rsa, signature::RsaEncoding};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use protect_sandbox::{Sandbox, SandboxBuilder};
use reqwest::{Client, Method, RequestBuilder, StatusCode, redirect::Policy};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::Value;

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) struct Wire {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: Client,
}

pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

pub(crate) async fn wire(builder: SandboxBuilder) -> Wire {
    let http = Client::builder()
        .user_agent("protect-sandbox-tests/0.1")
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    Wire {
        sandbox: builder.start().await.unwrap(),
        http,
    }
}

pub(crate) fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let parts = text.bytes().map(|b| {
        if plain(b) {
            char::from(b).to_string()
        } else {
            format!("%{b:02X}")
        }
    });
    parts.collect()
}

/// The request with a form as its body.
pub(crate) fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    request.header("content-type", FORM).body(fields.join("&"))
}

/// A JWT signed with a private key in PEM.
pub(crate) fn signed(
    key: &str,
    padding: &'static dyn RsaEncoding,
    header: &Value,
    claims: &Value,
) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let key = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let key = rsa::KeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        padding,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(crate) async fn send(request: RequestBuilder) -> Got {
    let response = request.send().await.unwrap();
    let status: StatusCode = response.status();
    let header = response.headers().get("retry-after");
    Got {
        status: status.as_u16(),
        retry_after: header.map(|value| value.to_str().unwrap().to_owned()),
        text: response.text().await.unwrap(),
    }
}

impl Wire {
    pub(crate) fn rules(&self) -> Vec<String> {
        let violations = self.sandbox.violations();
        violations.into_iter().map(|broken| broken.rule).collect()
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Got {
        let url = format!("{}/_sandbox{path}", self.sandbox.base_url());
        send(
            self.http
                .request(method, url)
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
        .await
    }
}
