//! A mail server (RFC 5321), step by step, so that it is known how far a mail got.

use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension};
use protect_core::connector::OpContext;
use protect_core::http::{is_loopback, within};
use protect_core::secret::{ExposeSecret, SecretRef};
use protect_core::{Context, Error, ErrorKind, Result};
use url::Url;

/// How long the way to the message, and the message itself, may take. RFC 5321 section 4.5.3.2 has
/// minutes for each step; a server that takes them is asked again later.
const PATIENCE: Duration = Duration::from_secs(30);

const CONNECT: Duration = Duration::from_secs(10);

/// A mail server and how to sign in to it.
#[derive(Clone, Debug)]
pub(crate) struct MailServer {
    host: String,
    port: u16,
    tls: Tls,
    login: Option<Login>,
    context: Context,
}

#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: SecretRef,
}

/// How a connection is kept from being read on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    /// From the first byte (`smtps`, RFC 8314 section 3.3).
    FromTheStart,
    /// By STARTTLS (RFC 3207), without which nothing is said.
    Upgraded,
    /// By STARTTLS where the server offers it: this machine alone hears what is said.
    WhereOffered,
}

/// What the server took.
pub(crate) struct Accepted {
    pub(crate) refused: u32,
}

impl MailServer {
    /// The server of `smtp://host[:port]` (STARTTLS, port 587) or `smtps://host[:port]` (465).
    ///
    /// # Errors
    /// `invalid_input` for anything else.
    pub(crate) fn new(address: &str, login: Option<Login>, context: &Context) -> Result<Self> {
        let wrong = || Error::invalid_input("write the mail server as smtp://host or smtps://host");
        let url = Url::parse(address).map_err(|_| wrong())?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(wrong)?.to_owned();
        if !url.username().is_empty() || url.password().is_some() || !url.path().is_empty() {
            return Err(wrong());
        }
        let (tls, port) = match url.scheme() {
            "smtps" => (Tls::FromTheStart, 465),
            "smtp" if is_this_machine(&host) => (Tls::WhereOffered, 587),
            "smtp" => (Tls::Upgraded, 587),
            _ => return Err(wrong()),
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(port),
            tls,
            login,
            context: context.clone(),
        })
    }

    /// Connects, signs in and says good-bye.
    pub(crate) async fn check(&self, cx: &OpContext) -> Result<()> {
        let mut connection = self.in_time(cx, self.connected()).await?;
        let _ = within(&*self.context.clock, CONNECT, connection.quit()).await;
        Ok(())
    }

    /// Sends a mail to those recipients that the server takes.
    ///
    /// # Errors
    /// An error that is `untouched` means that no mail was sent. Any other means that the server
    /// heard the whole mail and its answer was lost: it may have been sent.
    pub(crate) async fn send(
        &self,
        cx: &OpContext,
        sender: &Address,
        to: &[Address],
        mail: &[u8],
    ) -> Result<Accepted> {
        let (mut connection, refused) = self.in_time(cx, self.up_to_the_mail(sender, to)).await?;
        let limit = cx.time_left(&*self.context.clock, PATIENCE);
        let told = within(&*self.context.clock, limit, connection.message(mail)).await;
        match told {
            Some(Ok(_)) => {}
            Some(Err(error)) if error.status().is_some() => return Err(refusal(&error)),
            Some(Err(_)) => return Err(not_confirmed(ErrorKind::Unavailable)),
            None => return Err(not_confirmed(ErrorKind::Timeout)),
        }
        // The mail is with the server, whatever becomes of the good-bye.
        let _ = within(&*self.context.clock, CONNECT, connection.quit()).await;
        Ok(Accepted { refused })
    }

    /// Everything before the mail itself; whatever goes wrong, nothing was sent.
    async fn in_time<T>(&self, cx: &OpContext, work: impl Future<Output = Result<T>>) -> Result<T> {
        let limit = cx.time_left(&*self.context.clock, PATIENCE);
        let done = within(&*self.context.clock, limit, work).await;
        done.unwrap_or_else(|| {
            let message = "the mail server did not answer in time";
            Err(Error::new(ErrorKind::Timeout, message).temporary())
        })
        .map_err(Error::untouched)
    }

    async fn up_to_the_mail(
        &self,
        sender: &Address,
        to: &[Address],
    ) -> Result<(AsyncSmtpConnection, u32)> {
        let mut connection = self.connected().await?;
        let mail = Mail::new(Some(sender.clone()), Vec::new());
        connection.command(mail).await.map_err(|e| refusal(&e))?;
        let mut refused = 0;
        let mut why = None;
        for recipient in to {
            let rcpt = Rcpt::new(recipient.clone(), Vec::new());
            match connection.command(rcpt).await {
                Ok(_) => {}
                Err(error) if error.status().is_some() => {
                    refused += 1;
                    // One that may be taken later says more than one that never will be.
                    let error = recipient_refused(&error);
                    why = why
                        .filter(|known: &Error| known.is_retryable() || !error.is_retryable())
                        .or(Some(error));
                }
                Err(error) => return Err(refusal(&error)),
            }
        }
        if let Some(why) = why.filter(|_| usize::try_from(refused) == Ok(to.len())) {
            return Err(why);
        }
        connection.command(Data).await.map_err(|e| refusal(&e))?;
        Ok((connection, refused))
    }

    async fn connected(&self) -> Result<AsyncSmtpConnection> {
        let hello = ClientId::default();
        let tls = || TlsParameters::new_rustls(self.host.clone()).map_err(|e| refusal(&e));
        let from_the_start = match self.tls {
            Tls::FromTheStart => Some(tls()?),
            Tls::Upgraded | Tls::WhereOffered => None,
        };
        let at = (self.host.trim_matches(['[', ']']).to_owned(), self.port);
        // A TLS handshake is large, and would make every future around it so.
        let connecting = Box::pin(AsyncSmtpConnection::connect_tokio1(
            at,
            Some(CONNECT),
            &hello,
            from_the_start,
            None,
        ));
        let mut connection = connecting.await.map_err(|error| refusal(&error))?;
        if self.tls == Tls::Upgraded && !connection.can_starttls() {
            return Err(Error::new(
                ErrorKind::Refused,
                "the mail server offers no STARTTLS, and nothing is sent in clear beyond this machine; use smtps:// or another server",
            ));
        }
        if connection.can_starttls() {
            let upgraded = Box::pin(connection.starttls(tls()?, &hello)).await;
            upgraded.map_err(|error| refusal(&error))?;
        }
        if let Some(login) = &self.login {
            self.sign_in(&mut connection, login).await?;
        }
        Ok(connection)
    }

    async fn sign_in(&self, connection: &mut AsyncSmtpConnection, login: &Login) -> Result<()> {
        const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
        let offers = |mechanism: &Mechanism| {
            let offered = Extension::Authentication(*mechanism);
            connection.server_info().supports_feature(offered)
        };
        if !MECHANISMS.iter().any(offers) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the mail server takes no user name and password (AUTH PLAIN or LOGIN)",
            ));
        }
        let password = self.context.secrets.resolve(&login.password).await?;
        let password = password.expose_secret().to_owned();
        let credentials = Credentials::new(login.username.clone(), password);
        let signed_in = connection.auth(&MECHANISMS, &credentials).await;
        signed_in.map(drop).map_err(|error| refusal(&error))
    }
}

