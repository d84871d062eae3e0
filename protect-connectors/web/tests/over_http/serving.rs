//! By a server on loopback.

use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::served::Served;
use crate::world::staff;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_answers_what_the_function_does() {
    let served = Served::new().await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = http.build().unwrap();
    let token = served.world.token(&staff("acme", "admin"));
    let landed = http
        .get(served.url(&format!("/auth/hub-sso?token={token}")))
        .send()
        .await
        .unwrap();
    assert_eq!(landed.status(), StatusCode::SEE_OTHER);
    let cookie = landed.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let page = http
        .get(served.url("/t/acme/"))
        .header("cookie", cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert!(page.text().await.unwrap().contains("protection score"));
    let head = http
        .head(served.url("/assets/style.css"))
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_a_hundred_megabytes_is_refused_before_it_is_there() {
    let served = Served::new().await;
    let mut stream = TcpStream::connect(("127.0.0.1", served.port))
        .await
        .unwrap();
    let head = format!(
        "POST /in/acme/fake/hook HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        100 * 1024 * 1024
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let sending = tokio::spawn(async move {
        let chunk = vec![b'x'; 64 * 1024];
        let mut sent = 0_usize;
        while write.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
            if sent >= 100 * 1024 * 1024 {
                break;
            }
        }
        sent
    });
    let mut answer = vec![0; 512];
    let length = read.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    drop(read);
    let sent = sending.await.unwrap();
    assert!(sent < 50 * 1024 * 1024, "{sent} bytes were taken");
}
