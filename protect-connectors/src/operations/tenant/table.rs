use protect_core::engine::{
    Checkup, Pause, RuleTrial, ScanProgress, ScanSummary, Step, StoredVerdict, TenantStatus,
    TicketStanding,
};
use protect_core::model::{
    Account, ActionKind, Employee, EmploymentStatus, EvidenceEntry, Finding, FindingKind,
    FindingStatus, Incident, IncidentStatus, LeaveType, Leaving, OutcomeStatus, Plan,
    PolicyStanding, Severity, TaskStatus, TaskTemplate, TimeOff, TimeOffBalance, TimeOffStatus,
    WatchedAddress, Workflow, WorkflowStatus,
};
use protect_core::operation::{Class, Model, Operation, Parameter, ParameterKind, ResultType};
use protect_core::people::{
    CertificationStanding, EmployeeInput, Imported, OrgChart, Started, Synced,
};
use protect_core::report::{DayScore, Report, Score};

use super::ApprovedPlanRecord;
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
const EMPLOYEE: Model = Model::of::<Employee>("Employee");
const EMPLOYMENT_STATUS: Model = Model::of::<EmploymentStatus>("EmploymentStatus");
const WORKFLOW: Model = Model::of::<Workflow>("Workflow");
const TIME_OFF: Model = Model::of::<TimeOff>("TimeOff");
const STARTED: Model = Model::of::<Started>("Started");

const BY: Parameter = Parameter::required(
    "by",
    ParameterKind::Text,
    "Who says so; recorded as `unverified`, since nobody checked.",
);
const REASON: Parameter = Parameter::required(
    "reason",
    ParameterKind::Text,
    "Why; it goes into the evidence, so no address.",
);
const ACTION_ID: Parameter = Parameter::required("action", ParameterKind::Text, "The action's id.");
const FINDING_ID: Parameter = Parameter::required("id", ParameterKind::Text, "The finding's id.");
const INCIDENT_ID: Parameter = Parameter::required("id", ParameterKind::Text, "The incident's id.");
const ADDRESS: Parameter =
    Parameter::required("address", ParameterKind::Text, "The e-mail address.");
const WHO: Parameter =
    Parameter::required("who", ParameterKind::Text, "An address, a number or an id.");
const EMPLOYEE_ID: Parameter = Parameter::required("id", ParameterKind::Text, "The employee's id.");
const WORKFLOW_ID: Parameter = Parameter::required("id", ParameterKind::Text, "The workflow's id.");
const OF_STATUS: Parameter = Parameter::optional(
    "status",
    ParameterKind::Many(EMPLOYMENT_STATUS),
    "Who stand there.",
);
const OF_DEPARTMENT: Parameter =
    Parameter::optional("department", ParameterKind::Text, "Of this department.");
const WITH_TEXT: Parameter = Parameter::optional(
    "text",
    ParameterKind::Text,
    "Whose name or address holds this.",
);
const INPUT: Parameter = Parameter::required(
    "employee",
    ParameterKind::One(Model::of::<EmployeeInput>("EmployeeInput")),
    "What is said of them; what is left out stays as it is.",
);
const REHIRE: Parameter = Parameter::optional(
    "rehire",
    ParameterKind::Boolean,
    "Whether somebody who left before comes back.",
);
const TASKS: Parameter = Parameter::optional(
    "tasks",
    ParameterKind::Many(Model::of::<TaskTemplate>("TaskTemplate")),
    "Tasks instead of the configured ones.",
);
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
    operations: &OPERATIONS,
};

