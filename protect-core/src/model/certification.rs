use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{CertificationId, EmployeeId, TenantId};

/// How many days before its end a certification is about to end; our own number, since nobody documents
/// one.
const EXPIRING_DAYS: i32 = 60;

/// Something that somebody was certified to know or to be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certification {
    /// The id.
    pub id: CertificationId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who was certified.
    pub employee: EmployeeId,
    /// What it is called.
    pub name: String,
    /// Who certified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The issuer's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_on: Option<Date>,
    /// The last day that it counts; for good where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Date>,
    /// Whether the issuer took it back.
    #[serde(default)]
    pub revoked: bool,
}

/// Where a certification stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificationStatus {
    /// It counts.
    Active,
    /// It counts, and ends within 60 days.
    Expiring,
    /// It ended.
    Expired,
    /// It was taken back.
    Revoked,
}

impl Certification {
    /// Where it stands on a day.
    pub fn status_on(&self, day: Date) -> CertificationStatus {
        let left = self.expires_on.map(|last| {
            let span = last.since(day).ok();
            span.map_or(i32::MAX, |span| span.get_days())
        });
        match left {
            _ if self.revoked => CertificationStatus::Revoked,
            Some(left) if left < 0 => CertificationStatus::Expired,
            Some(left) if left <= EXPIRING_DAYS => CertificationStatus::Expiring,
            _ => CertificationStatus::Active,
        }
    }
}

impl CertificationStatus {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// Whether it still counts.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Active | Self::Expiring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Address, TenantId};

    #[test]
    fn a_certification_counts_through_its_last_day_and_is_about_to_end_for_sixty_days() {
        let tenant = TenantId::new("acme").unwrap();
        let address = Address::new("a@acme.example").unwrap();
        let employee = EmployeeId::of(&tenant, &address, 1);
        let mut certification = Certification {
            id: CertificationId::of(&tenant, &employee, "First aid"),
            tenant,
            employee,
            name: "First aid".to_owned(),
            issuer: None,
            credential_id: None,
            issued_on: None,
            expires_on: Some("2026-12-31".parse().unwrap()),
            revoked: false,
        };
        for (day, status) in [
            ("2026-10-31", CertificationStatus::Active),
            ("2026-11-01", CertificationStatus::Expiring),
            ("2026-12-31", CertificationStatus::Expiring),
            ("2027-01-01", CertificationStatus::Expired),
        ] {
            assert_eq!(
                certification.status_on(day.parse().unwrap()),
                status,
                "{day}"
            );
        }
        certification.revoked = true;
        let day = "2026-01-01".parse().unwrap();
        assert_eq!(certification.status_on(day), CertificationStatus::Revoked);
    }
}
