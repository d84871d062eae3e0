//! Cases of directory roles.

use protect_core::model::NotEvaluatedReason as Reason;
use protect_core::posture::Profile;
use serde_json::{Value, json};

use crate::tenant::Expected::{self, Fail, NotEvaluated, Pass};
use crate::tenant::{
    ADMINS, ASSIGNMENTS, Case, ELIGIBLE, GLOBAL, INSTANCES, MEMBER, NO_VERDICT, NOT_SEEN,
    ROLE_POLICIES, good, hold, id, items, of, result,
};

const USERS: &str = "/users";

fn assign(tenant: &mut Value, number: u64, role: &str) {
    items(tenant, ASSIGNMENTS).push(json!({
        "principalId": id(number), "roleDefinitionId": role, "directoryScopeId": "/",
        "principal": { "@odata.type": "#microsoft.graph.user" }
    }));
}

pub(crate) const CASES: &[Case] = &[
    (
        "m365.role.global_admin_count",
        "one alone",
        |t| {
            items(t, ASSIGNMENTS).remove(0);
        },
        Fail,
    ),
    (
        "m365.role.global_admin_count",
        "one and one who is eligible",
        |t| {
            items(t, ASSIGNMENTS).remove(1);
        },
        Pass,
    ),
    (
        "m365.role.global_admin_count",
        "nine",
        |t| (10..17).for_each(|number| assign(t, number, GLOBAL)),
        Fail,
    ),
    (
        "m365.role.global_admin_count",
        "a group that nobody collected",
        |t| {
            items(t, ASSIGNMENTS).push(json!({
            "principalId": id(21), "roleDefinitionId": GLOBAL, "principal": { "@odata.type": "#microsoft.graph.group" }
        }));
        },
        NOT_SEEN,
    ),
    (
        "m365.role.global_admin_count",
        "a group that was deleted meanwhile",
        |t| {
            items(t, ASSIGNMENTS).push(json!({
            "principalId": id(21), "roleDefinitionId": GLOBAL, "principal": { "@odata.type": "#microsoft.graph.group" }
        }));
            t["resources"][format!("/groups/{}/transitiveMembers", id(21))] =
                json!({ "error": { "code": "Request_ResourceNotFound" } });
        },
        Pass,
    ),
    (
        "m365.role.ga_ratio",
        "three to two",
        |t| assign(t, MEMBER, GLOBAL),
        Fail,
    ),
    (
        "m365.role.ga_ratio",
        "one alone",
        |t| {
            items(t, ASSIGNMENTS).remove(0);
        },
        Fail,
    ),
    (
        "m365.role.admins_cloud_only",
        "one is synchronised",
        |t| of(t, USERS, 4)["onPremisesImmutableId"] = json!("c291cmNl"),
        Fail,
    ),
    (
        "m365.role.admins_cloud_only",
        "another is synchronised",
        |t| of(t, USERS, MEMBER)["onPremisesSyncEnabled"] = true.into(),
        Pass,
    ),
    (
        "m365.role.admins_cloud_only",
        "one who is not among the users",
        |t| items(t, USERS).retain(|it| it["id"] != id(4)),
        NOT_SEEN,
    ),
    (
        "m365.role.no_permanent_active",
        "without end",
        |t| items(t, INSTANCES)[0]["endDateTime"] = Value::Null,
        Fail,
    ),
    (
        "m365.role.no_permanent_active",
        "an excused account",
        |t| {
            items(t, INSTANCES)[0]["endDateTime"] = Value::Null;
            t["config"]["checks"]["m365.role.no_permanent_active"] =
                json!({ "excluded_principals": [id(ADMINS[0])] });
        },
        Pass,
    ),
    (
        "m365.role.no_permanent_active",
        "an end left out",
        |t| {
            drop(
                items(t, INSTANCES)[0]
                    .as_object_mut()
                    .unwrap()
                    .remove("endDateTime"),
            );
        },
        NO_VERDICT,
    ),
    (
        "m365.role.pim_only",
        "without beginning",
        |t| items(t, INSTANCES)[0]["startDateTime"] = Value::Null,
        Fail,
    ),
    (
        "m365.role.pim_only",
        "no licence",
        |t| items(t, "/subscribedSkus").clear(),
        NotEvaluated(Reason::MissingLicence),
    ),
    (
        "m365.role.ga_activation_approval",
        "not required",
        |t| {
            items(t, ROLE_POLICIES)[0]["policy"]["rules"][0]["setting"]["isApprovalRequired"] =
                false.into();
        },
        Fail,
    ),
    (
        "m365.role.ga_activation_approval",
        "the role left out",
        |t| {
            items(t, ROLE_POLICIES).remove(0);
        },
        NOT_SEEN,
    ),
    (
        "m365.role.assignment_alerts",
        "of eligibility nobody is told",
        |t| items(t, ROLE_POLICIES)[3]["policy"]["rules"][2]["notificationRecipients"] = json!([]),
        Fail,
    ),
    (
        "m365.role.activation_alerts",
        "nobody is told",
        |t| items(t, ROLE_POLICIES)[0]["policy"]["rules"][3]["notificationRecipients"] = json!([]),
        Fail,
    ),
    (
        "m365.role.activation_alerts",
        "a role left out",
        |t| {
            items(t, ROLE_POLICIES).remove(5);
        },
        NOT_SEEN,
    ),
];

#[test]
fn every_case_of_roles_holds() {
    hold(CASES);
}

#[test]
fn eligible_administrators_do_not_count_where_nobody_may_see_them() {
    let mut tenant = good();
    items(&mut tenant, ASSIGNMENTS).remove(1);
    tenant["resources"]
        .as_object_mut()
        .unwrap()
        .remove(ELIGIBLE);
    let counted = result(&tenant, &Profile::scuba(), "m365.role.global_admin_count");
    assert_eq!(Expected::of(&counted), Fail);
    assert_eq!(counted.details["eligible_counted"], json!(false));
}
