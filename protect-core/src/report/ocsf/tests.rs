//! Every kind of finding, status of an incident and outcome of an action as an event, in a file that
//! the Python tests validate against the published schema.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{action, finding, incident, lines};
use crate::model::{
    Acceptance, Action, ActionId, ActionKind, ActionTarget, Actor, Attributes, Attribution,
    Confidence, Finding, FindingId, FindingKind, FindingStatus, Incident, IncidentId,
    IncidentStatus, Intent, IntentState, Observation, Outcome, OutcomeStatus, PlanId, Reference,
    Severity, Subject, TenantId,
};

/// What the Python tests validate.
const WRITTEN: &str = include_str!("events.ndjson");

const FINDING_STATUSES: [FindingStatus; 5] = [
    FindingStatus::New,
    FindingStatus::Acknowledged,
    FindingStatus::Accepted,
    FindingStatus::Resolved,
    FindingStatus::FalsePositive,
];

const INCIDENT_STATUSES: [IncidentStatus; 6] = [
    IncidentStatus::New,
    IncidentStatus::Open,
    IncidentStatus::Investigating,
    IncidentStatus::Contained,
    IncidentStatus::Resolved,
    IncidentStatus::Closed,
];

const OUTCOMES: [Option<OutcomeStatus>; 8] = [
    None,
    Some(OutcomeStatus::Applied),
    Some(OutcomeStatus::AlreadySo),
    Some(OutcomeStatus::Refused),
    Some(OutcomeStatus::Failed),
    Some(OutcomeStatus::Cancelled),
    Some(OutcomeStatus::Expired),
    Some(OutcomeStatus::Unknown),
];

fn at(hour: u32) -> Timestamp {
    format!("2026-11-26T{hour:02}:00:00Z").parse().unwrap()
}

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn subject(kind: FindingKind) -> Subject {
    match kind {
        FindingKind::CredentialExposure => Subject::address(&"ann@acme.example".parse().unwrap()),
        FindingKind::EmailAuthentication => Subject::domain("acme.example"),
        FindingKind::SuspiciousSignIn | FindingKind::InsiderThreat => {
            Subject::account("onepassword", "U001")
        }
        FindingKind::Misconfiguration | FindingKind::Drift | FindingKind::Operational => {
            Subject::setting("m365", "/policies/authorizationPolicy")
        }
    }
}

fn found(kind: FindingKind, status: FindingStatus) -> Finding {
    let check = "test.area.check".parse().unwrap();
    let subject = subject(kind);
    let is_breach = kind == FindingKind::CredentialExposure;
    Finding {
        id: FindingId::of(&acme(), &check, &subject, kind.as_str()),
        tenant: acme(),
        source: "breaches".parse().unwrap(),
        observation: Observation {
            check,
            kind,
            subject,
            discriminator: if is_breach {
                "Adobe".to_owned()
            } else {
                String::new()
            },
            cause: None,
            severity: Severity::ALL[kind as usize % 5],
            confidence: Confidence::High,
            title: format!("A {}", kind.as_str()),
            reasons: vec!["plaintext".to_owned()],
            attribution: is_breach.then(|| Attribution {
                source: "Have I Been Pwned".to_owned(),
                url: "https://haveibeenpwned.com/".to_owned(),
                licence: "CC BY 4.0".to_owned(),
            }),
            references: vec![Reference {
                framework: "CIS Microsoft 365".to_owned(),
                version: "6.0".to_owned(),
                id: "1.1.1".to_owned(),
            }],
            details: Attributes::new(),
            from_event: false,
        },
        status,
        baseline: false,
        occurrence: 1,
        first_seen: at(8),
        last_seen: if status == FindingStatus::New {
            at(8)
        } else {
            at(9)
        },
        resolved_at: (status == FindingStatus::Resolved).then(|| at(10)),
        acceptance: (status == FindingStatus::Accepted).then(|| Acceptance {
            until: at(20),
            reason: "known".to_owned(),
            author: "alice".to_owned(),
        }),
        incident: is_breach.then(|| IncidentId::of(&acme(), "breach:Adobe", 1)),
    }
}

fn opened(status: IncidentStatus) -> Incident {
    let findings = [
        FindingKind::CredentialExposure,
        FindingKind::SuspiciousSignIn,
    ];
    Incident {
        id: IncidentId::of(&acme(), status.as_str(), 1),
        tenant: acme(),
        cause: status.as_str().to_owned(),
        generation: 1,
        title: "Passwords of Adobe".to_owned(),
        kind: FindingKind::CredentialExposure,
        severity: Severity::Critical,
        status,
        person: None,
        findings: findings
            .map(|kind| found(kind, FindingStatus::New).id)
            .into(),
        opened_at: at(8),
        updated_at: at(11),
    }
}

