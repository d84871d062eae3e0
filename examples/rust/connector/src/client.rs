//! One function for each endpoint. Deadlines, retries, limits, authorisation and logging are
//! `protect_core::http`'s.

use std::sync::Arc;

use protect_core::auth::Bearer;
use protect_core::connector::OpContext;
use protect_core::http::{HttpClient, Method};
use protect_core::secret::SecretRef;
use protect_core::{Context, ErrorKind, Result};

use crate::wire::{Page, Person};

/// The badge system's API with one credential.
#[derive(Clone, Debug)]
pub(crate) struct Badges {
    http: HttpClient,
}

impl Badges {
    pub(crate) fn new(context: &Context, api: &str, token: SecretRef) -> Result<Self> {
        let http = HttpClient::builder(context, api)?
            .auth(Arc::new(Bearer::new(context, token)))
            .build();
        Ok(Self { http })
    }

    /// `GET /people?page=N`.
    pub(crate) async fn list(&self, cx: &OpContext, page: u32) -> Result<Page> {
        self.http
            .request(Method::GET, "badge.list_people", "/people")
            .query("page", page.to_string())
            .send(cx)
            .await?
            .json()
    }

    /// `GET /people/{id}`; `None` where there is nobody of that id.
    pub(crate) async fn get(&self, cx: &OpContext, id: &str) -> Result<Option<Person>> {
        let answer = self
            .http
            .request(Method::GET, "badge.get_person", "/people/{id}")
            .path("id", id)
            .send(cx)
            .await;
        match answer {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `POST /people/{id}/block` or `/unblock`. The vendor answers the same to a second one, so it
    /// is safe to send again.
    pub(crate) async fn set_blocked(&self, cx: &OpContext, id: &str, blocked: bool) -> Result<()> {
        let (operation, template) = if blocked {
            ("badge.block", "/people/{id}/block")
        } else {
            ("badge.unblock", "/people/{id}/unblock")
        };
        self.http
            .request(Method::POST, operation, template)
            .path("id", id)
            .idempotent(true)
            .send(cx)
            .await
            .map(drop)
    }
}
