//! The tenant, its users, groups and devices.

use super::{
    APPS, DIRECTORY, GRANT_LIST, GRANT_READS, ITEM, OBJECTS, POLICIES, WRITE, change, children,
    read,
};
use crate::graph::{
    Graph,
    operation::{
        Act::{Call, Item, Stored},
        Operation, Query,
    },
    users,
};

const USERS: &[&str] = &["User.Read.All", "User.ReadWrite.All", DIRECTORY, WRITE];
const GROUPS: &[&str] = &[
    "Group.Read.All",
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    DIRECTORY,
];
const METHODS: &[&str] = &[
    "UserAuthenticationMethod.Read.All",
    "UserAuthenticationMethod.ReadWrite.All",
];
const USER_LIST: Query = Query {
    filter: &[
        "id",
        "accountEnabled",
        "userType",
        "userPrincipalName",
        "mail",
        "displayName",
        "onPremisesSyncEnabled",
    ],
    defaults: Some(users::DEFAULTS),
    ..OBJECTS
};
const DELTA: Query = Query {
    delta: true,
    page: 200,
    defaults: Some(users::DEFAULTS),
    ..ITEM
};
const GROUP_LIST: Query = Query {
    filter: &["id", "displayName", "isAssignableToRole"],
    ..OBJECTS
};

pub(super) const OPERATIONS: &[Operation] = &[
    read(
        "/organization",
        &["Organization.Read.All", DIRECTORY],
        Stored("organization", ITEM),
    ),
    read(
        "/subscribedSkus",
        &[
            "LicenseAssignment.Read.All",
            "Organization.Read.All",
            DIRECTORY,
        ],
        Stored("subscribedSkus", ITEM),
    )
    .costs(3),
    read(
        "/domains",
        &["Domain.Read.All", DIRECTORY],
        Stored("domains", POLICIES),
    ),
    read(
        "/domains/{id}",
        &["Domain.Read.All", DIRECTORY],
        Item("domains", "id"),
    ),
    change(
        "PATCH",
        "/domains/{id}",
        &["Domain.ReadWrite.All"],
        Graph::patch_domain,
    ),
    read(
        "/groupSettings",
        &["GroupSettings.Read.All", DIRECTORY],
        Stored("groupSettings", ITEM),
    ),
    read(
        "/directory/onPremisesSynchronization",
        &["OnPremDirectorySynchronization.Read.All"],
        Stored("onPremisesSynchronization", ITEM),
    ),
    read(
        "/devices",
        &["Device.Read.All", DIRECTORY],
        Stored("devices", GROUP_LIST),
    ),
    read(
        "/devices/{id}/registeredOwners",
        &["Device.Read.All", DIRECTORY],
        children("deviceOwners", "_device", OBJECTS),
    ),
    read("/users", USERS, Call(Graph::list_users, USER_LIST)).costs(2),
    read("/users/$count", USERS, Call(Graph::count_users, USER_LIST)),
    read("/users/delta", USERS, Call(Graph::users_delta, DELTA)).costs(2),
    read("/users/{id}", USERS, Call(Graph::get_user, ITEM)),
    change("PATCH", "/users/{id}", &[], Graph::patch_user),
    change(
        "POST",
        "/users/{id}/revokeSignInSessions",
        &["User.RevokeSessions.All", "User.ReadWrite.All", WRITE],
        Graph::revoke_sessions,
    ),
    read(
        "/users/{id}/authentication/methods",
        METHODS,
        Call(Graph::methods_of_user, ITEM),
    ),
    change(
        "POST",
        "/users/{id}/authentication/temporaryAccessPassMethods",
        &[
            "UserAuthMethod-TAP.ReadWrite.All",
            "UserAuthenticationMethod.ReadWrite.All",
        ],
        Graph::create_pass,
    ),
    change(
        "DELETE",
        "/users/{id}/authentication/{collection}/{method}",
        &[],
        Graph::delete_method,
    ),
    read(
        "/users/{id}/oauth2PermissionGrants",
        GRANT_READS,
        children("oauth2PermissionGrants", "principalId", GRANT_LIST),
    ),
    read(
        "/users/{id}/appRoleAssignments",
        APPS,
        children("appRoleAssignments", "principalId", OBJECTS),
    ),
    read("/groups", GROUPS, Stored("groups", GROUP_LIST)),
    read("/groups/{id}", GROUPS, Item("groups", "id")),
    read(
        "/groups/{id}/members",
        GROUPS,
        Call(Graph::group_members, OBJECTS),
    )
    .costs(3),
    read(
        "/groups/{id}/transitiveMembers",
        GROUPS,
        Call(Graph::group_members, OBJECTS),
    )
    .costs(5),
    Operation {
        method: "POST",
        ..read(
            "/directoryObjects/getByIds",
            &[DIRECTORY, WRITE],
            Call(Graph::get_by_ids, ITEM),
        )
        .costs(3)
    },
];
