//! How a remediator has a vendor do what takes its time: look, refuse, ask once, and follow until it is
//! over.
//!
//! A connector says what its vendor shows and takes ([`Errand`]); the order of the steps, and what each end
//! of it means, is the same for all and stands here. What a vendor does while it is asked, and shows when it
//! is read back, is a [`Remedy`](crate::remedy::Remedy).

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::connector::{Applied, AppliedStatus, OpContext, Probe};
use crate::error::{Error, Result};
use crate::model::{Attributes, Preview, Protection};

/// One thing that a vendor is asked to do, under a reference of ours.
#[async_trait]
pub trait Errand: Send + Sync {
    /// What the vendor shows of everything that was asked of it about the same target, by whomever.
    type Known: Send + Sync;

    /// One thing that was asked of it.
    type Asked: Send + Sync;

    /// Looks at the target. Reads only.
    ///
    /// # Errors
    /// It could not be looked at.
    async fn look(&self, cx: &OpContext) -> Result<Self::Known>;

    /// What was asked under our reference, where it was. Reads only.
    ///
    /// # Errors
    /// Nobody could say.
    async fn find(&self, cx: &OpContext) -> Result<Option<Self::Asked>>;

    /// The same among what was looked at.
    fn own(&self, known: &Self::Known) -> Option<Self::Asked>;

    /// The state now, for people and evidence.
    fn before(&self, known: &Self::Known) -> Attributes;

    /// The state once it is done.
    fn wanted(&self) -> Attributes;

    /// Why nothing is asked, where it is so, or was asked of the vendor already; an empty reason where
    /// nothing need be said.
    fn already_so(&self, known: &Self::Known) -> Option<&'static str>;

    /// Why nothing may be asked about the target.
    fn protection(&self) -> Option<Protection>;

    /// The same in words.
    fn words(&self) -> &'static str;

    /// Asks for it, once.
    ///
    /// # Errors
    /// As for [`Remediator::apply`](crate::connector::Remediator::apply).
    async fn ask(&self, cx: &OpContext, known: &Self::Known) -> Result<Begun<Self::Asked>>;

    /// How long to wait before each further look at what was just asked for; what takes longer is followed
    /// by the engine. None where asking tells enough.
    fn waits(&self) -> &[Duration] {
        &[]
    }

    /// Looks at what was asked for again.
    ///
    /// # Errors
    /// It could not be looked at.
    async fn again(&self, cx: &OpContext, asked: Self::Asked) -> Result<Self::Asked>;

    /// Where it stands.
    fn stage(&self, asked: &Self::Asked) -> Stage;

    /// What the vendor calls it and where it stands, for evidence.
    fn facts(&self, asked: &Self::Asked) -> Attributes;

    /// What is to be said where the vendor tried and could not. It is planned again like every failure.
    fn failure(&self, asked: &Self::Asked) -> Error;

    /// What is to be said where somebody there called it off.
    fn called_off(&self) -> &'static str;
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun<A> {
    /// The vendor has it.
    Asked(A),
    /// It is done, and nothing had to be asked for; why, in words.
    Done(String),
}

/// Where something stands that was asked of a vendor. A word that it invents later is one that is under
/// way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is done.
    Completed,
    /// The vendor tried and could not.
    Failed,
    /// Somebody there called it off; nothing changed.
    Cancelled,
    /// It is not over; what it waits for, for people, without addresses.
    Underway(String),
}

impl Stage {
    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Underway(_))
    }
}

/// What it would come to.
///
/// # Errors
/// As for [`Remediator::preview`](crate::connector::Remediator::preview).
pub async fn preview<E: Errand>(errand: &E, cx: &OpContext) -> Result<Preview> {
    let known = errand.look(cx).await?;
    Ok(Preview {
        before: errand.before(&known),
        after: errand.wanted(),
        already_so: errand.already_so(&known).is_some(),
        protection: errand.protection(),
    })
}

