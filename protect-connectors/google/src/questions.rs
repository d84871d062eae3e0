//! What a scan asks of Google and of DNS, and how: one table, and the asking itself.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join_all;
use http::Method;
use jiff::Timestamp;
use protect_core::connector::OpContext;
use protect_core::dns::{DnsAnswer, DnsRecord, RecordType};
use protect_core::http::RequestBuilder;
use protect_core::posture::{Answered, Asker, Question, settle};
use protect_core::{Error, ErrorKind, Result};
use serde_json::json;
use serde_json::value::RawValue;

use crate::api::Workspace;
use crate::scope::{Api, Scope};
use crate::workspace::{
    ADMIN_LOG, DNS, DOMAIN_ALIASES, DOMAINS, GROUPS, HISTORY, ORG_UNITS, POLICIES,
    ROLE_ASSIGNMENTS, ROLES, USERS,
};

/// A part of the snapshot, and where it comes from.
struct Ask {
    part: &'static str,
    scope: Scope,
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    /// The field that holds the items.
    list: &'static str,
}

macro_rules! customers {
    ($name:literal) => {
        concat!("/admin/directory/v1/customer/{customer}/", $name)
    };
}

/// What is small first, so that what is wrong shows early; what is large last.
const ASKS: &[Ask] = &[
    Ask {
        part: DOMAINS,
        scope: Scope::Domains,
        path: customers!("domains"),
        query: &[],
        list: "domains",
    },
    Ask {
        part: DOMAIN_ALIASES,
        scope: Scope::Domains,
        path: customers!("domainaliases"),
        query: &[],
        list: "domainAliases",
    },
    Ask {
        part: ORG_UNITS,
        scope: Scope::OrgUnits,
        path: customers!("orgunits"),
        query: &[("type", "allIncludingParent")],
        list: "organizationUnits",
    },
    Ask {
        part: ROLES,
        scope: Scope::Roles,
        path: customers!("roles"),
        query: &[],
        list: "items",
    },
    Ask {
        part: ROLE_ASSIGNMENTS,
        scope: Scope::Roles,
        path: customers!("roleassignments"),
        query: &[],
        list: "items",
    },
    Ask {
        part: GROUPS,
        scope: Scope::Groups,
        path: "/admin/directory/v1/groups",
        query: &[],
        list: "groups",
    },
    Ask {
        part: POLICIES,
        scope: Scope::Policies,
        path: "/v1/policies",
        query: &[("pageSize", "100")],
        list: "policies",
    },
    Ask {
        part: USERS,
        scope: Scope::Users,
        path: "/admin/directory/v1/users",
        query: &[("maxResults", "500")],
        list: "users",
    },
    Ask {
        part: ADMIN_LOG,
        scope: Scope::Logs,
        path: "/admin/reports/v1/activity/users/all/applications/admin",
        query: &[("maxResults", "1000")],
        list: "items",
    },
];

/// What to ask with these scopes: what is not delegated is not asked.
pub(crate) fn about_the_customer(granted: &BTreeSet<Scope>) -> Vec<Question> {
    let asks = ASKS.iter().filter(|ask| granted.contains(&ask.scope));
    asks.map(|ask| Question::of(ask.part)).collect()
}

/// What to ask DNS.
pub(crate) fn about_names(names: BTreeSet<String>) -> Vec<Question> {
    let questions = names.into_iter().map(|name| Question::about(DNS, name));
    questions.collect()
}

/// Asks Google for a collection.
pub(crate) struct Collector<'a> {
    pub(crate) workspace: &'a Workspace,
    /// From when on the admin log is read.
    pub(crate) log_from: Timestamp,
    /// What was seen of settings before.
    pub(crate) history: &'a str,
}

const COLLECT: &str = "google.collect";

#[async_trait]
impl Asker for Collector<'_> {
    async fn page(
        &self,
        cx: &OpContext,
        question: &Question,
        next: Option<&str>,
    ) -> Result<Answered> {
        if let Some(name) = &question.id {
            return Ok(self.texts(name).await);
        }
        if question.template == HISTORY {
            return Ok(Answered::Page {
                body: Bytes::copy_from_slice(self.history.as_bytes()),
                next: None,
            });
        }
        let ask = ASKS.iter().find(|ask| ask.part == question.template);
        let ask = ask.ok_or_else(|| Error::unexpected("a question that nobody can ask"))?;
        match self.asked(cx, ask, next).await {
            // A page token lives three days, and the log's page belongs to the moment it began at.
            Err(error) if next.is_some() && is_about_the_token(&error) => Ok(Answered::Expired),
            answer => settle(answer),
        }
    }

    async fn objects(&self, _: &OpContext, questions: &[Question]) -> Result<Vec<Answered>> {
        let names = questions.iter().filter_map(|it| it.id.as_deref());
        Ok(join_all(names.map(|name| self.texts(name))).await)
    }
}

fn is_about_the_token(error: &Error) -> bool {
    matches!(error.http_status(), Some(400 | 410))
}

