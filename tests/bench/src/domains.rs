//! How many domains are audited a second, beside bare lookups of the same questions and beside
//! `checkdmarc`, which does SPF and DMARC alone. All ask the same name server on loopback: NSD where
//! it is installed, else the sandbox's.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt as _;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr;
use protect_connectors::core::Context;
use protect_connectors::core::connector::OpContext;
use protect_connectors::core::dns::{DnsAnswer, DnsLookup, RecordType};
use protect_connectors::core::model::{Actor, TenantId};
use protect_connectors::email::name::DomainName;
use protect_connectors::email::{AuditOptions, audit_all};
use protect_sandbox::DnsServer;

use crate::measure::{RUNS, median, python_with, rate};
use crate::table::{Row, Table};

/// How many domains.
const DOMAINS: usize = 200;

/// Questions of the bare loop under way, as many as an audit has.
const AT_ONCE: usize = 128;

/// A public key of 2048 bits, as half of the domains publish it.
const KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxoFvjfm8KdHliQ+XLP5fx74snVSjOyFFHm5D/z7PQmyEWYBXvsjaDxzRkrlhD58rDUZPW71QuCQ+EEynV6svPRTBdg+6Rwyt3cbSLXT1luDCSmAmJHW3veL9jr9cH9pfdTuZetbToyyWvwqZGeN/xfK3F9+5Yy7k36Tkiu7gIJEmjMNW1C9kHl9NrXfzHH9wZhQA/gd6Xsdd2yAyJ3FHoeFMk8AOFs6JVk+0aKVSZi34wuD+etIhwVoUvVPAhEU+FfgoXo1B5fQ23mkvkoYhKIz0+jQHCTsr5jPyh5Ga2kvn/XjkGacrH4A72gGGoWfBho65aWCdOIhkTqdHhCSV5wIDAQAB";

/// The peer.
const CHECKDMARC: &str = "checkdmarc==6.0.4";

/// Each side in turn, so often, and the medians.
pub(crate) async fn measure(table: &mut Table) {
    let server = Server::start().await;
    let domains = domains();
    let recorder = Arc::new(Recorder::new(server.address()));
    audit(&domains, Arc::<Recorder>::clone(&recorder)).await;
    let questions = recorder.questions();
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let took = audit(&domains, system(server.address())).await;
        ours.push(rate(DOMAINS, took));
        // A domain of the bare loop is its share of the questions.
        bare.push(rate(DOMAINS, ask(&questions, server.address()).await));
    }
    let (ours, bare) = (median(ours), median(bare));
    table.row(Row {
        name: format!("domains, {} lookups, by {}", questions.len(), server.name()),
        unit: "/s".to_owned(),
        figure: ours,
        bare: Some(bare),
        target: "≥ 0.5 of bare lookups".to_owned(),
    });
    match checkdmarc(&domains, server.address()) {
        Some(theirs) => table.row(Row {
            name: "domains, beside checkdmarc's SPF and DMARC alone".to_owned(),
            unit: "/s".to_owned(),
            figure: ours,
            bare: Some(theirs),
            target: "≥ 10 × checkdmarc".to_owned(),
        }),
        None => table.remark("skipped: checkdmarc could not be installed"),
    }
    table.row(Row {
        name: "domains, most memory of this process".to_owned(),
        unit: "MiB".to_owned(),
        figure: peak(),
        bare: None,
        target: "≤ 64 MiB, with the bench around it".to_owned(),
    });
    table.remark(
        "domains: SPF, DMARC, DKIM, MTA-STS and TLS-RPT records of 200 domains of ten shapes; \
         policies are not fetched, as loopback has no web server for them.",
    );
}

fn system(server: SocketAddr) -> Arc<dyn DnsLookup> {
    Arc::new(protect_connectors::http::SystemDns::with_server(server))
}

