//! What people are told when somebody comes or leaves, and of what is due: each once.

use std::time::Duration;

use super::fixture::{Fault, Fixture, address, alice};
use crate::error::ErrorKind;
use crate::model::{Employee, Leaving, TaskStatus, TaskTemplate};
use crate::people::{EmployeeInput, NewOffboarding, NewOnboarding, PolicyInput, TaskChange};

const DAY: Duration = Duration::from_hours(24);

const PEOPLE: &str = "people = { notices = { connector = \"fake\", hr = [\"hr@acme.example\"], \
                      it = [\"it@acme.example\"] } }";

async fn fixture() -> Fixture {
    Fixture::with("enforce", PEOPLE, "").await
}

async fn hired(fixture: &Fixture, number: u32, manager: Option<u32>) -> Employee {
    let input = EmployeeInput {
        last_name: Some(format!("Person {number}")),
        work_email: Some(address(number)),
        number: Some(number.to_string()),
        manager: manager.map(|number| number.to_string()),
        ..EmployeeInput::default()
    };
    fixture.tenant.hire(&input, false, &alice()).await.unwrap()
}

/// The notices that went out since this was last asked, in the order of the alphabet.
async fn told(fixture: &Fixture) -> Vec<String> {
    fixture.tenant.apply_waiting().await.unwrap();
    let mut journal = fixture.vendor.journal();
    fixture.vendor.with(|state| state.journal.clear());
    journal.retain(|it| it.starts_with("notice to "));
    let mut told: Vec<_> = journal.iter().map(|it| it[10..].to_owned()).collect();
    told.sort();
    told
}

/// Lets a day pass, and the engine do what it does by itself.
async fn a_day_later(fixture: &Fixture) {
    fixture.clock.advance(DAY).await;
    fixture.tenant.remind_daily().await.unwrap();
    fixture.tenant.remind_daily().await.unwrap();
}

fn task(title: &str, assignee: &str, due: i32) -> TaskTemplate {
    TaskTemplate {
        title: title.to_owned(),
        category: "equipment".to_owned(),
        assignee: assignee.to_owned(),
        due,
    }
}

#[tokio::test]
async fn who_comes_is_welcomed_and_everybody_with_a_task_knows_of_it() {
    let fixture = fixture().await;
    hired(&fixture, 1, None).await;
    let ann = hired(&fixture, 2, Some(1)).await;
    told(&fixture).await;
    let new = NewOnboarding {
        first_day: Some("2026-01-20".parse().unwrap()),
        tasks: None,
    };
    fixture
        .tenant
        .onboard(&ann.id, &new, &alice())
        .await
        .unwrap();
    let mut expected = vec![
        "hr@acme.example".to_owned(),
        "it@acme.example".to_owned(),
        address(1).to_string(),
        address(2).to_string(),
    ];
    expected.sort();
    assert_eq!(told(&fixture).await, expected);
    assert!(told(&fixture).await.is_empty());
    let said = fixture.ledger().await;
    let said = format!("{said:?}");
    assert!(!said.contains("Person 2"), "the ledger has no names");
}

#[tokio::test]
async fn who_leaves_is_not_written_to_and_what_has_nobody_goes_to_human_resources() {
    let fixture = fixture().await;
    let ann = hired(&fixture, 2, None).await;
    told(&fixture).await;
    let new = NewOffboarding {
        last_day: "2026-01-31".parse().unwrap(),
        leaving: Leaving::Resigned,
        reason: "moves on".to_owned(),
        at_once: false,
        allow_past: false,
        tasks: Some(vec![task("Hand over the garden", "gardener", 0)]),
    };
    fixture
        .tenant
        .offboard(&ann.id, &new, &alice())
        .await
        .unwrap();
    let told = told(&fixture).await;
    assert_eq!(
        told,
        ["hr@acme.example"],
        "for the manager and the gardener, too"
    );
}

