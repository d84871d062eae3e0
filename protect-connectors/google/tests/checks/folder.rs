//! Customers in the other forms that a snapshot may have.

use protect_core::posture::{FolderWriter, Snapshot};
use protect_google::FORMAT;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// The same customer with every collection as a bare list.
pub(crate) fn as_lists(customer: &Value) -> Value {
    let list = |body: &Value| {
        let fields = body.as_object();
        let items = fields.and_then(|it| it.values().find(|it| it.is_array()));
        items.cloned().unwrap_or_else(|| body.clone())
    };
    let mut lists = customer.clone();
    for part in [
        "domains",
        "orgunits",
        "groups",
        "roles",
        "role_assignments",
        "policies",
        "domain_aliases",
    ] {
        if customer[part].is_object() {
            lists[part] = list(&customer[part]);
        }
    }
    lists["activities"]["admin"] = list(&customer["activities"]["admin"]);
    lists
}

/// The same customer as a folder in which every line is an item, or a page of one item whose token
/// leads to the next.
pub(crate) fn as_folder(customer: &Value, pages: bool) -> (TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = FolderWriter::create(folder.path()).unwrap();
    let manifest = write(&mut writer, customer, pages);
    writer.finish(manifest).unwrap();
    let snapshot = Snapshot::open(folder.path(), &FORMAT).unwrap();
    (folder, snapshot)
}

/// Writes the parts of a customer, and gives the rest.
pub(crate) fn write(
    writer: &mut FolderWriter,
    customer: &Value,
    pages: bool,
) -> Map<String, Value> {
    let lists = as_lists(customer);
    let mut manifest = Map::new();
    for (name, body) in lists.as_object().unwrap() {
        match name.as_str() {
            "provider" | "customer_id" | "collected_at" | "granted" | "config" => {
                manifest.insert(name.clone(), body.clone());
            }
            "activities" | "dns" => {
                for (within, body) in body.as_object().unwrap() {
                    part(writer, &format!("{name}/{within}"), body, pages);
                }
            }
            _ => part(writer, name, body, pages),
        }
    }
    manifest
}

fn part(writer: &mut FolderWriter, path: &str, body: &Value, pages: bool) {
    let Some(items) = body.as_array() else {
        return writer.line(path, body).unwrap();
    };
    writer.touch(path).unwrap();
    for (number, item) in items.iter().enumerate() {
        if !pages {
            writer.line(path, item).unwrap();
            continue;
        }
        let mut page = json!({ "kind": "x", "items": [item] });
        if number + 1 < items.len() {
            page["nextPageToken"] = format!("page{number}").into();
        }
        writer.line(path, &page).unwrap();
    }
}