fn is_this_machine(host: &str) -> bool {
    Url::parse(&format!("http://{host}/")).is_ok_and(|url| is_loopback(&url))
}

/// The server heard the whole mail, and nobody knows what it made of it.
fn not_confirmed(kind: ErrorKind) -> Error {
    Error::new(
        kind,
        "the mail server did not confirm the mail, which may have been sent",
    )
    .temporary()
    .persistent()
    .with_operation("notify.send")
}

/// What the server would not do, by the code of its reply (RFC 5321 section 4.2.3, RFC 4954 section
/// 6). The reply's text may hold addresses and is left out.
fn refusal(error: &lettre::transport::smtp::Error) -> Error {
    let code = error.status().map(u16::from);
    let made = match code {
        Some(530 | 534 | 535 | 538) => Error::new(
            ErrorKind::Unauthenticated,
            "the mail server does not accept user name and password",
        ),
        Some(552) => Error::invalid_input("the mail server finds the mail too large"),
        Some(550 | 551 | 553 | 554) => Error::new(
            ErrorKind::Refused,
            "the mail server refuses mail from this sender or of this content",
        ),
        Some(500..=599) => Error::new(
            ErrorKind::Unsupported,
            "the mail server refuses the command",
        ),
        Some(_) => Error::new(
            ErrorKind::Unavailable,
            "the mail server asks to try again later",
        )
        .temporary(),
        None if error.is_tls() => Error::new(
            ErrorKind::Unavailable,
            "no secure connection: the mail server's certificate must be valid for the host that is configured",
        )
        .temporary(),
        None if error.is_response() => Error::new(
            ErrorKind::InvalidResponse,
            "what answers is no mail server",
        )
        .temporary(),
        None => Error::new(
            ErrorKind::Unavailable,
            "no connection to the mail server, or it broke off",
        )
        .temporary(),
    };
    with_code(made.untouched(), code)
}

