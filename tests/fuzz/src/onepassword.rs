//! 1Password: the bytes are the body of an answer.

use http::StatusCode;
use protect_onepassword::OnePassword;

use crate::vendor::{Said, block_on, context};

/// So that the Users API itself is asked.
const TOKEN: (&str, &str) = (
    "/oauth2/token",
    r#"{"access_token":"t","token_type":"Bearer","expires_in":900}"#,
);

const USER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

pub(crate) fn users(data: &[u8]) {
    let client = client(&[TOKEN], Said::ok(data));
    let _ = block_on(client.users_page(None, None));
    let _ = block_on(client.get_user(USER));
    let _ = block_on(client.suspend_user(USER));
}

pub(crate) fn events(data: &[u8]) {
    let client = client(&[], Said::ok(data));
    let _ = block_on(client.sign_in_attempts_page(None, None));
    let _ = block_on(client.item_usages_page(None, None));
    let _ = block_on(client.audit_events_page(None, None));
    let _ = block_on(client.introspect());
}

pub(crate) fn token(data: &[u8]) {
    let _ = block_on(client(&[], Said::ok(data)).users_page(None, None));
}

pub(crate) fn errors(data: &[u8]) {
    for status in [StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN] {
        let client = client(&[TOKEN], Said::with(status, data));
        let _ = block_on(client.get_user(USER));
        let _ = block_on(client.introspect());
    }
}

#[expect(clippy::expect_used, reason = "the settings are constant")]
fn client(fixed: &'static [(&'static str, &'static str)], said: Said) -> OnePassword {
    OnePassword::builder()
        .context(context(fixed, said))
        .account(USER)
        .credentials("client", "secret")
        .events_token("token")
        .without_limit()
        .build()
        .expect("constant settings")
}
