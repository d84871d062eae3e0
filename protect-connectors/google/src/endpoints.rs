//! The endpoints that change or read single things, one function each. What they are for is said in
//! `client.rs`; what a scan collects stands in `questions.rs`.

use http::Method;
use jiff::Timestamp;
use protect_core::connector::OpContext;
use protect_core::http::RequestBuilder;
use protect_core::listing::repeated_page;
use protect_core::model::RejectedItem;
use protect_core::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::api::{Budget, PageOf, Workspace};
use crate::error::is_gone;
use crate::model::{
    Alert, AppPassword, Domain, Grant, Group, OrgUnit, Page, Role, RoleAssignment, Usage, User,
    UserPage,
};
use crate::scope::{Api, Scope};

/// What is asked of a log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogQuery<'a> {
    /// Which log (`login`).
    pub(crate) application: &'a str,
    pub(crate) from: Timestamp,
    /// The account whose events are wanted, by id; everybody's otherwise.
    pub(crate) user: Option<&'a str>,
    /// The one event that is wanted; every one otherwise.
    pub(crate) event: Option<&'a str>,
}

impl Workspace {
    /// `GET /admin/directory/v1/users` with one account, for the customer's own id and the time.
    pub(crate) async fn look(
        &self,
        cx: &OpContext,
        scope: Scope,
    ) -> Result<(Option<String>, Option<Timestamp>)> {
        let request = self
            .request(scope, Method::GET, "google.look", USERS)?
            .query("customer", self.customer())
            .query("maxResults", "1");
        let page = self.page(cx, request, "google.look", "users", None).await?;
        let first = page.items.first();
        let customer = first.and_then(|user| user["customerId"].as_str());
        Ok((customer.map(ToOwned::to_owned), page.date))
    }

    /// The smallest question that a scope opens; gives what the vendor's clock showed.
    pub(crate) async fn try_out(&self, cx: &OpContext, scope: Scope) -> Result<Option<Timestamp>> {
        let operation = "google.try_out";
        let get = |path| self.request(scope, Method::GET, operation, path);
        let (request, list) = match scope.api() {
            Api::Directory => return Ok(self.look(cx, scope).await?.1),
            Api::Reports => {
                let path = "/admin/reports/v1/activity/users/all/applications/login";
                (get(path)?.query("maxResults", "1"), "items")
            }
            Api::CloudIdentity => (get("/v1/policies")?.query("pageSize", "1"), "policies"),
            Api::AlertCenter => (get("/v1beta1/alerts")?.query("pageSize", "1"), "alerts"),
        };
        Ok(self.page(cx, request, operation, list, None).await?.date)
    }

    /// `GET /admin/directory/v1/users`: one page.
    pub(crate) async fn users(&self, cx: &OpContext, token: Option<&str>) -> Result<UserPage> {
        let scope = self.open(cx, Scope::READ_USERS).await?;
        let request = self
            .request(scope, Method::GET, "google.users", USERS)?
            .query("customer", self.customer())
            .query("maxResults", "500");
        let page = self
            .page(cx, request, "google.users", "users", token)
            .await?;
        let page: Page<User> = read(page, "users");
        Ok(UserPage {
            users: page.items,
            rejected: page.rejected,
            next_page_token: page.next_page_token,
        })
    }

    /// `GET /admin/directory/v1/users/{id}`.
    pub(crate) async fn user(&self, cx: &OpContext, id: &str) -> Result<User> {
        let scope = self.open(cx, Scope::READ_USERS).await?;
        let request = self.about(scope, Method::GET, "google.get_user", USER, id)?;
        request.send(cx).await?.json()
    }

