//! How a remediator makes one change at a vendor: look, compare, refuse, send, read back.
//!
//! A connector says what its vendor shows and takes ([`Remedy`]); the order of the steps, and what an
//! answer that is lost or late means, is the same for all and stands here. What a vendor takes its time for
//! is an [`Errand`](crate::errand::Errand).

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::connector::{Applied, AppliedStatus, OpContext, Probe};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Address, Attributes, Preview, Protection};

/// How long to wait before each reading back: a vendor's reads lag behind its writes.
pub const READ_BACK_WAITS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// The parameter of an action that says whose account is meant, by address.
const ADDRESS: &str = "address";

/// One change of one thing at a vendor.
#[async_trait]
pub trait Remedy: Send + Sync {
    /// What the vendor shows of the thing.
    type Looked: Send + Sync;

    /// Looks at the thing. Reads only.
    ///
    /// # Errors
    /// `not_found` where it is gone; otherwise it could not be looked at.
    async fn look(&self, cx: &OpContext) -> Result<Self::Looked>;

    /// What was looked at, for people and evidence.
    fn facts(&self, looked: &Self::Looked) -> Attributes;

    /// The facts after the change.
    fn wanted(&self, now: &Self::Looked) -> Attributes;

    /// Whether it is that way already.
    fn is_so(&self, now: &Self::Looked) -> bool;

    /// Whether reading shows at all that it happened. What does not show is taken to have happened once
    /// the vendor accepted it.
    fn can_be_seen(&self) -> bool {
        true
    }

    /// Whether it shows that it happened since `before`.
    fn has_happened(&self, _before: &Self::Looked, after: &Self::Looked) -> bool {
        self.is_so(after)
    }

    /// The state after the vendor accepted it, as it goes into the evidence.
    fn told(&self, _before: &Self::Looked, after: &Self::Looked) -> Attributes {
        self.facts(after)
    }

    /// Why this is not to be changed, whatever the guards say: it is not what was meant, or only the
    /// vendor itself may.
    fn objection(&self, _now: &Self::Looked) -> Option<&'static str> {
        None
    }

    /// Why nothing may change it. An answer that cannot be had is an error, never a yes.
    ///
    /// # Errors
    /// Nobody could say.
    async fn protection(&self, _cx: &OpContext, _now: &Self::Looked) -> Result<Option<Protection>> {
        Ok(None)
    }

    /// The same in words.
    fn words(&self, _protection: Protection) -> &'static str {
        "it is a protected account"
    }

    /// Sends it, once.
    ///
    /// # Errors
    /// As for [`Remediator::apply`](crate::connector::Remediator::apply).
    async fn send(&self, cx: &OpContext, before: &Self::Looked) -> Result<Sent<Self::Looked>>;

    /// What is to be said where the vendor accepted it and shows another state.
    fn unconfirmed(&self) -> &'static str;

    /// What a probe says to what was read.
    fn probed(&self, now: Self::Looked) -> Probe {
        let facts = self.facts(&now);
        if self.is_so(&now) {
            Probe::Happened(facts)
        } else {
            Probe::DidNotHappen(facts)
        }
    }
}

/// What the vendor said to a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent<L> {
    /// It accepted it.
    Accepted,
    /// The same, and showed the thing; what is read back counts for more.
    Answered(L),
    /// It refuses for what the thing is; nothing changed.
    Refused(&'static str),
}

/// What the change would do.
///
/// # Errors
/// As for [`Remediator::preview`](crate::connector::Remediator::preview).
pub async fn preview<R: Remedy>(remedy: &R, cx: &OpContext) -> Result<Preview> {
    let now = remedy.look(cx).await?;
    Ok(Preview {
        before: remedy.facts(&now),
        after: remedy.wanted(&now),
        already_so: remedy.is_so(&now),
        protection: remedy.protection(cx, &now).await?,
    })
}

