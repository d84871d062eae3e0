//! Documents as Graph shows them, in collections. A field whose name begins with `_` is not shown.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

#[derive(Debug, Default)]
pub(crate) struct Store {
    collections: BTreeMap<&'static str, Vec<Value>>,
    singles: BTreeMap<&'static str, Value>,
    /// What reads still show in place of single documents, and how often.
    late: BTreeMap<&'static str, (Value, u32)>,
}

impl Store {
    pub(crate) fn list(&self, collection: &str) -> &[Value] {
        self.collections.get(collection).map_or(&[], Vec::as_slice)
    }

    /// The documents whose field names this object.
    pub(crate) fn children(&self, collection: &str, field: &str, id: &str) -> Vec<&Value> {
        self.list(collection)
            .iter()
            .filter(|document| is(document, field, id))
            .collect()
    }

    pub(crate) fn find(&self, collection: &str, field: &str, id: &str) -> Option<&Value> {
        self.list(collection)
            .iter()
            .find(|document| is(document, field, id))
    }

    pub(crate) fn find_mut(
        &mut self,
        collection: &str,
        field: &str,
        id: &str,
    ) -> Option<&mut Value> {
        self.collections
            .get_mut(collection)?
            .iter_mut()
            .find(|document| is(document, field, id))
    }

    pub(crate) fn single(&self, name: &str) -> Option<&Value> {
        self.singles.get(name)
    }

    /// What a read shows, which may be the state before the last write.
    pub(crate) fn read_single(&mut self, name: &str) -> Option<Value> {
        if let Some((old, left)) = self.late.get_mut(name)
            && *left > 0
        {
            *left -= 1;
            return Some(old.clone());
        }
        self.singles.get(name).cloned()
    }

    /// Lets the next reads show what was.
    pub(crate) fn show_late(&mut self, name: &'static str, before: Value, reads: u32) {
        self.late.insert(name, (before, reads));
    }

    pub(crate) fn single_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.singles.get_mut(name)
    }

    pub(crate) fn set(&mut self, name: &'static str, document: Value) {
        self.singles.insert(name, document);
    }

    pub(crate) fn add(&mut self, collection: &'static str, document: Value) {
        self.collections
            .entry(collection)
            .or_default()
            .push(document);
    }

    pub(crate) fn replace(&mut self, collection: &'static str, documents: Vec<Value>) {
        self.collections.insert(collection, documents);
    }

    /// Replaces a collection, by a list or by a page that holds one, or a single document; false for
    /// an unknown name or another type.
    pub(crate) fn put(&mut self, name: &str, document: Value) -> bool {
        if let Some(collection) = self.collections.get_mut(name) {
            let list = document.get("value").unwrap_or(&document).as_array();
            return list.map(|list| collection.clone_from(list)).is_some();
        }
        match self.singles.get_mut(name) {
            Some(single) if document.is_object() => {
                *single = document;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn remove(&mut self, collection: &str, field: &str, id: &str) -> Option<Value> {
        let documents = self.collections.get_mut(collection)?;
        let place = documents.iter().position(|it| is(it, field, id))?;
        Some(documents.remove(place))
    }
}

/// Graph does not care for the case of identifiers.
fn is(document: &Value, field: &str, id: &str) -> bool {
    document
        .get(field)
        .and_then(Value::as_str)
        .is_some_and(|found| found.eq_ignore_ascii_case(id))
}

/// Takes over the fields of `change`, those of objects one by one; answers what they were.
pub(crate) fn merge(document: &mut Value, change: &Map<String, Value>) -> Value {
    let mut before = Map::new();
    let Value::Object(document) = document else {
        return Value::Null;
    };
    for (name, value) in change {
        let old = document.entry(name.clone()).or_insert(Value::Null);
        let was = match (&mut *old, value) {
            (Value::Object(_), Value::Object(inner)) => merge(old, inner),
            _ => std::mem::replace(old, value.clone()),
        };
        before.insert(name.clone(), was);
    }
    Value::Object(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_changes_what_it_names_and_tells_what_it_was() {
        let mut document = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        let change = json!({"a": {"b": 9}, "d": []});
        let before = merge(&mut document, change.as_object().unwrap());
        assert_eq!(document, json!({"a": {"b": 9, "c": 2}, "d": []}));
        assert_eq!(before, json!({"a": {"b": 1}, "d": [1]}));
    }
}