    /// The account of an address; `None` where there is none.
    pub(crate) async fn user_by_address(
        &self,
        cx: &OpContext,
        address: &str,
    ) -> Result<Option<User>> {
        let scope = self.open(cx, Scope::READ_USERS).await?;
        let request = self
            .request(scope, Method::GET, "google.get_user", USER)?
            .path("id", address);
        match request.send(cx).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The super administrators whom Google's search knows. It lags by up to 36 hours, so each is
    /// looked at by itself before anything is decided by it.
    pub(crate) async fn super_administrators(&self, cx: &OpContext) -> Result<Vec<User>> {
        let operation = "google.super_administrators";
        let scope = self.open(cx, Scope::READ_USERS).await?;
        let first = || {
            Ok(self
                .request(scope, Method::GET, operation, USERS)?
                .query("customer", self.customer())
                .query("query", "isAdmin=true")
                .query("maxResults", "500"))
        };
        self.all(cx, operation, "users", first).await
    }

    /// `PUT /admin/directory/v1/users/{id}` with what is to change alone. The same again changes
    /// nothing.
    pub(crate) async fn change_user(
        &self,
        cx: &OpContext,
        operation: &'static str,
        id: &str,
        change: &Value,
    ) -> Result<User> {
        self.about(Scope::ChangeUsers, Method::PUT, operation, USER, id)?
            .sensitive()
            .json(change)?
            .send(cx)
            .await?
            .json()
    }

    /// `POST /admin/directory/v1/users/{id}/makeAdmin`.
    pub(crate) async fn make_admin(&self, cx: &OpContext, id: &str, status: bool) -> Result<()> {
        let path = "/admin/directory/v1/users/{id}/makeAdmin";
        let operation = "google.make_admin";
        self.about(Scope::ChangeUsers, Method::POST, operation, path, id)?
            .idempotent(true)
            .json(&json!({ "status": status }))?
            .send(cx)
            .await
            .map(drop)
    }

    /// `POST /admin/directory/v1/users/{id}/signOut`.
    pub(crate) async fn sign_out(&self, cx: &OpContext, id: &str) -> Result<()> {
        let path = "/admin/directory/v1/users/{id}/signOut";
        self.about(Scope::Security, Method::POST, "google.sign_out", path, id)?
            .idempotent(true)
            .send(cx)
            .await
            .map(drop)
    }

    /// `GET /admin/directory/v1/users/{id}/tokens`.
    pub(crate) async fn grants(&self, cx: &OpContext, id: &str) -> Result<Vec<Grant>> {
        let path = "/admin/directory/v1/users/{id}/tokens";
        self.owned(cx, "google.grants", path, id).await
    }

    /// `DELETE /admin/directory/v1/users/{id}/tokens/{client}`. Where Google does not have it any
    /// more, it is gone.
    pub(crate) async fn delete_grant(&self, cx: &OpContext, id: &str, client: &str) -> Result<()> {
        let path = "/admin/directory/v1/users/{id}/tokens/{client}";
        let operation = "google.revoke_grants";
        let request = self
            .about(Scope::Security, Method::DELETE, operation, path, id)?
            .path("client", client);
        gone(request.send(cx).await.map(drop))
    }

    /// `GET /admin/directory/v1/users/{id}/asps`.
    pub(crate) async fn app_passwords(&self, cx: &OpContext, id: &str) -> Result<Vec<AppPassword>> {
        let path = "/admin/directory/v1/users/{id}/asps";
        self.owned(cx, "google.app_passwords", path, id).await
    }

    /// `DELETE /admin/directory/v1/users/{id}/asps/{code}`; as [`Self::delete_grant`].
    pub(crate) async fn delete_app_password(
        &self,
        cx: &OpContext,
        id: &str,
        code: i64,
    ) -> Result<()> {
        let path = "/admin/directory/v1/users/{id}/asps/{code}";
        let operation = "google.revoke_app_passwords";
        let request = self
            .about(Scope::Security, Method::DELETE, operation, path, id)?
            .path("code", code.to_string());
        gone(request.send(cx).await.map(drop))
    }

    /// How many backup codes an account has: `GET .../verificationCodes`. The codes themselves are
    /// not looked at.
    pub(crate) async fn backup_codes(&self, cx: &OpContext, id: &str) -> Result<usize> {
        let path = "/admin/directory/v1/users/{id}/verificationCodes";
        let operation = "google.backup_codes";
        let request = self
            .about(Scope::Security, Method::GET, operation, path, id)?
            .sensitive();
        let page = self.page(cx, request, operation, "items", None).await?;
        let live = page.items.iter().filter(|code| {
            let text = code["verificationCode"].as_str();
            text.is_some_and(|text| !text.is_empty())
        });
        Ok(live.count())
    }

    /// `POST /admin/directory/v1/users/{id}/verificationCodes/invalidate`.
    pub(crate) async fn invalidate_backup_codes(&self, cx: &OpContext, id: &str) -> Result<()> {
        let path = "/admin/directory/v1/users/{id}/verificationCodes/invalidate";
        let operation = "google.invalidate_backup_codes";
        self.about(Scope::Security, Method::POST, operation, path, id)?
            .idempotent(true)
            .send(cx)
            .await
            .map(drop)
    }

    /// `GET /admin/directory/v1/customer/{customer}/domains`.
    pub(crate) async fn domains(&self, cx: &OpContext) -> Result<Vec<Domain>> {
        let path = "/admin/directory/v1/customer/{customer}/domains";
        self.of_customer(cx, Scope::Domains, "google.domains", path, "domains")
            .await
    }

    /// `GET /admin/directory/v1/customer/{customer}/orgunits`, all of them.
    pub(crate) async fn org_units(&self, cx: &OpContext) -> Result<Vec<OrgUnit>> {
        let operation = "google.org_units";
        let path = "/admin/directory/v1/customer/{customer}/orgunits";
        let first = || {
            Ok(self
                .request(Scope::OrgUnits, Method::GET, operation, path)?
                .path("customer", self.customer())
                .query("type", "allIncludingParent"))
        };
        self.all(cx, operation, "organizationUnits", first).await
    }

    /// `GET /admin/directory/v1/groups`: one page.
    pub(crate) async fn groups(&self, cx: &OpContext, token: Option<&str>) -> Result<Page<Group>> {
        let operation = "google.groups_page";
        let path = "/admin/directory/v1/groups";
        let request = self
            .request(Scope::Groups, Method::GET, operation, path)?
            .query("customer", self.customer());
        let page = self.page(cx, request, operation, "groups", token).await?;
        Ok(read(page, "groups"))
    }

    /// `GET /admin/directory/v1/customer/{customer}/roles`.
    pub(crate) async fn roles(&self, cx: &OpContext) -> Result<Vec<Role>> {
        let path = "/admin/directory/v1/customer/{customer}/roles";
        self.of_customer(cx, Scope::Roles, "google.roles", path, "items")
            .await
    }

    /// `GET /admin/directory/v1/customer/{customer}/roleassignments`.
    pub(crate) async fn role_assignments(&self, cx: &OpContext) -> Result<Vec<RoleAssignment>> {
        let path = "/admin/directory/v1/customer/{customer}/roleassignments";
        self.of_customer(cx, Scope::Roles, "google.role_assignments", path, "items")
            .await
    }

    /// `GET /admin/reports/v1/activity/users/{user}/applications/{application}`: one page, as Google
    /// gave it.
    pub(crate) async fn activities(
        &self,
        cx: &OpContext,
        query: LogQuery<'_>,
        token: Option<&str>,
    ) -> Result<PageOf> {
        let operation = "google.activities";
        let path = "/admin/reports/v1/activity/users/{user}/applications/{application}";
        let request = self
            .request(Scope::Logs, Method::GET, operation, path)?
            .path("user", query.user.unwrap_or("all"))
            .path("application", query.application)
            .query("startTime", query.from.to_string())
            .query("maxResults", "1000");
        let request = match query.event {
            Some(event) => request.query("eventName", event),
            None => request,
        };
        let request = if query.user.is_some() || query.event.is_some() {
            self.counted(request, Budget::Filtered)
        } else {
            request
        };
        self.page(cx, request, operation, "items", token).await
    }

    /// `GET /v1beta1/alerts` that were made from a moment on: one page.
    pub(crate) async fn alerts(
        &self,
        cx: &OpContext,
        from: Timestamp,
        token: Option<&str>,
    ) -> Result<Page<Alert>> {
        let operation = "google.alerts_page";
        let request = self
            .request(Scope::Alerts, Method::GET, operation, "/v1beta1/alerts")?
            .query("filter", format!("createTime >= \"{from}\""))
            .query("orderBy", "create_time desc")
            .query("pageSize", "100");
        let page = self.page(cx, request, operation, "alerts", token).await?;
        Ok(read(page, "alerts"))
    }

    /// `GET /admin/reports/v1/usage/dates/{date}`, all pages of it.
    pub(crate) async fn usage(&self, cx: &OpContext, date: &str) -> Result<Usage> {
        let is_day = date.len() == 10
            && date
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !is_day {
            return Err(Error::invalid_input("a day is written `2026-11-01`"));
        }
        let path = "/admin/reports/v1/usage/dates/{date}";
        let request = self
            .request(Scope::Usage, Method::GET, "google.usage", path)?
            .path("date", date);
        let body: Map<String, Value> = request.send(cx).await?.json()?;
        let listed = |body: &Value, list: &str| {
            let items = body[list].as_array().into_iter().flatten();
            items.cloned().collect::<Vec<_>>()
        };
        let body = Value::Object(body);
        let mut usage = Usage {
            date: date.to_owned(),
            parameters: std::collections::BTreeMap::new(),
            warnings: Vec::new(),
        };
        for report in listed(&body, "usageReports") {
            for parameter in listed(&report, "parameters") {
                let Value::Object(mut fields) = parameter else {
                    continue;
                };
                let Some(Value::String(name)) = fields.remove("name") else {
                    continue;
                };
                let value = fields.into_iter().next().map(|(_, value)| value);
                usage.parameters.extend(value.map(|value| (name, value)));
            }
        }
        let warnings = listed(&body, "warnings");
        let codes = warnings.iter().filter_map(|it| it["code"].as_str());
        usage.warnings.extend(codes.map(ToOwned::to_owned));
        Ok(usage)
    }

    /// Everything of a kind that an account has.
    async fn owned<T: DeserializeOwned>(
        &self,
        cx: &OpContext,
        operation: &'static str,
        path: &'static str,
        id: &str,
    ) -> Result<Vec<T>> {
        let first = || self.about(Scope::Security, Method::GET, operation, path, id);
        self.all(cx, operation, "items", first).await
    }

    /// Everything of a kind that the customer has.
    async fn of_customer<T: DeserializeOwned>(
        &self,
        cx: &OpContext,
        scope: Scope,
        operation: &'static str,
        path: &'static str,
        list: &str,
    ) -> Result<Vec<T>> {
        let first = || {
            let request = self.request(scope, Method::GET, operation, path)?;
            Ok(request.path("customer", self.customer()))
        };
        self.all(cx, operation, list, first).await
    }

    /// Every item of a collection that is small by its nature.
    async fn all<T: DeserializeOwned>(
        &self,
        cx: &OpContext,
        operation: &'static str,
        list: &str,
        first: impl Fn() -> Result<RequestBuilder> + Send,
    ) -> Result<Vec<T>> {
        let (mut all, mut token) = (Vec::new(), None::<String>);
        for _ in 0..MANY_PAGES {
            let page = self
                .page(cx, first()?, operation, list, token.as_deref())
                .await?;
            for item in page.items {
                let item = serde_json::from_value(item).map_err(|_| {
                    let message = "an item of the list has an unexpected form";
                    Error::new(ErrorKind::InvalidResponse, message).with_operation(operation)
                })?;
                all.push(item);
            }
            token = page.next;
            if token.is_none() {
                return Ok(all);
            }
        }
        Err(repeated_page(operation))
    }
}

const USERS: &str = "/admin/directory/v1/users";
const USER: &str = "/admin/directory/v1/users/{id}";

/// More pages than a small collection has.
const MANY_PAGES: usize = 1_000;

/// What is gone already was to be deleted.
fn gone(deleted: Result<()>) -> Result<()> {
    match deleted {
        Err(error) if is_gone(&error) => Ok(()),
        other => other,
    }
}

/// The records of a page, each read for itself: one that cannot be read is listed, and the others stay.
pub(crate) fn read<T: DeserializeOwned>(page: PageOf, list: &str) -> Page<T> {
    let mut read = Page {
        items: Vec::with_capacity(page.items.len()),
        rejected: Vec::new(),
        next_page_token: page.next,
    };
    for (index, record) in page.items.into_iter().enumerate() {
        match serde_path_to_error::deserialize(record) {
            Ok(record) => read.items.push(record),
            Err(error) => read.rejected.push(RejectedItem {
                place: format!("{list}[{index}]"),
                reason: unreadable(&error.path().to_string()),
            }),
        }
    }
    read
}

/// What is wrong with a record, without repeating any of it.
fn unreadable(path: &str) -> String {
    if path == "." {
        "a required field is missing, or the record is no object".to_owned()
    } else {
        format!("`{path}` has an unexpected form")
    }
}