impl Collector<'_> {
    async fn asked(&self, cx: &OpContext, ask: &Ask, next: Option<&str>) -> Result<Answered> {
        let mut from = self.log_from.to_string();
        let mut token = next;
        if ask.part == ADMIN_LOG
            && let Some((began, rest)) = next.and_then(|next| next.split_once(FROM))
        {
            began.clone_into(&mut from);
            token = Some(rest);
        }
        let request = self.request(ask)?;
        let request = if ask.part == ADMIN_LOG {
            request.query("startTime", &from)
        } else {
            request
        };
        let request = match token {
            Some(token) => request.query("pageToken", token),
            None => request,
        };
        let answer = request.send(cx).await?;
        let (body, next) = whole(answer.body(), ask)?;
        let next = next.map(|next| match ask.part {
            ADMIN_LOG => format!("{from}{FROM}{next}"),
            _ => next,
        });
        Ok(Answered::Page { body, next })
    }

    fn request(&self, ask: &Ask) -> Result<RequestBuilder> {
        let workspace = self.workspace;
        let request = workspace.request(ask.scope, Method::GET, COLLECT, ask.path)?;
        let request = if ask.path.contains("{customer}") {
            request.path("customer", workspace.customer())
        } else if ask.scope.api() == Api::Directory {
            request.query("customer", workspace.customer())
        } else {
            request
        };
        let query = ask.query.iter();
        Ok(query.fold(request, |request, (name, value)| request.query(name, value)))
    }

    /// What DNS has at a name. That there is nothing is an answer, and so is that nobody could say.
    async fn texts(&self, name: &str) -> Answered {
        let dns = &self.workspace.context().dns;
        let body = match dns.query(name, RecordType::Txt).await {
            DnsAnswer::Records(records) => {
                let texts = records.iter().filter_map(|record| match record {
                    DnsRecord::Txt(text) => Some(text.joined()),
                    _ => None,
                });
                json!({ "TXT": texts.collect::<Vec<_>>() })
            }
            DnsAnswer::NoData => json!({ "error": "NODATA" }),
            DnsAnswer::NoName => json!({ "error": "NXDOMAIN" }),
            DnsAnswer::Failed(why) => json!({ "error": why.as_str() }),
        };
        Answered::Page {
            body: body.to_string().into(),
            next: None,
        }
    }
}

/// Stands between the moment from which the log is read and Google's token: pages of another moment
/// are pages of another listing.
const FROM: char = '|';

/// A page as it is kept: as it came, but with the list that Google leaves out where it is empty; and
/// what leads to the next.
fn whole(body: &Bytes, ask: &Ask) -> Result<(Bytes, Option<String>)> {
    let not_a_page = || {
        Error::new(
            ErrorKind::InvalidResponse,
            "the answer is no page of a list",
        )
        .with_operation(COLLECT)
    };
    let mut fields: BTreeMap<String, &RawValue> =
        serde_json::from_slice(body).map_err(|_| not_a_page())?;
    if fields.contains_key("error") {
        return Err(not_a_page());
    }
    let next = fields.get("nextPageToken").map(|raw| raw.get());
    let next: Option<String> = next
        .map(serde_json::from_str)
        .transpose()
        .map_err(|_| not_a_page())?
        .flatten();
    let next = next.filter(|next| !next.is_empty());
    if fields.contains_key(ask.list) {
        return Ok((body.clone(), next));
    }
    // A reply of these says what it is; anything else may be anybody's.
    let says = fields.contains_key("kind") || fields.contains_key("etag");
    if !says && next.is_none() && ask.scope.api() != Api::CloudIdentity {
        return Err(not_a_page());
    }
    let empty = RawValue::from_string("[]".to_owned())
        .map_err(|_| Error::unexpected("an empty list is not JSON"))?;
    fields.insert(ask.list.to_owned(), &empty);
    let body = serde_json::to_vec(&fields)
        .map_err(|_| Error::unexpected("a page cannot be written again"))?;
    Ok((body.into(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(part: &str, body: &str) -> Option<(String, Option<String>)> {
        let ask = ASKS.iter().find(|ask| ask.part == part).unwrap();
        let (body, next) = whole(&Bytes::copy_from_slice(body.as_bytes()), ask).ok()?;
        Some((String::from_utf8(body.to_vec()).unwrap(), next))
    }

    #[test]
    fn a_page_is_kept_as_it_came_and_a_list_that_google_left_out_is_empty() {
        let came = r#"{ "kind": "x", "users": [{"id": "1"}], "nextPageToken": "n" }"#;
        assert_eq!(
            of(USERS, came),
            Some((came.to_owned(), Some("n".to_owned())))
        );
        let (empty, next) = of(ADMIN_LOG, r#"{"kind":"x","nextPageToken":"n"}"#).unwrap();
        assert!(empty.contains(r#""items":[]"#), "{empty}");
        assert_eq!(next.as_deref(), Some("n"));
        assert!(of(POLICIES, "{}").unwrap().0.contains(r#""policies":[]"#));
        assert_eq!(
            of(USERS, r#"{"kind":"x","nextPageToken":""}"#).unwrap().1,
            None
        );
    }

    #[test]
    fn what_is_no_reply_of_googles_is_not_an_empty_list() {
        for body in [
            "{}",
            "[]",
            "<html>",
            r#"{"hello":1}"#,
            r#"{"kind":"x","error":{"code":403}}"#,
            r#"{"kind":"x","nextPageToken":7}"#,
        ] {
            assert_eq!(of(USERS, body), None, "{body}");
        }
    }

    #[test]
    fn every_part_that_a_check_reads_is_asked_for() {
        for resource in crate::CATALOGUE.resources {
            if [DNS, HISTORY].contains(&resource.path) {
                continue;
            }
            let ask = ASKS.iter().find(|ask| ask.part == resource.path);
            let scope = ask.map(|ask| ask.scope.url());
            assert!(
                resource.permissions.iter().any(|it| Some(*it) == scope),
                "{}",
                resource.path
            );
        }
    }
}
