//! What the public documentation of The One Stack leaves open, and how we fill it: paths, names of
//! body members and headers, words of enumerations. It all stands here, and all of it can be replaced
//! in the configuration of a connection, so that a wrong guess needs no release.

use std::borrow::Cow;
use std::collections::BTreeMap;

use protect_core::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Where a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Path {
    Tickets,
    TicketBatch,
    Ticket,
    TicketNotes,
    Incidents,
    Incident,
    Escalations,
    Ingest,
    EventsA,
    EventsB,
    Evidence,
    Remediations,
    Remediation,
    RemediationCancel,
    RemediationApprove,
    RevokeAccess,
    RestoreAccess,
    Revocations,
    Revocation,
    Users,
    Alerts,
    Snapshot,
    Elevations,
    Elevation,
    Policies,
    Policy,
    Acknowledgments,
    Probe,
}

/// The product, the name in the configuration, and what stands there unless it is replaced.
const PATHS: &[(Path, &str, &str, &str)] = &[
    // Documented; the two below them are ours.
    (Path::Tickets, "psa", "tickets", "/api/tickets"),
    (
        Path::TicketBatch,
        "psa",
        "ticket_batch",
        "/api/tickets/batch",
    ),
    (Path::Ticket, "psa", "ticket", "/api/tickets/{id}"),
    (
        Path::TicketNotes,
        "psa",
        "ticket_notes",
        "/api/tickets/{id}/notes",
    ),
    (Path::Incidents, "security", "incidents", "/api/incidents"),
    (
        Path::Incident,
        "security",
        "incident",
        "/api/incidents/{id}",
    ),
    // Documented.
    (
        Path::Escalations,
        "oncall",
        "escalations",
        "/api/internal/escalations/create",
    ),
    (Path::Ingest, "oncall", "ingest", "/api/webhooks/ingest"),
    // As the vendor's own client code sends them.
    (Path::EventsA, "bus", "events_a", "/api/bus/events"),
    (Path::EventsB, "bus", "events_b", "/api/events"),
    (
        Path::Evidence,
        "compliance",
        "evidence",
        "/api/internal/evidence",
    ),
    (
        Path::Remediations,
        "rmm",
        "remediations",
        "/api/internal/remediations",
    ),
    (
        Path::Remediation,
        "rmm",
        "remediation",
        "/api/internal/remediations/{id}",
    ),
    (
        Path::RemediationCancel,
        "rmm",
        "remediation_cancel",
        "/api/internal/remediations/{id}/cancel",
    ),
    (
        Path::RemediationApprove,
        "rmm",
        "remediation_approve",
        "/api/internal/remediations/{id}/approve",
    ),
    (
        Path::RevokeAccess,
        "hub",
        "revoke_access",
        "/api/internal/users/revoke-access",
    ),
    (
        Path::RestoreAccess,
        "hub",
        "restore_access",
        "/api/internal/users/restore-access",
    ),
    (
        Path::Revocations,
        "hub",
        "revocations",
        "/api/internal/users/revocations",
    ),
    (
        Path::Revocation,
        "hub",
        "revocation",
        "/api/internal/users/revocations/{id}",
    ),
    (Path::Users, "hub", "users", "/api/internal/users"),
    (Path::Alerts, "security", "alerts", "/api/alerts"),
    (
        Path::Snapshot,
        "portal",
        "snapshot",
        "/api/internal/protect/clients/{id}/snapshot",
    ),
    (
        Path::Elevations,
        "defend",
        "elevations",
        "/api/internal/monitoring/elevate",
    ),
    (
        Path::Elevation,
        "defend",
        "elevation",
        "/api/internal/monitoring/elevate/{id}",
    ),
    (Path::Policies, "legal", "policies", "/api/people/policies"),
    (Path::Policy, "legal", "policy", "/api/people/policies/{id}"),
    (
        Path::Acknowledgments,
        "legal",
        "acknowledgments",
        "/api/people/acknowledgments",
    ),
    (Path::Probe, "", "probe", "/"),
];

/// A header whose name is not the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Header {
    IntegrationKey,
    IdempotencyKey,
    Limit,
    Remaining,
    Reset,
    WebhookSignature,
    WebhookTimestamp,
}

