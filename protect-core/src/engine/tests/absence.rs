//! Time off, certifications and policies.

use super::fixture::{Fixture, address, alice};
use crate::engine::FindingFilter;
use crate::error::ErrorKind;
use crate::model::{
    Acknowledgement, AcknowledgementStatus, Actor, Authority, CertificationStatus, Employee,
    FindingStatus, LeaveType, Role, TimeOffStatus,
};
use crate::people::{EmployeeInput, NewTimeOff, PolicyInput, TimeOffFilter};

async fn employee(fixture: &Fixture, number: u32, manager: Option<u32>) -> Employee {
    let input = EmployeeInput {
        last_name: Some(format!("Person {number}")),
        work_email: Some(address(number)),
        number: Some(number.to_string()),
        manager: manager.map(|number| number.to_string()),
        ..EmployeeInput::default()
    };
    fixture.tenant.hire(&input, false, &alice()).await.unwrap()
}

fn away(from: &str, to: &str) -> NewTimeOff {
    NewTimeOff {
        leave_type: LeaveType::Sick,
        start_date: from.parse().unwrap(),
        end_date: to.parse().unwrap(),
        from_noon: false,
        until_noon: false,
        hours: None,
        note: None,
    }
}

fn signed_in(number: u32, role: &str) -> Actor {
    let mut authority = Authority::staff(Role::Member, [] as [&str; 0]);
    authority
        .products
        .insert("people".to_owned(), role.to_owned());
    Actor::authenticated("hub", address(number).to_string(), Some(authority))
}

#[tokio::test]
async fn time_off_that_overlaps_is_refused_and_half_days_share_a_day() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    let ann = employee(&fixture, 1, None).await;
    let mut first = away("2026-03-02", "2026-03-04");
    first.until_noon = true;
    tenant
        .request_time_off(&ann.id, &first, &alice())
        .await
        .unwrap();
    let over = away("2026-03-04", "2026-03-06");
    let error = tenant
        .request_time_off(&ann.id, &over, &alice())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let mut beside = over.clone();
    beside.from_noon = true;
    tenant
        .request_time_off(&ann.id, &beside, &alice())
        .await
        .unwrap();
    for (from, to, from_noon, until_noon) in [
        ("2026-04-02", "2026-04-01", false, false),
        ("2026-04-01", "2026-04-01", true, true),
        ("2026-04-01", "2032-04-01", false, false),
    ] {
        let wrong = NewTimeOff {
            from_noon,
            until_noon,
            ..away(from, to)
        };
        let error = tenant
            .request_time_off(&ann.id, &wrong, &alice())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{from} {to}");
    }
    let month = TimeOffFilter {
        from: Some("2026-03-05".parse().unwrap()),
        to: Some("2026-03-31".parse().unwrap()),
        ..TimeOffFilter::default()
    };
    assert_eq!(tenant.time_off(&month).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_manager_decides_about_their_team_and_nobody_about_themselves() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    employee(&fixture, 1, None).await;
    // Whoever leads Bob's own manager leads Bob, too.
    employee(&fixture, 4, Some(1)).await;
    let bob = employee(&fixture, 2, Some(4)).await;
    let cleo = employee(&fixture, 3, None).await;
    let own = signed_in(2, "employee");
    let asked = away("2026-03-02", "2026-03-04");
    let asked = tenant
        .request_time_off(&bob.id, &asked, &own)
        .await
        .unwrap();
    let other = tenant
        .request_time_off(&cleo.id, &away("2026-03-02", "2026-03-02"), &own)
        .await;
    assert_eq!(other.unwrap_err().kind(), ErrorKind::PermissionDenied);
    for actor in [own.clone(), signed_in(3, "manager"), signed_in(3, "viewer")] {
        let error = tenant
            .decide_time_off(&asked.id, true, None, &actor)
            .await
            .unwrap_err();
        let kinds = [ErrorKind::PermissionDenied, ErrorKind::Refused];
        assert!(kinds.contains(&error.kind()), "{error}");
    }
    let boss = signed_in(1, "manager");
    let approved = tenant
        .decide_time_off(&asked.id, true, Some("enjoy"), &boss)
        .await
        .unwrap();
    assert_eq!(approved.status, TimeOffStatus::Approved);
    let again = tenant.decide_time_off(&asked.id, false, None, &boss).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Conflict);
    let cancelled = tenant.cancel_time_off(&asked.id, &own).await.unwrap();
    assert_eq!(cancelled.status, TimeOffStatus::Cancelled);
    let text = format!("{:?}", fixture.ledger().await);
    assert!(
        !text.contains("sick"),
        "of which sort it is stands nowhere in the ledger"
    );
}

#[tokio::test]
async fn balances_are_imported_whole_or_not_at_all() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    let ann = employee(&fixture, 1, None).await;
    let list = "employee,leave_type,accrued,used,pending\n1,Vacation,80,16,8\n1,sick,24,,\n";
    assert_eq!(
        tenant
            .import_time_off_balances(list.as_bytes(), &alice())
            .await
            .unwrap(),
        2
    );
    let balances = tenant.time_off_balances(&ann.id).await.unwrap();
    let left: Vec<_> = balances
        .iter()
        .map(|it| it.available().to_string())
        .collect();
    assert_eq!(left, ["24", "56"]);
    for (from, to, line, column) in [
        ("1,sick", "9,sick", "3", "1"),
        ("1,sick", "1,vacation", "3", "2"),
        (",80,", ",many,", "2", "3"),
        ("pending", "colour", "1", "5"),
    ] {
        let wrong = list.replace(from, to);
        let error = tenant
            .import_time_off_balances(wrong.as_bytes(), &alice())
            .await;
        let error = error.unwrap_err();
        let place = [("line", line.to_owned()), ("column", column.to_owned())];
        assert_eq!(error.context(), place, "{from}: {error}");
    }
}

