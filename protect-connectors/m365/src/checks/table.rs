//! What the tables of all areas are written with.

use protect_core::model::Severity;
use protect_core::posture::{Affects, Check, Decision, Needs, Source};

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

/// Entra ID P2.
pub(super) const P2: &[&str] = &["AAD_PREMIUM_P2"];

/// CISA's baseline, as of August 2026.
pub(super) const fn scuba(id: &'static str) -> Source {
    from("CISA SCuBA M365", "2026-08", id)
}

/// The CIS Microsoft 365 Foundations Benchmark.
pub(super) const fn cis(id: &'static str) -> Source {
    from("CIS Microsoft 365", "7.0.0", id)
}

/// The same, of the version whose rule was dropped later.
pub(super) const fn cis4(id: &'static str) -> Source {
    from("CIS Microsoft 365", "4.0.0", id)
}

/// A check of the tool Prowler, as of August 2026.
pub(super) const fn prowler(id: &'static str) -> Source {
    from("Prowler", "2026-08", id)
}

/// A check of the Entra ID Security Config Analyzer, as Maester has it in August 2026.
pub(super) const fn eidsca(id: &'static str) -> Source {
    from("EIDSCA", "2026-08", id)
}

const fn from(framework: &'static str, version: &'static str, id: &'static str) -> Source {
    Source {
        framework,
        version,
        id,
    }
}
