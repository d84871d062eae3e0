//! Asking for keys under the names that may be in use.

use futures::StreamExt as _;
use protect_core::context::Random;
use protect_core::dns::TxtRecord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::key::DkimKey;
use super::selectors::{self, Candidate, Guess, Hints};
use crate::name::DomainName;
use crate::resolve::{Lookup, LookupFailure, Resolver};

/// Selectors of one domain that are asked for at the same time.
const AT_ONCE: usize = 16;

/// What is known about a domain's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DkimAudit {
    /// What was found under the names tried; names without anything are not in it, unless there is a
    /// reason to believe that the domain uses them.
    pub selectors: Vec<DkimSelector>,
    /// The names that were asked for, in order.
    pub asked: Vec<String>,
    /// Names that many domains use and that were not asked for, since a key was found without them;
    /// [`Guess::All`] asks.
    pub left_out: Vec<String>,
    /// Every name has a key, so that finding one proves nothing; guessed names were not tried.
    pub wildcard: bool,
    /// There is nothing below `_domainkey` at all (RFC 8020); guessed names were not tried.
    pub nothing_below: bool,
    /// The providers that mail hosts and SPF includes name.
    pub providers: Vec<String>,
    /// Why nobody could say, for the names that matter most, where that is so.
    pub failure: Option<LookupFailure>,
}

/// One selector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DkimSelector {
    /// Its name, and why it was tried.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// What its name is an alias of, which tells the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<DomainName>,
    /// What stands there.
    pub found: SelectorFound,
}

/// What stands at a selector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SelectorFound {
    /// One key record.
    Key {
        /// What it says.
        record: Box<DkimKey>,
    },
    /// Several, so that a verifier may take any (RFC 6376 section 3.6.2.2).
    Several {
        /// As published.
        texts: Vec<String>,
    },
    /// Nothing.
    Nothing,
    /// An alias of a name that does not exist.
    Dangling,
    /// Nobody could say.
    Unknown {
        /// Why.
        failure: LookupFailure,
    },
}

impl DkimSelector {
    /// The key record, where there is just one.
    pub fn key(&self) -> Option<&DkimKey> {
        match &self.found {
            SelectorFound::Key { record } => Some(record),
            _ => None,
        }
    }
}

impl DkimAudit {
    /// The keys that mail can be verified with.
    pub fn live(&self) -> impl Iterator<Item = (&DkimSelector, &DkimKey)> {
        let keys = self.selectors.iter().filter_map(|at| Some((at, at.key()?)));
        keys.filter(|(_, key)| key.is_live())
    }

    /// Whether it is unknown if there are keys: none was found, and a question that might have shown
    /// one was not answered.
    pub fn is_unknown(&self) -> bool {
        self.failure.is_some() && self.live().next().is_none()
    }
}

/// Looks for the keys of a domain.
pub(crate) async fn discover(
    resolver: &Resolver,
    random: &dyn Random,
    domain: &DomainName,
    hints: Hints<'_>,
) -> DkimAudit {
    let mut audit = DkimAudit {
        providers: hints
            .providers
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        ..DkimAudit::default()
    };
    let Ok(base) = domain.child("_domainkey") else {
        return audit;
    };
    match resolver.txt(&base).await {
        Lookup::NoName => audit.nothing_below = true,
        Lookup::Failed(failure) => audit.failure = Some(failure),
        Lookup::Found(_) | Lookup::NoData => {
            audit.wildcard = has_wildcard(resolver, random, &base).await;
        }
    }
    // Where even this was not answered, guesses would only be more questions without an answer.
    let known = audit.failure.is_none();
    let guess = known && !audit.nothing_below && !audit.wildcard;
    let candidates = selectors::candidates(hints, guess);
    let (first, later): (Vec<_>, Vec<_>) = candidates.into_iter().partition(Candidate::comes_first);
    audit.ask(resolver, &base, first).await;
    let goes_on = hints.guess == Guess::All || audit.live().next().is_none();
    let (second, left_out): (Vec<_>, Vec<_>) = later
        .into_iter()
        .partition(|candidate| goes_on || audit.has_sibling_of(candidate));
    audit.ask(resolver, &base, second).await;
    audit.left_out = left_out.into_iter().map(|it| it.selector).collect();
    audit
}

impl DkimAudit {
    async fn ask(&mut self, resolver: &Resolver, base: &DomainName, names: Vec<Candidate>) {
        self.asked
            .extend(names.iter().map(|it| it.selector.clone()));
        let asked = futures::stream::iter(names)
            .map(|candidate| look(resolver, base, candidate))
            .buffered(AT_ONCE);
        let found: Vec<_> = asked.collect().await;
        for selector in found {
            let guessed = selector.candidate.source.is_guess();
            match &selector.found {
                SelectorFound::Unknown { failure } => {
                    self.failure.get_or_insert(*failure);
                    if !guessed {
                        self.selectors.push(selector);
                    }
                }
                SelectorFound::Nothing if guessed => {}
                _ => self.selectors.push(selector),
            }
        }
    }

    fn has_sibling_of(&self, candidate: &Candidate) -> bool {
        let mut live = self.live();
        live.any(|(found, _)| found.candidate.is_sibling(candidate))
    }
}

/// Whether a name that nobody chose has a key.
async fn has_wildcard(resolver: &Resolver, random: &dyn Random, base: &DomainName) -> bool {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    let label = format!("{:016x}", u64::from_le_bytes(bytes));
    let Ok(name) = base.child(&label) else {
        return false;
    };
    matches!(resolver.txt(&name).await, Lookup::Found(_))
}

async fn look(resolver: &Resolver, base: &DomainName, candidate: Candidate) -> DkimSelector {
    let mut alias_of = None;
    let found = match base.child(&candidate.selector) {
        Err(_) => SelectorFound::Nothing,
        Ok(name) => {
            let answer = resolver.txt(&name).await;
            if !candidate.source.is_guess() || matches!(answer, Lookup::Found(_)) {
                alias_of = resolver.cname(&name).await.known().ok().flatten();
            }
            match answer {
                Lookup::Found(texts) => match texts.as_slice() {
                    [text] => SelectorFound::Key {
                        record: Box::new(DkimKey::parse(&text.joined())),
                    },
                    _ => SelectorFound::Several {
                        texts: texts.iter().map(TxtRecord::joined).collect(),
                    },
                },
                Lookup::NoName if alias_of.is_some() => SelectorFound::Dangling,
                Lookup::NoData | Lookup::NoName => SelectorFound::Nothing,
                Lookup::Failed(failure) => SelectorFound::Unknown { failure },
            }
        }
    };
    DkimSelector {
        candidate,
        alias_of,
        found,
    }
}
