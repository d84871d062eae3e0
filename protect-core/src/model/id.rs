//! Names and ids, each its own type, so that one cannot stand where another belongs.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::hash::hash_fields;
use super::subject::Subject;
use crate::error::{Error, Result};

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $valid:expr) => {
        $(#[$doc])*
        ///
        /// Copies share the text.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
        #[serde(try_from = "String")]
        #[schemars(with = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses the text; the error says what is wrong with it.
            ///
            /// # Errors
            /// `invalid_input` where the text has another form.
            pub fn new(text: impl Into<String>) -> Result<Self> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text.into()))
                } else {
                    Err(Error::invalid_input(concat!("not ", $what)))
                }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl From<&$name> for Arc<str> {
            fn from(value: &$name) -> Self {
                Self::clone(&value.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_type!(
    /// An organisation being protected: 1 to 63 lower-case letters, digits, `-` and `_`.
    TenantId,
    "a tenant id: 1 to 63 lower-case letters, digits, '-' or '_', beginning with a letter or digit",
    is_name
);
text_type!(
    /// The name of a connection in the configuration; the same letters as a [`TenantId`].
    ConnectionName,
    "a connection name: 1 to 63 lower-case letters, digits, '-' or '_'",
    is_name
);
text_type!(
    /// The name of a connector within its tenant; the same letters as a [`TenantId`].
    ConnectorName,
    "a connector name: 1 to 63 lower-case letters, digits, '-' or '_'",
    is_name
);
text_type!(
    /// One thing a scanner decides: `<kind>.<area>.<name>` in lower snake case.
    CheckId,
    "a check id: three or more words in lower snake case, joined by dots",
    is_check_id
);
text_type!(
    /// A finding's id; see [`FindingId::of`].
    FindingId,
    "a finding id: 32 hexadecimal digits",
    is_hash
);
text_type!(
    /// An incident's id: a hash of (tenant, cause, how often that cause came back).
    IncidentId,
    "an incident id: 32 hexadecimal digits",
    is_hash
);
text_type!(
    /// A person's id within a tenant.
    PersonId,
    "a person id: 32 hexadecimal digits",
    is_hash
);
text_type!(
    /// An employee's id within a tenant.
    EmployeeId,
    "an employee id: 32 hexadecimal digits",
    is_hash
);
text_type!(
    /// The id of a request for time off.
    TimeOffId,
    "an id of time off: 32 hexadecimal digits",
    is_hash
);
text_type!(
    /// The id of an insider-threat signal.
    InsiderSignalId,
    "a signal id: 32 hexadecimal digits",
    is_hash
);
text_type!(
    /// The id of a certification.
    CertificationId,
    "a certification id: 32 hexadecimal digits",
    is_hash
);
text_type!(
    /// The id of an onboarding or offboarding.
    WorkflowId,
    "a workflow id: 32 hexadecimal digits",
    is_hash
);
text_type!(
    /// An action's id, which is also the idempotency key of its one intent.
    ActionId,
    "an action id: 32 hexadecimal digits",
    is_hash
);
text_type!(
    /// A plan's id: the hash of its content, so that an approval can mean nothing else.
    PlanId,
    "a plan id: 32 hexadecimal digits",
    is_hash
);

impl FindingId {
    /// The id of what is wrong: a plain hash of (tenant, check, subject, discriminator).
    ///
    /// Rendered text and merged people are no part of it, so it does not move. Frozen.
    pub fn of(tenant: &TenantId, check: &CheckId, subject: &Subject, discriminator: &str) -> Self {
        Self(
            hash_fields(
                "finding",
                &[
                    tenant.as_str(),
                    check.as_str(),
                    subject.kind.as_str(),
                    &subject.provider,
                    &subject.id,
                    discriminator,
                ],
            )
            .into(),
        )
    }
}

impl IncidentId {
    /// The id of the `generation`-th incident of a cause.
    pub fn of(tenant: &TenantId, cause: &str, generation: u32) -> Self {
        Self(
            hash_fields(
                "incident",
                &[tenant.as_str(), cause, &generation.to_string()],
            )
            .into(),
        )
    }
}

impl PersonId {
    /// The id of the person behind an address, within a tenant.
    pub fn of(tenant: &TenantId, address: &Address) -> Self {
        Self(hash_fields("person", &[tenant.as_str(), address.as_str()]).into())
    }
}

impl EmployeeId {
    /// The id of the `generation`-th employee who was first known by an address.
    pub fn of(tenant: &TenantId, address: &Address, generation: u32) -> Self {
        let generation = generation.to_string();
        let fields = [tenant.as_str(), address.as_str(), &generation];
        Self(hash_fields("employee", &fields).into())
    }
}

impl TimeOffId {
    /// The id of an employee's `generation`-th request.
    pub fn of(tenant: &TenantId, employee: &EmployeeId, generation: usize) -> Self {
        let generation = generation.to_string();
        let fields = [tenant.as_str(), employee.as_str(), &generation];
        Self(hash_fields("time_off", &fields).into())
    }
}

impl InsiderSignalId {
    /// The id of what a product tells under a reference of its own.
    pub fn of(tenant: &TenantId, source: &str, source_ref: &str) -> Self {
        Self(hash_fields("insider_signal", &[tenant.as_str(), source, source_ref]).into())
    }
}

impl CertificationId {
    /// The id of an employee's certification of a name.
    pub fn of(tenant: &TenantId, employee: &EmployeeId, name: &str) -> Self {
        let fields = [tenant.as_str(), employee.as_str(), name];
        Self(hash_fields("certification", &fields).into())
    }
}

impl WorkflowId {
    /// The id of an employee's `generation`-th workflow.
    pub fn of(tenant: &TenantId, employee: &EmployeeId, generation: u32) -> Self {
        let generation = generation.to_string();
        let fields = [tenant.as_str(), employee.as_str(), &generation];
        Self(hash_fields("workflow", &fields).into())
    }
}

impl ActionId {
    /// An id over whatever makes the action this one and no other.
    pub fn of(tenant: &TenantId, parts: &[&str]) -> Self {
        let mut fields = vec![tenant.as_str()];
        fields.extend_from_slice(parts);
        Self(hash_fields("action", &fields).into())
    }
}

impl PlanId {
    /// The hash of a plan's canonical content.
    pub fn of(tenant: &TenantId, canonical: &str) -> Self {
        Self(hash_fields("plan", &[tenant.as_str(), canonical]).into())
    }
}

/// An e-mail address, trimmed and in lower case.
///
/// `Debug` hides it, since `Debug` ends up in logs; `Display` shows it, for output that a person
/// asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Address(String);

impl Address {
    /// Parses an address: one `@` with something on both sides, no white space, at most 254 bytes
    /// (RFC 5321 section 4.5.3.1.3 less the angle brackets). Quoted local parts are kept as they are.
    ///
    /// # Errors
    /// `invalid_input`, without repeating the address.
    pub fn new(text: impl AsRef<str>) -> Result<Self> {
        let text = text.as_ref().trim().to_lowercase();
        let valid = text.len() <= 254
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && text
                .rsplit_once('@')
                .is_some_and(|(local, domain)| !local.is_empty() && domain.contains(|c| c != '.'));
        if valid {
            Ok(Self(text))
        } else {
            Err(Error::invalid_input("not an e-mail address"))
        }
    }

    /// The normalised address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the last `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// What stands behind the last `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl TryFrom<String> for Address {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::new(text)
    }
}

impl From<Address> for String {
    fn from(value: Address) -> Self {
        value.0
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn is_check_id(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    text.len() <= 120 && text.split('.').count() >= 3 && text.split('.').all(is_word)
}

fn is_hash(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_without_case_and_hidden_from_debug() {
        let address = Address::new(" O'Neil+News@Example.COM ").unwrap();
        assert_eq!(address.as_str(), "o'neil+news@example.com");
        assert_eq!(address.domain(), "example.com");
        assert_eq!(format!("{address:?}"), "Address(…)");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for text in [
            "",
            "a",
            "@b.example",
            "a@",
            "a b@c.example",
            "a@.",
            "a@b\nc",
        ] {
            let error = Address::new(text).unwrap_err();
            assert_eq!(error.message(), "not an e-mail address", "{text:?}");
        }
    }

    #[test]
    fn a_finding_id_does_not_move() {
        let id = FindingId::of(
            &TenantId::new("acme").unwrap(),
            &CheckId::new("hibp.exposure.breach").unwrap(),
            &Subject::address(&Address::new("a@acme.example").unwrap()),
            "Adobe",
        );
        assert_eq!(id.as_str(), "f6ff51b32e779474491598506595e381");
    }

    #[test]
    fn names_with_capitals_spaces_or_a_leading_dash_are_refused() {
        for text in ["", "Acme", "a b", "-a", "a/b", "ä"] {
            assert!(TenantId::new(text).is_err(), "{text:?}");
        }
        assert!(CheckId::new("m365.ca.legacy_auth_blocked").is_ok());
        assert!(CheckId::new("m365.ca").is_err());
    }
}
