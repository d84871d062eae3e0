//! Webhooks through the program: `protect serve` takes them, and the program's other commands show what it
//! then did.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use protect_sandbox::{HubMessage, NewHubWebhook, Sandbox};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tempfile::TempDir;

use crate::support::{Ran, command};

/// What the receiver of our own signs its messages with.
const DESK: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The simulated vendors, a configuration, and the program that serves it.
struct Program {
    sandbox: Sandbox,
    folder: TempDir,
    serving: Child,
    host: String,
}

impl Program {
    /// Two tenants with a leak each, which became tickets, an incident and a remediation that waits.
    fn start() -> Self {
        let sandbox = Sandbox::builder().seed(7).start_blocking().unwrap();
        assert!(sandbox.edit_one_stack(json!({ "rmm_approval": true })));
        let people = ["jane@acme.example", "ceo@beta.example"].map(str::to_owned);
        assert!(sandbox.publish_breach(breach(), &people));
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("protect.toml"), config(&sandbox)).unwrap();
        let log = File::create(folder.path().join("serve.log")).unwrap();
        let mut serving = command(folder.path())
            .args([
                "--log",
                "warn",
                "serve",
                "--json",
                "--listen",
                "127.0.0.1:0",
            ])
            .envs(secrets(&sandbox))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut printed = BufReader::new(serving.stdout.take().unwrap());
        printed.read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        let address = started["address"].as_str().unwrap();
        let program = Self {
            host: address.trim_start_matches("http://").to_owned(),
            sandbox,
            folder,
            serving,
        };
        program.protect(&["scan", "--json"]).good();
        for tenant in ["acme", "beta"] {
            let plan = program.protect(&["plan", "--tenant", tenant, "--json"]);
            let id = plan.good()["id"].as_str().unwrap().to_owned();
            let approve = ["approve", &id, "--tenant", tenant, "--by", "bob", "--json"];
            program.protect(&approve).good();
            program.protect(&["apply", "--tenant", tenant, "--json"]);
        }
        for product in ["psa", "security", "rmm"] {
            let webhook = NewHubWebhook {
                organisation: program.organisation(),
                product: product.to_owned(),
                url: format!("http://{}/in/acme/{product}/events", program.host),
                secret: hook(product),
            };
            assert!(program.sandbox.subscribe_one_stack(webhook));
        }
        program
    }

    fn organisation(&self) -> String {
        self.sandbox.credentials().one_stack[0].id.clone()
    }

    fn now(&self) -> i64 {
        self.sandbox.now().as_second()
    }

    fn protect(&self, words: &[&str]) -> Ran {
        let mut command = command(self.folder.path());
        let ran = command.envs(secrets(&self.sandbox)).args(words).output();
        ran.unwrap().into()
    }

    /// The one thing of a sort at The One Stack.
    fn made(&self, object: &str) -> String {
        let items = self.sandbox.one_stack_items();
        let mut ids = items.iter().filter(|item| item["object"] == object);
        let id = ids.next().unwrap()["id"].as_str().unwrap().to_owned();
        assert_eq!(ids.next(), None);
        id
    }

    /// Somebody moves a thing at its product, which says so; the message, not sent yet.
    fn moves(&self, id: &str, status: &str) -> HubMessage {
        self.sandbox.take_one_stack_webhooks();
        assert!(self.sandbox.set_one_stack_status(id, status));
        let mut told = self.sandbox.take_one_stack_webhooks();
        assert_eq!(told.len(), 1);
        told.remove(0)
    }

    fn send(&self, message: &HubMessage) -> u16 {
        let path = message.url.split_once(&self.host).unwrap().1;
        let headers = format!("{}: {}\r\n", message.header, message.signature);
        self.post(path, &headers, message.body.as_bytes())
    }

    /// A message of the receiver of our own, signed like this.
    fn tell(&self, tenant: &str, secret: &str, (id, seconds): (&str, i64), body: &Value) -> u16 {
        let body = body.to_string();
        let signer = Webhook::new(secret).unwrap();
        let signature = signer.sign(id, seconds, body.as_bytes()).unwrap();
        let headers = format!(
            "webhook-id: {id}\r\nwebhook-timestamp: {seconds}\r\nwebhook-signature: {signature}\r\n"
        );
        let path = format!("/in/{tenant}/desk/events");
        self.post(&path, &headers, body.as_bytes())
    }

    fn post(&self, path: &str, headers: &str, body: &[u8]) -> u16 {
        exchange(&self.host, "POST", path, headers, body)
    }

    /// The ledger, as the program exports it: of each ticket that moved, whether it was open.
    fn ticket_moves(&self, tenant: &str) -> Vec<bool> {
        let exported = self.protect(&["evidence", "export", "--tenant", tenant]);
        assert_eq!(exported.status, 0, "{exported:?}");
        let entries = exported.out.lines();
        entries
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|entry| entry["kind"] == "ticket.moved")
            .map(|entry| entry["data"]["open"].as_bool().unwrap())
            .collect()
    }

    /// Where the tenant's incident stands, and how its actions ended, as the program prints it.
    fn incident(&self) -> (Value, Vec<Value>) {
        let list = ["incidents", "--tenant", "acme", "--all", "--json"];
        let list = self.protect(&list).good();
        let id = list["incidents"][0]["id"].as_str().unwrap();
        let show = ["incidents", "--tenant", "acme", "show", id, "--json"];
        let mut whole = self.protect(&show).json();
        let actions = whole["actions"].as_array().unwrap().iter();
        let ended = actions.map(|it| it["outcome"]["status"].clone()).collect();
        (whole["incident"]["status"].take(), ended)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Only fails where it has ended already.
        drop(self.serving.kill());
        drop(self.serving.wait());
    }
}

