//! Scores, alerts, risk, logs and reports.

use super::{DIRECTORY, ITEM, change, read};
use crate::graph::{
    Graph,
    operation::{
        Act::{Call, Item, Stored},
        Licence::{Premium, Protection},
        Operation, Query,
    },
    throttle::Service::{Other, Protection as Guarded, Reports},
};

const AUDIT: &str = "AuditLog.Read.All";
const RISKY: &[&str] = &[
    "IdentityRiskyUser.Read.All",
    "IdentityRiskyUser.ReadWrite.All",
];
const RISK_WRITES: &[&str] = &["IdentityRiskyUser.ReadWrite.All"];
const SCORES: &[&str] = &["SecurityEvents.Read.All", "SecurityEvents.ReadWrite.All"];
const ALERTS: &[&str] = &["SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All"];
const REGISTRATIONS: Query = Query {
    select: false,
    filter: &[
        "id",
        "userPrincipalName",
        "userType",
        "isAdmin",
        "isMfaCapable",
        "isMfaRegistered",
    ],
    order: &["userPrincipalName", "userDisplayName"],
    page: 1000,
    ..ITEM
};
const LOGS: Query = Query {
    filter: &[
        "id",
        "createdDateTime",
        "activityDateTime",
        "userId",
        "userPrincipalName",
        "appId",
        "clientAppUsed",
        "category",
        "isInteractive",
    ],
    order: &["createdDateTime", "activityDateTime"],
    top: 1000,
    page: 1000,
    ..ITEM
};
const RISKS: Query = Query {
    filter: &[
        "id",
        "riskLevel",
        "riskState",
        "riskEventType",
        "userId",
        "userPrincipalName",
        "detectedDateTime",
        "lastUpdatedDateTime",
        "riskLastUpdatedDateTime",
        "isDeleted",
    ],
    order: &["riskLastUpdatedDateTime", "detectedDateTime"],
    top: 500,
    page: 100,
    ..ITEM
};
const ALERT_LIST: Query = Query {
    filter: &[
        "createdDateTime",
        "lastUpdateDateTime",
        "severity",
        "status",
        "serviceSource",
        "assignedTo",
    ],
    order: &["createdDateTime", "lastUpdateDateTime"],
    top: 2000,
    page: 100,
    skip: true,
    count: true,
    ..ITEM
};
const SCORE_LIST: Query = Query {
    select: false,
    filter: &["createdDateTime", "vendorInformation/provider", "id"],
    top: 999,
    page: 100,
    skip: true,
    count: true,
    ..ITEM
};

pub(super) const OPERATIONS: &[Operation] = &[
    read(
        "/security/secureScores",
        SCORES,
        Stored("secureScores", SCORE_LIST),
    )
    .of(Other),
    read(
        "/security/secureScoreControlProfiles",
        SCORES,
        Stored("secureScoreControlProfiles", SCORE_LIST),
    )
    .of(Other),
    read("/security/alerts_v2", ALERTS, Stored("alerts", ALERT_LIST)).of(Other),
    read("/security/alerts_v2/{id}", ALERTS, Item("alerts", "id")).of(Other),
    change(
        "PATCH",
        "/security/alerts_v2/{id}",
        &["SecurityAlert.ReadWrite.All"],
        Graph::patch_alert,
    )
    .of(Other),
    read(
        "/identityProtection/riskyUsers",
        RISKY,
        Stored("riskyUsers", RISKS),
    )
    .of(Guarded)
    .licensed(Protection),
    read(
        "/identityProtection/riskyUsers/{id}",
        RISKY,
        Item("riskyUsers", "id"),
    )
    .of(Guarded)
    .licensed(Protection),
    change(
        "POST",
        "/identityProtection/riskyUsers/confirmCompromised",
        RISK_WRITES,
        Graph::confirm_compromised,
    )
    .of(Guarded)
    .licensed(Protection),
    change(
        "POST",
        "/identityProtection/riskyUsers/dismiss",
        RISK_WRITES,
        Graph::dismiss_risk,
    )
    .of(Guarded)
    .licensed(Protection),
    read(
        "/identityProtection/riskDetections",
        &[
            "IdentityRiskEvent.Read.All",
            "IdentityRiskEvent.ReadWrite.All",
        ],
        Stored("riskDetections", RISKS),
    )
    .of(Guarded)
    .licensed(Protection),
    read("/auditLogs/signIns", &[AUDIT], Stored("signIns", LOGS))
        .of(Reports)
        .licensed(Premium),
    read(
        "/auditLogs/directoryAudits",
        &[AUDIT, DIRECTORY],
        Stored("directoryAudits", LOGS),
    )
    .of(Reports),
    read(
        "/reports/authenticationMethods/userRegistrationDetails",
        &[AUDIT],
        Call(Graph::registrations, REGISTRATIONS),
    )
    .of(Reports)
    .licensed(Premium),
    read(
        "/reports/getOffice365ActiveUserDetail(period='{period}')",
        &["Reports.Read.All"],
        Call(Graph::active_users, ITEM),
    )
    .of(Other),
];
