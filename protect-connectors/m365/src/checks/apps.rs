//! Applications' secrets and certificates: what is allowed, and what is there.

use jiff::Timestamp;
use protect_core::model::{NotEvaluatedReason, Severity, Verdict};
use protect_core::posture::{
    Affects, Check, Decision, Level, LevelForm, Needs, Read, Reader, Unread,
};
use serde::Deserialize;

use super::table::{BASE, cis, prowler, scuba};
use crate::graph::{APP_MANAGEMENT, APP_MANAGEMENT_CUSTOM, APPLICATIONS, PRINCIPALS};
use crate::id::Name;
use crate::iso::{days, days_after};
use crate::views::{App, Apps, Credential, Principals};

/// What the tenant allows applications
/// ([tenantAppManagementPolicy](https://learn.microsoft.com/graph/api/resources/tenantappmanagementpolicy)).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Management {
    is_enabled: bool,
    application_restrictions: Option<Restrictions>,
    service_principal_restrictions: Option<Restrictions>,
}

/// An exception from it, for some applications.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exception {
    id: Name,
    is_enabled: bool,
    restrictions: Option<Restrictions>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Restrictions {
    password_credentials: Option<Vec<Restriction>>,
    key_credentials: Option<Vec<Restriction>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Restriction {
    #[serde(rename = "restrictionType")]
    kind: Name,
    state: Option<Name>,
    max_lifetime: Option<String>,
    #[serde(rename = "restrictForAppsCreatedAfterDateTime")]
    since: Option<Timestamp>,
}

impl Restrictions {
    fn of(&self, kind: &str) -> Vec<&Restriction> {
        let lists = [&self.password_credentials, &self.key_credentials];
        let all = lists.into_iter().flatten().flatten();
        all.filter(|it| it.kind.is(kind)).collect()
    }
}

impl Restriction {
    fn is_on(&self) -> bool {
        self.state.as_ref().is_none_or(|state| state.is("enabled"))
    }

    /// Whether it holds for applications of any age; a date of the year 1 says so.
    fn is_for_all(&self) -> bool {
        let year = jiff::tz::TimeZone::UTC;
        self.since
            .is_none_or(|from| from.to_zoned(year).year() <= 1)
    }

    fn is_within(&self, limit: u32) -> bool {
        let lifetime = self.max_lifetime.as_deref().and_then(days);
        lifetime.is_some_and(|lifetime| lifetime <= limit)
    }
}

/// What keeps a restriction from holding everywhere.
fn restricted(read: &Reader<'_>, kind: &str, within: Option<u32>) -> Read<Decision> {
    let policy: Management = read.one(APP_MANAGEMENT)?;
    let fits = |it: &Restriction| it.is_on() && within.is_none_or(|limit| it.is_within(limit));
    let mut gaps = Vec::new();
    if !policy.is_enabled {
        gaps.push("the default policy is off".to_owned());
    }
    for (scope, restrictions) in [
        ("applications", &policy.application_restrictions),
        ("service principals", &policy.service_principal_restrictions),
    ] {
        let of = restrictions
            .as_ref()
            .map(|it| it.of(kind))
            .unwrap_or_default();
        if of.is_empty() || !of.iter().all(|it| fits(it)) {
            gaps.push(format!("{scope} are not restricted so"));
        } else if !of.iter().all(|it| it.is_for_all()) {
            gaps.push(format!("older {scope} are left out"));
        }
    }
    let mut relaxing = Vec::new();
    read.each(APP_MANAGEMENT_CUSTOM, |it: Exception| {
        let of = it
            .restrictions
            .as_ref()
            .map(|it| it.of(kind))
            .unwrap_or_default();
        if it.is_enabled && !of.iter().all(|it| fits(it)) {
            relaxing.push(it.id.to_string());
        }
    })?;
    relaxing.sort_unstable();
    gaps.extend(
        relaxing
            .iter()
            .map(|id| format!("policy {id} makes an exception")),
    );
    if gaps.is_empty() {
        return Ok(Decision::pass(
            "the default policy restricts it for all applications",
        ));
    }
    Ok(Decision::fail(gaps.join("; ")))
}

fn secret_addition_blocked(read: &Reader<'_>) -> Read<Decision> {
    restricted(read, "passwordAddition", None)
}

fn secret_lifetime(read: &Reader<'_>) -> Read<Decision> {
    let blocked = secret_addition_blocked(read)?;
    if blocked.verdict == Verdict::Pass {
        return Ok(Decision::pass("no secrets can be added"));
    }
    restricted(read, "passwordLifetime", Some(read.number()?))
}

fn cert_lifetime(read: &Reader<'_>) -> Read<Decision> {
    restricted(read, "asymmetricKeyLifetime", Some(read.number()?))
}

/// Credentials as they were collected; without the field nothing is known.
fn credentials<'c>(list: Option<&'c Vec<Credential>>, path: &str) -> Read<&'c [Credential]> {
    list.map(Vec::as_slice).ok_or_else(|| {
        let why = "the objects were collected without their credentials";
        Unread::new(NotEvaluatedReason::NoObservation, path, why)
    })
}

