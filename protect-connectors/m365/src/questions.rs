//! What a scan asks of Graph, and how: one table, and the asking itself.

use std::collections::BTreeSet;

use async_trait::async_trait;
use http::Method;
use protect_core::connector::OpContext;
use protect_core::http::RequestBuilder;
use protect_core::posture::{Answered, Asker, Question, Refusal, settle};
use protect_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::json;

use crate::CATALOGUE;
use crate::api::Graph;
use crate::batch::{Member, batch};
use crate::graph::{
    ACTIVE_INSTANCES, ACTIVE_USERS, ADMIN_CONSENT, APP_MANAGEMENT, APP_MANAGEMENT_CUSTOM,
    APPLICATIONS, AUTH_METHODS, AUTHORIZATION, CA, DOMAINS, ELIGIBLE_INSTANCES, GRANTS,
    GROUP_SETTINGS, NAMED_LOCATIONS, OBJECTS, PRINCIPALS, REGISTRATIONS, ROLE_ASSIGNMENTS,
    ROLE_DEFINITIONS, ROLE_POLICIES, ROLES, SECURITY_DEFAULTS, SIGN_IN_ACTIVITY, SKUS, STRENGTHS,
    USERS,
};
use crate::report;

/// A path that is asked about the whole tenant.
struct Ask {
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    /// Resource units
    /// (<https://learn.microsoft.com/graph/throttling-limits>): `$select` takes one off, `$expand`
    /// adds one.
    weight: u32,
    /// What opens it, where no check reads it and so [`CATALOGUE`] does not say.
    permissions: &'static [&'static str],
}

const fn plain(path: &'static str) -> Ask {
    Ask {
        path,
        query: &[],
        weight: 1,
        permissions: &[],
    }
}

const fn asked(
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    weight: u32,
) -> Ask {
    Ask {
        path,
        query,
        weight,
        permissions: &[],
    }
}

