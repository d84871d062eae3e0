//! Cases of org units and groups.

use protect_core::model::{Confidence, NotEvaluatedReason as Reason};
use protect_core::posture::Profile;
use serde_json::{Value, json};

use crate::customer::Expected::{self, Fail, NotEvaluated, Pass};
use crate::customer::{
    BERLIN, GROUP, SALES, add_activity, add_policy, good, result, verdict, without,
};
use crate::records::{ROOT, activity, policy};

const NOT_SEEN: Expected = NotEvaluated(Reason::NoObservation);
const NO_VERDICT: Expected = NotEvaluated(Reason::VendorError);
const FORWARD: &str = "google.gmail.auto_forward_off";

fn forwarding(on: bool, unit: Option<&str>) -> Value {
    policy(
        "gmail.auto_forwarding",
        &json!({ "enableAutoForwarding": on }),
        unit,
    )
}

fn for_group(group: &str, on: bool) -> Value {
    let mut policy = forwarding(on, Some(ROOT));
    policy["policyQuery"]["group"] = format!("groups/{group}").into();
    policy
}

/// A change of forwarding in the log, for an org unit by its name.
fn logged(number: u32, value: &str, unit: Option<&str>) -> Value {
    activity(
        number,
        &(
            "CHANGE_EMAIL_SETTING",
            "",
            "ENABLE_EMAIL_AUTOFORWARDING",
            value,
        ),
        unit,
    )
}

fn affected(customer: &Value) -> Vec<String> {
    let found = result(customer, &Profile::scuba(), FORWARD);
    assert_eq!(Expected::of(&found), Fail, "{}", found.reason);
    found.affected
}

#[test]
fn an_org_unit_or_group_that_differs_is_named_by_its_id_and_shown_by_its_name() {
    let mut customer = good();
    add_policy(&mut customer, forwarding(true, Some(SALES)));
    add_policy(&mut customer, for_group(GROUP, true));
    let found = result(&customer, &Profile::scuba(), FORWARD);
    assert_eq!(
        found.affected,
        [format!("groups/{GROUP}"), SALES.to_owned()]
    );
    let observed = found.details["observed"].as_object().unwrap();
    let names: Vec<_> = observed.keys().collect();
    assert_eq!(names, ["/Sales", "vip@acme.example"]);
    assert!(found.reason.contains("/Sales"), "{}", found.reason);
}

#[test]
fn the_log_and_the_policies_name_the_same_org_unit_alike() {
    let mut customer = without("policies");
    add_activity(&mut customer, logged(1_000, "true", Some("Sales")));
    assert_eq!(affected(&customer), [SALES]);
    let mut group = logged(1_000, "true", None);
    let parameters = group["events"][0]["parameters"].as_array_mut().unwrap();
    parameters.push(json!({ "name": "GROUP_EMAIL", "value": "VIP@acme.example" }));
    add_activity(&mut customer, group);
    assert_eq!(
        affected(&customer),
        [format!("groups/{GROUP}"), SALES.to_owned()]
    );
}

#[test]
fn what_the_tenant_leaves_out_does_not_count_but_everybody_cannot_be_left_out() {
    let mut customer = good();
    add_policy(&mut customer, forwarding(true, Some(BERLIN)));
    add_policy(&mut customer, for_group(GROUP, true));
    for (units, groups, expected) in [
        (json!(["/sales/berlin"]), json!(["vip@acme.example"]), Pass),
        (json!(["id:berlin2"]), json!([GROUP]), Pass),
        (json!(["id:berlin2"]), json!(["others@acme.example"]), Fail),
        (json!(["id:berlin2"]), json!(["groups/group9"]), Pass),
        (json!([]), json!([]), Fail),
    ] {
        customer["config"]["checks"][FORWARD] =
            json!({ "excluded_principals": units, "excluded_groups": groups });
        assert_eq!(verdict(&customer, FORWARD), expected, "{units} {groups}");
    }
    let mut customer = good();
    add_policy(&mut customer, raised(forwarding(true, Some(ROOT))));
    customer["config"]["checks"][FORWARD] = json!({ "excluded_principals": ["root", "/"] });
    assert_eq!(verdict(&customer, FORWARD), Fail);
}

fn raised(mut policy: Value) -> Value {
    policy["policyQuery"]["sortOrder"] = 7.5.into();
    policy
}

#[test]
fn the_highest_of_several_policies_holds_and_equals_that_differ_decide_nothing() {
    let mut customer = good();
    add_policy(&mut customer, forwarding(true, Some(ROOT)));
    assert_eq!(verdict(&customer, FORWARD), NO_VERDICT);
    add_policy(&mut customer, raised(forwarding(true, Some(ROOT))));
    assert_eq!(verdict(&customer, FORWARD), Fail);
    let mut systems = raised(forwarding(false, Some(ROOT)));
    systems["type"] = json!("SYSTEM");
    add_policy(&mut customer, systems);
    // At the same height the customer's own goes before Google's.
    assert_eq!(verdict(&customer, FORWARD), Fail);
}

#[test]
fn a_field_that_the_highest_policy_leaves_out_is_taken_from_the_next() {
    let mut customer = good();
    let strength = json!({ "allowedStrength": "STRONG" });
    add_policy(
        &mut customer,
        raised(policy("security.password", &strength, Some(ROOT))),
    );
    assert_eq!(verdict(&customer, "google.auth.password_length"), Pass);
}

