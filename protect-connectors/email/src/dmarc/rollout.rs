//! From no policy to `reject` in stages, each reached only when reports show that it harms nobody.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{DmarcRecord, Policy};

/// How long reports must have been read at a stage before the next.
const DAYS: u32 = 14;

/// How many of a thousand messages must be aligned before the next stage.
const ALIGNED_PER_MILLE: u64 = 980;

/// Fewer messages than this say nothing.
const MESSAGES: u64 = 100;

/// Where a domain stands on the way to `reject`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// There is no usable record.
    Absent,
    /// `p=none`: reports are read and nothing is asked.
    Monitoring,
    /// `p=quarantine; t=y`: receivers report what they would have done.
    QuarantineTest,
    /// `p=quarantine`.
    Quarantine,
    /// `p=reject`.
    Reject,
}

impl Stage {
    /// Where a record stands.
    pub fn of(record: Option<&DmarcRecord>) -> Self {
        let policy = record.and_then(|record| Some((record.policy()?, record.testing)));
        match policy {
            None => Self::Absent,
            Some((Policy::None, _)) => Self::Monitoring,
            Some((Policy::Quarantine, true)) => Self::QuarantineTest,
            // Receivers apply `p=reject; t=y` as `quarantine`.
            Some((Policy::Quarantine, false) | (Policy::Reject, true)) => Self::Quarantine,
            Some((Policy::Reject, false)) => Self::Reject,
        }
    }

    /// The stage after it; `None` at the end.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Absent => Some(Self::Monitoring),
            Self::Monitoring => Some(Self::QuarantineTest),
            Self::QuarantineTest => Some(Self::Quarantine),
            Self::Quarantine => Some(Self::Reject),
            Self::Reject => None,
        }
    }

    /// The policy, and whether it is under test, that a record at this stage has.
    pub const fn policy(self) -> Option<(Policy, bool)> {
        match self {
            Self::Absent => None,
            Self::Monitoring => Some((Policy::None, false)),
            Self::QuarantineTest => Some((Policy::Quarantine, true)),
            Self::Quarantine => Some((Policy::Quarantine, false)),
            Self::Reject => Some((Policy::Reject, false)),
        }
    }
}

/// What aggregate reports show about the mail of a domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportEvidence {
    /// The days that the reports cover since the record last changed.
    pub days: u32,
    /// Messages that are the domain's own: what passes, and what fails from its own sources.
    pub messages: u64,
    /// Those of them that passed DMARC.
    pub aligned: u64,
}

/// What comes next, and whether it may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rollout {
    /// Where the domain stands.
    pub stage: Stage,
    /// What comes next; `None` at the end.
    pub next: Option<Stage>,
    /// Whether the next stage may be entered now.
    pub ready: bool,
    /// What is missing, each in one sentence; empty where it may.
    pub waits_for: Vec<String>,
}

impl Rollout {
    /// The next step, which is never a jump.
    pub fn plan(stage: Stage, evidence: Option<&ReportEvidence>) -> Self {
        let next = stage.next();
        let waits_for = match stage {
            // Asking for reports harms nobody, and at the end there is nothing to wait for.
            Stage::Absent | Stage::Reject => Vec::new(),
            _ => missing(evidence),
        };
        Self {
            stage,
            next,
            ready: next.is_some() && waits_for.is_empty(),
            waits_for,
        }
    }
}

fn missing(evidence: Option<&ReportEvidence>) -> Vec<String> {
    let Some(evidence) = evidence else {
        return vec!["no aggregate report was read for this domain yet".to_owned()];
    };
    let mut missing = Vec::new();
    if evidence.days < DAYS {
        missing.push(format!(
            "reports cover {} of the {DAYS} days that a stage lasts at least",
            evidence.days
        ));
    }
    if evidence.messages < MESSAGES {
        missing.push(format!(
            "reports show {} messages; fewer than {MESSAGES} say nothing",
            evidence.messages
        ));
    }
    let aligned = u128::from(evidence.aligned) * 1_000;
    if aligned < u128::from(evidence.messages) * u128::from(ALIGNED_PER_MILLE) {
        missing.push(format!(
            "{} of {} messages are aligned; {} % must be",
            evidence.aligned,
            evidence.messages,
            ALIGNED_PER_MILLE / 10
        ));
    }
    missing
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: ReportEvidence = ReportEvidence {
        days: DAYS,
        messages: 1_000,
        aligned: 980,
    };

    #[test]
    fn a_domain_goes_one_stage_at_a_time_to_reject() {
        let mut stage = Stage::Absent;
        let mut seen = vec![stage];
        while let Some(next) = Rollout::plan(stage, Some(&GOOD)).next {
            stage = next;
            seen.push(stage);
        }
        let all = [
            Stage::Absent,
            Stage::Monitoring,
            Stage::QuarantineTest,
            Stage::Quarantine,
            Stage::Reject,
        ];
        assert_eq!(seen, all);
    }

    #[test]
    fn without_reports_only_monitoring_may_begin() {
        assert!(Rollout::plan(Stage::Absent, None).ready);
        for stage in [Stage::Monitoring, Stage::QuarantineTest, Stage::Quarantine] {
            let rollout = Rollout::plan(stage, None);
            assert!(!rollout.ready && !rollout.waits_for.is_empty());
        }
        assert!(!Rollout::plan(Stage::Reject, Some(&GOOD)).ready);
    }

    #[test]
    fn too_few_days_messages_or_aligned_ones_each_hold_it_up() {
        for evidence in [
            ReportEvidence { days: 13, ..GOOD },
            ReportEvidence {
                messages: 99,
                aligned: 99,
                ..GOOD
            },
            ReportEvidence {
                aligned: 979,
                ..GOOD
            },
        ] {
            let rollout = Rollout::plan(Stage::Monitoring, Some(&evidence));
            assert!(!rollout.ready);
            assert_eq!(rollout.waits_for.len(), 1, "{rollout:?}");
        }
        assert!(Rollout::plan(Stage::Monitoring, Some(&GOOD)).ready);
    }

    #[test]
    fn a_record_stands_where_receivers_apply_it() {
        let stage = |text: &str| Stage::of(DmarcRecord::parse(text).as_ref());
        assert_eq!(stage(""), Stage::Absent);
        assert_eq!(stage("v=DMARC1; p=bogus"), Stage::Absent);
        assert_eq!(stage("v=DMARC1; p=none"), Stage::Monitoring);
        assert_eq!(stage("v=DMARC1; p=quarantine; t=y"), Stage::QuarantineTest);
        assert_eq!(stage("v=DMARC1; p=reject; t=y"), Stage::Quarantine);
        assert_eq!(stage("v=DMARC1; p=reject"), Stage::Reject);
    }

    proptest! {
        #[test]
        fn no_figures_make_it_jump_or_overflow(days: u32, messages: u64, aligned: u64) {
            let evidence = ReportEvidence { days, messages, aligned };
            for stage in [Stage::Monitoring, Stage::QuarantineTest, Stage::Quarantine] {
                let rollout = Rollout::plan(stage, Some(&evidence));
                prop_assert_eq!(rollout.next, stage.next());
                prop_assert_eq!(rollout.ready, rollout.waits_for.is_empty());
            }
        }
    }
}
