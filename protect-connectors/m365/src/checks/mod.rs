//! The checks of Microsoft 365: what is decided, from what, and where the rule comes from.

mod apps;
mod auth;
mod ca;
pub(crate) mod grants;
mod mfa;
mod privileged;
mod property;
pub(crate) mod roles;
mod table;
mod users;

use protect_core::posture::{Catalogue, Check};

use crate::graph::{FORMAT, RESOURCES, SKUS, licensed, vendor_error};

/// Everything that is decided about a Microsoft 365 tenant.
pub static CATALOGUE: Catalogue = Catalogue {
    format: &FORMAT,
    resources: RESOURCES,
    checks: &CHECKS,
    profiles: &["scuba", "cis", "prowler"],
    licensed,
    licence_paths: &[SKUS],
    vendor_error,
    logs: &crate::happened::LOGS,
};

/// The tables of the areas, in the order in which they are shown.
const AREAS: &[&[Check]] = &[
    ca::CHECKS,
    mfa::CHECKS,
    auth::CHECKS,
    apps::CHECKS,
    grants::CHECKS,
    privileged::CHECKS,
    users::CHECKS,
    property::CHECKS,
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