/// What no check of the catalogue reads, and whoever looks at a snapshot wants to see.
const fn beside(path: &'static str, permissions: &'static [&'static str]) -> Ask {
    Ask {
        path,
        query: &[],
        weight: 1,
        permissions,
    }
}

const POLICY: &[&str] = &["Policy.Read.All"];

/// Licences first, since the rest is judged by them; what is large last.
const ASKS: &[Ask] = &[
    asked(SKUS, &[], 3),
    beside(
        "/organization",
        &["Directory.Read.All", "Organization.Read.All"],
    ),
    plain(CA),
    plain(NAMED_LOCATIONS),
    plain(STRENGTHS),
    plain(SECURITY_DEFAULTS),
    plain(AUTHORIZATION),
    plain(AUTH_METHODS),
    plain(ADMIN_CONSENT),
    plain(APP_MANAGEMENT),
    plain(APP_MANAGEMENT_CUSTOM),
    beside("/policies/crossTenantAccessPolicy/default", POLICY),
    beside("/policies/crossTenantAccessPolicy/partners", POLICY),
    beside("/policies/activityBasedTimeoutPolicies", POLICY),
    beside(
        "/policies/deviceRegistrationPolicy",
        &["Policy.Read.DeviceConfiguration"],
    ),
    beside(
        "/admin/sharepoint/settings",
        &["SharePointTenantSettings.Read.All"],
    ),
    beside(
        "/directory/onPremisesSynchronization",
        &["OnPremDirectorySynchronization.Read.All"],
    ),
    beside(
        "/security/secureScoreControlProfiles",
        &["SecurityEvents.Read.All", "SecurityEvents.ReadWrite.All"],
    ),
    plain(GROUP_SETTINGS),
    plain(DOMAINS),
    plain(ROLES),
    asked(ROLE_ASSIGNMENTS, &[("$expand", "principal")], 2),
    plain(ROLE_DEFINITIONS),
    asked(ACTIVE_INSTANCES, &[("$expand", "principal")], 2),
    asked(ELIGIBLE_INSTANCES, &[("$expand", "principal")], 2),
    asked(
        ROLE_POLICIES,
        &[
            ("$filter", "scopeId eq '/' and scopeType eq 'DirectoryRole'"),
            ("$expand", "policy($expand=rules)"),
        ],
        3,
    ),
    asked(
        APPLICATIONS,
        &[
            (
                "$select",
                "id,appId,displayName,signInAudience,createdDateTime,passwordCredentials,keyCredentials,requiredResourceAccess,verifiedPublisher,web",
            ),
            ("$top", "999"),
        ],
        1,
    ),
    asked(
        PRINCIPALS,
        &[
            (
                "$select",
                "id,appId,displayName,appOwnerOrganizationId,servicePrincipalType,accountEnabled,passwordCredentials,keyCredentials,tags,appRoles,verifiedPublisher",
            ),
            ("$top", "999"),
        ],
        1,
    ),
    Ask {
        path: "/groups",
        query: &[
            (
                "$select",
                "id,displayName,visibility,groupTypes,membershipRule,isAssignableToRole,isManagementRestricted",
            ),
            ("$top", "999"),
        ],
        weight: 1,
        permissions: &[
            "Directory.Read.All",
            "Group.ReadBasic.All",
            "Group.Read.All",
        ],
    },
    asked(GRANTS, &[], 2),
    asked(REGISTRATIONS, &[], 1),
    asked(USERS, &[("$select", USER_FIELDS), ("$top", "999")], 1),
    plain(ACTIVE_USERS),
];

/// What the checks read of a user. Graph answers a small set unless told.
const USER_FIELDS: &str = "id,userPrincipalName,displayName,accountEnabled,userType,createdDateTime,onPremisesSyncEnabled,onPremisesImmutableId,assignedLicenses,passwordPolicies,lastPasswordChangeDateTime,externalUserState,employeeHireDate";

/// The same with the sign-ins, for which the server chooses the size of its pages.
const USER_FIELDS_AND_SIGN_INS: &str = "id,userPrincipalName,displayName,accountEnabled,userType,createdDateTime,onPremisesSyncEnabled,onPremisesImmutableId,assignedLicenses,passwordPolicies,lastPasswordChangeDateTime,externalUserState,employeeHireDate,signInActivity";

/// What to ask about the whole tenant, with these permissions: what is not granted is not asked.
/// Where nobody could say what is granted, everything is.
pub(crate) fn about_the_tenant(granted: Option<&BTreeSet<String>>) -> Vec<Question> {
    let has_sign_ins = is_open(SIGN_IN_ACTIVITY, &[], granted);
    let asks = ASKS.iter().filter(|ask| {
        // The report stands in for sign-ins where those are not granted.
        let needless = ask.path == ACTIVE_USERS && granted.is_some() && has_sign_ins;
        !needless && is_open(ask.path, ask.permissions, granted)
    });
    asks.map(|ask| Question::of(ask.path)).collect()
}

/// Whether a permission that opens a path is granted, or nobody can say.
pub(crate) fn is_open(
    path: &str,
    beside: &'static [&'static str],
    granted: Option<&BTreeSet<String>>,
) -> bool {
    let Some(granted) = granted else { return true };
    let declared = CATALOGUE.resource(path).map(|it| it.permissions);
    let permissions = declared.unwrap_or(beside);
    permissions.is_empty() || permissions.iter().any(|it| granted.contains(*it))
}

/// Asks Graph for a collection.
pub(crate) struct Collector<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) granted: Option<&'a BTreeSet<String>>,
    /// The objects that the policies name.
    pub(crate) named: &'a [String],
}

#[async_trait]
impl Asker for Collector<'_> {
    async fn page(
        &self,
        cx: &OpContext,
        question: &Question,
        next: Option<&str>,
    ) -> Result<Answered> {
        if let Some(link) = next {
            let weight = weight(question.template);
            let followed = self.graph.follow(COLLECT, question.template, link, weight);
            return settle(match followed {
                Ok(request) => answered(request, cx).await,
                Err(error) => Err(error),
            });
        }
        match question.template {
            OBJECTS => settle(self.objects_by_id(cx).await),
            ACTIVE_USERS => settle(report::active_users(self.graph, cx).await),
            USERS => self.users(cx).await,
            template => {
                let request = self.first(template, question.id.as_deref())?;
                settle(answered(request, cx).await)
            }
        }
    }

    async fn objects(&self, cx: &OpContext, questions: &[Question]) -> Result<Vec<Answered>> {
        let members: Vec<Member> = questions.iter().map(Member::of).collect::<Result<_>>()?;
        batch(self.graph, cx, &members).await
    }
}

