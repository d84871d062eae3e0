//! Checks of settings: the rules of each, and its two evaluators. What the policies say is believed;
//! where they do not say it, the changes in the admin log are, with low confidence.

use std::collections::{BTreeMap, BTreeSet};

use protect_core::model::{Confidence, NotEvaluatedReason, Verdict};
use protect_core::posture::{Decision, Read, Reader, Unread};
use serde_json::Value;

use super::property::Expected;
use crate::settings::{Settings, Target, fits};
use crate::views::{AdminLog, Policies, bare};
use crate::workspace::{ADMIN_LOG, POLICIES};

/// What one setting must be, for everybody.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Its name, or a pattern of names all of which must be so.
    pub(super) name: &'static str,
    pub(super) expected: Expected,
    /// Another setting, and words of it with which this one has no meaning.
    pub(super) unless: Option<(&'static str, &'static [&'static str])>,
    /// Whether nothing can be decided where nobody says what it is.
    pub(super) needed: bool,
}

/// A setting that must be so.
pub(super) const fn must(name: &'static str, expected: Expected) -> Rule {
    Rule {
        name,
        expected,
        unless: None,
        needed: true,
    }
}

/// A setting that must be a truth value.
pub(super) const fn is(name: &'static str, flag: bool) -> Rule {
    must(name, Expected::Flag(flag))
}

/// A setting that must be one of the first words; the second are known to be wrong.
pub(super) const fn word(
    name: &'static str,
    right: &'static [&'static str],
    wrong: &'static [&'static str],
) -> Rule {
    must(name, Expected::Word { right, wrong })
}

