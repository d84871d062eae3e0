"""What protect logs, for Python's `logging` or a function of one's own. It is silent until it is asked."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from protect._generated.log_models import *
from protect._protect import log_send_to, log_stop

_LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": 5,
}


def send_to(receive: logging.Logger | Callable[[LogLine], object], *, level: LogLevel = "warn") -> None:
    """Has every line of this process told to a logger or to a function, in place of whoever was told before.

    A logger's records have `tenant` and `fields` beside their message, for filters and formatters. Lines come
    in order, on a thread of their own; one that comes faster than they are taken is dropped, and told to have
    been. The child of a fork calls this again.

    Args:
        receive: `logging.getLogger("protect")`, say.
        level: from which level up.
    """
    tell = _logger(receive) if isinstance(receive, logging.Logger) else receive
    log_send_to(level, lambda line: tell(LogLine.from_dict(json.loads(line))))


def stop() -> None:
    """Tells nobody any more, once every line until now is told."""
    log_stop()


def _logger(logger: logging.Logger) -> Callable[[LogLine], object]:
    def tell(line: LogLine) -> None:
        facts = {"tenant": line.tenant, **line.fields}
        shown = [f"{name}={value}" for name, value in facts.items() if value is not None]
        message = " ".join([line.message, *shown])
        extra = {"tenant": line.tenant, "fields": dict(line.fields)}
        logger.log(_LEVELS.get(line.level, logging.INFO), "%s", message, extra=extra)

    return tell
