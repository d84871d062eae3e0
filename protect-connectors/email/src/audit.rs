//! Everything about a domain in one call, and about many domains in one run.

use std::panic::resume_unwind;
use std::sync::Arc;

use futures::{Stream, StreamExt as _};
use jiff::Timestamp;
use protect_core::connector::OpContext;
use protect_core::dns::TxtRecord;
use protect_core::model::{CheckResult, NotEvaluatedReason, Observation, Severity, Verdict};
use protect_core::{Context, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::checks::{self, Decided, Facts, Known};
use crate::dkim::{self, DkimAudit, Guess, Hints};
use crate::dmarc::{self, DmarcAudit, Rollout, Stage};
use crate::name::DomainName;
use crate::propose::{self, Basis, Proposal};
use crate::resolve::{QUERY_BUDGET, Resolver, Run};
use crate::score::{self, MailScore, SpfStanding};
use crate::spf::{self, SpfAudit};
use crate::transport::{self, MailHosts, TransportAudit};

/// Domains of a run that are audited at the same time, unless set otherwise.
pub const AT_ONCE: usize = 32;

/// What the search for keys may cost beside [`QUERY_BUDGET`]: sixty names and what they are aliases
/// of.
const DKIM_BUDGET: u32 = 130;

/// How an audit is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditOptions {
    /// Selectors that the domain is known to use.
    pub selectors: Vec<String>,
    /// How far selectors that many domains use are tried as well.
    pub guess: Guess,
    /// Whether MTA-STS policies are fetched.
    pub fetch_policies: bool,
    /// How many different questions one domain may cost, those for keys apart.
    pub query_budget: u32,
    /// How many domains of a run are audited at the same time.
    pub at_once: usize,
    /// What is known beside DNS.
    pub known: Known,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            selectors: Vec::new(),
            guess: Guess::default(),
            fetch_policies: true,
            query_budget: QUERY_BUDGET,
            at_once: AT_ONCE,
            known: Known::default(),
        }
    }
}

/// Everything about a domain's mail authentication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DomainAudit {
    /// The domain.
    pub domain: DomainName,
    /// When it was asked about.
    pub at: Timestamp,
    /// The score of its authentication.
    pub score: MailScore,
    /// The score of its transport.
    pub transport_score: MailScore,
    /// Whether it takes mail.
    pub mail: MailHosts,
    /// Its SPF: the whole tree.
    pub spf: SpfAudit,
    /// Its DMARC.
    pub dmarc: DmarcAudit,
    /// Its DKIM, as far as selectors are known.
    pub dkim: DkimAudit,
    /// MTA-STS and TLS-RPT.
    pub transport: TransportAudit,
    /// What every rule decided.
    pub results: Vec<CheckResult>,
    /// The way to `reject`.
    pub rollout: Rollout,
    /// What to publish.
    pub proposals: Vec<Proposal>,
    /// How many different questions it took.
    pub questions: usize,
    /// Whether every question that matters was answered.
    pub complete: bool,
}

impl DomainAudit {
    /// What is wrong, worst first.
    pub fn wrong(&self) -> Vec<&CheckResult> {
        let failed = |result: &&CheckResult| result.verdict == Verdict::Fail;
        let mut wrong: Vec<_> = self.results.iter().filter(failed).collect();
        wrong.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.check.cmp(&b.check)));
        wrong
    }

    /// The worst that is wrong; `None` where nothing is.
    pub fn worst(&self) -> Option<Severity> {
        self.wrong().first().map(|result| result.severity)
    }

    /// What a rule decided.
    pub fn result(&self, check: &str) -> Option<&CheckResult> {
        self.results
            .iter()
            .find(|result| result.check.as_str() == check)
    }
}

/// An audit, and what only the scanner needs of it.
#[derive(Debug)]
pub(crate) struct Audited {
    pub(crate) audit: DomainAudit,
    pub(crate) decided: Vec<Decided>,
}

impl Audited {
    /// What is wrong, as findings.
    pub(crate) fn observations(&self) -> Result<Vec<Observation>> {
        let mut all = Vec::new();
        for decided in &self.decided {
            all.extend(decided.observations(&self.audit.domain)?);
        }
        Ok(all)
    }
}

/// A domain that can be audited, as somebody wrote it.
///
/// # Errors
/// `invalid_input` where it is none, or a public suffix: nobody's mail is sent in the name of `co.uk`.
pub fn auditable(text: &str) -> Result<DomainName> {
    let domain = DomainName::parse(text)?;
    if dmarc::registrable(&domain).is_none() {
        return Err(
            Error::invalid_input("a public suffix has no mail of its own to audit")
                .with_context("domain", domain.to_string()),
        );
    }
    Ok(domain)
}

/// Audits a domain. What DNS does not answer is part of the audit, not an error.
///
/// # Errors
/// None but a defect.
pub async fn audit(
    domain: &DomainName,
    options: &AuditOptions,
    context: &Context,
    cx: &OpContext,
) -> Result<DomainAudit> {
    let run = Run::new(Arc::clone(&context.dns));
    Ok(audit_in(&run, domain, options, context, cx).await?.audit)
}

