"""The same clients, awaited."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import protect
import pytest
import pytest_asyncio
from protect import Sandbox
from protect.exceptions import NotFoundError
from protect.models import ScanProgress

MISSING = "QQQQQQQQQQQQQQQQQQQQQQQQQQ"


def client(sandbox: Sandbox, base_url: str | None = None) -> protect.aio.OnePassword:
    accepted = sandbox.credentials()
    return protect.aio.OnePassword(
        account_id=accepted.account_id,
        client_id=accepted.respond_client_id,
        client_secret=accepted.respond_client_secret,
        base_url=base_url or sandbox.addresses().onepassword_api,
    )


@pytest_asyncio.fixture
async def aop(protect_sandbox: Sandbox) -> AsyncIterator[protect.aio.OnePassword]:
    async with client(protect_sandbox) as op:
        yield op


async def test_twenty_calls_go_at_once(
    protect_sandbox: Sandbox, aop: protect.aio.OnePassword
) -> None:
    user_id = protect_sandbox.planted().leaked.id
    await aop.get_user(user_id)
    protect_sandbox.set_fault("delay", millis=800)
    begun = time.monotonic()
    users = await asyncio.gather(*(aop.get_user(user_id) for _ in range(20)))
    assert {user.id for user in users} == {user_id}
    assert time.monotonic() - begun < 20 * 0.8 / 2


async def test_users_are_an_async_iterator(protect_sandbox: Sandbox) -> None:
    accepted = protect_sandbox.credentials()
    async with protect.aio.OnePassword(
        account_id=accepted.account_id,
        client_id=accepted.scan_client_id,
        client_secret=accepted.scan_client_secret,
        base_url=protect_sandbox.addresses().onepassword_api,
    ) as scanner:
        assert len([user.id async for user in scanner.users()]) == 40


async def test_an_awaited_error_is_the_same_exception(aop: protect.aio.OnePassword) -> None:
    with pytest.raises(NotFoundError) as caught:
        await aop.get_user(MISSING)
    assert caught.value.operation == "onepassword.get_user"


async def test_the_loop_runs_while_a_call_waits(
    protect_sandbox: Sandbox, aop: protect.aio.OnePassword
) -> None:
    protect_sandbox.set_fault("delay", count=2, millis=300)
    call = asyncio.ensure_future(aop.get_user(protect_sandbox.planted().leaked.id))
    turns = 0
    while not call.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert (await call).state == "active"
    assert turns > 10


async def test_cancelling_the_task_closes_the_connection(protect_sandbox: Sandbox) -> None:
    arrived = asyncio.Event()
    closed = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        arrived.set()
        while await reader.read(1024):
            pass
        closed.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with client(protect_sandbox, f"http://127.0.0.1:{port}") as op:
        call = asyncio.ensure_future(op.get_user(MISSING))
        await asyncio.wait_for(arrived.wait(), 10)
        assert not closed.is_set()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(closed.wait(), 10)
    server.close()
    await server.wait_closed()


async def test_wait_for_gives_a_call_up(
    protect_sandbox: Sandbox, aop: protect.aio.OnePassword
) -> None:
    protect_sandbox.set_fault("delay", millis=20_000)
    begun = time.monotonic()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(aop.get_user(MISSING), 0.3)
    with pytest.raises(protect.exceptions.TimeoutError):
        await aop.get_user(MISSING, timeout=0.3)
    assert time.monotonic() - begun < 5


async def test_a_secret_coroutine_runs_on_the_callers_loop(protect_sandbox: Sandbox) -> None:
    accepted = protect_sandbox.credentials()
    seen: list[object] = []

    async def secret() -> str:
        await asyncio.sleep(0)
        seen.append((asyncio.get_running_loop(), threading.current_thread()))
        return accepted.respond_client_secret

    async with protect.aio.OnePassword(
        account_id=accepted.account_id,
        client_id=accepted.respond_client_id,
        client_secret=secret,
        base_url=protect_sandbox.addresses().onepassword_api,
    ) as op:
        await op.get_user(protect_sandbox.planted().leaked.id)
    assert seen == [(asyncio.get_running_loop(), threading.current_thread())]


async def test_the_whole_road_is_awaited_and_heard(protect_sandbox: Sandbox) -> None:
    heard: list[tuple[ScanProgress, object]] = []
    async with protect_sandbox.aio.open() as p:
        acme = p.tenant("acme")
        summary = await acme.scan(
            progress=lambda progress: heard.append((progress, threading.current_thread()))
        )
        assert summary.complete
        plan = await acme.plan()
        steps = await acme.apply(await acme.approve(plan, by="alice"))
        findings = [finding.id async for finding in acme.findings()]
    assert [step.outcome.status for step in steps if step.outcome] == ["applied"] * len(steps)
    assert len(findings) == len(set(findings)) > 2
    assert {thread for _, thread in heard} == {threading.current_thread()}
    assert {progress.connector for progress, _ in heard} == {"breaches", "passwords"}


async def test_a_scan_that_was_cancelled_is_taken_up_by_the_next_one_at_once(
    protect_sandbox: Sandbox,
) -> None:
    async with protect_sandbox.aio.open() as p:
        acme = p.tenant("acme")
        protect_sandbox.set_fault("delay", vendor="onepassword", millis=20_000)
        begun = time.monotonic()
        scan = asyncio.ensure_future(acme.scan(connectors=["passwords"]))
        while not any(it.vendor == "onepassword" for it in protect_sandbox.requests()):
            await asyncio.sleep(0.01)
        scan.cancel()
        with pytest.raises(asyncio.CancelledError):
            await scan
        protect_sandbox.clear_faults()
        assert (await acme.scan(connectors=["passwords"])).complete
    assert time.monotonic() - begun < 10


async def test_what_progress_raises_ends_an_awaited_scan_too(protect_sandbox: Sandbox) -> None:
    class Enough(Exception):
        pass

    def stop(_: ScanProgress) -> None:
        raise Enough

    async with protect_sandbox.aio.open() as p:
        with pytest.raises(Enough):
            await p.tenant("acme").scan(progress=stop)
        assert (await p.tenant("acme").scan()).complete


async def test_the_awaited_sandbox_has_the_same_doors() -> None:
    async with protect.aio.Sandbox(users=8) as sandbox:
        planted = await sandbox.planted()
        async with sandbox.onepassword("scan") as scanner:
            assert len([user async for user in scanner.users()]) == 8
        hibp = await sandbox.hibp()
        [found] = await hibp.breached_account(planted.leaked.email)
        assert found.name == planted.leaked_breach
        await hibp.close()
        async with sandbox.open() as p:
            assert await p.tenants() == ["acme"]


async def test_opening_may_be_awaited_by_itself(protect_sandbox: Sandbox) -> None:
    p = await protect.aio.open(protect_sandbox.config(), secrets=protect_sandbox.secrets())
    assert await p.tenants() == ["acme"]
    await p.close()
