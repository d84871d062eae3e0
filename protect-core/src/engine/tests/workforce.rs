//! Who works here: entering, importing, and what is refused.

use serde_json::Value;

use super::fixture::{Fixture, RULE, account_id, address, alice};
use crate::error::ErrorKind;
use crate::model::{ActionKind, ActionTarget, Actor, Authority, Employee, EmploymentStatus, Role};
use crate::people::{EmployeeFilter, EmployeeInput, ImportOptions, Imported};

const LIST: &str = "\
number,first_name,last_name,work_email,manager,department,status
1,Ann,Lee,user1@acme.example,3,Sales,active
2,Bob,Day,user2@acme.example,user1@acme.example,Sales,On Leave
3,Cleo,Ray,user3@acme.example,,Board,active
";

async fn import(fixture: &Fixture, list: &str) -> crate::Result<Imported> {
    let options = ImportOptions::default();
    let tenant = &fixture.tenant;
    tenant
        .import_employees(list.as_bytes(), options, &alice())
        .await
}

async fn everybody(fixture: &Fixture) -> Vec<Employee> {
    let filter = EmployeeFilter::default();
    fixture.tenant.employees(&filter).await.unwrap()
}

fn named(number: u32) -> EmployeeInput {
    EmployeeInput {
        last_name: Some(format!("Person {number}")),
        work_email: Some(address(number)),
        ..EmployeeInput::default()
    }
}

#[tokio::test]
async fn a_list_is_imported_with_managers_that_stand_further_down_and_once() {
    let fixture = Fixture::new("").await;
    let first = import(&fixture, LIST).await.unwrap();
    assert_eq!((first.hired, first.updated), (3, 0));
    let ann = fixture.tenant.find_employee("1").await.unwrap();
    let cleo = fixture
        .tenant
        .find_employee("user3@acme.example")
        .await
        .unwrap();
    assert_eq!(ann.manager.as_ref(), Some(&cleo.id));
    let team = fixture.tenant.team_of(&ann.id).await.unwrap();
    assert_eq!(team[0].status, EmploymentStatus::OnLeave);
    let again = import(&fixture, LIST).await.unwrap();
    assert_eq!((again.hired, again.updated, again.unchanged), (0, 0, 3));
    let moved = LIST.replace("Sales", "Support");
    assert_eq!(import(&fixture, &moved).await.unwrap().updated, 2);
}

#[tokio::test]
async fn a_list_that_is_wrong_says_where_and_nothing_of_it_is_imported() {
    let fixture = Fixture::new("").await;
    for (from, to, kind, line, column) in [
        ("department", "shoe_size", ErrorKind::InvalidInput, 1, 6),
        ("work_email", "phone", ErrorKind::InvalidInput, 1, 1),
        ("user2@", "user2 at ", ErrorKind::InvalidInput, 3, 4),
        ("On Leave", "asleep", ErrorKind::InvalidInput, 3, 7),
        (
            "user2@acme.example,user1",
            "user1@acme.example,user1",
            ErrorKind::Conflict,
            3,
            4,
        ),
        (
            "user2@acme.example,user1@acme.example",
            "user2@acme.example,9",
            ErrorKind::NotFound,
            3,
            5,
        ),
        ("3,Cleo", "1,Cleo", ErrorKind::Conflict, 4, 4),
        (",Board", ",Board,more", ErrorKind::InvalidInput, 4, 8),
        ("Cleo,Ray", ",", ErrorKind::InvalidInput, 4, 3),
    ] {
        let error = import(&fixture, &LIST.replace(from, to)).await.unwrap_err();
        let place = |key: &str| {
            let mut context = error.context().iter();
            context
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value.parse().unwrap())
        };
        assert_eq!(error.kind(), kind, "{from}: {error}");
        assert_eq!(
            (place("line"), place("column")),
            (Some(line), Some(column)),
            "{from}: {error}"
        );
        assert!(!error.to_string().contains("acme"), "{error}");
        assert_eq!(everybody(&fixture).await.len(), 0, "{from}");
    }
    let latin = b"work_email,last_name\nuser1@acme.example,M\xfcller\n";
    let options = ImportOptions::default();
    let error = fixture
        .tenant
        .import_employees(latin, options, &alice())
        .await;
    assert_eq!(error.unwrap_err().context()[0], ("line", "2".to_owned()));
}

