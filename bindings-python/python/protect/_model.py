"""What every generated model can do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

if TYPE_CHECKING:
    from protect._codec import Field

M = TypeVar("M", bound="Model")


class Model:
    """Data with names and types. Cannot be changed; `dataclasses.replace` makes another one."""

    __slots__ = ()

    _fields: ClassVar[tuple[Field, ...]] = ()

    @classmethod
    def from_dict(cls: type[M], plain: Mapping[str, Any]) -> M:
        """Reads the plain form. Fields that this version does not know are kept in `extra`."""
        known: dict[str, Any] = {}
        rest = dict(plain)
        for field in cls._fields:
            value = rest.pop(field.json, None)
            if value is not None:
                known[field.name] = field.codec.decode(value)
        make: Any = cls
        return cast(M, make(**known, extra=MappingProxyType(rest)))

    def to_dict(self) -> dict[str, Any]:
        """The plain form: what `--json` prints, ready for `json.dumps`."""
        plain: dict[str, Any] = {}
        for field in self._fields:
            value = getattr(self, field.name)
            if value is not None:
                plain[field.json] = field.codec.encode(value)
            elif field.required:
                plain[field.json] = None
        extra: Mapping[str, Any] = getattr(self, "extra", {})
        plain.update(extra)
        return plain

    def __repr__(self) -> str:
        """Shows no e-mail address: a repr ends up in logs."""
        shown = ", ".join(
            f"{field.name}={_shown(getattr(self, field.name))}" for field in self._fields
        )
        return f"{type(self).__name__}({shown})"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return "'…'" if "@" in value else repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_shown(k)}: {_shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    return repr(value)
