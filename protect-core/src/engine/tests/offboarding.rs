//! Somebody leaves: from the decision to access gone, whatever the vendor does meanwhile.

use std::time::Duration;

use futures::FutureExt as _;

use super::fixture::{Fault, Fixture, address, alice};
use crate::engine::FindingFilter;
use crate::error::ErrorKind;
use crate::model::{
    Actor, ApprovedPlan, EmployeeId, EmploymentStatus, Finding, FindingStatus, IncidentStatus,
    Leaving, OutcomeStatus, Protection, Severity, TaskStatus, TaskTemplate, Workflow,
    WorkflowStatus,
};
use crate::people::{EmployeeInput, NewOffboarding, NewOnboarding, Started, TaskChange};

const DAY: Duration = Duration::from_hours(24);

struct World {
    fixture: Fixture,
    employee: EmployeeId,
}

impl World {
    async fn new() -> Self {
        Self::with("enforce", "").await
    }

    async fn with(mode: &str, tenant: &str) -> Self {
        let fixture = Fixture::with(mode, tenant, "").await;
        let input = EmployeeInput {
            last_name: Some("Lee".to_owned()),
            work_email: Some(address(1)),
            ..EmployeeInput::default()
        };
        let hired = fixture.tenant.hire(&input, false, &alice()).await.unwrap();
        fixture.tenant.apply_waiting().await.unwrap();
        fixture.vendor.with(|state| state.journal.clear());
        Self {
            fixture,
            employee: hired.id,
        }
    }

