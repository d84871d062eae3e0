"""The scenarios of tests/scenarios, blocking and awaited; Rust and Node run the same files."""

from __future__ import annotations

import html
import inspect
import io
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import protect
import pytest
from protect import log, web
from protect._model import Model

FILES = sorted((Path(__file__).parents[2] / "tests" / "scenarios").glob("*.json"))
scenarios = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)

LISTS = ("findings", "incidents", "plans", "actions", "tickets", "accounts", "verdicts", "monitor_list")
"""What a tenant's own program reads of it."""

PAGES = ("", "api/me", "api/overview", "api/findings", "api/incidents", "api/plans", "api/evidence")
"""Where a look around begins: the first page, and what none links to."""

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


Get = Callable[[Any, str, dict[str, str]], Awaitable[tuple[int, dict[str, str], str]]]
"""Asks a web server over an engine for a path: status, headers and text."""


async def over_wsgi(opened: Any, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
    started: list[Any] = []
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    body = b"".join(web.wsgi(opened)(environ, lambda *head: started.extend(head)))
    return int(started[0].split()[0]), dict(started[1]), body.decode()


async def over_asgi(opened: Any, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
    sent: list[Any] = []
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await web.asgi(opened)(scope, receive, send)
    begun, *bodies = sent
    shown = {name.decode(): value.decode() for name, value in begun["headers"]}
    return begun["status"], shown, b"".join(it["body"] for it in bodies).decode()


@scenarios
async def test_a_scenario_plays_in_blocking_calls(path: Path) -> None:
    await Play(path, protect, blocking, over_wsgi).run()


@scenarios
async def test_a_scenario_plays_in_awaited_calls(path: Path) -> None:
    await Play(path, protect.aio, awaited, over_asgi).run()


def test_there_are_scenarios() -> None:
    assert len(FILES) > 10


class Play:
    """One scenario in one style."""

    def __init__(self, path: Path, face: Any, ask: Ask, get: Get) -> None:
        self.scenario = json.loads(path.read_text())
        self.face = face
        self.ask = ask
        self.get = get
        self.lines: list[log.LogLine] = []
        self.sandbox = face.Sandbox(**self.scenario.get("sandbox", {}))
        self.known: dict[str, Any] = {"kept": {}}

    async def run(self) -> None:
        for name in ("planted", "credentials", "addresses"):
            self.known[name] = await self.ask(self.sandbox, name, [], {})
        log.send_to(self.lines.append, level="trace")
        opened, client = await self.connect()
        for step in self.scenario["steps"]:
            await self.step(self.asked(opened, client, step.get("on")), step)
        for journal, wanted in {"violations": [], **self.scenario}.items():
            if journal in ("violations", "transitions", "requests"):
                seen = plain(await self.ask(self.sandbox, journal, [], {}))
                expect(seen, self.value(wanted), journal)
        apart = self.value(self.scenario.get("apart", {}))
        looked = [await self.look_around(opened, tenant, apart) for tenant in apart]
        for tenant, paths in zip(apart, looked):
            await self.look_at_others(opened, tenant, {it for other in looked for it in other} - paths, apart)
        log.stop()
        if "log" in self.scenario:
            expect([line.to_dict() for line in self.lines], self.scenario["log"], "log")
        for line in self.lines if apart else []:
            text = json.dumps(line.to_dict())
            named = {tenant for tenant in apart for word in apart[tenant]["words"] if word in text}
            assert len(named | {line.tenant} - {None}) <= 1, text
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

    async def look_around(self, opened: Any, tenant: str, apart: dict[str, Any]) -> set[str]:
        """Everything that a tenant's own program and staff see; gives the paths of the pages."""
        for name in LISTS:
            rows = plain(await self.ask(opened.tenant(tenant), name, [], {}))
            self.assert_apart(json.dumps(rows), tenant, apart, name)
        cookie = await self.sign_in(opened, tenant, apart)
        seen: dict[str, str] = {}
        waiting = [f"/t/{tenant}/{path}" for path in PAGES]
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            status, _, text = await self.get(opened, path, {"cookie": cookie, "accept": "text/html"})
            assert status == 200, f"{path}: {status} {text}"
            seen[path] = text
            self.assert_apart(text, tenant, apart, path)
            links = [html.unescape(link) for link in re.findall(r'href="(/[^"]*)', text)]
            waiting += [link.partition("#")[0] for link in links if link.startswith("/t/")]
        together = "".join(seen.values())
        assert [word for word in apart[tenant]["shown"] if word not in together] == []
        return set(seen)

    async def look_at_others(
        self, opened: Any, tenant: str, paths: set[str], apart: dict[str, Any]
    ) -> None:
        cookie = await self.sign_in(opened, tenant, apart)
        assert paths
        for path in paths:
            status, _, text = await self.get(opened, path, {"cookie": cookie})
            assert status in (403, 404), f"{path}: {status}"
            self.assert_apart(text, tenant, apart, path)

    async def sign_in(self, opened: Any, tenant: str, apart: dict[str, Any]) -> str:
        options = {"email": f"staff@{tenant}.example"}
        organisation = apart[tenant]["organisation"]
        token = await self.ask(self.sandbox, "hub_token", [organisation], options)
        status, headers, _ = await self.get(opened, f"/auth/hub-sso?token={token}", {})
        assert status == 303
        return headers["set-cookie"].split(";")[0]

    def assert_apart(self, text: str, tenant: str, apart: dict[str, Any], place: str) -> None:
        others = {word for other in apart if other != tenant for word in apart[other]["words"]}
        assert [word for word in others if word in text] == [], f"{tenant}, {place}: {text}"

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
