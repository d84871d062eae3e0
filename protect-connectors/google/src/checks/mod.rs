//! The checks of Google Workspace: what is decided, from what, and where the rule comes from.

mod admins;
mod apps;
mod auth;
mod domains;
mod drive;
mod gmail;
mod password;
mod property;
mod roles;
mod setting;
mod table;
mod users;

pub(crate) use domains::wanted_names;
use protect_core::posture::{Catalogue, Check};

use crate::workspace::{FORMAT, RESOURCES, licensed, vendor_error};

/// Everything that is decided about a customer of Google Workspace.
pub static CATALOGUE: Catalogue = Catalogue {
    format: &FORMAT,
    resources: RESOURCES,
    checks: &CHECKS,
    profiles: &["scuba", "cis"],
    licensed,
    licence_paths: &[],
    vendor_error,
    logs: &crate::happened::LOGS,
};

/// The tables of the areas, in the order in which they are shown.
const AREAS: &[&[Check]] = &[
    admins::CHECKS,
    users::CHECKS,
    domains::CHECKS,
    roles::CHECKS,
    auth::CHECKS,
    password::CHECKS,
    apps::CHECKS,
    drive::CHECKS,
    gmail::CHECKS,
];

static CHECKS: [Check; COUNT] = {
    let mut all = [table::BASE; COUNT];
    let (mut area, mut at) = (0, 0);
    while area < AREAS.len() {
        let mut check = 0;
        while check < AREAS[area].len() {
            all[at] = AREAS[area][check];
            at += 1;
            check += 1;
        }
        area += 1;
    }
    all
};

const COUNT: usize = {
    let (mut area, mut count) = (0, 0);
    while area < AREAS.len() {
        count += AREAS[area].len();
        area += 1;
    }
    count
};