/// Has it done, and follows it for a while. It is applied when the vendor says that it is done, and not
/// before.
///
/// # Errors
/// As for [`Remediator::apply`](crate::connector::Remediator::apply).
pub async fn apply<E: Errand>(errand: &E, cx: &OpContext, clock: &dyn Clock) -> Result<Applied> {
    let known = errand.look(cx).await?;
    let before = errand.before(&known);
    let done = |status, reason: &str, after: Attributes| Applied {
        status,
        reason: reason.to_owned(),
        before: before.clone(),
        after,
    };
    let mut asked = if let Some(own) = errand.own(&known) {
        own
    } else {
        if errand.protection().is_some() {
            return Ok(done(AppliedStatus::Refused, errand.words(), before.clone()));
        }
        if let Some(reason) = errand.already_so(&known) {
            return Ok(done(AppliedStatus::AlreadySo, reason, before.clone()));
        }
        match errand.ask(cx, &known).await? {
            Begun::Asked(asked) => asked,
            Begun::Done(reason) => {
                return Ok(done(AppliedStatus::Applied, &reason, errand.wanted()));
            }
        }
    };
    for wait in errand.waits() {
        if errand.stage(&asked).is_over() {
            break;
        }
        clock.sleep(*wait).await;
        // It is asked for: that it cannot be looked at is no reason to say that nothing happened.
        asked = errand.again(cx, asked).await.map_err(Error::temporary)?;
    }
    match errand.stage(&asked) {
        Stage::Completed => Ok(done(AppliedStatus::Applied, "", errand.wanted())),
        Stage::Cancelled => {
            let reason = errand.called_off();
            Ok(done(AppliedStatus::Refused, reason, before.clone()))
        }
        Stage::Failed => Err(errand.failure(&asked)),
        Stage::Underway(reason) => {
            let after = errand.facts(&asked);
            Ok(done(AppliedStatus::NotConfirmed, &reason, after))
        }
    }
}

