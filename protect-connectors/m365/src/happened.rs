//! What happened, as the logs in a snapshot tell of it.

use protect_core::model::Signal;
use protect_core::posture::{Log, Logs, Read, Reader};
use serde::de::DeserializeOwned;

use crate::config::Options;
use crate::detections;
use crate::model::{Alert, DirectoryAudit, RiskDetection, SecureScore, SignIn};
use crate::signals::{ALERTS, DIRECTORY_AUDITS, RISK_DETECTIONS, SECURE_SCORES, SIGN_INS};
use crate::streams::Stream;

/// The logs that a snapshot may hold.
pub(crate) static LOGS: Logs = Logs {
    logs: &[
        Log {
            path: RISK_DETECTIONS,
            beside: &[],
            checks: || vec![Stream::RiskDetections.check()],
            signals: |read| signals::<RiskDetection>(read, RISK_DETECTIONS),
        },
        Log {
            path: ALERTS,
            beside: &[],
            checks: || vec![Stream::Alerts.check()],
            signals: |read| signals::<Alert>(read, ALERTS),
        },
        Log {
            path: SIGN_INS,
            beside: &[],
            checks: || vec![Stream::SignIns.check()],
            signals: |read| signals::<SignIn>(read, SIGN_INS),
        },
        Log {
            path: DIRECTORY_AUDITS,
            beside: &[],
            checks: || vec![Stream::DirectoryAudits.check()],
            signals: |read| signals::<DirectoryAudit>(read, DIRECTORY_AUDITS),
        },
        Log {
            path: SECURE_SCORES,
            beside: &[],
            checks: || vec![Stream::SecureScore.check()],
            signals: |read| signals::<SecureScore>(read, SECURE_SCORES),
        },
    ],
    detections: || detections::all(&Options::default()),
};

fn signals<T: DeserializeOwned + Into<Signal>>(
    read: &Reader<'_>,
    path: &'static str,
) -> Read<Vec<Signal>> {
    let mut signals = Vec::new();
    read.each(path, |event: T| signals.push(event.into()))?;
    Ok(signals)
}
