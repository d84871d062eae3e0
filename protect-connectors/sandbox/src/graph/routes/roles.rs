//! Directory roles and Privileged Identity Management.

use super::{DIRECTORY, ITEM, OBJECTS, change, read};
use crate::graph::{
    Graph,
    operation::{
        Act::{Call, Item, Stored},
        Licence::Privileged,
        Operation, Query,
    },
};

const ROLES: &[&str] = &["RoleManagement.Read.Directory", DIRECTORY];
const ROLE_LIST: Query = Query {
    filter: &[
        "principalId",
        "roleDefinitionId",
        "directoryScopeId",
        "templateId",
        "id",
    ],
    expand: &["principal", "roleDefinition", "principal,roleDefinition"],
    ..OBJECTS
};
/// Privileged Identity Management pages by fifty.
const SCHEDULES: Query = Query {
    page: 50,
    eventual: false,
    ..ROLE_LIST
};
const ROLE_POLICIES: Query = Query {
    filter: &["scopeId", "scopeType", "roleDefinitionId"],
    expand: &[
        "policy",
        "policy($expand=rules)",
        "policy($expand=rules,effectiveRules)",
    ],
    page: 50,
    top: 999,
    ..ITEM
};

pub(super) const OPERATIONS: &[Operation] = &[
    read("/directoryRoles", ROLES, Stored("directoryRoles", ITEM)),
    read(
        "/directoryRoles/{id}/members",
        ROLES,
        Call(Graph::role_members, OBJECTS),
    ),
    read(
        "/roleManagement/directory/roleDefinitions",
        ROLES,
        Stored("roleDefinitions", ROLE_LIST),
    ),
    read(
        "/roleManagement/directory/roleAssignments",
        ROLES,
        Call(Graph::role_assignments, ROLE_LIST),
    ),
    read(
        "/roleManagement/directory/roleAssignments/{id}",
        ROLES,
        Item("roleAssignments", "id"),
    ),
    change(
        "POST",
        "/roleManagement/directory/roleAssignments",
        &["RoleManagement.ReadWrite.Directory"],
        Graph::assign_role,
    ),
    change(
        "DELETE",
        "/roleManagement/directory/roleAssignments/{id}",
        &["RoleManagement.ReadWrite.Directory"],
        Graph::remove_role,
    ),
    read(
        "/roleManagement/directory/roleAssignmentScheduleInstances",
        &[
            "RoleManagement.Read.Directory",
            "RoleAssignmentSchedule.Read.Directory",
        ],
        Stored("roleAssignmentScheduleInstances", SCHEDULES),
    )
    .licensed(Privileged),
    read(
        "/roleManagement/directory/roleEligibilityScheduleInstances",
        &[
            "RoleManagement.Read.Directory",
            "RoleEligibilitySchedule.Read.Directory",
        ],
        Stored("roleEligibilityScheduleInstances", SCHEDULES),
    )
    .licensed(Privileged),
    read(
        "/policies/roleManagementPolicyAssignments",
        &[
            "RoleManagement.Read.Directory",
            "RoleManagementPolicy.Read.Directory",
            "RoleManagementPolicy.Read.AzureADGroup",
        ],
        Call(Graph::role_policies, ROLE_POLICIES),
    )
    .licensed(Privileged),
];
