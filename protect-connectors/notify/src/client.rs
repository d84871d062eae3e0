//! The client for scripts and playbooks.

use std::time::Duration;

use lettre::Address;
use protect_core::connector::OpContext;
use protect_core::model::{Actor, Severity, TenantId};
use protect_core::secret::{Credential, HeldSecrets, SecretRef};
use protect_core::{Context, Error, Result};

use crate::chat::{Chat, Place};
use crate::format::ChatFormat;
use crate::mail;
use crate::notice::{Notice, Sent};
use crate::smtp::{Login, MailServer};

/// Sends at once, without plan, guards, store or ledger: notices by mail, Slack or Microsoft Teams.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct Notify {
    way: Way,
    context: Context,
    cx: OpContext,
}

#[derive(Clone)]
enum Way {
    Mail {
        server: MailServer,
        sender: Address,
        to: Vec<Address>,
    },
    Chat(Chat),
}

impl Notify {
    /// Begins a client.
    pub fn builder() -> NotifyBuilder {
        NotifyBuilder::default()
    }

    /// The same client for one piece of work: its tenant, actor, correlation and deadline.
    #[must_use]
    pub fn within(&self, cx: &OpContext) -> Self {
        Self {
            cx: cx.clone(),
            ..self.clone()
        }
    }

    /// The same client, each of whose calls from now on gives up when so much time has passed.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let deadline = self.context.clock.monotonic() + timeout;
        self.within(&self.cx.clone().with_deadline(deadline))
    }

    /// Sends a notice once. `to` takes the place of the client's recipients; chat has none. `id` is
    /// what a repeat is recognised by; a fresh one is made where it is absent.
    ///
    /// # Errors
    /// `invalid_input` for a title with a line break, an id or a recipient that is none;
    /// `unauthenticated`, `not_found`, `refused` by the receiver; `unavailable`, `timeout` and
    /// `rate_limited` may pass. An error that is retryable and not
    /// [`is_untouched`](Error::is_untouched) means that the notice may have been sent.
    pub async fn send(
        &self,
        title: &str,
        text: &str,
        severity: Option<Severity>,
        to: Option<Vec<String>>,
        id: Option<&str>,
    ) -> Result<Sent> {
        let fresh = self.context.fresh_guid();
        let severity = severity.unwrap_or(Severity::Info);
        let notice = Notice::new(id.unwrap_or(&fresh), title, text, severity)?;
        self.send_notice(&notice, to.as_deref()).await
    }

    pub(crate) async fn send_notice(
        &self,
        notice: &Notice,
        instead: Option<&[String]>,
    ) -> Result<Sent> {
        match &self.way {
            Way::Mail { server, sender, to } => {
                let instead = instead.map(addresses).transpose()?;
                let to = instead.as_ref().unwrap_or(to);
                if to.is_empty() {
                    return Err(Error::invalid_input("nobody to send to; give `to`")
                        .with_context("argument", "to"));
                }
                let now = self.context.clock.now();
                let written = mail::write(notice, sender, to, now)?;
                let accepted = server.send(&self.cx, sender, to, &written).await;
                let accepted = accepted.map_err(|e| e.with_operation("notify.send"))?;
                Ok(Sent {
                    id: mail::message_id(notice, sender),
                    refused: accepted.refused,
                })
            }
            Way::Chat(_) if instead.is_some() => Err(Error::invalid_input(
                "an incoming webhook writes to its one channel; leave `to` out",
            )
            .with_context("argument", "to")),
            Way::Chat(chat) => {
                chat.send(&self.cx, notice).await?;
                Ok(Sent {
                    id: notice.id.clone(),
                    refused: 0,
                })
            }
        }
    }

    /// Whether the mail server accepts us; `None` for a webhook, which cannot be asked.
    ///
    /// # Errors
    /// Nobody answers, or the sign-in is refused.
    pub(crate) async fn accepted(&self) -> Result<Option<bool>> {
        match &self.way {
            Way::Mail { server, .. } => server.check(&self.cx).await.map(|()| Some(true)),
            Way::Chat(chat) => chat.reachable(&self.cx).await.map(|_| None),
        }
    }

    pub(crate) fn is_mail(&self) -> bool {
        matches!(self.way, Way::Mail { .. })
    }
}

impl std::fmt::Debug for Notify {
    /// Without addresses of people and of webhooks.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let way = if self.is_mail() { "mail" } else { "chat" };
        f.debug_struct("Notify")
            .field("way", &way)
            .finish_non_exhaustive()
    }
}

