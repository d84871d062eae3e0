//! The badge system: ten people, four on a page, one connection for each request.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

const PAGE: usize = 4;

/// Serves until the test's process ends.
pub(super) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    people: BTreeMap<String, Value>,
    changes: Vec<String>,
}

impl Server {
    pub(super) fn start() -> Self {
        let person = |number: u32| {
            let id = format!("p{number}");
            let person = json!({
                "id": id, "name": format!("Person {number}"), "badge": "active",
                "email": format!("person{number}@acme.example"), "left": number == 5,
            });
            (id, person)
        };
        let state = State {
            people: (0..10).map(person).collect(),
            changes: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is none of our business.
                let _ = answer(&stream, &served);
            }
        });
        Self { address, state }
    }

    pub(super) fn root(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was changed, in order.
    pub(super) fn changes(&self) -> Vec<String> {
        self.state.lock().unwrap().changes.clone()
    }

    pub(super) fn set_badge(&self, id: &str, badge: &str) {
        self.state.lock().unwrap().people.get_mut(id).unwrap()["badge"] = badge.into();
    }

    /// Makes somebody unreadable.
    pub(super) fn spoil(&self, id: &str) {
        self.state.lock().unwrap().people.get_mut(id).unwrap()["name"] = json!(null);
    }
}

fn answer(stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut token = String::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            token = value.trim().to_owned();
        }
    }
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (status, body) = state.lock().unwrap().handle(method, target, &token);
    let body = body.to_string();
    let length = body.len();
    write!(
        &mut &*stream,
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
}

impl State {
    fn handle(&mut self, method: &str, target: &str, token: &str) -> (u16, Value) {
        let needed = if method == "GET" {
            "-token-canary"
        } else {
            "write-token-canary"
        };
        if !token.starts_with("Bearer ") || !token.ends_with(needed) {
            return (401, json!({}));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
        match (method, &parts[..]) {
            ("GET", ["people"]) => {
                let page = query.strip_prefix("page=").and_then(|n| n.parse().ok());
                (200, self.page(page.unwrap_or(1)))
            }
            ("GET", ["people", id]) => match self.people.get(*id) {
                Some(person) => (200, person.clone()),
                None => (404, json!({})),
            },
            ("POST", ["people", id, verb @ ("block" | "unblock")]) => {
                let Some(person) = self.people.get_mut(*id) else {
                    return (404, json!({}));
                };
                let blocked = *verb == "block";
                person["badge"] = if blocked { "blocked" } else { "active" }.into();
                self.changes.push(format!("{verb} {id}"));
                (200, json!({}))
            }
            _ => (404, json!({})),
        }
    }

    fn page(&self, number: usize) -> Value {
        let people: Vec<_> = self.people.values().collect();
        let from = (number - 1) * PAGE;
        let to = people.len().min(from + PAGE);
        let next = (to < people.len()).then_some(number + 1);
        json!({ "people": people[from..to], "next": next })
    }
}
