"""The workforce, and SCIM, from Python."""

from __future__ import annotations

from typing import Any

import protect
import pytest
from protect import Protect, Sandbox, Tenant
from protect.exceptions import (
    ConflictError,
    InvalidInputError,
    ProtectError,
    RefusedError,
    UnavailableError,
)
from protect.models import EmployeeInput, PolicyInput, PolicySignature

LIST = """number,last_name,work_email,manager
1,Lee,{first},2
2,Ray,boss@acme.example,
"""


@pytest.fixture
def p(protect_sandbox: Sandbox) -> Any:
    with protect_sandbox.open() as opened:
        yield opened


@pytest.fixture
def acme(p: Protect) -> Tenant:
    return p.tenant("acme")


def test_a_list_is_imported_whole_or_not_at_all(acme: Tenant) -> None:
    wrong = LIST.format(first="nobody")
    with pytest.raises(InvalidInputError) as error:
        acme.import_employees(wrong, by="hr")
    assert error.value.context["line"] == "2"
    assert acme.employees() == []
    imported = acme.import_employees(LIST.format(first="ann@acme.example"), by="hr")
    assert imported.hired == 2
    assert [it.depth for it in acme.org_chart().people] == [0, 1]
    with pytest.raises(ConflictError):
        acme.hire(EmployeeInput(last_name="Lee", work_email="ann@acme.example"), by="hr")


def test_somebody_leaves_and_access_ends_once_somebody_else_approved(
    protect_sandbox: Sandbox, acme: Tenant
) -> None:
    leaver = protect_sandbox.planted().mistyped
    acme.import_employees(LIST.format(first=leaver.email), by="hr")
    employee = acme.employee(leaver.email)
    with pytest.raises(RefusedError):
        acme.set_employee_status(employee.id, "terminated", by="hr")
    started = acme.offboard(
        employee.id, last_day="2099-12-31", reason="found another job", by="hr", at_once=True
    )
    assert started.plan is not None
    with pytest.raises(RefusedError):
        acme.approve(started.plan, by="hr")
    assert protect_sandbox.transitions() == []
    acme.apply(acme.approve(started.plan, by="alice"))
    assert leaver.id in {it.id for it in protect_sandbox.transitions()}
    evidence = acme.workflow_evidence(started.workflow.id)
    assert "plan.approved" in {it.kind for it in evidence}


def test_a_user_of_a_scim_application_is_suspended_and_let_in_again(
    protect_sandbox: Sandbox,
) -> None:
    with protect_sandbox.scim() as wiki:
        user = wiki.find_user(protect_sandbox.planted().leaked.email)
        assert user is not None
        assert wiki.suspend_user(user.id).active is False
        assert wiki.reactivate_user(user.id).active is True
        assert sum(1 for _ in wiki.users()) == 40
    assert protect_sandbox.violations() == []
    assert protect.Scim is not None


def test_reviews_are_imported_and_the_evidence_of_somebody_who_leaves_is_a_page(
    protect_sandbox: Sandbox, acme: Tenant
) -> None:
    leaver = protect_sandbox.planted().mistyped
    acme.import_employees(LIST.format(first=leaver.email), by="hr")
    employee = acme.employee(leaver.email)
    rows = "employee,title,due_on\n1,Year 2026,2026-12-01\n2,Year 2026,\n"
    assert acme.import_personnel_records("review", rows, by="hr") == 2
    with pytest.raises(InvalidInputError) as error:
        acme.import_personnel_records("review", rows + "9,Nobody,\n", by="hr")
    assert error.value.context["line"] == "4"
    own = acme.personnel_records(employee=employee.id)
    assert [(it.title, it.kind) for it in own] == [("Year 2026", "review")]
    with pytest.raises(ProtectError):
        acme.sync_policies(by="hr")
    started = acme.offboard(employee.id, last_day="2099-12-31", reason="moves on", by="hr")
    page = acme.workflow_page(started.workflow.id)
    assert "<!doctype html>" in page
    assert "nobody consented yet" in page


def with_legal(sandbox: Sandbox) -> Protect:
    """The engine over the planted organisation, whose policies Legal publishes."""
    config, legal = dict(sandbox.config()), sandbox.connections()["legal"]
    config["connections"]["legal"] = legal["connection"]
    acme = config["tenants"]["acme"]
    acme["connectors"]["legal"] = {**legal["connector"], "connection": "legal"}
    return sandbox.engine(config)


def test_a_policy_is_signed_at_legal_and_nobody_complies_while_it_is_away(
    protect_sandbox: Sandbox,
) -> None:
    with with_legal(protect_sandbox) as p:
        acme = p.tenant("acme")
        acme.import_employees(LIST.format(first="ann@acme.example"), by="hr")
        ann = acme.employee("ann@acme.example")
        (use,) = (it.policy for it in acme.sync_policies(by="hr") if it.pending)
        text = acme.policy_text(use.id, use.version)
        assert text.title in text.content_html
        signature = PolicySignature(
            policy_id=use.id,
            version=use.version,
            ip_address="192.0.2.7",
            user_agent="a browser",
            typed_name="Ann Lee",
        )
        signed = acme.acknowledge_policy(ann.id, signature, by="ann")
        assert acme.acknowledge_policy(ann.id, signature, by="ann") == signed
        assert (signed.ip_address, signed.user_agent) == ("192.0.2.7", "a browser")
        (recorded,) = protect_sandbox.state()["one_stack"]["items"]
        assert (recorded["id"], recorded["fields"]["typed_name"]) == (signed.id, "Ann Lee")
        (own,) = acme.policies_of(ann.id)
        assert own.compliant and own.acknowledged_at == signed.acknowledged_at

        protect_sandbox.set_fault("unavailable", vendor="one_stack")
        with pytest.raises(UnavailableError) as error:
            acme.sync_policies(by="hr")
        assert error.value.retryable
        (own,) = acme.policies_of(ann.id)
        assert own.status == "acknowledged" and own.stale and not own.compliant
        assert not any(it.compliant for it in acme.policies())
    assert protect_sandbox.violations() == []


def test_many_leave_with_one_plan_and_policies_are_taken_from_elsewhere(acme: Tenant) -> None:
    acme.import_employees(LIST.format(first="ann@acme.example"), by="hr")
    everybody = [it.id for it in acme.employees()]
    with pytest.raises(InvalidInputError):
        acme.offboard_many([], last_day="2099-12-31", reason="a site is closed", by="hr")
    with pytest.raises(InvalidInputError):
        acme.offboard_many(everybody, last_day="soon", reason="a site is closed", by="hr")
    taken = acme.take_policies(
        [PolicyInput(id="p-1", title="Conduct", version="1", requires_acknowledgment=True)], by="hr"
    )
    assert [(it.required, it.compliant) for it in taken] == [(2, False)]
    started = acme.offboard_many(
        everybody, last_day="2099-12-31", reason="a site is closed", by="hr"
    )
    assert [it.employee for it in started.workflows] == everybody
    with pytest.raises(ConflictError):
        acme.offboard_many(everybody, last_day="2099-12-31", reason="again", by="hr")
