//! What a kind of connector may be given in the configuration, as data.
//!
//! Every connector registers a [`KindSpec`] beside its factory. From it come the check of the
//! configuration, the JSON Schema, the reference page and what `protect init` writes, so none of
//! them can disagree with the others.

use serde::Serialize;
use serde_json::Value;

use crate::model::{ActionKind, Severity};

/// What a kind of connector may be given.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct KindSpec {
    /// The kind's name in lower snake case (`hibp`).
    pub name: String,
    /// What it is, in one or two sentences of Markdown.
    pub docs: String,
    /// Whether it needs a connection.
    pub needs_connection: bool,
    /// Whether `protect init` leaves it out unless it is asked for.
    pub by_choice: bool,
    /// The roots that a connection may replace.
    pub endpoints: Vec<EndpointSpec>,
    /// The credential that reads.
    pub scan: Option<CredentialSpec>,
    /// The credential that changes.
    pub respond: Option<CredentialSpec>,
    /// What else a connection of this kind is given (`region`).
    pub connection_settings: Vec<SettingSpec>,
    /// What a tenant's connector of this kind is given (`account_id`).
    pub settings: Vec<SettingSpec>,
    /// Parameters that its actions take in a rule's `then`, beyond `template`.
    pub action_parameters: Vec<(ActionKind, SettingSpec)>,
    /// The vendor's own words for the state of an account, beyond ours.
    pub account_states: Vec<String>,
    /// The checks that its connectors decide.
    pub checks: Vec<CheckSpec>,
    /// The kinds of signal that its connectors give.
    pub signals: Vec<SignalSpec>,
}

impl KindSpec {
    /// A kind that needs no connection and takes no settings; the methods below add to it.
    pub fn new(name: impl Into<String>, docs: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            docs: docs.into(),
            needs_connection: false,
            by_choice: false,
            endpoints: Vec::new(),
            scan: None,
            respond: None,
            connection_settings: Vec::new(),
            settings: Vec::new(),
            action_parameters: Vec::new(),
            account_states: Vec::new(),
            checks: Vec::new(),
            signals: Vec::new(),
        }
    }

    /// Its connectors need a connection. Implied by every method that adds to the connection.
    #[must_use]
    pub fn with_connection(mut self) -> Self {
        self.needs_connection = true;
        self
    }

    /// `protect init` leaves it out unless it is asked for: not everybody wants it.
    #[must_use]
    pub fn by_choice(mut self) -> Self {
        self.by_choice = true;
        self
    }

    /// Adds an endpoint of the connection.
    #[must_use]
    pub fn endpoint(mut self, endpoint: EndpointSpec) -> Self {
        self.endpoints.push(endpoint);
        self.with_connection()
    }

    /// Sets the credential that reads; every connection must have it.
    #[must_use]
    pub fn scan(mut self, credential: CredentialSpec) -> Self {
        self.scan = Some(CredentialSpec {
            required: true,
            ..credential
        });
        self.with_connection()
    }

    /// Sets the credential that reads; a connection may go without.
    #[must_use]
    pub fn optional_scan(mut self, credential: CredentialSpec) -> Self {
        self.scan = Some(credential);
        self.with_connection()
    }

    /// Sets the credential that changes; a connection without it cannot act.
    #[must_use]
    pub fn respond(mut self, credential: CredentialSpec) -> Self {
        self.respond = Some(credential);
        self.with_connection()
    }

    /// Sets the credential that changes, for kinds that do nothing else: every connection must
    /// have it.
    #[must_use]
    pub fn required_respond(mut self, credential: CredentialSpec) -> Self {
        self.respond = Some(CredentialSpec {
            required: true,
            ..credential
        });
        self.with_connection()
    }

    /// Adds a setting of the connection.
    #[must_use]
    pub fn connection_setting(mut self, setting: SettingSpec) -> Self {
        self.connection_settings.push(setting);
        self.with_connection()
    }

    /// Adds a setting of the tenant's connector.
    #[must_use]
    pub fn setting(mut self, setting: SettingSpec) -> Self {
        self.settings.push(setting);
        self
    }

    /// Adds a parameter that one of its actions takes in a rule's `then`.
    #[must_use]
    pub fn action_parameter(mut self, action: ActionKind, parameter: SettingSpec) -> Self {
        self.action_parameters.push((action, parameter));
        self
    }

    /// Adds the vendor's own word for a state of an account, so that rules may name it.
    #[must_use]
    pub fn account_state(mut self, state: impl Into<String>) -> Self {
        self.account_states.push(state.into());
        self
    }

    /// Adds a check that its connectors decide.
    #[must_use]
    pub fn check(
        mut self,
        id: impl Into<String>,
        severity: Severity,
        docs: impl Into<String>,
    ) -> Self {
        self.checks.push(CheckSpec {
            id: id.into(),
            severity,
            docs: docs.into(),
        });
        self
    }

    /// Adds a kind of signal that its connectors give.
    #[must_use]
    pub fn signal(mut self, name: impl Into<String>, docs: impl Into<String>) -> Self {
        self.signals.push(SignalSpec {
            name: name.into(),
            docs: docs.into(),
        });
        self
    }
}

