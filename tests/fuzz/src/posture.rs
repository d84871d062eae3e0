//! Snapshots that somebody made, and the checks over them.

use protect_core::posture::{Profile, Snapshot};

/// Whatever a snapshot holds, every check comes to a result.
pub(crate) fn google(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(snapshot) = Snapshot::parse(&text, &protect_google::FORMAT) {
        let results = protect_google::evaluate(&snapshot, &Profile::scuba());
        assert_eq!(results.len(), protect_google::CATALOGUE.checks.len());
    }
}

/// The same of Microsoft 365.
pub(crate) fn m365(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(snapshot) = Snapshot::parse(&text, &protect_m365::FORMAT) {
        let results = protect_m365::evaluate(&snapshot, &Profile::scuba());
        assert_eq!(results.len(), protect_m365::CATALOGUE.checks.len());
    }
}