const OPERATIONS: [Operation; 65] = [
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
        ],
        ResultType::One(PLAN),
        "Plans one action on one person's accounts; approve and apply the plan to have it done.",
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
    read(
        "employees",
        &[OF_STATUS, OF_DEPARTMENT, WITH_TEXT],
        ResultType::List(EMPLOYEE),
        "Who works here, in order of their names.",
    ),
    read(
        "employee",
        &[WHO],
        ResultType::One(EMPLOYEE),
        "One employee.",
    ),
    read(
        "accounts_of_employee",
        &[WHO],
        ResultType::List(Model::of::<Account>("Account")),
        "The accounts that directories gave for an employee's addresses.",
    ),
    change(
        "hire",
        &[INPUT, BY, REHIRE],
        ResultType::One(EMPLOYEE),
        "Enters an employee.",
    ),
    change(
        "update_employee",
        &[EMPLOYEE_ID, INPUT, BY],
        ResultType::One(EMPLOYEE),
        "Changes what is said of an employee.",
    ),
    change(
        "set_employee_status",
        &[
            EMPLOYEE_ID,
            Parameter::required(
                "status",
                ParameterKind::One(EMPLOYMENT_STATUS),
                "Where they stand.",
            ),
            BY,
            Parameter::optional(
                "force",
                ParameterKind::Text,
                "Why they leave without an offboarding; access stays.",
            ),
        ],
        ResultType::One(EMPLOYEE),
        "Says where an employee stands. Leaving without an offboarding is refused unless forced.",
    ),
    change(
        "import_employees",
        &[
            Parameter::required("csv", ParameterKind::Text, "The list, with a header."),
            BY,
            REHIRE,
            Parameter::optional(
                "check_only",
                ParameterKind::Boolean,
                "Whether to say what would happen, and do nothing.",
            ),
        ],
        ResultType::One(Model::of::<Imported>("Imported")),
        "Enters and updates everybody on a CSV list. Where anything is wrong, with line and column in the \
         error's context, nothing is imported.",
    ),
    read(
        "export_employees",
        &[
            OF_STATUS,
            OF_DEPARTMENT,
            WITH_TEXT,
            Parameter::optional(
                "private",
                ParameterKind::Boolean,
                "Whether with what only Human Resources may see.",
            ),
        ],
        ResultType::Text,
        "The list as CSV.",
    ),
    change(
        "sync_employees",
        &[
            Parameter::required("connector", ParameterKind::Text, "The connector, by name."),
            BY,
        ],
        ResultType::One(Model::of::<Synced>("Synced")),
        "Takes the accounts that a directory last gave into the workforce. It lets nobody leave.",
    ),
    read(
        "org_chart",
        &[Parameter::optional(
            "below",
            ParameterKind::Text,
            "Below this employee alone, by id.",
        )],
        ResultType::One(Model::of::<OrgChart>("OrgChart")),
        "Who leads whom, from the top down.",
    ),
    change(
        "offboard",
        &[
            Parameter::required("employee", ParameterKind::Text, "The employee's id."),
            Parameter::required(
                "last_day",
                ParameterKind::Text,
                "The last day of work, as `2026-11-30`: access ends with it.",
            ),
            REASON,
            BY,
            Parameter::optional(
                "leaving",
                ParameterKind::One(Model::of::<Leaving>("Leaving")),
                "How they leave; `terminated` unless given.",
            ),
            Parameter::optional(
                "at_once",
                ParameterKind::Boolean,
                "Whether access ends as soon as somebody approved.",
            ),
            Parameter::optional(
                "allow_past",
                ParameterKind::Boolean,
                "Whether the last day may lie in the past.",
            ),
            TASKS,
        ],
        ResultType::One(STARTED),
        "Begins an offboarding: its incident, its tasks, and a plan that ends access everywhere. Nothing \
         is changed before somebody else approves the plan.",
    ),
    change(
        "onboard",
        &[
            Parameter::required("employee", ParameterKind::Text, "The employee's id."),
            BY,
            Parameter::optional(
                "first_day",
                ParameterKind::Text,
                "The first day of work, as `2026-11-30`; the employee's own unless given.",
            ),
            TASKS,
        ],
        ResultType::One(WORKFLOW),
        "Begins an onboarding: its tasks.",
    ),
    read(
        "workflows",
        &[Parameter::optional(
            "status",
            ParameterKind::One(Model::of::<WorkflowStatus>("WorkflowStatus")),
            "Only those that stand there.",
        )],
        ResultType::List(WORKFLOW),
        "Onboardings and offboardings, the latest first.",
    ),
    read(
        "workflow",
        &[WORKFLOW_ID],
        ResultType::One(WORKFLOW),
        "One workflow, as it stands now: what is done, and what is left.",
    ),
    change(
        "set_task",
        &[
            WORKFLOW_ID,
            Parameter::required("number", ParameterKind::Integer, "The task's number."),
            Parameter::required(
                "status",
                ParameterKind::One(Model::of::<TaskStatus>("TaskStatus")),
                "Where it stands.",
            ),
            BY,
            Parameter::optional("note", ParameterKind::Text, "What else there is to say."),
        ],
        ResultType::One(WORKFLOW),
        "Says where a task stands.",
    ),
    change(
        "resume_offboarding",
        &[WORKFLOW_ID],
        ResultType::One(STARTED),
        "Plans what is left of an offboarding, and again what came to nothing.",
    ),
    change(
        "cancel_workflow",
        &[WORKFLOW_ID, REASON, BY],
        ResultType::One(STARTED),
        "Calls it off: what was not attempted is not attempted, and what was done is planned to be taken \
         back.",
    ),
    change(
        "review_workflows",
        &[],
        ResultType::List(WORKFLOW),
        "Looks after every open workflow now, as the engine does by itself, and gives those that changed.",
    ),
    read(
        "workflow_evidence",
        &[WORKFLOW_ID],
        ResultType::List(Model::of::<EvidenceEntry>("EvidenceEntry")),
        "Everything in the ledger that belongs to a workflow: who approved what, and when.",
    ),
    read(
        "time_off",
        &[
            Parameter::optional("employee", ParameterKind::Text, "Whose, by id."),
            Parameter::optional(
                "status",
                ParameterKind::Many(Model::of::<TimeOffStatus>("TimeOffStatus")),
                "Where it stands.",
            ),
            Parameter::optional(
                "from",
                ParameterKind::Text,
                "Of which some lies on this day or later.",
            ),
            Parameter::optional(
                "to",
                ParameterKind::Text,
                "Of which some lies on this day or earlier.",
            ),
        ],
        ResultType::List(TIME_OFF),
        "Who is away, or asks to be, in order of the days.",
    ),
    change(
        "request_time_off",
        &[
            Parameter::required("employee", ParameterKind::Text, "The employee's id."),
            Parameter::required(
                "leave_type",
                ParameterKind::One(Model::of::<LeaveType>("LeaveType")),
                "Of which sort.",
            ),
            Parameter::required("start_date", ParameterKind::Text, "The first day."),
            Parameter::required("end_date", ParameterKind::Text, "The last day."),
            BY,
            Parameter::optional(
                "from_noon",
                ParameterKind::Boolean,
                "Whether the first day begins at noon.",
            ),
            Parameter::optional(
                "until_noon",
                ParameterKind::Boolean,
                "Whether the last day ends at noon.",
            ),
            Parameter::optional("note", ParameterKind::Text, "What else there is to say."),
        ],
        ResultType::One(TIME_OFF),
        "Asks for time off. Time off that overlaps is refused.",
    ),
    change(
        "decide_time_off",
        &[
            Parameter::required("id", ParameterKind::Text, "Its id."),
            Parameter::required(
                "approve",
                ParameterKind::Boolean,
                "Whether they may be away.",
            ),
            BY,
            Parameter::optional("note", ParameterKind::Text, "What else there is to say."),
        ],
        ResultType::One(TIME_OFF),
        "Approves or denies time off that waits.",
    ),
    change(
        "cancel_time_off",
        &[
            Parameter::required("id", ParameterKind::Text, "Its id."),
            BY,
        ],
        ResultType::One(TIME_OFF),
        "Calls time off off.",
    ),
    read(
        "time_off_balances",
        &[Parameter::required(
            "employee",
            ParameterKind::Text,
            "The employee's id.",
        )],
        ResultType::List(Model::of::<TimeOffBalance>("TimeOffBalance")),
        "How much time off somebody has left, as it was last imported.",
    ),
    change(
        "import_time_off_balances",
        &[
            Parameter::required("csv", ParameterKind::Text, "The list, with a header."),
            BY,
        ],
        ResultType::Integer,
        "Imports balances, and gives how many; all of a list or nothing.",
    ),
    read(
        "certifications",
        &[Parameter::optional(
            "employee",
            ParameterKind::Text,
            "Whose, by id.",
        )],
        ResultType::List(Model::of::<CertificationStanding>("CertificationStanding")),
        "What people were certified for, the next to end first.",
    ),
    change(
        "import_certifications",
        &[
            Parameter::required("csv", ParameterKind::Text, "The list, with a header."),
            BY,
        ],
        ResultType::Integer,
        "Imports certifications, and gives how many; all of a list or nothing.",
    ),
    read(
        "policies",
        &[],
        ResultType::List(Model::of::<PolicyStanding>("PolicyStanding")),
        "How far each policy is acknowledged.",
    ),
];
