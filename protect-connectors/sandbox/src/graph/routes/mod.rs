//! The table of operations: every path of Graph v1.0 that the sandbox answers.

mod apps;
mod directory;
mod policies;
mod roles;
mod security;

use axum::http::Method;

use super::{
    operation::{Act, Caller, Licence, Operation, Query},
    throttle::Service,
};

const TABLES: [&[Operation]; 5] = [
    directory::OPERATIONS,
    roles::OPERATIONS,
    apps::OPERATIONS,
    policies::OPERATIONS,
    security::OPERATIONS,
];

/// The operation of this method and path, or `None` where Graph has no such.
pub(crate) fn find(method: &Method, path: &[String]) -> Option<&'static Operation> {
    TABLES
        .into_iter()
        .flatten()
        .find(|it| it.method == method.as_str() && it.fits(path).is_some())
}

const DIRECTORY: &str = "Directory.Read.All";
const APPS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    DIRECTORY,
];
const WRITE: &str = "Directory.ReadWrite.All";
const GRANT_READS: &[&str] = &[DIRECTORY, WRITE, "DelegatedPermissionGrant.ReadWrite.All"];
/// Nothing but `$select`.
pub(super) const ITEM: Query = Query {
    select: true,
    filter: &[],
    order: &[],
    expand: &[],
    top: 0,
    page: 0,
    skip: false,
    count: false,
    eventual: false,
    delta: false,
    defaults: None,
};
/// Directory objects.
const OBJECTS: Query = Query {
    top: 999,
    page: 100,
    count: true,
    eventual: true,
    ..ITEM
};
const GRANT_LIST: Query = Query {
    filter: &["clientId", "principalId", "consentType", "resourceId"],
    ..OBJECTS
};
const POLICIES: Query = Query {
    filter: &["id", "displayName", "state"],
    top: 999,
    page: 100,
    count: true,
    ..ITEM
};

const fn read(template: &'static str, permissions: &'static [&'static str], act: Act) -> Operation {
    Operation {
        method: "GET",
        template,
        permissions,
        service: Service::Directory,
        licence: None,
        cost: 1,
        act,
    }
}

const fn change(
    method: &'static str,
    template: &'static str,
    permissions: &'static [&'static str],
    act: Caller,
) -> Operation {
    Operation {
        method,
        ..read(template, permissions, Act::Call(act, ITEM))
    }
}

impl Operation {
    const fn costs(mut self, units: u32) -> Self {
        self.cost = units;
        self
    }

    const fn of(mut self, service: Service) -> Self {
        self.service = service;
        self
    }

    const fn licensed(mut self, licence: Licence) -> Self {
        self.licence = Some(licence);
        self
    }
}

const fn children(of: &'static str, by: &'static str, query: Query) -> Act {
    Act::Children { of, by, query }
}