fn addresses(texts: &[String]) -> Result<Vec<Address>> {
    texts
        .iter()
        .map(|text| mail::address(text).map_err(|error| error.with_context("argument", "to")))
        .collect()
}

/// Makes a [`Notify`].
#[derive(Default)]
pub struct NotifyBuilder {
    context: Option<Context>,
    smtp: Option<String>,
    username: Option<String>,
    password: Option<Credential>,
    sender: Option<String>,
    to: Vec<String>,
    url: Option<Credential>,
    plain_url: Option<String>,
    format: Option<ChatFormat>,
}

impl NotifyBuilder {
    /// Where everything from outside comes from.
    #[must_use]
    pub fn context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// By this mail server: `smtp://host` (STARTTLS) or `smtps://host`.
    #[must_use]
    pub fn smtp(mut self, server: impl Into<String>) -> Self {
        self.smtp = Some(server.into());
        self
    }

    /// The mail server's user name.
    #[must_use]
    pub fn username(mut self, name: impl Into<String>) -> Self {
        self.username = Some(name.into());
        self
    }

    /// The mail server's password.
    #[must_use]
    pub fn password(mut self, password: impl Into<Credential>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The address that mails come from; the user name where that is one.
    #[must_use]
    pub fn sender(mut self, address: impl Into<String>) -> Self {
        self.sender = Some(address.into());
        self
    }

    /// Who gets the mails.
    #[must_use]
    pub fn to(mut self, addresses: Vec<String>) -> Self {
        self.to = addresses;
        self
    }

    /// By this incoming webhook of Slack or Teams. Its address is a secret.
    #[must_use]
    pub fn url(mut self, address: impl Into<Credential>) -> Self {
        self.url = Some(address.into());
        self
    }

    /// The same, for an address that stands in the open.
    #[must_use]
    pub(crate) fn plain_url(mut self, address: &str) -> Self {
        self.plain_url = Some(address.to_owned());
        self
    }

    /// Whose webhook it is, where the host does not tell.
    #[must_use]
    pub fn format(mut self, format: ChatFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// The client. No I/O.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub fn build(self) -> Result<Notify> {
        let missing = || Error::config("context", "missing");
        let mut context = self.context.ok_or_else(missing)?;
        let mut held = HeldSecrets::new(std::sync::Arc::clone(&context.secrets));
        let password = self.password.map(|it| held.hold("notify.password", it));
        let url = self.url.map(|it| held.hold("notify.url", it));
        context.secrets = std::sync::Arc::new(held);
        let url = url
            .map(Place::Secret)
            .or(self.plain_url.map(Place::Address));
        let way = match (self.smtp, url) {
            (Some(smtp), None) => {
                if self.format.is_some() {
                    return Err(Error::config("format", "mail has none; leave it out"));
                }
                let login = login(self.username.clone(), password)?;
                let sender = self.sender.or(self.username);
                let sender = sender.ok_or_else(|| {
                    Error::config("sender", "the address that mails come from is missing")
                })?;
                Way::Mail {
                    server: MailServer::new(&smtp, login, &context)
                        .map_err(|error| Error::config("smtp", error.message()))?,
                    sender: mail::address(&sender)
                        .map_err(|error| Error::config("sender", error.message()))?,
                    to: addresses(&self.to)
                        .map_err(|error| Error::config("to", error.message()))?,
                }
            }
            (None, Some(place)) => {
                let mail = [
                    ("username", self.username.is_some()),
                    ("password", password.is_some()),
                    ("sender", self.sender.is_some()),
                    ("to", !self.to.is_empty()),
                ];
                if let Some((field, _)) = mail.into_iter().find(|(_, given)| *given) {
                    return Err(Error::config(field, "a webhook has none; leave it out"));
                }
                Way::Chat(Chat::new(place, self.format, &context)?)
            }
            (Some(_), Some(_)) => {
                return Err(Error::config("url", "give `smtp` or `url`, not both"));
            }
            (None, None) => {
                return Err(Error::config(
                    "smtp",
                    "give a mail server as `smtp`, or an incoming webhook as `url`",
                ));
            }
        };
        let local = TenantId::new("local")?;
        Ok(Notify {
            way,
            cx: OpContext::new(local, context.fresh_guid(), Actor::engine()),
            context,
        })
    }
}

fn login(username: Option<String>, password: Option<SecretRef>) -> Result<Option<Login>> {
    match (username, password) {
        (Some(username), Some(password)) => Ok(Some(Login { username, password })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Error::config("password", "missing")),
        (None, Some(_)) => Err(Error::config("username", "missing")),
    }
}
