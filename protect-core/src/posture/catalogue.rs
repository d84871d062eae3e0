//! The table of a vendor's checks.

use super::decision::Decision;
use super::format::{Format, is_template};
use super::happened::Logs;
use super::profile::{EvaluateConfig, Profile};
use super::reader::{Read, Reader};
use super::snapshot::Snapshot;
use crate::config::unknown_name;
use crate::error::{Error, Result};
use crate::model::{CheckId, NotEvaluatedReason, Reference, Severity};

/// Everything that is decided about one vendor's tenants.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue {
    /// How its snapshots are written.
    pub format: &'static Format,
    /// Every path that a check may need.
    pub resources: &'static [Resource],
    /// The checks, in the order they are shown.
    pub checks: &'static [Check],
    /// The profiles it knows; the first is the default.
    pub profiles: &'static [&'static str],
    /// Whether the tenant holds one of these licences. Reads [`Catalogue::licence_paths`].
    pub licensed: fn(&Reader<'_>, &[&str]) -> Read<bool>,
    /// What a check with licences needs besides its own paths.
    pub licence_paths: &'static [&'static str],
    /// What an error that the vendor answered means.
    pub vendor_error: fn(&VendorError) -> NotEvaluatedReason,
    /// What a snapshot may hold of what happened, besides how things are.
    pub logs: &'static Logs,
}

/// A path of the vendor's interface.
#[derive(Clone, Copy, Debug)]
pub struct Resource {
    /// The path, with `{id}` where there is one per object. After `#` may stand a field of the
    /// collection's items that needs a permission of its own.
    pub path: &'static str,
    /// The permissions that open it: any one will do. Empty where none is needed.
    pub permissions: &'static [&'static str],
}

/// An error that the vendor answered in place of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VendorError {
    /// The vendor's code (`Authorization_RequestDenied`), or its number as text.
    pub code: String,
    /// The vendor's text. To be shown to nobody.
    pub message: String,
}

/// One thing that is decided.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its id (`m365.ca.legacy_auth_blocked`).
    pub id: &'static str,
    /// What holds where it passes, in a few words.
    pub title: &'static str,
    /// How bad it is where it does not.
    pub severity: Severity,
    /// What it must be able to read.
    pub needs: Needs,
    /// The licences without which it has no meaning: any one will do.
    pub licences: &'static [&'static str],
    /// Where the rule comes from.
    pub references: &'static [Source],
    /// What can be tuned by `level`.
    pub level: Option<Level>,
    /// What its failures are about.
    pub affects: Affects,
    /// Whether a tenant as the vendor makes it would pass, where that is known.
    pub default_compliant: Option<bool>,
    /// What to do about a failure.
    pub hint: &'static str,
    /// Decides.
    pub decide: fn(&Reader<'_>) -> Read<Decision>,
}

/// Which paths a check reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// Without any one of these it is `not_evaluated`.
    pub all: &'static [&'static str],
    /// Of each of these groups it needs at least one.
    pub any: &'static [&'static [&'static str]],
    /// What it reads where the rest leaves it undecided, or for one object at a time. Without them it
    /// may be `not_evaluated`.
    pub also: &'static [&'static [&'static str]],
    /// The clouds in which the vendor does not have what it looks at.
    pub missing_in_clouds: &'static [&'static str],
}

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The framework.
    pub framework: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The id within it.
    pub id: &'static str,
}

/// What `level` means to a check.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// What may be written.
    pub form: LevelForm,
    /// What it means, with its unit.
    pub docs: &'static str,
    /// The value per profile; the profile `""` stands for every other.
    pub defaults: &'static [(&'static str, &'static str)],
}

/// What may be written as a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelForm {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A whole number.
    Number,
    /// Two whole numbers, the least and the most: `2-8`.
    Range,
    /// Names with commas between: `google,selector1`.
    Names,
}