    fn today(&self) -> jiff::civil::Date {
        let now = self.fixture.tenant.now();
        now.to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    fn leaving(&self, days: i64) -> NewOffboarding {
        NewOffboarding {
            last_day: self
                .today()
                .checked_add(jiff::Span::new().days(days))
                .unwrap(),
            leaving: Leaving::Resigned,
            reason: "found another job".to_owned(),
            at_once: false,
            allow_past: false,
            tasks: Some(Vec::new()),
        }
    }

    /// At once, with something that stays to be done.
    fn leaving_with_keys(&self) -> NewOffboarding {
        let keys = TaskTemplate {
            title: "Collect the keys".to_owned(),
            category: "equipment".to_owned(),
            assignee: "manager".to_owned(),
            due: 0,
        };
        NewOffboarding {
            tasks: Some(vec![keys]),
            at_once: true,
            ..self.leaving(0)
        }
    }

    async fn offboard(&self, days: i64) -> Started {
        let new = self.leaving(days);
        let tenant = &self.fixture.tenant;
        tenant.offboard(&self.employee, &new, &hr()).await.unwrap()
    }

    async fn approve(&self, started: &Started) -> ApprovedPlan {
        let plan = started.plan.clone().unwrap();
        self.fixture.tenant.approve(plan, &alice()).await.unwrap()
    }

    /// Lets time pass, and the engine do what is due.
    async fn pass(&self, by: Duration) {
        self.fixture.clock.advance(by).await;
        self.fixture.tenant.apply_waiting().await.unwrap();
        self.fixture.tenant.review_workflows().await.unwrap();
        self.fixture.tenant.apply_waiting().await.unwrap();
    }

    async fn workflow(&self, started: &Started) -> Workflow {
        let id = &started.workflow.id;
        self.fixture.tenant.workflow(id).await.unwrap()
    }

    async fn status(&self) -> EmploymentStatus {
        let found = self.fixture.tenant.employee(&self.employee).await;
        found.unwrap().status
    }

    async fn critical(&self) -> Vec<Finding> {
        let filter = FindingFilter {
            min_severity: Some(Severity::Critical),
            ..FindingFilter::default()
        };
        let page = self.fixture.tenant.findings(&filter).await;
        page.unwrap().findings
    }

    fn journal(&self) -> Vec<String> {
        self.fixture.vendor.journal()
    }
}

fn hr() -> Actor {
    Actor::unverified("hr")
}

#[tokio::test]
async fn access_ends_with_the_last_day_and_not_before_and_the_evidence_says_who_approved() {
    let world = World::new().await;
    let started = world.offboard(3).await;
    let own = world
        .fixture
        .tenant
        .approve(started.plan.clone().unwrap(), &hr())
        .await;
    assert_eq!(
        own.unwrap_err().kind(),
        ErrorKind::Refused,
        "nobody approves their own"
    );
    let approved = world.approve(&started).await;
    let steps = world.fixture.tenant.apply(approved).await.unwrap();
    assert!(steps[0].outcome.is_none());
    assert!(
        steps[0].waits.as_deref().unwrap().contains("due at"),
        "{}",
        steps[0]
    );
    world.pass(2 * DAY).await;
    assert!(!world.journal().iter().any(|it| it.starts_with("suspend")));
    assert_eq!(world.status().await, EmploymentStatus::Active);

    world.pass(2 * DAY).await;
    let suspended = world
        .journal()
        .iter()
        .filter(|it| *it == "suspend U001")
        .count();
    assert_eq!(suspended, 1);
    let workflow = world.workflow(&started).await;
    assert_eq!(workflow.status, WorkflowStatus::Completed);
    assert_eq!(world.status().await, EmploymentStatus::Resigned);
    let incident = world
        .fixture
        .read_incident(workflow.incident.as_ref().unwrap())
        .await;
    assert_eq!(incident.status, IncidentStatus::Resolved);
    assert!(world.critical().await.is_empty());
    let evidence = world
        .fixture
        .tenant
        .workflow_evidence(&workflow.id)
        .await
        .unwrap();
    let kinds: Vec<_> = evidence.iter().map(|entry| entry.kind.as_str()).collect();
    for kind in [
        "offboarding.started",
        "plan.made",
        "plan.approved",
        "action.attempted",
        "action.finished",
        "offboarding.access_gone",
        "workflow.completed",
    ] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
}

#[tokio::test]
async fn the_last_day_is_counted_where_they_work() {
    let world = World::with("enforce", "people = { time_zone = \"Pacific/Auckland\" }").await;
    let started = world.offboard(1).await;
    let ends = started.workflow.access_ends_at.unwrap();
    let there = ends.to_zoned(jiff::tz::TimeZone::get("Pacific/Auckland").unwrap());
    assert_eq!((there.hour(), there.minute()), (0, 0));
    assert!(there.date() > started.workflow.day);
}

#[tokio::test]
async fn a_last_day_in_the_past_is_refused_unless_it_is_meant() {
    let world = World::new().await;
    let tenant = &world.fixture.tenant;
    let past = world.leaving(-2);
    let error = tenant
        .offboard(&world.employee, &past, &hr())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let meant = NewOffboarding {
        allow_past: true,
        ..past
    };
    let started = tenant
        .offboard(&world.employee, &meant, &hr())
        .await
        .unwrap();
    let again = tenant.offboard(&world.employee, &meant, &hr()).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Conflict, "one runs");
    let approved = world.approve(&started).await;
    let steps = tenant.apply(approved).await.unwrap();
    assert_eq!(steps[0].status(), Some(OutcomeStatus::Applied));
}

#[tokio::test]
async fn a_vendor_that_is_down_for_hours_is_waited_for_told_aloud_and_done_once() {
    let world = World::new().await;
    let started = world.offboard(0).await;
    world.approve(&started).await;
    world.fixture.vendor.with(|state| state.fault = Fault::Down);
    world.pass(DAY).await;
    let workflow = world.workflow(&started).await;
    assert_eq!(workflow.status, WorkflowStatus::Open);
    assert!(
        workflow.steps[0].reason.contains("down"),
        "{:?}",
        workflow.steps
    );
    assert_eq!(workflow.steps_left().count(), 1);
    for _ in 0..20 {
        world.pass(Duration::from_mins(10)).await;
    }
    let critical = world.critical().await;
    assert_eq!(critical.len(), 1, "late access is told");
    assert_eq!(critical[0].status, FindingStatus::New);
    world.fixture.vendor.with(|state| state.fault = Fault::None);
    for _ in 0..10 {
        world.pass(Duration::from_mins(30)).await;
    }
    let journal = world.journal();
    assert_eq!(journal.iter().filter(|it| *it == "suspend U001").count(), 1);
    assert!(journal.contains(&"ticket".to_owned()), "{journal:?}");
    assert_eq!(world.critical().await[0].status, FindingStatus::Resolved);
    assert_eq!(
        world.workflow(&started).await.status,
        WorkflowStatus::Completed
    );
    assert_eq!(world.status().await, EmploymentStatus::Resigned);
}

