"""What comes in, for web servers: `wsgi(p)` and `asgi(p)` are applications over an opened engine."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from protect._generated import engine, engine_aio
from protect._generated.engine_models import WebResponse

_Environ = Mapping[str, Any]
_StartResponse = Callable[..., Any]
_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Response:
    """What to answer."""

    status: int
    """The status."""
    headers: list[tuple[str, str]]
    """Pairs of name and value; a name may come more than once."""
    body: bytes
    """The body."""

    @staticmethod
    def _of(answer: WebResponse) -> Response:
        headers = [(header.name, header.value) for header in answer.headers]
        return Response(answer.status, headers, base64.b64decode(answer.body))


def handle(
    p: engine.Protect,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    peer: str | None = None,
) -> Response:
    """Answers one request.

    Args:
        p: the opened engine.
        method: `GET`.
        path: with its query, as it came.
        headers: by name; of a name that came more than once the values, joined.
        body: as it came.
        peer: the network address that it comes from, where it is known: whoever signs a policy signs from there.
    """
    encoded = base64.b64encode(body).decode("ascii")
    return Response._of(p.exchange(method, path, dict(headers), body=encoded, peer=peer))


async def handle_async(
    p: engine_aio.Protect,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    peer: str | None = None,
) -> Response:
    """As `handle`, to be awaited, over `protect.aio.open(...)`."""
    encoded = base64.b64encode(body).decode("ascii")
    return Response._of(await p.exchange(method, path, dict(headers), body=encoded, peer=peer))


def wsgi(p: engine.Protect) -> Callable[[_Environ, _StartResponse], Iterable[bytes]]:
    """An application for servers that speak WSGI (PEP 3333)."""

    def application(environ: _Environ, start_response: _StartResponse) -> Iterable[bytes]:
        headers = {
            key[5:].replace("_", "-").lower(): str(value)
            for key, value in environ.items()
            if key.startswith("HTTP_")
        }
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = str(environ["CONTENT_TYPE"])
        # A WSGI path is decoded; what must be encoded is encoded again.
        from urllib.parse import quote

        path = quote(str(environ.get("PATH_INFO") or "/").encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
        if environ.get("QUERY_STRING"):
            path = f"{path}?{environ['QUERY_STRING']}"
        method = str(environ["REQUEST_METHOD"])
        try:
            length = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        # One byte more than is taken there is enough to be refused.
        body = environ["wsgi.input"].read(min(length, p.body_limit(method, path) + 1)) if length > 0 else b""
        answer = handle(p, method, path, headers, body, _address(environ.get("REMOTE_ADDR")))
        start_response(f"{answer.status} {_reason(answer.status)}", answer.headers)
        return [answer.body]

    return application


def asgi(p: engine_aio.Protect) -> Callable[[_Scope, _Receive, _Send], Awaitable[None]]:
    """An application for servers that speak ASGI 3."""

    async def application(scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("only HTTP is answered here")
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            joint = "; " if key == "cookie" else ", "
            headers[key] = f"{headers[key]}{joint}{text}" if key in headers else text
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode("latin-1")
        if scope.get("query_string"):
            path = f"{path}?{scope['query_string'].decode('latin-1')}"
        limit = await p.body_limit(scope["method"], path)
        parts, length, more = [], 0, True
        while more and length <= limit:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            more = message.get("more_body", False)
        body = b"".join(parts)
        client = scope.get("client")
        peer = _address(client[0] if client else None)
        answer = await handle_async(p, scope["method"], path, headers, body, peer)
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer.body})

    return application


def _address(text: Any) -> str | None:
    """A network address; nothing for a socket that has none."""
    from ipaddress import ip_address

    try:
        return str(ip_address(str(text)))
    except ValueError:
        return None


def _reason(status: int) -> str:
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
