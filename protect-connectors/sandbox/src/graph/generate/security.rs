//! Alerts and the secure score.

use serde_json::{Value, json};

use super::Maker;
use crate::scenario::Part;

const DAYS_OF_SCORES: i64 = 30;
const MOST: f64 = 65.0;
const CONTROLS: [(&str, &str, f64); 6] = [
    ("MFARegistrationV2", "Identity", 9.0),
    ("AdminMFAV2", "Identity", 10.0),
    ("BlockLegacyAuthentication", "Identity", 8.0),
    ("OneAdmin", "Identity", 1.0),
    ("IntegratedApps", "Identity", 4.0),
    ("dlp_datalossprevention", "Data", 5.0),
];

impl Maker<'_> {
    /// Answers the identifier of the alert about the suspicious user.
    pub(super) fn security(&mut self) -> String {
        self.scores();
        let suspicious = self.player(Part::Suspicious);
        let leaver = self.player(Part::Leaver);
        let planted = self.alert("Anonymous IP address", "high", "new", 78, &suspicious);
        let old = self.alert("Mass download", "medium", "resolved", 60_000, &leaver);
        let id = planted["id"].as_str().unwrap_or_default().to_owned();
        self.add_all("alerts", [planted, old]);
        id
    }

    fn alert(
        &mut self,
        title: &str,
        severity: &str,
        status: &str,
        minutes_ago: i64,
        user: &crate::PlantedUser,
    ) -> Value {
        let id = self.rng.hex(40);
        let incident = self.rng.below(9000) + 100;
        json!({
            "id": id,
            "providerAlertId": self.rng.uuid(),
            "incidentId": incident.to_string(),
            "tenantId": self.tenant,
            "title": title,
            "description": format!("{title}: a sign-in that does not fit the user."),
            "severity": severity,
            "status": status,
            "classification": (status == "resolved").then_some("falsePositive"),
            "determination": (status == "resolved").then_some("notMalicious"),
            "serviceSource": "azureAdIdentityProtection",
            "detectionSource": "azureAdIdentityProtection",
            "category": "InitialAccess",
            "mitreTechniques": ["T1078"],
            "assignedTo": null,
            "createdDateTime": self.ago(minutes_ago),
            "lastUpdateDateTime": self.ago(minutes_ago - 1),
            "firstActivityDateTime": self.ago(minutes_ago + 2),
            "lastActivityDateTime": self.ago(minutes_ago),
            "resolvedDateTime": (status == "resolved").then(|| self.ago(minutes_ago - 60)),
            "alertWebUrl": format!("https://security.microsoft.example/alerts/{id}"),
            "incidentWebUrl": format!("https://security.microsoft.example/incidents/{incident}"),
            "evidence": [{
                "@odata.type": "#microsoft.graph.security.userEvidence",
                "createdDateTime": self.ago(minutes_ago),
                "verdict": "suspicious",
                "remediationStatus": "none",
                "roles": ["compromised"],
                "userAccount": {
                    "accountName": user.email.split('@').next(),
                    "azureAdUserId": user.id,
                    "userPrincipalName": user.email,
                    "displayName": user.name,
                },
            }],
        })
    }

    /// The newest first.
    fn scores(&mut self) {
        let scores: Vec<Value> = (0..DAYS_OF_SCORES).map(|days| self.score(days)).collect();
        self.add_all("secureScores", scores);
        let profiles = CONTROLS.map(|(id, category, most)| {
            json!({
                "id": id,
                "title": id,
                "controlCategory": category,
                "service": "AzureAD",
                "vendorInformation": {"provider": "SecureScore", "vendor": "Microsoft"},
                "maxScore": most,
                "rank": 10,
                "tier": "Core",
                "actionType": "Config",
                "actionUrl": "https://entra.microsoft.example/",
                "remediation": "Follow the steps on the page.",
                "remediationImpact": "Users may notice.",
                "userImpact": "Low",
                "implementationCost": "Low",
                "threats": ["Account Breach"],
                "deprecated": false,
                "controlStateUpdates": [],
            })
        });
        self.add_all("secureScoreControlProfiles", profiles);
    }

    fn score(&mut self, days: i64) -> Value {
        let controls = CONTROLS.map(|(name, category, most)| {
            json!({
                "controlName": name,
                "controlCategory": category,
                "score": most / 2.0,
                "description": "What was found.",
            })
        });
        let current: f64 = CONTROLS.iter().map(|(_, _, most)| most / 2.0).sum();
        json!({
            "id": format!("{}_{}", self.tenant, &self.days_ago(days)[..10]),
            "azureTenantId": self.tenant,
            "createdDateTime": format!("{}T00:00:00Z", &self.days_ago(days)[..10]),
            "currentScore": current,
            "maxScore": MOST,
            "activeUserCount": self.users.len(),
            "licensedUserCount": self.users.len(),
            "enabledServices": ["HasExchange", "HasSharePoint"],
            "vendorInformation": {"provider": "SecureScore", "vendor": "Microsoft"},
            "averageComparativeScores": [{"basis": "AllTenants", "averageScore": 31.4}],
            "controlScores": controls,
        })
    }
}
