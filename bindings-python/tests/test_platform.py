"""What comes in: people from Hub's menu, and what The One Stack and a receiver of one's own tell by webhook."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

import protect
from protect import Protect, Sandbox, web

HOOK = "what-psa-and-we-share"


@contextmanager
def opened(sandbox: Sandbox) -> Iterator[Protect]:
    """The engine, with Hub's sign-in and a PSA that tells what moved."""
    config = dict(sandbox.config())
    acme = config["tenants"]["acme"]
    for name in ("hub", "psa"):
        more = sandbox.connections()[name]
        config["connections"][name] = dict(more["connection"])
        acme["connectors"][name] = {**more["connector"], "connection": name}
    config["connections"]["psa"]["scan"] = {"webhook_secret": protect.secret(HOOK)}
    acme["route"] = {"open_ticket": ["psa"]}
    acme["rules"][0]["then"] = ["suspend_account", "open_ticket"]
    with protect.open(config, secrets=sandbox.secrets()) as p:
        yield p


@contextmanager
def served(p: Protect) -> Iterator[str]:
    """Served by WSGI, for as long as the test takes; the root."""
    server = make_server("127.0.0.1", 0, web.wsgi(p), handler_class=_Quiet)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def landed(p: Protect, sandbox: Sandbox, role: str) -> str:
    """The cookie of somebody who came from Hub's menu."""
    organisation = sandbox.credentials().one_stack[0].id
    path = f"/auth/hub-sso?token={sandbox.hub_token(organisation, role=role)}"
    answer = web.handle(p, "GET", path, {})
    assert answer.status == 303
    assert web.handle(p, "GET", path, {}).status == 401, "a token lands once"
    return dict(answer.headers)["set-cookie"].split(";")[0]


def test_what_a_scan_finds_is_approved_by_who_came_from_hub_and_done_at_the_vendor(
    protect_sandbox: Sandbox,
) -> None:
    planted = protect_sandbox.planted()
    with opened(protect_sandbox) as p:
        acme = p.tenant("acme")
        acme.scan()
        path = f"/t/acme/plans/{acme.plan().id}"

        def approve(role: str) -> int:
            page = {"cookie": landed(p, protect_sandbox, role)}
            shown = web.handle(p, "GET", path, {**page, "accept": "text/html"}).body.decode()
            assert planted.leaked.email in shown
            proof = re.search(r'name="csrf" value="([^"]+)"', shown)
            assert proof is not None
            form = {**page, "content-type": "application/x-www-form-urlencoded"}
            body = f"csrf={proof[1]}".encode()
            return web.handle(p, "POST", f"{path}/approve", form, body).status

        def suspended() -> set[str]:
            acme.apply_waiting()
            done = protect_sandbox.transitions()
            return {it.id for it in done if it.vendor == "onepassword"}

        assert approve("viewer") == 403
        assert suspended() == set()
        assert approve("admin") == 303
        assert suspended() == {planted.leaked.id, planted.suspicious.id}
    assert protect_sandbox.violations() == []


def test_what_people_do_with_a_ticket_is_read_back_as_soon_as_psa_says_so(
    protect_sandbox: Sandbox,
) -> None:
    own = protect_sandbox.credentials().one_stack[0]
    with opened(protect_sandbox) as p, served(p) as root:
        acme = p.tenant("acme")
        acme.scan()
        acme.apply(acme.approve(acme.plan(), by="alice"))
        (ticket,) = acme.tickets()
        url = f"{root}/in/acme/psa/events"
        assert protect_sandbox.subscribe_one_stack(own.id, "psa", url, HOOK)
        assert protect_sandbox.set_one_stack_status(ticket.id, "closed")
        assert protect_sandbox.send_one_stack_webhooks() == 1

        # The same with another's secret is not taken, and waits.
        assert protect_sandbox.subscribe_one_stack(own.id, "psa", url, "another")
        assert protect_sandbox.set_one_stack_status(ticket.id, "open")
        assert protect_sandbox.send_one_stack_webhooks() == 1

        token = protect_sandbox.hub_token(own.id, session=True)
        asked = Request(f"{root}/t/acme/api/evidence", headers={"authorization": f"Bearer {token}"})
        with urlopen(asked) as answer:
            entries = json.load(answer)["entries"]
    moves = [it["data"]["open"] for it in entries if it["kind"] == "ticket.moved"]
    assert moves == [False, True]
    assert protect_sandbox.violations() == []


def test_a_receiver_of_ones_own_has_us_look_by_a_signed_message_and_by_no_other(
    protect_sandbox: Sandbox,
) -> None:
    secret = base64.b64encode(b"what-the-desk-signs-with").decode()
    config = dict(protect_sandbox.config())
    config["connections"]["tickets"]["scan"] = {"webhook_secret": protect.secret(f"whsec_{secret}")}
    config["tenants"]["acme"]["rules"][0]["then"] = ["open_ticket"]
    with protect.open(config, secrets=protect_sandbox.secrets()) as p:
        acme = p.tenant("acme")
        acme.scan()
        acme.apply(acme.approve(acme.plan(), by="alice"))
        (ticket,) = acme.tickets()
        body = json.dumps({"type": "ticket.updated", "data": {"id": ticket.id}}).encode()
        sent = str(int(time.time()))

        def told(number: str, key: bytes) -> int:
            signed = f"msg_{number}.{sent}.".encode() + body
            digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            headers = {
                "webhook-id": f"msg_{number}",
                "webhook-timestamp": sent,
                "webhook-signature": f"v1,{digest}",
            }
            return web.handle(p, "POST", "/in/acme/tickets/events", headers, body).status

        def asked() -> int:
            return sum(it.route == "/webhook/items" for it in protect_sandbox.requests())

        before = asked()
        assert told("1", b"somebody-elses-secret") == 401
        assert asked() == before
        assert told("2", base64.b64decode(secret)) == 204
        assert asked() == before + 1
        assert told("2", base64.b64decode(secret)) == 409
    assert protect_sandbox.violations() == []
