//! The catalogues of posture checks that this build has, and evaluating a snapshot by one of them.

use std::path::Path;

use protect_core::model::CheckResult;
use protect_core::posture::{Catalogue, EvaluateConfig, Evaluation, Snapshot};
use protect_core::{Error, ErrorKind, Result};

/// The catalogues, by kind.
pub fn catalogues() -> Vec<&'static Catalogue> {
    vec![
        #[cfg(feature = "google")]
        &protect_google::CATALOGUE,
        #[cfg(feature = "m365")]
        &protect_m365::CATALOGUE,
    ]
}

/// The catalogue of a kind.
///
/// # Errors
/// `unsupported` naming those of this build.
pub fn catalogue(kind: &str) -> Result<&'static Catalogue> {
    let all = catalogues();
    let found = all.iter().find(|it| it.format.provider == kind);
    found.copied().ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|it| it.format.provider).collect();
        let known = known.join(", ");
        Error::new(
            ErrorKind::Unsupported,
            format!("this build evaluates snapshots of: {known}"),
        )
    })
}

/// Where a snapshot is.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Its text.
    Text(&'a str),
    /// A file, or a folder with a manifest.
    Path(&'a Path),
}

/// Decides every check of a kind over a snapshot, and finds what happened in the logs that it holds.
/// `profile` and `config` go before what the snapshot carries.
///
/// # Errors
/// `unsupported` for a kind that this build has not and for a snapshot of a newer version;
/// `invalid_input` for what is no snapshot of this kind; `config_invalid` for settings that fit no
/// check.
pub fn evaluate(
    kind: &str,
    source: Source<'_>,
    profile: Option<&str>,
    config: Option<&EvaluateConfig>,
) -> Result<Vec<CheckResult>> {
    let catalogue = catalogue(kind)?;
    let snapshot = match source {
        Source::Text(text) => Snapshot::parse(text, catalogue.format)?,
        Source::Path(path) => Snapshot::open(path, catalogue.format)?,
    };
    let profile = catalogue.profile_for(&snapshot, profile, config)?;
    Ok(Evaluation::new(catalogue, &snapshot, &profile).evaluate())
}
