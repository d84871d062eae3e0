//! What every catalogue of posture checks promises, as tests that it can run against itself, and the
//! changes of a snapshot that may move no verdict.
//!
//! Snapshots are plain values here, as a user would write them.

#![expect(
    clippy::panic,
    reason = "a promise that does not hold fails the test that runs it"
)]

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::SeededRandom;
use crate::model::{CheckResult, NotEvaluatedReason, Verdict};
use crate::posture::{Bodies, Catalogue, Check, Evaluation, Format, Inspection, Profile, Snapshot};

/// What a catalogue promises, over `samples`, which together let every check pass at least once:
///
/// - ids and tables are well formed, and every declared path has its permissions in the table;
/// - no check reads a path that it does not declare;
/// - without any one resource or permission that a check needs it is `not_evaluated`, and without
///   any other that it declares it never comes to pass where it did not.
pub fn catalogue(catalogue: &'static Catalogue, profile: &Profile, samples: &[Value]) {
    well_formed(catalogue);
    for check in catalogue.checks {
        let mut passed = false;
        for sample in samples {
            let before = inspect(catalogue, check, profile, sample);
            if before.result.not_evaluated.is_some() {
                continue;
            }
            passed |= before.result.verdict == Verdict::Pass;
            taken_away(catalogue, check, profile, sample, &before.result);
        }
        assert!(passed, "{}: no sample lets it pass", check.id);
    }
}

/// The results of two snapshots agree in everything that matters.
pub fn same_verdicts(
    catalogue: &'static Catalogue,
    profile: &Profile,
    one: &Value,
    other: &Value,
    what: &str,
) {
    let one = evaluate(catalogue, profile, one);
    let other = evaluate(catalogue, profile, other);
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(essence(one), essence(other), "{}: {what}", one.check);
    }
}

/// The results over a snapshot.
pub fn evaluate(
    catalogue: &'static Catalogue,
    profile: &Profile,
    snapshot: &Value,
) -> Vec<CheckResult> {
    let snapshot = read(catalogue, snapshot);
    Evaluation::new(catalogue, &snapshot, profile).results()
}

/// The same snapshot with the elements of every array in another order.
pub fn shuffled(snapshot: &Value, seed: u64) -> Value {
    let random = SeededRandom::new(seed);
    let mut snapshot = snapshot.clone();
    everywhere(&mut snapshot, &mut |value| {
        if let Value::Array(items) = value {
            for last in (1..items.len()).rev() {
                items.swap(last, random.below(last + 1));
            }
        }
    });
    snapshot
}

