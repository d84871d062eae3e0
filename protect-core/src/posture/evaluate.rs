//! The evaluation of a catalogue's checks over a snapshot.

use std::collections::BTreeSet;

use super::catalogue::{Catalogue, Check};
use super::decision::Decision;
use super::format::is_template;
use super::profile::{CheckSettings, Profile};
use super::reader::{Read, Reader, Unread, Views};
use super::snapshot::Snapshot;
use crate::error::Result;
use crate::model::{CheckResult, NotEvaluatedReason, Verdict};

/// One evaluation: a snapshot, a profile, and what the checks share.
#[derive(Debug)]
pub struct Evaluation<'a> {
    pub(super) catalogue: &'static Catalogue,
    pub(super) snapshot: &'a Snapshot,
    pub(super) profile: &'a Profile,
    pub(super) views: Views,
}

/// A result, with what the check read to come to it.
#[derive(Debug)]
pub struct Inspection {
    /// What was decided.
    pub result: CheckResult,
    /// The paths that were read, as declared.
    pub touched: BTreeSet<&'static str>,
    /// The path that the check read without declaring it: a defect of the check.
    pub undeclared: Option<String>,
}

impl<'a> Evaluation<'a> {
    /// Nothing is read yet.
    pub fn new(
        catalogue: &'static Catalogue,
        snapshot: &'a Snapshot,
        profile: &'a Profile,
    ) -> Self {
        Self {
            catalogue,
            snapshot,
            profile,
            views: Views::default(),
        }
    }

    /// Everything that the snapshot tells: every check, then what happened.
    pub fn evaluate(&self) -> Vec<CheckResult> {
        let mut results = self.results();
        results.extend(self.happened());
        results
    }

    /// Every check of the catalogue, in its order.
    pub fn results(&self) -> Vec<CheckResult> {
        let inspections = self
            .catalogue
            .checks
            .iter()
            .map(|check| self.inspect(check));
        inspections.flatten().map(|it| it.result).collect()
    }

    /// One check.
    ///
    /// # Errors
    /// `unexpected` for a malformed table.
    pub fn inspect(&self, check: &'static Check) -> Result<Inspection> {
        let reader = Reader::of_check(self, check);
        let decided = self.may_look(check).and_then(|()| (check.decide)(&reader));
        let touched = reader.touched();
        let undeclared = match &decided {
            Err(unread) if unread.undeclared => Some(unread.path.clone()),
            _ => None,
        };
        let result = result(check, decided, &touched)?;
        Ok(Inspection {
            result,
            touched,
            undeclared,
        })
    }

    /// A look at some paths without a check: for whoever collects and wants to know what else there
    /// is to ask.
    pub fn reader(&self, paths: &[&'static str]) -> Reader<'_> {
        Reader::of_paths(self, paths.iter().copied())
    }

    /// What was tuned of a check: by the profile given, else by the snapshot.
    pub(super) fn settings(&self, check: &Check) -> CheckSettings {
        let given = self.profile.checks.get(check.id);
        let carried = self.snapshot.config.checks.get(check.id);
        given.or(carried).cloned().unwrap_or_default()
    }

    /// Whether everything that a check declares is there.
    fn may_look(&self, check: &'static Check) -> Read<()> {
        self.cloud(check)?;
        for group in check.needs.groups() {
            one_of(group, |path| self.granted(path))?;
        }
        self.licence(check)?;
        for group in check.needs.groups() {
            one_of(group, |path| self.available(path))?;
        }
        Ok(())
    }

    fn cloud(&self, check: &Check) -> Read<()> {
        let cloud = self.snapshot.cloud.as_str();
        if check.needs.missing_in_clouds.contains(&cloud) {
            let why = "the vendor's cloud does not have what the check looks at";
            let path = check.needs.all.first().copied().unwrap_or_default();
            return Err(Unread::new(NotEvaluatedReason::UnsupportedCloud, path, why));
        }
        Ok(())
    }

    fn licence(&self, check: &Check) -> Read<()> {
        if check.licences.is_empty() {
            return Ok(());
        }
        let paths = self.catalogue.licence_paths.iter().copied();
        let reader = Reader::of_paths(self, paths);
        if (self.catalogue.licensed)(&reader, check.licences)? {
            return Ok(());
        }
        let why = format!("the tenant has no {}", check.licences.join(" or "));
        let path = check.needs.all.first().copied().unwrap_or_default();
        Err(Unread::new(NotEvaluatedReason::MissingLicence, path, why))
    }

    /// Whether the permission for a path was granted, where the snapshot says what was.
    pub(super) fn granted(&self, path: &'static str) -> Read<()> {
        let permissions = self
            .catalogue
            .resource(path)
            .map_or(&[][..], |it| it.permissions);
        let Some(granted) = &self.snapshot.granted else {
            return Ok(());
        };
        if permissions.is_empty() || permissions.iter().any(|it| granted.contains(*it)) {
            return Ok(());
        }
        let why = format!(
            "the permission {} was not granted",
            permissions.join(" or ")
        );
        Err(Unread::new(
            NotEvaluatedReason::MissingPermission,
            path,
            why,
        ))
    }

    /// Whether anything lies at a path.
    pub(super) fn holds(&self, path: &str) -> bool {
        self.snapshot.bodies.contains_key(&self.key(path))
    }

    pub(super) fn key(&self, path: &str) -> String {
        self.snapshot.format.key(path)
    }

    /// Whether a path was granted, asked and answered.
    pub(super) fn available(&self, path: &'static str) -> Read<()> {
        self.granted(path)?;
        if is_template(path) {
            return Ok(());
        }
        if !self.holds(path) {
            return Err(Unread::absent(path));
        }
        match self.error_at(&self.key(path)) {
            Some(error) => Err(self.refused(path, &error)),
            None => Ok(()),
        }
    }
}

fn result(
    check: &'static Check,
    decided: Read<Decision>,
    touched: &BTreeSet<&'static str>,
) -> Result<CheckResult> {
    let (decision, not_evaluated, source) = match decided {
        Ok(decision) => {
            let paths: Vec<_> = touched.iter().copied().collect();
            (decision, None, paths.join(", "))
        }
        Err(unread) => {
            let (reason, path) = (unread.reason, unread.path.clone());
            (could_not_look(&unread), Some(reason), path)
        }
    };
    let mut details = decision.details;
    if let Some(compliant) = check.default_compliant {
        details.insert("default_compliant".to_owned(), compliant.into());
    }
    Ok(CheckResult {
        check: check.check_id()?,
        verdict: decision.verdict,
        not_evaluated,
        severity: check.severity,
        reason: decision.reason,
        affected: decision.affected,
        source,
        confidence: decision.confidence,
        references: check.references(),
        details,
    })
}

/// Whether one of a group is there; if none, why the first is not.
fn one_of(group: &[&'static str], is_there: impl Fn(&'static str) -> Read<()>) -> Read<()> {
    let mut first = Ok(());
    for path in group {
        match is_there(path) {
            Ok(()) => return Ok(()),
            Err(unread) if first.is_ok() => first = Err(unread),
            Err(_) => {}
        }
    }
    first
}

fn could_not_look(unread: &Unread) -> Decision {
    Decision {
        verdict: Verdict::NotEvaluated,
        ..Decision::manual(format!("{}: {}", unread.path, unread.why))
    }
}
