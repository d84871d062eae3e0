//! From sockets to vendors and back.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    connection::{Cut, Listener},
    control, distort,
    journal::Vendor,
    request::{Call, pairs},
    world::World,
};

/// More than any client of these vendors sends.
const LARGEST_BODY: usize = 16 * 1024 * 1024;
/// How long a shutdown waits for requests that are under way.
const GRACE: Duration = Duration::from_millis(500);

/// Serves until `stop` fires or its sender is gone.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>, stop: oneshot::Receiver<()>) {
    let (stopping, stopped) = oneshot::channel();
    let app = Router::new()
        .nest("/_sandbox", control::routes())
        .fallback(vendor)
        .with_state(world)
        .into_make_service_with_connect_info::<Cut>();
    let server = axum::serve(Listener(listener), app).with_graceful_shutdown(async move {
        let _ = stop.await;
        let _ = stopping.send(());
    });
    let deadline = async {
        let _ = stopped.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = server => {
            if let Err(error) = served {
                tracing::error!(%error, "the sandbox stopped serving");
            }
        }
        () = deadline => {}
    }
}

async fn vendor(
    State(world): State<Arc<World>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(Body::new(body), LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut segments = parts.uri.path().split('/').skip(1);
    let Some(vendor) = segments.next().and_then(Vendor::from_prefix) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let call = Call {
        vendor,
        method: parts.method,
        segments: segments.map(str::to_owned).collect(),
        query: pairs(parts.uri.query().unwrap_or_default()),
        headers: parts.headers,
        body,
    };
    let answer = world.answer(&call);
    distort::deliver(&answer.struck, answer.reply, answer.now, &cut).await
}
