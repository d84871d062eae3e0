//! Connectors written in another language: JSON on one side, the roles on the other.
//!
//! A binding brings a [`ForeignConnector`] per connector and answers its calls; how its language is
//! called is all it has to know. The methods and what they take and give:
//!
//! | Method | Takes | Gives |
//! |---|---|---|
//! | `scan` | [`ForeignScanRequest`] | [`ForeignScanPage`] |
//! | `list` | `{"cursor": text or null}` | [`ForeignAccountPage`] |
//! | `changes` | `{"since": text}` | [`ForeignAccountPage`] or null |
//! | `get` | `{"id": text}` | an [`Account`] or null |
//! | `preview` | an [`Action`] | a [`Preview`] |
//! | `apply` | an [`Action`] | [`ForeignApplied`] |
//! | `probe` | an [`Action`] | [`ForeignProbe`] |
//! | `deliver` | a [`Delivery`] | [`Delivered`] |
//! | `find` | `{"kind": action, "source_reference": text}` | [`Delivered`] or null |
//! | `diagnose` | `{}` | a [`Diagnosis`] |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::connector::{
    Applied, AppliedStatus, Capability, Connector, ConnectorInfo, Cursor, Delivered, Delivery,
    Diagnosis, Directory, DirectoryPage, Evaluated, OpContext, Probe, Progress, Remediator,
    ScanPage, ScanRequest, Scanner, Sink,
};
use protect_core::model::{
    Account, Action, ActionKind, Attributes, CheckId, CheckResult, EffectClass, Observation,
    Preview, RejectedItem, Signal, Subject, WatchList,
};
use protect_core::operation::{Model, answer};
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One connector in the other language.
pub trait ForeignConnector: Send + Sync + 'static {
    /// Calls a method of it.
    ///
    /// # Errors
    /// What the other language raised, without its text: that may hold anything.
    fn call(&self, method: &'static str, arguments: Value) -> BoxFuture<'static, Result<Value>>;
}

/// A kind of connector in the other language.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForeignKind {
    /// The kind's name in the configuration.
    pub kind: String,
    /// What it is, in one or two sentences.
    pub docs: String,
    /// Which roles it plays.
    pub roles: Vec<ForeignRole>,
    /// The checks it decides.
    pub checks: BTreeSet<CheckId>,
    /// The actions it does, each with how a repeat behaves.
    pub actions: BTreeMap<ActionKind, EffectClass>,
    /// How often scanning it makes sense, in seconds.
    pub scan_every_seconds: Option<u64>,
    /// What a tenant may set for it.
    pub settings: BTreeMap<String, ForeignSetting>,
    /// What it stores with its pages and wants back.
    pub state_keys: Vec<String>,
    /// The texts that a rule's `template` may name, where it has any.
    pub templates: Option<Vec<String>>,
    /// Which of the methods it may leave out it has.
    pub has: Vec<ForeignExtra>,
}

/// A role that a foreign connector can play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignRole {
    /// Has `scan`.
    Scanner,
    /// Has `list` and `get`.
    Directory,
    /// Has `preview`, `apply` and `probe`.
    Remediator,
    /// Has `deliver`.
    Sink,
}

/// A method that a foreign connector may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignExtra {
    /// A directory that tells what changed.
    Changes,
    /// A sink that finds what it made; needed for `search_before_create` actions.
    Find,
}

/// What a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignSetting {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// A list of text.
    Texts,
    /// A span of time, given as whole seconds.
    Duration,
    /// A path, resolved against the configuration's folder.
    Path,
}

/// What is asked of a scanner.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ForeignScanRequest {
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Whether this is the first page of a run.
    pub starts_run: bool,
    /// Whether somebody asked for this run.
    pub forced: bool,
    /// Who is watched.
    pub watched: WatchList,
    /// What was stored under the declared keys.
    pub state: Attributes,
}

