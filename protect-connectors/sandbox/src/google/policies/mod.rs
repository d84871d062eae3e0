//! The Cloud Identity Policy API: settings as they were made for units and groups.

mod filter;
mod made;
mod pattern;

use serde_json::{Value, json};

use filter::Filter;
pub(super) use made::policies;

use super::{
    Google,
    error::{Answer, Refusal},
    operation::{Ask, bad},
    page::{Cut, Named},
};
use crate::request::Context;

const LARGEST: usize = 100;
const DEFAULT: usize = 50;

impl Google {
    /// Pages are cut before they are filtered, so a page may be empty though more come.
    pub(super) fn list_policies(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let size = ask.count("pageSize", LARGEST, DEFAULT, cx)?;
        let filter = match ask.parameter("filter") {
            None => Filter::default(),
            Some(text) => Filter::parse(text).ok_or_else(|| bad("Invalid filter", cx))?,
        };
        let from: usize = self.begin(ask, cx)?.unwrap_or(0);
        let customer = format!("customers/{}", self.users.customer);
        if filter.names_another(&customer) {
            return Err(Refusal::forbidden());
        }
        let row = |at: usize| self.policies.get(at).cloned();
        let mut cut = Cut::of(from, size, self.policies.len(), &row);
        cut.rows.retain(|policy| filter.fits(policy));
        cut.bend(&from, from.checked_sub(1).and_then(row), cx);
        let named = Named {
            kind: None,
            list: "policies",
        };
        Ok(self.listed(ask, named, cut, cx))
    }

    /// Replaces policies or alerts, by a list or by a page; false for another name or type.
    pub(crate) fn replace_documents(&mut self, name: &str, document: &Value) -> bool {
        let list = document.get(name).unwrap_or(document).as_array();
        let place = match name {
            "policies" => &mut self.policies,
            "alerts" => &mut self.alerts,
            _ => return false,
        };
        list.map(|list| place.clone_from(list)).is_some()
    }
}

/// A policy as the API shows it.
fn policy(
    (name, customer): (&str, &str),
    kind: &str,
    query: &Value,
    (setting, value): (&str, &Value),
) -> Value {
    json!({
        "name": format!("policies/{name}"),
        "customer": customer,
        "type": kind,
        "policyQuery": query,
        "setting": {"type": format!("settings/{setting}"), "value": value},
    })
}
