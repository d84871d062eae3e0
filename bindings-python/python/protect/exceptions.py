"""What goes wrong, one class for each kind."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from typing import Any, ClassVar

__all__ = [
    "CancelledError",
    "ConfigInvalidError",
    "ConflictError",
    "InvalidInputError",
    "InvalidResponseError",
    "NotFoundError",
    "PermissionDeniedError",
    "ProtectError",
    "QuotaExceededError",
    "RateLimitedError",
    "RefusedError",
    "StoreError",
    "TimeoutError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnexpectedError",
    "UnsupportedError",
]


class ProtectError(Exception):
    """Why a call failed. Holds no secret, token, address or full URL."""

    kind: str
    """What went wrong, such as `rate_limited`."""
    retryable: bool
    """Whether the same call may succeed later."""
    retry: str
    """The finer answer to the same question: `permanent`, `temporary`, or `persistent`, after which an
    outer loop must not try again at once."""
    retry_after: float | None
    """Seconds that the vendor asked us to wait."""
    operation: str
    """The operation that failed, such as `onepassword.suspend_user`."""
    http_status: int | None
    """The HTTP status that was answered."""
    context: Mapping[str, str]
    """Facts such as tenant, connection, field."""

    def __init__(
        self,
        message: str,
        *,
        kind: str = "unexpected",
        retryable: bool = False,
        retry: str | None = None,
        retry_after: float | None = None,
        operation: str = "",
        http_status: int | None = None,
        context: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
        self.retry = retry or ("temporary" if retryable else "permanent")
        self.retry_after = retry_after
        self.operation = operation
        self.http_status = http_status
        self.context = dict(context or {})

    def to_dict(self) -> dict[str, Any]:
        """The envelope as plain data, the same in all languages."""
        wait = self.retry_after
        return {
            "kind": self.kind,
            "message": str(self),
            "retryable": self.retryable,
            "retry": self.retry,
            "retry_after_ms": None if wait is None else round(wait * 1000),
            "operation": self.operation,
            "http_status": self.http_status,
            "context": dict(self.context),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {
            "kind": self.kind,
            "retryable": self.retryable,
            "retry": self.retry,
            "retry_after": self.retry_after,
            "operation": self.operation,
            "http_status": self.http_status,
            "context": dict(self.context),
        }
        return _rebuild, (type(self), str(self), fields)


class ConfigInvalidError(ProtectError):
    """The configuration is wrong; the context names tenant, connection and field."""


class UnauthenticatedError(ProtectError):
    """The vendor does not accept the credential."""


class PermissionDeniedError(ProtectError):
    """The credential is good and lacks the permission."""


class NotFoundError(ProtectError):
    """The thing asked for is not there."""


class ConflictError(ProtectError):
    """Somebody else changed it first, or the state forbids the change."""


class RateLimitedError(ProtectError):
    """Too many requests; `retry_after` says when to come back."""


class QuotaExceededError(ProtectError):
    """The plan's quota is used up; waiting a little does not help."""


class UnsupportedError(ProtectError):
    """The connector, plan or build cannot do this at all."""


class InvalidInputError(ProtectError, ValueError):
    """The caller passed something that cannot be right."""


class InvalidResponseError(ProtectError):
    """The vendor answered something that is not what its documentation promises."""


class TimeoutError(ProtectError, builtins.TimeoutError):
    """The deadline passed; whether the vendor acted is not known."""


class UnavailableError(ProtectError):
    """The vendor or the network is not there at the moment."""


class CancelledError(ProtectError):
    """The caller gave up."""


class RefusedError(ProtectError):
    """A guard or a rule of the tenant forbids it."""


class StoreError(ProtectError):
    """The stored data is damaged, locked, full, or newer than this program."""


class UnexpectedError(ProtectError):
    """A defect in this library."""


_CLASSES: dict[str, type[ProtectError]] = {
    "config_invalid": ConfigInvalidError,
    "unauthenticated": UnauthenticatedError,
    "permission_denied": PermissionDeniedError,
    "not_found": NotFoundError,
    "conflict": ConflictError,
    "rate_limited": RateLimitedError,
    "quota_exceeded": QuotaExceededError,
    "unsupported": UnsupportedError,
    "invalid_input": InvalidInputError,
    "invalid_response": InvalidResponseError,
    "timeout": TimeoutError,
    "unavailable": UnavailableError,
    "cancelled": CancelledError,
    "refused": RefusedError,
    "store": StoreError,
    "unexpected": UnexpectedError,
}


def _from_envelope(text: str) -> ProtectError:
    """The exception for an error envelope; called by the native half."""
    envelope: dict[str, Any] = json.loads(text)
    wait = envelope.get("retry_after_ms")
    return _CLASSES.get(envelope["kind"], ProtectError)(
        envelope["message"],
        kind=envelope["kind"],
        retryable=envelope["retryable"],
        retry=envelope["retry"],
        retry_after=None if wait is None else wait / 1000,
        operation=envelope["operation"],
        http_status=envelope["http_status"],
        context=envelope["context"],
    )


def _rebuild(kind: type[ProtectError], message: str, fields: dict[str, Any]) -> ProtectError:
    return kind(message, **fields)