/// Did it happen?
///
/// # Errors
/// As for [`Remediator::probe`](crate::connector::Remediator::probe).
pub async fn probe<E: Errand>(errand: &E, cx: &OpContext) -> Result<Probe> {
    let Some(asked) = errand.find(cx).await? else {
        return Ok(Probe::DidNotHappen(Attributes::new()));
    };
    let state = errand.facts(&asked);
    Ok(match errand.stage(&asked) {
        Stage::Completed => Probe::Happened(state),
        Stage::Failed => Probe::DidNotHappen(state),
        Stage::Cancelled => Probe::CalledOff(state),
        Stage::Underway(reason) => Probe::Underway { reason, state },
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::error::ErrorKind;
    use crate::model::{Actor, TenantId};
    use crate::testing::ManualClock;

    /// A vendor's desk: what it says of the errand at each look, and whether it was asked.
    struct Desk {
        own: Option<&'static str>,
        says: Mutex<Vec<&'static str>>,
        so: bool,
        protection: Option<Protection>,
        asked: Mutex<u32>,
    }

    impl Desk {
        fn new<const N: usize>(says: [&'static str; N]) -> Self {
            Self {
                own: None,
                says: Mutex::new(says.into_iter().rev().collect()),
                so: false,
                protection: None,
                asked: Mutex::default(),
            }
        }

        fn next(&self) -> Result<&'static str> {
            let next = self.says.lock().unwrap().pop();
            next.ok_or_else(|| Error::new(ErrorKind::NotFound, "gone"))
        }
    }

    #[async_trait]
    impl Errand for Desk {
        type Known = ();
        type Asked = &'static str;

        async fn look(&self, _: &OpContext) -> Result<()> {
            Ok(())
        }

        async fn find(&self, _: &OpContext) -> Result<Option<&'static str>> {
            Ok(self.own)
        }

        fn own(&self, (): &()) -> Option<&'static str> {
            self.own
        }

        fn before(&self, (): &()) -> Attributes {
            Attributes::from_iter([("done".to_owned(), false.into())])
        }

        fn wanted(&self) -> Attributes {
            Attributes::from_iter([("done".to_owned(), true.into())])
        }

        fn already_so(&self, (): &()) -> Option<&'static str> {
            self.so.then_some("it was asked for before")
        }

        fn protection(&self) -> Option<Protection> {
            self.protection
        }

        fn words(&self) -> &'static str {
            "nobody touches it"
        }

        async fn ask(&self, _: &OpContext, (): &()) -> Result<Begun<&'static str>> {
            *self.asked.lock().unwrap() += 1;
            match self.next()? {
                "not needed" => Ok(Begun::Done("it was only planned".to_owned())),
                said => Ok(Begun::Asked(said)),
            }
        }

        fn waits(&self) -> &[Duration] {
            const WAITS: [Duration; 2] = [Duration::from_secs(1); 2];
            &WAITS
        }

        async fn again(&self, _: &OpContext, _: &'static str) -> Result<&'static str> {
            self.next()
        }

        fn stage(&self, asked: &&'static str) -> Stage {
            match *asked {
                "done" => Stage::Completed,
                "failed" => Stage::Failed,
                "cancelled" => Stage::Cancelled,
                other => Stage::Underway(other.to_owned()),
            }
        }

        fn facts(&self, asked: &&'static str) -> Attributes {
            Attributes::from_iter([("says".to_owned(), (*asked).into())])
        }

        fn failure(&self, _: &&'static str) -> Error {
            Error::new(ErrorKind::Conflict, "it could not be done")
        }

        fn called_off(&self) -> &'static str {
            "called off"
        }
    }

    fn cx() -> OpContext {
        let tenant = TenantId::new("acme").unwrap();
        OpContext::new(tenant, "test", Actor::unverified("alice"))
    }

    async fn applied(desk: &Desk) -> Result<Applied> {
        apply(desk, &cx(), &ManualClock::impatient()).await
    }

    #[tokio::test]
    async fn it_is_applied_when_the_vendor_says_so_and_not_before() {
        for (says, status, reason) in [
            (["queued", "at it", "done"], AppliedStatus::Applied, ""),
            (["done", "", ""], AppliedStatus::Applied, ""),
            (
                ["queued", "at it", "at it"],
                AppliedStatus::NotConfirmed,
                "at it",
            ),
            (
                ["queued", "cancelled", ""],
                AppliedStatus::Refused,
                "called off",
            ),
            (
                ["not needed", "", ""],
                AppliedStatus::Applied,
                "it was only planned",
            ),
        ] {
            let desk = Desk::new(says);
            let applied = applied(&desk).await.unwrap();
            assert_eq!((applied.status, applied.reason.as_str()), (status, reason));
            assert_eq!(applied.before["done"], false);
            assert_eq!(*desk.asked.lock().unwrap(), 1);
        }
        let error = applied(&Desk::new(["queued", "failed"])).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_retryable()),
            (ErrorKind::Conflict, false)
        );
    }

    #[tokio::test]
    async fn what_is_asked_for_is_never_asked_for_twice() {
        let desk = Desk {
            own: Some("queued"),
            protection: Some(Protection::Administrator),
            ..Desk::new(["done"])
        };
        assert_eq!(applied(&desk).await.unwrap().status, AppliedStatus::Applied);
        let so = Desk {
            so: true,
            ..Desk::new([])
        };
        let already = applied(&so).await.unwrap();
        assert_eq!(already.status, AppliedStatus::AlreadySo);
        assert_eq!(already.reason, "it was asked for before");
        let protected = Desk {
            protection: Some(Protection::Administrator),
            ..Desk::new([])
        };
        let refused = applied(&protected).await.unwrap();
        assert_eq!(refused.reason, "nobody touches it");
        for desk in [desk, so, protected] {
            assert_eq!(*desk.asked.lock().unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn what_is_asked_for_and_cannot_be_looked_at_is_not_said_to_have_failed() {
        let error = applied(&Desk::new(["queued"])).await.unwrap_err();
        assert!(error.is_retryable());
    }

    #[tokio::test]
    async fn a_probe_says_where_it_stands() {
        for (own, wanted) in [
            (None, "did not happen"),
            (Some("failed"), "did not happen"),
            (Some("done"), "happened"),
            (Some("cancelled"), "called off"),
            (Some("invented later"), "under way"),
        ] {
            let desk = Desk {
                own,
                ..Desk::new([])
            };
            let said = match probe(&desk, &cx()).await.unwrap() {
                Probe::Happened(_) => "happened",
                Probe::DidNotHappen(_) => "did not happen",
                Probe::CalledOff(_) => "called off",
                Probe::Underway { .. } => "under way",
                Probe::CannotTell => "cannot tell",
            };
            assert_eq!(said, wanted, "{own:?}");
        }
    }
}
