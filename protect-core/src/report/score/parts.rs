//! The three parts of a score, as pure functions of what is stored.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::counted::Counted;
use super::{Rating, ScoreArea, ScoreMember, ScorePart, check_weight, exposure_weight, rounded};
use crate::connector::Watches;
use crate::engine::{StoredVerdict, Tenant};
use crate::error::Result;
use crate::model::{CheckId, ConnectorName, FindingKind, FindingStatus, Verdict};

/// The second word of checks about exposed credentials (`hibp.exposure.breach`).
const EXPOSURE: &str = "exposure";

/// The second word of checks about a connection itself (`hibp.connection.plan`).
const CONNECTION: &str = "connection";

/// What a scanner remembers of a domain's own score, below `score:`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(in crate::report) struct DomainScore {
    pub(in crate::report) total: Option<u32>,
    #[serde(default)]
    pub(in crate::report) reason: Option<String>,
    #[serde(default)]
    pub(in crate::report) spf: Option<String>,
    #[serde(default)]
    pub(in crate::report) dkim: Option<String>,
    #[serde(default)]
    pub(in crate::report) dmarc_policy: Option<String>,
}

impl Tenant {
    /// The scores that scanners gave the tenant's domains.
    pub(in crate::report) async fn domain_scores(&self) -> Result<BTreeMap<String, DomainScore>> {
        let mut scores = BTreeMap::new();
        for connector in self.config().connectors.keys() {
            for (key, value) in self.scanner_state(connector, "score:").await? {
                let domain = key.strip_prefix("score:").unwrap_or(&key).to_owned();
                // Of a domain that left the configuration the past score says nothing any more.
                if self.config().domains.contains(&domain)
                    && let Ok(score) = serde_json::from_value(value)
                {
                    scores.insert(domain, score);
                }
            }
        }
        Ok(scores)
    }
}

/// Each application by what its checks decided. What could not look is left out, and where that is
/// more than half there is no value.
pub(super) fn saas(
    verdicts: &[StoredVerdict],
    findings: &[Counted],
    watches: impl Fn(&ConnectorName) -> Watches,
) -> ScorePart {
    let standing = standing(findings);
    let mut apps: BTreeMap<&ConnectorName, Tally> = BTreeMap::new();
    let is_setting = |verdict: &&StoredVerdict| {
        watches(&verdict.connector) == Watches::Settings
            && !matches!(area_of(&verdict.result.check), EXPOSURE | CONNECTION)
    };
    for verdict in verdicts.iter().filter(is_setting) {
        let app = apps.entry(&verdict.connector).or_default();
        let weight = check_weight(verdict.result.severity);
        if weight == 0 {
            // That a log was read to its end is no setting that is right.
            continue;
        }
        match verdict.result.verdict {
            Verdict::Pass => app.passed.add(weight),
            Verdict::Fail if standing.excuses(verdict) => {}
            Verdict::Fail => app.failed.add(weight),
            Verdict::NotEvaluated => app.not_evaluated.add(weight),
            Verdict::NotApplicable | Verdict::Manual => {}
        }
    }
    let members = apps.iter().map(|(name, tally)| tally.member(name.as_str()));
    let kinds = [FindingKind::Misconfiguration, FindingKind::Drift];
    mean(
        ScoreArea::Saas,
        members.collect(),
        open(findings, &kinds),
        "no application was looked at yet",
    )
}

/// Each domain by its own score.
pub(super) fn email(scores: &BTreeMap<String, DomainScore>, findings: &[Counted]) -> ScorePart {
    let members = scores.iter().map(|(domain, score)| ScoreMember {
        name: domain.clone(),
        value: score.total,
        rating: score.total.map(Rating::of),
        reason: score.reason.clone(),
        passed: 0,
        failed: 0,
        not_evaluated: 0,
    });
    mean(
        ScoreArea::Email,
        members.collect(),
        open(findings, &[FindingKind::EmailAuthentication]),
        "no domain's mail was looked at yet",
    )
}

