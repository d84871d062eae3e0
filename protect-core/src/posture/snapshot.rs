//! What a vendor answered at one time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::folder;
use super::format::{Bodies, Format};
use super::profile::EvaluateConfig;
use crate::error::{Error, ErrorKind, Result};

/// The largest snapshot that may be one file. A larger one is a folder.
pub const MAX_FILE_BYTES: u64 = 50 * 1024 * 1024;

/// What a vendor answered at one time, in the vendor's own shapes.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) format: &'static Format,
    pub(super) tenant: String,
    pub(super) cloud: String,
    pub(super) collected_at: Timestamp,
    pub(super) granted: Option<BTreeSet<String>>,
    pub(super) config: EvaluateConfig,
    pub(super) bodies: BTreeMap<String, Body>,
}

/// Where an answer lies.
#[derive(Debug)]
pub(super) enum Body {
    /// Here.
    Json(Box<RawValue>),
    /// In a file: items, or whole pages, one a line.
    Lines(PathBuf),
}

impl Snapshot {
    /// Reads a file, or a folder with a manifest.
    ///
    /// # Errors
    /// `invalid_input` for what cannot be read, is too large, is not JSON or not a snapshot of this
    /// vendor; `unsupported` for one of a newer version; `config_invalid` for its `config`.
    pub fn open(path: &Path, format: &'static Format) -> Result<Self> {
        let about = |error: Error| error.with_context("file", path.display().to_string());
        if path.is_dir() {
            return folder::open(path, format).map_err(about);
        }
        read_file(path)
            .and_then(|text| Self::parse(&text, format))
            .map_err(about)
    }

    /// Reads the text of a snapshot that is one file.
    ///
    /// # Errors
    /// As for [`Snapshot::open`].
    pub fn parse(text: &str, format: &'static Format) -> Result<Self> {
        let mut fields = top_level(text)?;
        let mut bodies = BTreeMap::new();
        let mut put = |path: String, raw: Box<RawValue>| {
            bodies.insert(format.key(&path), Body::Json(raw));
        };
        match format.bodies {
            Bodies::Under(field) => {
                let raw = fields.remove(field).ok_or_else(|| not_ours(format))?;
                for (path, body) in by_name(&raw, field)? {
                    put(path, body);
                }
            }
            Bodies::Fields { single, several } => {
                for field in single {
                    if let Some(raw) = fields.remove(*field) {
                        put((*field).to_owned(), raw);
                    }
                }
                for field in several {
                    let Some(raw) = fields.remove(*field) else {
                        continue;
                    };
                    for (name, body) in by_name(&raw, field)? {
                        put(format!("{field}/{name}"), body);
                    }
                }
            }
        }
        Self::of(&fields, format, bodies)
    }

    /// Reads a snapshot that is held as a value.
    ///
    /// # Errors
    /// As for [`Snapshot::open`].
    pub fn from_value(value: &Value, format: &'static Format) -> Result<Self> {
        Self::parse(&value.to_string(), format)
    }

    /// The vendor's id of the tenant.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// When it was collected: the only now that evaluation knows.
    pub fn collected_at(&self) -> Timestamp {
        self.collected_at
    }

    /// The permissions that the collecting credential had; `None` where nobody said.
    pub fn granted(&self) -> Option<&BTreeSet<String>> {
        self.granted.as_ref()
    }

    /// The profile and settings that it carries.
    pub fn config(&self) -> &EvaluateConfig {
        &self.config
    }

    /// A snapshot of everything but the bodies, and these.
    pub(super) fn of(
        fields: &BTreeMap<String, Box<RawValue>>,
        format: &'static Format,
        bodies: BTreeMap<String, Body>,
    ) -> Result<Self> {
        let provider: Option<String> = field(fields, "provider")?;
        if provider.as_deref() != Some(format.provider) {
            return Err(not_ours(format));
        }
        let version: Option<u64> = field(fields, "version")?;
        if version.is_some_and(|version| version > format.version) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the snapshot is of a newer version than this program understands, which is {}",
                    format.version
                ),
            ));
        }
        let config = match fields.get("config").map(|raw| raw.get()) {
            None | Some("null") => EvaluateConfig::default(),
            Some(text) => EvaluateConfig::parse(text)?,
        };
        Ok(Self {
            format,
            tenant: required(fields, format.tenant_field)?,
            cloud: field(fields, "cloud")?.unwrap_or_else(|| "global".to_owned()),
            collected_at: required(fields, "collected_at")?,
            granted: field(fields, "granted")?,
            config,
            bodies,
        })
    }
}

/// The fields of a snapshot or manifest.
pub(super) fn top_level(text: &str) -> Result<BTreeMap<String, Box<RawValue>>> {
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|error| {
        let what = if error.is_data() {
            "the snapshot is not a JSON object"
        } else {
            "the snapshot is not JSON"
        };
        Error::invalid_input(what).with_context("line", error.line().to_string())
    })
}

fn read_file(path: &Path) -> Result<String> {
    let cannot = |error: std::io::Error| {
        Error::invalid_input(format!("the file cannot be read: {}", error.kind()))
            .with_source(error)
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Error::invalid_input(
            "the snapshot is larger than 50 MiB; such a one is a folder with a manifest",
        ));
    }
    String::from_utf8(bytes).map_err(|_| Error::invalid_input("the snapshot is not UTF-8"))
}

fn not_ours(format: &Format) -> Error {
    Error::invalid_input(format!("this is not a snapshot of {}", format.provider))
}

fn by_name(raw: &RawValue, place: &str) -> Result<BTreeMap<String, Box<RawValue>>> {
    serde_json::from_str(raw.get()).map_err(|_| malformed(place))
}

fn required<T: for<'de> Deserialize<'de>>(
    fields: &BTreeMap<String, Box<RawValue>>,
    name: &str,
) -> Result<T> {
    field(fields, name)?.ok_or_else(|| malformed(name))
}

fn field<T: for<'de> Deserialize<'de>>(
    fields: &BTreeMap<String, Box<RawValue>>,
    name: &str,
) -> Result<Option<T>> {
    let Some(raw) = fields.get(name) else {
        return Ok(None);
    };
    serde_json::from_str(raw.get()).map_err(|_| malformed(name))
}

fn malformed(place: &str) -> Error {
    Error::invalid_input("a field of the snapshot is missing or has the wrong form")
        .with_context("field", place)
}
