//! The application that reads key vaults.

use std::collections::BTreeMap;

use crate::config::model::KeyVaultConfig;
use crate::config::read::{Node, Table};
use crate::secret::SecretRef;

/// Reads `[key_vault]`.
pub(super) fn read(node: &Node<'_>) -> Option<KeyVaultConfig> {
    let table = node.table()?;
    let tenant_id = table.need(
        "tenant_id",
        "the Entra tenant: its GUID or a verified domain",
    );
    let client_id = table.need("client_id", "the application's id, a GUID");
    let mut secrets = BTreeMap::new();
    let read = ["client_secret", "certificate", "private_key"]
        .map(|key| put_secret(&table, key, &mut secrets));
    let cloud = table.get("cloud");
    let login = table.get("login");
    table.finish();
    if read.contains(&None) {
        return None;
    }
    let mut secret = |key: &str| secrets.remove(key);
    let (client_secret, certificate, private_key) = (
        secret("client_secret"),
        secret("certificate"),
        secret("private_key"),
    );
    match (&client_secret, &certificate, &private_key) {
        (Some(_), None, None) | (None, Some(_), Some(_)) => {}
        _ => {
            return node.wrong("give either `client_secret`, or `certificate` with `private_key`");
        }
    }
    let words = ["global", "gcc_high", "dod", "china"].map(|word| (word, word));
    let cloud = cloud.map_or(Some(None), |node| node.word("cloud", &words).map(Some));
    let login = login.map_or(Some(None), |node| {
        super::connection::root_url(&node, false).map(Some)
    });
    Some(KeyVaultConfig {
        tenant_id: tenant_id?.text()?.to_owned(),
        client_id: client_id?.text()?.to_owned(),
        client_secret,
        certificate,
        private_key,
        cloud: cloud?.map(str::to_owned),
        login: login?,
    })
}

/// Notes a secret, which may be left out, and stands in no vault: the vault could not be read without
/// it. `None` where it is wrong.
fn put_secret(
    table: &Table<'_>,
    key: &'static str,
    secrets: &mut BTreeMap<&'static str, SecretRef>,
) -> Option<()> {
    let Some(node) = table.get(key) else {
        return Some(());
    };
    match super::secret::read(&node)? {
        SecretRef::KeyVault { .. } => node.wrong("what opens the vault does not stand in a vault"),
        reference => {
            secrets.insert(key, reference);
            Some(())
        }
    }
}