#[tokio::test]
async fn managers_in_a_circle_are_refused_in_a_list_and_one_by_one() {
    let fixture = Fixture::new("").await;
    let circle = LIST.replace("user3@acme.example,,", "user3@acme.example,2,");
    let error = import(&fixture, &circle).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("circle"), "{error}");
    import(&fixture, LIST).await.unwrap();
    let cleo = fixture.tenant.find_employee("3").await.unwrap();
    for manager in ["2", "3"] {
        let change = EmployeeInput {
            manager: Some(manager.to_owned()),
            ..EmployeeInput::default()
        };
        let error = fixture
            .tenant
            .update_employee(&cleo.id, &change, &alice())
            .await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Conflict);
    }
    assert_eq!(
        fixture.tenant.find_employee("3").await.unwrap().manager,
        None
    );
}

#[tokio::test]
async fn two_who_are_put_above_each_other_at_the_same_moment_make_no_circle() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    let mut ids = Vec::new();
    for number in 1..=3 {
        let hired = tenant.hire(&named(number), false, &alice()).await.unwrap();
        ids.push(hired.id);
    }
    let led_by = |number: u32| EmployeeInput {
        manager: Some(address(number).to_string()),
        ..EmployeeInput::default()
    };
    let (second, third, first) = (led_by(2), led_by(3), led_by(1));
    let hr = alice();
    let (one, two, three) = futures::join!(
        tenant.update_employee(&ids[0], &second, &hr),
        tenant.update_employee(&ids[1], &third, &hr),
        tenant.update_employee(&ids[2], &first, &hr),
    );
    let refused: Vec<_> = [one, two, three]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].message().contains("circle"), "{}", refused[0]);
}

#[tokio::test]
async fn two_people_never_have_one_address() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    let one = tenant.hire(&named(1), false, &alice()).await.unwrap();
    let two = tenant.hire(&named(2), false, &alice()).await.unwrap();
    let again = tenant.hire(&named(1), false, &alice()).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Conflict);
    let taking = |work_email, other_emails| EmployeeInput {
        work_email,
        other_emails,
        ..EmployeeInput::default()
    };
    for change in [
        taking(Some(address(1)), None),
        taking(None, Some(vec![address(1)])),
    ] {
        let error = tenant.update_employee(&two.id, &change, &alice()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Conflict);
    }
    // An address that was given up is free.
    let moved = taking(Some(address(7)), None);
    tenant
        .update_employee(&one.id, &moved, &alice())
        .await
        .unwrap();
    assert_eq!(tenant.employee_by_email(&address(1)).await.unwrap(), None);
    let other = tenant.hire(&named(1), false, &alice()).await.unwrap();
    assert_ne!(other.id, one.id);
}

#[tokio::test]
async fn nobody_leaves_by_hand_unless_it_is_forced_with_a_reason() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    import(&fixture, LIST).await.unwrap();
    let ann = tenant.find_employee("1").await.unwrap();
    let gone = EmploymentStatus::Terminated;
    let error = tenant
        .set_employee_status(&ann.id, &gone, None, &alice())
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Refused);
    let listed = LIST.replace("Sales,active", "Sales,terminated");
    assert_eq!(
        import(&fixture, &listed).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
    let empty = tenant
        .set_employee_status(&ann.id, &gone, Some(" "), &alice())
        .await;
    assert_eq!(empty.unwrap_err().kind(), ErrorKind::InvalidInput);
    let reason = Some("left before this was set up");
    let ann = tenant
        .set_employee_status(&ann.id, &gone, reason, &alice())
        .await
        .unwrap();
    assert_eq!(ann.status, gone);
    let ledger = fixture.ledger().await;
    assert!(
        ledger
            .iter()
            .any(|entry| entry.kind == "employee.left_by_force")
    );

    let error = import(&fixture, LIST).await.unwrap_err();
    assert!(error.message().contains("rehire"), "{error}");
    let options = ImportOptions {
        rehire: true,
        ..ImportOptions::default()
    };
    let back = tenant
        .import_employees(LIST.as_bytes(), options, &alice())
        .await
        .unwrap();
    assert_eq!(back.rehired, 1);
    let again = tenant.find_employee("1").await.unwrap();
    assert_eq!((again.id, again.earlier.len()), (ann.id, 1));
}

