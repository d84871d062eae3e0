"""Called by the native half, on its own threads."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


def run(
    function: Callable[..., Any],
    event_loop: asyncio.AbstractEventLoop | None,
    arguments: tuple[Any, ...],
) -> Any:
    """Calls a function and waits for its coroutine, on the caller's loop where there is one."""
    answer = function(*arguments)
    if not inspect.isawaitable(answer):
        return answer
    if event_loop is not None and event_loop.is_running():
        return asyncio.run_coroutine_threadsafe(_awaited(answer), event_loop).result()
    return asyncio.run(_awaited(answer))


async def _awaited(answer: Any) -> Any:
    return await answer
