//! Whether somebody is under attack: asked of whoever keeps alerts, while planning, and only where all
//! else that a rule asks for holds.

use std::collections::BTreeMap;

use super::Tenant;
use crate::config::{Facts, Rule};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Actor, Address};

/// What was answered during one planning, by address.
#[derive(Debug, Default)]
pub(super) struct Attacks(BTreeMap<Address, std::result::Result<bool, (ErrorKind, String)>>);

impl Tenant {
    /// Whether a rule applies.
    ///
    /// # Errors
    /// It depends on whether the login is under attack, and nobody could say.
    pub(super) async fn holds(
        &self,
        rule: &Rule,
        facts: Facts<'_>,
        login: Option<&Address>,
        attacks: &mut Attacks,
    ) -> Result<bool> {
        let if_so = |under_attack| {
            rule.when.matches(&Facts {
                under_attack: Some(under_attack),
                ..facts
            })
        };
        let (attacked, left_alone) = (if_so(true), if_so(false));
        if attacked == left_alone {
            return Ok(attacked);
        }
        let Some(login) = login else {
            // A domain or a setting is nobody's login.
            return Ok(left_alone);
        };
        let answer = if let Some(known) = attacks.0.get(login) {
            known.clone()
        } else {
            let answer = self.is_under_attack(login).await;
            let answer = answer.map_err(|error| (error.kind(), error.message().to_owned()));
            attacks.0.insert(login.clone(), answer.clone());
            answer
        };
        match answer {
            Ok(true) => Ok(attacked),
            Ok(false) => Ok(left_alone),
            Err((kind, message)) => Err(Error::new(kind, message)),
        }
    }

    async fn is_under_attack(&self, login: &Address) -> Result<bool> {
        let cx = self.op(Actor::engine(), self.vendor_budget());
        let mut somebody_looks = false;
        for sink in self.connectors().iter().filter_map(|it| it.as_sink()) {
            let answer = sink.is_under_attack(&cx, login).await.map_err(|error| {
                tracing::warn!(
                    tenant = %self.id(), connector = %sink.info().name, kind = %error.kind(),
                    "whether a login is under attack could not be looked up"
                );
                Error::new(
                    error.kind(),
                    format!(
                        "whether the login is under attack could not be looked up: {}",
                        error.kind()
                    ),
                )
            })?;
            if answer == Some(true) {
                return Ok(true);
            }
            somebody_looks |= answer.is_some();
        }
        if somebody_looks {
            return Ok(false);
        }
        Err(Error::new(
            ErrorKind::Unsupported,
            "the rule asks whether the login is under attack, and no connector of this tenant keeps alerts",
        ))
    }
}
