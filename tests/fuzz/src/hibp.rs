//! Have I Been Pwned: the bytes are the body of an answer.

use protect_hibp::{Hibp, Password};

use crate::vendor::{Said, block_on, context};

/// A plan that may ask everything, so that every question is asked.
const PLAN: (&str, &str) = (
    "/subscription/status",
    r#"{"SubscriptionName":"Pro 5","Rpm":8000,"SubscribedUntil":"2030-01-01T00:00:00",
        "IncludesStealerLogs":true,"IncludesBulkDomainAdd":true,"IncludesKAnon":true}"#,
);

const ADDRESS: &str = "account-exists@hibp-integration-tests.com";

pub(crate) fn breaches(data: &[u8]) {
    let client = client(data);
    let _ = block_on(client.breaches(None, None));
    let _ = block_on(client.latest_breach());
    let _ = block_on(client.data_classes());
    let _ = block_on(client.breached_account(ADDRESS));
}

pub(crate) fn pastes(data: &[u8]) {
    let _ = block_on(client(data).paste_account(ADDRESS));
}

pub(crate) fn domain(data: &[u8]) {
    let client = client(data);
    let _ = block_on(client.breached_domain("acme.example"));
    let _ = block_on(client.subscribed_domains());
}

pub(crate) fn stealer_logs(data: &[u8]) {
    let client = client(data);
    let _ = block_on(client.stealer_logs_by_email(ADDRESS));
    let _ = block_on(client.stealer_logs_by_email_domain("acme.example"));
    let _ = block_on(client.stealer_logs_by_website_domain("acme.example"));
}

pub(crate) fn range(data: &[u8]) {
    let _ = block_on(client(data).breached_account_range(ADDRESS));
}

pub(crate) fn passwords(data: &[u8]) {
    let client = client(data);
    let _ = block_on(client.check_password(Password::from("correct horse")));
    let _ = block_on(client.check_password_ntlm(Password::from("correct horse")));
}

/// The plan itself.
pub(crate) fn status(data: &[u8]) {
    let _ = block_on(build(&[], data).subscription_status());
}

fn client(data: &[u8]) -> Hibp {
    build(&[PLAN], data)
}

#[expect(clippy::expect_used, reason = "the settings are constant")]
fn build(fixed: &'static [(&'static str, &'static str)], data: &[u8]) -> Hibp {
    let context = context(fixed, Said::ok(data));
    let builder = Hibp::builder().api_key("00000000000000000000000000000000");
    builder.build(&context).expect("constant settings")
}
