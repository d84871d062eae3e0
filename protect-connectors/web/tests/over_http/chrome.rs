//! Chromium without a window, driven as a person drives it: by keys, by clicks, and by looking. It is spoken to
//! over its two pipes (<https://chromedevtools.github.io/devtools-protocol/>), each message ended by a zero.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The browser of this machine, where it has one.
fn program() -> Option<PathBuf> {
    let places = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ];
    let known = std::env::var_os("PROTECT_CHROMIUM").map(PathBuf::from);
    known
        .into_iter()
        .chain(places.map(PathBuf::from))
        .find(|path| path.exists())
}

/// A browser with one page.
pub(crate) struct Chrome {
    _child: Child,
    _profile: TempDir,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    sent: u64,
    page: Option<String>,
    /// What it complained of.
    complaints: Vec<String>,
    /// How many pages were loaded to their end.
    loaded: u64,
}

impl Chrome {
    /// Starts one; `None`, said aloud, where there is none on this machine.
    pub(crate) async fn start() -> Option<Self> {
        let Some(program) = program() else {
            println!("SKIPPED: there is no Chromium here; set PROTECT_CHROMIUM to its path");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        // Its pipes are the third and the fourth file; the shell gives it ours there.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<&0 4>&1 1>&2", "sh"])
            .arg(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--hide-scrollbars",
                "--lang=en-US",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut chrome = Self {
            to: child.stdin.take().unwrap(),
            from: BufReader::new(child.stdout.take().unwrap()),
            _child: child,
            _profile: profile,
            sent: 0,
            page: None,
            complaints: Vec::new(),
            loaded: 0,
        };
        let target = chrome
            .call("Target.createTarget", json!({ "url": "about:blank" }))
            .await;
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = chrome.call("Target.attachToTarget", target).await;
        chrome.page = attached["sessionId"].as_str().map(str::to_owned);
        for area in ["Page", "Runtime", "Log"] {
            chrome.call(&format!("{area}.enable"), json!({})).await;
        }
        chrome.size(1200, 900).await;
        Some(chrome)
    }

    /// Sends a command and waits for what it gives.
    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": parameters });
        if let Some(page) = &self.page {
            message["sessionId"] = json!(page);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).await.unwrap();
        loop {
            let answer = self.next().await;
            if answer["id"] == self.sent {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    async fn next(&mut self) -> Value {
        let mut bytes = Vec::new();
        let read = self.from.read_until(0, &mut bytes);
        tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
        bytes.pop();
        let message: Value = serde_json::from_slice(&bytes).unwrap();
        let told = &message["params"];
        match message["method"].as_str() {
            Some("Page.loadEventFired") => self.loaded += 1,
            Some("Log.entryAdded") => self.complaints.push(told["entry"].to_string()),
            Some("Runtime.consoleAPICalled") => self.complaints.push(told["args"].to_string()),
            Some("Runtime.exceptionThrown") => self.complaints.push(told.to_string()),
            _ => {}
        }
        message
    }

    /// Goes to an address and waits until the page is there.
    pub(crate) async fn open(&mut self, url: &str) {
        let before = self.loaded;
        self.call("Page.navigate", json!({ "url": url })).await;
        self.arrive(before).await;
    }

    async fn arrive(&mut self, before: u64) {
        while self.loaded == before {
            self.next().await;
        }
    }

    /// What an expression comes to on the page.
    pub(crate) async fn look(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", asked).await;
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// The text of the page, as it is shown.
    pub(crate) async fn text(&mut self) -> String {
        let text = self.look("document.body.innerText").await;
        text.as_str().unwrap().to_owned()
    }

    /// Presses a key and lets it go.
    pub(crate) async fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            " " => (32, " "),
            // The codes of signs are those of other keys, so that they are left to the text.
            key if !key.chars().all(char::is_alphanumeric) => (0, key),
            key => (u32::from(key.to_uppercase().as_bytes()[0]), key),
        };
        let event = |kind: &str, text: &str| {
            json!({
                "type": kind, "key": key, "windowsVirtualKeyCode": code, "text": text,
                "code": if key == " " { "Space" } else { key },
            })
        };
        self.call("Input.dispatchKeyEvent", event("keyDown", text))
            .await;
        self.call("Input.dispatchKeyEvent", event("keyUp", ""))
            .await;
    }

    /// Types letter by letter.
    pub(crate) async fn types(&mut self, text: &str) {
        for letter in text.chars() {
            self.press(&letter.to_string()).await;
        }
    }

    /// Presses Enter, and waits for the page that follows.
    pub(crate) async fn enter(&mut self) {
        let before = self.loaded;
        self.press("Enter").await;
        self.arrive(before).await;
    }

    /// Clicks into the middle of what a selector finds.
    pub(crate) async fn click(&mut self, selector: &str) {
        let place = self
            .look(&format!(
                "(() => {{ const it = document.querySelector({selector:?}); it.scrollIntoView({{ block: 'center' }}); \
                 const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
            ))
            .await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Clicks, and waits for the page that follows.
    pub(crate) async fn follow(&mut self, selector: &str) {
        let before = self.loaded;
        self.click(selector).await;
        self.arrive(before).await;
    }

    /// How large the window is.
    pub(crate) async fn size(&mut self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Whether its owner likes it dark.
    pub(crate) async fn dark(&mut self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let wish = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.call("Emulation.setEmulatedMedia", wish).await;
    }

    /// Keeps pictures of the page, wide, narrow and dark, in the folder `PROTECT_PICTURES` where it is named.
    pub(crate) async fn pictures(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("PROTECT_PICTURES") else {
            return;
        };
        for (width, dark, kind) in [
            (1200, false, "light"),
            (1200, true, "dark"),
            (480, false, "narrow"),
        ] {
            self.size(width, 900).await;
            self.dark(dark).await;
            let whole = json!({ "captureBeyondViewport": true });
            let taken = self.call("Page.captureScreenshot", whole).await;
            let picture = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
            let path = PathBuf::from(&folder).join(format!("{name}-{kind}.png"));
            std::fs::write(path, picture).unwrap();
        }
        self.size(1200, 900).await;
        self.dark(false).await;
    }

    /// What the browser complained of, such as a breach of the page's own policy.
    pub(crate) fn complaints(&self) -> &[String] {
        &self.complaints
    }
}
