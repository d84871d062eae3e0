//! Applications, service principals and grants.

use super::{APPS, GRANT_LIST, GRANT_READS, OBJECTS, WRITE, change, children, read};
use crate::graph::{
    Graph,
    operation::{
        Act::{Item, Stored},
        Operation, Query,
    },
};

const APP_WRITES: &[&str] = &["Application.ReadWrite.All"];
const GRANT_WRITES: &[&str] = &["DelegatedPermissionGrant.ReadWrite.All", WRITE];
const ASSIGNMENT_WRITES: &[&str] = &["AppRoleAssignment.ReadWrite.All"];
const APP_LIST: Query = Query {
    filter: &[
        "id",
        "appId",
        "displayName",
        "servicePrincipalType",
        "accountEnabled",
    ],
    ..OBJECTS
};

pub(super) const OPERATIONS: &[Operation] = &[
    read("/applications", APPS, Stored("applications", APP_LIST)).costs(2),
    read("/applications/{id}", APPS, Item("applications", "id")),
    read(
        "/applications/{id}/owners",
        APPS,
        children("applicationOwners", "_application", OBJECTS),
    ),
    change(
        "POST",
        "/applications/{id}/removePassword",
        APP_WRITES,
        Graph::remove_password,
    ),
    read(
        "/servicePrincipals",
        APPS,
        Stored("servicePrincipals", APP_LIST),
    ),
    read(
        "/servicePrincipals(appId='{id}')",
        APPS,
        Item("servicePrincipals", "appId"),
    ),
    read(
        "/servicePrincipals/{id}",
        APPS,
        Item("servicePrincipals", "id"),
    ),
    change(
        "PATCH",
        "/servicePrincipals/{id}",
        APP_WRITES,
        Graph::patch_principal,
    ),
    read(
        "/servicePrincipals/{id}/owners",
        APPS,
        children("principalOwners", "_principal", OBJECTS),
    ),
    read(
        "/servicePrincipals/{id}/appRoleAssignments",
        APPS,
        children("appRoleAssignments", "principalId", OBJECTS),
    )
    .costs(2),
    change(
        "DELETE",
        "/servicePrincipals/{id}/appRoleAssignments/{assignment}",
        ASSIGNMENT_WRITES,
        Graph::delete_app_role,
    ),
    change(
        "DELETE",
        "/users/{id}/appRoleAssignments/{assignment}",
        ASSIGNMENT_WRITES,
        Graph::delete_app_role,
    ),
    read(
        "/servicePrincipals/{id}/delegatedPermissionClassifications",
        APPS,
        children("delegatedPermissionClassifications", "_principal", OBJECTS),
    ),
    read(
        "/oauth2PermissionGrants",
        GRANT_READS,
        Stored("oauth2PermissionGrants", GRANT_LIST),
    )
    .costs(2),
    change(
        "DELETE",
        "/oauth2PermissionGrants/{id}",
        GRANT_WRITES,
        Graph::delete_grant,
    ),
];