/// The applications with a secret or certificate of which something is true.
fn apps_with(
    read: &Reader<'_>,
    keys_too: bool,
    what: &str,
    is_so: impl Fn(&Credential) -> bool,
) -> Read<Decision> {
    let apps = read.view::<Apps>()?;
    let mut affected = Vec::new();
    for app in excusing(read, &apps.0) {
        let secrets = credentials(app.password_credentials.as_ref(), APPLICATIONS)?;
        let keys = if keys_too {
            credentials(app.key_credentials.as_ref(), APPLICATIONS)?
        } else {
            &[]
        };
        if secrets.iter().chain(keys).any(&is_so) {
            affected.push(&app.id);
        }
    }
    Ok(said(what, affected))
}

fn credential_expired(read: &Reader<'_>) -> Read<Decision> {
    let now = read.now();
    let (apps, principals) = (read.view::<Apps>()?, read.view::<Principals>()?);
    let mut affected = Vec::new();
    let both = |secrets, keys, path| -> Read<bool> {
        let (secrets, keys) = (credentials(secrets, path)?, credentials(keys, path)?);
        Ok(secrets.iter().chain(keys).any(|it| !it.is_active(now)))
    };
    for app in excusing(read, &apps.0) {
        if both(
            app.password_credentials.as_ref(),
            app.key_credentials.as_ref(),
            APPLICATIONS,
        )? {
            affected.push(&app.id);
        }
    }
    for it in &principals.0 {
        let excused = it
            .client_id
            .as_ref()
            .is_some_and(|id| id.is_in(&read.settings().excluded_applications));
        if !excused
            && both(
                it.password_credentials.as_ref(),
                it.key_credentials.as_ref(),
                PRINCIPALS,
            )?
        {
            affected.push(&it.id);
        }
    }
    Ok(said("have credentials that expired", affected))
}

fn credential_expiring(read: &Reader<'_>) -> Read<Decision> {
    let (now, until) = (read.now(), days_after(read.now(), read.number()?));
    apps_with(read, true, "have credentials that expire soon", |it| {
        it.end_date_time
            .is_some_and(|end| end >= now && end <= until)
    })
}

fn long_lived_secret(read: &Reader<'_>) -> Read<Decision> {
    let limit = read.number()?;
    let now = read.now();
    apps_with(read, false, "have secrets that live too long", |it| {
        let latest = days_after(it.start_date_time.unwrap_or(now), limit);
        it.end_date_time.is_none_or(|end| end > latest)
    })
}

fn secrets_in_use(read: &Reader<'_>) -> Read<Decision> {
    let now = read.now();
    apps_with(read, false, "use secrets and not certificates", |it| {
        it.is_active(now)
    })
}

