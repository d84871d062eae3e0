"""What a call from Python costs. Prints one JSON object a line and judges nothing.

`protect-bench calls` runs it; by itself, with the package built (see README.md for an optimised one):

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


def say(name: str, unit: str, figure: float, bare: float | None = None, target: str | None = None) -> None:
    row = {"name": f"python: {name}", "unit": unit, "figure": figure, "bare": bare, "target": target}
    print(json.dumps({key: value for key, value in row.items() if value is not None}), flush=True)


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
    """In Rust each of these is a look at memory, so that what is measured is the crossing. The bare
    one of a call by name is the JSON that it makes and reads, which any such call needs."""
    target = "at most 2 µs over Rust"
    say("pure call, a text", "µs", each(protect.version, 100_000), target=target)
    judge = _protect.hibp_evaluate
    nothing_judged = each(lambda: judge("[]", "default", False), 50_000)
    say("pure call, an empty list", "µs", nothing_judged, target=target)
    arguments = {"id": "NOBODY", "suspended": True}
    codec = each(lambda: json.loads(json.dumps(arguments)), 20_000)
    by_name = each(lambda: sandbox.set_user_suspended("NOBODY", True), 10_000)
    say("call by name, a boolean", "µs", by_name, codec)
    say("call by name, texts", "µs", each(p.tenants, 10_000))


def model_calls(breaches: list[Breach]) -> None:
    """The bare one is `json.loads` of the same data."""
    text = json.dumps([breach.to_dict() for breach in breaches])
    parse = each(lambda: json.loads(text), 20)
    plain: list[dict[str, Any]] = json.loads(text)
    read = each(lambda: [Breach.from_dict(item) for item in plain], 20)
    write = each(lambda: [breach.to_dict() for breach in breaches], 20)
    judge = each(lambda: protect.hibp.evaluate(text), 20)
    many = len(breaches)
    say(f"{many} models read", "µs", parse + read, parse)
    say(f"{many} models written", "µs", write, parse)
    say(f"{many} breaches judged", "µs", judge, parse)


async def awaits(p: protect.aio.Protect, hibp: protect.aio.Hibp) -> None:
    ours = await each_awaited(p.tenants, 2_000)
    thread = await each_awaited(lambda: asyncio.to_thread(nothing), 2_000)
    say("awaited no-op; bare: asyncio.to_thread", "µs", ours, thread, "no slower")
    store = await each_awaited(p.tenant("acme").paused, 2_000)
    say("awaited look into the store; bare: asyncio.to_thread", "µs", store, thread)
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "no-ops": p.tenants,
        "requests": hibp.latest_breach,
    }
    for name, call in calls.items():
        begun = time.perf_counter()
        lag = await lag_under([call] * 1_000)
        say(f"1,000 {name} awaited at once", "/s", 1_000 / (time.perf_counter() - begun))
        say(f"longest lag of a 10 ms heartbeat under them, {name}", "ms", lag * 1e3, target="less than 50 ms")
    say("longest lag of a 10 ms heartbeat under nothing", "ms", await lag_under([]) * 1e3)


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
    await asyncio.sleep(0.05)
    heart.cancel()
    return max(lags)


async def awaited(sandbox: protect.Sandbox) -> None:
    async with sandbox.aio.open() as p, sandbox.aio.hibp() as hibp:
        await awaits(p, hibp)


def main() -> None:
    with protect.Sandbox(rate_limits=False) as sandbox:
        with sandbox.open() as p:
            scalar_calls(sandbox, p)
        with sandbox.hibp() as hibp:
            model_calls(hibp.breaches())
        asyncio.run(awaited(sandbox))


if __name__ == "__main__":
    main()