/// Audits many domains, so many at a time, in the order given: each question of the run is asked
/// once, whichever domain it is for. Dropping the stream ends what is under way.
///
/// # Panics
/// When polled outside a Tokio runtime.
pub fn audit_all(
    domains: Vec<DomainName>,
    options: &AuditOptions,
    context: &Context,
    cx: &OpContext,
) -> impl Stream<Item = Result<DomainAudit>> + use<> {
    let at_once = options.at_once.max(1);
    let run = Run::new(Arc::clone(&context.dns));
    let asked = Arc::new((options.clone(), context.clone(), cx.clone()));
    futures::stream::iter(domains)
        .map(move |domain| {
            let (run, asked) = (run.clone(), Arc::clone(&asked));
            on_a_task(async move {
                let (options, context, cx) = &*asked;
                Ok(audit_in(&run, &domain, options, context, cx).await?.audit)
            })
        })
        .buffered(at_once)
}

/// On a task of its own, so that the domains of a run keep all of the runtime's threads busy.
async fn on_a_task<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    // A set ends its tasks when it is dropped; a bare task would go on.
    let mut task = JoinSet::new();
    task.spawn(work);
    match task.join_next().await {
        Some(Ok(done)) => done,
        Some(Err(failed)) if failed.is_panic() => resume_unwind(failed.into_panic()),
        _ => Err(Error::new(
            ErrorKind::Cancelled,
            "the runtime is being shut down",
        )),
    }
}

/// Audits a domain within a run.
pub(crate) async fn audit_in(
    run: &Run,
    domain: &DomainName,
    options: &AuditOptions,
    context: &Context,
    cx: &OpContext,
) -> Result<Audited> {
    let resolver = run.resolver_with_budget(options.query_budget);
    let (mail, texts, spf, dmarc, mta_sts, tls_rpt) = futures::join!(
        MailHosts::of(&resolver, domain),
        texts(&resolver, domain),
        spf::audit(domain, &resolver),
        dmarc::audit(&resolver, domain),
        transport::mta_sts::audit(&resolver, context, cx, domain, options.fetch_policies),
        transport::tls_rpt::audit(&resolver, domain),
    );
    let transport = TransportAudit { mta_sts, tls_rpt };
    let keys = run.resolver_with_budget(DKIM_BUDGET);
    let dkim = find_keys(&keys, domain, options, context, &mail, &spf).await;
    let at = context.clock.now();
    let known = &options.known;
    let facts = Facts {
        domain,
        at,
        mail: &mail,
        spf: &spf,
        dmarc: &dmarc,
        dkim: &dkim,
        transport: &transport,
        texts: &texts,
        known,
    };
    let decided = checks::decide(&facts);
    let results = decided.iter().map(|decided| decided.result(domain));
    let results: Vec<_> = results.collect::<Result<_>>()?;
    let unanswered =
        |result: &CheckResult| result.not_evaluated == Some(NotEvaluatedReason::VendorError);
    let stage = Stage::of(dmarc.record());
    let rollout = Rollout::plan(stage, known.reports.as_ref().map(|seen| &seen.evidence));
    let mut proposals = Vec::new();
    proposals.extend(propose::proposals(&Basis {
        domain,
        at,
        mail: &mail,
        spf: &spf,
        dmarc: &dmarc,
        dkim: &dkim,
        transport: &transport,
        rollout: &rollout,
        our_rua: &known.our_rua,
    }));
    let audit = DomainAudit {
        domain: domain.clone(),
        at,
        score: score::authentication(&mail, &SpfStanding::of(&spf), &dkim, &dmarc),
        transport_score: score::transport(&mail, &transport),
        complete: !results.iter().any(unanswered),
        questions: resolver.asked() + keys.asked(),
        mail,
        spf,
        dmarc,
        dkim,
        transport,
        results,
        rollout,
        proposals,
    };
    Ok(Audited { audit, decided })
}

async fn texts(resolver: &Resolver, domain: &DomainName) -> Vec<String> {
    let texts = resolver.txt(domain).await.known().ok().flatten();
    let texts = texts.unwrap_or_default();
    texts.iter().map(TxtRecord::joined).collect()
}

async fn find_keys(
    resolver: &Resolver,
    domain: &DomainName,
    options: &AuditOptions,
    context: &Context,
    mail: &MailHosts,
    spf: &SpfAudit,
) -> DkimAudit {
    let hosts = mail
        .hosts()
        .iter()
        .filter_map(|host| DomainName::literal(host).ok());
    let hosts: Vec<_> = hosts.chain(spf.included().cloned()).collect();
    let providers = dkim::providers(&hosts);
    let seen = options.known.reports.as_ref();
    let learnt: Vec<_> = seen
        .into_iter()
        .flat_map(|seen| seen.selectors.iter().cloned())
        .collect();
    let before = options.known.keys.iter();
    let before: Vec<_> = before
        .filter(|key| key.domain == *domain)
        .map(|key| key.selector.clone())
        .collect();
    let hints = Hints {
        seen: &before,
        learnt: &learnt,
        configured: &options.selectors,
        providers: &providers,
        guess: options.guess,
    };
    dkim::discover(resolver, &*context.random, domain, hints).await
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
