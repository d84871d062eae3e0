//! For axum, and as a server of one's own.

use std::future::Future;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use protect_core::inbound::PeerAddress;
use protect_core::{Error, ErrorKind, Result};
use tokio::net::TcpListener;

use crate::Web;

/// Everything that comes in, as a router: to serve, to nest below a path of a host, or to put layers
/// around. A host that serves it with axum's connect info has whoever signs a policy signed from their
/// address. A body that is too large is refused as soon as that is known, and never held.
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
    let service = router(web).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
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
    let mut request = http::Request::from_parts(parts, body);
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(ConnectInfo(peer)) = peer.copied() {
        request.extensions_mut().insert(PeerAddress(peer.ip()));
    }
    web.handle(request).await.map(Body::from)
}