/// What a check's failures are about, and so what their findings are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affects {
    /// The tenant's setting at this path.
    Setting(&'static str),
    /// Accounts, by the vendor's id.
    Accounts,
    /// Domains, by name.
    Domains,
    /// Objects, by the vendor's id, of the collection at this path.
    Objects(&'static str),
}

impl Catalogue {
    /// The check of an id.
    pub fn check(&self, id: &str) -> Option<&'static Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// The profile of a name, or the default one.
    ///
    /// # Errors
    /// `invalid_input` naming the nearest known.
    pub fn profile(&self, name: Option<&str>) -> Result<Profile> {
        let name = name.or(self.profiles.first().copied()).unwrap_or_default();
        if !self.profiles.contains(&name) {
            return Err(unknown_name("profile", name, self.profiles.iter().copied()));
        }
        Ok(Profile::named(name))
    }

    /// The profile for a snapshot: the one that is named, else the configuration's, else the snapshot's
    /// own, else the default; with the configuration's settings before the snapshot's.
    ///
    /// # Errors
    /// `config_invalid` or `invalid_input` for a name or setting that does not fit the table.
    pub fn profile_for(
        &self,
        snapshot: &Snapshot,
        name: Option<&str>,
        config: Option<&EvaluateConfig>,
    ) -> Result<Profile> {
        self.verify(snapshot.config())?;
        let mut configs = vec![snapshot.config()];
        if let Some(config) = config {
            self.verify(config)?;
            configs.push(config);
        }
        let configured = configs.iter().rev().find_map(|it| it.profile.as_deref());
        let profile = self.profile(name.or(configured))?;
        Ok(profile.with_checks(config.map(|it| it.checks.clone()).unwrap_or_default()))
    }

    /// Whether what somebody configured fits the table.
    ///
    /// # Errors
    /// `config_invalid` naming the place and what would be right.
    pub fn verify(&self, config: &EvaluateConfig) -> Result<()> {
        if let Some(profile) = &config.profile {
            self.profile(Some(profile))?;
        }
        for (id, settings) in &config.checks {
            let Some(check) = self.check(id) else {
                let known = self.checks.iter().map(|check| check.id);
                return Err(unknown_name("check", id, known));
            };
            if let Some(level) = &settings.level {
                check.verify_level(level)?;
            }
        }
        Ok(())
    }

    /// The permissions without which a check is not evaluated, and which are not granted: of each that
    /// it could do with, the first.
    pub fn lacking(&self, check: &'static Check, granted: &[&str]) -> Vec<&'static str> {
        let is_open = |path: &&'static str| {
            let permissions = self.resource(path).map_or(&[][..], |it| it.permissions);
            permissions.is_empty() || permissions.iter().any(|it| granted.contains(it))
        };
        let licences = self.licence_paths.iter().map(std::slice::from_ref);
        let licences = licences.filter(|_| !check.licences.is_empty());
        let closed = check.needs.groups().chain(licences);
        let closed = closed.filter(|group| !group.iter().any(is_open));
        let firsts = closed.filter_map(|group| self.resource(group.first()?)?.permissions.first());
        let mut lacking: Vec<_> = firsts.copied().collect();
        lacking.sort_unstable();
        lacking.dedup();
        lacking
    }

    /// The resource of a path.
    pub fn resource(&self, path: &str) -> Option<&'static Resource> {
        self.resources.iter().find(|resource| resource.path == path)
    }
}

impl Check {
    /// Its id as the model has it.
    ///
    /// # Errors
    /// `unexpected` for a table with a malformed id.
    pub fn check_id(&self) -> Result<CheckId> {
        CheckId::new(self.id)
            .map_err(|error| Error::unexpected("a check's id is malformed").with_source(error))
    }

    /// Its references as the model has them.
    pub fn references(&self) -> Vec<Reference> {
        self.references
            .iter()
            .map(|source| Reference {
                framework: source.framework.to_owned(),
                version: source.version.to_owned(),
                id: source.id.to_owned(),
            })
            .collect()
    }

    /// The level where nobody set one.
    pub fn default_level(&self, profile: &str) -> Option<&'static str> {
        let defaults = self.level?.defaults;
        let of = |name: &str| {
            let found = defaults.iter().find(|(profile, _)| *profile == name);
            found.map(|(_, level)| *level)
        };
        of(profile).or_else(|| of(""))
    }

    /// Whether a level may be written so.
    ///
    /// # Errors
    /// `config_invalid` saying what may be.
    pub fn verify_level(&self, level: &str) -> Result<()> {
        let wrong = |what: String| {
            Err(Error::config(
                format!("checks.{}.level", self.id),
                format!("the level is {what}"),
            ))
        };
        let Some(known) = self.level else {
            return wrong("not used by this check".to_owned());
        };
        match known.form {
            LevelForm::Words(words) if !words.contains(&level) => {
                wrong(format!("one of {}", words.join(", ")))
            }
            LevelForm::Number if level.parse::<u32>().is_err() => {
                wrong("a whole number".to_owned())
            }
            LevelForm::Names if !level.split(',').all(is_name) => {
                wrong("names with commas between, such as `google,selector1`".to_owned())
            }
            LevelForm::Range if range(level).is_none() => {
                wrong("two whole numbers, the least and the most, such as `2-8`".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Every path it may read.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        let groups = self.needs.any.iter().chain(self.needs.also);
        let grouped = groups.flat_map(|group| group.iter().copied());
        self.needs.all.iter().copied().chain(grouped)
    }
}

impl Needs {
    /// What must be there, one way or another: each group needs one of its paths. A path with a
    /// place for an id is looked for object by object, and is not among them.
    pub(super) fn groups(&self) -> impl Iterator<Item = &'static [&'static str]> {
        let all = self.all.iter().map(std::slice::from_ref);
        all.chain(self.any.iter().copied())
            .filter(|group| !group.iter().any(|path| is_template(path)))
    }
}

/// Whether it may stand between the commas of names.
fn is_name(text: &str) -> bool {
    let may_stand = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let text = text.trim();
    !text.is_empty() && text.chars().all(may_stand)
}

/// `2-8` as two numbers, the first not above the second.
pub(super) fn range(level: &str) -> Option<(u32, u32)> {
    let (least, most) = level.split_once('-')?;
    let (least, most) = (least.trim().parse().ok()?, most.trim().parse().ok()?);
    (least <= most).then_some((least, most))
}
