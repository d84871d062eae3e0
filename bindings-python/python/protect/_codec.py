"""How values cross between Python and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, NamedTuple

from protect._model import Model


class Codec(NamedTuple):
    """One direction each."""

    decode: Callable[[Any], Any]
    encode: Callable[[Any], Any]


class Field(NamedTuple):
    """A field of a model: its names, its codec, and whether JSON always has it."""

    json: str
    name: str
    codec: Codec
    required: bool


def nothing() -> Mapping[str, Any]:
    """An empty mapping that nobody can change."""
    return MappingProxyType({})


def to_json(value: Any) -> Any:
    """Any argument as JSON: models, moments and what holds them."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, datetime):
        return _write_time(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(item) for item in value]
    return value


def heard(kind: Any, callback: Callable[[Any], object] | None) -> Callable[[Any], object] | None:
    """A callback for a model as one for its plain form."""
    if callback is None:
        return None
    decode = model(kind).decode
    return lambda plain: callback(decode(plain))


def several(inner: Codec) -> Codec:
    """A list of something."""
    return Codec(
        lambda plain: tuple(inner.decode(item) for item in plain),
        lambda value: [inner.encode(item) for item in value],
    )


def by_name(inner: Codec) -> Codec:
    """Something by name."""
    return Codec(
        lambda plain: MappingProxyType({key: inner.decode(item) for key, item in plain.items()}),
        lambda value: {key: inner.encode(item) for key, item in value.items()},
    )


def model(kind: Any) -> Codec:
    """A model; words are what they are."""
    if isinstance(kind, type) and issubclass(kind, Model):
        return Codec(kind.from_dict, to_json)
    return PLAIN


def _read_time(text: Any) -> datetime:
    """Python's clock has microseconds; finer digits are cut off."""
    whole, _, rest = str(text).replace("Z", "+00:00").partition(".")
    if not rest:
        return datetime.fromisoformat(whole)
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return datetime.fromisoformat(f"{whole}.{digits[:6]:0<6}{rest[len(digits):]}")


def _write_time(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("a datetime needs a time zone, such as timezone.utc")
    return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


PLAIN = Codec(lambda plain: plain, to_json)
OBJECT = Codec(lambda plain: MappingProxyType(dict(plain)), to_json)
TIMESTAMP = Codec(_read_time, _write_time)
