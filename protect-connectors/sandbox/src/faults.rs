//! Faults: what can be made to go wrong, on which requests, and how often.

use serde::{Deserialize, Serialize};

use crate::journal::Vendor;

/// What goes wrong. The names (in lower snake case) are those of [`Fault::NAMES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The connection is closed without a byte of an answer; nothing is applied.
    CloseEarly,
    /// The answer is held back for [`Fault::millis`].
    Delay,
    /// The request is applied, then the connection is closed without an answer.
    AnswerLost,
    /// The connection is cut in the middle of the body.
    ResetMidBody,
    /// The body arrives in small pieces, with [`Fault::millis`] between them.
    SlowDrip,
    /// Status 200 and the first half of the JSON, as if complete.
    TruncatedJson,
    /// An HTML page with status 200; nothing is applied.
    Html200,
    /// An HTML page with status 502; nothing is applied.
    Html502,
    /// 429 with `Retry-After` in seconds ([`Fault::seconds`]).
    RateLimitedSeconds,
    /// 429 with `Retry-After` as an HTTP date ([`Fault::seconds`] from now).
    RateLimitedDate,
    /// 429 without `Retry-After`.
    RateLimitedBare,
    /// 503 in the vendor's own error form.
    Unavailable,
    /// Access tokens are revoked; what carries one gets 401 until it fetches another. For a
    /// vendor without tokens to fetch: 401.
    Unauthorized,
    /// 403, as if a permission had been taken away.
    ScopeRemoved,
    /// A page token that was good is refused.
    PageTokenExpired,
    /// An item of the page before comes again.
    DuplicateItems,
    /// The last item of each page is left out.
    MissingItems,
    /// After a write, the next [`Fault::reads`] reads of the same thing show the old state.
    StaleReads,
    /// Enumerations hold a value nobody has documented.
    UnknownEnum,
    /// Numbers are sent as strings.
    NumbersAsStrings,
    /// Every object holds a field nobody has documented.
    NewFields,
    /// The `Date` header is off by [`Fault::seconds`].
    ClockSkew,
    /// 307 to another host.
    RedirectElsewhere,
    /// A body of 10 MiB of valid JSON.
    HugeBody,
    /// 404, as if the thing had been deleted meanwhile.
    NotFound,
    /// Microsoft 365: the refusal of a tenant that lacks the licence.
    LicenceMissing,
    /// Microsoft 365: the link of a page leads to another host.
    NextLinkElsewhere,
    /// Microsoft 365 and Google: a page leads to the same page again.
    RepeatedPage,
    /// Microsoft 365 and Google: a page is empty, and the same page comes after it.
    EmptyPage,
    /// Google: a page has no list at all, and the same page comes after it.
    ItemsAbsent,
    /// Google: one of the scopes that a token is asked for is not delegated.
    ScopeNotDelegated,
    /// Google: the API is not switched on in the project.
    ApiSwitchedOff,
    /// Google: 403 with the reason `userRateLimitExceeded`.
    UserRateLimitExceeded,
    /// Google: 403 with the reason `rateLimitExceeded`.
    RateLimitExceeded,
    /// Google: 403 with the reason `quotaExceeded`.
    QuotaExceeded,
    /// Google: events of a log lack their name, or their parameters.
    BareEvents,
    /// Google: the first two activities of a page have the same time.
    SameTimes,
    /// Google: one organizational unit has another name, and one is gone.
    UnitsMoved,
    /// Objects inside of objects are null.
    NullObjects,
    /// Lists inside of objects are left out.
    MissingLists,
    /// Every suspension gets 500; nothing is applied.
    SuspendFails,
    /// Every suspension gets 403, as for a protected user.
    SuspendRefused,
}

/// A switch: one kind of fault, where it applies and for how many requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// At this vendor only; `None` means at every vendor.
    #[serde(default)]
    pub vendor: Option<Vendor>,
    /// Only on routes whose template contains this text, for example `:suspend`.
    #[serde(default)]
    pub route: Option<String>,
    /// How many more requests it strikes; `None` means until cleared.
    #[serde(default)]
    pub count: Option<u32>,
    /// How many fitting requests pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// Milliseconds of delay, or between the pieces of a slow body.
    #[serde(default = "default_millis")]
    pub millis: u64,
    /// Seconds of `Retry-After`, or of clock skew (may be negative).
    #[serde(default = "default_seconds")]
    pub seconds: i64,
    /// Reads that stay old after a write.
    #[serde(default = "default_reads")]
    pub reads: u32,
}

