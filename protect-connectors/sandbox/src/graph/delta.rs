//! `GET /users/delta`: everything, then what changed since (graph/delta-query-overview).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Graph,
    error::{Answer, Refusal},
    operation::Ask,
    page, users,
};
use crate::{
    faults::FaultKind,
    request::{Context, Reply},
};

/// Where a round stands: which accounts are still to come, and from where the next round begins.
#[derive(Serialize, Deserialize)]
struct Place {
    request: String,
    /// The place in the log of changes at which this round began.
    since: Option<usize>,
    until: usize,
    at: usize,
}

impl Graph {
    pub(super) fn users_delta(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.need_activity(ask, cx)?;
        ask.options
            .check_select(|name| users::PROPERTIES.contains(&name), cx)?;
        let place = self.delta_place(ask, cx)?;
        let numbers = self.delta_numbers(&place);
        let page = ask.operation.query().page;
        let names = ask.options.looks_at(users::DEFAULTS);
        let values: Vec<Value> = numbers
            .iter()
            .skip(place.at)
            .take(page)
            .filter_map(|number| match self.users.account(*number) {
                Some(account) => Some(account.shown(names.iter().map(String::as_str))),
                // Somebody who went before the first round was never told of.
                None if place.since.is_none() => None,
                None => Some(json!({
                    "id": self.users.id(*number),
                    "@removed": {"reason": "deleted"},
                })),
            })
            .collect();
        let at = place.at + page;
        let mut body = json!({"@odata.context": self.context(ask), "value": values});
        if at < numbers.len() {
            let next = Place { at, ..place };
            let link = page::link(&self.root, ask, "$skiptoken", &self.sealer, &next);
            body["@odata.nextLink"] = Value::from(link);
        } else {
            body["@odata.deltaLink"] = Value::from(self.delta_link(ask, place.until));
        }
        Ok(Reply::json(200, &body))
    }

    fn delta_link(&self, ask: &Ask<'_>, since: usize) -> String {
        let place = Place {
            request: page::request(ask),
            since: Some(since),
            until: since,
            at: 0,
        };
        page::link(&self.root, ask, "$deltatoken", &self.sealer, &place)
    }

    fn delta_place(&self, ask: &Ask<'_>, cx: &mut Context) -> Result<Place, Refusal> {
        let until = self.users.log.len();
        let first = Place {
            request: page::request(ask),
            since: None,
            until,
            at: 0,
        };
        let (token, fresh) = match (&ask.options.skip_token, &ask.options.delta_token) {
            (None, None) => return Ok(first),
            (None, Some(latest)) if latest == "latest" => {
                return Ok(Place {
                    since: Some(until),
                    ..first
                });
            }
            (Some(token), None) => (token, false),
            (None, Some(token)) => (token, true),
            (Some(_), Some(_)) => return Err(Refusal::bad_request("One token at a time.")),
        };
        if cx.struck.has(FaultKind::PageTokenExpired) {
            let message = "Resync required: the token is too old.";
            return Err(Refusal::new(410, "resyncRequired", message));
        }
        let place = self.sealer.open::<Place>("graph page", token);
        match place.filter(|it| it.request == first.request) {
            Some(place) if fresh => Ok(Place { until, ..place }),
            Some(place) => Ok(place),
            None => {
                cx.violate(
                    "page_token_unknown",
                    "not a token of this query, or not encoded",
                );
                Err(Refusal::bad_request("Badly formed token."))
            }
        }
    }

    /// Numbers of the accounts that this round tells of.
    fn delta_numbers(&self, place: &Place) -> Vec<usize> {
        let Some(since) = place.since else {
            return (0..self.users.len()).collect();
        };
        let log = &self.users.log;
        let until = place.until.min(log.len());
        let mut numbers = log[since.min(until)..until].to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}
