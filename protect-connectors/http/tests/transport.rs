//! The transport against a server on loopback that answers what a test says, byte for byte.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::time::Duration;

use bytes::Bytes;
use protect_core::http::{HttpError, HttpErrorKind, HttpTransport, MaxBody, UrlPolicy};
use protect_http::ReqwestTransport;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What the server does with each connection after it has read the request's head.
#[derive(Clone, Copy)]
enum Server {
    Say(&'static [u8]),
    HangUp,
    KeepSilent,
}

async fn serve(behaviour: Server) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            match behaviour {
                Server::Say(bytes) => {
                    let _ = stream.write_all(bytes).await;
                }
                Server::HangUp => {}
                Server::KeepSilent => std::future::pending().await,
            }
        }
    });
    format!("http://{address}/path?token=canary-query")
}

async fn send(request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
    ReqwestTransport::builder()
        .build()
        .unwrap()
        .send(request)
        .await
}

async fn get(uri: &str) -> Result<http::Response<Bytes>, HttpError> {
    send(http::Request::get(uri).body(Bytes::new()).unwrap()).await
}

async fn kind(behaviour: Server) -> HttpErrorKind {
    get(&serve(behaviour).await).await.unwrap_err().kind()
}

#[tokio::test]
async fn an_answer_comes_back_with_status_headers_and_body() {
    let uri = serve(Server::Say(
        b"HTTP/1.1 404 Not Found\r\nx-a: b\r\ncontent-length: 2\r\n\r\n{}",
    ))
    .await;
    let answer = get(&uri).await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["x-a"], "b");
    assert_eq!(answer.body().as_ref(), b"{}");
}

#[tokio::test]
async fn a_chunked_answer_is_put_together() {
    let uri = serve(Server::Say(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
    ))
    .await;
    assert_eq!(get(&uri).await.unwrap().body().as_ref(), b"abc");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let uri = serve(Server::Say(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    ))
    .await;
    assert_eq!(get(&uri).await.unwrap().status(), 302);
}

#[tokio::test]
async fn f01_a_refused_connection_was_never_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = get(&format!("http://{address}/")).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Connect);
}

#[tokio::test]
async fn f04_a_connection_that_ends_without_an_answer_may_have_been_acted_on() {
    assert_eq!(kind(Server::HangUp).await, HttpErrorKind::Interrupted);
}

#[tokio::test]
async fn f05_a_body_that_breaks_off_is_an_interruption() {
    let broken = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\":";
    assert_eq!(kind(Server::Say(broken)).await, HttpErrorKind::Interrupted);
    let broken = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab";
    assert_eq!(kind(Server::Say(broken)).await, HttpErrorKind::Interrupted);
}

#[tokio::test]
async fn f09_a_server_without_tls_behind_https_was_never_sent() {
    let uri = serve(Server::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let error = get(&uri.replace("http://", "https://")).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Connect);
}

#[tokio::test]
async fn what_is_not_http_cannot_be_read() {
    assert_eq!(
        kind(Server::Say(b"220 mail.example ESMTP\r\n\r\n")).await,
        HttpErrorKind::Decode
    );
}

#[tokio::test]
async fn a_body_that_is_not_the_gzip_it_claims_to_be_cannot_be_read() {
    let broken = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd";
    assert_eq!(kind(Server::Say(broken)).await, HttpErrorKind::Decode);
}

#[tokio::test]
async fn a_body_beyond_the_cap_is_not_read() {
    for large in [
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd" as &[u8],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n",
    ] {
        let uri = serve(Server::Say(large)).await;
        let mut request = http::Request::get(uri).body(Bytes::new()).unwrap();
        request.extensions_mut().insert(MaxBody(3));
        assert_eq!(
            send(request).await.unwrap_err().kind(),
            HttpErrorKind::TooLarge
        );
    }
}

#[tokio::test]
async fn plain_http_leaves_this_machine_never() {
    let error = get("http://192.0.2.1/").await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Refused);
}

#[tokio::test]
async fn an_address_from_a_user_reaches_loopback_only_where_that_is_set() {
    let uri = serve(Server::Say(b"HTTP/1.1 204 No Content\r\n\r\n")).await;
    let with = |policy: UrlPolicy| {
        let mut request = http::Request::get(&uri).body(Bytes::new()).unwrap();
        request.extensions_mut().insert(policy);
        send(request)
    };
    let refused = with(UrlPolicy::default()).await.unwrap_err();
    assert_eq!(refused.kind(), HttpErrorKind::Refused);
    let allowed = with(UrlPolicy {
        allow_loopback: true,
        ..UrlPolicy::default()
    });
    assert_eq!(allowed.await.unwrap().status(), 204);
}

#[tokio::test]
async fn no_error_shows_the_address() {
    for behaviour in [Server::HangUp, Server::Say(b"no\r\n\r\n")] {
        let error = get(&serve(behaviour).await).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("canary-query") && !shown.contains("/path"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_request_that_is_given_up_ends_at_once() {
    let uri = serve(Server::KeepSilent).await;
    let task = tokio::spawn(async move { get(&uri).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
}
