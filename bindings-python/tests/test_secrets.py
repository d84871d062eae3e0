"""No secret is shown: whatever is printed, pickled, logged or stored."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import protect
import pytest
from protect import OnePassword, Sandbox
from protect._model import Model

CANARY = "canary-7f3a91"


def shows(value: object) -> Iterator[str]:
    """Every way in which a program could show a value."""
    yield from (repr(value), str(value), f"{value}", ascii(value))
    if isinstance(value, BaseException):
        yield "".join(traceback.TracebackException.from_exception(value).format())
        yield repr(value.args)
    if isinstance(value, (Model, protect.ProtectError)):
        yield json.dumps(value.to_dict())
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        try:
            yield repr(way(value))
        except Exception as error:
            yield str(error)
    for name in dir(value):
        if not (name.startswith("_") or callable(getattr(value, name, None))):
            yield repr(getattr(value, name))


def assert_hidden(*values: object) -> None:
    for value in values:
        for shown in shows(value):
            assert CANARY not in shown


@pytest.fixture
def canaries(protect_sandbox: Sandbox) -> dict[str, str]:
    """A secret for every credential that the vendors will not accept."""
    return {name: f"{CANARY}-{name}" for name in protect_sandbox.secrets()}


def test_a_client_and_its_errors_show_none(protect_sandbox: Sandbox) -> None:
    accepted, where = protect_sandbox.credentials(), protect_sandbox.addresses()
    secrets: list[Any] = [CANARY, lambda: CANARY]
    for secret in secrets:
        with OnePassword(
            account_id=accepted.account_id,
            client_id=accepted.respond_client_id,
            client_secret=secret,
            events_token=secret,
            base_url=where.onepassword_api,
            events_url=where.onepassword_events,
        ) as op:
            assert_hidden(op, op._handle)
            for call in (lambda: op.get_user("Q" * 26), lambda: op.introspect()):
                with pytest.raises(protect.exceptions.UnauthenticatedError) as caught:
                    call()
                assert_hidden(caught.value)
    with protect.Hibp(api_key=CANARY, api_url=where.hibp_api) as hibp:
        with pytest.raises(protect.ProtectError) as refused:
            hibp.breached_account("ann@acme.example")
        assert_hidden(hibp, refused.value)


def test_a_marked_secret_is_not_shown_by_its_configuration() -> None:
    config = {"scan": {"api_key": protect.secret(CANARY)}}
    assert_hidden(config, protect.secret(CANARY))
    assert copy.deepcopy(config) == config
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(config)


def test_the_engine_shows_and_stores_none(
    protect_sandbox: Sandbox,
    canaries: dict[str, str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    config = {**protect_sandbox.config(), "store": {"kind": "sqlite", "path": "protect.db"}}
    path = tmp_path / "protect.json"
    path.write_text(json.dumps(config))
    with caplog.at_level(logging.DEBUG), protect.open(path, secrets=canaries) as p:
        acme = p.tenant("acme")
        summary = acme.scan()
        kinds = {scan.error.kind for scan in summary.connectors if scan.error}
        assert kinds == {"unauthenticated"}
        assert_hidden(p, acme, summary, acme.status(), *acme.doctor(), *acme.findings())
        with pytest.raises(protect.ProtectError) as caught:
            acme.request("suspend_account", "passwords:" + "Q" * 26, "test", by="alice")
        assert_hidden(caught.value)
    said = capfd.readouterr()
    assert CANARY not in caplog.text + said.out + said.err
    for file in tmp_path.iterdir():
        assert CANARY.encode() not in file.read_bytes(), file.name


def test_a_connectors_exception_is_in_nothing_that_is_kept(tmp_path: Path) -> None:
    class Broken(protect.Scanner):
        """Always breaks."""

        kind = "broken"
        checks = ["broken.at.once"]

        def scan(self, request: protect.ScanRequest) -> protect.ScanPage:
            raise RuntimeError(CANARY)

    tenant = {"name": "A", "domains": ["a.example"], "connectors": {"x": {"kind": "broken"}}}
    config = {
        "store": {"kind": "sqlite", "path": str(tmp_path / "protect.db")},
        "tenants": {"acme": tenant},
    }
    with protect.open(config, connectors=[Broken]) as p:
        summary = p.tenant("acme").scan()
        assert_hidden(summary, *p.tenant("acme").findings())
    for file in tmp_path.iterdir():
        assert CANARY.encode() not in file.read_bytes(), file.name
