//! The endpoints, one function each. What they are for is said in `client.rs`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use protect_core::auth::Bearer;
use protect_core::connector::OpContext;
use protect_core::http::{Answer, BudgetKey, HttpClient, Limit, RequestBuilder, UrlPolicy};
use protect_core::listing::repeated_page;
use protect_core::model::hash_fields;
use protect_core::secret::SecretRef;
use protect_core::{Context, Error, ErrorKind, Result};
use serde_json::Value;

use crate::config::Options;
use crate::model::{ServiceProviderConfig, User, UserPage};
use crate::wire::{self, MEDIA_TYPE, PatchActive};

/// Users on one page: a service provider may give fewer (RFC 7644 section 3.4.2.4).
const PAGE_SIZE: u32 = 100;

/// A service provider with one token.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: HttpClient,
    options: Options,
}

/// What all tokens of one connection count against, named after the first of them.
pub(crate) fn budget(base: &str, token: &SecretRef) -> BudgetKey {
    let whose = hash_fields("scim", &[base, &token.to_string()]);
    BudgetKey(format!("scim/{whose}"))
}

impl Api {
    /// No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is no bare root or not encrypted.
    pub(crate) fn new(
        base: &str,
        token: SecretRef,
        budget: BudgetKey,
        options: Options,
        context: &Context,
    ) -> Result<Self> {
        let limit = Limit::per(options.requests_per_second, Duration::from_secs(1));
        context.limits.declare(&budget, &limit);
        let policy = UrlPolicy {
            allowed_hosts: options.allowed_hosts.clone(),
            allow_loopback: true,
        };
        let http = HttpClient::builder(context, base)?
            .auth(Arc::new(Bearer::new(context, token)))
            .errors(crate::error::table)
            .budget(budget)
            .url_policy(policy)
            .build();
        Ok(Self { http, options })
    }

    /// `GET /Users`: one page from the 1-based place `start_index` on.
    pub(crate) async fn list_users(
        &self,
        cx: &OpContext,
        filter: Option<&str>,
        start_index: u32,
    ) -> Result<UserPage> {
        let answer = self.list(cx, filter, start_index, PAGE_SIZE).await?;
        wire::page(&json(&answer)?, start_index).ok_or_else(|| {
            if start_index > 1 {
                repeated_page(LIST_USERS)
            } else {
                unreadable(&answer, "the answer is no list of users").with_operation(LIST_USERS)
            }
        })
    }

    /// The same with a page of one user, for the time in its answer alone.
    pub(crate) async fn list_one(&self, cx: &OpContext) -> Result<Option<Timestamp>> {
        let answer = self.list(cx, None, 1, 1).await?;
        let found = wire::page(&json(&answer)?, 1);
        found
            .map(|_| answer.date())
            .ok_or_else(|| unreadable(&answer, "the answer is no list of users"))
    }

    async fn list(
        &self,
        cx: &OpContext,
        filter: Option<&str>,
        start_index: u32,
        count: u32,
    ) -> Result<Answer> {
        let mut request = self.get(LIST_USERS, "/Users");
        if let Some(filter) = filter {
            request = request.query("filter", filter);
        }
        request
            .query("startIndex", start_index.to_string())
            .query("count", count.to_string())
            .send(cx)
            .await
    }

    /// `GET /Users/{id}`.
    pub(crate) async fn get_user(&self, cx: &OpContext, id: &str) -> Result<User> {
        let request = self.get(GET_USER, "/Users/{id}").path("id", id);
        let answer = request.send(cx).await?;
        let user = wire::user(&json(&answer)?);
        user.ok_or_else(|| unreadable(&answer, "the answer is no user").with_operation(GET_USER))
    }

    /// `PATCH /Users/{id}`. What the answer holds does not matter: 204 has nothing, and a 200 is no
    /// proof (RFC 7644 section 3.5.2). Reading back is. `version`, where the user has one, keeps a
    /// change by somebody else from being overwritten (section 3.14).
    pub(crate) async fn set_active(
        &self,
        cx: &OpContext,
        operation: &'static str,
        id: &str,
        active: bool,
        version: Option<&str>,
    ) -> Result<()> {
        let body = PatchActive::new(active, self.options.active_as, self.options.patch_style);
        let body = serde_json::to_vec(&body)
            .map_err(|_| Error::unexpected("the request cannot be written as JSON"))?;
        let mut request = self
            .http
            .request(Method::PATCH, operation, "/Users/{id}")
            .path("id", id)
            .header("accept", MEDIA_TYPE)
            .bytes(MEDIA_TYPE, Bytes::from(body))
            .idempotent(true);
        if let Some(version) = version {
            request = request.header("if-match", version);
        }
        request.send(cx).await.map(drop)
    }

    /// `GET /ServiceProviderConfig` (RFC 7644 section 4).
    pub(crate) async fn provider(&self, cx: &OpContext) -> Result<ServiceProviderConfig> {
        let operation = "scim.service_provider_config";
        let answer = self
            .get(operation, "/ServiceProviderConfig")
            .send(cx)
            .await?;
        wire::provider(&json(&answer)?).ok_or_else(|| {
            unreadable(&answer, "the answer is no service provider configuration")
                .with_operation(operation)
        })
    }

    fn get(&self, operation: &'static str, template: &'static str) -> RequestBuilder {
        self.http
            .request(Method::GET, operation, template)
            .header("accept", MEDIA_TYPE)
    }
}

const LIST_USERS: &str = "scim.users";
const GET_USER: &str = "scim.get_user";

fn json(answer: &Answer) -> Result<Value> {
    answer.json()
}

fn unreadable(answer: &Answer, message: &str) -> Error {
    Error::new(ErrorKind::InvalidResponse, message).with_http_status(answer.status().as_u16())
}
