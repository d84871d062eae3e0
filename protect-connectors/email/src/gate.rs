//! The gate through which other languages audit.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, Either, select};
use protect_core::connector::OpContext;
use protect_core::model::{Actor, TenantId};
use protect_core::operation::{
    Callable, Class, Effect, Model, Operation, Parameter, ParameterKind, ResultType, answer,
    arguments, unknown,
};
use protect_core::{Context, Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::audit::{AuditOptions, DomainAudit, audit, auditable};
use crate::checks::Known;
use crate::config;
use crate::dkim::Guess;
use crate::propose::Proposal;
use crate::resolve::Resolver;
use crate::spf::{self, Message};

/// The class `Email`.
pub static CLASS: Class = Class {
    name: "Email",
    kind: crate::KIND,
    docs: "Audits the mail authentication of domains at once, from DNS alone: it needs no account and changes nothing. Findings over time come from the engine.",
    constructor: &[Parameter::optional(
        "resolver",
        ParameterKind::Text,
        "The name server to ask (`192.0.2.53`, `127.0.0.1:5353`); left out, the machine's own.",
    )],
    operations: OPERATIONS,
};

/// Every operation of [`CLASS`].
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "audit",
        parameters: DOMAIN,
        result: ResultType::One(Model::of::<DomainAudit>("DomainAudit")),
        docs: "Everything about a domain's mail authentication: scores with their parts, the whole tree of SPF, DMARC, DKIM, transport, what every check decided, and what to publish. What DNS does not answer is part of the audit, not an error.",
        ..READ
    },
    Operation {
        name: "propose",
        parameters: DOMAIN,
        result: ResultType::List(Model::of::<Proposal>("Proposal")),
        docs: "The records to publish for a domain, each with its reason and its risk.",
        ..READ
    },
    Operation {
        name: "spf",
        parameters: &[
            Parameter::required(
                "ip",
                ParameterKind::Text,
                "The address that the message comes from.",
            ),
            Parameter::required(
                "sender",
                ParameterKind::Text,
                "The sender of the envelope; empty for a bounce.",
            ),
            Parameter::optional(
                "helo",
                ParameterKind::Text,
                "What the sending host calls itself.",
            ),
        ],
        result: ResultType::One(Model::of::<spf::Decision>("SpfDecision")),
        docs: "What a receiver would answer for one message by SPF (RFC 7208), and which term decides.",
        ..READ
    },
];

const READ: Operation = Operation {
    name: "",
    parameters: &[],
    result: ResultType::Nothing,
    effect: Effect::Read,
    permission: "",
    docs: "",
};

const DOMAIN: &[Parameter] = &[
    Parameter::required("domain", ParameterKind::Text, "The domain."),
    Parameter::optional(
        "selectors",
        ParameterKind::Texts,
        "DKIM selectors that the domain is known to use; DNS does not list them.",
    ),
    Parameter::optional(
        "all_selectors",
        ParameterKind::Boolean,
        "Whether DKIM keys are looked for under every selector that many domains use, also where one was found; false where left out.",
    ),
    Parameter::optional(
        "rua",
        ParameterKind::Texts,
        "Your own mailboxes for reports, to be looked for and proposed.",
    ),
    Parameter::optional(
        "fetch_policies",
        ParameterKind::Boolean,
        "Whether MTA-STS policies are fetched over HTTPS; true where left out.",
    ),
];

/// Makes an auditor from the declared parameters of [`CLASS`].
///
/// # Errors
/// `invalid_input` naming the parameter.
pub fn connect(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let Construct { resolver } = arguments(given)?;
    let mut context = context.clone();
    if let Some(text) = resolver {
        let wrong = |text: &str| Error::invalid_input(text).with_context("argument", "resolver");
        let server = config::server(&text).map_err(wrong)?;
        context.dns = context
            .dns
            .by_server(server)
            .ok_or_else(|| wrong("this program cannot ask another name server"))?;
    }
    Ok(Arc::new(Email {
        context,
        timeout: None,
    }))
}

