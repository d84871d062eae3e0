"""Notices and usage, by their own clients."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import protect
import pytest
from protect import Notify, Sandbox
from protect.exceptions import ConflictError, InvalidInputError, UnauthenticatedError

CANARY = "canary-7f3a91"


def test_a_mail_is_sent_with_an_id_that_a_repeat_has_too(protect_sandbox: Sandbox) -> None:
    with protect_sandbox.notify(to=["desk@acme.example"]) as notices:
        sent = notices.send("A leak", "**Adobe**", severity="high", id="leak-1")
        assert sent.id == "<protect.leak-1@acme.example>"
        assert sent.refused == 0
    (mail,) = protect_sandbox.state()["smtp"]["mails"]
    assert mail["to"] == ["desk@acme.example"]
    assert mail["subject"] == "[high] A leak"
    assert protect_sandbox.violations() == []


def test_a_title_that_would_begin_a_header_is_refused(protect_sandbox: Sandbox) -> None:
    with (
        protect_sandbox.notify(to=["desk@acme.example"]) as notices,
        pytest.raises(InvalidInputError),
    ):
        notices.send("A leak\r\nBcc: thief@evil.example", "x")
    assert protect_sandbox.transitions() == []


def test_slack_is_written_to_by_its_address(protect_sandbox: Sandbox) -> None:
    url = protect_sandbox.credentials().slack_webhook_url
    with Notify(url=url, format="slack") as notices:
        notices.send("<!channel>", "x")
        assert url not in repr(notices)
    (text,) = protect_sandbox.state()["slack"]["messages"]
    assert text.startswith("*[info] &lt;!channel&gt;*")
    assert protect_sandbox.violations() == []


def test_a_wrong_password_is_an_exception_that_does_not_show_it(protect_sandbox: Sandbox) -> None:
    accepted = protect_sandbox.credentials()
    with (
        Notify(
            smtp=protect_sandbox.addresses().smtp,
            username=accepted.smtp_username,
            password=CANARY,
            to=["desk@acme.example"],
        ) as notices,
        pytest.raises(UnauthenticatedError) as caught,
    ):
        notices.send("A leak", "x")
    assert CANARY not in repr(caught.value)


def test_usage_is_told_once_for_an_identifier(protect_sandbox: Sandbox) -> None:
    customer = protect_sandbox.credentials().stripe_customer_id
    with protect_sandbox.stripe() as stripe:
        event = stripe.report_usage(customer, 42, "protect-users:acme:2026-10")
        assert not event.livemode
        with pytest.raises(ConflictError):
            stripe.report_usage(customer, 42, "protect-users:acme:2026-10")
        assert {meter.status for meter in stripe.meters()} == {"active", "inactive"}
        old = datetime.now(timezone.utc) - timedelta(days=36)
        with pytest.raises(InvalidInputError):
            stripe.report_usage(customer, 42, "old", timestamp=old)


async def test_both_can_be_awaited() -> None:
    async with protect.aio.Sandbox() as sandbox:
        async with sandbox.notify(to=["desk@acme.example"]) as notices:
            await notices.send("A leak", "x")
        async with sandbox.stripe() as stripe:
            assert len(await stripe.meters()) == 2
        assert await sandbox.violations() == []
