//! The Alert Center.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    FOREIGN_ADDRESS, Google,
    error::{Answer, Refusal},
    operation::{Ask, bad},
    page::Named,
    users::millis,
};
use crate::{clock::later, request::Context, scenario::Part};

const TYPES: &str = "type.googleapis.com/google.apps.alertcenter.type";
/// Neither the largest page nor the default one is documented.
const LARGEST: usize = 1000;
const DEFAULT: usize = 100;

/// A comparison of a field with a value.
struct Condition {
    field: &'static str,
    operator: &'static str,
    value: String,
}

/// Those that begin with another one come first.
const OPERATORS: [&str; 6] = [">=", "<=", "!=", "=", ">", "<"];
/// Names in a filter, and as an alert shows them.
const FIELDS: [(&str, &str); 6] = [
    ("createTime", "createTime"),
    ("create_time", "createTime"),
    ("startTime", "startTime"),
    ("start_time", "startTime"),
    ("type", "type"),
    ("source", "source"),
];

impl Google {
    pub(super) fn list_alerts(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let size = ask.count("pageSize", LARGEST, DEFAULT, cx)?;
        if ask
            .parameter("customerId")
            .is_some_and(|it| it != self.alert_customer())
        {
            return Err(Refusal::forbidden());
        }
        let orders = ["create_time desc", "create_time asc", "create_time"];
        let newest_first = ask.word("orderBy", &orders, cx)? == orders[0];
        let conditions = match ask.parameter("filter") {
            None => Vec::new(),
            Some(text) => Condition::parse_all(text).ok_or_else(|| bad("Invalid filter", cx))?,
        };
        let now = millis(cx.now);
        let created = |alert: &Value| alert["createTime"].as_str() <= Some(now.as_str());
        let fits = |alert: &&Value| created(alert) && conditions.iter().all(|it| it.holds(alert));
        let mut found: Vec<&Value> = self.alerts.iter().filter(fits).collect();
        found.sort_by_key(|alert| alert["createTime"].as_str());
        if newest_first {
            found.reverse();
        }
        let row = |at: usize| found.get(at).map(|it| (*it).clone());
        let named = Named {
            kind: None,
            list: "alerts",
        };
        self.page(ask, (named, size, found.len()), &row, cx)
    }

    /// What is told of a sign-in that Google holds to be suspicious.
    pub(super) fn alert_of_login(&mut self, email: &str, at: Timestamp) {
        let data = json!({
            "@type": format!("{TYPES}.AccountWarning"),
            "email": email,
            "loginDetails": {"loginTime": millis(at), "ipAddress": FOREIGN_ADDRESS},
        });
        self.alert("Suspicious login", "Google identity", at, &data);
    }

    pub(super) fn plant_alerts(&mut self) {
        let ago =
            |it: &Self, hours: i64| later(it.users.begins(), SignedDuration::from_hours(-hours));
        if let Some(number) = self.users.player(Part::Leaked) {
            let email = self.users.email(number);
            let data = json!({"@type": format!("{TYPES}.AccountWarning"), "email": email});
            let at = later(self.users.begins(), SignedDuration::from_mins(-20));
            self.alert("Leaked password", "Google identity", at, &data);
        }
        let subject = self.subject();
        let data = json!({
            "@type": format!("{TYPES}.SensitiveAdminAction"),
            "actorEmail": subject,
            "eventTime": millis(ago(self, 30)),
        });
        self.alert(
            "Sensitive admin action",
            "Security Center",
            ago(self, 30),
            &data,
        );
        let data = json!({
            "@type": format!("{TYPES}.SuperAdminPasswordResetEvent"),
            "userEmail": self.users.email(0),
        });
        self.alert(
            "Super admin password reset",
            "Google identity",
            ago(self, 300),
            &data,
        );
    }

    fn alert(&mut self, kind: &str, source: &str, at: Timestamp, data: &Value) {
        let id = self.rng.uuid();
        let created = millis(later(at, SignedDuration::from_secs(40)));
        let alert = json!({
            "customerId": self.alert_customer(),
            "alertId": id,
            "createTime": created,
            "updateTime": created,
            "startTime": millis(at),
            "type": kind,
            "source": source,
            "data": data,
            "securityInvestigationToolLink":
                format!("https://admin.google.com/ac/sc/investigation?alert={id}"),
            "etag": self.rng.hex(16),
        });
        self.alerts.push(alert);
    }

    /// Without the C that the directory puts before it.
    fn alert_customer(&self) -> &str {
        self.users.customer.trim_start_matches('C')
    }
}

impl Condition {
    /// Comparisons joined by `AND`; `None` for what is none.
    fn parse_all(text: &str) -> Option<Vec<Self>> {
        text.split(" AND ").map(Self::parse).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let at = text.find(['=', '<', '>', '!'])?;
        let (name, rest) = text.split_at(at);
        let operator = OPERATORS.into_iter().find(|it| rest.starts_with(it))?;
        let (_, field) = FIELDS
            .into_iter()
            .find(|(known, _)| *known == name.trim())?;
        let value = rest.strip_prefix(operator)?.trim();
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        Some(Self {
            field,
            operator,
            value: value.to_owned(),
        })
    }

    fn holds(&self, alert: &Value) -> bool {
        let found = alert[self.field].as_str().unwrap_or_default();
        let order = match (found.parse::<Timestamp>(), self.value.parse::<Timestamp>()) {
            (Ok(found), Ok(wanted)) => found.cmp(&wanted),
            _ => found.cmp(self.value.as_str()),
        };
        match self.operator {
            "=" => order.is_eq(),
            "!=" => order.is_ne(),
            ">=" => order.is_ge(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            _ => order.is_lt(),
        }
    }
}
