//! Where an error happened, in the words of the configuration: tenant, connector, connection, field.

use super::Tenant;
use crate::config::ConnectionConfig;
use crate::connector::ConnectorInfo;
use crate::error::Error;
use crate::secret::SecretRef;

impl Tenant {
    /// Adds to a connector's error whose connector it was, what connection it uses, and, where a
    /// secret could not be read, which field refers to it.
    pub(crate) fn about(&self, connector: &ConnectorInfo, mut error: Error) -> Error {
        let config = self.config().connectors.get(&connector.name);
        let connection = config.and_then(|config| config.connection.as_ref());
        let field = connection
            .and_then(|name| self.shared.config.connections.get(name))
            .and_then(|connection| field_of(connection, told(&error, "secret")?));
        let facts = [
            ("tenant", Some(self.id().to_string())),
            ("connector", Some(connector.name.to_string())),
            ("connection", connection.map(ToString::to_string)),
            ("field", field),
        ];
        for (key, value) in facts {
            if let Some(value) = value
                && told(&error, key).is_none()
            {
                error = error.with_context(key, value);
            }
        }
        error
    }
}

fn told<'a>(error: &'a Error, key: &str) -> Option<&'a str> {
    let known = error.context().iter().find(|(known, _)| *known == key);
    known.map(|(_, value)| value.as_str())
}

/// The field whose secret an error names.
fn field_of(connection: &ConnectionConfig, named: &str) -> Option<String> {
    let fields = |credential, fields: &serde_json::Map<String, serde_json::Value>| {
        let field = fields.iter().find(|(_, value)| {
            serde_json::from_value((*value).clone())
                .is_ok_and(|reference: SecretRef| reference.to_string() == named)
        });
        field.map(|(field, _)| format!("{credential}.{field}"))
    };
    let respond = connection.respond.as_ref();
    fields("scan", &connection.scan).or_else(|| fields("respond", respond?))
}