/// The same snapshot with the case of every GUID changed, in keys too.
pub fn recased(snapshot: &Value) -> Value {
    match snapshot {
        Value::String(text) => recased_text(text).into(),
        Value::Array(items) => items.iter().map(recased).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (recased_text(name), recased(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// The same snapshot with a field that nobody knows in every object that the vendor answered.
pub fn with_unknown_fields(snapshot: &Value, format: &Format) -> Value {
    each_body(snapshot, format, |_, body| {
        everywhere(body, &mut |value| {
            if let Value::Object(fields) = value {
                fields.insert("somethingNew".to_owned(), json!({ "since": [1, null] }));
            }
        });
    })
}

/// The same snapshot with further items in a collection.
pub fn with_items(snapshot: &Value, format: &Format, path: &str, more: &[Value]) -> Value {
    each_body(snapshot, format, |at, body| {
        if at == path
            && let Some(items) = items_of(body, format)
        {
            items.extend_from_slice(more);
        }
    })
}

/// The same snapshot with every collection cut into pages of one item, each linked from the one
/// before: `link` gives, for a path and the number of a page, the link and the path it lies under.
pub fn split_pages(
    snapshot: &Value,
    format: &Format,
    link: impl Fn(&str, usize) -> (String, String),
) -> Value {
    let mut pages = Vec::new();
    let mut split = each_body(snapshot, format, |path, body| {
        let Some(paging) = format.paging else { return };
        let Some(field) = format.items.iter().find(|field| body[**field].is_array()) else {
            return;
        };
        let items = body[*field].as_array().cloned().unwrap_or_default();
        let page = |number: usize, item: &Value| {
            let mut page = json!({ *field: [item] });
            if number + 1 < items.len() {
                page[paging.field] = link(path, number + 1).0.into();
            }
            page
        };
        for (number, item) in items.iter().enumerate().skip(1) {
            pages.push((link(path, number).1, page(number, item)));
        }
        if let Some(first) = items.first() {
            *body = page(0, first);
        }
    });
    if let (Bodies::Under(field), pages) = (format.bodies, pages) {
        for (path, page) in pages {
            split[field][path] = page;
        }
    }
    split
}

/// The same snapshot without what lies at a path, `{id}` in which stands for any; or without a field
/// of a collection's items, where one follows the path.
pub fn without_path(snapshot: &Value, format: &Format, path: &str) -> Value {
    if let Some((path, field)) = path.split_once('#') {
        return without_field(snapshot, format, path, field);
    }
    let mut snapshot = snapshot.clone();
    let strip = |value: &mut Value, before: &str| {
        if let Value::Object(fields) = value {
            fields.retain(|name, _| !fits(path, &format!("{before}{name}")));
        }
    };
    match format.bodies {
        Bodies::Under(field) => strip(&mut snapshot[field], ""),
        Bodies::Fields { several, .. } => {
            strip(&mut snapshot, "");
            for field in several {
                strip(&mut snapshot[*field], &format!("{field}/"));
            }
        }
    }
    snapshot
}

fn without_field(snapshot: &Value, format: &Format, path: &str, field: &str) -> Value {
    each_body(snapshot, format, |at, body| {
        if fits(path, at)
            && let Some(items) = items_of(body, format)
        {
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                item.remove(field);
            }
        }
    })
}

/// The same snapshot without some permissions.
pub fn without_permissions(snapshot: &Value, permissions: &[&str]) -> Value {
    let mut snapshot = snapshot.clone();
    if let Some(granted) = snapshot["granted"].as_array_mut() {
        granted.retain(|it| !permissions.iter().any(|taken| it == taken));
    }
    snapshot
}

fn well_formed(catalogue: &'static Catalogue) {
    for check in catalogue.checks {
        assert!(check.check_id().is_ok(), "{}", check.id);
        let licences = catalogue.licence_paths.iter().copied();
        for path in check.paths().chain(licences) {
            let known = catalogue.resource(path).is_some();
            assert!(known, "{}: {path} is not in the table", check.id);
        }
        if let Some(level) = check.level {
            assert!(check.default_level("").is_some(), "{}: level", check.id);
            for (_, default) in level.defaults {
                assert!(check.verify_level(default).is_ok(), "{}: level", check.id);
            }
        }
    }
    let mut ids: Vec<_> = catalogue.checks.iter().map(|check| check.id).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|two| two[0] != two[1]), "an id twice");
}

fn taken_away(
    catalogue: &'static Catalogue,
    check: &'static Check,
    profile: &Profile,
    sample: &Value,
    before: &CheckResult,
) {
    let look = |snapshot: &Value| inspect(catalogue, check, profile, snapshot).result;
    for group in needed(catalogue, check) {
        let without = group.iter().fold(sample.clone(), |sample, path| {
            without_path(&sample, catalogue.format, path)
        });
        let after = look(&without);
        assert_eq!(
            after.verdict,
            Verdict::NotEvaluated,
            "{} without {group:?}: {}",
            check.id,
            after.reason
        );
        let permissions: Vec<_> = group
            .iter()
            .filter_map(|path| catalogue.resource(path))
            .flat_map(|resource| resource.permissions.iter().copied())
            .collect();
        if !permissions.is_empty() && sample["granted"].is_array() {
            let after = look(&without_permissions(sample, &permissions));
            assert_eq!(
                after.not_evaluated,
                Some(NotEvaluatedReason::MissingPermission),
                "{} without {permissions:?}: {}",
                check.id,
                after.reason
            );
        }
    }
    let never_passes = |after: &CheckResult, without: &str| {
        let passes = after.verdict == Verdict::Pass && before.verdict != Verdict::Pass;
        assert!(!passes, "{} passes without {without}", check.id);
    };
    for path in check.paths() {
        never_passes(&look(&without_path(sample, catalogue.format, path)), path);
    }
    let resources = check.paths().filter_map(|path| catalogue.resource(path));
    let permissions: BTreeSet<_> = resources.flat_map(|it| it.permissions).collect();
    for permission in permissions {
        never_passes(
            &look(&without_permissions(sample, &[permission])),
            permission,
        );
    }
}

/// Each group of paths of which a check needs one.
fn needed(catalogue: &'static Catalogue, check: &'static Check) -> Vec<Vec<&'static str>> {
    let all = check.needs.all.iter().map(|path| vec![*path]);
    let any = check.needs.any.iter().map(|group| group.to_vec());
    let licences = catalogue.licence_paths.iter().map(|path| vec![*path]);
    let licences = licences.filter(|_| !check.licences.is_empty());
    all.chain(any).chain(licences).collect()
}

