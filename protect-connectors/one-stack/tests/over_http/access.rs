//! Who is gone and still has access at Hub.

use protect_core::engine::{Engine, FindingFilter, Tenant};
use protect_core::model::{Address, EmployeeId, FindingStatus, OutcomeStatus, Severity};
use protect_core::store::{Commit, Put, RecordKind};
use protect_sandbox::{Fault, HubUser};
use serde_json::{Value, json};

use crate::world::{World, walk};

struct Left {
    world: World,
    engine: Engine,
    acme: Tenant,
}

impl Left {
    /// Hub watches access; whoever is found to have too much of it loses it.
    async fn new() -> Self {
        let world = World::new().await;
        let config = world.config(&["hub"], |config| {
            config["tenants"]["acme"]["rules"] = json!([{
                "name": "left", "when": { "check": "hub.access.not_revoked" },
                "then": ["revoke_access"],
            }]);
        });
        let engine = world.engine(&config).unwrap();
        let acme = engine.tenant("acme").unwrap();
        Self {
            world,
            engine,
            acme,
        }
    }

    fn user(&self, who: &str, status: &str, sessions: u64) {
        assert!(self.world.sandbox.set_hub_user(HubUser {
            organisation: self.world.organisation("acme").id.clone(),
            email: format!("{who}@acme.example"),
            status: status.to_owned(),
            active_sessions: sessions,
        }));
    }

    async fn keep(&self, kind: RecordKind, key: &str, what: Value) {
        let commit = Commit::default().put(Put::new(kind, key, &what).unwrap());
        let kept = self.engine.store().commit(self.acme.id(), commit).await;
        kept.unwrap();
    }

    /// What the workforce knows of somebody.
    async fn employee(&self, who: &str, status: &str) {
        let address = Address::new(format!("{who}@acme.example")).unwrap();
        let id = EmployeeId::of(self.acme.id(), &address, 1);
        let employee = json!({
            "id": id, "tenant": "acme", "first_name": who, "last_name": "Doe",
            "work_email": address, "employment_type": "full_time",
            "status": status, "source": "test", "updated_at": "2026-11-27T00:00:00Z",
        });
        self.keep(RecordKind::Employee, id.as_str(), employee).await;
    }

    /// What a directory knows of somebody.
    async fn account(&self, who: &str, provider: &str, state: &str) {
        let id = format!("{provider}-{who}");
        let account = json!({
            "connector": provider, "id": id, "provider": provider,
            "address": format!("{who}@acme.example"), "display_name": who, "state": state,
            "privileged": null, "protection": null, "created_at": null,
        });
        self.keep(RecordKind::Account, &id, account).await;
    }

    /// Whose access is left, with how bad that is.
    async fn left(&self) -> Vec<(String, Severity)> {
        let summary = self.acme.scan().await.unwrap();
        assert!(summary.complete, "{summary:?}");
        self.open().await
    }

    async fn open(&self) -> Vec<(String, Severity)> {
        let filter = FindingFilter::default();
        let page = self.acme.findings(&filter).await.unwrap();
        let open = page
            .findings
            .into_iter()
            .filter(|it| it.status == FindingStatus::New);
        let mut left: Vec<_> = open
            .map(|it| (it.observation.subject.id, it.observation.severity))
            .collect();
        left.sort();
        left
    }
}

#[tokio::test]
async fn whoever_left_or_is_suspended_and_still_has_access_is_found_and_nobody_else() {
    let left = Left::new().await;
    for (who, employed, at_hub, sessions) in [
        ("ann", "terminated", "active", 0),
        ("bob", "resigned", "deactivated", 1),
        ("cat", "suspended", "active", 0),
        ("dan", "terminated", "deactivated", 0),
        ("eve", "active", "active", 2),
        ("fay", "on_leave", "active", 0),
    ] {
        left.employee(who, employed).await;
        left.user(who, at_hub, sessions);
    }
    // Not in the workforce: gone by the word of the directories.
    left.user("gil", "active", 0);
    left.account("gil", "entra", "suspended").await;
    left.user("hal", "active", 0);
    left.account("hal", "entra", "suspended").await;
    left.account("hal", "google", "active").await;
    // Locked out for now, and still employed.
    left.account("eve", "entra", "suspended").await;
    let found = left.left().await;
    let found: Vec<_> = found
        .iter()
        .map(|(who, how)| (who.as_str(), *how))
        .collect();
    assert_eq!(
        found,
        [
            ("ann@acme.example", Severity::Critical),
            ("bob@acme.example", Severity::Critical),
            ("cat@acme.example", Severity::High),
            ("gil@acme.example", Severity::High),
        ]
    );
    assert_eq!(left.world.rules(), [""; 0]);
}

#[tokio::test]
async fn it_is_settled_when_the_access_is_gone_and_not_before() {
    let left = Left::new().await;
    left.employee("ann", "terminated").await;
    left.user("ann", "active", 1);
    let steps = walk(&left.acme).await;
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Applied), "{steps:?}");
    assert_eq!(left.open().await.len(), 1, "until it is looked again");
    assert_eq!(left.left().await, []);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_settles_nothing() {
    let left = Left::new().await;
    left.employee("ann", "terminated").await;
    left.user("ann", "active", 0);
    assert_eq!(left.left().await.len(), 1);
    left.user("ann", "deactivated", 0);
    let broken = Fault::named("html200").unwrap();
    let broken = broken.on("/hub/api/internal/users");
    left.world.sandbox.set_fault(broken.times(9));
    assert!(!left.acme.scan().await.unwrap().complete);
    let still = left.open().await;
    assert!(
        still.iter().any(|(who, _)| who == "ann@acme.example"),
        "{still:?}"
    );
}

#[tokio::test]
async fn where_nobody_is_gone_hub_is_not_asked_and_it_can_be_switched_off() {
    let left = Left::new().await;
    left.employee("eve", "active").await;
    let asked = left.world.sandbox.requests().len();
    assert_eq!(left.left().await, []);
    assert_eq!(left.world.sandbox.requests().len(), asked);

    let world = World::new().await;
    let off = world.connector("acme", "hub", |config| {
        config["tenants"]["acme"]["connectors"]["hub"]["watch_access"] = json!(false);
    });
    assert!(off.as_scanner().is_none() && off.capability().checks.is_empty());
}
