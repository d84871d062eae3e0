//! Trying a rule on what was found before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tenant;
use crate::config::Facts;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Finding, FindingId};
use crate::store::{Query, RecordKind};

/// What a rule says of one finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleTrial {
    /// The finding.
    pub finding: FindingId,
    /// Its title.
    pub title: String,
    /// Whether the rule applies to it.
    pub applies: bool,
    /// Which of its conditions do not hold.
    pub because: Vec<String>,
}

impl Tenant {
    /// Tries a rule on every stored finding, whatever its status. Nothing is planned.
    ///
    /// # Errors
    /// `not_found` for an unknown rule, with the known ones; `store`.
    pub async fn try_rule(&self, name: &str) -> Result<Vec<RuleTrial>> {
        let rules = &self.config().rules;
        let rule = rules.iter().find(|rule| rule.name == name).ok_or_else(|| {
            let known: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
            Error::new(
                ErrorKind::NotFound,
                format!("no such rule; this tenant has: {}", known.join(", ")),
            )
            .with_context("tenant", self.id().as_str())
        })?;
        let people = self.people().await?;
        let findings = self
            .read_all::<Finding>(Query::all(RecordKind::Finding))
            .await?;
        let findings = findings.iter().map(|finding| &finding.value);
        let trials = findings.map(|finding| {
            let accounts = people.accounts_behind(&finding.observation.subject);
            let mut candidates: Vec<_> = accounts.into_iter().map(Some).collect();
            if candidates.is_empty() {
                candidates.push(None);
            }
            let facts = |account| Facts {
                finding,
                source_kind: self.kind_of(&finding.source),
                account,
                department: people.department_of(&finding.observation.subject, account),
                under_attack: None,
            };
            let applies = candidates
                .iter()
                .any(|account| rule.when.matches(&facts(*account)));
            let because = candidates
                .first()
                .map(|account| rule.when.explain(&facts(*account)));
            RuleTrial {
                finding: finding.id.clone(),
                title: finding.observation.title.clone(),
                applies,
                because: because.filter(|_| !applies).unwrap_or_default(),
            }
        });
        Ok(trials.collect())
    }
}
