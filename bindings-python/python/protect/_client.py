"""What every generated class stands on: one handle, called by name with JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar, Union
from weakref import WeakKeyDictionary, ref

from protect import _codec
from protect._protect import Handle, Inbox, connect

T = TypeVar("T")
B = TypeVar("B", bound="Base")

Secret = Union[str, Callable[[], str], Callable[[], Awaitable[str]]]
"""A secret, or what gives one whenever it is needed: `def` or `async def`."""

Timeout = Union[float, timedelta, None]
"""Seconds, or a span of time. `None` means two minutes for a vendor's own client; the engine has
limits of its own."""

Progress = Union[Callable[[Any], object], None]


class Base:
    """Holds the handle."""

    __slots__ = ("_handle",)

    _handle: Handle

    def _connect(self, kind: str, plain: dict[str, Any], secrets: dict[str, Secret | None]) -> None:
        given = {name: secret for name, secret in secrets.items() if secret is not None}
        references = {name: {"provided": name} for name in given}
        self._handle = connect(kind, _arguments({**plain, **references}), given)

    @classmethod
    def _of(cls: type[B], handle: Handle) -> B:
        made = cls.__new__(cls)
        made._handle = handle
        return made

    def _open(self, operation: str, arguments: dict[str, Any]) -> Handle:
        return self._handle.open(operation, _arguments(arguments))

    @contextmanager
    def _secrets(self, secrets: Mapping[str, Secret]) -> Iterator[dict[str, Any]]:
        """References to secrets that are forgotten after the call."""
        names = {name: self._handle.provide(secret) for name, secret in secrets.items()}
        try:
            yield {name: {"provided": provided} for name, provided in names.items()}
        finally:
            for provided in names.values():
                self._handle.withdraw(provided)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Client(Base):
    """Calls and waits, without holding the interpreter; Ctrl-C ends a call."""

    __slots__ = ()

    def _call(
        self,
        operation: str,
        arguments: dict[str, Any],
        timeout: Timeout,
        progress: Progress = None,
    ) -> Any:
        heard = None
        if progress is not None:
            tell = progress

            def heard(text: str) -> object:
                return tell(json.loads(text))

        return json.loads(
            self._handle.call(operation, _arguments(arguments), _seconds(timeout), heard)
        )

    def _stream(
        self,
        read: Callable[[Mapping[str, Any]], T],
        operation: str,
        arguments: dict[str, Any],
        timeout: Timeout,
    ) -> Iterator[T]:
        cursor: str | None = None
        while True:
            page = self._call(operation, {**arguments, "cursor": cursor}, timeout)
            for item in page["items"]:
                yield read(item)
            cursor = page["cursor"]
            if cursor is None:
                return

    def close(self) -> None:
        """Lets go of connections and files, which are no longer in use then."""
        self._handle.close()

    def __enter__(self: B) -> B:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(Base):
    """Calls and is awaited; cancelling the task closes the connection."""

    __slots__ = ()

    async def _call(
        self,
        operation: str,
        arguments: dict[str, Any],
        timeout: Timeout,
        progress: Progress = None,
    ) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()

        def settle(answer: str | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            elif answer is not None:
                future.set_result(answer)

        heard = None
        if progress is not None:
            tell = progress

            def heard(text: str, _: None) -> None:
                try:
                    tell(json.loads(text))
                except Exception as raised:
                    settle(None, raised)

        call = self._handle.start(
            operation,
            _arguments(arguments),
            settle,
            _inbox(loop),
            loop,
            _seconds(timeout),
            heard,
        )
        if isinstance(call, str):
            return json.loads(call)
        try:
            return json.loads(await future)
        finally:
            call.cancel()

    async def _stream(
        self,
        read: Callable[[Mapping[str, Any]], T],
        operation: str,
        arguments: dict[str, Any],
        timeout: Timeout,
    ) -> AsyncIterator[T]:
        cursor: str | None = None
        while True:
            page = await self._call(operation, {**arguments, "cursor": cursor}, timeout)
            for item in page["items"]:
                yield read(item)
            cursor = page["cursor"]
            if cursor is None:
                return

    async def close(self) -> None:
        """Lets go of connections and files, which are no longer in use then."""
        self._handle.close()

    async def __aenter__(self: B) -> B:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


_inboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, Inbox] = WeakKeyDictionary()
"""What the engine's threads have for each loop."""


def _inbox(loop: asyncio.AbstractEventLoop) -> Inbox:
    inbox = _inboxes.get(loop)
    if inbox is None:
        inbox = _inboxes[loop] = Inbox(partial(_wake, ref(loop)))
    return inbox


def _wake(loop_ref: ref[asyncio.AbstractEventLoop], inbox: Inbox) -> None:
    """Runs on a thread of the engine."""
    loop = loop_ref()
    if loop is not None and not loop.is_closed():
        loop.call_soon_threadsafe(_empty, inbox)


def _empty(inbox: Inbox) -> None:
    for receive, answer, error in inbox.take():
        receive(answer, error)


def _arguments(arguments: Mapping[str, Any]) -> str:
    """What was left out is absent."""
    given = {name: value for name, value in arguments.items() if value is not None}
    return json.dumps(_codec.to_json(given))


def _seconds(timeout: Timeout) -> float | None:
    if isinstance(timeout, timedelta):
        return timeout.total_seconds()
    return timeout