const HEADERS: &[(Header, &str, &str)] = &[
    (
        Header::IntegrationKey,
        "integration_key",
        "X-Integration-Key",
    ),
    // Ours: no page names a header for it.
    (Header::IdempotencyKey, "idempotency_key", "Idempotency-Key"),
    (Header::Limit, "limit", "X-RateLimit-Limit"),
    (Header::Remaining, "remaining", "X-RateLimit-Remaining"),
    (Header::Reset, "reset", "X-RateLimit-Reset"),
    // No page names them: several names are tried for the first, and no time is looked for.
    (Header::WebhookSignature, "webhook_signature", ""),
    (Header::WebhookTimestamp, "webhook_timestamp", ""),
];

/// States in which nobody works on a ticket or an incident any more.
const CLOSED: &[&str] = &["resolved", "closed"];

/// Paths, names and words as one connection uses them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conventions {
    paths: BTreeMap<Path, String>,
    headers: BTreeMap<Header, String>,
    members: BTreeMap<String, String>,
    values: BTreeMap<String, BTreeMap<String, String>>,
    closed: Vec<String>,
}

/// What a configuration replaces.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Replaced {
    paths: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    members: BTreeMap<String, String>,
    values: BTreeMap<String, BTreeMap<String, String>>,
    closed: Option<Vec<String>>,
}

impl Conventions {
    /// What stands in this module, with what `replaced` says otherwise.
    ///
    /// # Errors
    /// `config_invalid` naming the entry: an unknown name, a path without its placeholder, a header
    /// that HTTP does not allow.
    pub fn parse(kind: &str, replaced: &Value) -> Result<Self> {
        let replaced = Replaced::deserialize(replaced)
            .map_err(|error| Error::config("conventions", error.to_string()))?;
        let mut all = Self::default();
        for (name, path) in replaced.paths {
            let (key, standard) = path_named(kind, &name)?;
            all.paths.insert(key, checked_path(&name, path, standard)?);
        }
        for (name, header) in replaced.headers {
            let known = HEADERS.iter().find(|(_, known, _)| *known == name);
            let (key, ..) = known.ok_or_else(|| unknown("headers", &name))?;
            if http::HeaderName::try_from(&header).is_err() {
                let place = format!("conventions.headers.{name}");
                return Err(Error::config(place, "not a name that HTTP allows"));
            }
            all.headers.insert(*key, header);
        }
        all.members = replaced.members;
        all.values = replaced.values;
        if let Some(closed) = replaced.closed {
            all.closed = closed;
        }
        Ok(all)
    }

    /// The path of a call.
    pub(crate) fn path(&self, path: Path) -> Cow<'static, str> {
        match self.paths.get(&path) {
            Some(replaced) => Cow::Owned(replaced.clone()),
            None => Cow::Borrowed(standard(path)),
        }
    }

    /// The name of a header.
    pub(crate) fn header(&self, header: Header) -> &str {
        let replaced = self.headers.get(&header).map(String::as_str);
        let standard = HEADERS.iter().find(|(known, ..)| *known == header);
        replaced
            .or(standard.map(|(_, _, name)| *name))
            .unwrap_or("")
    }

    /// The vendor's name of one of our members, also where it is a query parameter.
    pub(crate) fn member<'a>(&'a self, ours: &'a str) -> &'a str {
        self.members.get(ours).map_or(ours, String::as_str)
    }

    /// Whether nobody works any more on what stands there.
    pub(crate) fn is_closed(&self, status: &str) -> bool {
        self.closed.iter().any(|closed| closed == status)
    }

    /// From our names and words to the vendor's.
    pub(crate) fn write(&self, ours: Map<String, Value>) -> Map<String, Value> {
        let entries = ours.into_iter().map(|(name, value)| {
            let word = value
                .as_str()
                .and_then(|word| self.values.get(&name)?.get(word));
            let value = word.map_or(value.clone(), |word| Value::from(word.as_str()));
            (self.member(&name).to_owned(), value)
        });
        entries.collect()
    }

    /// From the vendor's names and words to ours; what is not known stays as it is.
    pub(crate) fn read(&self, theirs: Map<String, Value>) -> Map<String, Value> {
        let entries = theirs.into_iter().map(|(name, value)| {
            let ours = self.members.iter().find(|(_, theirs)| **theirs == name);
            let name = ours.map_or(name, |(ours, _)| ours.clone());
            let words = self.values.get(&name).zip(value.as_str());
            let word = words.and_then(|(words, word)| words.iter().find(|(_, w)| *w == word));
            let word = word.map(|(ours, _)| Value::from(ours.as_str()));
            (name, word.unwrap_or(value))
        });
        entries.collect()
    }
}

