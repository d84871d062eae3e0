"""What comes in, answered for servers that speak WSGI and ASGI."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io
import json
import time
from typing import Any

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
