"""Opening the engine."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, Generic, TypeVar, Union

from protect import _codec, _protect
from protect._client import AsyncClient, Secret
from protect._generated import engine, engine_aio
from protect.connectors import Connector, _declared, _maker

Config = Union[str, "os.PathLike[str]", Mapping[str, Any]]
"""A path to `protect.toml` or a JSON file, or the same as a dict."""

Kinds = Sequence[Union[type[Connector], Connector]]

Secrets = Mapping[str, Secret]

C = TypeVar("C", bound=AsyncClient)


class SecretValue:
    """A secret inside a configuration dict; shows itself to nobody."""

    __slots__ = ("_value",)

    def __init__(self, value: Secret) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "<secret>"

    def __copy__(self) -> SecretValue:
        return self

    def __deepcopy__(self, _: object) -> SecretValue:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a secret is not pickled")


def secret(value: Secret) -> SecretValue:
    """Marks a secret, or what gives one, where a configuration dict wants a reference."""
    return SecretValue(value)


def open(
    config: Config, *, connectors: Kinds = (), secrets: Secrets | None = None
) -> engine.Protect:
    """Opens the engine: the only road with plan, guards, approval, store and ledger.

    Args:
        config: a path to `protect.toml` or a JSON file, or the same as a dict, in which a secret
            may also be a callable or `protect.secret(value)`.
        connectors: kinds of connector written in Python, as classes or instances.
        secrets: what `{ provided = "name" }` in the configuration means, by name: strings, or
            callables that give one whenever it is needed.

    Raises:
        ConfigInvalidError: with every problem and its place.
    """
    return engine.Protect._of(_open(config, connectors, secrets))


class Opening(Generic[C]):
    """Something about to be opened: await it, or enter it with `async with`."""

    __slots__ = ("_open", "_opened")

    def __init__(self, open: Callable[[], Awaitable[C]]) -> None:
        self._open = open
        self._opened: C | None = None

    def __await__(self) -> Generator[Any, None, C]:
        return self._open().__await__()

    async def __aenter__(self) -> C:
        self._opened = await self._open()
        return self._opened

    async def __aexit__(self, *_: object) -> None:
        if self._opened is not None:
            await self._opened.close()


def open_async(
    config: Config, *, connectors: Kinds = (), secrets: Secrets | None = None
) -> Opening[engine_aio.Protect]:
    """As `protect.open`, to be awaited: `async with protect.aio.open(...) as p`."""

    async def opened() -> engine_aio.Protect:
        handle = await asyncio.to_thread(_open, config, connectors, secrets)
        return engine_aio.Protect._of(handle)

    return Opening(opened)


def _open(config: Config, connectors: Kinds, secrets: Secrets | None) -> _protect.Handle:
    kinds = [(_declared(kind), _maker(kind)) for kind in connectors]
    if isinstance(config, Mapping):
        given: dict[str, Any] = dict(secrets or {})
        plain = _without_secrets(config, given, "")
        return _protect.open(None, json.dumps(_codec.to_json(plain)), given, kinds)
    return _protect.open(os.fspath(config), None, dict(secrets or {}), kinds)


def _without_secrets(value: Any, secrets: dict[str, Any], place: str) -> Any:
    if isinstance(value, SecretValue) or callable(value):
        secrets[place] = value._value if isinstance(value, SecretValue) else value
        return {"provided": place}
    if isinstance(value, Mapping):
        return {
            key: _without_secrets(item, secrets, f"{place}.{key}".lstrip("."))
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [
            _without_secrets(item, secrets, f"{place}.{number}")
            for number, item in enumerate(value)
        ]
    return value