async fn audit(domains: &[DomainName], dns: Arc<dyn DnsLookup>) -> Duration {
    let (mut context, _): (Context, _) = protect_connectors::context().unwrap();
    context.dns = dns;
    let options = AuditOptions {
        fetch_policies: false,
        ..AuditOptions::default()
    };
    let actor = Actor::unverified("bench");
    let cx = OpContext::new(TenantId::new("bench").unwrap(), "bench", actor);
    let began = Instant::now();
    let mut audits = Box::pin(audit_all(domains.to_vec(), &options, &context, &cx));
    let mut complete = 0;
    while let Some(audit) = audits.next().await {
        complete += usize::from(audit.unwrap().complete);
    }
    let took = began.elapsed();
    assert_eq!(complete, domains.len(), "a question was not answered");
    took
}

/// The same questions, and nothing made of the answers.
async fn ask(questions: &[(String, RecordType)], server: SocketAddr) -> Duration {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    let server = NameServerConfig::new(server.ip(), true, connections.to_vec());
    let mut builder = TokioResolver::builder_with_config(
        ResolverConfig::from_name_servers(vec![server]),
        TokioRuntimeProvider::default(),
    );
    builder.options_mut().max_active_requests = AT_ONCE;
    let resolver = &builder.build().unwrap();
    let began = Instant::now();
    futures::stream::iter(questions)
        .for_each_concurrent(AT_ONCE, |(name, kind)| async move {
            let kind: rr::RecordType = kind.as_str().parse().unwrap();
            // "No such name" is an answer too.
            drop(resolver.lookup(format!("{name}."), kind).await);
        })
        .await;
    began.elapsed()
}

/// Notes what is asked.
#[derive(Debug)]
struct Recorder {
    dns: Arc<dyn DnsLookup>,
    asked: Mutex<BTreeSet<(String, RecordType)>>,
}

impl Recorder {
    fn new(server: SocketAddr) -> Self {
        Self {
            dns: system(server),
            asked: Mutex::default(),
        }
    }

    fn questions(&self) -> Vec<(String, RecordType)> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().cloned().collect()
    }
}

#[async_trait]
impl DnsLookup for Recorder {
    async fn query(&self, name: &str, kind: RecordType) -> DnsAnswer {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((name.to_owned(), kind));
        self.dns.query(name, kind).await
    }
}

/// The peer's rate: installed below the target directory, in a process of its own.
fn checkdmarc(domains: &[DomainName], server: SocketAddr) -> Option<f64> {
    const SCRIPT: &str = r"
import sys, time, dns.resolver
from checkdmarc.dmarc import check_dmarc
from checkdmarc.spf import check_spf
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = [sys.argv[1]]
resolver.port = int(sys.argv[2])
resolver.cache = dns.resolver.LRUCache()
domains = sys.argv[3:]
began = time.perf_counter()
for domain in domains:
    check_spf(domain, resolver=resolver)
    check_dmarc(domain, resolver=resolver)
print(len(domains) / (time.perf_counter() - began))
";
    let python = python_with(CHECKDMARC)?;
    let rates = (0..RUNS).map(|_| {
        let mut command = Command::new(&python);
        command.args([
            "-c",
            SCRIPT,
            &server.ip().to_string(),
            &server.port().to_string(),
        ]);
        let ran = command
            .args(domains.iter().map(DomainName::as_str))
            .output()
            .ok()?;
        String::from_utf8(ran.stdout).ok()?.trim().parse().ok()
    });
    rates.collect::<Option<Vec<f64>>>().map(median)
}

/// The most memory that this process ever had, in MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kibibytes.map_or(f64::NAN, |kibibytes| kibibytes / 1024.0)
}

/// The name server.
enum Server {
    /// With the folder that its zones are in, which goes when this does.
    Nsd(
        Child,
        SocketAddr,
        #[expect(dead_code, reason = "kept, not read")] tempfile::TempDir,
    ),
    Sandbox(DnsServer),
}