/// 100 less what open exposures take away, not below 0.
pub(super) fn dark_web(verdicts: &[StoredVerdict], findings: &[Counted]) -> ScorePart {
    let kinds = [FindingKind::CredentialExposure];
    let open = open(findings, &kinds);
    let looked = verdicts.iter().any(|verdict| {
        let decided = matches!(verdict.result.verdict, Verdict::Pass | Verdict::Fail);
        decided && area_of(&verdict.result.check) == EXPOSURE
    });
    let found = findings.iter().any(|finding| kinds.contains(&finding.kind));
    let taken = findings
        .iter()
        .filter(|finding| kinds.contains(&finding.kind) && finding.is_standing())
        .map(|finding| exposure_weight(finding.severity))
        .fold(0, u32::saturating_add);
    let value = (looked || found).then(|| 100_u32.saturating_sub(taken));
    ScorePart {
        area: ScoreArea::DarkWeb,
        value,
        rating: value.map(Rating::of),
        percent: 0,
        reason: value
            .is_none()
            .then(|| "nobody looked for exposed credentials yet".to_owned()),
        members: Vec::new(),
        open,
    }
}

/// The checks of one application, by weight and number.
#[derive(Default)]
struct Tally {
    passed: Sum,
    failed: Sum,
    not_evaluated: Sum,
}

#[derive(Default)]
struct Sum {
    weight: u32,
    count: u32,
}

impl Sum {
    fn add(&mut self, weight: u32) {
        self.weight = self.weight.saturating_add(weight);
        self.count = self.count.saturating_add(1);
    }
}

impl Tally {
    fn member(&self, name: &str) -> ScoreMember {
        let decided = self.passed.weight + self.failed.weight;
        let value = (decided >= self.not_evaluated.weight)
            .then(|| rounded(self.passed.weight * 100, decided))
            .flatten();
        let reason = match value {
            Some(_) => None,
            None if self.not_evaluated.count > 0 => {
                Some("more than half of the checks could not look".to_owned())
            }
            None => Some("no check that counts was decided".to_owned()),
        };
        ScoreMember {
            name: name.to_owned(),
            value,
            rating: value.map(Rating::of),
            reason,
            passed: self.passed.count,
            failed: self.failed.count,
            not_evaluated: self.not_evaluated.count,
        }
    }
}

/// The mean of the members that have a value.
fn mean(
    area: ScoreArea,
    members: Vec<ScoreMember>,
    open: BTreeMap<String, u32>,
    nothing: &str,
) -> ScorePart {
    let values: Vec<u32> = members.iter().filter_map(|member| member.value).collect();
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let value = rounded(values.iter().sum(), count);
    ScorePart {
        area,
        value,
        rating: value.map(Rating::of),
        percent: 0,
        reason: match value {
            Some(_) => None,
            None if members.is_empty() => Some(nothing.to_owned()),
            None => Some("nothing of it could be looked at".to_owned()),
        },
        members,
        open,
    }
}

/// The checks whose every finding was judged to be no finding.
struct Standing<'a> {
    wrong: BTreeSet<(&'a ConnectorName, &'a CheckId)>,
    right: BTreeSet<(&'a ConnectorName, &'a CheckId)>,
}

impl Standing<'_> {
    fn excuses(&self, verdict: &StoredVerdict) -> bool {
        let key = (&verdict.connector, &verdict.result.check);
        self.wrong.contains(&key) && !self.right.contains(&key)
    }
}

fn standing(findings: &[Counted]) -> Standing<'_> {
    let mut standing = Standing {
        wrong: BTreeSet::new(),
        right: BTreeSet::new(),
    };
    for finding in findings {
        let key = (&finding.source, &finding.check);
        if finding.status == FindingStatus::FalsePositive {
            standing.wrong.insert(key);
        } else if finding.is_standing() {
            standing.right.insert(key);
        }
    }
    standing
}

fn open(findings: &[Counted], kinds: &[FindingKind]) -> BTreeMap<String, u32> {
    let mut open = BTreeMap::new();
    for finding in findings {
        if kinds.contains(&finding.kind) && finding.is_standing() {
            let severity = finding.severity.to_string();
            *open.entry(severity).or_default() += 1;
        }
    }
    open
}

fn area_of(check: &CheckId) -> &str {
    check.as_str().split('.').nth(1).unwrap_or_default()
}