#[tokio::test]
async fn certifications_that_end_are_flagged_and_the_flag_goes_when_they_are_renewed() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    employee(&fixture, 1, None).await;
    employee(&fixture, 2, None).await;
    let list = "employee,name,issuer,expires_on\n\
                1,First aid,Red Cross,2025-12-31\n\
                1,Forklift,,2026-02-01\n\
                2,First aid,Red Cross,2027-12-31\n";
    assert_eq!(
        tenant
            .import_certifications(list.as_bytes(), &alice())
            .await
            .unwrap(),
        3
    );
    let found = tenant.certifications(None).await.unwrap();
    let stands: Vec<_> = found.iter().map(|it| it.status).collect();
    let wanted = [
        CertificationStatus::Expired,
        CertificationStatus::Expiring,
        CertificationStatus::Active,
    ];
    assert_eq!(stands, wanted);
    let flagged = || async {
        let page = tenant.findings(&FindingFilter::default()).await.unwrap();
        let open = page
            .findings
            .into_iter()
            .filter(|it| it.status == FindingStatus::New);
        open.map(|it| it.observation.discriminator)
            .collect::<Vec<_>>()
    };
    assert_eq!(flagged().await.len(), 2);
    let renewed = list.replace("2025-12-31", "2028-12-31");
    tenant
        .import_certifications(renewed.as_bytes(), &alice())
        .await
        .unwrap();
    assert_eq!(flagged().await, ["Forklift"]);
}

fn policy(version: &str) -> PolicyInput {
    PolicyInput {
        id: "p-1".to_owned(),
        title: "Acceptable use".to_owned(),
        version: version.to_owned(),
        effective_date: None,
        requires_acknowledgment: true,
        due_date: Some("2026-01-10".parse().unwrap()),
    }
}

fn acknowledged(
    id: &str,
    employee: &Employee,
    version: &str,
    fixture: &Fixture,
) -> Acknowledgement {
    Acknowledgement {
        id: id.to_owned(),
        employee: employee.id.clone(),
        policy_id: "p-1".to_owned(),
        version: version.to_owned(),
        acknowledged_at: fixture.tenant.now(),
        ip_address: None,
        user_agent: None,
    }
}

#[tokio::test]
async fn acknowledgements_come_twice_and_out_of_order_and_count_for_their_version() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    let ann = employee(&fixture, 1, None).await;
    let bob = employee(&fixture, 2, None).await;
    // Before the policy was ever seen here.
    let early = acknowledged("a-1", &ann, "2", &fixture);
    assert!(tenant.take_acknowledgement(&early).await.unwrap());
    assert!(
        !tenant.take_acknowledgement(&early).await.unwrap(),
        "twice is once"
    );
    let stolen = acknowledged("a-1", &bob, "2", &fixture);
    let error = tenant.take_acknowledgement(&stolen).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    tenant
        .take_policies(&[policy("2")], &alice())
        .await
        .unwrap();
    // Of an earlier version, after a later one.
    let old = acknowledged("a-0", &bob, "1", &fixture);
    assert!(tenant.take_acknowledgement(&old).await.unwrap());
    let standing = tenant.policies().await.unwrap().remove(0);
    assert_eq!((standing.required, standing.acknowledged), (2, 1));
    assert_eq!(standing.pending, std::slice::from_ref(&bob.id));
    assert!(!standing.compliant);
    let own = tenant.acknowledgements_of(&ann.id).await.unwrap();
    assert_eq!(own[0].1, AcknowledgementStatus::Acknowledged);
    let done = acknowledged("a-2", &bob, "2", &fixture);
    tenant.take_acknowledgement(&done).await.unwrap();
    assert!(tenant.policies().await.unwrap()[0].compliant);
}

#[tokio::test]
async fn what_is_late_is_overdue_and_what_is_old_is_never_compliant() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    let ann = employee(&fixture, 1, None).await;
    tenant
        .take_policies(&[policy("2")], &alice())
        .await
        .unwrap();
    fixture
        .clock
        .advance(std::time::Duration::from_hours(24 * 20))
        .await;
    let standing = tenant.policies().await.unwrap().remove(0);
    assert_eq!(standing.overdue, std::slice::from_ref(&ann.id));
    let done = acknowledged("a-1", &ann, "2", &fixture);
    tenant.take_acknowledgement(&done).await.unwrap();
    let standing = tenant.policies().await.unwrap().remove(0);
    assert_eq!(standing.acknowledged, 1);
    assert!(standing.stale && !standing.compliant, "{standing:?}");
    tenant
        .take_policies(&[policy("2")], &alice())
        .await
        .unwrap();
    assert!(tenant.policies().await.unwrap()[0].compliant);
}
