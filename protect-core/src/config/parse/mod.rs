//! From text to [`Config`].

mod action;
mod client;
mod connection;
mod json;
mod people;
mod secret;
mod tenant;
mod vault;
mod when;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use self::json::{TWICE, Unique};
use super::model::{Config, LedgerConfig, StoreConfig};
use super::problem::{ConfigErrors, Place};
use super::read::{Node, Reader};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Mode;
use crate::registry::Registry;

/// In which language a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigFormat {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

impl Config {
    /// Parses a configuration against the kinds of connector that this program knows. Relative
    /// paths stay relative.
    ///
    /// # Errors
    /// `config_invalid` with every problem and its place, also as [`ConfigErrors`]; `unsupported`
    /// where the only problem is something planned.
    pub fn parse(text: &str, format: ConfigFormat, registry: &Registry) -> Result<Self> {
        parse_in(text, format, registry, Path::new(""))
    }

    /// [`Config::parse`] of TOML.
    ///
    /// # Errors
    /// As there.
    pub fn from_toml(text: &str, registry: &Registry) -> Result<Self> {
        Self::parse(text, ConfigFormat::Toml, registry)
    }

    /// [`Config::parse`] of JSON.
    ///
    /// # Errors
    /// As there.
    pub fn from_json(text: &str, registry: &Registry) -> Result<Self> {
        Self::parse(text, ConfigFormat::Json, registry)
    }

    /// Parses what a Python dict or JavaScript object of the same shape became; null counts as
    /// left out.
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn from_value(value: &Value, registry: &Registry) -> Result<Self> {
        from_value_in(value, registry, Path::new(""))
    }

    /// Reads and parses a file: JSON where its name ends in `.json`, otherwise TOML. Relative
    /// paths in it are resolved against its folder.
    ///
    /// # Errors
    /// As [`Config::parse`], and `config_invalid` where the file cannot be read.
    pub fn load(path: &Path, registry: &Registry) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(
                ErrorKind::ConfigInvalid,
                format!("cannot read the configuration: {}", error.kind()),
            )
            .with_context("file", path.display().to_string())
        })?;
        let is_json = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let format = if is_json {
            ConfigFormat::Json
        } else {
            ConfigFormat::Toml
        };
        parse_in(
            &text,
            format,
            registry,
            path.parent().unwrap_or(Path::new("")),
        )
    }
}

fn parse_in(
    text: &str,
    format: ConfigFormat,
    registry: &Registry,
    folder: &Path,
) -> Result<Config> {
    let value = match format {
        ConfigFormat::Toml => read_toml(text)?,
        ConfigFormat::Json => read_json(text)?,
    };
    from_value_in(&value, registry, folder)
}

fn from_value_in(value: &Value, registry: &Registry, folder: &Path) -> Result<Config> {
    let reader = Reader::new(registry, folder);
    let config = read_config(&Node {
        value,
        place: Place::default(),
        reader: &reader,
    });
    if let Some(error) = ConfigErrors::into_error(reader.into_problems()) {
        return Err(error);
    }
    config.ok_or_else(|| Error::unexpected("a configuration was refused without a reason"))
}

/// The parser's own message quotes the line, where a secret may stand: only the place is kept.
fn read_toml(text: &str) -> Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let before = text.get(..offset).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        not_readable("not TOML", line, column)
    })?;
    Ok(to_json(toml::Value::Table(table)))
}

/// What TOML has and JSON has not (dates, infinities) becomes text, which no key but one of text
/// accepts.
fn to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .map_or_else(|| Value::String(number.to_string()), Value::Number),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(table) => {
            let entries = table.into_iter();
            Value::Object(entries.map(|(key, value)| (key, to_json(value))).collect())
        }
    }
}

fn read_json(text: &str) -> Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Unique(value) = serde_json::from_str(text).map_err(|error| {
        let what = if error.to_string().starts_with(TWICE) {
            TWICE
        } else {
            "not JSON"
        };
        not_readable(what, error.line(), error.column())
    })?;
    Ok(value)
}

fn not_readable(what: &str, line: usize, column: usize) -> Error {
    Error::new(
        ErrorKind::ConfigInvalid,
        format!("{what}: see line {line}, column {column}"),
    )
}

fn read_config(root: &Node<'_>) -> Option<Config> {
    let table = root.table()?;
    let mode = table.get("mode").map_or(Some(Mode::default()), |node| {
        node.word(
            "mode",
            &[("dry_run", Mode::DryRun), ("enforce", Mode::Enforce)],
        )
    });
    let store = table.get("store");
    let ledger = table.get("ledger");
    let key_vault = table.get("key_vault");
    let connections = table.get("connections");
    let tenants = table.get("tenants");
    table.finish();

    let store = store.map_or(Some(StoreConfig::default()), |node| read_store(&node));
    let ledger = ledger.map_or(Some(LedgerConfig::default()), |node| read_ledger(&node));
    let key_vault = key_vault.map_or(Some(None), |node| vault::read(&node).map(Some));
    let tenant_ids = tenants.as_ref().map(tenant::declared).unwrap_or_default();
    let connections = connections.map(|node| connection::read_all(&node, &tenant_ids));
    let connections = connections.unwrap_or_default();
    let tenants = tenants.map_or_else(
        || Some(BTreeMap::new()),
        |node| tenant::read_all(&node, &connections),
    );
    Some(Config {
        mode: mode?,
        store: store?,
        ledger: ledger?,
        key_vault: key_vault?,
        connections: connections.into_whole()?,
        tenants: tenants?,
    })
}

#[derive(Clone, Copy)]
enum StoreKind {
    Memory,
    Sqlite,
    Postgres,
}

fn read_store(node: &Node<'_>) -> Option<StoreConfig> {
    let table = node.table()?;
    let kind_node = table.need("kind", "\"sqlite\" or \"memory\"");
    let path = table.get("path");
    let kind = kind_node.as_ref()?.word(
        "kind of store",
        &[
            ("sqlite", StoreKind::Sqlite),
            ("memory", StoreKind::Memory),
            ("postgres", StoreKind::Postgres),
        ],
    )?;
    match kind {
        StoreKind::Postgres => kind_node?
            .unsupported("`postgres` is planned and not there yet; write `sqlite` with a `path`"),
        StoreKind::Memory => {
            table.finish();
            match path {
                Some(path) => path.wrong("a store in memory has no path"),
                None => Some(StoreConfig::Memory),
            }
        }
        StoreKind::Sqlite => {
            let path = table.need("path", "where the file is, such as \"protect.db\"");
            table.finish();
            Some(StoreConfig::Sqlite {
                path: path?.path()?,
            })
        }
    }
}

fn read_ledger(node: &Node<'_>) -> Option<LedgerConfig> {
    let table = node.table()?;
    let key = table.get("key");
    table.finish();
    match key {
        None => Some(LedgerConfig::default()),
        Some(key) => Some(LedgerConfig {
            key: Some(secret::read(&key)?),
        }),
    }
}