const COLLECT: &str = "m365.collect";

impl Collector<'_> {
    fn first(&self, template: &'static str, id: Option<&str>) -> Result<RequestBuilder> {
        if let Some(id) = id {
            return self.graph.about(Method::GET, COLLECT, template, id);
        }
        let request = self
            .graph
            .request(Method::GET, COLLECT, template, weight(template));
        let ask = ASKS.iter().find(|ask| ask.path == template);
        let query = ask.map(|ask| ask.query).unwrap_or_default();
        Ok(query
            .iter()
            .fold(request, |request, (name, value)| request.query(name, value)))
    }

    /// The users with their sign-ins where those are granted and licensed; asking for them
    /// otherwise would cost the whole answer.
    async fn users(&self, cx: &OpContext) -> Result<Answered> {
        if is_open(SIGN_IN_ACTIVITY, &[], self.granted) {
            let request = self
                .graph
                .request(Method::GET, COLLECT, USERS, 1)
                .query("$select", USER_FIELDS_AND_SIGN_INS);
            let answer = settle(answered(request, cx).await)?;
            if matches!(answer, Answered::Page { .. }) {
                return Ok(answer);
            }
        }
        settle(answered(self.first(USERS, None)?, cx).await)
    }

    /// Which of the named objects are there. Up to a thousand are asked about at once
    /// (<https://learn.microsoft.com/graph/api/directoryobject-getbyids>).
    async fn objects_by_id(&self, cx: &OpContext) -> Result<Answered> {
        let mut there = Vec::new();
        for ids in self.named.chunks(1_000) {
            let request = self
                .graph
                .request(Method::POST, COLLECT, OBJECTS, 3)
                .idempotent(true)
                .json(&json!({ "ids": ids, "types": ["user", "group"] }))?;
            let page: serde_json::Value = request.send(cx).await?.json()?;
            match page.get("value").and_then(serde_json::Value::as_array) {
                Some(found) => there.extend(found.iter().cloned()),
                None => return Err(no_collection()),
            }
        }
        let body = json!({ "value": there }).to_string();
        Ok(Answered::Page {
            body: body.into(),
            next: None,
        })
    }
}

fn weight(template: &str) -> u32 {
    ASKS.iter()
        .find(|ask| ask.path == template)
        .map_or(2, |ask| ask.weight)
}

async fn answered(request: RequestBuilder, cx: &OpContext) -> Result<Answered> {
    let answer = request.send(cx).await?;
    let end: PageEnd = answer.json()?;
    Ok(Answered::Page {
        body: answer.body().clone(),
        next: end.next,
    })
}

/// All that collecting wants to know of a page. Reading it goes through the whole, so that what is
/// kept is JSON.
#[derive(Deserialize)]
struct PageEnd {
    #[serde(default, rename = "@odata.nextLink")]
    next: Option<String>,
}

fn no_collection() -> Error {
    Error::new(ErrorKind::InvalidResponse, "the answer is no collection").with_operation(COLLECT)
}

/// What a member of a batch is kept as: its body, or an error.
pub(crate) fn kept(status: u16, body: &serde_json::Value) -> Answered {
    let is_error = body.get("error").is_some();
    if (200..300).contains(&status) && !is_error {
        let next = body.get("@odata.nextLink").and_then(|link| link.as_str());
        return Answered::Page {
            next: next.map(ToOwned::to_owned),
            body: body.to_string().into(),
        };
    }
    Answered::Refused(if is_error {
        body.to_string().into()
    } else {
        Refusal::of_status(status)
    })
}

/// The permissions of what is collected although no check reads it.
pub(crate) fn extra_permissions() -> impl Iterator<Item = &'static &'static str> {
    ASKS.iter().flat_map(|ask| ask.permissions)
}
