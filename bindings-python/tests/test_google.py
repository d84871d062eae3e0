"""Google Workspace's own client, and a snapshot that it collects."""

from __future__ import annotations

import asyncio
from pathlib import Path

import protect
import pytest
from protect import Google, Sandbox
from protect.exceptions import ConfigInvalidError, InvalidInputError, NotFoundError


def test_a_compromised_account_is_locked_out(protect_sandbox: Sandbox) -> None:
    user_id = protect_sandbox.planted().google.suspicious.id
    with protect_sandbox.google() as google:
        assert google.suspend_user(user_id, timeout=30).suspended is True
        google.sign_out(user_id)
        assert google.revoke_grants(user_id)
        assert google.grants(user_id) == []
        password = google.reset_password(user_id).password
        assert len(password) >= 20
        assert google.restore_user(user_id).suspended is False
    assert protect_sandbox.violations() == []


def test_users_are_an_iterator_over_all_pages(protect_sandbox: Sandbox) -> None:
    with protect_sandbox.google("scan") as google:
        ids = {user.id for user in google.users()}
        assert protect_sandbox.planted().google.leaver.id in ids
        scopes = google.granted_scopes()
        assert "https://www.googleapis.com/auth/admin.directory.user.readonly" in scopes


def test_what_is_collected_is_judged(protect_sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    with protect_sandbox.google("scan") as google:
        assert google.collect(str(folder), timeout=300) > 8
    results = protect.google.evaluate(folder, profile="cis")
    happened = [result for result in results if result.check.startswith("google.event.")]
    assert len(results) - len(happened) == 54
    assert {result.verdict for result in happened} == {"fail"}
    assert {result.verdict for result in results} >= {"pass", "fail"}


def test_refusals_are_typed(protect_sandbox: Sandbox) -> None:
    with protect_sandbox.google() as google:
        with pytest.raises(InvalidInputError):
            google.get_user("a@acme.example")
        with pytest.raises(NotFoundError):
            google.get_user("1")
    accepted, where = protect_sandbox.credentials(), protect_sandbox.addresses()
    stranger = Google(
        subject=accepted.google_subject,
        service_account=lambda: "no key",
        base_url=where.google_api,
        token_url=where.google_token,
    )
    with stranger, pytest.raises(ConfigInvalidError) as refused:
        stranger.users_page()
    assert "service account" in str(refused.value)


def test_the_same_can_be_awaited(protect_sandbox: Sandbox) -> None:
    async def events() -> int:
        async with protect_sandbox.aio.google("scan") as google:
            page = await google.activities_page("login")
            return len(page.items)

    assert asyncio.run(events()) > 0
