//! Whether a message that arrived is from whom it says, by Standard Webhooks
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use jiff::{SignedDuration, Timestamp};
use protect_core::secret::SecretString;
use protect_core::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::signature::{Signer, no_secret};

/// Larger bodies are refused before anything is reckoned.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How far the time of a message may be from now, so that one that somebody kept is worth nothing.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What the secrets are called in errors.
const SECRET: &str = "secret";

/// A message whose signature is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedMessage {
    /// Its id: the same message, sent again, has the same one. Whoever acts on messages keeps the ids
    /// for ten minutes, and acts on each once.
    pub id: String,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// Verifies a message. `header` gives the value of a header by its name in lower case; of `secrets` any
/// one may have signed, so that a secret can be replaced while messages are under way.
///
/// # Errors
/// `invalid_input` for a body of more than a mebibyte; `config_invalid` for a secret that is none, or
/// none at all; otherwise `unauthenticated`, which says what is missing, too old or wrong, and nothing
/// of the message.
pub fn verify<'h>(
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    secrets: &[SecretString],
    now: Timestamp,
) -> Result<VerifiedMessage> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Error::invalid_input(
            "the message is larger than a mebibyte",
        ));
    }
    let needed = |name: &str| {
        let value = header(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| refused(format!("the header `{name}` is missing")))
    };
    let id = needed("webhook-id")?;
    let signatures = needed("webhook-signature")?;
    let seconds = needed("webhook-timestamp")?
        .parse()
        .map_err(|_| refused("`webhook-timestamp` is not a number of seconds"))?;
    let sent_at =
        Timestamp::from_second(seconds).map_err(|_| refused("`webhook-timestamp` is no time"))?;
    if now.duration_since(sent_at).abs() > TOLERANCE {
        return Err(refused(
            "the message was not signed within the last five minutes; compare the clocks",
        ));
    }
    if secrets.is_empty() {
        return Err(no_secret(SECRET));
    }
    for secret in secrets {
        if Signer::new(secret, SECRET)?.is_among(signatures, id, seconds, body) {
            return Ok(VerifiedMessage {
                id: id.to_owned(),
                sent_at,
            });
        }
    }
    Err(refused("no signature is good; compare the secrets"))
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unauthenticated, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    const EXAMPLE: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn verified(
        changed: (&str, Option<&'static str>),
        body: &[u8],
        secrets: &[&str],
        late: i64,
    ) -> Result<VerifiedMessage> {
        let header = |name: &str| {
            if name == changed.0 {
                return changed.1;
            }
            match name {
                "webhook-id" => Some(ID),
                "webhook-timestamp" => Some("1614265330"),
                "webhook-signature" => Some(SIGNATURE),
                _ => None,
            }
        };
        let secrets: Vec<SecretString> = secrets.iter().map(|it| (*it).into()).collect();
        let now = Timestamp::from_second(SENT + late).unwrap();
        verify(header, body, &secrets, now)
    }

    #[test]
    fn the_example_of_the_specification_is_good_and_nothing_else_is() {
        let good = verified(("", None), BODY, &[EXAMPLE], 0).unwrap();
        assert_eq!((good.id.as_str(), good.sent_at.as_second()), (ID, SENT));
        assert!(verified(("", None), br#"{"test":2432232314}"#, &[EXAMPLE], 0).is_err());
        for (header, value) in [
            ("webhook-id", Some("msg_other")),
            ("webhook-id", None),
            ("webhook-timestamp", Some("1614265331")),
            ("webhook-timestamp", Some("yesterday")),
            ("webhook-timestamp", Some("99999999999999999")),
            ("webhook-signature", Some("")),
            ("webhook-signature", Some("v1,")),
            (
                "webhook-signature",
                Some("v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            ),
            (
                "webhook-signature",
                Some("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            ),
        ] {
            let error = verified((header, value), BODY, &[EXAMPLE], 0).unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::Unauthenticated,
                "{header} {value:?}"
            );
            assert!(!error.to_string().contains("msg_"), "{error}");
        }
    }

    #[test]
    fn a_secret_may_be_replaced_and_a_message_may_be_signed_twice() {
        let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSX";
        assert!(verified(("", None), BODY, &[other, EXAMPLE], 0).is_ok());
        assert!(verified(("", None), BODY, &[other], 0).is_err());
        let twice = "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert!(verified(("webhook-signature", Some(twice)), BODY, &[EXAMPLE], 0).is_ok());
    }

    #[test]
    fn a_message_that_somebody_kept_or_sent_ahead_is_refused() {
        for late in [-301, 301, 86_400] {
            let error = verified(("", None), BODY, &[EXAMPLE], late).unwrap_err();
            assert!(error.message().contains("clocks"), "{error}");
        }
        assert!(verified(("", None), BODY, &[EXAMPLE], 300).is_ok());
    }

    #[test]
    fn what_cannot_be_verified_at_all_says_what_to_mend() {
        let error = verified(("", None), BODY, &["whsec_?"], 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(verified(("", None), BODY, &[], 0).is_err());
        let large = vec![b' '; MAX_BODY_BYTES + 1];
        let error = verified(("", None), &large, &[EXAMPLE], 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(verified(("", None), &[0xff], &[EXAMPLE], 0).is_err());
    }
}
