"""Microsoft 365's own client, and a snapshot that it collects."""

from __future__ import annotations

import asyncio
from pathlib import Path

import protect
import pytest
from protect import M365, Sandbox
from protect.exceptions import InvalidInputError, NotFoundError, UnauthenticatedError


def test_a_compromised_account_is_locked_out(protect_sandbox: Sandbox) -> None:
    user_id = protect_sandbox.planted().m365.suspicious.id
    with protect_sandbox.m365() as m365:
        assert m365.disable_user(user_id, timeout=30).account_enabled is False
        before = m365.get_user(user_id).sign_in_sessions_valid_from_date_time
        after = m365.revoke_sessions(user_id).sign_in_sessions_valid_from_date_time
        assert before is not None and after is not None and after > before
        password = m365.reset_password(user_id).password
        assert len(password) >= 20
        assert m365.enable_user(user_id).account_enabled is True
    assert protect_sandbox.violations() == []


def test_users_are_an_iterator_over_all_pages(protect_sandbox: Sandbox) -> None:
    with protect_sandbox.m365("scan") as m365:
        ids = {user.id for user in m365.users()}
        assert protect_sandbox.planted().m365.guest.id in ids
        assert "Policy.Read.All" in m365.granted_permissions()


def test_what_is_collected_is_judged(protect_sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    with protect_sandbox.m365("scan") as m365:
        assert m365.collect(str(folder), timeout=300) > 20
    results = protect.m365.evaluate(folder, profile="cis")
    assert len(results) == 60
    assert {result.verdict for result in results} >= {"pass", "fail"}


def test_refusals_are_typed(protect_sandbox: Sandbox) -> None:
    with protect_sandbox.m365() as m365:
        with pytest.raises(InvalidInputError):
            m365.get_user("a@acme.example")
        with pytest.raises(NotFoundError):
            m365.get_user("11111111-1111-4111-8111-111111111111")
    accepted, where = protect_sandbox.credentials(), protect_sandbox.addresses()
    stranger = M365(
        tenant_id=accepted.m365_tenant_id,
        client_id=accepted.m365_scan_client_id,
        client_secret=lambda: "wrong",
        login_url=where.m365_login,
        graph_url=where.m365_graph,
    )
    with stranger, pytest.raises(UnauthenticatedError) as refused:
        stranger.granted_permissions()
    assert "secret" in str(refused.value)


def test_the_same_can_be_awaited(protect_sandbox: Sandbox) -> None:
    async def at_risk() -> list[str]:
        async with protect_sandbox.aio.m365("scan") as m365:
            page = await m365.risky_users_page()
            return [user.id for user in page.items]

    planted = protect_sandbox.planted().m365
    assert planted.suspicious.id in asyncio.run(at_risk())