impl Default for Conventions {
    fn default() -> Self {
        Self {
            paths: BTreeMap::new(),
            headers: BTreeMap::new(),
            members: BTreeMap::new(),
            values: BTreeMap::new(),
            closed: CLOSED.iter().map(|&word| word.to_owned()).collect(),
        }
    }
}

fn standard(path: Path) -> &'static str {
    let found = PATHS.iter().find(|(known, ..)| *known == path);
    found.map_or("/", |(_, _, _, path)| path)
}

fn path_named(kind: &str, name: &str) -> Result<(Path, &'static str)> {
    let of_kind = |place: &str| place == kind || place.is_empty();
    let mut known = PATHS.iter().filter(|(_, place, ..)| of_kind(place));
    let found = known.find(|(_, _, known, _)| *known == name);
    found
        .map(|(key, _, _, path)| (*key, *path))
        .ok_or_else(|| unknown("paths", name))
}

fn checked_path(name: &str, path: String, standard: &str) -> Result<String> {
    let place = || format!("conventions.paths.{name}");
    let has_id = |path: &str| path.matches("{id}").count();
    if !path.starts_with('/') || path.contains(['?', '#', ' ']) || path.contains("..") {
        return Err(Error::config(
            place(),
            "a path begins with a slash and has no query",
        ));
    }
    let braces = path.matches(['{', '}']).count();
    if has_id(&path) != has_id(standard) || braces != 2 * has_id(standard) {
        let message = format!("write its parts as in `{standard}`");
        return Err(Error::config(place(), message));
    }
    Ok(path)
}

fn unknown(table: &str, name: &str) -> Error {
    let place = format!("conventions.{table}.{name}");
    Error::config(
        place,
        "there is nothing of this name; the docs of the kind list what there is",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_names_and_words_are_replaced_on_the_way_out_and_back() {
        let replaced = json!({
            "paths": { "ticket_notes": "/v2/tickets/{id}/comments" },
            "headers": { "idempotency_key": "X-Request-Id" },
            "members": { "title": "subject" },
            "values": { "priority": { "critical": "P1" } },
            "closed": ["done"],
        });
        let conventions = Conventions::parse("psa", &replaced).unwrap();
        assert_eq!(
            conventions.path(Path::TicketNotes),
            "/v2/tickets/{id}/comments"
        );
        assert_eq!(conventions.path(Path::Tickets), "/api/tickets");
        assert_eq!(conventions.header(Header::IdempotencyKey), "X-Request-Id");
        let ours = json!({ "title": "A leak", "priority": "critical", "board": "Security" });
        let ours = ours.as_object().unwrap().clone();
        let theirs = conventions.write(ours.clone());
        let wire = json!({ "subject": "A leak", "priority": "P1", "board": "Security" });
        assert_eq!(Value::Object(theirs.clone()), wire);
        assert_eq!(conventions.read(theirs), ours);
        assert!(conventions.is_closed("done") && !conventions.is_closed("closed"));
    }

    #[test]
    fn what_cannot_be_right_is_refused_by_name() {
        for (replaced, place) in [
            (json!({ "paths": { "tikets": "/x" } }), "paths.tikets"),
            (json!({ "paths": { "incidents": "/x" } }), "paths.incidents"),
            (
                json!({ "paths": { "ticket": "/api/tickets" } }),
                "paths.ticket",
            ),
            (json!({ "paths": { "tickets": "/a/{b}" } }), "paths.tickets"),
            (json!({ "paths": { "tickets": "/a?b" } }), "paths.tickets"),
            (json!({ "headers": { "reset": "a b" } }), "headers.reset"),
            (json!({ "header": {} }), "conventions"),
        ] {
            let error = Conventions::parse("psa", &replaced)
                .unwrap_err()
                .to_string();
            assert!(error.contains(place), "{error}");
        }
    }

    #[test]
    fn an_unknown_word_and_an_unknown_member_survive() {
        let theirs = json!({ "status": "not_yet_documented", "more": { "x": 1 } });
        let theirs = theirs.as_object().unwrap().clone();
        assert_eq!(Conventions::default().read(theirs.clone()), theirs);
    }
}