/// The applications that are not excused, by either of their ids.
fn excusing<'a>(read: &Reader<'_>, apps: &'a [App]) -> impl Iterator<Item = &'a App> {
    let excused = read.settings().excluded_applications.clone();
    apps.iter().filter(move |app| {
        let by_app_id = app.client_id.as_ref().is_some_and(|id| id.is_in(&excused));
        !by_app_id && !app.id.is_in(&excused)
    })
}

fn said(what: &str, affected: Vec<&Name>) -> Decision {
    Decision::of(
        affected.is_empty(),
        format!("{} applications {what}", affected.len()),
    )
    .affecting(affected)
}

const MANAGED: Check = Check {
    needs: Needs {
        all: &[APP_MANAGEMENT, APP_MANAGEMENT_CUSTOM],
        ..BASE.needs
    },
    affects: Affects::Setting(APP_MANAGEMENT),
    default_compliant: Some(false),
    ..BASE
};

const REGISTERED: Check = Check {
    needs: Needs {
        all: &[APPLICATIONS],
        ..BASE.needs
    },
    affects: Affects::Objects(APPLICATIONS),
    ..BASE
};

/// Checks of applications' credentials.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "m365.app.secret_addition_blocked",
        title: "Applications get no new secrets",
        references: &[
            scuba("MS.AAD.5.5v1"),
            cis("5.1.5.3"),
            prowler("entra_default_app_management_policy_enabled"),
        ],
        hint: "Restrict adding passwords in the default application management policy.",
        decide: secret_addition_blocked,
        ..MANAGED
    },
    Check {
        id: "m365.app.secret_lifetime",
        title: "Applications' secrets live half a year at most",
        references: &[
            scuba("MS.AAD.5.6v1"),
            cis("5.1.5.4"),
            prowler("entra_default_app_management_policy_enabled"),
        ],
        level: Some(Level {
            form: LevelForm::Number,
            docs: "the longest life that may be allowed, in days",
            defaults: &[("", "181")],
        }),
        hint: "Restrict the lifetime of passwords in the default application management policy.",
        decide: secret_lifetime,
        ..MANAGED
    },
    Check {
        id: "m365.app.cert_lifetime",
        title: "Applications' certificates live a year at most",
        severity: Severity::Low,
        references: &[
            scuba("MS.AAD.5.7v1"),
            cis("5.1.5.6"),
            prowler("entra_default_app_management_policy_enabled"),
        ],
        level: Some(Level {
            form: LevelForm::Number,
            docs: "the longest life that may be allowed, in days",
            defaults: &[("cis", "180"), ("", "366")],
        }),
        hint: "Restrict the lifetime of certificates in the default application management policy.",
        decide: cert_lifetime,
        ..MANAGED
    },
    Check {
        id: "m365.app.credential_expired",
        title: "Applications keep no expired credentials",
        severity: Severity::Low,
        needs: Needs {
            all: &[APPLICATIONS, PRINCIPALS],
            ..BASE.needs
        },
        hint: "Remove what expired.",
        decide: credential_expired,
        ..REGISTERED
    },
    Check {
        id: "m365.app.credential_expiring",
        title: "No application's credential expires soon",
        level: Some(Level {
            form: LevelForm::Number,
            docs: "what soon is, in days",
            defaults: &[("", "30")],
        }),
        hint: "Replace the credential before it expires.",
        decide: credential_expiring,
        ..REGISTERED
    },
    Check {
        id: "m365.app.long_lived_secret",
        title: "No application's secret lives longer than a year",
        level: Some(Level {
            form: LevelForm::Number,
            docs: "the longest life of a secret, in days",
            defaults: &[("", "365")],
        }),
        hint: "Replace the secret by one that ends sooner, or by a certificate.",
        decide: long_lived_secret,
        ..REGISTERED
    },
    Check {
        id: "m365.app.secrets_in_use",
        title: "Applications use certificates and not secrets",
        references: &[prowler("entra_app_registration_client_secret_unused")],
        hint: "Move the application to a certificate or a federated credential.",
        decide: secrets_in_use,
        ..REGISTERED
    },
];
