//! What a sandbox offers of The One Stack.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Sandbox;
use crate::{HubMessage, HubSso, HubToken, HubUser, LegalSignature, NewHubWebhook};

impl Sandbox {
    /// Root of The One Stack; each product is below it, by its kind.
    pub fn one_stack_root(&self) -> String {
        self.url("/one_stack")
    }

    /// Root of a product's API: `psa`, `security`, `rmm`, `hub`, `portal`, `oncall`, `bus`,
    /// `compliance`, `defend` or `legal`.
    pub fn one_stack_url(&self, product: &str) -> String {
        self.url(&format!("/one_stack/{product}"))
    }

    /// Everything that was made at the products, in order: `id`, `object` (`ticket`, `incident`,
    /// `alert`, `page`, `event`, `evidence`, `remediation`, `revocation`, `snapshot`,
    /// `elevation`, `acknowledgment`), `organisation`, `status`, `fields` as they were sent (of an event
    /// that came in a Cloud Event also its `cloud_event`), `notes`.
    pub fn one_stack_items(&self) -> Vec<Value> {
        let state = self.world.state();
        state
            .one_stack
            .items
            .all()
            .iter()
            .map(|item| json!(item))
            .collect()
    }

    /// Moves a ticket, an incident, a remediation or another of them as a person would, as
    /// `PATCH /_sandbox/one_stack/items/{id}` does. False for an unknown one.
    pub fn set_one_stack_status(&self, id: &str, status: &str) -> bool {
        let now = self.now();
        self.world.state().set_one_stack_status(id, status, now)
    }

    /// What Hub and the products share for sign-in.
    pub fn hub_sso(&self) -> HubSso {
        self.world.state().one_stack.sso.shared()
    }

    /// Has Hub sign a token, as `POST /_sandbox/one_stack/tokens` does. `None` for an unknown algorithm.
    pub fn hub_token(&self, token: &HubToken) -> Option<String> {
        let now = self.now();
        self.world.state().one_stack.sso.sign(token, now)
    }

    /// Adds a user of Hub's, or replaces the one of the same address, as `PUT /_sandbox/one_stack/users`
    /// does. False for a status that Hub does not have.
    pub fn set_hub_user(&self, user: HubUser) -> bool {
        self.world.state().one_stack.set_user(user)
    }

    /// Has somebody sign a policy at Legal itself, as `POST /_sandbox/one_stack/signatures` does, and gives the
    /// id of what was recorded. `None` for a version that is not published or that they signed already.
    pub fn sign_policy(&self, signature: LegalSignature) -> Option<String> {
        let now = self.now();
        self.world.state().sign_policy(signature, now)
    }

    /// Has the platform tell an address, as `POST /_sandbox/one_stack/webhooks` does. False for a product
    /// that has no events.
    pub fn subscribe_one_stack(&self, webhook: NewHubWebhook) -> bool {
        let mut state = self.world.state();
        let one_stack = &mut state.one_stack;
        one_stack.hooks.subscribe(webhook, &one_stack.items)
    }

    /// Sends the webhooks that wait, in their order, as `POST /_sandbox/one_stack/webhooks/send` does, and
    /// gives the status of each answer; 0 for none. What was not taken waits on.
    pub fn send_one_stack_webhooks(&self) -> impl Future<Output = Vec<u16>> + Send + use<> {
        let world = Arc::clone(&self.world);
        async move { world.send_webhooks().await }
    }

    /// Takes the webhooks that wait, to be lost, changed, or sent in another order.
    pub fn take_one_stack_webhooks(&self) -> Vec<HubMessage> {
        self.world.state().one_stack.hooks.take()
    }

    /// Changes the products, as `POST /_sandbox/one_stack/settings` does. False for what does not fit.
    pub fn edit_one_stack(&self, change: Value) -> bool {
        let change = serde_json::from_value(change);
        change.is_ok_and(|change| {
            self.world.state().one_stack.settings(&change);
            true
        })
    }
}
