"""Connectors written in Python, run by the engine."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar

import protect
import pytest
from protect import ScanPage, ScanRequest, Setup
from protect.exceptions import ConfigInvalidError, InvalidInputError, PermissionDeniedError
from protect.models import (
    Account,
    AccountPage,
    Action,
    Applied,
    ConnectorScan,
    Delivered,
    Delivery,
    Evaluated,
    Observation,
    Preview,
    Probe,
    RejectedItem,
    Subject,
)

CHECK = "badges.card.copied"
CANARY = "canary-7f3a91"


class Badges(protect.Scanner, protect.Directory, protect.Remediator):
    """Cards that open doors."""

    kind = "badges"
    checks = [CHECK]
    actions = {"suspend_account": "state_idempotent"}
    settings = {"building": "text", "every": "duration"}
    state_keys = ["runs"]
    # Shared by all connectors of a test.
    cards: ClassVar[dict[str, str]] = {}
    seen: ClassVar[list[Any]] = []

    def scan(self, request: ScanRequest) -> ScanPage:
        self.seen.append((self.setup, request))
        number = int(request.cursor or 0)
        ids = sorted(self.cards)
        copied = Observation(
            check=CHECK,
            kind="suspicious_sign_in",
            subject=Subject(kind="account", provider="badges", id=ids[number]),
            severity="high",
            confidence="high",
            title="Card copied",
            discriminator="",
            reasons=["two doors at once"],
        )
        return ScanPage(
            observations=[copied] if self.cards[ids[number]] == "active" else [],
            evaluated=[Evaluated(check=CHECK)] if number + 1 == len(ids) else [],
            rejected=[RejectedItem(place="cards[7]", reason="no id")] if number == 0 else [],
            state={"runs": request.state.get("runs", 0) + 1},
            cursor=str(number + 1) if number + 1 < len(ids) else None,
            more=number + 1 < len(ids),
        )

    async def list(self, cursor: str | None) -> AccountPage:
        await asyncio.sleep(0)
        return AccountPage(accounts=[self.account(id) for id in self.cards])

    def get(self, id: str) -> Account | None:
        return self.account(id) if id in self.cards else None

    async def preview(self, action: Action) -> Preview:
        state = self.cards[self.card(action)]
        return Preview(
            before={"state": state},
            after={"state": "suspended"},
            already_so=state == "suspended",
        )

    def apply(self, action: Action) -> Applied:
        before = self.cards[self.card(action)]
        self.cards[self.card(action)] = "suspended"
        return Applied(
            status="applied", before={"state": before}, after={"state": "suspended"}, reason=""
        )

    def probe(self, action: Action) -> Probe:
        state = self.cards[self.card(action)]
        return Probe(happened=state == "suspended", state={"state": state})

    def account(self, id: str) -> Account:
        return Account(
            connector=self.setup.name,
            id=id,
            provider=self.kind,
            display_name=id,
            address=f"{id}@acme.example",
            state=self.cards[id],
        )

    @staticmethod
    def card(action: Action) -> str:
        assert action.target.account is not None
        return action.target.account.id


@pytest.fixture(autouse=True)
def cards() -> None:
    Badges.cards = {"ann": "active", "bob": "suspended", "cem": "active"}
    Badges.seen = []


def config(**settings: object) -> dict[str, Any]:
    rule = {"name": "copied card", "when": {"severity": ">=high"}, "then": ["suspend_account"]}
    return {
        "mode": "enforce",
        "tenants": {
            "acme": {
                "name": "Acme GmbH",
                "domains": ["acme.example"],
                "connectors": {"doors": {"kind": "badges", **settings}},
                "rules": [rule],
            }
        },
    }


def scanned(tenant: protect.Tenant) -> ConnectorScan:
    [scan] = tenant.scan().connectors
    return scan


def test_a_connector_in_python_takes_the_whole_road() -> None:
    with protect.open(config(building="west", every="90s"), connectors=[Badges]) as p:
        acme = p.tenant("acme")
        scan = scanned(acme)
        assert (scan.complete, scan.pages, scan.new, scan.rejected) == (True, 3, 2, 1)
        steps = acme.apply(acme.approve(acme.plan(), by="alice"))
        assert [it.outcome.status for it in steps if it.outcome] == ["applied", "applied"]
        assert set(Badges.cards.values()) == {"suspended"}
        assert scanned(acme).resolved == 2
        assert {it.status for it in acme.findings()} == {"resolved"}
    setup, first = Badges.seen[0]
    assert setup == Setup("acme", "doors", {"building": "west", "every": 90})
    assert first.starts_run and first.cursor is None
    assert [request.state.get("runs") for _, request in Badges.seen] == [None, 1, 2, 3, 4, 5]


async def test_the_same_is_awaited() -> None:
    async with protect.aio.open(config(), connectors=[Badges]) as p:
        acme = p.tenant("acme")
        assert (await acme.scan()).complete
        steps = await acme.apply(await acme.approve(await acme.plan(), by="alice"))
    assert len(steps) == 2
    assert set(Badges.cards.values()) == {"suspended"}


def test_an_instance_may_stand_for_its_class() -> None:
    badges = Badges(Setup("acme", "doors", {}))
    with protect.open(config(), connectors=[badges]) as p:
        assert p.tenant("acme").scan().complete


def test_what_a_connector_raises_fails_its_scan_alone_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Badges):
        def scan(self, request: ScanRequest) -> ScanPage:
            raise KeyError(CANARY)

    with protect.open(config(), connectors=[Broken]) as p, caplog.at_level(logging.ERROR):
        scan = scanned(p.tenant("acme"))
    assert not scan.complete
    assert scan.error is not None and scan.error.kind == "unexpected"
    assert CANARY not in repr(scan.to_dict())
    assert "scan raised" in caplog.text and CANARY in caplog.text


def test_one_of_our_exceptions_keeps_its_kind() -> None:
    class Forbidden(Badges):
        async def scan(self, request: ScanRequest) -> ScanPage:  # type: ignore[override]
            raise PermissionDeniedError("no", kind="permission_denied")

    with protect.open(config(), connectors=[Forbidden]) as p:
        error = scanned(p.tenant("acme")).error
    assert error is not None and error.kind == "permission_denied"


def test_an_answer_of_another_shape_is_an_error_with_its_place() -> None:
    class Odd(Badges):
        def scan(self, request: ScanRequest) -> ScanPage:
            return {"observations": [{"check": CANARY}]}  # type: ignore[return-value]

    with protect.open(config(), connectors=[Odd]) as p:
        error = scanned(p.tenant("acme")).error
    assert error is not None and error.kind == "invalid_response"
    assert error.context["place"].startswith("observations[0]")
    assert CANARY not in repr(error.to_dict())


def test_an_apply_that_breaks_after_acting_is_settled_by_its_probe() -> None:
    class Slippery(Badges):
        def apply(self, action: Action) -> Applied:
            super().apply(action)
            raise ConnectionResetError

    with protect.open(config(), connectors=[Slippery]) as p:
        acme = p.tenant("acme")
        acme.scan()
        steps = acme.apply(acme.approve(acme.plan(), by="alice"))
        assert {it.outcome.status for it in steps if it.outcome} <= {"applied", "unknown"}
        settled = acme.apply_waiting() or steps
    assert {it.outcome.status for it in settled if it.outcome} == {"applied"}


def test_a_connector_that_declares_nonsense_is_refused() -> None:
    class Nameless(protect.Scanner):
        pass

    class Misspelt(Badges):
        actions = {"suspend_acount": "state_idempotent"}

    with pytest.raises(InvalidInputError, match="kind"):
        protect.open(config(), connectors=[Nameless])
    with pytest.raises(InvalidInputError):
        protect.open(config(), connectors=[Misspelt])


def test_a_setting_that_was_not_declared_is_refused() -> None:
    with pytest.raises(ConfigInvalidError, match="bilding"):
        protect.open(config(bilding="west"), connectors=[Badges])


class Desk(protect.Sink):
    """A service desk that keeps what it is told."""

    kind = "desk"
    actions = {"open_ticket": "search_before_create"}
    templates: ClassVar[list[str]] = ["door"]
    tickets: ClassVar[dict[str, list[Delivery]]] = {}
    looked: ClassVar[list[str]] = []

    async def deliver(self, delivery: Delivery) -> Delivered:
        await asyncio.sleep(0)
        id = delivery.note_to or f"T{len(self.tickets) + 1}"
        self.tickets.setdefault(id, []).append(delivery)
        return Delivered(id=id, status="open")

    def find(self, kind: str, source_reference: str) -> Delivered | None:
        self.looked.append(kind)
        for id, [first, *_] in self.tickets.items():
            if first.source_reference == source_reference:
                return Delivered(id=id, status="open")
        return None


@pytest.fixture(autouse=True)
def desk() -> None:
    Desk.tickets = {}
    Desk.looked = []


def with_desk(template: str = "door") -> dict[str, Any]:
    with_rule = config()
    acme = with_rule["tenants"]["acme"]
    acme["connectors"]["desk"] = {"kind": "desk"}
    acme["rules"][0]["then"] = [{"action": "open_ticket", "template": template}]
    return with_rule


def act(acme: protect.Tenant) -> list[str]:
    steps = acme.apply(acme.approve(acme.plan(), by="alice"))
    return [it.outcome.status for it in steps if it.outcome]


def test_a_sink_in_python_gets_one_ticket_for_an_incident() -> None:
    Badges.cards = {"ann": "active"}
    with protect.open(with_desk(), connectors=[Badges, Desk]) as p:
        acme = p.tenant("acme")
        scanned(acme)
        assert act(acme) == ["applied"]
        scanned(acme)
        assert act(acme) == []
    [[told]] = Desk.tickets.values()
    assert told.kind == "open_ticket" and told.severity == "high" and told.note_to is None
    assert "Card copied" in told.body and "two doors at once" in told.body
    assert set(Desk.looked) == {"open_ticket"}


def test_a_ticket_whose_answer_was_lost_is_found_and_not_opened_again() -> None:
    class Forgetful(Desk):
        async def deliver(self, delivery: Delivery) -> Delivered:
            await super().deliver(delivery)
            raise ConnectionResetError

    Badges.cards = {"ann": "active"}
    with protect.open(with_desk(), connectors=[Badges, Forgetful]) as p:
        acme = p.tenant("acme")
        scanned(acme)
        first = act(acme)
        settled = [it.outcome.status for it in acme.apply_waiting() if it.outcome] or first
    assert settled == ["applied"]
    assert [len(told) for told in Desk.tickets.values()] == [1]


def test_a_template_that_the_sink_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigInvalidError, match="known: door"):
        protect.open(with_desk("window"), connectors=[Badges, Desk])


def test_a_sink_that_must_look_before_it_creates_needs_a_find() -> None:
    class Blind(protect.Sink):
        kind = "blind"
        actions = {"open_ticket": "search_before_create"}

        def deliver(self, delivery: Delivery) -> Delivered:
            return Delivered(id="1", status=None)

    with pytest.raises(InvalidInputError, match="find"):
        protect.open(config(), connectors=[Badges, Blind])


def test_a_directory_that_tells_what_changed_is_listed_once() -> None:
    class Telling(Badges):
        asked: ClassVar[list[str]] = []

        async def list(self, cursor: str | None) -> AccountPage:
            self.asked.append("list")
            page = await super().list(cursor)
            return AccountPage(accounts=page.accounts, changes_from="1")

        def changes(self, since: str) -> AccountPage:
            self.asked.append(f"since {since}")
            return AccountPage(
                accounts=[self.account("ann")], gone=["bob"], changes_from=str(int(since) + 1)
            )

    with protect.open(config(), connectors=[Telling]) as p:
        acme = p.tenant("acme")
        for _ in range(3):
            scanned(acme)
        states = {it.id: it.state for it in acme.accounts()}
    assert Telling.asked == ["list", "since 1", "since 2"]
    assert states["ann"] == "active" and states.get("bob") in (None, "deleted")
