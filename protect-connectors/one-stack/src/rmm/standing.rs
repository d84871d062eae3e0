//! What RMM's list says of one login: pure functions of what it did there.

use jiff::{SignedDuration, Timestamp};
use protect_core::errand::Stage;

use super::remediation::Remediation;

/// "Duplicate" means within this time.
pub(super) const DUPLICATE: SignedDuration = SignedDuration::from_hours(24);

/// Where a remediation stands.
pub(super) fn stage(remediation: &Remediation) -> Stage {
    let waits = match remediation.status.as_deref().unwrap_or_default() {
        "completed" => return Stage::Completed,
        "failed" => return Stage::Failed,
        "cancelled" => return Stage::Cancelled,
        "pending_approval" => "it waits for an approval at the RMM",
        "queued" => "the RMM has it in its queue",
        "executing" => "the RMM is at it",
        _ => "the RMM says of it something that is not known here",
    };
    Stage::Underway(waits.to_owned())
}

/// Whether a login is locked out by RMM at a moment.
pub(super) fn is_locked(known: &[Remediation], now: Timestamp) -> bool {
    let finished = |action: &str| {
        known
            .iter()
            .filter(|it| it.action.as_deref() == Some(action))
            .filter(|it| stage(it) == Stage::Completed)
            .filter_map(|it| Some((it.finished_at?, it.duration_minutes)))
            .max()
    };
    let Some((locked_at, minutes)) = finished("account_lockout") else {
        return false;
    };
    if finished("account_unlock").is_some_and(|(unlocked_at, _)| unlocked_at >= locked_at) {
        return false;
    }
    let minutes = i64::try_from(minutes.unwrap_or_default()).unwrap_or(i64::MAX);
    let lasts = SignedDuration::from_secs(minutes.saturating_mul(60));
    locked_at.checked_add(lasts).is_ok_and(|end| now < end)
}

/// Another request for the same within 24 hours that came to something, or still may.
pub(super) fn duplicate<'a>(
    known: &'a [Remediation],
    action: &str,
    own: &str,
    now: Timestamp,
) -> Option<&'a Remediation> {
    known.iter().find(|it| {
        let is_recent = it
            .created_at
            .is_none_or(|at| now.duration_since(at) < DUPLICATE);
        it.action.as_deref() == Some(action)
            && it.source_ref.as_deref() != Some(own)
            && is_recent
            && !matches!(stage(it), Stage::Failed | Stage::Cancelled)
    })
}

/// Whether the same was done within 24 hours.
pub(super) fn was_done(known: &[Remediation], action: &str, now: Timestamp) -> bool {
    known.iter().any(|it| {
        let is_recent = it
            .finished_at
            .is_some_and(|at| now.duration_since(at) < DUPLICATE);
        it.action.as_deref() == Some(action) && is_recent && stage(it) == Stage::Completed
    })
}

#[cfg(test)]
mod tests {
    use protect_core::model::Attributes;

    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap()
    }

    fn done(action: &str, status: &str, hour: i64) -> Remediation {
        Remediation {
            id: "r".to_owned(),
            status: Some(status.to_owned()),
            action: Some(action.to_owned()),
            email: None,
            source_ref: Some("other".to_owned()),
            duration_minutes: Some(120),
            created_at: Some(at(hour)),
            finished_at: Some(at(hour)),
            attributes: Attributes::new(),
        }
    }

    #[test]
    fn a_lockout_ends_with_its_time_or_with_an_unlock() {
        let lockout = done("account_lockout", "completed", 0);
        assert!(is_locked(std::slice::from_ref(&lockout), at(1)));
        assert!(!is_locked(std::slice::from_ref(&lockout), at(2)));
        let unlocked = [lockout, done("account_unlock", "completed", 1)];
        assert!(!is_locked(&unlocked, at(1)));
        assert!(!is_locked(
            &[done("account_lockout", "pending_approval", 0)],
            at(1)
        ));
    }

    #[test]
    fn what_failed_or_is_a_day_old_is_no_duplicate() {
        let reset = "force_password_reset";
        let is = |status: &str, hour| {
            let known = [done(reset, status, 0)];
            duplicate(&known, reset, "own", at(hour)).is_some()
        };
        assert!(is("completed", 23) && is("pending_approval", 1) && is("invented_later", 1));
        assert!(!is("completed", 24) && !is("failed", 1) && !is("cancelled", 1));
        let own = [done(reset, "completed", 0)];
        assert!(duplicate(&own, reset, "other", at(1)).is_none());
    }
}
