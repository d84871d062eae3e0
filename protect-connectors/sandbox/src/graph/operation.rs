//! What an operation of Graph is: its path, who may, how it is throttled, and what it does.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Graph,
    error::{Answer, Refusal},
    query::Options,
    throttle::Service,
};
use crate::request::{Call, Context, decode};

/// One method of one path below `/v1.0`.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    /// Any of these application permissions opens it; none means that its action asks.
    pub(crate) permissions: &'static [&'static str],
    pub(crate) service: Service,
    pub(crate) licence: Option<Licence>,
    /// Resource units, before what the query options add or take.
    pub(crate) cost: u32,
    pub(crate) act: Act,
}

/// What a tenant must have for an operation, and how its lack is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Licence {
    /// Entra ID P1, reports.
    Premium,
    /// Entra ID P2, Identity Protection.
    Protection,
    /// Entra ID P2, Privileged Identity Management.
    Privileged,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// A collection of documents.
    Stored(&'static str, Query),
    /// The documents of a collection whose field names the object in the path.
    Children {
        of: &'static str,
        by: &'static str,
        query: Query,
    },
    /// The document whose field has the value in the path.
    Item(&'static str, &'static str),
    /// A document that there is one of.
    Single(&'static str),
    /// Something of its own.
    Call(Caller, Query),
}

pub(crate) type Caller = fn(&mut Graph, &Ask<'_>, &mut Context) -> Answer;

/// Which query options an operation takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    pub(crate) select: bool,
    /// Properties that may stand in `$filter`.
    pub(crate) filter: &'static [&'static str],
    /// Properties that may stand in `$orderby`.
    pub(crate) order: &'static [&'static str],
    /// Values of `$expand`.
    pub(crate) expand: &'static [&'static str],
    /// The largest `$top`; 0 where there is none.
    pub(crate) top: usize,
    /// Rows in a page without `$top`; 0 where there are no pages.
    pub(crate) page: usize,
    pub(crate) skip: bool,
    pub(crate) count: bool,
    /// Counts and some operators need `ConsistencyLevel: eventual`.
    pub(crate) eventual: bool,
    pub(crate) delta: bool,
    /// What comes without `$select`; everything where absent.
    pub(crate) defaults: Option<&'static [&'static str]>,
}

/// A request on its way through an operation.
pub(crate) struct Ask<'a> {
    pub(crate) call: &'a Call,
    pub(crate) operation: &'static Operation,
    /// What stands in the place of the template's parameters.
    pub(crate) ids: Vec<String>,
    pub(crate) options: Options,
    pub(crate) granted: &'a BTreeSet<String>,
    /// Object id of the calling application's service principal.
    pub(crate) principal: String,
    pub(crate) now: Timestamp,
}

impl Ask<'_> {
    /// What stands in the place of the `place`th parameter.
    pub(crate) fn id(&self, place: usize) -> &str {
        self.ids.get(place).map_or("", String::as_str)
    }

    pub(crate) fn may(&self, permissions: &[&str]) -> bool {
        permissions.iter().any(|it| self.granted.contains(*it))
    }

    /// Refuses where none of these is granted.
    pub(crate) fn need(&self, permissions: &[&str], cx: &mut Context) -> Result<(), Refusal> {
        if self.may(permissions) {
            return Ok(());
        }
        cx.violate("permission_missing", "the application lacks the permission");
        Err(Refusal::denied())
    }

    /// The body: a JSON object with no other fields than these.
    pub(crate) fn body(
        &self,
        fields: &[&str],
        cx: &mut Context,
    ) -> Result<Map<String, Value>, Refusal> {
        let body = match self.call.json() {
            Some(Value::Object(body)) if self.call.content_type_is("application/json") => body,
            _ => return Err(malformed(cx)),
        };
        if body.is_empty() || body.keys().any(|name| !fields.contains(&name.as_str())) {
            return Err(malformed(cx));
        }
        Ok(body)
    }
}

impl Query {
    pub(crate) fn paged(&self) -> bool {
        self.page > 0
    }
}

impl Operation {
    pub(crate) fn query(&self) -> Query {
        match self.act {
            Act::Stored(_, query) | Act::Children { query, .. } | Act::Call(_, query) => query,
            Act::Item(..) | Act::Single(_) => super::routes::ITEM,
        }
    }

    /// The parameters of this path, or `None` where the template does not fit.
    pub(crate) fn fits(&self, path: &[String]) -> Option<Vec<String>> {
        let mut template = self.template.split('/').skip(1);
        let mut ids = Vec::new();
        for segment in path {
            capture(template.next()?, &decode(segment)?, &mut ids)?;
        }
        template.next().is_none().then_some(ids)
    }

    pub(crate) fn changing(&self) -> bool {
        self.method != "GET" && self.template != "/directoryObjects/getByIds"
    }
}

/// The refusal of a body that does not fit.
pub(crate) fn malformed(cx: &mut Context) -> Refusal {
    cx.violate("body_malformed", "not the JSON that this operation takes");
    Refusal::bad_request("The request body is malformed.")
}

/// A template's segment is literal, or has one parameter with something around it. Graph does not
/// care for the case of what is literal.
fn capture(template: &str, segment: &str, ids: &mut Vec<String>) -> Option<()> {
    let Some((before, rest)) = template.split_once('{') else {
        return template.eq_ignore_ascii_case(segment).then_some(());
    };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    let head = segment.get(..before.len())?;
    head.eq_ignore_ascii_case(before).then_some(())?;
    let id = segment.get(before.len()..)?.strip_suffix(after)?;
    // An action or a function in the place of an identifier is another route.
    let other = id.starts_with('$') || (before.is_empty() && id.contains('('));
    let plain = !id.is_empty() && !other;
    plain.then(|| ids.push(id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(template: &str, segment: &str) -> Option<Vec<String>> {
        let mut ids = Vec::new();
        capture(template, segment, &mut ids).map(|()| ids)
    }

    #[test]
    fn a_parameter_may_stand_alone_or_inside_of_parentheses() {
        let of = |id: &str| Some(vec![id.to_owned()]);
        assert_eq!(captured("users", "Users"), Some(vec![]));
        assert_eq!(captured("{id}", "a@b.example"), of("a@b.example"));
        assert_eq!(
            captured(
                "servicePrincipals(appId='{id}')",
                "servicePrincipals(appId='x')"
            ),
            of("x")
        );
        assert_eq!(captured("{id}", "$count"), None);
        assert_eq!(captured("{id}", "microsoft.graph.x(y=1)"), None);
    }
}
