//! SPF (RFC 7208): which hosts may send mail in a domain's name.
//!
//! Two engines read the same records. [`check_host`] answers what a receiver would answer for one
//! message, and stops where a receiver stops. The audit walks everything and stops nowhere.

mod audit;
mod check_host;
mod lookup;
mod macros;
mod network;
mod propose;
mod record;

pub use audit::{
    Misplaced, SpfAudit, SpfCount, SpfFound, SpfIssue, SpfIssueKind, SpfNode, SpfTerm, audit,
};
pub use check_host::{Decision, Matched, Message, Problem, SpfResult, TIME_LIMIT, check_host};
pub use lookup::{LOOKUP_LIMIT, VOID_LIMIT};
pub use macros::{MacroString, Values};
pub use network::{Ip4Network, Ip6Network, Network, merged};
pub use propose::{SpfProposal, SpfSaving, propose};
pub use record::{
    Mechanism, Modifier, Prefixes, Qualifier, Record, SyntaxError, SyntaxErrorKind, Term, TermKind,
};

#[cfg(test)]
mod tests;
