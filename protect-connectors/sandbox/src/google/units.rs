//! Organizational units: a tree by paths.

use serde_json::{Value, json};

use super::{
    Google,
    domains::whole,
    error::{Answer, Refusal},
    operation::Ask,
    page::Named,
};
use crate::{
    faults::FaultKind,
    request::{Context, decode},
    rng::Rng,
};

/// The unit above all others, which the path `/` names.
pub(crate) const ROOT: usize = 0;
pub(crate) const CONTRACTORS: usize = 5;
pub(crate) const SERVICE: usize = 7;
/// Units that people work in.
pub(crate) const DEPARTMENTS: [usize; 5] = [1, 2, 3, 4, 6];

/// Name and the unit above.
const TREE: [(&str, usize); 8] = [
    ("Acme", ROOT),
    ("Engineering", ROOT),
    ("Finance", ROOT),
    ("IT", ROOT),
    ("Sales", ROOT),
    ("Contractors", 1),
    ("Berlin", 4),
    ("Service Accounts", ROOT),
];

/// Whether two-step verification is enforced in this unit.
pub(crate) fn enforces(unit: usize) -> bool {
    ![CONTRACTORS, SERVICE].contains(&unit)
}

pub(crate) struct Units {
    units: Vec<Unit>,
}

struct Unit {
    id: String,
    name: String,
    parent: usize,
    deleted: bool,
}

impl Units {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, "google units");
        let units = TREE.map(|(name, parent)| Unit {
            id: format!("03ph8a2z{}", rng.base32(7).to_lowercase()),
            name: name.to_owned(),
            parent,
            deleted: false,
        });
        Self {
            units: units.into(),
        }
    }

    pub(crate) fn id(&self, unit: usize) -> &str {
        self.units.get(unit).map_or("", |it| it.id.as_str())
    }

    pub(crate) fn name(&self, unit: usize) -> &str {
        self.units.get(unit).map_or("", |it| it.name.as_str())
    }

    /// The path of a unit; that of the root where it was deleted.
    pub(crate) fn path(&self, unit: usize) -> String {
        match self.units.get(unit) {
            Some(found) if unit != ROOT && !found.deleted => {
                let above = self.path(found.parent);
                format!("{}/{}", above.trim_end_matches('/'), found.name)
            }
            _ => "/".to_owned(),
        }
    }

    /// The unit with this path, or this identifier behind `id:`.
    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        if let Some(id) = key.strip_prefix("id:") {
            return self.units.iter().position(|it| it.id == id && !it.deleted);
        }
        let path = format!("/{}", key.trim_matches('/'));
        let mut live = (0..self.units.len()).filter(|it| *it == ROOT || !self.units[*it].deleted);
        live.find(|unit| self.path(*unit) == path)
    }

    /// Renames a unit, or deletes it with those below; false for an unknown one or the root.
    pub(crate) fn edit(&mut self, path: &str, name: Option<String>, deleted: bool) -> bool {
        let Some(unit) = self.find(path).filter(|unit| *unit != ROOT) else {
            return false;
        };
        if let Some(name) = name {
            self.units[unit].name = name;
        }
        if deleted {
            let gone: Vec<usize> = (0..self.units.len())
                .filter(|it| *it == unit || self.is_below(*it, unit))
                .collect();
            for unit in gone {
                self.units[unit].deleted = true;
            }
        }
        true
    }

    fn is_below(&self, unit: usize, above: usize) -> bool {
        unit != ROOT
            && (self.units[unit].parent == above || self.is_below(self.units[unit].parent, above))
    }

    fn shown(&self, unit: usize) -> Value {
        let found = &self.units[unit];
        let mut shown = json!({
            "kind": "admin#directory#orgUnit",
            "etag": format!("\"{}\"", found.id),
            "name": found.name,
            "description": "",
            "orgUnitId": format!("id:{}", found.id),
            "orgUnitPath": self.path(unit),
            "blockInheritance": false,
        });
        if unit != ROOT {
            shown["parentOrgUnitId"] = Value::from(format!("id:{}", self.units[found.parent].id));
            shown["parentOrgUnitPath"] = Value::from(self.path(found.parent));
        }
        shown
    }
}

impl Google {
    pub(super) fn list_units(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.check_customer(ask.id(0))?;
        let kinds = ["children", "all", "allIncludingParent"];
        let kind = ask.word("type", &kinds, cx)?;
        let from = match ask.parameter("orgUnitPath") {
            Some(path) => decode(path).and_then(|path| self.units.find(&path)),
            None => Some(ROOT),
        };
        let from = from.ok_or_else(|| Refusal::not_found("Org unit not found"))?;
        let units = &self.units;
        let wanted = |unit: &usize| match kind {
            "children" => *unit != ROOT && units.units[*unit].parent == from,
            "all" => units.is_below(*unit, from),
            _ => *unit == from || units.is_below(*unit, from),
        };
        let live = (0..units.units.len()).filter(|it| !units.units[*it].deleted);
        let mut rows: Vec<Value> = live.filter(wanted).map(|unit| units.shown(unit)).collect();
        if cx.struck.has(FaultKind::UnitsMoved) {
            rows.pop();
            if let Some(moved) = rows.last_mut() {
                moved["name"] = Value::from("Renamed");
                moved["orgUnitPath"] = Value::from("/Renamed");
            }
        }
        let cut = whole(rows);
        let named = Named {
            kind: Some("admin#directory#orgUnits"),
            list: "organizationUnits",
        };
        Ok(self.listed(ask, named, cut, cx))
    }
}
