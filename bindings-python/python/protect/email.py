"""Mail authentication: reports that receivers send, read without asking anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from os import PathLike, fspath
from typing import Union, overload

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