/// What a scanner gives.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ForeignScanPage {
    /// What is wrong.
    pub observations: Vec<Observation>,
    /// What the checks decided.
    pub verdicts: Vec<CheckResult>,
    /// What happened.
    pub signals: Vec<Signal>,
    /// What could not be read.
    pub rejected: Vec<RejectedItem>,
    /// What was looked at in full: a known finding that this covers and the page does not repeat
    /// is resolved.
    pub evaluated: Vec<ForeignEvaluated>,
    /// What to remember, by declared key; null forgets it.
    pub state: Attributes,
    /// Where the next page, or the next run, begins.
    pub cursor: Option<String>,
    /// Whether the run goes on.
    pub more: bool,
    /// How far the run is.
    pub progress: Option<Progress>,
}

/// A check was evaluated, without error, for a subject or for everything.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ForeignEvaluated {
    /// The check.
    pub check: CheckId,
    /// For one subject; null means for every subject of this connector.
    #[serde(default)]
    pub subject: Option<Subject>,
}

/// One page of accounts.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ForeignAccountPage {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// What could not be read.
    pub rejected: Vec<RejectedItem>,
    /// The ids of accounts that are there no more; of `changes` alone.
    pub gone: Vec<String>,
    /// Where the next page begins; null after the last.
    pub cursor: Option<String>,
    /// On the last page: from where on `changes` is asked next time; null where accounts are listed
    /// anew each time.
    pub changes_from: Option<String>,
}

/// What a remediator did.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ForeignApplied {
    /// What came of it.
    pub status: ForeignAppliedStatus,
    /// Why, where it was refused.
    #[serde(default)]
    pub reason: String,
    /// The state before.
    #[serde(default)]
    pub before: Attributes,
    /// The state after, as read back.
    #[serde(default)]
    pub after: Attributes,
}

/// What came of an attempt that reached the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForeignAppliedStatus {
    /// The change was made.
    Applied,
    /// It was that way before.
    AlreadySo,
    /// The vendor refuses for a protected account; nothing changed.
    Refused,
    /// The vendor accepted and reading back shows another state.
    NotConfirmed,
}

/// Did it happen?
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ForeignProbe {
    /// Whether it did; null where there is no way to know.
    pub happened: Option<bool>,
    /// The state now.
    #[serde(default)]
    pub state: Attributes,
}

/// The models that only foreign connectors use, under their public names.
pub(crate) const MODELS: &[Model] = &[
    Model::of::<ForeignScanRequest>("ScanRequest"),
    Model::of::<ForeignScanPage>("ScanPage"),
    Model::of::<ForeignEvaluated>("Evaluated"),
    Model::of::<ForeignAccountPage>("AccountPage"),
    Model::of::<ForeignApplied>("Applied"),
    Model::of::<ForeignAppliedStatus>("AppliedStatus"),
    Model::of::<ForeignProbe>("Probe"),
    Model::of::<Action>("Action"),
    Model::of::<Preview>("Preview"),
    Model::of::<Diagnosis>("Diagnosis"),
    Model::of::<Delivery>("Delivery"),
    Model::of::<Delivered>("Delivered"),
];

/// Registers a kind; `make` is given `{"tenant", "name", "settings"}` for each connector of it.
///
/// # Errors
/// `invalid_input` for a kind without a name or a role, and for a sink that must look before it creates
/// and has no `find`.
pub fn register(
    registry: &mut Registry,
    kind: ForeignKind,
    make: impl Fn(Value) -> Result<Arc<dyn ForeignConnector>> + Send + Sync + 'static,
) -> Result<()> {
    if kind.kind.is_empty() || kind.roles.is_empty() {
        return Err(Error::invalid_input(
            "a connector needs a `kind` and at least one role",
        ));
    }
    if kind.creates_unseen() {
        return Err(Error::invalid_input(
            "a sink with an action that is `search_before_create` needs a `find`",
        )
        .with_context("kind", kind.kind));
    }
    let mut spec = KindSpec::new(&*kind.kind, &*kind.docs);
    for (name, setting) in &kind.settings {
        spec = spec.setting(SettingSpec::new(&**name, setting.spec(), ""));
    }
    let kind = Arc::new(kind);
    registry.register(
        spec,
        move |setup: ConnectorSetup, _: &protect_core::Context| {
            let calls = make(json!({
                "tenant": setup.info.tenant,
                "name": setup.info.name,
                "settings": setup.settings,
            }))?;
            Ok(Arc::new(Foreign {
                info: setup.info,
                kind: Arc::clone(&kind),
                calls,
            }) as Arc<dyn Connector>)
        },
    );
    Ok(())
}

