//! Usage reports: a redirect to a file that anybody with the link may fetch for a short while.

use axum::http::header;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    Graph,
    error::{Answer, Refusal, by_status},
    operation::Ask,
    users::Account,
};
use crate::{
    clock::{later, seconds},
    request::{Call, Context, Reply},
};

const LIFE: SignedDuration = SignedDuration::from_mins(5);
const PERIODS: [&str; 4] = ["D7", "D30", "D90", "D180"];
const HEAD: &str = "Report Refresh Date,User Principal Name,Display Name,Is Deleted,Deleted Date,\
                    Has Exchange License,Has OneDrive License,Has SharePoint License,\
                    Has Skype For Business License,Has Yammer License,Has Teams License,\
                    Exchange Last Activity Date,OneDrive Last Activity Date,\
                    SharePoint Last Activity Date,Skype For Business Last Activity Date,\
                    Yammer Last Activity Date,Teams Last Activity Date,\
                    Exchange License Assign Date,OneDrive License Assign Date,\
                    SharePoint License Assign Date,Skype For Business License Assign Date,\
                    Yammer License Assign Date,Teams License Assign Date,Assigned Products";

#[derive(Serialize, Deserialize)]
struct Link {
    until: Timestamp,
}

impl Graph {
    pub(super) fn active_users(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        if !PERIODS.contains(&ask.id(0)) {
            cx.violate("report_period", "D7, D30, D90 or D180");
            return Err(Refusal::new(400, "InvalidPeriod", "The period is invalid."));
        }
        let until = later(cx.now, LIFE);
        let token = self.sealer.seal("report", &Link { until });
        let token = utf8_percent_encode(&token, NON_ALPHANUMERIC);
        let root = self.root.trim_end_matches("/graph");
        let link = format!("{root}/reports/activeUserDetail?token={token}");
        Ok(Reply::empty(302).with(header::LOCATION, &link))
    }

    pub(super) fn download(&mut self, call: &Call, cx: &mut Context) -> Reply {
        if call.header("authorization").is_some() {
            cx.violate(
                "authorization_leaked",
                "a link to a report is followed without a token",
            );
            return by_status(401, "The request is not authorized.");
        }
        let token = call.query.iter().find(|(name, _)| name == "token");
        let link = token.and_then(|(_, token)| self.sealer.open::<Link>("report", token));
        let Some(link) = link else {
            cx.violate("report_link", "not a link that was given, or not encoded");
            return by_status(403, "The link is invalid.");
        };
        if cx.now >= link.until {
            return by_status(403, "The link has expired.");
        }
        let mut reply = Reply::text(200, self.table(cx.now));
        reply.content_type = Some("text/csv");
        reply
    }

    fn table(&self, now: Timestamp) -> String {
        let today = day(now);
        let rows = (0..self.users.len())
            .filter_map(|number| self.users.account(number))
            .filter(|account| !account.is_guest())
            .map(|account| self.row(&account, &today));
        // The vendor begins the file with a byte order mark.
        let mut table = format!("\u{feff}{HEAD}");
        for row in rows {
            table.push('\n');
            table.push_str(&row);
        }
        table
    }

    fn row(&self, account: &Account, today: &str) -> String {
        let last = account.last_sign_in.map_or_else(String::new, day);
        let has = if account.licensed { "True" } else { "False" };
        let since = if account.licensed {
            day(account.created)
        } else {
            String::new()
        };
        let products = if account.licensed {
            "MICROSOFT 365 E5"
        } else {
            ""
        };
        let (upn, name) = if self.conceals_names {
            (concealed(&account.upn), concealed(&account.name))
        } else {
            (account.upn.clone(), account.name.clone())
        };
        format!(
            "{today},{upn},{name},False,,{has},{has},{has},False,False,{has},\
             {last},{last},,,,{last},{since},{since},{since},,,{since},{products}"
        )
    }
}

fn day(at: Timestamp) -> String {
    seconds(at).chars().take(10).collect()
}

/// How names look in a tenant that conceals them.
fn concealed(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let digits = digest.iter().take(16).map(|byte| format!("{byte:02X}"));
    digits.collect()
}