#[tokio::test]
async fn a_lost_answer_closes_the_account_once() {
    let world = World::new().await;
    let started = world.offboard(0).await;
    world.approve(&started).await;
    world
        .fixture
        .vendor
        .with(|state| state.fault = Fault::AnswerLost);
    world.pass(DAY).await;
    world.fixture.vendor.with(|state| state.fault = Fault::None);
    world.pass(Duration::from_hours(1)).await;
    assert_eq!(
        world.workflow(&started).await.status,
        WorkflowStatus::Completed
    );
    let suspended = world
        .journal()
        .iter()
        .filter(|it| *it == "suspend U001")
        .count();
    assert_eq!(suspended, 1);
}

#[tokio::test]
async fn a_refusal_is_critical_with_a_ticket_and_resumed_once_it_can_be_done() {
    let world = World::new().await;
    let started = world.offboard(0).await;
    world.approve(&started).await;
    world.fixture.vendor.with(|state| {
        state
            .protected
            .insert("U001".to_owned(), Protection::LastOwner);
    });
    world.pass(DAY).await;
    let workflow = world.workflow(&started).await;
    assert_eq!(workflow.steps[0].outcome, Some(OutcomeStatus::Refused));
    assert_eq!(workflow.status, WorkflowStatus::Open);
    assert_eq!(
        world.status().await,
        EmploymentStatus::Active,
        "access is there"
    );
    let critical = world.critical().await;
    assert_eq!(critical.len(), 1);
    assert_eq!(critical[0].incident, workflow.incident);
    assert!(world.journal().contains(&"ticket".to_owned()));
    world.pass(Duration::from_hours(2)).await;
    let tickets = world
        .journal()
        .iter()
        .filter(|it| *it == "ticket" || *it == "note")
        .count();
    assert_eq!(tickets, 1, "what is known is not told again");

    world.fixture.vendor.with(|state| state.protected.clear());
    let resumed = world
        .fixture
        .tenant
        .resume_offboarding(&workflow.id)
        .await
        .unwrap();
    let approved = world.approve(&resumed).await;
    world.fixture.tenant.apply(approved).await.unwrap();
    world.pass(Duration::from_mins(20)).await;
    assert_eq!(
        world.workflow(&started).await.status,
        WorkflowStatus::Completed
    );
    assert_eq!(world.critical().await[0].status, FindingStatus::Resolved);
}

#[tokio::test]
async fn what_a_guard_refuses_at_planning_is_told_too() {
    let world = World::with("enforce", "protected = [\"user1@acme.example\"]").await;
    let started = world.offboard(0).await;
    assert_eq!(
        started.workflow.steps[0].outcome,
        Some(OutcomeStatus::Refused)
    );
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.critical().await.len(), 1);
}

