//! MTA-STS (RFC 8461): whether mail to the domain must come by TLS, and to which hosts.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use protect_core::connector::OpContext;
use protect_core::http::{HttpClient, UrlPolicy};
use protect_core::{Context, Error, ErrorKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record_at::RecordAt;
use crate::name::DomainName;
use crate::resolve::{Family, LookupFailure, Resolver};
use crate::tags::{self, NameCase, Problem, RecordIssue, Tags, Version};

/// The version that a record begins with.
pub(crate) const VERSION: &str = "STSv1";

/// The longest policy that senders read (RFC 8461 section 3.3).
const LONGEST: usize = 64 * 1024;

/// How long a policy's host may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest time that a policy may be kept, in seconds (RFC 8461 section 3.2).
const LONGEST_AGE: u32 = 31_557_600;

/// What is known about a domain's MTA-STS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MtaStsAudit {
    /// What stands at `_mta-sts`.
    pub record: RecordAt<MtaStsRecord>,
    /// The policy, which is asked for only where there is a record.
    pub policy: MtaStsPolicyAt,
}

/// A record at `_mta-sts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MtaStsRecord {
    /// As published.
    pub text: String,
    /// `id`: it changes when the policy does.
    pub id: Option<String>,
    /// What is wrong.
    pub issues: Vec<RecordIssue>,
}

impl MtaStsRecord {
    /// Reads a text that begins with the version; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        if tags::version(text, VERSION) != Version::Exact {
            return None;
        }
        let mut tags = Tags::read(text, NameCase::Exact);
        let written = tags.take("id", NameCase::Exact);
        let fits = |id: &str| {
            (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let id = written
            .as_ref()
            .map(|tag| tag.value.clone())
            .filter(|id| fits(id));
        match &written {
            None => tags.issue(Problem::Missing, "id", 0, "there is no `id`"),
            Some(tag) if id.is_none() => tags.bad_value(tag, "1 to 32 letters and digits"),
            Some(_) => {}
        }
        Some(Self {
            text: text.to_owned(),
            id,
            issues: tags.issues,
        })
    }
}

/// What the policy's host answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum MtaStsPolicyAt {
    /// A policy.
    Policy {
        /// What it says.
        policy: MtaStsPolicy,
    },
    /// Nothing that senders would use.
    Unusable {
        /// Why, in one sentence.
        why: String,
    },
    /// It was not asked for.
    NotAsked,
    /// Nobody could say.
    Unknown {
        /// Why, in one sentence.
        why: String,
    },
}

/// What senders do where TLS fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MtaStsMode {
    /// They do not deliver.
    Enforce,
    /// They deliver and report.
    Testing,
    /// They act as if there were no policy.
    None,
}

/// A policy file (RFC 8461 section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MtaStsPolicy {
    /// `mode`.
    pub mode: MtaStsMode,
    /// `max_age`, in seconds.
    pub max_age: u32,
    /// `mx`: exact names, or `*.` and a name for one label before it.
    pub mx: Vec<String>,
}

impl MtaStsPolicy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// What makes it useless, in one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut fields = Fields::default();
        for (number, line) in text.lines().enumerate() {
            if !line.trim().is_empty() {
                fields.read(line, number + 1)?;
            }
        }
        if !fields.version {
            return Err("there is no `version: STSv1`".to_owned());
        }
        let mode = fields.mode.ok_or("there is no `mode`")?;
        let max_age = fields.max_age.ok_or("there is no `max_age`")?;
        if fields.mx.is_empty() && mode != MtaStsMode::None {
            return Err("there is no `mx`".to_owned());
        }
        Ok(Self {
            mode,
            max_age,
            mx: fields.mx,
        })
    }

    /// Whether a mail host is one of those that the policy names (RFC 8461 section 4.1).
    pub fn covers(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.mx
            .iter()
            .any(|pattern| match pattern.strip_prefix("*.") {
                Some(end) => host.split_once('.').is_some_and(|(_, rest)| rest == end),
                None => *pattern == host,
            })
    }
}

