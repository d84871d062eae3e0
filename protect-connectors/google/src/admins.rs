//! Who the super administrators are, for the guards.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protect_core::Result;
use protect_core::connector::OpContext;

use crate::api::Workspace;
use crate::model::User;

/// The super administrators as they were asked last, for as long as a listing may take.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<Option<(Duration, Admins)>>);

/// The ids of super administrators.
pub(crate) type Admins = Arc<[String]>;

/// How long they are remembered.
const KEPT_FOR: Duration = Duration::from_mins(5);

impl Remembered {
    /// The super administrators who can sign in, as far as Google's search knows them; asked again
    /// where that was too long ago.
    pub(crate) async fn get(&self, workspace: &Workspace, cx: &OpContext) -> Result<Admins> {
        let now = workspace.context().clock.monotonic();
        let known = self.lock().clone();
        if let Some((at, admins)) = known
            && now.saturating_sub(at) < KEPT_FOR
        {
            return Ok(admins);
        }
        self.again(workspace, cx).await
    }

    /// The same as they are now.
    pub(crate) async fn again(&self, workspace: &Workspace, cx: &OpContext) -> Result<Admins> {
        let found = workspace.super_administrators(cx).await?;
        let active = found.into_iter().filter(is_active_admin);
        let admins: Admins = active.map(|user| user.id).collect();
        let now = workspace.context().clock.monotonic();
        *self.lock() = Some((now, Arc::clone(&admins)));
        Ok(admins)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Duration, Admins)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody is a super administrator who can sign in and put things right. What Google does
/// not say is not so.
pub(crate) fn is_active_admin(user: &User) -> bool {
    user.is_admin == Some(true) && user.suspended == Some(false) && user.archived != Some(true)
}