/// A check, as the reference and `protect checks` show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckSpec {
    /// Its id (`hibp.exposure.breach`).
    pub id: String,
    /// The worst that it finds.
    pub severity: Severity,
    /// What it says is wrong, in one line.
    pub docs: String,
}

/// A kind of signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SignalSpec {
    /// Its name (`onepassword.sign_in`).
    pub name: String,
    /// What happened, in one line.
    pub docs: String,
}

/// A bare kind of that name: no connection, no settings.
impl From<&str> for KindSpec {
    fn from(name: &str) -> Self {
        Self::new(name, "")
    }
}

/// A bare kind of that name: no connection, no settings.
impl From<String> for KindSpec {
    fn from(name: String) -> Self {
        Self::new(name, "")
    }
}

/// A root that a connection may replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EndpointSpec {
    /// Its name (`api`).
    pub name: String,
    /// What is reached there, in one sentence.
    pub docs: String,
    /// The vendor's own root, where there is just one.
    pub default: Option<String>,
    /// Whether every connection must give it.
    pub required: bool,
    /// Whether it is a whole URL, which may have a query and end in a slash, rather than a root.
    pub whole_url: bool,
    /// Whether it is a mail server (`smtp://` or `smtps://`) rather than an HTTP root.
    pub mail_server: bool,
}

impl EndpointSpec {
    /// A root that may be left out.
    pub fn new(name: impl Into<String>, docs: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            docs: docs.into(),
            default: None,
            required: false,
            whole_url: false,
            mail_server: false,
        }
    }

    /// Says the vendor's own root.
    #[must_use]
    pub fn default(mut self, url: impl Into<String>) -> Self {
        self.default = Some(url.into());
        self
    }

    /// Every connection must give it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// It is a whole URL rather than a root.
    #[must_use]
    pub fn whole_url(mut self) -> Self {
        self.whole_url = true;
        self
    }

    /// It is a mail server rather than an HTTP root.
    #[must_use]
    pub fn mail_server(mut self) -> Self {
        self.mail_server = true;
        self
    }
}

/// A credential: its fields, and which of them make it whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CredentialSpec {
    /// Its fields.
    pub fields: Vec<CredentialField>,
    /// Sets of fields of which at least one must be whole; their fields are not required by
    /// themselves.
    pub alternatives: Vec<Vec<String>>,
    /// Whether every connection must have this credential; [`KindSpec::scan`] and
    /// [`KindSpec::required_respond`] set it.
    pub required: bool,
}

