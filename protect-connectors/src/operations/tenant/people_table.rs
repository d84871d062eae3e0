use protect_core::model::{
    Account, Acknowledgement, Employee, EmploymentStatus, EvidenceEntry, LeaveType, Leaving,
    PersonnelKind, PersonnelRecord, PolicyStanding, TaskStatus, TaskTemplate, TimeOff,
    TimeOffBalance, TimeOffStatus, Workflow, WorkflowStatus,
};
use protect_core::operation::{Model, Operation, Parameter, ParameterKind, ResultType};
use protect_core::people::{
    CertificationStanding, EmployeeInput, Imported, OrgChart, PolicyInput, PolicyOfEmployee,
    PolicySignature, Started, StartedMany, Synced,
};
use protect_core::publisher::PolicyText;

use super::table::{BY, REASON};
use crate::operations::{change, read};

const EMPLOYEE: Model = Model::of::<Employee>("Employee");
const EMPLOYMENT_STATUS: Model = Model::of::<EmploymentStatus>("EmploymentStatus");
const WORKFLOW: Model = Model::of::<Workflow>("Workflow");
const TIME_OFF: Model = Model::of::<TimeOff>("TimeOff");
const STARTED: Model = Model::of::<Started>("Started");
const POLICY_STANDING: Model = Model::of::<PolicyStanding>("PolicyStanding");
const PERSONNEL_KIND: Model = Model::of::<PersonnelKind>("PersonnelKind");
const POLICY_ID: Parameter = Parameter::required(
    "policy_id",
    ParameterKind::Text,
    "The publisher's id of the policy.",
);
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
const LAST_DAY: Parameter = Parameter::required(
    "last_day",
    ParameterKind::Text,
    "The last day of work, as `2026-11-30`: access ends with it.",
);
const LEAVING: Parameter = Parameter::optional(
    "leaving",
    ParameterKind::One(Model::of::<Leaving>("Leaving")),
    "How they leave; `terminated` unless given.",
);
const AT_ONCE: Parameter = Parameter::optional(
    "at_once",
    ParameterKind::Boolean,
    "Whether access ends as soon as somebody approved.",
);
const ALLOW_PAST: Parameter = Parameter::optional(
    "allow_past",
    ParameterKind::Boolean,
    "Whether the last day may lie in the past.",
);

/// What a tenant can do with its workforce.
pub const OPERATIONS: [Operation; 39] = [
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
            LAST_DAY,
            REASON,
            BY,
            LEAVING,
            AT_ONCE,
            ALLOW_PAST,
            TASKS,
        ],
        ResultType::One(STARTED),
        "Begins an offboarding: its incident, its tasks, and a plan that ends access everywhere. Nothing \
         is changed before somebody else approves the plan.",
    ),
    change(
        "offboard_many",
        &[
            Parameter::required(
                "employees",
                ParameterKind::Texts,
                "The employees' ids, each once.",
            ),
            LAST_DAY,
            REASON,
            BY,
            LEAVING,
            AT_ONCE,
            ALLOW_PAST,
            TASKS,
        ],
        ResultType::One(Model::of::<StartedMany>("StartedMany")),
        "Begins the offboardings of many people, with one plan that is approved as a whole. It is made from \
         what is known, without asking any vendor. Where one of them cannot leave, nobody's begins.",
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
        "workflow_page",
        &[WORKFLOW_ID],
        ResultType::Text,
        "The same as one HTML page for people, which fetches nothing.",
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
        ResultType::List(POLICY_STANDING),
        "How far each policy is acknowledged.",
    ),
    change(
        "take_policies",
        &[
            Parameter::required(
                "policies",
                ParameterKind::Many(Model::of::<PolicyInput>("PolicyInput")),
                "All that are in force: one that is not named is no longer shown.",
            ),
            BY,
        ],
        ResultType::List(POLICY_STANDING),
        "Takes over what a publisher that is no connector says of its policies. What is said counts for a \
         day; where a connector publishes policies, it has the last word.",
    ),
    change(
        "sync_policies",
        &[BY],
        ResultType::List(POLICY_STANDING),
        "Asks the publisher for its policies, as the engine does by itself once an hour.",
    ),
    read(
        "policies_of",
        &[Parameter::required(
            "employee",
            ParameterKind::Text,
            "The employee's id.",
        )],
        ResultType::List(Model::of::<PolicyOfEmployee>("PolicyOfEmployee")),
        "Where somebody stands with each policy that must be acknowledged, asked of the publisher; as old, \
         and never as compliant, where it cannot be asked.",
    ),
    read(
        "policy_text",
        &[
            POLICY_ID,
            Parameter::required("version", ParameterKind::Text, "Which version."),
        ],
        ResultType::One(Model::of::<PolicyText>("PolicyText")),
        "The text of a policy for signing, as its publisher gives it now.",
    ),
    change(
        "acknowledge_policy",
        &[
            Parameter::required("employee", ParameterKind::Text, "The employee's id."),
            Parameter::required(
                "signature",
                ParameterKind::One(Model::of::<PolicySignature>("PolicySignature")),
                "What was read, and from where it was signed.",
            ),
            BY,
        ],
        ResultType::One(Model::of::<Acknowledgement>("Acknowledgement")),
        "Records at the publisher that somebody acknowledged a policy. The same one twice is one.",
    ),
    change(
        "remind_of_policy",
        &[
            POLICY_ID,
            BY,
            Parameter::optional(
                "employees",
                ParameterKind::Texts,
                "Only these of those who did not acknowledge it, by id.",
            ),
        ],
        ResultType::Integer,
        "Reminds those who did not acknowledge a policy, at most once a day. Gives how many.",
    ),
    change(
        "send_reminders",
        &[],
        ResultType::Integer,
        "Sends the reminders of tasks, policies and certifications that are due or overdue, each once, as \
         the engine does by itself once a day. Gives how many.",
    ),
    read(
        "personnel_records",
        &[
            Parameter::optional("employee", ParameterKind::Text, "Whose, by id."),
            Parameter::optional(
                "kind",
                ParameterKind::One(PERSONNEL_KIND),
                "Only reviews, trainings or documents.",
            ),
        ],
        ResultType::List(Model::of::<PersonnelRecord>("PersonnelRecord")),
        "Reviews, trainings and documents to be signed, as they were last imported; what is to be done \
         first.",
    ),
    change(
        "import_personnel_records",
        &[
            Parameter::required("kind", ParameterKind::One(PERSONNEL_KIND), "Of which sort."),
            Parameter::required("csv", ParameterKind::Text, "The list, with a header."),
            BY,
        ],
        ResultType::Integer,
        "Imports reviews, trainings or documents to be signed, and gives how many; all of a list or nothing.",
    ),
];