/// Makes the change and reads it back.
///
/// # Errors
/// As for [`Remediator::apply`](crate::connector::Remediator::apply).
pub async fn apply<R: Remedy>(remedy: &R, cx: &OpContext, clock: &dyn Clock) -> Result<Applied> {
    let before = remedy.look(cx).await?;
    let done = |status, reason: &str, after| Applied {
        status,
        reason: reason.to_owned(),
        before: remedy.facts(&before),
        after,
    };
    let refused = |reason| done(AppliedStatus::Refused, reason, remedy.facts(&before));
    if let Some(reason) = remedy.objection(&before) {
        return Ok(refused(reason));
    }
    if remedy.is_so(&before) {
        let after = remedy.facts(&before);
        return Ok(done(AppliedStatus::AlreadySo, "", after));
    }
    if let Some(protection) = remedy.protection(cx, &before).await? {
        return Ok(refused(remedy.words(protection)));
    }
    let answered = match remedy.send(cx, &before).await {
        Ok(Sent::Refused(reason)) => return Ok(refused(reason)),
        Ok(Sent::Answered(looked)) => Some(looked),
        Ok(Sent::Accepted) => None,
        // It was accepted and nobody knows what was said: only reading back tells.
        Err(error) if error.kind() == ErrorKind::InvalidResponse && remedy.can_be_seen() => None,
        Err(error) => return Err(error),
    };
    let (after, happened) = read_back(remedy, cx, clock, &before, answered).await?;
    let after = remedy.told(&before, &after);
    Ok(if happened {
        done(AppliedStatus::Applied, "", after)
    } else {
        done(AppliedStatus::NotConfirmed, remedy.unconfirmed(), after)
    })
}

/// Did it happen?
///
/// # Errors
/// As for [`Remediator::probe`](crate::connector::Remediator::probe).
pub async fn probe<R: Remedy>(remedy: &R, cx: &OpContext) -> Result<Probe> {
    Ok(remedy.probed(remedy.look(cx).await?))
}

/// Whether one of these addresses is the one that an action means by its parameters; true where they
/// name none.
pub fn is_meant<'a>(parameters: &Attributes, has: impl IntoIterator<Item = &'a str>) -> bool {
    let Some(meant) = parameters.get(ADDRESS).and_then(|it| it.as_str()) else {
        return true;
    };
    let meant = Address::new(meant).ok();
    let mut has = has.into_iter().map(|text| Address::new(text).ok());
    meant.is_some() && has.any(|has| has == meant)
}