/// Audits with one context.
#[derive(Clone, Debug)]
struct Email {
    context: Context,
    timeout: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Construct {
    resolver: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfDomain {
    domain: String,
    selectors: Option<Vec<String>>,
    all_selectors: Option<bool>,
    rua: Option<Vec<String>>,
    fetch_policies: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfMessage {
    ip: IpAddr,
    sender: String,
    helo: Option<String>,
}

impl Callable for Email {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move {
            let Some(timeout) = self.timeout else {
                return self.dispatch(&operation, given).await;
            };
            let called = Box::pin(self.dispatch(&operation, given));
            match select(called, self.context.clock.sleep(timeout)).await {
                Either::Left((answer, _)) => answer,
                Either::Right(_) => Err(Error::new(
                    ErrorKind::Timeout,
                    "not every question was answered in time",
                )
                .temporary()),
            }
        })
    }

    fn within(&self, timeout: Duration) -> Option<Arc<dyn Callable>> {
        Some(Arc::new(Self {
            timeout: Some(timeout),
            ..self.clone()
        }))
    }
}

impl Email {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "audit" => answer(&self.audit(arguments(given)?).await?),
            "propose" => answer(&self.audit(arguments(given)?).await?.proposals),
            "spf" => answer(&self.spf(&arguments(given)?).await),
            _ => Err(unknown(&CLASS, operation)),
        }
    }

    async fn audit(&self, given: OfDomain) -> Result<DomainAudit> {
        let domain = auditable(&given.domain)?;
        let options = AuditOptions {
            selectors: given.selectors.unwrap_or_default(),
            guess: if given.all_selectors == Some(true) {
                Guess::All
            } else {
                Guess::default()
            },
            fetch_policies: given.fetch_policies.unwrap_or(true),
            known: Known {
                our_rua: given.rua.unwrap_or_default(),
                ..Known::default()
            },
            ..AuditOptions::default()
        };
        let actor = Actor::unverified("caller");
        let cx = OpContext::new(TenantId::new("caller")?, "email.audit", actor);
        audit(&domain, &options, &self.context, &cx).await
    }

    async fn spf(&self, given: &OfMessage) -> spf::Decision {
        let message = Message {
            ip: given.ip,
            sender: &given.sender,
            domain: None,
            helo: given.helo.as_deref().unwrap_or_default(),
            receiver: "unknown",
        };
        let resolver = Resolver::new(Arc::clone(&self.context.dns));
        spf::check_host(&message, &resolver, &*self.context.clock).await
    }
}

#[cfg(test)]
mod tests {
    use protect_core::operation::check_table;
    use protect_core::testing;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_table_and_the_gate_know_the_same_operations() {
        let email = connect(json!({}), &testing::context().context).unwrap();
        assert_eq!(check_table(email).await, Ok(()));
    }

    #[tokio::test]
    async fn a_domain_is_audited_by_name_and_what_is_none_is_refused() {
        let test = testing::impatient_context();
        test.dns.set_txt("b.example", &["v=spf1 -all"]);
        let email = connect(json!({}), &test.context).unwrap();
        let audit = Arc::clone(&email).call("audit", json!({ "domain": "B.example." }));
        assert_eq!(audit.await.unwrap()["domain"], "b.example");
        let asked = |audit: &Value| audit["dkim"]["asked"].as_array().map(Vec::len);
        test.dns
            .set_txt("default._domainkey.b.example", &["v=DKIM1; p="]);
        test.dns.set_txt(
            "s1._domainkey.b.example",
            &["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
        );
        let few = Arc::clone(&email).call("audit", json!({ "domain": "b.example" }));
        let all = json!({ "domain": "b.example", "all_selectors": true });
        let all = Arc::clone(&email).call("audit", all).await.unwrap();
        assert!(asked(&few.await.unwrap()) < asked(&all), "{all}");
        let spf = json!({ "ip": "192.0.2.1", "sender": "a@b.example" });
        let decision = Arc::clone(&email).call("spf", spf).await.unwrap();
        assert_eq!(decision["result"], "fail");
        let error = email.call("audit", json!({ "domain": "a..b" })).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn a_name_server_that_is_none_is_refused() {
        let given = json!({ "resolver": "dns.example" });
        let error = connect(given, &testing::context().context).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
