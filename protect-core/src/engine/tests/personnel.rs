//! Reviews, trainings and documents to be signed, as other systems keep them.

use super::fixture::{Fixture, address, alice};
use crate::error::ErrorKind;
use crate::model::{Actor, Authority, Employee, PersonnelKind, Role};
use crate::people::EmployeeInput;

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

fn signed_in(number: u32, role: &str) -> Actor {
    let mut authority = Authority::staff(Role::Member, [] as [&str; 0]);
    authority
        .products
        .insert("people".to_owned(), role.to_owned());
    Actor::authenticated("hub", address(number).to_string(), Some(authority))
}

#[tokio::test]
async fn a_list_is_imported_as_a_whole_or_not_at_all_and_says_where_it_is_wrong() {
    let fixture = Fixture::new("").await;
    hired(&fixture, 1, None).await;
    let kind = PersonnelKind::Training;
    let good = "employee,title,status,by,assigned_on,due_on,completed_on,link\n\
                1,Fire drill,enrolled,Safety Ltd,2026-01-02,2026-02-01,,https://learn.example/fire\n";
    for (wrong, line, column) in [
        ("9,Ladders,,,,,,\n", "3", "1"),
        ("1,,,,,,,\n", "3", "2"),
        ("1,Ladders,,,2026-02-30,,,\n", "3", "5"),
        ("1,Ladders,,,2026-02-02,2026-02-01,,\n", "3", "6"),
        ("1,Ladders,,,,,,javascript:alert(1)\n", "3", "8"),
        ("1,Fire drill,,,2026-01-02,,,\n", "3", "2"),
    ] {
        let list = format!("{good}{wrong}");
        let error = fixture
            .tenant
            .import_personnel_records(kind, list.as_bytes(), &alice())
            .await
            .unwrap_err();
        let at: Vec<_> = error.context().iter().collect();
        let is_at = |name, wanted: &str| at.iter().any(|(key, it)| *key == name && it == wanted);
        assert!(
            is_at("line", line) && is_at("column", column),
            "{wrong}: {error}"
        );
        let kept = fixture.tenant.personnel_records(None, None).await;
        assert!(kept.unwrap().is_empty());
    }
    let count = fixture
        .tenant
        .import_personnel_records(kind, good.as_bytes(), &alice())
        .await;
    assert_eq!(count.unwrap(), 1);
}

#[tokio::test]
async fn a_later_list_replaces_what_it_names_and_what_is_to_be_done_comes_first() {
    let fixture = Fixture::new("").await;
    let ann = hired(&fixture, 1, None).await;
    let tenant = &fixture.tenant;
    let documents = "employee,title,due_on\n1,Contract,2026-03-01\n1,Handbook,2026-02-01\n";
    let kind = PersonnelKind::Document;
    tenant
        .import_personnel_records(kind, documents.as_bytes(), &alice())
        .await
        .unwrap();
    let signed = "employee,title,status,completed_on\n1,Handbook,signed,2026-01-15\n";
    tenant
        .import_personnel_records(kind, signed.as_bytes(), &alice())
        .await
        .unwrap();
    let shown = tenant
        .personnel_records(Some(&ann.id), Some(kind))
        .await
        .unwrap();
    let titles: Vec<_> = shown.iter().map(|it| (&*it.title, it.is_open())).collect();
    assert_eq!(titles, [("Contract", true), ("Handbook", false)]);
    let reviews = tenant
        .personnel_records(Some(&ann.id), Some(PersonnelKind::Review))
        .await;
    assert!(reviews.unwrap().is_empty());
}

#[tokio::test]
async fn people_see_their_own_and_managers_those_whom_they_lead() {
    let fixture = Fixture::new("").await;
    let boss = hired(&fixture, 1, None).await;
    let ann = hired(&fixture, 2, Some(1)).await;
    let bob = hired(&fixture, 3, None).await;
    let led_by_ann = hired(&fixture, 4, Some(2)).await;
    let tenant = &fixture.tenant;
    let reviews = "employee,title\n1,2025\n2,2025\n3,2025\n4,2025\n";
    tenant
        .import_personnel_records(PersonnelKind::Review, reviews.as_bytes(), &alice())
        .await
        .unwrap();
    let employee = signed_in(2, "employee");
    let manager = signed_in(1, "manager");
    let staff = signed_in(9, "hr_staff");
    let viewer = signed_in(9, "viewer");
    for (actor, about, allowed) in [
        (&employee, &ann, true),
        (&employee, &bob, false),
        (&manager, &ann, true),
        (&manager, &boss, true),
        (&manager, &led_by_ann, true),
        (&employee, &led_by_ann, false),
        (&manager, &bob, false),
        (&staff, &bob, true),
        (&viewer, &bob, false),
    ] {
        let seen = tenant.workforce_as(actor).await.unwrap();
        match seen.personnel_records(Some(&about.id), None).await {
            Ok(shown) => assert!(allowed && shown.len() == 1),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::PermissionDenied);
                assert!(!allowed, "{actor:?}");
            }
        }
    }
    for (actor, expected) in [
        (&employee, vec![&ann.id]),
        (&manager, vec![&boss.id, &ann.id, &led_by_ann.id]),
        (&staff, vec![&boss.id, &ann.id, &bob.id, &led_by_ann.id]),
    ] {
        let seen = tenant.workforce_as(actor).await.unwrap();
        let all = seen.personnel_records(None, None).await.unwrap();
        let mut of: Vec<_> = all.iter().map(|it| &it.employee).collect();
        of.sort();
        let mut expected = expected;
        expected.sort();
        assert_eq!(of, expected);
    }
    let seen = tenant.workforce_as(&viewer).await.unwrap();
    let error = seen.personnel_records(None, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    for actor in [&employee, &manager, &viewer] {
        let importing =
            tenant.import_personnel_records(PersonnelKind::Review, reviews.as_bytes(), actor);
        assert_eq!(
            importing.await.unwrap_err().kind(),
            ErrorKind::PermissionDenied
        );
    }
    let all = tenant.personnel_records(None, None).await;
    assert_eq!(all.unwrap().len(), 4, "a host is restricted by nothing");
}
