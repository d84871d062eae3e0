"""A leak is told to every receiver there is, from the finding to what the vendors saw."""

from __future__ import annotations

from typing import Any

import protect
from protect import Sandbox

CHAT = "POST /services/{team}/{app}/{token}"

PRODUCTS = {
    "psa": "POST /psa/api/tickets",
    "security": "POST /security/api/incidents",
    "oncall": "POST /oncall/api/webhooks/ingest",
    "bus": "POST /bus/api/bus/events",
    "compliance": "POST /compliance/api/internal/evidence",
    "rmm": "POST /rmm/api/internal/remediations",
    "hub": "POST /hub/api/internal/users/revoke-access",
}


def everything(sandbox: Sandbox) -> tuple[dict[str, Any], dict[str, str]]:
    own, where = sandbox.credentials(), sandbox.addresses()
    organisation = own.one_stack[0]
    config, secrets = dict(sandbox.config()), dict(sandbox.secrets())
    secrets["api"] = organisation.api_key
    secrets["integration"] = organisation.integration_key
    secrets["slack"] = own.slack_webhook_url
    acme = config["tenants"]["acme"]
    for kind in PRODUCTS:
        external = kind in ("psa", "security")
        key = {"api_key": "api"} if external else {"integration_key": "integration"}
        config["connections"][kind] = {
            "kind": kind,
            "endpoints": {"api": f"{where.one_stack}/{kind}"},
            "respond": {form: {"provided": name} for form, name in key.items()},
            "tenants": ["acme"],
        }
        acme["connectors"][kind] = {"connection": kind, "organisation_id": organisation.id}
        if kind in ("rmm", "hub"):
            acme["connectors"][kind]["owners"] = []
    config["connections"]["chat"] = {
        "kind": "notify",
        "format": "slack",
        "respond": {"webhook_url": {"provided": "slack"}},
        "tenants": ["acme"],
    }
    acme["connectors"]["chat"] = {"connection": "chat"}
    acme["route"] = {
        "open_ticket": ["psa"],
        "open_security_incident": ["security"],
        "emit_event": ["bus"],
        "notify": ["chat"],
    }
    acme["rules"][0]["then"] = [
        "suspend_account",
        "open_security_incident",
        "page",
        "emit_event",
        "notify",
        "force_password_reset",
        "revoke_access",
    ]
    # Security opens the tickets of its own incidents: this one is about something else.
    acme["rules"][1]["then"] = ["suspend_account", "open_ticket"]
    return config, secrets


def asked(sandbox: Sandbox) -> list[str]:
    return [f"{it.method} {it.route}" for it in sandbox.requests() if it.changing]


def test_a_leak_reaches_every_receiver_once(protect_sandbox: Sandbox) -> None:
    config, secrets = everything(protect_sandbox)
    with protect.open(config, secrets=secrets) as p:
        acme = p.tenant("acme")
        acme.scan()
        for plan in (acme.plan(), acme.plan_evidence()):
            for step in acme.apply(acme.approve(plan, by="alice")):
                assert step.outcome is not None and step.outcome.status == "applied", step
        before = asked(protect_sandbox)
        assert acme.scan().connectors
        assert acme.plan().actions == ()
    for route in (*PRODUCTS.values(), CHAT):
        assert route in before, before
    assert asked(protect_sandbox) == before
    assert protect_sandbox.violations() == []
