//! Microsoft 365: the bytes are the body of an answer.

use http::StatusCode;
use protect_m365::M365;

use crate::vendor::{Said, block_on, context};

/// So that Graph itself is asked.
const TOKEN: (&str, &str) = (
    "/oauth2/v2.0/token",
    r#"{"access_token":"t","token_type":"Bearer","expires_in":3599}"#,
);

const USER: &str = "11111111-2222-4333-8444-555555555555";

pub(crate) fn answers(data: &[u8]) {
    let client = client(&[TOKEN], Said::ok(data));
    let _ = block_on(client.users_page(None));
    let _ = block_on(client.disable_user(USER));
    let _ = block_on(client.authentication_methods(USER));
    let _ = block_on(client.role_assignments(USER));
    let _ = block_on(client.user_consent());
}

pub(crate) fn events(data: &[u8]) {
    let client = client(&[TOKEN], Said::ok(data));
    let _ = block_on(client.risky_users_page(None, None));
    let _ = block_on(client.risk_detections_page(None, None));
    let _ = block_on(client.sign_ins_page(None, None));
    let _ = block_on(client.alerts_page(None, None));
    let _ = block_on(client.secure_score());
}

pub(crate) fn token(data: &[u8]) {
    let _ = block_on(client(&[], Said::ok(data)).granted_permissions());
    let refused = Said::with(StatusCode::UNAUTHORIZED, data);
    let _ = block_on(client(&[], refused).granted_permissions());
}

pub(crate) fn errors(data: &[u8]) {
    for status in [StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN] {
        let client = client(&[TOKEN], Said::with(status, data));
        let _ = block_on(client.get_user(USER));
    }
}

#[expect(clippy::expect_used, reason = "the settings are constant")]
fn client(fixed: &'static [(&'static str, &'static str)], said: Said) -> M365 {
    M365::builder()
        .context(context(fixed, said))
        .tenant("acme.example")
        .credentials(USER, "secret")
        .without_limit()
        .build()
        .expect("constant settings")
}
