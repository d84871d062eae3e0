use protect_core::engine::{
    Checkup, Pause, RuleTrial, ScanProgress, ScanSummary, Step, StoredVerdict, TenantStatus,
    TicketStanding,
};
use protect_core::model::{
    Account, ActionKind, Finding, FindingKind, FindingStatus, Incident, IncidentStatus,
    OutcomeStatus, Plan, Severity, WatchedAddress,
};
use protect_core::operation::{Class, Model, Operation, Parameter, ParameterKind, ResultType};
use protect_core::report::{DayScore, Report, Score};

use super::{ApprovedPlanRecord, people_table};
use crate::operations::{change, read};

const FINDING: Model = Model::of::<Finding>("Finding");
const FINDING_KIND: Model = Model::of::<FindingKind>("FindingKind");
const FINDING_STATUS: Model = Model::of::<FindingStatus>("FindingStatus");
const INCIDENT: Model = Model::of::<Incident>("Incident");
const INCIDENT_STATUS: Model = Model::of::<IncidentStatus>("IncidentStatus");
const SEVERITY: Model = Model::of::<Severity>("Severity");
const PLAN: Model = Model::of::<Plan>("Plan");
const APPROVED_PLAN: Model = Model::of::<ApprovedPlanRecord>("ApprovedPlan");
const STEP: Model = Model::of::<Step>("Step");
const ACTION_KIND: Model = Model::of::<ActionKind>("ActionKind");
const OUTCOME_STATUS: Model = Model::of::<OutcomeStatus>("OutcomeStatus");

pub(super) const BY: Parameter = Parameter::required(
    "by",
    ParameterKind::Text,
    "Who says so; recorded as `unverified`, since nobody checked.",
);
pub(super) const REASON: Parameter = Parameter::required(
    "reason",
    ParameterKind::Text,
    "Why; it goes into the evidence, so no address.",
);
const ACTION_ID: Parameter = Parameter::required("action", ParameterKind::Text, "The action's id.");
const FINDING_ID: Parameter = Parameter::required("id", ParameterKind::Text, "The finding's id.");
const INCIDENT_ID: Parameter = Parameter::required("id", ParameterKind::Text, "The incident's id.");
const ADDRESS: Parameter =
    Parameter::required("address", ParameterKind::Text, "The e-mail address.");
const KINDS: Parameter = Parameter::optional(
    "kinds",
    ParameterKind::Many(FINDING_KIND),
    "Of one of these kinds.",
);
const MIN_SEVERITY: Parameter = Parameter::optional(
    "min_severity",
    ParameterKind::One(SEVERITY),
    "At least so bad.",
);

/// One tenant's part of the engine.
pub(in crate::operations) static CLASS: Class = Class {
    name: "Tenant",
    kind: "engine",
    docs: "One tenant's part of the engine; it cannot reach another tenant's data.",
    constructor: &[],
    operations: &ALL,
};

/// The engine's own, and then those of the workforce.
const ALL: [Operation; OPERATIONS.len() + people_table::OPERATIONS.len()] = {
    let mut all = [OPERATIONS[0]; _];
    let mut place = 0;
    while place < all.len() {
        all[place] = if place < OPERATIONS.len() {
            OPERATIONS[place]
        } else {
            people_table::OPERATIONS[place - OPERATIONS.len()]
        };
        place += 1;
    }
    all
};

