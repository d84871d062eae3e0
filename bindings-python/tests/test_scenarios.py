"""The scenarios of tests/scenarios, blocking and awaited; Rust and Node run the same files."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import protect
import pytest
from protect._model import Model

FILES = sorted((Path(__file__).parents[2] / "tests" / "scenarios").glob("*.json"))
scenarios = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)

Ask = Callable[[Any, str, list[Any], dict[str, Any]], Awaitable[Any]]
"""Calls a method of a client and gives the whole answer."""


async def blocking(client: Any, name: str, given: list[Any], options: dict[str, Any]) -> Any:
    answer = getattr(client, name)(*given, **options)
    return list(answer) if isinstance(answer, Iterator) else answer


async def awaited(client: Any, name: str, given: list[Any], options: dict[str, Any]) -> Any:
    answer = getattr(client, name)(*given, **options)
    if isinstance(answer, AsyncIterator):
        return [item async for item in answer]
    return await answer


@scenarios
async def test_a_scenario_plays_in_blocking_calls(path: Path) -> None:
    await Play(path, protect, blocking).run()


@scenarios
async def test_a_scenario_plays_in_awaited_calls(path: Path) -> None:
    await Play(path, protect.aio, awaited).run()


def test_there_are_scenarios() -> None:
    assert len(FILES) > 10


class Play:
    """One scenario in one style."""

    def __init__(self, path: Path, face: Any, ask: Ask) -> None:
        self.scenario = json.loads(path.read_text())
        self.face = face
        self.ask = ask
        self.sandbox = face.Sandbox(**self.scenario.get("sandbox", {}))
        self.known: dict[str, Any] = {"kept": {}}

    async def run(self) -> None:
        for name in ("planted", "credentials", "addresses"):
            self.known[name] = await self.ask(self.sandbox, name, [], {})
        opened, client = await self.connect()
        for step in self.scenario["steps"]:
            await self.step(self.asked(opened, client, step.get("on")), step)
        for journal, wanted in {"violations": [], **self.scenario}.items():
            if journal in ("violations", "transitions", "requests"):
                seen = plain(await self.ask(self.sandbox, journal, [], {}))
                expect(seen, self.value(wanted), journal)
        for closing in (opened, self.sandbox):
            closed = closing.close()
            if inspect.isawaitable(closed):
                await closed

    def asked(self, opened: Any, client: Any, on: str | None) -> Any:
        """Whom a step asks."""
        named = {None: client, "sandbox": self.sandbox, "engine": opened}
        return named[on] if on in named else opened.tenant(on)

    async def connect(self) -> tuple[Any, Any]:
        """What is to be closed, and what is called."""
        if "client" in self.scenario:
            made = self.scenario["client"]
            client = getattr(self.face, made["class"])(**self.value(made["with"]))
            return client, client
        tenant = self.scenario["tenant"]
        config = await self.ask(self.sandbox, "config", [], {})
        for pointer, value in tenant.get("set", {}).items():
            *parents, last = pointer.split("/")[1:]
            place = config
            for name in parents:
                place = place[name]
            place[last] = self.value(value)
        more = await self.ask(self.sandbox, "connections", [], {})
        for id, names in tenant.get("connections", {}).items():
            connectors = config["tenants"][id].setdefault("connectors", {})
            for connector, name in names.items():
                config["connections"][name] = more[name]["connection"]
                own = {**more[name]["connector"], "connection": name}
                connectors[connector] = {**own, **connectors.get(connector, {})}
        if tenant.get("time") == "sandbox":
            opened = self.sandbox.engine(config)
            return opened, opened.tenant(tenant["id"])
        secrets = await self.ask(self.sandbox, "secrets", [], {})
        opened = self.face.open(config, secrets=secrets)
        if inspect.isawaitable(opened):
            opened = await opened
        return opened, opened.tenant(tenant["id"])

    async def step(self, client: Any, step: dict[str, Any]) -> None:
        given, options = self.value(step.get("given", [])), self.value(step.get("options", {}))
        place = step["do"]
        if "fails" in step:
            with pytest.raises(protect.ProtectError) as caught:
                await self.ask(client, step["do"], given, options)
            expect(caught.value.to_dict(), self.value(step["fails"]), place)
            return
        answer = await self.ask(client, step["do"], given, options)
        if "gives" in step:
            expect(plain(answer), self.value(step["gives"]), place)
        if "as" in step:
            self.known["kept"][step["as"]] = answer

    def value(self, written: Any) -> Any:
        """What is written, with what its `$` texts stand for."""
        if isinstance(written, dict):
            return {key: self.value(item) for key, item in written.items()}
        if isinstance(written, list):
            return [self.value(item) for item in written]
        if not (isinstance(written, str) and written.startswith("$")):
            return written
        first, second, *path = written[1:].split(".")
        found = self.known[first]
        found = found[second] if first == "kept" else getattr(found, second)
        for name in path:
            found = plain(found)
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found


def plain(answer: Any) -> Any:
    if isinstance(answer, Model):
        return answer.to_dict()
    if isinstance(answer, (list, tuple)):
        return [plain(item) for item in answer]
    return dict(answer) if isinstance(answer, Mapping) else answer


def expect(seen: Any, wanted: Any, place: str) -> None:
    """An object has at least these fields; a list has exactly these items."""
    if isinstance(wanted, dict) and "$count" in wanted:
        assert len(seen) == wanted["$count"], f"{place}: {seen}"
    elif isinstance(wanted, dict) and "$has" in wanted:
        assert any(fits(item, wanted["$has"]) for item in seen), f"{place}: {seen}"
    elif isinstance(wanted, dict) and "$none" in wanted:
        assert not any(fits(item, wanted["$none"]) for item in seen), f"{place}: {seen}"
    elif isinstance(wanted, dict) and "$all" in wanted:
        for one in wanted["$all"]:
            expect(seen, one, place)
    elif isinstance(wanted, dict):
        assert isinstance(seen, dict), f"{place}: {seen}"
        for key, value in wanted.items():
            expect(seen.get(key), value, f"{place}.{key}")
    elif isinstance(wanted, list):
        assert len(seen) == len(wanted), f"{place}: {seen}"
        for number, (one, value) in enumerate(zip(seen, wanted)):
            expect(one, value, f"{place}.{number}")
    else:
        assert seen == wanted, f"{place}: {seen}"


def fits(seen: Any, wanted: Any) -> bool:
    try:
        expect(seen, wanted, "")
    except AssertionError:
        return False
    return True