impl Fault {
    /// Every fault by name, with its meaning in one line.
    pub const NAMES: &[(&str, &str)] = &[
        ("close_early", "the connection closes without an answer"),
        ("delay", "answers are late"),
        (
            "answer_lost",
            "the request is applied but its answer is lost",
        ),
        (
            "reset_mid_body",
            "the connection is cut in the middle of the body",
        ),
        ("slow_drip", "the body arrives piece by piece"),
        ("truncated_json", "status 200 with half of the JSON"),
        ("html200", "an HTML page with status 200"),
        ("html502", "an HTML page with status 502"),
        ("rate_limited_seconds", "429 with Retry-After in seconds"),
        ("rate_limited_date", "429 with Retry-After as a date"),
        ("rate_limited_bare", "429 without Retry-After"),
        ("unavailable", "a storm of 503"),
        ("unauthorized", "access tokens are revoked in mid-run"),
        ("scope_removed", "403 after a permission was taken away"),
        ("page_token_expired", "page tokens expire between pages"),
        ("duplicate_items", "items come twice across pages"),
        ("missing_items", "items are missing from pages"),
        (
            "stale_reads",
            "reads after a write show the old state for a while",
        ),
        ("unknown_enum", "enumerations hold undocumented values"),
        ("numbers_as_strings", "numbers are sent as strings"),
        ("new_fields", "objects hold undocumented fields"),
        ("clock_skew", "the Date header is ten minutes off"),
        ("redirect_elsewhere", "a redirect to another host"),
        ("huge_body", "a body of 10 MiB"),
        ("not_found", "404, as if deleted meanwhile"),
        (
            "licence_missing",
            "Microsoft 365: the tenant lacks the licence",
        ),
        (
            "next_link_elsewhere",
            "Microsoft 365: a page's link leads to another host",
        ),
        ("repeated_page", "a page leads to itself"),
        ("empty_page", "an empty page, and more pages to come"),
        (
            "items_absent",
            "Google: a page without a list, and more pages to come",
        ),
        (
            "scope_not_delegated",
            "Google: one of the scopes is not delegated",
        ),
        ("api_switched_off", "Google: the API is not switched on"),
        (
            "user_rate_limit_exceeded",
            "Google: 403 userRateLimitExceeded",
        ),
        ("rate_limit_exceeded", "Google: 403 rateLimitExceeded"),
        ("quota_exceeded", "Google: 403 quotaExceeded"),
        (
            "bare_events",
            "Google: events lack their name or parameters",
        ),
        ("same_times", "Google: two activities of the same time"),
        (
            "units_moved",
            "Google: organizational units are renamed or gone",
        ),
        ("null_objects", "objects inside of objects are null"),
        ("missing_lists", "lists inside of objects are left out"),
        ("suspend_fails", "every suspension gets 500"),
        ("suspend_refused", "every suspension gets 403"),
    ];

    /// A fault of this kind on every fitting request, until cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            vendor: None,
            route: None,
            count: None,
            skip: 0,
            millis: default_millis(),
            seconds: if kind == FaultKind::ClockSkew {
                600
            } else {
                default_seconds()
            },
            reads: default_reads(),
        }
    }

    /// The fault with this name from [`Fault::NAMES`], or `None` for another name.
    ///
    /// A fault that would make every call fail strikes a few requests and passes, so that a client
    /// which does what it should comes through; the others last until cleared.
    pub fn named(name: &str) -> Option<Self> {
        let kind = serde_json::from_value(serde_json::Value::from(name)).ok()?;
        let mut fault = Self::new(kind);
        fault.count = passing(kind);
        Some(fault)
    }

    /// Limits it to one vendor.
    #[must_use]
    pub fn at(mut self, vendor: Vendor) -> Self {
        self.vendor = Some(vendor);
        self
    }

    /// Limits it to routes whose template contains `route`.
    #[must_use]
    pub fn on(mut self, route: &str) -> Self {
        self.route = Some(route.to_owned());
        self
    }

    /// Lets it strike `count` requests.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Lets `skip` fitting requests pass first.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Sets [`Fault::millis`].
    #[must_use]
    pub fn millis(mut self, millis: u64) -> Self {
        self.millis = millis;
        self
    }

    /// Sets [`Fault::seconds`].
    #[must_use]
    pub fn seconds(mut self, seconds: i64) -> Self {
        self.seconds = seconds;
        self
    }

    /// Sets [`Fault::reads`].
    #[must_use]
    pub fn reads(mut self, reads: u32) -> Self {
        self.reads = reads;
        self
    }

    /// The name of its kind, as in [`Fault::NAMES`].
    pub fn name(&self) -> String {
        serde_json::to_value(self.kind)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    fn fits(&self, vendor: Vendor, template: &str, changing: bool) -> bool {
        let about_suspension = matches!(
            self.kind,
            FaultKind::SuspendFails | FaultKind::SuspendRefused
        );
        self.vendor.is_none_or(|only| only == vendor)
            && self
                .route
                .as_deref()
                .is_none_or(|part| template.contains(part))
            && (!about_suspension || suspends(vendor, template, changing))
    }
}