/// One request; 0 where it broke off before an answer.
fn exchange(host: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Whoever is refused may be so before everything was sent.
    drop(stream.write_all(body));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1);
    status.map_or(0, |status| status.parse().unwrap())
}

fn hook(product: &str) -> String {
    format!("what-{product}-and-we-share")
}

fn secrets(sandbox: &Sandbox) -> Vec<(String, String)> {
    let own = sandbox.credentials();
    let organisation = own.one_stack[0].clone();
    let mut secrets = vec![
        ("HIBP".to_owned(), own.hibp_api_key),
        ("API_KEY".to_owned(), organisation.api_key),
        ("INTEGRATION_KEY".to_owned(), organisation.integration_key),
        ("DESK_OUT".to_owned(), own.webhook_secret),
        ("DESK_IN".to_owned(), DESK.to_owned()),
    ];
    for product in ["psa", "security", "rmm"] {
        secrets.push((format!("{product}_hook").to_uppercase(), hook(product)));
    }
    secrets
}

fn breach() -> Value {
    json!({
        "Name": "Shop", "Title": "Shop", "Domain": "shop.example", "BreachDate": "2026-01-01",
        "AddedDate": "2026-02-01T00:00:00Z", "ModifiedDate": "2026-02-01T00:00:00Z",
        "PwnCount": 2, "Description": "Passwords were stored in plain text.",
        "DataClasses": ["Email addresses", "Passwords"], "IsVerified": true,
        "IsFabricated": false, "IsSensitive": false, "IsRetired": false, "IsSpamList": false,
        "IsMalware": false, "IsSubscriptionFree": false, "IsStealerLog": false,
    })
}

