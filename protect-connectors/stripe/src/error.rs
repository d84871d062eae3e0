//! What Stripe's refusals mean (<https://docs.stripe.com/api/errors>).

use protect_core::http::ErrorAnswer;
use protect_core::{Error, ErrorKind};

use crate::wire::{ErrorBody, ErrorDetail};

/// The one error table. Of the body only machine words enter an error: its text may name customers.
pub(crate) fn table(answer: &ErrorAnswer) -> Error {
    let detail = answer.json::<ErrorBody>().unwrap_or_default().error;
    let code = detail.code.as_deref().unwrap_or_default();
    let made = match (answer.status.as_u16(), detail.kind.as_str()) {
        (401, _) => Error::new(
            ErrorKind::Unauthenticated,
            "Stripe does not accept the secret key; roll it in the Dashboard under Developers, API keys",
        ),
        (403, _) => Error::new(
            ErrorKind::PermissionDenied,
            "the restricted key lacks a permission; it needs write on Billing meter events and read on Billing meters",
        ),
        (429, _) => answer.default_error().untouched(),
        (_, "idempotency_error") => Error::new(
            ErrorKind::Conflict,
            "the idempotency key was used with another body",
        ),
        (409, _) => answer.default_error().temporary(),
        (400, _) if detail.param.as_deref() == Some("identifier") => Error::new(
            ErrorKind::Conflict,
            "Stripe has an event of this identifier, or does not take the identifier",
        ),
        (400 | 404, _) if code == "resource_missing" => Error::new(
            ErrorKind::NotFound,
            "Stripe does not know the customer or the meter in this mode (test or live)",
        ),
        (400, _) => Error::invalid_input("Stripe refuses the event"),
        _ => answer.default_error(),
    };
    with_words(made, &detail)
}

fn with_words(mut error: Error, detail: &ErrorDetail) -> Error {
    let words = [("code", &detail.code), ("param", &detail.param)];
    for (name, word) in words {
        if let Some(word) = word.as_deref().filter(|word| is_machine_word(word)) {
            error = error.with_context(name, word);
        }
    }
    error
}

fn is_machine_word(word: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_[].".contains(&b);
    !word.is_empty() && word.len() <= 60 && word.bytes().all(plain)
}