#[tokio::test]
async fn the_bus_hears_of_those_who_come_and_leave_by_the_same_transaction() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    let one = tenant.hire(&named(1), false, &alice()).await.unwrap();
    let reason = Some("a mistake of ours");
    let gone = EmploymentStatus::Resigned;
    tenant
        .set_employee_status(&one.id, &gone, reason, &alice())
        .await
        .unwrap();
    assert_eq!(
        fixture.vendor.journal(),
        Vec::<String>::new(),
        "stored, not sent"
    );
    tenant.apply_waiting().await.unwrap();
    assert_eq!(fixture.vendor.journal(), ["event about 0", "event about 0"]);
    let events: Vec<Value> = tenant
        .actions()
        .await
        .unwrap()
        .into_iter()
        .map(|step| step.action.parameters["event"].clone())
        .collect();
    assert_eq!(events.len(), 2);
    assert!(events.contains(&"employee.hired".into()));
    assert!(events.contains(&"employee.terminated".into()));
}

#[tokio::test]
async fn nothing_goes_out_in_a_dry_run() {
    let fixture = Fixture::with("dry_run", "", "").await;
    fixture
        .tenant
        .hire(&named(1), false, &alice())
        .await
        .unwrap();
    assert_eq!(fixture.tenant.actions().await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_was_exported_is_imported_again_and_no_cell_is_a_formula() {
    let fixture = Fixture::new("").await;
    let list = LIST.replace("Cleo,Ray", "Cleo,=Ray");
    import(&fixture, &list).await.unwrap();
    let filter = EmployeeFilter::default();
    let text = fixture
        .tenant
        .export_employees(&filter, true)
        .await
        .unwrap();
    assert!(text.contains("'=Ray"), "{text}");
    let again = import(&fixture, &text.replace("'=", "=")).await.unwrap();
    assert_eq!((again.hired, again.updated, again.unchanged), (0, 0, 3));
    let open = fixture
        .tenant
        .export_employees(&filter, false)
        .await
        .unwrap();
    assert!(!open.contains("home_address"));
}

#[tokio::test]
async fn a_directory_fills_the_workforce_and_lets_nobody_leave() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    let fake = "fake".parse().unwrap();
    tenant.hire(&named(1), false, &alice()).await.unwrap();
    fixture.vendor.with(|state| state.active.remove("U002"));
    tenant.refresh_accounts(&fake).await.unwrap();
    let synced = tenant.sync_employees(&fake, &alice()).await.unwrap();
    assert_eq!((synced.hired, synced.unchanged, synced.left_out), (8, 1, 1));
    let again = tenant.sync_employees(&fake, &alice()).await.unwrap();
    assert_eq!((again.hired, again.updated, again.unchanged), (0, 0, 9));
    fixture.vendor.with(|state| state.known.clear());
    tenant.refresh_accounts(&fake).await.unwrap();
    tenant.sync_employees(&fake, &alice()).await.unwrap();
    let here = everybody(&fixture).await;
    assert!(here.iter().all(|it| it.status == EmploymentStatus::Active));
}

#[tokio::test]
async fn the_chart_stands_from_the_top_down_without_those_who_left() {
    let fixture = Fixture::new("").await;
    let list = format!("{LIST}4,Dan,Old,user4@acme.example,3,Sales,terminated\n");
    import(&fixture, &list).await.unwrap();
    let chart = fixture.tenant.org_chart(None).await.unwrap();
    let places: Vec<_> = chart
        .people
        .iter()
        .map(|it| (it.name.as_str(), it.depth, it.reports))
        .collect();
    assert_eq!(
        places,
        [("Cleo Ray", 0, 1), ("Ann Lee", 1, 1), ("Bob Day", 2, 0)]
    );
    let ann = fixture.tenant.find_employee("1").await.unwrap();
    let below = fixture.tenant.org_chart(Some(&ann.id)).await.unwrap();
    assert_eq!(below.people.len(), 2);
}

#[tokio::test]
async fn the_ledger_knows_employees_by_id_alone() {
    let fixture = Fixture::new("").await;
    import(&fixture, LIST).await.unwrap();
    let actor = Actor::unverified("hr@acme.example");
    fixture.tenant.hire(&named(5), false, &actor).await.unwrap();
    let text = format!("{:?}", fixture.ledger().await);
    assert!(!text.contains("acme.example"), "{text}");
    assert!(!text.contains("Lee"), "{text}");
}

#[tokio::test]
async fn a_role_that_does_not_allow_it_is_told_so_and_nothing_is_changed() {
    let fixture = Fixture::new("").await;
    let tenant = &fixture.tenant;
    let actor = |role: &str| {
        let mut authority = Authority::staff(Role::Member, [] as [&str; 0]);
        authority
            .products
            .insert("people".to_owned(), role.to_owned());
        Actor::authenticated("hub", "u-1", Some(authority))
    };
    for role in ["manager", "viewer", "employee", "a role of tomorrow"] {
        let actor = actor(role);
        let hired = tenant.hire(&named(1), false, &actor).await;
        assert_eq!(
            hired.unwrap_err().kind(),
            ErrorKind::PermissionDenied,
            "{role}"
        );
        let options = ImportOptions::default();
        let list = tenant
            .import_employees(LIST.as_bytes(), options, &actor)
            .await;
        assert_eq!(
            list.unwrap_err().kind(),
            ErrorKind::PermissionDenied,
            "{role}"
        );
    }
    assert_eq!(everybody(&fixture).await.len(), 0);
    tenant
        .hire(&named(1), false, &actor("HR Staff"))
        .await
        .unwrap();
    let admin = Authority::staff(Role::Admin, [] as [&str; 0]);
    let admin = Actor::authenticated("hub", "u-2", Some(admin));
    tenant.hire(&named(2), false, &admin).await.unwrap();
}

#[tokio::test]
async fn a_rule_about_a_department_acts_on_those_who_work_there_alone() {
    let rule = RULE.replace(
        "severity = \">=high\"",
        "severity = \">=high\", employee = { department = [\"sales\"] }",
    );
    let fixture = Fixture::new(&rule).await;
    import(&fixture, LIST).await.unwrap();
    // Bob sells, Cleo does not, and nobody employs the fourth.
    for number in 2..=4 {
        fixture.incident(number, 1).await;
    }
    let plan = fixture.tenant.plan().await.unwrap();
    let suspended: Vec<&str> = plan
        .actions
        .iter()
        .filter(|planned| planned.action.kind == ActionKind::SuspendAccount)
        .filter_map(|planned| match &planned.action.target {
            ActionTarget::Account(account) => Some(account.id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(suspended, [account_id(2)]);
    let trials = fixture.tenant.try_rule("leaked").await.unwrap();
    assert_eq!(trials.iter().filter(|trial| trial.applies).count(), 1);
}

#[tokio::test]
async fn a_notice_to_the_manager_reaches_whoever_leads_the_person() {
    let rule = "[[tenants.acme.rules]]\nname = \"tell\"\nwhen = { severity = \">=high\" }\n\
        then = [{ action = \"notify\", to = [\"manager\", \"soc@acme.example\"] }]\n";
    let fixture = Fixture::new(rule).await;
    import(&fixture, LIST).await.unwrap();
    // Cleo leads Ann, and nobody Cleo.
    for (person, told) in [
        (1, "notice to soc@acme.example, user3@acme.example"),
        (3, "notice to soc@acme.example"),
    ] {
        fixture.incident(person, 1).await;
        fixture.walk().await;
        let journal = fixture.vendor.journal();
        assert_eq!(journal.last().map(String::as_str), Some(told));
    }
}

#[tokio::test]
async fn where_no_manager_is_known_the_receiver_s_own_recipients_are_told() {
    let rule = "[[tenants.acme.rules]]\nname = \"tell\"\nwhen = { severity = \">=high\" }\n\
        then = [{ action = \"notify\", to = [\"manager\"] }]\n";
    let fixture = Fixture::new(rule).await;
    fixture.incident(1, 1).await;
    fixture.walk().await;
    assert_eq!(fixture.vendor.journal(), ["notice"]);
}
