"""What reading one aggregate report from Python costs, beside parsedmarc on the same bytes.

`protect-bench calls` runs it. parsedmarc is in an environment of its own, which the bench `reports` makes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

RECORDS = 50
CALLS = 20
ROUNDS = 7
"""Each figure is the median of so many rounds."""

HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <report_metadata>
    <org_name>receiver.example</org_name><email>dmarc@receiver.example</email><report_id>1</report_id>
    <date_range><begin>1709683200</begin><end>1709769599</end></date_range>
  </report_metadata>
  <policy_published><domain>example.com</domain><adkim>r</adkim><aspf>r</aspf><p>reject</p></policy_published>
"""
RECORD = """  <record>
    <row>
      <source_ip>10.0.0.{number}</source_ip><count>{number}</count>
      <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated>
    </row>
    <identifiers><header_from>example.com</header_from></identifiers>
    <auth_results>
      <dkim><domain>example.com</domain><result>pass</result><selector>s1</selector></dkim>
      <spf><domain>mail.example.com</domain><result>fail</result></spf>
    </auth_results>
  </record>
"""


def report() -> bytes:
    records = "".join(RECORD.format(number=1 + number) for number in range(RECORDS))
    return f"{HEAD}{records}</feedback>\n".encode()


def each(call: Callable[[], None]) -> float:
    """Microseconds for one call."""

    def round_of() -> float:
        begun = time.perf_counter()
        for _ in range(CALLS):
            call()
        return (time.perf_counter() - begun) / CALLS * 1e6

    return statistics.median(round_of() for _ in range(ROUNDS))


def theirs(data: bytes) -> float:
    import parsedmarc

    def call() -> None:
        read = parsedmarc.parse_aggregate_report_file(data, offline=True)
        assert len(read["records"]) == RECORDS

    return each(call)


def ours(data: bytes) -> tuple[float, float]:
    """The call by itself, and with every record looked at: a record becomes a model when it is."""
    from protect import email

    def call() -> None:
        assert len(email.parse_report(data).records) == RECORDS

    def call_and_look() -> None:
        read = email.parse_report(data)
        assert sum(record.count for record in read.records) == RECORDS * (RECORDS + 1) // 2

    return each(call), each(call_and_look)


def say(name: str, figure: float, bare: float, target: str = "") -> None:
    row = {"name": f"python: {name}", "unit": "/s", "figure": 1e6 / figure, "bare": 1e6 / bare, "target": target}
    print(json.dumps(row), flush=True)


def main() -> None:
    if sys.argv[1:] == ["parsedmarc"]:
        print(theirs(report()))
        return
    # Beside our own interpreter, below the target directory.
    homes = Path(sys.executable).parents[2].joinpath("bench").glob("parsedmarc==*/bin/python")
    peer = next(homes, None)
    if peer is None:
        print("skipped: a report read from Python: the bench `reports` installs its peer, parsedmarc")
        return
    words = [str(peer), __file__, "parsedmarc"]
    bare = float(subprocess.run(words, capture_output=True, check=True, text=True).stdout)
    call, call_and_look = ours(report())
    say("reports read, a second", call, bare, "≥ 30 times parsedmarc")
    say("reports read and each record looked at, a second", call_and_look, bare)


if __name__ == "__main__":
    main()
