//! What a service provider's refusals mean (RFC 7644 section 3.12).

use protect_core::http::ErrorAnswer;
use protect_core::{Error, ErrorKind};
use serde_json::Value;

use crate::wire::scim_type;

/// The one error table. Of the body only `scimType`, a word for machines, enters an error: `detail`
/// may name people.
pub(crate) fn table(answer: &ErrorAnswer) -> Error {
    let body = answer.json::<Value>().unwrap_or_default();
    let word = scim_type(&body).filter(|word| is_machine_word(word));
    let made = match (answer.status.as_u16(), word) {
        (401, _) => Error::new(
            ErrorKind::Unauthenticated,
            "the service provider does not accept the token; make a new one where this application's provisioning is set up",
        ),
        (403, _) => Error::new(
            ErrorKind::PermissionDenied,
            "the token may not do this, or the service provider protects the user",
        ),
        (400, Some("mutability" | "sensitive")) => Error::new(
            ErrorKind::Refused,
            "the service provider does not let this user be changed by SCIM",
        ),
        (400, Some("invalidFilter")) => {
            Error::invalid_input("the service provider does not understand the filter")
        }
        (400, Some("invalidValue" | "invalidPath" | "invalidSyntax" | "noTarget")) => {
            Error::invalid_input(
                "the service provider does not take `active` in this form; set `active_as` or `patch_style` of the connection as its documentation shows it",
            )
        }
        (404 | 410, _) => Error::new(
            ErrorKind::NotFound,
            "there is no such user, or no SCIM interface at this base",
        ),
        (412, _) => Error::new(
            ErrorKind::Conflict,
            "somebody else changed the user at the same moment",
        )
        .temporary(),
        (429, _) => answer.default_error().untouched(),
        (501, _) => Error::new(
            ErrorKind::Unsupported,
            "the service provider cannot change users by PATCH",
        ),
        _ => answer.default_error(),
    };
    match word {
        Some(word) => made.with_context("scim_type", word),
        None => made,
    }
}

fn is_machine_word(word: &str) -> bool {
    !word.is_empty() && word.len() <= 40 && word.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use protect_core::Retry;
    use serde_json::json;

    fn of(status: u16, body: &Value) -> Error {
        table(&ErrorAnswer {
            operation: "scim.suspend_user",
            status: status.try_into().unwrap(),
            headers: http::HeaderMap::new(),
            body: body.to_string().into(),
        })
    }

    #[test]
    fn each_status_and_word_has_its_kind() {
        let body =
            |word: &str| json!({ "scimType": word, "detail": "ann@acme.example", "status": "400" });
        for (status, word, kind) in [
            (400, "mutability", ErrorKind::Refused),
            (400, "invalidFilter", ErrorKind::InvalidInput),
            (400, "invalidValue", ErrorKind::InvalidInput),
            (400, "", ErrorKind::InvalidInput),
            (401, "", ErrorKind::Unauthenticated),
            (403, "", ErrorKind::PermissionDenied),
            (404, "", ErrorKind::NotFound),
            (409, "uniqueness", ErrorKind::Conflict),
            (429, "", ErrorKind::RateLimited),
            (500, "", ErrorKind::Unavailable),
            (501, "", ErrorKind::Unsupported),
        ] {
            let error = of(status, &body(word));
            assert_eq!(error.kind(), kind, "{status} {word}");
            assert!(!format!("{error:?}").contains("acme"), "{error:?}");
        }
    }

    #[test]
    fn a_lost_race_is_worth_another_try_and_a_body_of_another_form_keeps_its_status() {
        assert_eq!(of(412, &json!({})).retry(), Retry::Temporary);
        let odd = of(400, &json!(["mutability"]));
        assert_eq!(odd.kind(), ErrorKind::InvalidInput);
        assert_eq!(odd.context(), []);
    }
}