#[derive(Default)]
struct Fields {
    version: bool,
    mode: Option<MtaStsMode>,
    max_age: Option<u32>,
    mx: Vec<String>,
}

impl Fields {
    fn read(&mut self, line: &str, number: usize) -> Result<(), String> {
        let (key, value) = line
            .split_once(':')
            .ok_or_else(|| format!("line {number} is no `key: value`"))?;
        let value = value.trim();
        match key.trim() {
            "version" if value == VERSION => self.version = true,
            "version" => return Err(format!("line {number}: the version is not STSv1")),
            "mode" => {
                self.mode = Some(match value {
                    "enforce" => MtaStsMode::Enforce,
                    "testing" => MtaStsMode::Testing,
                    "none" => MtaStsMode::None,
                    _ => {
                        return Err(format!(
                            "line {number}: `mode` may be `enforce`, `testing` or `none`"
                        ));
                    }
                });
            }
            "max_age" => {
                let age = value.parse().ok().filter(|age| *age <= LONGEST_AGE);
                let wrong = || format!("line {number}: `max_age` is a number up to {LONGEST_AGE}");
                self.max_age = Some(age.ok_or_else(wrong)?);
            }
            "mx" => self
                .mx
                .push(value.trim_end_matches('.').to_ascii_lowercase()),
            // Anything else may come in later versions.
            _ => {}
        }
        Ok(())
    }
}

/// Asks for record and policy.
pub(crate) async fn audit(
    resolver: &Resolver,
    context: &Context,
    cx: &OpContext,
    domain: &DomainName,
    fetch: bool,
) -> MtaStsAudit {
    let record = record(resolver, domain).await;
    let policy = match (&record, fetch) {
        (RecordAt::Record { .. }, true) => policy(resolver, context, cx, domain).await,
        _ => MtaStsPolicyAt::NotAsked,
    };
    MtaStsAudit { record, policy }
}

async fn record(resolver: &Resolver, domain: &DomainName) -> RecordAt<MtaStsRecord> {
    match domain.child("_mta-sts") {
        Ok(name) => RecordAt::of(resolver.txt(&name).await, MtaStsRecord::parse),
        Err(_) => RecordAt::Nothing,
    }
}

async fn policy(
    resolver: &Resolver,
    context: &Context,
    cx: &OpContext,
    domain: &DomainName,
) -> MtaStsPolicyAt {
    let unknown = |why: String| MtaStsPolicyAt::Unknown { why };
    let unusable = |why: &str| MtaStsPolicyAt::Unusable {
        why: why.to_owned(),
    };
    let Ok(host) = domain.child("mta-sts") else {
        return unusable("the policy's host would have too long a name");
    };
    match has_address(resolver, &host).await {
        Ok(true) => {}
        Ok(false) => return unusable("the policy's host does not exist"),
        Err(failure) => return unknown(format!("the policy's host: {failure}")),
    }
    let base = format!("https://{host}");
    let client = match HttpClient::builder(context, &base) {
        Ok(builder) => builder
            .url_policy(UrlPolicy::default())
            .max_body(LONGEST)
            .max_attempts(2)
            .attempt_timeout(PATIENCE)
            .build(),
        Err(_) => return unusable("the policy's host is no host of a URL"),
    };
    let deadline = context.clock.monotonic() + PATIENCE;
    let deadline = cx.deadline.map_or(deadline, |given| given.min(deadline));
    let cx = cx.clone().with_deadline(deadline);
    let request = client
        .request(
            Method::GET,
            "email.mta_sts_policy",
            "/.well-known/mta-sts.txt",
        )
        .header("accept", "text/plain");
    match request.send(&cx).await {
        Ok(answer) => read(answer.status(), answer.headers(), answer.body()),
        Err(error) => failed(&error),
    }
}