fn config(sandbox: &Sandbox) -> String {
    let organisation = &sandbox.credentials().one_stack[0].id;
    let mut config = format!(
        r#"
mode = "enforce"
[store]
kind = "sqlite"
path = "protect.db"
[connections.hibp]
kind = "hibp"
endpoints = {{ api = "{api}", passwords = "{passwords}" }}
scan = {{ api_key = {{ env = "HIBP" }} }}
tenants = ["*"]
[connections.desk]
kind = "webhook"
endpoints = {{ url = "{desk}" }}
scan = {{ webhook_secret = {{ env = "DESK_IN" }} }}
respond = {{ signing_secret = {{ env = "DESK_OUT" }} }}
tenants = ["*"]
[tenants.acme]
name = "Acme GmbH"
domains = ["acme.example"]
monitor = {{ addresses = ["jane@acme.example"] }}
route = {{ open_ticket = ["psa"], open_security_incident = ["security"] }}
[tenants.acme.connectors]
breaches = {{ connection = "hibp" }}
psa = {{ connection = "psa", organisation_id = "{organisation}", security_opens_tickets = false }}
security = {{ connection = "security", organisation_id = "{organisation}" }}
rmm = {{ connection = "rmm", organisation_id = "{organisation}", owners = [] }}
desk = {{ connection = "desk" }}
[[tenants.acme.rules]]
name = "leaked"
when = {{ kind = "credential_exposure" }}
then = ["open_security_incident", "open_ticket", "force_password_reset"]
[tenants.beta]
name = "Beta AG"
domains = ["beta.example"]
monitor = {{ addresses = ["ceo@beta.example"] }}
[tenants.beta.connectors]
breaches = {{ connection = "hibp" }}
desk = {{ connection = "desk" }}
[[tenants.beta.rules]]
name = "leaked"
when = {{ kind = "credential_exposure" }}
then = ["open_ticket"]
"#,
        api = sandbox.hibp_api_url(),
        passwords = sandbox.hibp_passwords_url(),
        desk = sandbox.webhook_url(),
    );
    for (product, form) in [
        ("psa", "api_key"),
        ("security", "api_key"),
        ("rmm", "integration_key"),
    ] {
        let api = sandbox.one_stack_url(product);
        let (upper, key) = (product.to_uppercase(), form.to_uppercase());
        let section = format!(
            "[connections.{product}]\nkind = \"{product}\"\nendpoints = {{ api = \"{api}\" }}\n\
             scan = {{ webhook_secret = {{ env = \"{upper}_HOOK\" }} }}\n\
             respond = {{ {form} = {{ env = \"{key}\" }} }}\ntenants = [\"acme\"]\n"
        );
        config.push_str(&section);
    }
    config
}

#[test]
fn what_the_products_and_a_receiver_of_our_own_tell_is_looked_up_and_shown_by_the_program() {
    let program = Program::start();
    let (status, actions) = program.incident();
    assert_eq!(status, "new");
    assert!(
        actions.contains(&json!("unknown")),
        "RMM waits: {actions:?}"
    );

    // PSA, in the order that it happened and once.
    let ticket = program.made("ticket");
    let first = program.moves(&ticket, "in_progress");
    let second = program.moves(&ticket, "closed");
    assert_eq!(program.send(&first), 204);
    assert_eq!(program.send(&second), 204);
    assert_eq!(program.send(&second), 409, "replayed");
    assert_eq!(program.ticket_moves("acme"), [false], "what it was by then");

    // Security.
    let incident = program.made("incident");
    assert_eq!(program.send(&program.moves(&incident, "contained")), 204);
    assert_eq!(program.incident().0, "contained");

    // RMM.
    let remediation = program.made("remediation");
    assert_eq!(program.send(&program.moves(&remediation, "completed")), 204);
    let (_, actions) = program.incident();
    assert_eq!(
        actions,
        [json!("applied"), json!("applied"), json!("applied")]
    );

    // A receiver of our own, by Standard Webhooks.
    let state = program.sandbox.state();
    let item = state["webhook"]["items"][0]["id"].as_str().unwrap();
    let switch = format!("/_sandbox/webhook/items/{item}");
    let vendors = program.sandbox.base_url();
    let vendors = vendors.trim_start_matches("http://");
    let closed = json!({ "status": "closed" }).to_string();
    assert_eq!(
        exchange(vendors, "PATCH", &switch, "", closed.as_bytes()),
        200
    );
    let told = json!({ "type": "ticket.updated", "data": { "id": item } });
    assert_eq!(
        program.tell("beta", DESK, ("msg_1", program.now()), &told),
        204
    );
    assert_eq!(program.ticket_moves("beta"), [false]);
    assert_eq!(
        program.tell(
            "beta",
            DESK,
            ("msg_2", program.now()),
            &json!({ "type": "hello" })
        ),
        204
    );
    assert_eq!(program.ticket_moves("acme"), [false]);
    assert_eq!(program.sandbox.violations(), []);
}