/// One check over a snapshot; fails where it reads what it does not declare.
pub fn inspect(
    catalogue: &'static Catalogue,
    check: &'static Check,
    profile: &Profile,
    snapshot: &Value,
) -> Inspection {
    let snapshot = read(catalogue, snapshot);
    let evaluation = Evaluation::new(catalogue, &snapshot, profile);
    match evaluation.inspect(check) {
        Ok(inspection) => {
            let undeclared = &inspection.undeclared;
            assert_eq!(undeclared, &None, "{} reads an undeclared path", check.id);
            inspection
        }
        Err(error) => panic!("{}: {error}", check.id),
    }
}

fn read(catalogue: &Catalogue, snapshot: &Value) -> Snapshot {
    match Snapshot::from_value(snapshot, catalogue.format) {
        Ok(snapshot) => snapshot,
        Err(error) => panic!("not a snapshot: {error}"),
    }
}

fn essence(result: &CheckResult) -> (Verdict, Option<NotEvaluatedReason>, Vec<String>) {
    let mut affected: Vec<_> = result.affected.iter().map(|id| id.to_lowercase()).collect();
    affected.sort_unstable();
    (result.verdict, result.not_evaluated, affected)
}

/// The same snapshot with each body changed, which is told with its path.
fn each_body(snapshot: &Value, format: &Format, mut change: impl FnMut(&str, &mut Value)) -> Value {
    let mut snapshot = snapshot.clone();
    let mut within = |value: &mut Value, before: &str, only: &dyn Fn(&str) -> bool| {
        let fields = value.as_object_mut().into_iter().flatten();
        for (name, body) in fields.filter(|(name, _)| only(name)) {
            change(&format!("{before}{name}"), body);
        }
    };
    match format.bodies {
        Bodies::Under(field) => within(&mut snapshot[field], "", &|_| true),
        Bodies::Fields { single, several } => {
            within(&mut snapshot, "", &|name| single.contains(&name));
            for field in several {
                if snapshot.get(*field).is_some() {
                    within(&mut snapshot[*field], &format!("{field}/"), &|_| true);
                }
            }
        }
    }
    snapshot
}

fn items_of<'v>(body: &'v mut Value, format: &Format) -> Option<&'v mut Vec<Value>> {
    if body.is_array() {
        return body.as_array_mut();
    }
    let field = format.items.iter().find(|field| body[**field].is_array())?;
    body[*field].as_array_mut()
}

/// Changes the innermost values first, so that what is added is not changed again.
fn everywhere(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Array(items) => {
            for item in items {
                everywhere(item, change);
            }
        }
        Value::Object(fields) => {
            for field in fields.values_mut() {
                everywhere(field, change);
            }
        }
        _ => {}
    }
    change(value);
}

/// Whether a path of a snapshot is one of a declared path, in which `{id}` stands for any, or a
/// further page of it.
fn fits(declared: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    match declared.split_once("{id}") {
        Some((before, after)) => path
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|id| !id.is_empty() && !id.contains('/')),
        None => path == declared,
    }
}

/// Changes the case of every GUID in a text.
fn recased_text(text: &str) -> String {
    let part = |part: &str| {
        let lengths: Vec<_> = part.split('-').map(str::len).collect();
        let hexadecimal = part.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
        if lengths != [8, 4, 4, 4, 12] || !hexadecimal {
            part.to_owned()
        } else if part.chars().any(|c| c.is_ascii_uppercase()) {
            part.to_ascii_lowercase()
        } else {
            part.to_ascii_uppercase()
        }
    };
    let parts: Vec<_> = text.split('/').map(part).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_path_stands_for_every_object_and_page() {
        assert!(fits("/groups/{id}/owners", "/groups/ab-1/owners"));
        assert!(fits(
            "/groups/{id}/owners",
            "/groups/ab-1/owners?$skiptoken=X"
        ));
        assert!(!fits("/groups/{id}/owners", "/groups/ab-1/members"));
        assert!(!fits("/groups/{id}/owners", "/groups/a/b/owners"));
        assert!(fits("/users", "/users"));
    }

    #[test]
    fn only_guids_change_their_case() {
        let id = "62e90394-69f5-4237-9190-012177145e10";
        assert_eq!(
            recased(&json!({ format!("/groups/{id}/owners"): "All" })),
            json!({ format!("/groups/{}/owners", id.to_uppercase()): "All" })
        );
    }
}
