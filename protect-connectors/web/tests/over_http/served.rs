//! A server of our own on loopback.

use protect_web::serve;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::world::World;

/// A world that is served, until it is dropped.
pub(crate) struct Served {
    pub(crate) world: World,
    pub(crate) port: u16,
    _stop: oneshot::Sender<()>,
}

impl Served {
    pub(crate) async fn new() -> Self {
        Self::of(World::new().await.scanned().await).await
    }

    pub(crate) async fn of(world: World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel::<()>();
        let web = world.web.clone();
        tokio::spawn(serve(web, listener, async move {
            let _ = stopped.await;
        }));
        Self {
            world,
            port,
            _stop: stop,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }
}
