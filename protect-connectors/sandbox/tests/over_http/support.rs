//! What the tests over HTTP share: a sandbox and a plain client.

use protect_sandbox::{Sandbox, SandboxBuilder};
use reqwest::{Client, Method, RequestBuilder, StatusCode, redirect::Policy};

pub(crate) struct Wire {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: Client,
}

pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

pub(crate) async fn wire(builder: SandboxBuilder) -> Wire {
    let http = Client::builder()
        .user_agent("protect-sandbox-tests/0.1")
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    Wire {
        sandbox: builder.start().await.unwrap(),
        http,
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Got {
    let response = request.send().await.unwrap();
    let status: StatusCode = response.status();
    let header = response.headers().get("retry-after");
    Got {
        status: status.as_u16(),
        retry_after: header.map(|value| value.to_str().unwrap().to_owned()),
        text: response.text().await.unwrap(),
    }
}

impl Wire {
    pub(crate) fn rules(&self) -> Vec<String> {
        let violations = self.sandbox.violations();
        violations.into_iter().map(|broken| broken.rule).collect()
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: serde_json::Value) -> Got {
        let url = format!("{}/_sandbox{path}", self.sandbox.base_url());
        send(
            self.http
                .request(method, url)
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
        .await
    }
}