fn intent(kind: ActionKind, status: Option<OutcomeStatus>) -> Intent {
    let word = status.map_or("waits", OutcomeStatus::as_str);
    let target = if kind.changes_an_account() {
        ActionTarget::Account(crate::model::AccountRef {
            connector: "passwords".parse().unwrap(),
            id: "U001".to_owned(),
        })
    } else {
        ActionTarget::Sink {
            connector: "tickets".parse().unwrap(),
        }
    };
    Intent {
        action: Action {
            id: ActionId::of(&acme(), &[kind.as_str(), word]),
            kind,
            target,
            reason: "Passwords of Adobe (leaked password)".to_owned(),
            requested_by: Actor::rule("leaked password"),
            incident: Some(IncidentId::of(&acme(), "breach:Adobe", 1)),
            undoes: None,
            lasts: None,
            parameters: [("address".to_owned(), json!("ann@acme.example"))]
                .into_iter()
                .collect(),
        },
        plan: PlanId::of(&acme(), "plan"),
        approved_by: Actor::unverified("alice"),
        approval_expires_at: at(20),
        state: IntentState::Done,
        attempts: 1,
        last_error: status
            .is_none()
            .then(|| "unavailable: no answer".to_owned()),
        outcome: status.map(|status| Outcome {
            status,
            reason: "why".to_owned(),
            before: Attributes::new(),
            after: Attributes::new(),
            vendor_reference: (!kind.changes_an_account()).then(|| "T-1".to_owned()),
            at: at(12),
        }),
        created_at: at(11),
        undo_at: None,
    }
}

fn every_event() -> Vec<Value> {
    let mut events = Vec::new();
    for kind in FindingKind::ALL {
        events.extend(FINDING_STATUSES.map(|status| finding::event(&found(kind, status))));
    }
    for status in INCIDENT_STATUSES {
        events.push(incident::event(
            &opened(status),
            "Acme GmbH",
            ["T-1"].into_iter(),
        ));
    }
    for kind in ActionKind::ALL {
        events.push(action::event(
            &intent(*kind, Some(OutcomeStatus::Applied)),
            &acme(),
        ));
    }
    for status in OUTCOMES {
        events.push(action::event(
            &intent(ActionKind::SuspendAccount, status),
            &acme(),
        ));
    }
    events
}

#[test]
fn the_events_that_are_validated_elsewhere_are_the_ones_that_are_made() {
    let made = lines(&every_event());
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(made.contains(&version));
    if made != WRITTEN {
        let path = std::env::temp_dir().join("events.ndjson");
        std::fs::write(&path, &made).unwrap();
        panic!("events.ndjson is old; the new one is {}", path.display());
    }
}

#[test]
fn every_class_and_type_is_made_of_its_parts() {
    let events = every_event();
    let mut classes = BTreeSet::new();
    for event in &events {
        let class = event["class_uid"].as_u64().unwrap();
        classes.insert(class);
        assert_eq!(event["category_uid"].as_u64().unwrap(), class / 1000);
        let activity = event["activity_id"].as_u64().unwrap();
        assert_eq!(event["type_uid"].as_u64().unwrap(), class * 100 + activity);
        // Milliseconds: seconds would be a thousand times less.
        assert!(event["time"].as_i64().unwrap() > 1_700_000_000_000);
    }
    assert_eq!(classes, BTreeSet::from([2003, 2004, 2005, 7001]));
}

#[test]
fn an_export_keeps_the_credit_and_an_actions_address_out() {
    let exposure = finding::event(&found(FindingKind::CredentialExposure, FindingStatus::New));
    assert_eq!(
        exposure["unmapped"]["attribution"]["licence"],
        json!("CC BY 4.0")
    );
    let done = action::event(&intent(ActionKind::SuspendAccount, None), &acme());
    assert!(!done.to_string().contains('@'), "{done}");
}

#[test]
fn the_same_state_has_the_same_uid_and_another_state_another() {
    let uid = |status| {
        let event = finding::event(&found(FindingKind::Drift, status));
        event["metadata"]["uid"].as_str().unwrap().to_owned()
    };
    assert_eq!(uid(FindingStatus::New), uid(FindingStatus::New));
    assert_ne!(uid(FindingStatus::New), uid(FindingStatus::Resolved));
}
