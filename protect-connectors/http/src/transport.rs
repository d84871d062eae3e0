use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use protect_core::http::{
    HttpError, HttpErrorKind, HttpTransport, MaxBody, UrlPolicy, is_loopback,
};
use protect_core::{Error, Result};
use url::Url;

use crate::failure;
use crate::guard::{Destination, GuardedResolver, check_url};

/// HTTP by `reqwest`: rustls with the machine's trust store, no redirects, no retries, `http` to
/// loopback only, and no more body than the caller takes.
///
/// A request that carries a [`UrlPolicy`] goes out by it.
#[derive(Debug)]
pub struct ReqwestTransport {
    plain: reqwest::Client,
    guarded: reqwest::Client,
}

/// Makes a [`ReqwestTransport`].
#[derive(Debug)]
pub struct ReqwestTransportBuilder {
    proxies: Proxies,
    connect_timeout: Duration,
}

/// Which proxies are used.
#[derive(Clone, Debug, Default)]
pub enum Proxies {
    /// None, whatever the environment says: a variable somebody forgot does not get to see
    /// credentials.
    #[default]
    None,
    /// This one, for everything but loopback and addresses that came from users.
    All(Url),
}

impl ReqwestTransport {
    /// A transport with a connect timeout of ten seconds and no proxies.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder {
            proxies: Proxies::None,
            connect_timeout: Duration::from_secs(10),
        }
    }

    /// The client that may send this request.
    fn client(&self, url: &Url, policy: Option<&UrlPolicy>) -> Result<&reqwest::Client, HttpError> {
        let refused = |reason: &'static str| HttpError::new(HttpErrorKind::Refused, reason);
        match policy {
            Some(policy) => match check_url(url, policy).map_err(refused)? {
                Destination::Trusted => Ok(&self.plain),
                Destination::Guarded => Ok(&self.guarded),
            },
            None if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)) => {
                Ok(&self.plain)
            }
            None => Err(refused("only `https` is sent beyond this machine")),
        }
    }
}

impl ReqwestTransportBuilder {
    /// Which proxies are used.
    #[must_use]
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// How long a connection may take to come about.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// The transport.
    ///
    /// # Errors
    /// `config_invalid` where the proxy's address is not one; `unexpected` where TLS cannot be set
    /// up.
    pub fn build(self) -> Result<ReqwestTransport> {
        let plain = match &self.proxies {
            Proxies::None => self.base(),
            Proxies::All(url) => {
                let proxy = reqwest::Proxy::all(url.clone())
                    .map_err(|_| Error::config("proxy", "not a proxy's address"))?
                    .no_proxy(reqwest::NoProxy::from_string("localhost,127.0.0.0/8,::1"));
                self.base().proxy(proxy)
            }
        };
        Ok(ReqwestTransport {
            plain: built(plain)?,
            guarded: built(self.base().dns_resolver(GuardedResolver))?,
        })
    }

    fn base(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(self.connect_timeout)
    }
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
    builder.build().map_err(|error| {
        Error::unexpected("the HTTP client cannot be set up").with_source(error.without_url())
    })
}

#[async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let url = Url::parse(&request.uri().to_string())
            .map_err(|_| HttpError::new(HttpErrorKind::Refused, "not an absolute address"))?;
        let client = self.client(&url, request.extensions().get())?;
        let cap = request.extensions().get().copied().unwrap_or_default();
        let (parts, body) = request.into_parts();
        let mut response = client
            .request(parts.method, url)
            .headers(parts.headers)
            .body(body)
            .send()
            .await
            .map_err(failure::sending)?;
        let mut answer = http::Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.version_mut() = response.version();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        *answer.body_mut() = read(response, cap).await?;
        Ok(answer)
    }
}

/// The most memory that an announced length alone can claim.
const RESERVED: usize = 1024 * 1024;

/// Reads the decoded body up to the cap, and no further.
async fn read(mut response: reqwest::Response, MaxBody(cap): MaxBody) -> Result<Bytes, HttpError> {
    let too_large = || HttpError::new(HttpErrorKind::TooLarge, "the body exceeds the cap");
    let announced = response.content_length().unwrap_or_default();
    let announced = usize::try_from(announced).unwrap_or(usize::MAX);
    if announced > cap {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failure::reading)? {
        if body.len() + chunk.len() > cap {
            return Err(too_large());
        }
        // A body of one piece is not copied.
        if body.is_empty() && chunk.len() == announced {
            return Ok(chunk);
        }
        if body.is_empty() {
            body.reserve(announced.min(RESERVED));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