#[tokio::test]
async fn a_task_is_reminded_of_before_and_after_it_is_due_and_no_more() {
    let fixture = fixture().await;
    let ann = hired(&fixture, 2, None).await;
    let new = NewOnboarding {
        first_day: Some("2026-01-05".parse().unwrap()),
        tasks: Some(vec![task("A laptop", "it", 0), task("A badge", "it", 0)]),
    };
    let workflow = fixture
        .tenant
        .onboard(&ann.id, &new, &alice())
        .await
        .unwrap();
    told(&fixture).await;
    let done = TaskChange {
        status: TaskStatus::Done,
        note: None,
    };
    fixture
        .tenant
        .set_task(&workflow.id, 2, &done, &alice())
        .await
        .unwrap();
    let mut days = Vec::new();
    for _ in 0..9 {
        a_day_later(&fixture).await;
        days.push(told(&fixture).await.len());
    }
    assert_eq!(days.iter().sum::<usize>(), 2, "due and overdue: {days:?}");
}

#[tokio::test]
async fn a_reminder_whose_answer_was_lost_is_not_sent_again() {
    let fixture = fixture().await;
    let ann = hired(&fixture, 2, None).await;
    let new = NewOnboarding {
        first_day: Some("2026-01-02".parse().unwrap()),
        tasks: Some(vec![task("A laptop", "it", 0)]),
    };
    fixture
        .tenant
        .onboard(&ann.id, &new, &alice())
        .await
        .unwrap();
    told(&fixture).await;
    fixture.vendor.with(|state| state.fault = Fault::AnswerLost);
    a_day_later(&fixture).await;
    let first = told(&fixture).await;
    fixture.vendor.with(|state| state.fault = Fault::None);
    assert_eq!(first, ["it@acme.example"]);
    // As after a crash that forgot that the day was done.
    assert_eq!(fixture.tenant.send_reminders().await.unwrap(), 0);
    assert!(told(&fixture).await.is_empty());
}

#[tokio::test]
async fn policies_are_reminded_of_while_it_is_known_who_acknowledged_them() {
    let fixture = fixture().await;
    hired(&fixture, 1, None).await;
    hired(&fixture, 2, None).await;
    told(&fixture).await;
    let policy = PolicyInput {
        id: "p-1".to_owned(),
        title: "Acceptable use".to_owned(),
        version: "2".to_owned(),
        effective_date: None,
        requires_acknowledgment: true,
        due_date: Some("2026-01-10".parse().unwrap()),
    };
    let tenant = &fixture.tenant;
    tenant
        .take_policies(std::slice::from_ref(&policy), &alice())
        .await
        .unwrap();
    let by_hand = tenant.remind_of_policy("p-1", None, &alice()).await;
    assert_eq!(by_hand.unwrap(), 2);
    let again = tenant.remind_of_policy("p-1", None, &alice()).await;
    assert_eq!(again.unwrap(), 0, "at most once a day");
    assert_eq!(told(&fixture).await.len(), 2);
    for _ in 0..4 {
        a_day_later(&fixture).await;
    }
    assert!(told(&fixture).await.is_empty(), "it is old by now");
    let error = tenant.remind_of_policy("p-1", None, &alice()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Conflict);
    tenant.take_policies(&[policy], &alice()).await.unwrap();
    assert_eq!(tenant.send_reminders().await.unwrap(), 2);
    assert_eq!(told(&fixture).await.len(), 2);
}

#[tokio::test]
async fn nobody_is_told_anything_where_nobody_switched_it_on() {
    let fixture = Fixture::new("").await;
    let ann = hired(&fixture, 2, None).await;
    let new = NewOnboarding {
        first_day: Some("2026-01-02".parse().unwrap()),
        tasks: None,
    };
    fixture
        .tenant
        .onboard(&ann.id, &new, &alice())
        .await
        .unwrap();
    a_day_later(&fixture).await;
    assert!(told(&fixture).await.is_empty());
    let error = fixture
        .tenant
        .remind_of_policy("p-1", None, &alice())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