#[tokio::test]
async fn what_nobody_approved_in_time_is_told_also_in_a_dry_run() {
    for mode in ["enforce", "dry_run"] {
        let world = World::with(mode, "").await;
        let started = world.offboard(0).await;
        world.pass(DAY + Duration::from_hours(2)).await;
        let critical = world.critical().await;
        assert_eq!(critical.len(), 1, "{mode}");
        assert!(critical[0].observation.reasons[0].contains("nobody approved"));
        assert_eq!(world.workflow(&started).await.status, WorkflowStatus::Open);
        assert!(!world.journal().iter().any(|it| it.starts_with("suspend")));
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_read_keeps_access_from_counting_as_gone() {
    let world = World::new().await;
    let started = world.offboard(0).await;
    world.approve(&started).await;
    world.fixture.vendor.with(|state| state.silent = true);
    world.pass(DAY).await;
    world.pass(Duration::from_hours(2)).await;
    let workflow = world.workflow(&started).await;
    assert!(workflow.steps[0].is_done());
    assert!(!workflow.access_gone);
    assert_eq!(workflow.unread.len(), 1);
    assert_eq!(world.critical().await.len(), 1);
    world.fixture.vendor.with(|state| state.silent = false);
    world.pass(Duration::from_mins(20)).await;
    assert!(world.workflow(&started).await.access_gone);
}

#[tokio::test]
async fn an_account_that_appears_after_the_plan_is_found_before_access_counts_as_gone() {
    let world = World::new().await;
    let input = EmployeeInput {
        other_emails: Some(vec![address(42)]),
        ..EmployeeInput::default()
    };
    let tenant = &world.fixture.tenant;
    tenant
        .update_employee(&world.employee, &input, &hr())
        .await
        .unwrap();
    let started = world.offboard(1).await;
    world.approve(&started).await;
    world.fixture.vendor.with(|state| {
        state.known.insert("U042".to_owned());
        state.active.insert("U042".to_owned());
    });
    world.pass(2 * DAY).await;
    world.pass(Duration::from_hours(2)).await;
    let workflow = world.workflow(&started).await;
    assert!(!workflow.access_gone);
    assert_eq!(world.critical().await.len(), 1);
    let resumed = tenant.resume_offboarding(&workflow.id).await.unwrap();
    let approved = world.approve(&resumed).await;
    tenant.apply(approved).await.unwrap();
    world.pass(Duration::from_mins(20)).await;
    assert!(world.workflow(&started).await.access_gone);
    assert!(world.journal().contains(&"suspend U042".to_owned()));
}

#[tokio::test]
async fn calling_it_off_leaves_access_and_takes_back_what_was_done() {
    let world = World::new().await;
    let tenant = &world.fixture.tenant;
    let started = world.offboard(5).await;
    world.approve(&started).await;
    let called = tenant
        .cancel_workflow(&started.workflow.id, "they stay", &hr())
        .await
        .unwrap();
    assert_eq!(called.workflow.status, WorkflowStatus::Cancelled);
    assert_eq!(called.plan, None, "nothing was done yet");
    world.pass(10 * DAY).await;
    assert!(!world.journal().iter().any(|it| it.starts_with("suspend")));
    assert_eq!(
        tenant.employee(&world.employee).await.unwrap().last_day,
        None
    );

    let new = world.leaving_with_keys();
    let again = tenant.offboard(&world.employee, &new, &hr()).await.unwrap();
    let approved = world.approve(&again).await;
    tenant.apply(approved).await.unwrap();
    world.pass(Duration::from_mins(1)).await;
    assert_eq!(world.status().await, EmploymentStatus::Resigned);
    let called = tenant
        .cancel_workflow(&again.workflow.id, "they stay", &hr())
        .await
        .unwrap();
    assert_eq!(world.status().await, EmploymentStatus::Active);
    let approved = world.approve(&called).await;
    tenant.apply(approved).await.unwrap();
    assert!(world.journal().contains(&"reactivate U001".to_owned()));
}

#[tokio::test]
async fn wherever_calling_it_off_breaks_off_what_was_done_is_planned_to_be_taken_back() {
    let mut planned_later = 0;
    for polls in 1.. {
        let world = World::new().await;
        let tenant = &world.fixture.tenant;
        let new = world.leaving_with_keys();
        let started = tenant.offboard(&world.employee, &new, &hr()).await.unwrap();
        let approved = world.approve(&started).await;
        tenant.apply(approved).await.unwrap();
        let id = &started.workflow.id;
        let is_over = {
            let by = hr();
            let call = tenant.cancel_workflow(id, "they stay", &by);
            let mut call = std::pin::pin!(call);
            (0..polls).any(|_| call.as_mut().now_or_never().is_some())
        };
        let was_called_off = world.workflow(&started).await.status == WorkflowStatus::Cancelled;
        let was_planned = !tenant.plans_waiting().await.unwrap().is_empty();
        world.pass(Duration::from_mins(2)).await;
        world.pass(Duration::from_mins(2)).await;
        let waiting = tenant.plans_waiting().await.unwrap();
        if was_called_off {
            assert_eq!(waiting.len(), 1, "after {polls} polls");
            let workflow = world.workflow(&started).await;
            assert_eq!(workflow.plan.as_ref(), Some(&waiting[0].id));
            assert_eq!(workflow.called_off, None);
            let approved = tenant.approve(waiting[0].clone(), &alice()).await.unwrap();
            tenant.apply(approved).await.unwrap();
            assert!(world.journal().contains(&"reactivate U001".to_owned()));
            planned_later += u32::from(!was_planned);
        } else {
            assert_eq!(waiting, [], "after {polls} polls");
        }
        if is_over {
            break;
        }
    }
    assert!(
        planned_later > 0,
        "it never broke off before the plan was made"
    );
}

#[tokio::test]
async fn a_day_on_which_many_leave_is_one_plan_that_asks_no_vendor_and_counts_for_nobody_else() {
    let world = World::new().await;
    let tenant = &world.fixture.tenant;
    let mut many = vec![world.employee.clone()];
    for number in 2..10 {
        let input = EmployeeInput {
            last_name: Some("Lee".to_owned()),
            work_email: Some(address(number)),
            ..EmployeeInput::default()
        };
        many.push(tenant.hire(&input, false, &alice()).await.unwrap().id);
    }
    world.fixture.vendor.with(|state| state.silent = true);
    let new = world.leaving(0);
    let started = tenant.offboard_many(&many, &new, &hr()).await.unwrap();
    let of: Vec<_> = started.workflows.iter().map(|it| &it.employee).collect();
    assert_eq!(of, many.iter().collect::<Vec<_>>());
    let plan = started.plan.unwrap();
    assert_eq!(plan.actions.len(), 9);
    let approved = tenant.approve(plan, &alice()).await.unwrap();
    world.fixture.vendor.with(|state| state.silent = false);
    world.pass(DAY).await;
    tenant.apply(approved).await.unwrap();
    let suspended = world
        .journal()
        .iter()
        .filter(|it| it.starts_with("suspend"))
        .count();
    assert_eq!(suspended, 9);
    let limits = tenant.blast_radius().await.unwrap();
    assert!(format!("{limits:?}").contains("changed: {}"), "{limits:?}");
}

#[tokio::test]
async fn where_one_of_many_cannot_leave_nobody_begins_to() {
    let world = World::new().await;
    let tenant = &world.fixture.tenant;
    let input = EmployeeInput {
        last_name: Some("Lee".to_owned()),
        work_email: Some(address(2)),
        ..EmployeeInput::default()
    };
    let other = tenant.hire(&input, false, &alice()).await.unwrap().id;
    let stranger = EmployeeId::new("0".repeat(32)).unwrap();
    let new = world.leaving(0);
    let late = NewOffboarding {
        last_day: "2020-01-01".parse().unwrap(),
        ..new.clone()
    };
    let telling = NewOffboarding {
        reason: "ann@acme.example told me".to_owned(),
        ..new.clone()
    };
    for (many, new, kind) in [
        (vec![], &new, ErrorKind::InvalidInput),
        (
            vec![other.clone(), other.clone()],
            &new,
            ErrorKind::InvalidInput,
        ),
        (vec![other.clone(), stranger], &new, ErrorKind::NotFound),
        (vec![other.clone()], &late, ErrorKind::InvalidInput),
        (vec![other.clone()], &telling, ErrorKind::InvalidInput),
    ] {
        let error = tenant.offboard_many(&many, new, &hr()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    let running = tenant.offboard(&world.employee, &new, &hr()).await.unwrap();
    let many = [other, world.employee.clone()];
    let error = tenant.offboard_many(&many, &new, &hr()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let all = tenant.workflows(None).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].id, running.workflow.id);
}

#[tokio::test]
async fn tasks_have_owners_and_days_and_the_last_one_completes_an_onboarding() {
    let world = World::new().await;
    let tenant = &world.fixture.tenant;
    let new = NewOnboarding {
        first_day: Some(world.today()),
        tasks: None,
    };
    let mut workflow = tenant.onboard(&world.employee, &new, &hr()).await.unwrap();
    assert!(workflow.tasks.len() > 3);
    assert!(workflow.tasks[0].due < workflow.day);
    assert_eq!(workflow.tasks[0].assignee, "it");
    for number in 1..=u32::try_from(workflow.tasks.len()).unwrap() {
        assert_eq!(workflow.status, WorkflowStatus::Open);
        let change = TaskChange {
            status: TaskStatus::Done,
            note: None,
        };
        workflow = tenant
            .set_task(&workflow.id, number, &change, &alice())
            .await
            .unwrap();
    }
    assert_eq!(workflow.status, WorkflowStatus::Completed);
    let change = TaskChange {
        status: TaskStatus::Open,
        note: None,
    };
    let late = tenant.set_task(&workflow.id, 1, &change, &alice()).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
}