impl ForeignKind {
    fn creates_unseen(&self) -> bool {
        let searches = |class: &EffectClass| *class == EffectClass::SearchBeforeCreate;
        self.actions.values().any(searches) && !self.has.contains(&ForeignExtra::Find)
    }
}

impl ForeignSetting {
    fn spec(self) -> SettingType {
        match self {
            Self::Text => SettingType::Text,
            Self::Integer => SettingType::Integer {
                min: i64::MIN,
                max: i64::MAX,
            },
            Self::Boolean => SettingType::Boolean,
            Self::Texts => SettingType::TextList,
            Self::Duration => SettingType::Duration,
            Self::Path => SettingType::Path,
        }
    }
}

struct Foreign {
    info: ConnectorInfo,
    kind: Arc<ForeignKind>,
    calls: Arc<dyn ForeignConnector>,
}

impl Foreign {
    fn plays(&self, role: ForeignRole) -> bool {
        self.kind.roles.contains(&role)
    }

    fn has(&self, extra: ForeignExtra) -> bool {
        self.kind.has.contains(&extra)
    }

    /// For a call that changes something: called, and its answer cannot be read, it may have been done.
    async fn change<T: DeserializeOwned>(&self, method: &'static str, with: Value) -> Result<T> {
        let changed = self.ask(method, with).await;
        changed.map_err(|error| match error.kind() {
            ErrorKind::InvalidResponse | ErrorKind::Unexpected => error.temporary(),
            _ => error,
        })
    }

    async fn ask<T: DeserializeOwned>(&self, method: &'static str, with: Value) -> Result<T> {
        let answered = self.calls.call(method, with).await.map_err(|error| {
            error
                .with_context("connector", self.info.name.as_str())
                .with_context("method", method)
        })?;
        // serde quotes what it read, and that may be an address: only the place is told.
        serde_path_to_error::deserialize(answered).map_err(|error| {
            Error::new(
                ErrorKind::InvalidResponse,
                "a connector answered something of another shape",
            )
            .with_context("connector", self.info.name.as_str())
            .with_context("method", method)
            .with_context("place", error.path().to_string())
        })
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for Foreign {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            checks: self.kind.checks.clone(),
            actions: self.kind.actions.clone(),
            scan_every_seconds: self.kind.scan_every_seconds,
            // Whoever writes a connector in Python or JavaScript is not asked two things at once.
            one_at_a_time: true,
            ..Capability::default()
        }
    }

    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        self.ask("diagnose", Value::Object(Map::new())).await
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        self.plays(ForeignRole::Scanner).then_some(self)
    }

    fn as_directory(&self) -> Option<&dyn Directory> {
        self.plays(ForeignRole::Directory).then_some(self)
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        self.plays(ForeignRole::Remediator).then_some(self)
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        self.plays(ForeignRole::Sink).then_some(self)
    }
}

#[async_trait]
impl Scanner for Foreign {
    async fn scan(&self, _: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let keys = &self.kind.state_keys;
        let state = request.state.get(keys).await?;
        let request = ForeignScanRequest {
            cursor: request.cursor.map(|cursor| cursor.0.clone()),
            starts_run: request.starts_run,
            forced: request.forced,
            watched: WatchList::clone(request.watched),
            state: state.into_iter().collect(),
        };
        let page: ForeignScanPage = self.ask("scan", answer(&request)?).await?;
        if let Some(key) = page.state.keys().find(|key| !keys.contains(key)) {
            return Err(Error::invalid_input(
                "a connector stores only under the keys that it declares",
            )
            .with_context("connector", self.info.name.as_str())
            .with_context("key", key.clone()));
        }
        Ok(page.into())
    }
}