impl CredentialSpec {
    /// A credential without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret that must be there, unless an alternative names it.
    #[must_use]
    pub fn secret(self, name: impl Into<String>, docs: impl Into<String>) -> Self {
        self.field(name, docs, true, true)
    }

    /// Adds a secret that may be left out.
    #[must_use]
    pub fn optional_secret(self, name: impl Into<String>, docs: impl Into<String>) -> Self {
        self.field(name, docs, true, false)
    }

    /// Adds plain text, such as a client id, that must be there, unless an alternative names it.
    #[must_use]
    pub fn plain(self, name: impl Into<String>, docs: impl Into<String>) -> Self {
        self.field(name, docs, false, true)
    }

    /// Adds plain text that may be left out.
    #[must_use]
    pub fn optional_plain(self, name: impl Into<String>, docs: impl Into<String>) -> Self {
        self.field(name, docs, false, false)
    }

    /// Adds a set of fields of which at least one set must be whole.
    #[must_use]
    pub fn alternative<const N: usize>(mut self, fields: [&str; N]) -> Self {
        self.alternatives
            .push(fields.iter().map(|&field| field.to_owned()).collect());
        self
    }

    /// Says the vendor's own name for the environment variable that holds the field added last.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>) -> Self {
        if let Some(field) = self.fields.last_mut() {
            field.variable = Some(name.into());
        }
        self
    }

    /// Whether the field must be there whatever else is.
    pub fn requires(&self, field: &CredentialField) -> bool {
        field.required
            && !self
                .alternatives
                .iter()
                .any(|set| set.contains(&field.name))
    }

    fn field(
        mut self,
        name: impl Into<String>,
        docs: impl Into<String>,
        secret: bool,
        required: bool,
    ) -> Self {
        self.fields.push(CredentialField {
            name: name.into(),
            docs: docs.into(),
            secret,
            required,
            variable: None,
        });
        self
    }
}

/// A field of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CredentialField {
    /// Its name (`client_secret`).
    pub name: String,
    /// What it is and where it is found, in one sentence.
    pub docs: String,
    /// Whether it is a secret, which the configuration may only refer to.
    pub secret: bool,
    /// Whether it must be there, unless an alternative names it.
    pub required: bool,
    /// The vendor's own name for the environment variable that holds it, where it has one:
    /// `protect init` refers to that.
    pub variable: Option<String>,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SettingSpec {
    /// Its name (`account_id`).
    pub name: String,
    /// What it means, with units, in one sentence.
    pub docs: String,
    /// What is written there.
    pub kind: SettingType,
    /// Whether it must be there.
    pub required: bool,
    /// What counts where it is left out, for the reference page; the connector applies it.
    pub default: Option<Value>,
}

impl SettingSpec {
    /// A setting that may be left out.
    pub fn new(name: impl Into<String>, kind: SettingType, docs: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            docs: docs.into(),
            kind,
            required: false,
            default: None,
        }
    }

    /// A setting of text.
    pub fn text(name: impl Into<String>, docs: impl Into<String>) -> Self {
        Self::new(name, SettingType::Text, docs)
    }

    /// A setting that is one of some words.
    pub fn one_of<const N: usize>(
        name: impl Into<String>,
        words: [&str; N],
        docs: impl Into<String>,
    ) -> Self {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        Self::new(name, SettingType::OneOf(words), docs)
    }

    /// It must be there.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What counts where it is left out.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }
}

/// What is written for a setting, and how it reaches the connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SettingType {
    /// Text that is not empty.
    Text,
    /// One of these words.
    OneOf(Vec<String>),
    /// A whole number within these bounds, both included.
    Integer {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// Yes or no.
    Boolean,
    /// A span of time (`"24h"`); reaches the connector as whole seconds.
    Duration,
    /// A path; reaches the connector resolved against the configuration's folder.
    Path,
    /// A list of text.
    TextList,
    /// A table of text by name, such as templates.
    TextTable,
    /// A table of any shape, which the connector itself checks.
    Table,
}
