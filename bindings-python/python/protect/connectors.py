"""Connectors written in Python: derive from the roles, and hand the class to `protect.open`.

```python
class Badges(protect.Scanner):
    kind = "badges"
    checks = ["badges.door.open"]

    def scan(self, request: protect.ScanRequest) -> protect.ScanPage: ...

p = protect.open(config, connectors=[Badges])
```

Every method may be `def` or `async def`. A `ProtectError` that it raises keeps its kind; any other
exception is logged under `protect`, since what it says may hold anything.
"""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Union

from protect import _codec
from protect._generated.engine_models import (
    Account,
    AccountPage,
    Action,
    Applied,
    Delivered,
    Delivery,
    Diagnosis,
    Preview,
    Probe,
    ScanPage,
    ScanRequest,
)
from protect.exceptions import ProtectError

__all__ = ["Connector", "Directory", "Remediator", "Scanner", "Setup", "Sink"]

_log = logging.getLogger("protect")


@dataclass(frozen=True)
class Setup:
    """What a connector is made from."""

    tenant: str
    """The tenant's id."""
    name: str
    """The connector's name within the tenant."""
    settings: Mapping[str, Any]
    """What the tenant set for it."""


class Connector:
    """What the roles share."""

    kind: ClassVar[str] = ""
    """The kind's name in the configuration."""
    settings: ClassVar[Mapping[str, str]] = {}
    """What a tenant may set: `text`, `integer`, `boolean`, `texts`, `duration` or `path` by name."""

    setup: Setup

    def __init__(self, setup: Setup | None = None) -> None:
        self.setup = setup or Setup("", "", {})

    def diagnose(self) -> Union[Diagnosis, Awaitable[Diagnosis]]:
        """Whether the vendor is there. Never changes anything."""
        return Diagnosis(reachable=True)


class Scanner(Connector):
    """Finds things."""

    checks: ClassVar[Sequence[str]] = ()
    """The checks it decides: `<kind>.<area>.<name>`."""
    scan_every_seconds: ClassVar[Union[int, None]] = None
    """How often scanning it makes sense."""
    state_keys: ClassVar[Sequence[str]] = ()
    """Keys under which it stores something with its pages."""

    def scan(self, request: ScanRequest) -> Union[ScanPage, Awaitable[ScanPage]]:
        """One page. The engine stores it and its cursor in one transaction, then asks for the next."""
        raise NotImplementedError


class Directory(Connector):
    """Lists accounts."""

    def list(self, cursor: Union[str, None]) -> Union[AccountPage, Awaitable[AccountPage]]:
        """One page of accounts; `cursor` is what the page before gave."""
        raise NotImplementedError

    def changes(
        self, since: str
    ) -> Union[AccountPage, None, Awaitable[Union[AccountPage, None]]]:
        """What changed since an earlier reading whose last page gave `changes_from`; None where the
        vendor does not tell, or no longer. May be left out: then accounts are always listed anew."""
        return None

    def get(self, id: str) -> Union[Account, None, Awaitable[Union[Account, None]]]:
        """One account by the vendor's id, or None where it is gone."""
        raise NotImplementedError


class Remediator(Connector):
    """Changes accounts."""

    actions: ClassVar[Mapping[str, str]] = {}
    """What it does, each with how a repeat behaves: `{"suspend_account": "state_idempotent"}`."""

    def preview(self, action: Action) -> Union[Preview, Awaitable[Preview]]:
        """What the action would do. Reads only."""
        raise NotImplementedError

    def apply(self, action: Action) -> Union[Applied, Awaitable[Applied]]:
        """Does it once and reads back. `action.id` is the idempotency key. A `ProtectError` that is
        not retryable says that nothing was changed; after anything else the engine asks `probe`."""
        raise NotImplementedError

    def probe(self, action: Action) -> Union[Probe, Awaitable[Probe]]:
        """Did it happen? Reads only."""
        raise NotImplementedError


