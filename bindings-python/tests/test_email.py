"""Mail authentication from Python, against a name server of three lines."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import protect

NXDOMAIN = 3
REFUSED = 5

NameServer = Callable[[int], str]


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    """Starts name servers that answer every question with one code; -1 is silence."""
    sockets: list[socket.socket] = []

    def start(code: int) -> str:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 0))
        sockets.append(server)
        threading.Thread(target=answer, args=(server, code), daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in sockets:
        server.close()


def answer(server: socket.socket, code: int) -> None:
    while True:
        try:
            question, address = server.recvfrom(4096)
        except OSError:
            return
        if code >= 0:
            flags = bytes([question[2] | 0x80, (question[3] & 0xF0) | code])
            server.sendto(question[:2] + flags + question[4:], address)


def test_what_is_not_answered_is_unknown_and_not_missing(name_server: NameServer) -> None:
    audit = protect.email.audit("b.example", resolver=name_server(REFUSED), timeout=30)
    assert audit.domain == "b.example"
    assert not audit.complete
    assert audit.score.total is None
    verdicts = {result.check: result.verdict for result in audit.results}
    assert verdicts["email.dmarc.missing"] == "not_evaluated"


def test_a_name_that_does_not_exist_gets_records_to_publish(name_server: NameServer) -> None:
    server = name_server(NXDOMAIN)
    names = [proposal.name for proposal in protect.email.propose("b.example", resolver=server)]
    assert "_dmarc.b.example" in names
    assert protect.email.spf("192.0.2.1", "a@b.example", resolver=server).result == "none"


def test_it_can_be_awaited_and_gives_up_in_time(name_server: NameServer) -> None:
    audit = asyncio.run(protect.aio.email.audit("b.example", resolver=name_server(REFUSED)))
    assert not audit.complete
    with pytest.raises(protect.ProtectError) as caught:
        protect.email.audit("b.example", resolver=name_server(-1), timeout=0.2)
    assert caught.value.kind == "timeout"


def test_what_is_no_domain_is_refused() -> None:
    with pytest.raises(protect.ProtectError) as caught:
        protect.email.audit("a..b")
    assert caught.value.kind == "invalid_input"


REPORT = Path(__file__).parents[2] / "tests/mail/report.xml"


def test_a_report_is_read_with_what_could_not_be_used_beside_it() -> None:
    for data in (REPORT.read_bytes(), gzip.compress(REPORT.read_bytes())):
        report = protect.email.parse_report(data)
        assert isinstance(report, protect.email.AggregateReport)
        [row] = report.records
        assert (row.source_ip, row.count, row.header_from) == ("192.0.2.7", 12, "acme.example")
        assert report.issues is not None
        assert (report.issues.records_lost, len(report.issues.listed)) == (1, 1)
        assert report.to_dict()["records"][0]["source_ip"] == "192.0.2.7"


def test_a_web_page_is_no_report() -> None:
    with pytest.raises(protect.ProtectError) as raised:
        protect.email.parse_report(b"<html><body>no</body></html>")
    assert raised.value.kind == "invalid_input"


def test_a_folder_of_reports_is_summed_up_and_a_report_that_comes_twice_counts_once(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.xml").write_bytes(REPORT.read_bytes())
    (tmp_path / "b.xml.gz").write_bytes(gzip.compress(REPORT.read_bytes()))
    overview = protect.email.read_reports(tmp_path)
    assert overview == asyncio.run(protect.aio.email.read_reports(tmp_path))
    assert (overview.tally.reports, overview.tally.duplicates) == (1, 1)
    [domain] = overview.domains
    assert domain.domain == "acme.example"
