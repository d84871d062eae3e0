"""What a call from Python costs. Prints figures and judges nothing.

Run with the package built and optimised, see README.md:

    PYTHONPATH=bindings-python/python target/python/bin/python tests/bench/python_calls.py
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import protect
from protect import _protect
from protect.hibp import Breach

ROUNDS = 7
"""Each figure is the median of so many rounds."""


def say(name: str, value: float, unit: str) -> None:
    print(f"python {name}: {value:.2f} {unit}")


def each(call: Callable[[], object], calls: int) -> float:
    """Microseconds for one call."""

    def round_of() -> float:
        begun = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - begun) / calls * 1e6

    return statistics.median(round_of() for _ in range(ROUNDS))


async def each_awaited(call: Callable[[], Awaitable[object]], calls: int) -> float:
    """Microseconds for one call, awaited one after another."""

    async def round_of() -> float:
        begun = time.perf_counter()
        for _ in range(calls):
            await call()
        return (time.perf_counter() - begun) / calls * 1e6

    return statistics.median([await round_of() for _ in range(ROUNDS)])


def nothing() -> None:
    return None


def scalar_calls(sandbox: protect.Sandbox, p: protect.Protect) -> None:
    """In Rust each of these is a look at memory, so that what is measured is the crossing."""
    say("call with a scalar, native", each(protect.version, 100_000), "µs")
    say("call with an empty list, native", each(lambda: _protect.hibp_evaluate("[]", "default", False), 20_000), "µs")
    say("call by name with a boolean", each(lambda: sandbox.set_user_suspended("NOBODY", True), 5_000), "µs")
    say("call by name with texts", each(p.tenants, 5_000), "µs")


def model_calls(breaches: list[Breach]) -> None:
    """Ratios to `json.loads` of the same data."""
    text = json.dumps([breach.to_dict() for breach in breaches])
    parse = each(lambda: json.loads(text), 5)
    plain: list[dict[str, Any]] = json.loads(text)
    read = each(lambda: [Breach.from_dict(item) for item in plain], 5)
    write = each(lambda: [breach.to_dict() for breach in breaches], 5)
    judge = each(lambda: protect.hibp.evaluate(text), 5)
    say(f"{len(breaches)} models read, to json.loads", (parse + read) / parse, "times")
    say(f"{len(breaches)} models written, to json.loads", write / parse, "times")
    say(f"{len(breaches)} breaches judged, to json.loads", judge / parse, "times")


async def awaits(p: protect.aio.Protect, op: protect.aio.OnePassword, user_id: str) -> None:
    ours = await each_awaited(p.tenants, 2_000)
    thread = await each_awaited(lambda: asyncio.to_thread(nothing), 2_000)
    say("awaited no-op", ours, "µs")
    say("awaited no-op, to asyncio.to_thread", ours / thread, "times")
    for name, call in (("no-ops", p.tenants), ("requests", lambda: op.get_user(user_id))):
        begun = time.perf_counter()
        lag = await lag_under([call] * 1_000)
        say(f"1000 awaited {name}", 1_000 / (time.perf_counter() - begun), "a second")
        say(f"longest lag of a 10 ms heartbeat under them, {name}", lag * 1e3, "ms")


async def lag_under(calls: list[Callable[[], Awaitable[object]]]) -> float:
    """How late the latest beat of the loop was while the calls were under way."""
    lags: list[float] = []

    async def beat() -> None:
        while True:
            due = time.perf_counter() + 0.01
            await asyncio.sleep(0.01)
            lags.append(time.perf_counter() - due)

    heart = asyncio.ensure_future(beat())
    await asyncio.sleep(0.05)
    await asyncio.gather(*(call() for call in calls))
    await asyncio.sleep(0.02)
    heart.cancel()
    return max(lags)


async def awaited(sandbox: protect.Sandbox) -> None:
    async with sandbox.aio.open() as p, sandbox.aio.onepassword() as op:
        await awaits(p, op, sandbox.planted().leaked.id)


def main() -> None:
    with protect.Sandbox(rate_limits=False) as sandbox:
        with sandbox.open() as p:
            scalar_calls(sandbox, p)
        with sandbox.hibp() as hibp:
            model_calls(hibp.breaches())
        asyncio.run(awaited(sandbox))


if __name__ == "__main__":
    main()