/// The switches that are set.
#[derive(Debug, Default)]
pub(crate) struct Board {
    faults: Vec<Fault>,
}

impl Board {
    pub(crate) fn set(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.faults
    }

    /// The faults that strike this request; each has its count lowered, used up ones go.
    pub(crate) fn strike(&mut self, vendor: Vendor, template: &str, changing: bool) -> Struck {
        let mut struck = Vec::new();
        for fault in &mut self.faults {
            if !fault.fits(vendor, template, changing) || fault.count == Some(0) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.count = fault.count.map(|left| left - 1);
            struck.push(fault.clone());
        }
        self.faults.retain(|fault| fault.count != Some(0));
        Struck(struck)
    }
}

/// The faults that strike one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Struck(pub(crate) Vec<Fault>);

impl Struck {
    pub(crate) fn get(&self, kind: FaultKind) -> Option<&Fault> {
        self.0.iter().find(|fault| fault.kind == kind)
    }

    pub(crate) fn has(&self, kind: FaultKind) -> bool {
        self.get(kind).is_some()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(Fault::name).collect()
    }
}

/// Whether the route suspends an account, or at least may.
fn suspends(vendor: Vendor, template: &str, changing: bool) -> bool {
    match vendor {
        Vendor::M365 => changing && template == "/users/{id}",
        Vendor::Scim => changing && template == "/Users/{id}",
        Vendor::Google => changing && template.ends_with("/users/{userKey}"),
        _ => template.ends_with(":suspend"),
    }
}

fn passing(kind: FaultKind) -> Option<u32> {
    match kind {
        FaultKind::CloseEarly
        | FaultKind::AnswerLost
        | FaultKind::ResetMidBody
        | FaultKind::TruncatedJson
        | FaultKind::Html200
        | FaultKind::Html502
        | FaultKind::RateLimitedSeconds
        | FaultKind::RateLimitedDate
        | FaultKind::RateLimitedBare
        | FaultKind::Unauthorized
        | FaultKind::PageTokenExpired
        | FaultKind::NotFound
        | FaultKind::NextLinkElsewhere
        | FaultKind::RepeatedPage
        | FaultKind::EmptyPage
        | FaultKind::ItemsAbsent
        | FaultKind::RedirectElsewhere
        | FaultKind::HugeBody => Some(1),
        FaultKind::Unavailable
        | FaultKind::UserRateLimitExceeded
        | FaultKind::RateLimitExceeded
        | FaultKind::QuotaExceeded => Some(2),
        _ => None,
    }
}

fn default_millis() -> u64 {
    50
}

fn default_seconds() -> i64 {
    1
}

fn default_reads() -> u32 {
    2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_a_fault_and_no_other_name_does() {
        for (name, meaning) in Fault::NAMES {
            let fault = Fault::named(name).unwrap();
            assert_eq!(fault.name(), *name);
            assert!(!meaning.is_empty());
        }
        assert!(Fault::named("no_such_fault").is_none());
    }

    #[test]
    fn a_fault_strikes_its_vendor_and_route_and_stops_after_its_count() {
        let mut board = Board::default();
        let fault = Fault::new(FaultKind::Delay);
        board.set(fault.at(Vendor::Hibp).on("/range/").after(1).times(2));
        let mut hits = |vendor, template| !board.strike(vendor, template, false).0.is_empty();
        assert!(!hits(Vendor::Webhook, "/range/{prefix}"));
        assert!(!hits(Vendor::Hibp, "/breaches"));
        let struck: Vec<bool> = (0..4)
            .map(|_| hits(Vendor::Hibp, "/range/{prefix}"))
            .collect();
        assert_eq!(struck, [false, true, true, false]);
    }

    #[test]
    fn a_suspension_fault_strikes_no_other_route() {
        let mut board = Board::default();
        board.set(Fault::new(FaultKind::SuspendFails));
        assert!(
            board
                .strike(Vendor::OnePassword, "/users/{user}", false)
                .0
                .is_empty()
        );
        assert_eq!(
            board
                .strike(Vendor::OnePassword, "/users/{user}:suspend", true)
                .0
                .len(),
            1
        );
    }
}
