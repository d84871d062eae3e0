"""What comes in, answered for servers that speak WSGI and ASGI."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import http.client
import io
import json
import threading
import time
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import protect
from protect import aio, web

SECRET = "s" * 40
CONFIG: dict[str, Any] = {
    "mode": "enforce",
    "store": {"kind": "memory"},
    "connections": {
        "hub": {"kind": "hub", "scan": {"sso_secret": protect.secret(SECRET)}, "tenants": ["*"]}
    },
    "tenants": {
        "acme": {"name": "Acme", "connectors": {"hub": {"connection": "hub", "organisation_id": "org-1"}}},
        "beta": {"name": "Beta", "connectors": {"hub": {"connection": "hub", "organisation_id": "org-2"}}},
    },
}


def _token(role: str) -> str:
    def encoded(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    now = int(time.time())
    claims = {
        "sub": "u-1",
        "email": "a@acme.example",
        "tenant_id": "org-1",
        "role": role,
        "iat": now,
        "exp": now + 60,
        "jti": f"{role}-{time.monotonic_ns()}",
    }
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(claims)}"
    digest = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def test_a_session_begins_with_a_token_of_hub_and_reaches_its_own_tenant_alone() -> None:
    with protect.open(CONFIG) as p:
        landed = web.handle(p, "GET", f"/auth/hub-sso?token={_token('viewer')}", {})
        assert landed.status == 303
        cookie = dict(landed.headers)["set-cookie"].split(";")[0]
        page = web.handle(p, "GET", "/t/acme/", {"cookie": cookie, "accept": "text/html"})
        assert page.status == 200 and b"protection score" in page.body
        assert dict(page.headers)["content-security-policy"].startswith("default-src 'none'")
        assert web.handle(p, "GET", "/t/beta/", {"cookie": cookie}).status == 404
        approve = "/t/acme/api/plans/x/approve"
        assert web.handle(p, "POST", approve, {"cookie": cookie}, b"{}").status == 403
        assert web.handle(p, "POST", "/in/acme/hub/x", {}, bytes(5 * 1024 * 1024)).status == 413


def test_a_wsgi_server_is_answered() -> None:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    with protect.open(CONFIG) as p:
        application = web.wsgi(p)
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/auth/hub-sso",
            "QUERY_STRING": f"token={_token('admin')}",
            "wsgi.input": io.BytesIO(b""),
        }
        body = application(environ, lambda status, headers: started.append((status, headers)))
        assert b"".join(body) == b""
    status, headers = started[0]
    assert status == "303 See Other"
    assert dict(headers)["set-cookie"].startswith("__Host-protect_session=acme.")


def test_an_asgi_server_is_answered() -> None:
    sent: list[Any] = []

    async def run() -> None:
        async with aio.open(CONFIG) as p:
            application = web.asgi(p)
            scope = {
                "type": "http",
                "method": "GET",
                "path": "/t/acme/",
                "raw_path": b"/t/acme/",
                "query_string": b"",
                "headers": [(b"accept", b"text/html")],
            }

            async def receive() -> Any:
                return {"type": "http.request", "body": b"", "more_body": False}

            async def send(message: Any) -> None:
                sent.append(message)

            await application(scope, receive, send)

    asyncio.run(run())
    assert sent[0]["status"] == 401
    assert b"<h1>Sign in</h1>" in sent[1]["body"]


def test_whoever_serves_says_from_where_a_request_comes() -> None:
    told: list[str | None] = []

    class Told:
        def body_limit(self, *_: Any) -> int:
            return 1024

        def exchange(self, *_: Any, body: str, peer: str | None) -> Any:
            told.append(peer)
            return protect.models.WebResponse(status=204, headers=[], body="")

    class ToldLater(Told):
        async def body_limit(self, *_: Any) -> int:  # type: ignore[override]
            return 1024

        async def exchange(self, *_: Any, body: str, peer: str | None) -> Any:
            return super().exchange(body=body, peer=peer)

    environ = {"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO(), "REMOTE_ADDR": "198.51.100.7"}
    here: Any = Told()
    web.wsgi(here)(environ, lambda *_: None)
    web.wsgi(here)({**environ, "REMOTE_ADDR": ""}, lambda *_: None)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(_: Any) -> None:
        return None

    later: Any = ToldLater()
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}

    async def ask(client: Any) -> None:
        await web.asgi(later)({**scope, "client": client}, receive, send)

    asyncio.run(ask(("2001:db8::1", 4711)))
    asyncio.run(ask(None))
    assert told == ["198.51.100.7", None, "2001:db8::1", None]


def _list(size: int) -> bytes:
    """A list of employees of about as many bytes, to be looked at and not taken."""
    rows = ["work_email,last_name,job_title"]
    length = 0
    while length < size:
        rows.append(f"p{len(rows)}@acme.example,Person {len(rows)},{'x' * 150}")
        length += len(rows[-1]) + 2
    return json.dumps({"csv": "\n".join(rows), "check_only": True}).encode()


_IMPORT = "/t/acme/api/people/import"


def _answer(server: Any, path: str, body: bytes) -> tuple[int, bytes]:
    """Posts over a socket to a server of the standard library."""
    host, port = server.server_address
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {_token('admin')}"}
        try:
            connection.request("POST", path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was answered before all of it was sent
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_wsgi_server_takes_a_body_up_to_the_limit_of_its_route() -> None:
    with protect.open(CONFIG) as p:
        assert p.body_limit("POST", _IMPORT) == 16 * 1024 * 1024
        server = make_server("127.0.0.1", 0, web.wsgi(p), handler_class=_Quiet)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            status, body = _answer(server, _IMPORT, _list(6 * 1024 * 1024))
            assert status == 200, body
            assert json.loads(body)["hired"] > 30_000
            # A megabyte is what a route takes that does not say more.
            small = "/t/acme/api/people/sync"
            assert p.body_limit("POST", small) == 1024 * 1024
            status, body = _answer(server, small, bytes(1024 * 1024 + 1))
            assert (status, json.loads(body)["code"]) == (413, "PAYLOAD_TOO_LARGE")
        finally:
            server.shutdown()
            serving.join()
            server.server_close()


def test_an_asgi_server_is_read_no_further_than_the_limit_of_the_route() -> None:
    received = 0
    sent: list[Any] = []

    async def run() -> None:
        nonlocal received
        async with aio.open(CONFIG) as p:
            scope = {
                "type": "http",
                "method": "POST",
                "path": _IMPORT,
                "query_string": b"",
                "headers": [(b"authorization", f"Bearer {_token('admin')}".encode())],
            }

            async def receive() -> Any:
                nonlocal received
                received += 1024 * 1024
                return {"type": "http.request", "body": bytes(1024 * 1024), "more_body": True}

            async def send(message: Any) -> None:
                sent.append(message)

            await web.asgi(p)(scope, receive, send)

    asyncio.run(run())
    assert sent[0]["status"] == 413
    assert received == 17 * 1024 * 1024


class _Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