impl Rule {
    /// Has no meaning with these words of another setting.
    pub(super) const fn unless(self, name: &'static str, words: &'static [&'static str]) -> Self {
        Self {
            unless: Some((name, words)),
            ..self
        }
    }

    /// Counts only where somebody says what it is.
    pub(super) const fn where_said(self) -> Self {
        Self {
            needed: false,
            ..self
        }
    }
}

/// Decides by the policies, else by the log; rules that are empty leave their source out.
pub(super) fn decide(read: &Reader<'_>, policies: &[Rule], log: &[Rule]) -> Read<Decision> {
    let by_policy = if policies.is_empty() {
        Err(Unread::absent(POLICIES))
    } else {
        by_policies(read, policies)
    };
    if log.is_empty() {
        return by_policy;
    }
    let by_log = by_log(read, log);
    match by_policy {
        Ok(decision) => Ok(compared(decision, &by_log)),
        Err(unread) if policies.is_empty() || !is_readable(read, POLICIES)? => {
            by_log.map_err(|log| better(read, unread, log))
        }
        // Read and not understood: an older change must not say that all is well.
        Err(unread) if unread.reason != NotEvaluatedReason::NoObservation => Err(unread),
        Err(unread) => by_log.map_err(|_| unread),
    }
}

fn is_readable(read: &Reader<'_>, path: &'static str) -> Read<bool> {
    // A check of the log alone does not declare the policies.
    match read.has(path) {
        Err(unread) if unread.undeclared => Ok(false),
        has => has,
    }
}

/// Which of two reasons is shown: that of the source that was there.
fn better(read: &Reader<'_>, policy: Unread, log: Unread) -> Unread {
    if is_readable(read, ADMIN_LOG) == Ok(true) {
        log
    } else {
        policy
    }
}

fn by_policies(read: &Reader<'_>, rules: &[Rule]) -> Read<Decision> {
    let view = read.view::<Policies>()?;
    let sure = if view.0.directory.knows_units() {
        Confidence::High
    } else {
        // Org units that were deleted are among the policies.
        Confidence::Medium
    };
    let decision = over(read, POLICIES, &view.0, rules)?;
    Ok(decision.confidence(sure).detail("evidence", "policies"))
}

fn by_log(read: &Reader<'_>, rules: &[Rule]) -> Read<Decision> {
    let view = read.view::<AdminLog>()?;
    let decision = over(read, ADMIN_LOG, &view.settings, rules)?;
    let decision = decision.confidence(Confidence::Low);
    Ok(decision.detail("evidence", "admin log"))
}

/// Says where the log disagrees.
fn compared(decision: Decision, by_log: &Read<Decision>) -> Decision {
    match by_log {
        Ok(log) if log.verdict != decision.verdict => {
            let word = if log.verdict == Verdict::Fail {
                "fail"
            } else {
                "pass"
            };
            decision.detail("admin_log_says", word)
        }
        _ => decision,
    }
}

/// What came of the rules.
#[derive(Default)]
struct Found {
    wrong: BTreeMap<Target, Vec<String>>,
    unclear: Option<String>,
    unsaid: Option<&'static str>,
}

fn over(
    read: &Reader<'_>,
    path: &'static str,
    settings: &Settings,
    rules: &[Rule],
) -> Read<Decision> {
    let mut found = Found::default();
    for rule in rules {
        rule.apply(read, settings, &mut found);
    }
    if !found.wrong.is_empty() {
        return Ok(failed(settings, &found.wrong));
    }
    if let Some(why) = found.unclear {
        return Err(Unread::malformed(path, why));
    }
    if let Some(name) = found.unsaid {
        let why = format!("nothing says what `{name}` is for everybody");
        return Err(Unread::new(NotEvaluatedReason::NoObservation, path, why));
    }
    Ok(Decision::pass("it is set so for everybody"))
}

fn failed(settings: &Settings, wrong: &BTreeMap<Target, Vec<String>>) -> Decision {
    let observed: serde_json::Map<_, _> = wrong
        .iter()
        .map(|(target, what)| (settings.directory.label(target), what.clone().into()))
        .collect();
    let first = wrong.values().flatten().next().cloned().unwrap_or_default();
    let places: Vec<_> = observed.keys().take(3).map(String::as_str).collect();
    let more = wrong.len().saturating_sub(places.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let reason = format!("{first} for {}{more}", places.join(", "));
    Decision::fail(reason)
        .affecting(wrong.keys().map(Target::id))
        .detail("observed", observed)
}

impl Rule {
    fn apply(&self, read: &Reader<'_>, settings: &Settings, found: &mut Found) {
        let names = settings.names(self.name);
        let root_is_moot = self.is_moot(settings, &Target::Root);
        if names.is_empty() && self.needed && !root_is_moot {
            found.unsaid = Some(self.name);
        }
        for name in names {
            if settings.at(name, &Target::Root).is_empty() && self.needed && !root_is_moot {
                found.unsaid = Some(self.name);
            }
            for target in self.targets(settings, name) {
                if !self.is_moot(settings, target) && !excused(read, settings, target) {
                    self.judge(read, settings, name, target, found);
                }
            }
        }
    }

    /// Whatever this setting, or the one that takes its meaning, was made for.
    fn targets<'s>(&self, settings: &'s Settings, name: &'s str) -> BTreeSet<&'s Target> {
        let other = self.unless.into_iter();
        let other = other.flat_map(|(pattern, _)| settings.names(pattern));
        let other = other.flat_map(|name| settings.targets(name));
        settings.targets(name).chain(other).collect()
    }

    fn is_moot(&self, settings: &Settings, target: &Target) -> bool {
        let Some((pattern, words)) = self.unless else {
            return false;
        };
        let is_one = |value: &Value| {
            let word = value.as_str().unwrap_or_default();
            words.iter().any(|it| fits(it, word))
        };
        settings.names(pattern).into_iter().any(|name| {
            let values = settings.at(name, target);
            !values.is_empty() && values.iter().all(is_one)
        })
    }

    fn judge(
        &self,
        read: &Reader<'_>,
        settings: &Settings,
        name: &str,
        target: &Target,
        found: &mut Found,
    ) {
        let values = settings.at(name, target);
        let holds: BTreeSet<_> = values
            .iter()
            .map(|value| self.expected.holds(value, read.now()))
            .collect();
        let is_one = |of: Option<bool>| holds.len() == 1 && holds.contains(&of);
        let (setting, shown) = (readable(name), values.first().map(shown));
        let shown = shown.unwrap_or_default();
        if holds.is_empty() || is_one(Some(true)) {
            return;
        }
        if is_one(Some(false)) && settings.is_gone(target) {
            found.unclear = Some(format!(
                "`{setting}` was changed for an org unit that is not listed under that name"
            ));
        } else if is_one(Some(false)) {
            let what = format!("`{setting}` is `{shown}`");
            found.wrong.entry(target.clone()).or_default().push(what);
        } else if holds.len() > 1 || values.len() > 1 {
            found.unclear = Some(format!("which value of `{setting}` holds cannot be told"));
        } else {
            found.unclear = Some(format!("`{setting}` is `{shown}`, which is not known"));
        }
    }
}

/// Whether the tenant leaves an org unit or group out. Everybody cannot be left out.
fn excused(read: &Reader<'_>, settings: &Settings, target: &Target) -> bool {
    let list = match target {
        Target::Root => return false,
        Target::OrgUnit(_) => &read.settings().excluded_principals,
        Target::Group(_) => &read.settings().excluded_groups,
    };
    let names = [target.id(), settings.directory.label(target)];
    let is = |name: &String| {
        let name = bare(name);
        names.iter().any(|it| bare(it).eq_ignore_ascii_case(&name))
    };
    list.iter().any(is)
}

/// A setting's name without where it belongs.
fn readable(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, setting)| setting)
}

/// A value as it may stand in a sentence.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => return "a list".to_owned(),
        other => other.to_string(),
    };
    let may_stand = |c: &char| c.is_alphanumeric() || " _-.:/+".contains(*c);
    text.chars().filter(may_stand).take(80).collect()
}

/// The same of a service's settings, which mean nothing while nobody can use it.
pub(super) fn decide_of(
    read: &Reader<'_>,
    service: &str,
    policies: &[Rule],
    log: &[Rule],
) -> Read<Decision> {
    if is_off(read, service)? {
        return Ok(Decision::not_applicable("the service is off for everybody"));
    }
    decide(read, policies, log)
}

fn is_off(read: &Reader<'_>, service: &str) -> Read<bool> {
    if !is_readable(read, POLICIES)? {
        return Ok(false);
    }
    let Ok(view) = read.view::<Policies>() else {
        // What is wrong with the policies is said by whoever decides.
        return Ok(false);
    };
    let name = format!("{service}.service_status:servicestate");
    let disabled = |value: &Value| value.as_str().is_some_and(|it| fits("DISABLED", it));
    let off = |target| {
        let values = view.0.at(&name, target);
        !values.is_empty() && values.iter().all(disabled)
    };
    Ok(off(&Target::Root) && view.0.targets(&name).all(off))
}