impl From<ForeignScanPage> for ScanPage {
    fn from(page: ForeignScanPage) -> Self {
        let evaluated = page.evaluated.into_iter().map(|it| Evaluated {
            check: it.check,
            subject: it.subject,
        });
        let state = page
            .state
            .into_iter()
            .map(|(key, value)| (key, (!value.is_null()).then_some(value)));
        Self {
            observations: page.observations,
            verdicts: page.verdicts,
            signals: page.signals,
            rejected: page.rejected,
            evaluated: evaluated.collect(),
            state: state.collect(),
            cursor: page.cursor.map(Cursor),
            more: page.more,
            progress: page.progress,
        }
    }
}

impl From<ForeignAccountPage> for DirectoryPage {
    fn from(page: ForeignAccountPage) -> Self {
        Self {
            accounts: page.accounts,
            rejected: page.rejected,
            gone: page.gone,
            cursor: page.cursor.map(Cursor),
            changes_from: page.changes_from.map(Cursor),
        }
    }
}

#[async_trait]
impl Directory for Foreign {
    async fn list(&self, _: &OpContext, cursor: Option<&Cursor>) -> Result<DirectoryPage> {
        let cursor = cursor.map(|cursor| &cursor.0);
        let page: ForeignAccountPage = self.ask("list", json!({ "cursor": cursor })).await?;
        Ok(page.into())
    }

    async fn changes(&self, _: &OpContext, since: &Cursor) -> Result<Option<DirectoryPage>> {
        if !self.has(ForeignExtra::Changes) {
            return Ok(None);
        }
        let since = json!({ "since": since.0 });
        let page: Option<ForeignAccountPage> = self.ask("changes", since).await?;
        Ok(page.map(DirectoryPage::from))
    }

    async fn get(&self, _: &OpContext, id: &str) -> Result<Option<Account>> {
        self.ask("get", json!({ "id": id })).await
    }
}

#[async_trait]
impl Remediator for Foreign {
    async fn preview(&self, _: &OpContext, action: &Action) -> Result<Preview> {
        self.ask("preview", answer(action)?).await
    }

    async fn apply(&self, _: &OpContext, action: &Action) -> Result<Applied> {
        let applied: ForeignApplied = self.change("apply", answer(action)?).await?;
        Ok(Applied {
            status: match applied.status {
                ForeignAppliedStatus::Applied => AppliedStatus::Applied,
                ForeignAppliedStatus::AlreadySo => AppliedStatus::AlreadySo,
                ForeignAppliedStatus::Refused => AppliedStatus::Refused,
                ForeignAppliedStatus::NotConfirmed => AppliedStatus::NotConfirmed,
            },
            reason: applied.reason,
            before: applied.before,
            after: applied.after,
        })
    }

    async fn probe(&self, _: &OpContext, action: &Action) -> Result<Probe> {
        let probe: ForeignProbe = self.ask("probe", answer(action)?).await?;
        Ok(match probe.happened {
            Some(true) => Probe::Happened(probe.state),
            Some(false) => Probe::DidNotHappen(probe.state),
            None => Probe::CannotTell,
        })
    }
}

#[async_trait]
impl Sink for Foreign {
    async fn deliver(&self, _: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        self.change("deliver", answer(delivery)?).await
    }

    fn templates(&self) -> Option<Vec<String>> {
        self.kind.templates.clone()
    }

    async fn find(
        &self,
        _: &OpContext,
        kind: ActionKind,
        source_reference: &str,
    ) -> Result<Option<Delivered>> {
        let wanted = json!({ "kind": kind, "source_reference": source_reference });
        self.ask("find", wanted).await
    }
}