#[test]
fn a_policy_without_an_org_unit_is_for_everybody() {
    let mut customer = good();
    add_policy(&mut customer, raised(forwarding(true, None)));
    assert_eq!(affected(&customer), ["root"]);
}

#[test]
fn the_policy_of_an_org_unit_that_was_deleted_does_not_count_where_that_is_known() {
    let mut customer = good();
    add_policy(&mut customer, forwarding(true, Some("deleted7")));
    assert_eq!(verdict(&customer, FORWARD), Pass);
    let customer = protect_core::testing::posture::without_path(
        &customer,
        &protect_google::FORMAT,
        "orgunits",
    );
    let found = result(&customer, &Profile::scuba(), FORWARD);
    assert_eq!(Expected::of(&found), Fail);
    assert_eq!(found.confidence, Confidence::Medium);
    assert_eq!(found.affected, ["deleted7"]);
}

#[test]
fn without_the_org_units_everybodys_is_the_one_that_googles_own_policies_are_for() {
    let mut customer = without("orgunits");
    customer["activities"]["admin"]["items"] = json!([]);
    let found = result(&customer, &Profile::scuba(), FORWARD);
    assert_eq!(Expected::of(&found), Pass);
    assert_eq!(found.confidence, Confidence::Medium);
    // Without one of those, nothing tells which is above the others.
    let policies = customer["policies"]["policies"].as_array_mut().unwrap();
    policies.retain(|policy| policy["type"] != "SYSTEM");
    assert_eq!(verdict(&customer, FORWARD), NOT_SEEN);
    add_policy(&mut customer, forwarding(true, Some(SALES)));
    assert_eq!(affected(&customer), [SALES]);
}

#[test]
fn the_list_may_leave_out_the_org_unit_above_all_others() {
    let mut customer = good();
    customer["orgunits"]["organizationUnits"]
        .as_array_mut()
        .unwrap()
        .remove(0);
    assert_eq!(verdict(&customer, FORWARD), Pass);
    add_policy(&mut customer, raised(forwarding(true, Some(ROOT))));
    assert_eq!(affected(&customer), ["root"]);
}

#[test]
fn an_org_unit_that_inherits_again_does_not_differ() {
    let mut customer = without("policies");
    add_activity(&mut customer, logged(1_000, "true", Some("Sales")));
    assert_eq!(verdict(&customer, FORWARD), Fail);
    add_activity(
        &mut customer,
        logged(1_100, "INHERIT_FROM_PARENT", Some("Sales")),
    );
    assert_eq!(verdict(&customer, FORWARD), Pass);
    add_activity(&mut customer, logged(1_200, "true", Some("Sales")));
    let delete = (
        "DELETE_APPLICATION_SETTING",
        "Gmail",
        "ENABLE_EMAIL_AUTOFORWARDING",
        "",
    );
    add_activity(&mut customer, activity(1_300, &delete, Some("Sales")));
    assert_eq!(verdict(&customer, FORWARD), Pass);
    // Nobody says any more what holds for everybody.
    add_activity(&mut customer, activity(1_300, &delete, Some("Acme")));
    assert_eq!(verdict(&customer, FORWARD), NOT_SEEN);
}

#[test]
fn an_org_unit_that_is_not_listed_was_renamed_or_deleted_and_decides_nothing() {
    let mut customer = without("policies");
    add_activity(&mut customer, logged(1_000, "false", Some("Old Sales")));
    assert_eq!(verdict(&customer, FORWARD), Pass);
    add_activity(&mut customer, logged(1_100, "true", Some("Old Sales")));
    assert_eq!(verdict(&customer, FORWARD), NO_VERDICT);
    add_activity(&mut customer, logged(1_100, "true", Some("Berlin")));
    assert_eq!(affected(&customer), [BERLIN]);
}

#[test]
fn a_name_that_two_org_units_share_decides_nothing() {
    let mut customer = without("policies");
    let units = customer["orgunits"]["organizationUnits"]
        .as_array_mut()
        .unwrap();
    units.push(json!({
        "orgUnitId": "id:other3", "name": "Berlin", "orgUnitPath": "/Berlin",
        "parentOrgUnitId": "id:root0", "parentOrgUnitPath": "/"
    }));
    assert_eq!(verdict(&customer, FORWARD), Pass);
    add_activity(&mut customer, logged(1_000, "true", Some("Berlin")));
    assert_eq!(verdict(&customer, FORWARD), NO_VERDICT);
}

#[test]
fn without_the_org_units_a_name_that_stands_alone_in_the_log_is_everybodys() {
    let both = protect_core::testing::posture::without_path(
        &without("policies"),
        &protect_google::FORMAT,
        "orgunits",
    );
    assert_eq!(verdict(&both, FORWARD), Pass);
    let mut customer = both.clone();
    add_activity(&mut customer, logged(1_000, "false", Some("Sales")));
    assert_eq!(verdict(&customer, FORWARD), NOT_SEEN);
    add_activity(&mut customer, logged(1_100, "true", Some("Sales")));
    assert_eq!(affected(&customer), ["sales"]);
}