impl Server {
    async fn start() -> Self {
        match nsd().await {
            Some((child, address, folder)) => Self::Nsd(child, address, folder),
            None => Self::Sandbox(DnsServer::start(&sandbox_zone()).await.unwrap()),
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Nsd(_, address, _) => *address,
            Self::Sandbox(server) => server.address(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Nsd(..) => "NSD",
            Self::Sandbox(_) => "the sandbox",
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Self::Nsd(child, ..) = self {
            let id = child.id().to_string();
            drop(Command::new("kill").args(["-TERM", &id]).status());
            drop(child.wait());
        }
    }
}

async fn nsd() -> Option<(Child, SocketAddr, tempfile::TempDir)> {
    let program = Path::new("/usr/sbin/nsd");
    if !program.exists() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    drop(socket);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let head = "$ORIGIN test.\n$TTL 60\n@ SOA ns.test. h.test. 1 3600 600 86400 60\n@ NS ns.test.\nns A 127.0.0.1\n";
    let mut zone = head.to_owned();
    for (name, kind, data) in records() {
        writeln!(zone, "{name}. {kind} {data}").unwrap();
    }
    std::fs::write(path("test.zone"), zone).unwrap();
    let config = format!(
        "server:\n ip-address: 127.0.0.1@{port}\n username: \"\"\n server-count: 1\n zonesdir: \"{}\"\n \
         database: \"\"\n pidfile: \"{}\"\n xfrdfile: \"{}\"\n zonelistfile: \"{}\"\n rrl-ratelimit: 0\n\
         remote-control:\n control-enable: no\nzone:\n name: test\n zonefile: test.zone\n",
        folder.path().display(),
        path("pid"),
        path("xfrd"),
        path("zones"),
    );
    std::fs::write(path("nsd.conf"), config).unwrap();
    let mut command = Command::new(program);
    command
        .args(["-d", "-c", &path("nsd.conf")])
        .stderr(Stdio::null());
    let child = command.spawn().ok()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for _ in 0..100 {
        if std::net::TcpStream::connect(address).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Some((child, address, folder))
}

fn sandbox_zone() -> String {
    let mut zone = "ZONE test\n".to_owned();
    for (name, kind, data) in records() {
        writeln!(zone, "{name} {kind} {data}").unwrap();
    }
    zone
}

fn domains() -> Vec<DomainName> {
    let name = |n| DomainName::parse(&format!("d{n}.test")).unwrap();
    (0..DOMAINS).map(name).collect()
}

/// Two hundred domains of ten shapes.
fn records() -> Vec<(String, &'static str, String)> {
    let mut all = Vec::new();
    let quoted = |text: &str| {
        let strings = text
            .as_bytes()
            .chunks(255)
            .map(|part| format!("\"{}\"", String::from_utf8_lossy(part)));
        strings.collect::<Vec<_>>().join(" ")
    };
    for provider in 0..5 {
        let spf = quoted("v=spf1 ip4:93.184.216.0/24 ip4:93.184.217.0/24 ~all");
        all.push((format!("_spf.p{provider}.test"), "TXT", spf));
    }
    for n in 0..DOMAINS {
        let domain = format!("d{n}.test");
        let shape = n % 10;
        let mut add = |at: &str, kind, data: String| {
            let name = if at.is_empty() {
                domain.clone()
            } else {
                format!("{at}.{domain}")
            };
            all.push((name, kind, data));
        };
        add("", "MX", format!("10 mx.{domain}."));
        add("mx", "A", "192.0.2.1".to_owned());
        let includes: Vec<_> = (0..shape % 5)
            .map(|p| format!(" include:_spf.p{p}.test"))
            .collect();
        let includes = includes.concat();
        if shape != 1 {
            add(
                "",
                "TXT",
                quoted(&format!("v=spf1 mx a:mx.{domain}{includes} -all")),
            );
        }
        let policy = ["reject", "quarantine", "none"][shape % 3];
        if shape != 2 {
            let record = format!("v=DMARC1; p={policy}; rua=mailto:d@{domain}");
            add("_dmarc", "TXT", quoted(&record));
        }
        if shape % 2 == 0 {
            let key = format!("v=DKIM1; k=rsa; p={KEY}");
            add("default._domainkey", "TXT", quoted(&key));
        }
        if shape < 5 {
            add("_mta-sts", "TXT", quoted("v=STSv1; id=1"));
            add(
                "_smtp._tls",
                "TXT",
                quoted(&format!("v=TLSRPTv1; rua=mailto:t@{domain}")),
            );
        }
    }
    all
}
