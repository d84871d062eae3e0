//! Secrets: references only, and no message that repeats what stood there.

use crate::config::read::{Node, Table};
use crate::secret::SecretRef;
use serde_json::Value;

const HOW: &str = "write a reference: { env = \"NAME\" }, { file = \"path\" }, { command = [\"program\", \"argument\"] } or { key_vault = \"https://NAME.vault.azure.net\", name = \"SECRET\" }";

type ReadSort = fn(&Table<'_>) -> Option<SecretRef>;

/// Reads the reference to a secret.
pub(super) fn read(node: &Node<'_>) -> Option<SecretRef> {
    let Value::Object(map) = node.value else {
        return node.wrong(format!(
            "a secret does not stand in the configuration; {HOW}"
        ));
    };
    let table = node.table()?;
    let sorts: [(&str, ReadSort); 5] = [
        ("env", env),
        ("file", file),
        ("command", command),
        ("key_vault", key_vault),
        ("provided", provided),
    ];
    let mut found = sorts
        .iter()
        .filter(|(key, _)| map.get(*key).is_some_and(|value| !value.is_null()));
    match (found.next(), found.next()) {
        (Some((_, read)), None) => {
            let reference = read(&table);
            table.finish();
            reference
        }
        (Some(_), Some(_)) => node.wrong(format!("two references at once; {HOW}")),
        (None, _) => node.wrong(format!("not a reference to a secret; {HOW}")),
    }
}

/// A name that cannot be a variable's may be the secret itself, put in the wrong place.
fn env(table: &Table<'_>) -> Option<SecretRef> {
    let node = table.get("env")?;
    let name = node.text()?;
    let is_name = name.len() <= 128
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name {
        return node.wrong(
            "not the name of an environment variable: letters, digits and `_`, no digit first",
        );
    }
    Some(SecretRef::Env {
        env: name.to_owned(),
    })
}

fn file(table: &Table<'_>) -> Option<SecretRef> {
    let file = table.get("file")?.path()?;
    Some(SecretRef::File { file })
}

fn command(table: &Table<'_>) -> Option<SecretRef> {
    let node = table.get("command")?;
    if !node.value.is_array() {
        return node.wrong(
            "expected a list, since no shell is involved: [\"program\", \"argument\", ...]",
        );
    }
    let command = node.one_or_more(|word| word.text().map(str::to_owned))?;
    Some(SecretRef::Command { command })
}

fn key_vault(table: &Table<'_>) -> Option<SecretRef> {
    let vault = table.get("key_vault")?;
    let name = table.need("name", "the secret's name in the vault");
    let url = super::connection::root_url(&vault, false);
    Some(SecretRef::KeyVault {
        key_vault: url?,
        name: name?.text()?.to_owned(),
    })
}

fn provided(table: &Table<'_>) -> Option<SecretRef> {
    let provided = table.get("provided")?.text()?.to_owned();
    Some(SecretRef::Provided { provided })
}
