//! Who is gone and still has access: what Hub's list of users shows, held against the workforce and the
//! directories.

use async_trait::async_trait;
use protect_core::Result;
use protect_core::connector::{Evaluated, OpContext, ScanPage, ScanRequest, Scanner};
use protect_core::model::{
    Address, Attributes, CheckId, Confidence, FindingKind, Gone, Observation, RejectedItem,
    Severity, Subject,
};

use super::revoke::HubConnector;
use super::users::HubUser;

/// The check.
pub(super) const NOT_REVOKED: &str = "hub.access.not_revoked";

#[async_trait]
impl Scanner for HubConnector {
    async fn scan(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let check = CheckId::new(NOT_REVOKED)?;
        let gone = request.state.gone().await?;
        let mut page = ScanPage {
            evaluated: vec![Evaluated {
                check: check.clone(),
                subject: None,
            }],
            ..ScanPage::default()
        };
        if gone.is_empty() {
            // Of nobody who is gone can access be left: Hub need not be asked.
            return Ok(page);
        }
        let users = self.client.within(cx).users().await?;
        for (place, user) in users.iter().enumerate() {
            let Ok(address) = Address::new(&user.email) else {
                page.rejected.push(RejectedItem {
                    place: format!("users[{place}]"),
                    reason: "its `email` is no address".to_owned(),
                });
                continue;
            };
            if let Some(gone) = gone.get(&address)
                && user.has_access()
            {
                page.observations
                    .push(not_revoked(&check, &address, user, gone));
            }
        }
        Ok(page)
    }
}

fn not_revoked(check: &CheckId, address: &Address, user: &HubUser, gone: &Gone) -> Observation {
    let mut details = Attributes::new();
    details.insert("status".to_owned(), user.status.as_str().into());
    details.insert("products".to_owned(), user.products.clone().into());
    details.insert("sessions".to_owned(), user.sessions.into());
    let mut reasons = vec![gone.reason.clone()];
    reasons.push(match user.products.len() {
        0 if user.sessions > 0 => "sessions at Hub still run".to_owned(),
        0 => "Hub still lets them sign in".to_owned(),
        _ => format!("Hub still gives access to {} products", user.products.len()),
    });
    Observation {
        check: check.clone(),
        kind: FindingKind::Operational,
        subject: Subject::address(address),
        discriminator: String::new(),
        cause: None,
        // Whoever is only suspended may be back tomorrow; whoever left is not.
        severity: if gone.has_left {
            Severity::Critical
        } else {
            Severity::High
        },
        confidence: Confidence::High,
        title: "Access was not revoked at Hub".to_owned(),
        reasons,
        attribution: None,
        references: Vec::new(),
        details,
        from_event: false,
    }
}