fn recipient_refused(error: &lettre::transport::smtp::Error) -> Error {
    if error.is_transient() {
        return refusal(error);
    }
    let made = Error::new(
        ErrorKind::NotFound,
        "the mail server takes no mail for any of the recipients; compare `to`",
    );
    with_code(made, error.status().map(u16::from))
}

fn with_code(error: Error, code: Option<u16>) -> Error {
    match code {
        Some(code) => error.with_context("reply", code.to_string()),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use protect_core::testing;

    use super::*;

    fn server(address: &str) -> Result<MailServer> {
        MailServer::new(address, None, &testing::context().context)
    }

    #[test]
    fn beyond_this_machine_a_connection_is_always_encrypted() {
        for (address, tls, port) in [
            ("smtp://mail.acme.example", Tls::Upgraded, 587),
            ("smtp://192.0.2.1:25", Tls::Upgraded, 25),
            ("smtps://mail.acme.example", Tls::FromTheStart, 465),
            ("smtp://127.0.0.1:2525", Tls::WhereOffered, 2525),
            ("smtp://localhost", Tls::WhereOffered, 587),
            ("smtp://localhost.evil.example", Tls::Upgraded, 587),
        ] {
            let server = server(address).unwrap();
            assert_eq!((server.tls, server.port), (tls, port), "{address}");
        }
    }

    /// A server that greets and offers nothing; gives what it was told.
    async fn bare_server() -> (u16, tokio::task::JoinHandle<String>) {
        use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut heard = String::new();
            stream.write_all(b"220 here\r\n").await.unwrap();
            while stream
                .read_line(&mut heard)
                .await
                .is_ok_and(|read| read > 0)
            {
                let _ = stream.write_all(b"250 AUTH PLAIN\r\n").await;
            }
            heard
        });
        (port, heard)
    }

    fn here(port: u16, tls: Tls) -> MailServer {
        let context = Context {
            clock: std::sync::Arc::new(protect_core::clock::SystemClock::new()),
            ..testing::context().context
        };
        let login = Login {
            username: "protect@acme.example".to_owned(),
            password: SecretRef::provided("never read"),
        };
        MailServer {
            tls,
            ..MailServer::new(&format!("smtp://127.0.0.1:{port}"), Some(login), &context).unwrap()
        }
    }

    #[tokio::test]
    async fn a_server_whose_starttls_was_cut_out_on_the_way_is_told_nothing() {
        let (port, heard) = bare_server().await;
        let local = protect_core::model::TenantId::new("acme").unwrap();
        let cx = OpContext::new(local, "test", protect_core::model::Actor::engine());
        let error = here(port, Tls::Upgraded).check(&cx).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.message().contains("STARTTLS"), "{error}");
        assert_eq!(heard.await.unwrap(), "EHLO [127.0.0.1]\r\n");
    }

    #[tokio::test]
    async fn a_server_that_speaks_no_tls_is_told_nothing_by_smtps() {
        let (port, heard) = bare_server().await;
        let local = protect_core::model::TenantId::new("acme").unwrap();
        let cx = OpContext::new(local, "test", protect_core::model::Actor::engine());
        let error = here(port, Tls::FromTheStart).check(&cx).await.unwrap_err();
        assert!(error.is_untouched() && error.is_retryable(), "{error}");
        assert!(!heard.await.unwrap().contains("EHLO"));
    }

    #[test]
    fn what_is_no_mail_server_is_refused_without_being_repeated() {
        for address in [
            "mail",
            "http://mail.example",
            "smtp://",
            "smtp://u:secret@mail.example",
        ] {
            let error = server(address).unwrap_err();
            assert!(!format!("{error:?}").contains("secret"), "{address}");
        }
    }
}
