use crate::config::{ApprovalMode, RuleAction};
use crate::model::{CheckId, Confidence, FindingKind, Severity};

/// When this, then these actions.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, unique within the tenant.
    pub name: String,
    /// When it applies.
    pub when: When,
    /// What to do.
    pub then: Vec<RuleAction>,
    /// Whether somebody must consent.
    pub approval: ApprovalMode,
    /// How many of its actions are attempted within an hour; the others wait. As many as come where it is
    /// left out.
    pub max_per_hour: Option<u32>,
    /// Whether it is tried out: its actions stand in plans, and none is done.
    pub dry_run: bool,
}

/// A condition over the model, already parsed into its enums.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// All of them hold.
    All(Vec<When>),
    /// At least one of them holds.
    Any(Vec<When>),
    /// It does not hold.
    Not(Box<When>),
    /// One comparison.
    Is(Condition),
}

/// One comparison. Lists mean "one of these".
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// The finding's kind.
    Kind(Vec<FindingKind>),
    /// The finding's severity.
    Severity(SeverityBound),
    /// The finding's confidence is at least this.
    Confidence(Confidence),
    /// The finding's check, or all of an area (`hibp.exposure.*`).
    Check(Vec<CheckId>),
    /// All checks whose id begins so.
    CheckPrefix(String),
    /// The connector's name or kind that saw it.
    Source(Vec<String>),
    /// Whether the account is privileged; `None` in the account counts as not privileged.
    AccountPrivileged(bool),
    /// The account's provider (`onepassword`).
    AccountProvider(Vec<String>),
    /// The account's state.
    AccountState(Vec<String>),
    /// The employee's department.
    EmployeeDepartment(Vec<String>),
    /// How often the finding has come.
    OccurrenceAtLeast(u32),
    /// Whether a connector has an alert about the login that nobody has dealt with yet.
    UnderAttack(bool),
}

/// `severity = "high"`, `">=high"`, `"<=low"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeverityBound {
    /// Exactly.
    Exactly(Severity),
    /// At least.
    AtLeast(Severity),
    /// At most.
    AtMost(Severity),
}
