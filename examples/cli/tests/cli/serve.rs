//! `serve`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::command;

#[test]
fn what_comes_in_is_answered_until_somebody_stops_it() {
    let folder = TempDir::new().unwrap();
    let config = "[store]\nkind = \"memory\"\n[tenants.acme]\nname = \"Acme\"\n";
    std::fs::write(folder.path().join("protect.toml"), config).unwrap();
    let mut serving = command(folder.path())
        .args(["serve", "--json", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut printed = BufReader::new(serving.stdout.take().unwrap());
    printed.read_line(&mut line).unwrap();
    let started: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(started["tenants"], serde_json::json!(["acme"]));
    let address = started["address"].as_str().unwrap();
    let host = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!(
        "GET /t/acme/ HTTP/1.1\r\nhost: {host}\r\naccept: text/html\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("<h1>Sign in</h1>"), "{answer}");
    serving.kill().unwrap();
    serving.wait().unwrap();
}
