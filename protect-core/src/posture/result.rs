//! What a scanner tells the engine of results.

use super::catalogue::{Affects, Catalogue, Check};
use crate::connector::Evaluated;
use crate::model::{CheckResult, FindingKind, Observation, Subject, Verdict};

/// What is wrong, of each failed result: one observation per affected account, domain or object, or
/// one about the setting. Always in the same order, and made one by one, since a large tenant has
/// many.
pub fn observations<'a>(
    catalogue: &'a Catalogue,
    results: &'a [CheckResult],
) -> impl Iterator<Item = Observation> + 'a {
    let failed = results
        .iter()
        .filter(|result| result.verdict == Verdict::Fail);
    let known = failed.filter_map(|it| Some((catalogue.check(it.check.as_str())?, it)));
    known.flat_map(|(check, result)| {
        let subjects = subjects(catalogue.format.provider, check, result);
        subjects
            .into_iter()
            .map(|subject| observation(check, result, subject))
    })
}

/// What was looked at in full, so that a finding that is not repeated is gone: whatever came to a
/// verdict.
pub fn covered(results: &[CheckResult]) -> Vec<Evaluated> {
    let decided = results.iter().filter(|result| {
        matches!(
            result.verdict,
            Verdict::Pass | Verdict::Fail | Verdict::NotApplicable
        )
    });
    decided
        .map(|result| Evaluated {
            check: result.check.clone(),
            subject: None,
        })
        .collect()
}

fn subjects(provider: &str, check: &Check, result: &CheckResult) -> Vec<Subject> {
    let affected = result.affected.iter();
    match check.affects {
        Affects::Accounts if !result.affected.is_empty() => {
            affected.map(|id| Subject::account(provider, id)).collect()
        }
        Affects::Domains if !result.affected.is_empty() => {
            affected.map(|name| Subject::domain(name)).collect()
        }
        Affects::Objects(path) if !result.affected.is_empty() => affected
            .map(|id| Subject::setting(provider, format!("{path}/{id}")))
            .collect(),
        Affects::Setting(path) | Affects::Objects(path) => {
            vec![Subject::setting(provider, path)]
        }
        Affects::Accounts | Affects::Domains => vec![Subject::setting(provider, check.id)],
    }
}

fn observation(check: &Check, result: &CheckResult, subject: Subject) -> Observation {
    Observation {
        check: result.check.clone(),
        kind: FindingKind::Misconfiguration,
        subject,
        discriminator: String::new(),
        cause: None,
        severity: result.severity,
        confidence: result.confidence,
        title: format!("Does not hold: {}", check.title),
        reasons: vec![result.reason.clone(), check.hint.to_owned()],
        attribution: None,
        references: result.references.clone(),
        details: result.details.clone(),
        from_event: false,
    }
}
