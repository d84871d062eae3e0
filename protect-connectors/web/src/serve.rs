//! For axum, and as a server of one's own.

use std::future::Future;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use protect_core::{Error, ErrorKind, Result};
use tokio::net::TcpListener;

use crate::Web;

/// Everything that comes in, as a router: to serve, to nest below a path of a host, or to put layers
/// around. A body that is too large is refused as soon as that is known, and never held.
pub fn router(web: Web) -> Router {
    Router::new().fallback(answer).with_state(web)
}

/// Serves on a listener until `stop` is over; requests under way are answered before.
///
/// # Errors
/// `unavailable` where the listener breaks.
pub async fn serve(
    web: Web,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    axum::serve(listener, router(web))
        .with_graceful_shutdown(stop)
        .await
        .map_err(|error| {
            Error::new(ErrorKind::Unavailable, "nothing more can be served").with_source(error)
        })
}

async fn answer(State(web): State<Web>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let limit = web.body_limit(&parts.method, parts.uri.path());
    let body = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return web.too_large(limit).map(Body::from);
        }
        Err(_) => return Web::broken_off().map(Body::from),
    };
    let request = http::Request::from_parts(parts, body);
    web.handle(request).await.map(Body::from)
}