/// The state after a change, and whether it is what was wanted. Reads may lag behind a write, so they
/// are repeated for a while before the change counts as not confirmed.
async fn read_back<R: Remedy>(
    remedy: &R,
    cx: &OpContext,
    clock: &dyn Clock,
    before: &R::Looked,
    answered: Option<R::Looked>,
) -> Result<(R::Looked, bool)> {
    let happened = |after: &R::Looked| !remedy.can_be_seen() || remedy.has_happened(before, after);
    let mut last = Err(Error::unexpected("nothing was read back"));
    for wait in READ_BACK_WAITS {
        clock.sleep(wait).await;
        last = remedy.look(cx).await;
        match &last {
            Ok(after) if !happened(after) => {}
            Ok(_) => break,
            // What the vendor answered is as good as what it would show.
            Err(_) if answered.is_some() => break,
            Err(_) => {}
        }
    }
    let after = match (last, answered) {
        (Ok(after), _) | (Err(_), Some(after)) => after,
        // A permanent error would claim that nothing was changed.
        (Err(error), None) => return Err(error.temporary()),
    };
    let happened = happened(&after);
    Ok((after, happened))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::{Actor, TenantId};
    use crate::testing::ManualClock;

    /// A switch at a vendor: what each look shows, and what sending gives.
    struct Switch {
        shown: Mutex<Vec<Result<bool>>>,
        sent: Mutex<Option<Result<Sent<bool>>>>,
        protection: Option<Protection>,
    }

    impl Switch {
        fn new<const N: usize>(shown: [Result<bool>; N], sent: Result<Sent<bool>>) -> Self {
            Self {
                shown: Mutex::new(shown.into_iter().rev().collect()),
                sent: Mutex::new(Some(sent)),
                protection: None,
            }
        }

        /// Nothing may be sent.
        fn untouched<const N: usize>(shown: [Result<bool>; N]) -> Self {
            let switch = Self::new(shown, Ok(Sent::Accepted));
            *switch.sent.lock().unwrap() = None;
            switch
        }
    }

    #[async_trait]
    impl Remedy for Switch {
        type Looked = bool;

        /// The last look is repeated.
        async fn look(&self, _: &OpContext) -> Result<bool> {
            let mut shown = self.shown.lock().unwrap();
            match (shown.len(), shown.last()) {
                (1, Some(Ok(on))) => Ok(*on),
                (1, Some(Err(_))) => Err(gone()),
                _ => shown.pop().unwrap(),
            }
        }

        fn facts(&self, on: &bool) -> Attributes {
            Attributes::from_iter([("on".to_owned(), (*on).into())])
        }

        fn wanted(&self, _: &bool) -> Attributes {
            self.facts(&true)
        }

        fn is_so(&self, on: &bool) -> bool {
            *on
        }

        async fn protection(&self, _: &OpContext, _: &bool) -> Result<Option<Protection>> {
            Ok(self.protection)
        }

        async fn send(&self, _: &OpContext, _: &bool) -> Result<Sent<bool>> {
            self.sent.lock().unwrap().take().expect("sent once")
        }

        fn unconfirmed(&self) -> &'static str {
            "accepted, and still off"
        }
    }

    fn gone() -> Error {
        Error::new(ErrorKind::NotFound, "gone")
    }

    fn cx() -> OpContext {
        OpContext::new(
            TenantId::new("acme").unwrap(),
            "test",
            Actor::unverified("alice"),
        )
    }

    async fn applied(switch: &Switch) -> Result<Applied> {
        apply(switch, &cx(), &ManualClock::impatient()).await
    }

    #[tokio::test]
    async fn a_change_that_shows_late_is_applied() {
        let switch = Switch::new([Ok(false), Ok(false), Ok(true)], Ok(Sent::Accepted));
        let applied = applied(&switch).await.unwrap();
        assert_eq!(applied.status, AppliedStatus::Applied);
        assert_eq!(applied.before["on"], false);
        assert_eq!(applied.after["on"], true);
    }

    #[tokio::test]
    async fn what_is_so_or_protected_is_not_sent() {
        let switch = Switch::untouched([Ok(true)]);
        assert_eq!(
            applied(&switch).await.unwrap().status,
            AppliedStatus::AlreadySo
        );
        let switch = Switch {
            protection: Some(Protection::LastOwner),
            ..Switch::untouched([Ok(false)])
        };
        let refused = applied(&switch).await.unwrap();
        assert_eq!(refused.status, AppliedStatus::Refused);
        assert!(!refused.reason.is_empty());
    }

    #[tokio::test]
    async fn what_never_shows_is_not_confirmed_and_says_so() {
        let switch = Switch::new([Ok(false)], Ok(Sent::Accepted));
        let applied = applied(&switch).await.unwrap();
        assert_eq!(applied.status, AppliedStatus::NotConfirmed);
        assert_eq!(applied.reason, "accepted, and still off");
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_read_is_settled_by_reading_back() {
        let unreadable = Err(Error::new(ErrorKind::InvalidResponse, "HTML"));
        let switch = Switch::new([Ok(false), Ok(true)], unreadable);
        assert_eq!(
            applied(&switch).await.unwrap().status,
            AppliedStatus::Applied
        );
    }

    #[tokio::test]
    async fn after_an_accepted_change_a_lost_reading_back_never_claims_that_nothing_changed() {
        let switch = Switch::new([Ok(false), Err(gone())], Ok(Sent::Accepted));
        assert!(applied(&switch).await.unwrap_err().is_retryable());
        let switch = Switch::new([Ok(false), Err(gone())], Ok(Sent::Answered(true)));
        assert_eq!(
            applied(&switch).await.unwrap().status,
            AppliedStatus::Applied
        );
    }

    #[test]
    fn an_address_is_compared_as_addresses_are() {
        let nobody = Attributes::new();
        assert!(is_meant(&nobody, []), "none is meant");
        let ann = Attributes::from_iter([(ADDRESS.to_owned(), "Ann@Acme.example".into())]);
        assert!(is_meant(&ann, ["x@acme.example", "ann@acme.example"]));
        assert!(!is_meant(&ann, ["bob@acme.example"]));
        assert!(!is_meant(&ann, []));
    }
}
