//! What a test changes at a vendor behind the back of whoever uses it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::State;
use crate::{
    faults::{Fault, Struck},
    google, graph,
    hibp::Breach,
    journal::Vendor,
    onepassword::{Scope, Stream, UserChange},
    request::{Change, Context},
};

impl State {
    pub(crate) fn set_fault(&mut self, fault: Fault) {
        self.faults.set(fault);
    }

    pub(crate) fn edit_user(&mut self, id: &str, edit: UserChange, now: Timestamp) -> bool {
        let Some((from, to)) = self.onepassword.users.edit(id, edit) else {
            return false;
        };
        if from != to {
            let action = if to == "SUSPENDED" {
                "suspend"
            } else {
                "reactive"
            };
            self.onepassword.events.audit_user(action, id, now);
            self.moved(Vendor::OnePassword, ("user", id), (&from, &to), now);
        }
        true
    }

    pub(crate) fn set_item_status(&mut self, id: &str, status: &str, now: Timestamp) -> bool {
        let Some(from) = self.webhook.set_status(id, status) else {
            return false;
        };
        let kind = self.webhook.items().iter().find(|item| item.id == id);
        let kind = kind.map_or("item", |item| item.kind);
        self.moved(Vendor::Webhook, (kind, id), (&from, status), now);
        true
    }

    pub(crate) fn set_one_stack_status(&mut self, id: &str, status: &str, now: Timestamp) -> bool {
        let Some((object, from)) = self.one_stack.items.set_status(id, status, now) else {
            return false;
        };
        self.moved(Vendor::OneStack, (object, id), (&from, status), now);
        self.one_stack.hooks.notice(&self.one_stack.items, now);
        true
    }

    pub(crate) fn append_events(
        &mut self,
        stream: Stream,
        items: Vec<Map<String, Value>>,
        now: Timestamp,
    ) {
        for item in items {
            self.onepassword.events.append(stream, item, now);
        }
    }

    /// Adds or replaces a breach and exposes accounts by it. False for what is no breach.
    pub(crate) fn publish_breach(&mut self, breach: Value, accounts: &[String]) -> bool {
        let Some(breach) = Breach::parse(breach) else {
            return false;
        };
        for account in accounts {
            self.hibp.exposures.expose(account, &breach.name);
        }
        self.hibp.catalogue.put(breach);
        true
    }

    /// Changes a Microsoft 365 account as a person would; false for an unknown one.
    pub(crate) fn edit_account(
        &mut self,
        id: &str,
        change: &graph::AccountChange,
        now: Timestamp,
    ) -> bool {
        let mut cx = Context::new(now, false, Struck::default());
        let found = self.m365.edit_account(id, change, &mut cx);
        for change in cx.changes {
            self.record(Vendor::M365, change, now, None);
        }
        found
    }

    /// Changes a Google account as a person would; false for an unknown one.
    pub(crate) fn edit_google_user(
        &mut self,
        key: &str,
        change: &google::UserChange,
        now: Timestamp,
    ) -> bool {
        let mut cx = Context::new(now, false, Struck::default());
        let found = self.google.edit_user(key, change, &mut cx);
        for change in cx.changes {
            self.record(Vendor::Google, change, now, None);
        }
        found
    }

    /// Adds activities to a log of Google's; false for what fits none.
    pub(crate) fn add_activities(&mut self, new: google::NewActivities, now: Timestamp) -> bool {
        let cx = Context::new(now, false, Struck::default());
        self.google.add_activities(new, &cx)
    }

    /// A suspicious sign-in at Google; false for an unknown user.
    pub(crate) fn plant_login(&mut self, key: &str, minutes_ago: i64, now: Timestamp) -> bool {
        let cx = Context::new(now, false, Struck::default());
        self.google.plant_login(key, minutes_ago, &cx).is_some()
    }

    pub(crate) fn set_scopes(&mut self, application: &str, scopes: BTreeSet<Scope>) -> bool {
        self.onepassword.oauth.set_scopes(application, scopes)
    }

    /// Deletes a user of the SCIM application. False for an unknown one.
    pub(crate) fn delete_scim_user(&mut self, id: &str, now: Timestamp) -> bool {
        let Some(from) = self.scim.delete(id) else {
            return false;
        };
        self.moved(Vendor::Scim, ("user", id), (from, "deleted"), now);
        true
    }

    fn moved(
        &mut self,
        vendor: Vendor,
        (object, id): (&'static str, &str),
        (from, to): (&str, &str),
        now: Timestamp,
    ) {
        let change = Change {
            object,
            id: id.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        self.record(vendor, change, now, None);
    }
}
