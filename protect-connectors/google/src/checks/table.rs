//! What the tables of all areas are written with.

use protect_core::model::Severity;
use protect_core::posture::{Affects, Check, Decision, Needs, Source};

use crate::workspace::{ADMIN_LOG, GROUPS, HISTORY, ORG_UNITS, POLICIES, USERS};

/// What most checks have in common.
pub(super) const BASE: Check = Check {
    id: "",
    title: "",
    severity: Severity::Medium,
    needs: Needs {
        all: &[],
        any: &[],
        also: &[],
        missing_in_clouds: &[],
    },
    licences: &[],
    references: &[],
    level: None,
    affects: Affects::Setting(""),
    default_compliant: None,
    hint: "",
    decide: |_| Ok(Decision::manual("nobody wrote this check")),
};

/// What the checks of accounts have in common.
pub(super) const OF_USERS: Check = Check {
    needs: Needs {
        all: &[USERS],
        ..BASE.needs
    },
    affects: Affects::Accounts,
    ..BASE
};

/// What the settings are for is told by their ids alone without these.
const NAMES: &[&[&str]] = &[&[ORG_UNITS, GROUPS]];

/// What the log no longer tells was perhaps seen before.
const NAMES_AND_PAST: &[&[&str]] = &[&[ORG_UNITS, GROUPS], &[HISTORY]];

/// What the checks of settings have in common: the policies are believed before the log.
pub(super) const OF_SETTINGS: Check = Check {
    needs: Needs {
        any: &[&[POLICIES, ADMIN_LOG]],
        also: NAMES_AND_PAST,
        ..BASE.needs
    },
    affects: Affects::Objects(ORG_UNITS),
    default_compliant: Some(false),
    ..BASE
};

/// The same of settings that only the policies tell of.
pub(super) const OF_POLICIES: Check = Check {
    needs: Needs {
        all: &[POLICIES],
        also: NAMES,
        ..BASE.needs
    },
    ..OF_SETTINGS
};

/// The same of settings that only the log tells of.
pub(super) const OF_LOG: Check = Check {
    needs: Needs {
        all: &[ADMIN_LOG],
        also: NAMES_AND_PAST,
        ..BASE.needs
    },
    ..OF_SETTINGS
};

/// CISA's baseline for Google Workspace, as `ScubaGoggles` has it.
pub(super) const fn scuba(id: &'static str) -> Source {
    from("CISA SCuBA Google Workspace", "1", id)
}

/// The CIS Google Workspace Foundations Benchmark.
pub(super) const fn cis(id: &'static str) -> Source {
    from("CIS Google Workspace", "1.3.0", id)
}

/// A check of the tool Prowler, as of August 2026.
pub(super) const fn prowler(id: &'static str) -> Source {
    from("Prowler", "2026-08", id)
}

const fn from(framework: &'static str, version: &'static str, id: &'static str) -> Source {
    Source {
        framework,
        version,
        id,
    }
}
