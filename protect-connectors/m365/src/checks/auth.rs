//! The authentication methods policy: `m365.auth.*`
//! ([authenticationMethodsPolicy](https://learn.microsoft.com/graph/api/resources/authenticationmethodspolicy)).

use protect_core::model::{Confidence, NotEvaluatedReason, Severity, Verdict};
use protect_core::posture::{Affects, Check, Decision, Needs, Read, Reader, Unread};
use serde_json::{Map, Value};

use super::ca::{self, Want, some_policy};
use super::property::{Expected, compare};
use super::table::{BASE, cis, eidsca, prowler, scuba};
use crate::graph::{AUTH_METHODS, CA};

/// Whether a feature is on. Microsoft decides about `default` and may change its mind.
const ON: Expected = Expected::Word {
    right: &["enabled"],
    wrong: &["disabled", "default"],
};
const OFF: Expected = Expected::Word {
    right: &["disabled"],
    wrong: &["enabled"],
};
const EVERYBODY: &str = "all_users";

/// The configuration of a method.
fn method(policy: &Value, id: &str) -> Read<Value> {
    let list = policy["authenticationMethodConfigurations"].as_array();
    let found = list.into_iter().flatten().find(|it| {
        it["id"]
            .as_str()
            .is_some_and(|found| found.eq_ignore_ascii_case(id))
    });
    found
        .cloned()
        .ok_or_else(|| Unread::malformed(AUTH_METHODS, format!("the method `{id}` is not there")))
}

fn policy(read: &Reader<'_>) -> Read<Value> {
    read.one::<Map<_, _>>(AUTH_METHODS).map(Value::Object)
}

/// Compares a property of a method; gives whether it is as expected.
fn is(method: &Value, pointer: &str, expected: Expected) -> Read<bool> {
    Ok(compare(method, AUTH_METHODS, pointer, expected)?.verdict == Verdict::Pass)
}

fn weak_methods_disabled(read: &Reader<'_>) -> Read<Decision> {
    let policy = policy(read)?;
    let mut on = Vec::new();
    for id in ["Sms", "Voice", "Email"] {
        if !is(&method(&policy, id)?, "/state", OFF)? {
            on.push(id);
        }
    }
    if on.is_empty() {
        return Ok(Decision::pass(
            "text messages, calls and e-mail are disabled",
        ));
    }
    Ok(Decision::fail(format!("enabled: {}", on.join(", "))).detail("enabled", on))
}

fn authenticator_context(read: &Reader<'_>) -> Read<Decision> {
    let policy = policy(read)?;
    let method = method(&policy, "MicrosoftAuthenticator")?;
    if is(&method, "/state", OFF)? {
        return Ok(Decision::pass("Microsoft Authenticator is disabled"));
    }
    let mut wrong = Vec::new();
    if !is(&method, "/isSoftwareOathEnabled", Expected::Flag(false))? {
        wrong.push("allows one-time codes");
    }
    for (feature, what) in [
        (
            "displayAppInformationRequiredState",
            "does not show the application to all users",
        ),
        (
            "displayLocationInformationRequiredState",
            "does not show the place to all users",
        ),
    ] {
        let at = format!("/featureSettings/{feature}");
        let target = method.pointer(&format!("{at}/includeTarget/id"));
        let all = target
            .and_then(Value::as_str)
            .is_some_and(|it| it.eq_ignore_ascii_case(EVERYBODY));
        if !is(&method, &format!("{at}/state"), ON)? || !all {
            wrong.push(what);
        }
    }
    if wrong.is_empty() {
        return Ok(Decision::pass(
            "Microsoft Authenticator shows application and place",
        ));
    }
    if read.has(CA)? {
        let resistant = some_policy(
            read,
            &[Want::Everyone, Want::AllApps, Want::PhishingResistant],
        )?;
        if resistant.verdict == Verdict::Pass {
            return Ok(Decision::pass(
                "phishing-resistant factors are required of all users",
            ));
        }
    }
    Ok(Decision::fail(format!(
        "Microsoft Authenticator {}",
        wrong.join(", ")
    )))
}

fn migration_complete(read: &Reader<'_>) -> Read<Decision> {
    let policy = policy(read)?;
    let Some(state) = policy.get("policyMigrationState") else {
        return Err(not_answered("policyMigrationState"));
    };
    if state.is_null() {
        return Ok(Decision::pass("there was nothing to migrate"));
    }
    let expected = Expected::Word {
        right: &["migrationComplete"],
        wrong: &["preMigration", "migrationInProgress"],
    };
    compare(&policy, AUTH_METHODS, "/policyMigrationState", expected)
}