const OPERATIONS: [Operation; 37] = [
    change(
        "scan",
        &[
            Parameter::optional(
                "connectors",
                ParameterKind::Texts,
                "Only these connectors, by name.",
            ),
            Parameter::optional(
                "forced",
                ParameterKind::Boolean,
                "Whether a cadence that would skip this run is set aside.",
            ),
            Parameter::optional(
                "baseline",
                ParameterKind::Boolean,
                "Whether what is new to this run is only recorded as known, and triggers nothing.",
            ),
            Parameter::optional(
                "progress",
                ParameterKind::Progress(Model::of::<ScanProgress>("ScanProgress")),
                "Called after every page.",
            ),
        ],
        ResultType::One(Model::of::<ScanSummary>("ScanSummary")),
        "Scans every connector now, and makes incidents of what was found. A connector that fails is in \
         the summary and does not stop the others.",
    ),
    read(
        "status",
        &[],
        ResultType::One(Model::of::<TenantStatus>("TenantStatus")),
        "What runs, what waits, and what went wrong last. Calls no vendor.",
    ),
    read(
        "doctor",
        &[],
        ResultType::List(Model::of::<Checkup>("Checkup")),
        "Asks every connector's vendor the cheapest authenticated question.",
    ),
    read(
        "findings",
        &[
            Parameter::optional(
                "statuses",
                ParameterKind::Many(FINDING_STATUS),
                "In one of these states.",
            ),
            KINDS,
            MIN_SEVERITY,
            Parameter::optional(
                "source",
                ParameterKind::Text,
                "Seen by this connector, by name.",
            ),
            Parameter::optional("check", ParameterKind::Text, "Of this check."),
            Parameter::optional("incident", ParameterKind::Text, "Of this incident, by id."),
        ],
        ResultType::Stream(FINDING),
        "Findings, in order of their ids.",
    ),
    read(
        "finding",
        &[FINDING_ID],
        ResultType::One(FINDING),
        "One finding.",
    ),
    change(
        "acknowledge_finding",
        &[FINDING_ID, BY],
        ResultType::One(FINDING),
        "Somebody has looked at it.",
    ),
    change(
        "resolve_finding",
        &[FINDING_ID, BY],
        ResultType::One(FINDING),
        "Somebody put it right. Seen again, it comes back.",
    ),
    change(
        "accept_finding",
        &[
            FINDING_ID,
            Parameter::required(
                "until",
                ParameterKind::Timestamp,
                "When it returns to `new`.",
            ),
            REASON,
            BY,
        ],
        ResultType::One(FINDING),
        "It is left as it is until then, for a reason.",
    ),
    change(
        "mark_false_positive",
        &[FINDING_ID, REASON, BY],
        ResultType::One(FINDING),
        "It was never wrong, and stays so however often it is seen.",
    ),
    read(
        "incidents",
        &[
            Parameter::optional(
                "statuses",
                ParameterKind::Many(INCIDENT_STATUS),
                "In one of these states.",
            ),
            KINDS,
            MIN_SEVERITY,
        ],
        ResultType::List(INCIDENT),
        "Incidents, the latest first.",
    ),
    read(
        "incident",
        &[INCIDENT_ID],
        ResultType::One(INCIDENT),
        "One incident.",
    ),
    change(
        "set_incident_status",
        &[
            INCIDENT_ID,
            Parameter::required(
                "status",
                ParameterKind::One(INCIDENT_STATUS),
                "Where it stands now.",
            ),
            BY,
        ],
        ResultType::One(INCIDENT),
        "Says where an incident stands. A resolved or closed one stays so.",
    ),
    read(
        "verdicts",
        &[],
        ResultType::List(Model::of::<StoredVerdict>("StoredVerdict")),
        "The last verdict of every check, by connector.",
    ),
    read(
        "accounts",
        &[],
        ResultType::List(Model::of::<Account>("Account")),
        "Every account that the directories gave, also those that are gone.",
    ),
    read(
        "monitor_list",
        &[],
        ResultType::List(Model::of::<WatchedAddress>("WatchedAddress")),
        "The addresses that were added or imported at run time.",
    ),
    change(
        "monitor_add",
        &[ADDRESS, BY],
        ResultType::Boolean,
        "Watches an address from now on. Gives whether it is new.",
    ),
    change(
        "monitor_import",
        &[
            Parameter::required(
                "csv",
                ParameterKind::Text,
                "A CSV text with a column `address` or `email`.",
            ),
            BY,
        ],
        ResultType::Integer,
        "Watches every address of a list. Gives how many are new; where anything is wrong, nothing is \
         imported.",
    ),
    change(
        "monitor_remove",
        &[ADDRESS, BY],
        ResultType::Boolean,
        "Watches an added or imported address no longer. Gives whether it was there.",
    ),
    change(
        "plan",
        &[],
        ResultType::One(PLAN),
        "Decides what the tenant's rules would do about its open incidents. Changes nothing at any vendor.",
    ),
    read(
        "plan_evidence",
        &[],
        ResultType::One(PLAN),
        "Plans to hand in the evidence that changed since it was last handed in, or is about to run out. Changes nothing anywhere.",
    ),
    read(
        "tickets",
        &[],
        ResultType::List(Model::of::<TicketStanding>("TicketStanding")),
        "The tickets and incidents that were opened at receivers, with where they stand there now. One whose receiver cannot be asked has `open` empty.",
    ),
    read(
        "plans",
        &[],
        ResultType::List(PLAN),
        "The plans that wait for somebody's consent, the oldest first.",
    ),
    change(
        "approve",
        &[
            Parameter::required("plan", ParameterKind::One(PLAN), "The plan."),
            BY,
        ],
        ResultType::One(APPROVED_PLAN),
        "Consents to exactly this plan. What the guards refuse stays refused.",
    ),
    change(
        "apply",
        &[Parameter::required(
            "approved",
            ParameterKind::One(APPROVED_PLAN),
            "What `approve` gave.",
        )],
        ResultType::List(STEP),
        "Attempts every action of an approved plan once, in order. What goes wrong at a vendor is an \
         outcome, not an error.",
    ),
    change(
        "apply_waiting",
        &[],
        ResultType::List(STEP),
        "Attempts whatever was approved and waits, ends what was to end by itself, and asks vendors about \
         what is in flight or unknown.",
    ),
    change(
        "request",
        &[
            Parameter::required("action", ParameterKind::One(ACTION_KIND), "What to do."),
            Parameter::required(
                "account",
                ParameterKind::Text,
                "An address (every account of it that the action can reach), or `connector:vendor-id` for \
                 exactly one account.",
            ),
            REASON,
            BY,
            Parameter::optional(
                "lasts",
                ParameterKind::Text,
                "After which time the engine undoes it, such as `24h`.",
            ),
            Parameter::optional(
                "parameters",
                ParameterKind::Object,
                "What else the action needs, such as `last_day` and `at_once` of `start_offboarding`.",
            ),
        ],
        ResultType::One(PLAN),
        "Plans one action on one person's accounts, or on where they stand in the workforce; approve and apply \
         the plan to have it done.",
    ),
    read(
        "actions",
        &[],
        ResultType::List(STEP),
        "Every action that was approved, the earliest first, with what came of it.",
    ),
    change(
        "undo",
        &[ACTION_ID, REASON, BY],
        ResultType::One(PLAN),
        "Plans the undoing of an applied action.",
    ),
    change(
        "settle",
        &[
            ACTION_ID,
            Parameter::required(
                "status",
                ParameterKind::One(OUTCOME_STATUS),
                "`applied` or `failed`.",
            ),
            REASON,
            BY,
        ],
        ResultType::One(STEP),
        "A person settles an action whose outcome is `unknown`.",
    ),
    change(
        "pause",
        &[REASON, BY],
        ResultType::Nothing,
        "The kill switch: nothing is attempted until `resume`.",
    ),
    change("resume", &[BY], ResultType::Nothing, "Takes `pause` back."),
    read(
        "paused",
        &[],
        ResultType::Optional(Model::of::<Pause>("Pause")),
        "Who paused this tenant, and why, while it is.",
    ),
    read(
        "try_rule",
        &[Parameter::required(
            "name",
            ParameterKind::Text,
            "The rule's name.",
        )],
        ResultType::List(Model::of::<RuleTrial>("RuleTrial")),
        "Tries a rule on every stored finding. Nothing is planned.",
    ),
    read(
        "score",
        &[],
        ResultType::One(Model::of::<Score>("Score")),
        "How the tenant stands, as one number with its parts.",
    ),
    read(
        "score_history",
        &[Parameter::required(
            "month",
            ParameterKind::Text,
            "The month, as `2026-11`.",
        )],
        ResultType::List(Model::of::<DayScore>("DayScore")),
        "The scores of a month, one for each day on which something was scanned.",
    ),
    read(
        "report",
        &[Parameter::required(
            "month",
            ParameterKind::Text,
            "The month, as `2026-11`.",
        )],
        ResultType::One(Model::of::<Report>("Report")),
        "The monthly report as data.",
    ),
    read(
        "report_as",
        &[
            Parameter::required("month", ParameterKind::Text, "The month, as `2026-11`."),
            Parameter::required(
                "format",
                ParameterKind::Text,
                "`html`: one page that needs nothing else; `md`; `json`; `ocsf`: findings, incidents and actions as OCSF 1.8.0 events, one a line; `cloudevents`: what happened as CloudEvents 1.0, one a line.",
            ),
        ],
        ResultType::Text,
        "The monthly report as text.",
    ),
];
