//! Sign-ins, audits, risk detections and risky users.

use serde_json::{Value, json};

use super::Maker;
use crate::{
    graph::{risk::risky_user, users::Account},
    scenario::{Part, PlantedUser},
};

/// In a large directory only so many people do anything.
const BUSY: usize = 500;
const SIGN_INS_EACH: i64 = 3;
const AUDITS: i64 = 20;

/// Where a sign-in came from.
struct Place {
    address: &'static str,
    city: &'static str,
    country: &'static str,
}

const HOME: Place = Place {
    address: "192.0.2.10",
    city: "Hamburg",
    country: "DE",
};
const FAR: Place = Place {
    address: "198.51.100.23",
    city: "Sao Paulo",
    country: "BR",
};

struct SignIn<'a> {
    account: &'a Account,
    minutes_ago: i64,
    place: &'a Place,
    client: &'static str,
    /// 0 for a success, else the code of AADSTS.
    error: i64,
    risk: &'static str,
}

impl Maker<'_> {
    pub(super) fn activity(&mut self) {
        self.sign_ins();
        self.audits();
        self.risks();
    }

    fn sign_ins(&mut self) {
        let mut sign_ins = Vec::new();
        let crowd = self.users.bystanders().take(BUSY);
        let accounts: Vec<Account> = crowd.filter_map(|it| self.users.account(it)).collect();
        for account in accounts.iter().filter(|account| account.enabled) {
            for turn in 0..SIGN_INS_EACH {
                // Old clients are rare, and there are some.
                let client = if self.rng.percent(2) {
                    "IMAP4"
                } else {
                    "Browser"
                };
                sign_ins.push(SignIn {
                    account,
                    minutes_ago: 24 * 60 * (1 + turn)
                        + i64::try_from(self.rng.below(1400)).unwrap_or(0),
                    place: &HOME,
                    client,
                    error: 0,
                    risk: "none",
                });
            }
        }
        let suspicious = self.users.player(Part::Suspicious);
        let suspicious = suspicious.and_then(|it| self.users.account(it));
        if let Some(account) = &suspicious {
            for turn in 0..6 {
                sign_ins.push(SignIn {
                    account,
                    minutes_ago: 90 - turn,
                    place: &FAR,
                    client: "Browser",
                    error: 50_126,
                    risk: "medium",
                });
            }
            sign_ins.push(SignIn {
                account,
                minutes_ago: 80,
                place: &FAR,
                client: "Browser",
                error: 0,
                risk: "high",
            });
        }
        // The vendor answers the newest first.
        sign_ins.sort_by_key(|it| it.minutes_ago);
        let sign_ins: Vec<Value> = sign_ins.iter().map(|it| self.sign_in(it)).collect();
        self.add_all("signIns", sign_ins);
    }

    fn sign_in(&mut self, sign_in: &SignIn<'_>) -> Value {
        let reason = match sign_in.error {
            0 => Value::Null,
            _ => json!("Error validating credentials due to invalid username or password."),
        };
        json!({
            "id": self.rng.uuid(),
            "createdDateTime": self.ago(sign_in.minutes_ago),
            "userDisplayName": sign_in.account.name,
            "userPrincipalName": sign_in.account.upn,
            "userId": sign_in.account.id,
            "appId": "00000002-0000-0ff1-ce00-000000000000",
            "appDisplayName": "Office 365 Exchange Online",
            "ipAddress": sign_in.place.address,
            "clientAppUsed": sign_in.client,
            "correlationId": self.rng.uuid(),
            "conditionalAccessStatus": if sign_in.error == 0 { "success" } else { "notApplied" },
            "isInteractive": true,
            "riskDetail": "none",
            "riskLevelAggregated": sign_in.risk,
            "riskLevelDuringSignIn": sign_in.risk,
            "riskState": if sign_in.risk == "none" { "none" } else { "atRisk" },
            "riskEventTypes_v2": [],
            "resourceDisplayName": "Office 365 Exchange Online",
            "status": {
                "errorCode": sign_in.error,
                "failureReason": reason,
                "additionalDetails": null,
            },
            "deviceDetail": {"deviceId": "", "browser": "Edge 131.0", "operatingSystem": "Windows10"},
            "location": {
                "city": sign_in.place.city,
                "state": null,
                "countryOrRegion": sign_in.place.country,
                "geoCoordinates": {"latitude": 0.0, "longitude": 0.0},
            },
            "appliedConditionalAccessPolicies": [],
        })
    }

    fn audits(&mut self) {
        let actor = self.planted(0);
        let target = self.player(Part::Forgotten);
        let audits: Vec<Value> = (0..AUDITS)
            .map(|turn| {
                json!({
                    "id": format!("Directory_{}", self.rng.uuid()),
                    "category": "UserManagement",
                    "correlationId": self.rng.uuid(),
                    "result": "success",
                    "resultReason": "",
                    "activityDisplayName": "Update user",
                    "activityDateTime": self.ago(300 + turn * 700),
                    "loggedByService": "Core Directory",
                    "operationType": "Update",
                    "initiatedBy": {
                        "app": null,
                        "user": {"id": actor.id, "userPrincipalName": actor.email, "displayName": null},
                    },
                    "targetResources": [{
                        "id": target.id,
                        "displayName": null,
                        "type": "User",
                        "userPrincipalName": target.email,
                        "modifiedProperties": [],
                    }],
                    "additionalDetails": [],
                })
            })
            .collect();
        self.add_all("directoryAudits", audits);
        self.elevated(&actor, &target);
    }

    /// Somebody was given a role, as the log of the directory has it: the target is a user, and the role
    /// stands among the changed properties.
    fn elevated(&mut self, actor: &PlantedUser, target: &PlantedUser) {
        let audit = json!({
            "id": format!("Directory_{}", self.rng.uuid()),
            "category": "RoleManagement",
            "correlationId": self.rng.uuid(),
            "result": "success",
            "resultReason": "",
            "activityDisplayName": "Add member to role",
            "activityDateTime": self.ago(70),
            "loggedByService": "Core Directory",
            "operationType": "Assign",
            "initiatedBy": {
                "app": null,
                "user": {"id": actor.id, "userPrincipalName": actor.email, "ipAddress": "198.51.100.10"},
            },
            "targetResources": [
                {
                    "id": target.id,
                    "displayName": null,
                    "type": "User",
                    "userPrincipalName": target.email,
                    "modifiedProperties": [{
                        "displayName": "Role.DisplayName",
                        "oldValue": null,
                        "newValue": "\"Helpdesk Administrator\"",
                    }],
                },
                {"id": self.rng.uuid(), "displayName": null, "type": "Role", "modifiedProperties": []},
            ],
            "additionalDetails": [],
        });
        self.store.add("directoryAudits", audit);
    }

    fn risks(&mut self) {
        let planted = [
            (Part::Leaked, "leakedCredentials", "high", 200, &HOME),
            (Part::Suspicious, "unlikelyTravel", "medium", 85, &FAR),
            (Part::Suspicious, "anonymizedIPAddress", "high", 80, &FAR),
            (Part::Forgotten, "unfamiliarFeatures", "low", 4000, &HOME),
        ];
        let mut detections = Vec::new();
        let mut risky: Vec<Value> = Vec::new();
        for (part, kind, level, minutes_ago, place) in planted {
            let account = self
                .users
                .player(part)
                .and_then(|it| self.users.account(it));
            let Some(account) = account else {
                continue;
            };
            detections.push(self.detection(&account, kind, level, minutes_ago, place));
            let mut user = risky_user(&account.id, &account.upn, &account.name);
            user["riskLevel"] = Value::from(level);
            user["riskState"] = Value::from("atRisk");
            user["riskLastUpdatedDateTime"] = Value::from(self.ago(minutes_ago));
            risky.retain(|it| it["id"] != user["id"]);
            risky.push(user);
        }
        self.add_all("riskDetections", detections);
        self.add_all("riskyUsers", risky);
    }

    fn detection(
        &mut self,
        account: &Account,
        kind: &str,
        level: &str,
        minutes_ago: i64,
        place: &Place,
    ) -> Value {
        let leaked = kind == "leakedCredentials";
        json!({
            "id": self.rng.hex(64),
            "requestId": self.rng.uuid(),
            "correlationId": self.rng.uuid(),
            "riskEventType": kind,
            "riskState": "atRisk",
            "riskLevel": level,
            "riskDetail": "none",
            "source": "IdentityProtection",
            "detectionTimingType": if leaked { "offline" } else { "realtime" },
            "activity": if leaked { "user" } else { "signin" },
            "tokenIssuerType": "AzureAD",
            "ipAddress": if leaked { Value::Null } else { place.address.into() },
            "location": {"city": place.city, "state": null, "countryOrRegion": place.country},
            "activityDateTime": self.ago(minutes_ago),
            "detectedDateTime": self.ago(minutes_ago),
            "lastUpdatedDateTime": self.ago(minutes_ago),
            "userId": account.id,
            "userDisplayName": account.name,
            "userPrincipalName": account.upn,
            "additionalInfo": "[]",
        })
    }
}
