"""Mail authentication: domains, from DNS alone; reports that receivers send, without asking anybody;
its models, and one call for each question."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from os import PathLike, fspath
from typing import Union, overload

from protect._client import Timeout
from protect._generated.email import Email
from protect._generated.email_models import *
from protect._generated.email_models import (
    AggregateReport,
    FailureReport,
    ReportRow,
    ReportsOverview,
    TlsReport,
)
from protect._protect import email_parse_report, email_read_reports

Report = Union[AggregateReport, FailureReport, TlsReport]
"""A report of any of the three kinds."""


def audit(
    domain: str,
    *,
    resolver: str | None = None,
    selectors: Sequence[str] | None = None,
    all_selectors: bool | None = None,
    rua: Sequence[str] | None = None,
    fetch_policies: bool | None = None,
    timeout: Timeout = None,
) -> DomainAudit:
    """Everything about a domain's mail authentication. What DNS does not answer is part of it.

    Args:
        domain: the domain.
        resolver: the name server to ask, `IP` or `IP:PORT`; the machine's own where left out.
        selectors: DKIM selectors that the domain is known to use.
        all_selectors: whether DKIM keys are looked for under every selector that many domains use,
            also where one was found; false where left out.
        rua: your own mailboxes for reports.
        fetch_policies: whether MTA-STS policies are fetched; true where left out.
        timeout: seconds for the whole; two minutes where left out.
    """
    return Email(resolver=resolver).audit(
        domain,
        selectors=selectors,
        all_selectors=all_selectors,
        rua=rua,
        fetch_policies=fetch_policies,
        timeout=timeout,
    )


def propose(
    domain: str,
    *,
    resolver: str | None = None,
    selectors: Sequence[str] | None = None,
    all_selectors: bool | None = None,
    rua: Sequence[str] | None = None,
    fetch_policies: bool | None = None,
    timeout: Timeout = None,
) -> list[Proposal]:
    """The records to publish for a domain; see `audit` for the arguments."""
    return Email(resolver=resolver).propose(
        domain,
        selectors=selectors,
        all_selectors=all_selectors,
        rua=rua,
        fetch_policies=fetch_policies,
        timeout=timeout,
    )


def spf(
    ip: str,
    sender: str,
    *,
    helo: str | None = None,
    resolver: str | None = None,
    timeout: Timeout = None,
) -> SpfDecision:
    """What a receiver would answer for one message by SPF.

    Args:
        ip: the address that the message comes from.
        sender: the sender of the envelope; empty for a bounce.
        helo: what the sending host calls itself.
        resolver: the name server to ask.
        timeout: seconds.
    """
    return Email(resolver=resolver).spf(ip, sender, helo=helo, timeout=timeout)


def parse_report(data: bytes) -> Report:
    """Reads one report from bytes: XML, JSON, gzip, a zip archive or a whole message.

    A record that cannot be used is listed under `issues` and left out. What is no report raises a
    `ProtectError` of kind `invalid_input` with the place. A report is a claim of whoever sent it.
    """
    kind, head, records = email_parse_report(data)
    plain = json.loads(head)
    if kind == "failure":
        return FailureReport.from_dict(plain)
    if kind == "tls":
        return TlsReport.from_dict(plain)
    return replace(AggregateReport.from_dict(plain), records=Rows(records))


def read_reports(path: str | PathLike[str]) -> ReportsOverview:
    """Reads a file of reports, or every file below a folder, and says what they say together.

    A report that comes twice counts once. What cannot be read is listed under `broken`.
    """
    return ReportsOverview.from_dict(json.loads(email_read_reports(fspath(path))))


class Rows(Sequence[ReportRow]):
    """The rows of a report. Each becomes a model when it is asked for: reports are long, and most
    who read one look at a few rows, or at each once.
    """

    __slots__ = ("_plain",)

    def __init__(self, plain: Sequence[str]) -> None:
        self._plain = plain

    def __len__(self) -> int:
        return len(self._plain)

    @overload
    def __getitem__(self, index: int) -> ReportRow: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> ReportRow | Rows:
        if isinstance(index, slice):
            return Rows(self._plain[index])
        return _row(self._plain[index])

    def __iter__(self) -> Iterator[ReportRow]:
        return map(_row, self._plain)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Rows):
            return self._plain == other._plain
        if isinstance(other, Sequence):
            return len(self) == len(other) and all(map(lambda a, b: a == b, self, other))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._plain))

    def __repr__(self) -> str:
        return f"Rows({len(self)})"


def _row(plain: str) -> ReportRow:
    return ReportRow.from_dict(json.loads(plain))
