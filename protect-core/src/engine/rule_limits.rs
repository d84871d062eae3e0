//! What one rule may do: nothing at all while it is tried out, and only so much within an hour.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Tenant;
use super::records::put_intent;
use crate::config::Rule;
use crate::error::Result;
use crate::model::{Action, Actor, Intent};
use crate::store::{Change, Commit, Expect, Put, Query, RecordKind};

/// The window of a rule's `max_per_hour`.
const WINDOW: Duration = Duration::from_hours(1);

/// What begins the keys of what rules did. The time follows, so that keys are in its order.
pub(super) const DONE: &str = "by_rule/";

/// Why a rule that is tried out does nothing.
pub(super) const TRIED_OUT: &str = "the rule is a dry run";

impl Tenant {
    /// The rule that asked for something, where one did and is still there.
    pub(super) fn rule_behind(&self, requester: &Actor) -> Option<&Rule> {
        let mut rules = self.config().rules.iter();
        rules.find(|rule| *requester == Actor::rule(&rule.name))
    }

    /// When an action may be attempted whose rule did as much as it may within the last hour; `None`
    /// where it may now. An action that was attempted before is counted already.
    pub(super) async fn rule_may_act_at(
        &self,
        intent: &Intent,
    ) -> Result<Option<(Timestamp, String)>> {
        let Some(rule) = self.rule_behind(&intent.action.requested_by) else {
            return Ok(None);
        };
        let Some(most) = rule.max_per_hour else {
            return Ok(None);
        };
        let window = SignedDuration::try_from(WINDOW).unwrap_or_default();
        let since = self.now() - window;
        let mut query = Query::prefix(RecordKind::Control, DONE)
            .after(done_key(since, ""))
            .in_groups(vec![group(rule)]);
        let mut times = Vec::new();
        loop {
            let page = self.store().query(self.id(), query.clone()).await?;
            for record in page.records {
                let Some((at, action)) = read_key(&record.key) else {
                    continue;
                };
                if action == intent.action.id.as_str() {
                    return Ok(None);
                }
                times.push(at);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let Some(place) = times.len().checked_sub(most) else {
            return Ok(None);
        };
        // Once the one that is too many by then lies an hour back.
        let frees = times.get(place).copied().unwrap_or(since);
        let at = frees.checked_add(window).unwrap_or(Timestamp::MAX);
        let why = format!(
            "the rule `{}` did {} within an hour, and may do {most}",
            rule.name,
            times.len()
        );
        Ok(Some((at, why)))
    }

    /// Puts an action back until its rule may do more.
    pub(super) async fn wait_for_rule(
        &self,
        mut intent: Intent,
        fence: u64,
        (until, why): (Timestamp, String),
    ) -> Result<()> {
        intent.last_error = Some(why);
        let put = put_intent(&intent, Expect::FenceAndRelease(fence))?.due(Some(until));
        self.store()
            .commit(self.id(), Commit::default().put(put))
            .await
            .map(drop)
    }

    /// What an attempt writes, so that it counts for its rule.
    pub(super) fn count_for_rule(&self, action: &Action) -> Result<Option<Change>> {
        let rule = self.rule_behind(&action.requested_by);
        let Some(rule) = rule.filter(|rule| rule.max_per_hour.is_some()) else {
            return Ok(None);
        };
        let key = done_key(self.now(), action.id.as_str());
        let put = Put::new(RecordKind::Control, key, &action.kind)?.group(group(rule));
        Ok(Some(Change::Put(put)))
    }
}

/// Apart from the groups of what else is counted.
fn group(rule: &Rule) -> String {
    format!("rule/{}", rule.name)
}

pub(super) fn done_key(at: Timestamp, action: &str) -> String {
    format!("{DONE}{:020}/{action}", at.as_millisecond().max(0))
}

fn read_key(key: &str) -> Option<(Timestamp, &str)> {
    let (at, action) = key.strip_prefix(DONE)?.split_once('/')?;
    Some((Timestamp::from_millisecond(at.parse().ok()?).ok()?, action))
}
