//! The roles: from the vendor's JSON to the model, and nothing else.

use async_trait::async_trait;
use protect_core::connector::{
    Applied, AppliedStatus, Capability, Connector, ConnectorInfo, CredentialDiagnosis, Cursor,
    Diagnosis, Directory, DirectoryPage, Evaluated, OpContext, Probe, Remediator, ScanPage,
    ScanRequest, Scanner,
};
use protect_core::model::{
    Account, AccountRef, AccountState, Action, ActionKind, ActionTarget, Address, Attributes,
    CheckId, Confidence, EffectClass, FindingKind, Observation, Preview, RejectedItem, Severity,
    Subject,
};
use protect_core::{Error, ErrorKind, Result};

use crate::KIND;
use crate::client::Badges;
use crate::wire::Person;

/// Somebody left and their badge still opens doors.
const LEAVER_CAN_ENTER: &str = "badge.access.leaver_can_enter";

/// Door badges, for one tenant.
#[derive(Debug)]
pub struct BadgeConnector {
    info: ConnectorInfo,
    scan: Badges,
    respond: Option<Badges>,
}

impl BadgeConnector {
    pub(crate) fn new(info: ConnectorInfo, scan: Badges, respond: Option<Badges>) -> Self {
        Self {
            info,
            scan,
            respond,
        }
    }

    fn account(&self, person: &Person) -> Account {
        Account {
            reference: AccountRef {
                connector: self.info.name.clone(),
                id: person.id.clone(),
            },
            provider: KIND.to_owned(),
            // The address joins this account to the same person's accounts elsewhere.
            address: person.email.as_deref().and_then(|e| Address::new(e).ok()),
            display_name: person.name.clone(),
            state: match person.badge.as_str() {
                "active" => AccountState::Active,
                "blocked" => AccountState::Suspended,
                other => AccountState::Other(other.to_owned()),
            },
            privileged: None,
            protection: None,
            created_at: None,
            attributes: Attributes::new(),
        }
    }

    /// One page of people; one that cannot be read is reported and does not lose the page.
    async fn page(&self, cx: &OpContext, cursor: Option<&Cursor>) -> Result<PeoplePage> {
        let number = cursor.map_or(Ok(1), |cursor| cursor.0.parse());
        let number = number.map_err(|_| Error::invalid_input("not a cursor of ours"))?;
        let page = self.scan.list(cx, number).await?;
        let mut read = PeoplePage {
            people: Vec::new(),
            rejected: Vec::new(),
            next: page.next.map(|next| Cursor(next.to_string())),
        };
        for (index, value) in page.people.into_iter().enumerate() {
            match serde_json::from_value(value) {
                Ok(person) => read.people.push(person),
                Err(_) => read.rejected.push(RejectedItem {
                    place: format!("people[{index}]"),
                    reason: "not what the vendor documents".to_owned(),
                }),
            }
        }
        Ok(read)
    }

    fn respond(&self) -> Result<&Badges> {
        self.respond.as_ref().ok_or_else(|| {
            let message = "without a `respond` credential nothing can be changed";
            Error::new(ErrorKind::Unsupported, message)
        })
    }

    /// Whose badge an action is about, how it is now, and whether it is to be blocked.
    async fn target(&self, cx: &OpContext, action: &Action) -> Result<(Person, bool)> {
        let block = match action.kind {
            ActionKind::SuspendAccount => true,
            ActionKind::ReactivateAccount => false,
            other => {
                let message = format!("badges cannot do {other}");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        let ActionTarget::Account(account) = &action.target else {
            return Err(Error::invalid_input("the target is no account"));
        };
        let person = self.respond()?.get(cx, &account.id).await?;
        let gone = || Error::new(ErrorKind::NotFound, "nobody has this badge any more");
        Ok((person.ok_or_else(gone)?, block))
    }
}

struct PeoplePage {
    people: Vec<Person>,
    rejected: Vec<RejectedItem>,
    next: Option<Cursor>,
}

#[async_trait]
impl Connector for BadgeConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        let mut capability = Capability::default();
        capability
            .checks
            .extend(LEAVER_CAN_ENTER.parse::<CheckId>());
        // The engine plans only what stands here: without a `respond` credential, nothing.
        if self.respond.is_some() {
            let class = EffectClass::StateIdempotent;
            for kind in [ActionKind::SuspendAccount, ActionKind::ReactivateAccount] {
                capability.actions.insert(kind, class);
            }
        }
        capability
    }

