"""The One Stack's own clients."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import datetime, timezone

import protect
import pytest
from protect import (
    Bus,
    Compliance,
    Defend,
    Hub,
    Legal,
    OnCall,
    Portal,
    Psa,
    Rmm,
    Sandbox,
    Security,
)
from protect._generated.sandbox_models import OneStackOrganisation
from protect.defend import NewElevation
from protect.exceptions import ConflictError, InvalidInputError, ProtectError
from protect.legal import AcknowledgementRequest
from protect.psa import NewTicket


def organisation(sandbox: Sandbox) -> OneStackOrganisation:
    return sandbox.credentials().one_stack[0]


def root(sandbox: Sandbox, product: str) -> str:
    return f"{sandbox.addresses().one_stack}/{product}"


def test_a_ticket_is_opened_found_noted_and_read(protect_sandbox: Sandbox) -> None:
    own = organisation(protect_sandbox)
    with Psa(
        organisation_id=own.id,
        api_key=lambda: own.api_key,
        base_url=root(protect_sandbox, "psa"),
    ) as psa:
        new = NewTicket(title="A leak", priority="high", source_ref="r-1")
        ticket = psa.create_ticket(new, timeout=30)
        assert ticket.status == "open"
        assert [found.id for found in psa.find_tickets("r-1")] == [ticket.id]
        psa.add_note(ticket.id, "again")
        assert psa.get_ticket(ticket.id).source_ref == "r-1"
        assert [found.id for found in psa.get_tickets([ticket.id, "nothing"])] == [ticket.id]
        with pytest.raises(InvalidInputError) as refused:
            psa.create_ticket(NewTicket(title="x", priority="P1", source_ref="r-2"))
        assert "Must be one of" in str(refused.value)
        assert own.api_key not in repr(psa)


def test_incidents_pages_and_events(protect_sandbox: Sandbox) -> None:
    own = organisation(protect_sandbox)
    with Security(
        organisation_id=own.id,
        api_key=own.api_key,
        base_url=root(protect_sandbox, "security"),
    ) as security:
        incident = security.create_incident(
            protect.security.NewSecurityIncident(title="A leak", severity="high", source_ref="r-1")
        )
        security.update_incident(incident.id, status="contained", note="done")
        assert security.get_incident(incident.id).status == "contained"
    with OnCall(
        organisation_id=own.id,
        integration_key=own.integration_key,
        base_url=root(protect_sandbox, "oncall"),
    ) as oncall:
        page = protect.oncall.NewPage(title="A leak", severity="high", dedup_key="k")
        assert oncall.page(page).id == oncall.page(page).id
    with Bus(
        organisation_id=own.id,
        integration_key=own.integration_key,
        base_url=root(protect_sandbox, "bus"),
    ) as bus:
        event = protect.bus.BusEvent(
            event_id="e-1", event_type="protect.scan.failed", severity="warning", title="x"
        )
        assert bus.emit(event).buffered is False
    with Compliance(
        organisation_id=own.id,
        integration_key=own.integration_key,
        base_url=root(protect_sandbox, "compliance"),
    ) as compliance:
        content = b"{}"
        submitted = compliance.submit_evidence(
            protect.compliance.NewEvidence(
                kind="own",
                evidence_type="log",
                title="A log",
                source_ref="r-1",
                effective_date="2026-11-26",
                expiration_date="2026-12-26",
                content_type="application/json",
                sha256=hashlib.sha256(content).hexdigest(),
                content_base64=base64.b64encode(content).decode(),
            )
        )
        assert list(submitted.linked_controls) == []
    assert protect_sandbox.violations() == []


def test_a_reset_waits_for_somebody_else_and_access_ends_at_every_product(
    protect_sandbox: Sandbox,
) -> None:
    own = organisation(protect_sandbox)
    with Rmm(
        organisation_id=own.id,
        integration_key=own.integration_key,
        base_url=root(protect_sandbox, "rmm"),
    ) as rmm:
        asked = rmm.request_remediation(
            protect.rmm.NewRemediation(
                action="force_password_reset",
                directory="entra",
                email="ann@acme.example",
                reason="a leak",
                source_ref="r-1",
                requested_by="alice",
                justification="a leak",
            )
        )
        assert asked.status == "pending_approval"
        with pytest.raises(ProtectError):
            rmm.approve_remediation(asked.id, "alice")
        rmm.approve_remediation(asked.id, "bob")
        assert rmm.get_remediation(asked.id).status != "pending_approval"
        assert [found.id for found in rmm.find_remediations("r-1")] == [asked.id]
    with Hub(
        organisation_id=own.id,
        integration_key=own.integration_key,
        base_url=root(protect_sandbox, "hub"),
    ) as hub:
        change = hub.revoke_access(
            protect.hub.NewRevocation(
                email="ann@acme.example", reason="offboarding", source_ref="r-1"
            )
        )
        change = hub.get_access_change(change.id)
        assert {product.status for product in change.products} == {change.status}


def test_what_clients_see_is_published(protect_sandbox: Sandbox) -> None:
    own = organisation(protect_sandbox)
    with Portal(
        organisation_id=own.id,
        integration_key=own.integration_key,
        base_url=root(protect_sandbox, "portal"),
    ) as portal:
        published = portal.publish_snapshot(
            protect.portal.NewSnapshot(
                client_id="2107",
                generated_at=datetime(2026, 11, 27, tzinfo=timezone.utc),
                score=None,
                alerts=[],
                domains=[],
                reports=[],
                credits=[],
            )
        )
        assert published.id
    assert protect_sandbox.violations() == []


def test_the_same_can_be_awaited(protect_sandbox: Sandbox) -> None:
    own = organisation(protect_sandbox)

    async def found() -> int:
        async with protect.aio.Psa(
            organisation_id=own.id,
            api_key=own.api_key,
            base_url=root(protect_sandbox, "psa"),
        ) as psa:
            return len(await psa.find_tickets("nothing"))

    assert asyncio.run(found()) == 0


def test_one_key_of_the_two_is_needed() -> None:
    with pytest.raises(ProtectError) as refused:
        Psa(organisation_id="org")
    assert "integration_key" in str(refused.value)


def test_somebody_is_watched_more_closely_until_it_is_ended(protect_sandbox: Sandbox) -> None:
    own = organisation(protect_sandbox)
    with Defend(
        organisation_id=own.id,
        integration_key=own.integration_key,
        base_url=root(protect_sandbox, "defend"),
    ) as defend:
        new = NewElevation(email="jane@acme.example", workflow_id="w-1", reason="request")
        defend.elevate_monitoring(new)
        assert [it.status for it in defend.elevations("jane@acme.example")] == ["active"]
        assert defend.elevations("joe@acme.example") == []
        defend.end_monitoring("w-1")
        assert [it.status for it in defend.elevations("jane@acme.example")] == ["ended"]
    assert protect_sandbox.violations() == []


def test_a_policy_is_read_and_acknowledged_once(protect_sandbox: Sandbox) -> None:
    own = organisation(protect_sandbox)
    with Legal(
        organisation_id=own.id,
        integration_key=own.integration_key,
        base_url=root(protect_sandbox, "legal"),
    ) as legal:
        policy = next(it for it in legal.policies() if it.requires_acknowledgment)
        text = legal.policy_text(policy.id, policy.version)
        assert policy.title in text.content_html
        given = AcknowledgementRequest(
            employee_id="e-1",
            email="jane@acme.example",
            policy_id=policy.id,
            policy_version=policy.version,
            acknowledged_at=datetime(2020, 1, 1, tzinfo=timezone.utc),
            ip_address="192.0.2.7",
            user_agent="a browser",
        )
        assert legal.acknowledge(given).vault_document_id
        again = AcknowledgementRequest(
            **{**given.to_dict(), "acknowledged_at": datetime(2020, 1, 2, tzinfo=timezone.utc)}
        )
        with pytest.raises(ConflictError):
            legal.acknowledge(again)
        assert [it.status for it in legal.acknowledgments("e-1")] == ["acknowledged"]
    assert protect_sandbox.violations() == []
