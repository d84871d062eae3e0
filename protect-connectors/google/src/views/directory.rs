//! The org units and groups that settings are made for
//! ([org units](https://developers.google.com/workspace/admin/directory/reference/rest/v1/orgunits)).

use std::collections::{BTreeMap, BTreeSet};

use protect_core::posture::{Read, Reader, View};
use serde::Deserialize;

use super::each;
use crate::settings::Target;
use crate::workspace::{GROUPS, ORG_UNITS};

/// The org units and groups. It is there without either: then nobody knows their names, nor which
/// were deleted.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    units: Option<BTreeMap<Box<str>, Unit>>,
    root: Option<Box<str>>,
    /// Addresses by id.
    groups: BTreeMap<Box<str>, String>,
}

#[derive(Debug)]
struct Unit {
    name: String,
    path: String,
    parent: Option<Box<str>>,
}

/// What an org unit's name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    This(Target),
    /// Several have the name, or nobody knows.
    Unknown,
    /// None has it: it was renamed or deleted.
    Gone,
}

impl View for Directory {
    const PATHS: &'static [&'static str] = &[ORG_UNITS, GROUPS];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let mut directory = Self::default();
        if read.has(ORG_UNITS)? {
            let mut units = BTreeMap::new();
            each(read, ORG_UNITS, |wire: UnitWire| {
                let top = wire.parent_org_unit_path.as_deref() == Some("/");
                let parent = wire.parent_org_unit_id.as_deref().map(bare);
                if wire.org_unit_path == "/" {
                    directory.root = Some(bare(&wire.org_unit_id));
                } else if top && directory.root.is_none() {
                    directory.root.clone_from(&parent);
                }
                let unit = Unit {
                    name: wire.name.unwrap_or_default(),
                    path: wire.org_unit_path,
                    parent,
                };
                units.insert(bare(&wire.org_unit_id), unit);
            })?;
            directory.units = Some(units);
        }
        if read.has(GROUPS)? {
            each(read, GROUPS, |group: GroupWire| {
                let email = group.email.unwrap_or_default().to_lowercase();
                directory.groups.insert(bare(&group.id), email);
            })?;
        }
        Ok(directory)
    }
}

impl Directory {
    /// Whether the org units were listed.
    pub(crate) fn knows_units(&self) -> bool {
        self.units.is_some()
    }

    /// The id of the org unit above all others.
    pub(crate) fn root(&self) -> Option<&str> {
        self.root.as_deref()
    }

    /// Whether the org unit of an id was deleted. The root may not be in the list.
    pub(crate) fn is_deleted(&self, id: &str) -> bool {
        let listed = |units: &BTreeMap<_, _>| units.contains_key(id);
        self.root() != Some(id) && !self.units.as_ref().is_none_or(listed)
    }

    /// Where an org unit takes from what nobody set for it.
    pub(crate) fn parent(&self, target: &Target) -> Target {
        let Target::OrgUnit(id) = target else {
            return Target::Root;
        };
        let unit = self.units.as_ref().and_then(|units| units.get(id));
        match unit.and_then(|unit| unit.parent.clone()) {
            Some(parent) if Some(&*parent) != self.root() => Target::OrgUnit(parent),
            _ => Target::Root,
        }
    }

    /// The org unit that the log calls by a name; `seen` are all the names it uses. Without the
    /// list, a name that stands alone is the root's.
    pub(crate) fn unit(&self, name: &str, seen: &BTreeSet<Box<str>>) -> Named {
        let of_name = self.of_name(name);
        let root = self.root().unwrap_or_default();
        match (&self.units, of_name.as_slice()) {
            (Some(_), [id]) if *id == root => Named::This(Target::Root),
            (Some(_), [id]) => Named::This(Target::OrgUnit((*id).into())),
            (Some(_), [_, _, ..]) => Named::Unknown,
            (Some(units), []) if !units.is_empty() => Named::Gone,
            (_, _) if seen.len() == 1 => Named::This(Target::Root),
            (Some(_), []) => Named::Gone,
            (None, _) => Named::This(Target::OrgUnit(name.into())),
        }
    }

    fn of_name(&self, name: &str) -> Vec<&str> {
        let units = self.units.iter().flatten();
        let of_name = units.filter(|(_, unit)| unit.name.eq_ignore_ascii_case(name));
        of_name.map(|(id, _)| &**id).collect()
    }

    /// The group of an address.
    pub(crate) fn group(&self, email: &str) -> Target {
        let found = self
            .groups
            .iter()
            .find(|(_, it)| it.eq_ignore_ascii_case(email));
        let id = found.map(|(id, _)| id.clone());
        Target::Group(id.unwrap_or_else(|| email.to_lowercase().into()))
    }

    /// What people call it.
    pub(crate) fn label(&self, target: &Target) -> String {
        match target {
            Target::Root => "/".to_owned(),
            Target::OrgUnit(id) => {
                let unit = self.units.as_ref().and_then(|units| units.get(id));
                unit.map_or_else(|| id.to_string(), |unit| unit.path.clone())
            }
            Target::Group(id) => {
                let email = self.groups.get(id);
                email.cloned().unwrap_or_else(|| id.to_string())
            }
        }
    }
}

/// An id without what Google puts before it in one place and not in another.
pub(crate) fn bare(id: &str) -> Box<str> {
    let stripped = ["id:", "orgUnits/", "groups/"]
        .iter()
        .find_map(|prefix| id.strip_prefix(prefix));
    stripped.unwrap_or(id).into()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UnitWire {
    org_unit_id: String,
    org_unit_path: String,
    name: Option<String>,
    parent_org_unit_id: Option<String>,
    parent_org_unit_path: Option<String>,
}

#[derive(Deserialize)]
struct GroupWire {
    id: String,
    email: Option<String>,
}