async fn has_address(resolver: &Resolver, host: &DomainName) -> Result<bool, LookupFailure> {
    for family in [Family::V4, Family::V6] {
        if resolver.addresses(host, family).await.known()?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An answer of the policy's host that is 2xx.
fn read(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> MtaStsPolicyAt {
    let unusable = |why: String| MtaStsPolicyAt::Unusable { why };
    if status != StatusCode::OK {
        return unusable(format!(
            "the policy's host answers with status {}",
            status.as_u16()
        ));
    }
    let content_type = headers.get(http::header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("text/plain") {
        return unusable("the policy is not sent as text/plain".to_owned());
    }
    match std::str::from_utf8(body).map_err(|_| "the policy is not UTF-8".to_owned()) {
        Ok(text) => match MtaStsPolicy::parse(text) {
            Ok(policy) => MtaStsPolicyAt::Policy { policy },
            Err(why) => unusable(why),
        },
        Err(why) => unusable(why),
    }
}

/// No answer, or one that is not 2xx. What the host says for good makes the policy useless; what may
/// be otherwise tomorrow is not known.
fn failed(error: &Error) -> MtaStsPolicyAt {
    let unusable = |why: String| MtaStsPolicyAt::Unusable { why };
    match (error.http_status(), error.kind()) {
        (Some(status @ 300..=399), _) => unusable(format!(
            "the policy's host redirects (status {status}), which senders do not follow"
        )),
        (Some(status @ 400..=499), _) if !matches!(status, 408 | 429) => {
            unusable(format!("the policy's host answers with status {status}"))
        }
        (_, ErrorKind::Refused | ErrorKind::InvalidInput | ErrorKind::PermissionDenied) => {
            unusable(
                "the policy's host has an address that is not of the public internet".to_owned(),
            )
        }
        (_, ErrorKind::InvalidResponse) => {
            unusable("the policy is longer than 64 KiB, or no answer of HTTP".to_owned())
        }
        (Some(status), _) => MtaStsPolicyAt::Unknown {
            why: format!("the policy's host answers with status {status}"),
        },
        (None, ErrorKind::Timeout) => MtaStsPolicyAt::Unknown {
            why: "the policy's host does not answer in time".to_owned(),
        },
        (None, _) => MtaStsPolicyAt::Unknown {
            why: "the policy's host cannot be reached by TLS".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use protect_core::dns::{DnsAnswer, DnsFailure, DnsRecord, RecordType};
    use protect_core::testing::{self, Expectation};

    use super::*;

    #[test]
    fn a_record_needs_an_id_of_letters_and_digits() {
        let record = MtaStsRecord::parse("v=STSv1; id=20260101T0000;").unwrap();
        assert_eq!(
            (record.id.as_deref(), record.issues.len()),
            (Some("20260101T0000"), 0)
        );
        for text in [
            "v=STSv1",
            "v=STSv1; id=",
            "v=STSv1; id=a-b",
            &format!("v=STSv1; id={}", "a".repeat(33)),
        ] {
            let record = MtaStsRecord::parse(text).unwrap();
            assert_eq!((record.id, record.issues.len()), (None, 1), "{text}");
        }
        assert!(MtaStsRecord::parse("v=stsv1; id=1").is_none());
    }

    #[test]
    fn a_policy_names_hosts_exactly_or_by_one_label() {
        let text = "version: STSv1\r\nmode: enforce\r\nmx: Mail.b.example\r\nmx: *.c.example\r\nmax_age: 86400\r\nnew: x\r\n";
        let policy = MtaStsPolicy::parse(text).unwrap();
        assert_eq!((policy.mode, policy.max_age), (MtaStsMode::Enforce, 86_400));
        for (host, covered) in [
            ("mail.b.example.", true),
            ("a.c.example", true),
            ("c.example", false),
            ("a.b.c.example", false),
            ("x.mail.b.example", false),
        ] {
            assert_eq!(policy.covers(host), covered, "{host}");
        }
    }

    #[test]
    fn a_policy_that_senders_cannot_use_says_why() {
        for (text, why) in [
            ("", "version"),
            ("version: STSv2", "line 1"),
            ("version: STSv1\nmode: strict", "line 2"),
            ("version: STSv1\nmode: enforce\nmax_age: 1", "no `mx`"),
            ("version: STSv1\nmode: none", "max_age"),
            ("version: STSv1\nmode: none\nmax_age: 31557601", "line 3"),
            ("version: STSv1\n<html>", "line 2"),
        ] {
            let found = MtaStsPolicy::parse(text).unwrap_err();
            assert!(found.contains(why), "{text:?}: {found}");
        }
        assert!(MtaStsPolicy::parse("version: STSv1\nmode: none\nmax_age: 0").is_ok());
    }

    /// What is made of an answer of the policy's host.
    async fn fetched(status: u16, content_type: &str, body: &str) -> MtaStsPolicyAt {
        let test = testing::impatient_context();
        let expectation = Expectation::new(Method::GET, "/.well-known/mta-sts.txt")
            .answer_bytes(status, content_type, body.to_owned())
            .answer_header("location", "https://elsewhere.example/");
        test.transport.expect(expectation.always());
        test.dns
            .add("mta-sts.b.example", DnsRecord::A([192, 0, 2, 1].into()));
        let resolver = Resolver::new(Arc::clone(&test.context.dns));
        let domain = DomainName::parse("b.example").unwrap();
        policy(&resolver, &test.context, &testing::op(), &domain).await
    }

    #[tokio::test]
    async fn only_a_plain_200_is_a_policy() {
        let good = "version: STSv1\nmode: testing\nmx: a.example\nmax_age: 1\n";
        assert!(matches!(
            fetched(200, "text/plain; charset=utf-8", good).await,
            MtaStsPolicyAt::Policy { .. }
        ));
        for (status, content_type, body) in [
            (200, "text/html", good),
            (200, "text/plain", "<html>"),
            (301, "text/plain", good),
            (404, "text/plain", good),
            (204, "text/plain", good),
        ] {
            let found = fetched(status, content_type, body).await;
            assert!(
                matches!(found, MtaStsPolicyAt::Unusable { .. }),
                "{status}: {found:?}"
            );
        }
        let long = "x".repeat(LONGEST + 1);
        assert!(matches!(
            fetched(200, "text/plain", &long).await,
            MtaStsPolicyAt::Unusable { .. }
        ));
        let down = fetched(503, "text/plain", "").await;
        assert!(matches!(down, MtaStsPolicyAt::Unknown { .. }), "{down:?}");
    }

    #[tokio::test]
    async fn a_host_that_does_not_exist_is_not_asked_and_one_that_nobody_knows_is_unknown() {
        let test = testing::impatient_context();
        let resolver = Resolver::new(Arc::clone(&test.context.dns));
        let domain = DomainName::parse("b.example").unwrap();
        let found = policy(&resolver, &test.context, &testing::op(), &domain).await;
        assert!(
            matches!(found, MtaStsPolicyAt::Unusable { .. }),
            "{found:?}"
        );
        let failed = DnsAnswer::Failed(DnsFailure::Timeout);
        test.dns.set("mta-sts.c.example", RecordType::A, failed);
        let domain = DomainName::parse("c.example").unwrap();
        let found = policy(&resolver, &test.context, &testing::op(), &domain).await;
        assert!(matches!(found, MtaStsPolicyAt::Unknown { .. }), "{found:?}");
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_read(text in "(v=STSv1;)?(version: STSv1\n)?.{0,200}") {
            let _ = MtaStsRecord::parse(&text);
            let _ = MtaStsPolicy::parse(&text);
        }
    }
}