    /// The cheapest question that needs the credential. Never a call that changes something.
    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut diagnosis = Diagnosis::default();
        let clients = [
            ("scan", Some(&self.scan)),
            ("respond", self.respond.as_ref()),
        ];
        for (name, client) in clients {
            let Some(client) = client else { continue };
            let asked = client.list(cx, 1).await;
            let error = asked.err();
            let refused = |error: &Error| error.kind() == ErrorKind::Unauthenticated;
            diagnosis.reachable |= error.as_ref().is_none_or(|e| e.http_status().is_some());
            diagnosis.credentials.push(CredentialDiagnosis {
                name: name.to_owned(),
                accepted: error
                    .as_ref()
                    .map_or(Some(true), |e| refused(e).then_some(false)),
                missing: Vec::new(),
                excess: Vec::new(),
                note: error.map(|error| error.to_string()),
            });
        }
        Ok(diagnosis)
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        Some(self)
    }

    fn as_directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        self.respond.as_ref().map(|_| self as &dyn Remediator)
    }
}

#[async_trait]
impl Directory for BadgeConnector {
    async fn list(&self, cx: &OpContext, cursor: Option<&Cursor>) -> Result<DirectoryPage> {
        let page = self.page(cx, cursor).await?;
        Ok(DirectoryPage {
            accounts: page.people.iter().map(|p| self.account(p)).collect(),
            rejected: page.rejected,
            cursor: page.next,
            ..DirectoryPage::default()
        })
    }

    async fn get(&self, cx: &OpContext, id: &str) -> Result<Option<Account>> {
        let person = self.scan.get(cx, id).await?;
        Ok(person.map(|person| self.account(&person)))
    }
}

#[async_trait]
impl Scanner for BadgeConnector {
    async fn scan(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let check: CheckId = LEAVER_CAN_ENTER.parse()?;
        let cursor = request.cursor.filter(|_| !request.starts_run);
        let page = self.page(cx, cursor).await?;
        let wrong = |person: &&Person| person.left && person.badge == "active";
        let observations = page.people.iter().filter(wrong);
        // Each person on the page was looked at in full, so a finding that is not repeated here is
        // resolved; one about somebody who could not be read stays.
        let evaluated = page.people.iter().map(|person| Evaluated {
            check: check.clone(),
            subject: Some(Subject::account(KIND, &*person.id)),
        });
        Ok(ScanPage {
            observations: observations.map(|p| leaver_can_enter(&check, p)).collect(),
            evaluated: evaluated.collect(),
            more: page.next.is_some(),
            cursor: page.next,
            rejected: page.rejected,
            ..ScanPage::default()
        })
    }
}

#[async_trait]
impl Remediator for BadgeConnector {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        let (person, block) = self.target(cx, action).await?;
        Ok(Preview {
            before: facts(&person.badge),
            after: facts(word(block)),
            already_so: person.badge == word(block),
            protection: None,
        })
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        let (person, block) = self.target(cx, action).await?;
        let mut applied = Applied {
            status: AppliedStatus::AlreadySo,
            reason: String::new(),
            before: facts(&person.badge),
            after: facts(&person.badge),
        };
        if person.badge == word(block) {
            return Ok(applied);
        }
        self.respond()?.set_blocked(cx, &person.id, block).await?;
        // Read back: what the vendor accepted is not yet what the vendor did. From here on an
        // error must not claim that nothing was changed, so it is never a permanent one.
        let (now, _) = self.target(cx, action).await.map_err(Error::temporary)?;
        applied.after = facts(&now.badge);
        applied.status = if now.badge == word(block) {
            AppliedStatus::Applied
        } else {
            AppliedStatus::NotConfirmed
        };
        Ok(applied)
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        let (person, block) = self.target(cx, action).await?;
        Ok(match person.badge.as_str() {
            badge if badge == word(block) => Probe::Happened(facts(badge)),
            badge @ ("active" | "blocked") => Probe::DidNotHappen(facts(badge)),
            _ => Probe::CannotTell,
        })
    }
}

fn leaver_can_enter(check: &CheckId, person: &Person) -> Observation {
    Observation {
        check: check.clone(),
        kind: FindingKind::Misconfiguration,
        subject: Subject::account(KIND, &*person.id),
        discriminator: String::new(),
        cause: None,
        severity: Severity::High,
        confidence: Confidence::High,
        // A title never shows an address: it ends up in tickets and mails.
        title: "The badge of somebody who left still opens doors".to_owned(),
        reasons: vec!["the list of staff says that they left".to_owned()],
        attribution: None,
        references: Vec::new(),
        details: Attributes::new(),
        from_event: false,
    }
}

fn word(blocked: bool) -> &'static str {
    if blocked { "blocked" } else { "active" }
}

fn facts(badge: &str) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("badge".to_owned(), badge.into());
    facts
}