fn report_suspicious(read: &Reader<'_>) -> Read<Decision> {
    let policy = policy(read)?;
    let Some(settings) = policy
        .get("reportSuspiciousActivitySettings")
        .filter(|it| !it.is_null())
    else {
        return Err(not_answered("reportSuspiciousActivitySettings"));
    };
    let on = is(settings, "/state", ON)?;
    let target = settings
        .pointer("/includeTarget/id")
        .and_then(Value::as_str);
    let all = target.is_some_and(|it| it.eq_ignore_ascii_case(EVERYBODY));
    let by_microsoft = settings["state"].as_str() == Some("default");
    let decision = Decision::of(
        on && all,
        match (on, all) {
            (true, true) => "all users can report what they did not do",
            (true, false) => "only some users can report what they did not do",
            (false, _) => "users cannot report what they did not do",
        },
    );
    // Graph v1.0 is not known to answer this for everybody.
    let confidence = if by_microsoft {
        Confidence::Low
    } else {
        Confidence::Medium
    };
    Ok(decision.confidence(confidence))
}

fn fido2_hardened(read: &Reader<'_>) -> Read<Decision> {
    let method = method(&policy(read)?, "Fido2")?;
    if is(&method, "/state", OFF)? {
        return Ok(Decision::fail("passkeys are disabled"));
    }
    let attested = is(&method, "/isAttestationEnforced", Expected::Flag(true))?;
    Ok(Decision::of(
        attested,
        if attested {
            "passkeys are enabled and must attest what they are"
        } else {
            "passkeys need not attest what they are"
        },
    ))
}

fn tap_one_time(read: &Reader<'_>) -> Read<Decision> {
    let method = method(&policy(read)?, "TemporaryAccessPass")?;
    if is(&method, "/state", OFF)? {
        return Ok(Decision::pass("temporary access passes are disabled"));
    }
    let once = is(&method, "/isUsableOnce", Expected::Flag(true))?;
    Ok(Decision::of(
        once,
        if once {
            "a temporary access pass works once"
        } else {
            "a temporary access pass may work more than once"
        },
    ))
}

fn not_answered(field: &str) -> Unread {
    let why = format!("`{field}` was not answered");
    Unread::new(NotEvaluatedReason::NoObservation, AUTH_METHODS, why)
}

const AT_METHODS: Check = Check {
    needs: Needs {
        all: &[AUTH_METHODS],
        ..BASE.needs
    },
    affects: Affects::Setting(AUTH_METHODS),
    ..BASE
};

/// Checks of the authentication methods.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "m365.auth.weak_methods_disabled",
        title: "Text messages, calls and e-mail are no factors",
        references: &[
            scuba("MS.AAD.3.5v2"),
            cis("5.2.3.5"),
            cis("5.2.3.7"),
            prowler("entra_authentication_method_sms_voice_disabled"),
            prowler("entra_authentication_method_email_otp_disabled"),
        ],
        hint: "Disable the methods SMS, voice call and email OTP.",
        decide: weak_methods_disabled,
        ..AT_METHODS
    },
    Check {
        id: "m365.auth.authenticator_context",
        title: "Microsoft Authenticator shows application and place",
        needs: Needs {
            all: &[AUTH_METHODS],
            also: &[&[CA], ca::STRENGTHS],
            ..BASE.needs
        },
        references: &[
            scuba("MS.AAD.3.3v2"),
            cis("5.2.3.1"),
            prowler("entra_authentication_method_authenticator_show_context"),
        ],
        hint: "Let Microsoft Authenticator show the application name and the geographic location to all users.",
        decide: authenticator_context,
        ..AT_METHODS
    },
    Check {
        id: "m365.auth.migration_complete",
        title: "The authentication methods are migrated",
        severity: Severity::Low,
        references: &[scuba("MS.AAD.3.4v1")],
        hint: "Finish the migration from the legacy policies.",
        decide: migration_complete,
        ..AT_METHODS
    },
    Check {
        id: "m365.auth.report_suspicious",
        title: "Users can report what they did not do",
        references: &[eidsca("AG02"), eidsca("AG03")],
        hint: "Turn on reporting of suspicious activity for all users.",
        decide: report_suspicious,
        ..AT_METHODS
    },
    Check {
        id: "m365.auth.fido2_hardened",
        title: "Passkeys are enabled and attested",
        severity: Severity::Low,
        references: &[eidsca("AF01"), eidsca("AF03")],
        hint: "Enable passkeys and enforce attestation.",
        decide: fido2_hardened,
        ..AT_METHODS
    },
    Check {
        id: "m365.auth.tap_one_time",
        title: "A temporary access pass works once",
        severity: Severity::Low,
        references: &[eidsca("AT02")],
        hint: "Limit temporary access passes to one use.",
        decide: tap_one_time,
        ..AT_METHODS
    },
];
