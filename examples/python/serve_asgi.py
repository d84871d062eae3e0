"""The pages and what comes in, by any server that speaks ASGI: `uvicorn serve_asgi:application`."""

from __future__ import annotations

import os
from typing import Any

from protect import aio, web

_opened: list[Any] = []


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Opens the engine when the server starts, and closes it when it stops."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                _opened.append(await aio.open(os.environ.get("PROTECT_CONFIG", "protect.toml")))
                await send({"type": "lifespan.startup.complete"})
            else:
                await _opened.pop().close()
                await send({"type": "lifespan.shutdown.complete"})
                return
    await web.asgi(_opened[0])(scope, receive, send)