class Sink(Connector):
    """Is told things: receives incidents, tickets, events, notices."""

    actions: ClassVar[Mapping[str, str]] = {}
    """What it receives, each with how a repeat behaves: `{"open_ticket": "search_before_create"}`."""
    templates: ClassVar[Union[Sequence[str], None]] = None
    """The texts that a rule's `template` may name, where it has any."""

    def deliver(self, delivery: Delivery) -> Union[Delivered, Awaitable[Delivered]]:
        """Delivers once; `delivery.action_id` is the idempotency key, and `delivery.note_to` names an
        open item that this is a note to. What it raises means what it means for `apply`."""
        raise NotImplementedError

    def find(
        self, kind: str, source_reference: str
    ) -> Union[Delivered, None, Awaitable[Union[Delivered, None]]]:
        """What stands open under our reference. Needed for `search_before_create` actions alone."""
        raise NotImplementedError


_ROLES: dict[str, type[Connector]] = {
    "scanner": Scanner,
    "directory": Directory,
    "remediator": Remediator,
    "sink": Sink,
}

# Methods that a role may leave out, with the class that has them.
_EXTRAS: dict[str, type[Connector]] = {"changes": Directory, "find": Sink}

_READ: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "diagnose": lambda plain: (),
    "scan": lambda plain: (ScanRequest.from_dict(plain),),
    "list": lambda plain: (plain["cursor"],),
    "changes": lambda plain: (plain["since"],),
    "get": lambda plain: (plain["id"],),
    "preview": lambda plain: (Action.from_dict(plain),),
    "apply": lambda plain: (Action.from_dict(plain),),
    "probe": lambda plain: (Action.from_dict(plain),),
    "deliver": lambda plain: (Delivery.from_dict(plain),),
    "find": lambda plain: (plain["kind"], plain["source_reference"]),
}


def _declared(kind: type[Connector] | Connector) -> str:
    """What a kind declares, as JSON for the native half."""
    of = kind if isinstance(kind, type) else type(kind)
    declared: dict[str, Any] = {
        "kind": of.kind,
        "docs": inspect.cleandoc(of.__doc__ or ""),
        "roles": [name for name, role in _ROLES.items() if issubclass(of, role)],
        "settings": dict(of.settings),
    }
    if issubclass(of, Scanner):
        declared["checks"] = list(of.checks)
        declared["scan_every_seconds"] = of.scan_every_seconds
        declared["state_keys"] = list(of.state_keys)
    if issubclass(of, (Remediator, Sink)):
        declared["actions"] = dict(of.actions)
    if issubclass(of, Sink):
        declared["templates"] = None if of.templates is None else list(of.templates)
    declared["has"] = [
        name
        for name, role in _EXTRAS.items()
        if issubclass(of, role) and getattr(of, name) is not getattr(role, name)
    ]
    return json.dumps(declared)


def _maker(kind: type[Connector] | Connector) -> Callable[[str], Callable[[str, str], Any]]:
    """What the native half calls for each connector of a kind."""

    def make(text: str) -> Callable[[str, str], Any]:
        connector = kind(Setup(**json.loads(text))) if isinstance(kind, type) else kind
        return lambda method, arguments: _dispatch(connector, method, arguments)

    return make


def _dispatch(connector: Connector, method: str, arguments: str) -> Any:
    try:
        answer = getattr(connector, method)(*_READ[method](json.loads(arguments)))
    except Exception as error:
        _say(connector, method, error)
        raise
    if inspect.isawaitable(answer):
        return _later(connector, method, answer)
    return json.dumps(_codec.to_json(answer))


async def _later(connector: Connector, method: str, answer: Awaitable[Any]) -> str:
    try:
        return json.dumps(_codec.to_json(await answer))
    except Exception as error:
        _say(connector, method, error)
        raise


def _say(connector: Connector, method: str, error: Exception) -> None:
    if not isinstance(error, ProtectError):
        _log.error("connector %s: %s raised", connector.kind, method, exc_info=error)
