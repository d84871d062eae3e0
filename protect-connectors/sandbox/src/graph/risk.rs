//! Identity Protection: confirming and dismissing the risk of users.

use serde_json::{Value, json};

use super::{
    Graph,
    error::{Answer, Refusal},
    operation::{Ask, malformed},
};
use crate::{
    clock::seconds,
    request::{Context, Reply},
};

/// So many users in one request.
const MOST: usize = 60;

impl Graph {
    pub(super) fn confirm_compromised(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let to = [
            "confirmedCompromised",
            "high",
            "adminConfirmedUserCompromised",
        ];
        self.set_risk(to, ask, cx)
    }

    pub(super) fn dismiss_risk(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let to = ["dismissed", "none", "adminDismissedAllRiskForUser"];
        self.set_risk(to, ask, cx)
    }

    fn set_risk(
        &mut self,
        [state, level, detail]: [&str; 3],
        ask: &Ask<'_>,
        cx: &mut Context,
    ) -> Answer {
        let body = ask.body(&["userIds"], cx)?;
        let ids: Option<Vec<&str>> = body
            .get("userIds")
            .and_then(Value::as_array)
            .map(|ids| ids.iter().filter_map(Value::as_str).collect());
        let Some(ids) = ids.filter(|ids| (1..=MOST).contains(&ids.len())) else {
            return Err(malformed(cx));
        };
        let accounts: Result<Vec<_>, Refusal> = ids.iter().map(|id| self.account(id)).collect();
        for account in accounts? {
            if self.store.find("riskyUsers", "id", &account.id).is_none() {
                self.store.add(
                    "riskyUsers",
                    risky_user(&account.id, &account.upn, &account.name),
                );
            }
            let Some(user) = self.store.find_mut("riskyUsers", "id", &account.id) else {
                continue;
            };
            let before = user["riskState"].as_str().unwrap_or_default().to_owned();
            user["riskState"] = Value::from(state);
            user["riskLevel"] = Value::from(level);
            user["riskDetail"] = Value::from(detail);
            user["riskLastUpdatedDateTime"] = Value::from(seconds(cx.now));
            if before != state {
                cx.change("risky_user", &account.id, &before, state);
            }
        }
        Ok(Reply::empty(204))
    }
}

/// A user without risk yet.
pub(super) fn risky_user(id: &str, upn: &str, name: &str) -> Value {
    json!({
        "id": id,
        "isDeleted": false,
        "isProcessing": false,
        "riskLevel": "none",
        "riskState": "none",
        "riskDetail": "none",
        "riskLastUpdatedDateTime": null,
        "userDisplayName": name,
        "userPrincipalName": upn,
    })
}