#[test]
fn what_is_unsigned_changed_foreign_old_replayed_or_too_large_is_refused_and_has_nobody_asked() {
    let program = Program::start();
    let ticket = program.made("ticket");
    let good = program.moves(&ticket, "closed");
    let asked = program.sandbox.requests().len();
    let url = good.url.clone();
    let with = |change: &dyn Fn(&mut HubMessage)| {
        let mut message = good.clone();
        change(&mut message);
        program.send(&message)
    };
    assert_eq!(with(&|it| it.header = "X-Other".to_owned()), 401);
    assert_eq!(with(&|it| it.signature = "sha256=00".to_owned()), 401);
    assert_eq!(
        with(&|it| it.body = it.body.replace("updated", "deleted")),
        401
    );
    assert_eq!(with(&|it| it.url = url.replace("psa", "security")), 401);
    assert_eq!(with(&|it| it.url = url.replace("acme", "beta")), 404);
    let told = json!({ "type": "ticket.updated", "data": { "id": ticket } });
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSX";
    assert_eq!(
        program.tell("beta", other, ("msg_1", program.now()), &told),
        401
    );
    assert_eq!(
        program.tell("beta", DESK, ("msg_1", program.now() - 301), &told),
        401
    );
    assert_eq!(
        program.tell("beta", DESK, ("msg_1", program.now() + 310), &told),
        401
    );
    assert_eq!(program.post("/in/beta/desk/events", "", b"{}"), 401);
    let nothing = json!({ "type": "ticket.updated", "data": {} });
    assert_eq!(
        program.tell("beta", DESK, ("msg_2", program.now()), &nothing),
        400
    );
    let hundred = vec![b' '; 100 * 1024 * 1024];
    for path in ["/in/acme/psa/events", "/in/beta/desk/events"] {
        let status = program.post(path, "x-psa-signature: 00\r\n", &hundred);
        // The connection may break while the rest is still being sent.
        assert!(matches!(status, 413 | 0), "{status}");
        let large = vec![b' '; 1024 * 1024 + 1];
        assert_eq!(program.post(path, "x-psa-signature: 00\r\n", &large), 413);
    }
    assert_eq!(program.sandbox.requests().len(), asked);
    assert_eq!(program.ticket_moves("acme"), [false; 0]);
    assert_eq!(program.ticket_moves("beta"), [false; 0]);

    // It is still served, and takes a good one once.
    let sent = program.now();
    let again = json!({ "type": "ticket.updated", "data": { "id": "not-ours" } });
    assert_eq!(program.tell("beta", DESK, ("msg_3", sent), &again), 204);
    assert_eq!(
        program.tell("beta", DESK, ("msg_3", sent), &again),
        409,
        "a copy"
    );
    assert_eq!(program.send(&good), 204);
    assert_eq!(program.ticket_moves("acme"), [false]);

    let log = std::fs::read_to_string(program.folder.path().join("serve.log")).unwrap();
    assert!(
        log.contains("a request was refused") && log.contains("tenant=beta"),
        "{log}"
    );
    for (name, secret) in secrets(&program.sandbox) {
        assert!(!log.contains(&secret), "{name} is in the log");
    }
}
