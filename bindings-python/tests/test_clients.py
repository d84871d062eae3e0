"""Vendors' own clients that block."""

from __future__ import annotations

import pickle
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import islice

import protect
import pytest
from protect import OnePassword, Sandbox
from protect.exceptions import (
    ConfigInvalidError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnauthenticatedError,
)
from protect.hibp import Breach

CANARY = "canary-7f3a91"


def client(sandbox: Sandbox, secret: protect._client.Secret) -> OnePassword:
    accepted = sandbox.credentials()
    return OnePassword(
        account_id=accepted.account_id,
        client_id=accepted.respond_client_id,
        client_secret=secret,
        base_url=sandbox.addresses().onepassword_api,
    )


def test_a_user_is_suspended_once_and_read_back(protect_sandbox: Sandbox, op: OnePassword) -> None:
    user_id = protect_sandbox.planted().leaked.id
    assert op.suspend_user(user_id, timeout=30).state == "suspended"
    assert op.get_user(user_id).to_dict()["state"] == "suspended"
    changed = [(it.id, it.to) for it in protect_sandbox.transitions()]
    assert changed == [(user_id, "SUSPENDED")]
    assert protect_sandbox.violations() == []


def test_users_are_an_iterator_over_all_pages(protect_sandbox: Sandbox) -> None:
    with protect_sandbox.onepassword("scan") as scanner:
        users = list(scanner.users())
        assert len({user.id for user in users}) == 40
        suspended = {user.id for user in scanner.users(filter="suspended")}
        assert protect_sandbox.planted().leaver.id in suspended
        assert len(list(islice(scanner.users(), 3))) == 3


def test_a_state_that_nobody_documented_survives(protect_sandbox: Sandbox) -> None:
    protect_sandbox.set_fault("unknown_enum", vendor="onepassword")
    with protect_sandbox.onepassword("scan") as scanner:
        states = {user.state for user in scanner.users()}
    assert states - {"active", "suspended", "unspecified"}


def test_an_error_is_an_exception_of_its_kind_with_the_facts(
    protect_sandbox: Sandbox, op: OnePassword
) -> None:
    with pytest.raises(NotFoundError) as caught:
        op.get_user("QQQQQQQQQQQQQQQQQQQQQQQQQQ")
    assert caught.value.kind == "not_found"
    assert caught.value.operation == "onepassword.get_user"
    assert caught.value.http_status == 404
    assert not caught.value.retryable
    with pytest.raises(protect.ProtectError):
        op.suspend_user(protect_sandbox.planted().owner.id)


def test_a_missing_permission_is_not_a_missing_thing(protect_sandbox: Sandbox) -> None:
    with protect_sandbox.onepassword("scan") as scanner:
        with pytest.raises(PermissionDeniedError):
            scanner.suspend_user(protect_sandbox.planted().leaked.id)


def test_a_rate_limit_says_when_to_come_back(protect_sandbox: Sandbox, op: OnePassword) -> None:
    protect_sandbox.set_fault("rate_limited_seconds", vendor="onepassword", seconds=3600)
    with pytest.raises(protect.ProtectError) as caught:
        op.get_user(protect_sandbox.planted().leaked.id)
    assert caught.value.kind == "rate_limited"
    assert caught.value.retryable
    assert caught.value.retry_after is not None and caught.value.retry_after > 60
    protect_sandbox.clear_faults()
    protect_sandbox.set_fault("rate_limited_seconds", vendor="onepassword", seconds=30)
    with pytest.raises(RateLimitedError):
        op.get_user(protect_sandbox.planted().leaked.id, timeout=5)


@pytest.mark.parametrize("timeout", [0.3, timedelta(milliseconds=300)])
def test_a_timeout_ends_the_call(
    protect_sandbox: Sandbox, op: OnePassword, timeout: float | timedelta
) -> None:
    protect_sandbox.set_fault("delay", millis=20_000)
    begun = time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        op.get_user(protect_sandbox.planted().leaked.id, timeout=timeout)
    assert isinstance(caught.value, protect.exceptions.TimeoutError)
    assert caught.value.retryable
    assert time.monotonic() - begun < 5


def test_other_threads_run_while_a_call_waits(protect_sandbox: Sandbox, op: OnePassword) -> None:
    protect_sandbox.set_fault("delay", count=2, millis=400)
    counted = 0
    done = threading.Event()

    def count() -> None:
        nonlocal counted
        while not done.wait(0.005):
            counted += 1

    counter = threading.Thread(target=count)
    counter.start()
    op.get_user(protect_sandbox.planted().leaked.id)
    done.set()
    counter.join()
    assert counted > 20


def test_one_client_serves_many_threads(protect_sandbox: Sandbox, op: OnePassword) -> None:
    user_id = protect_sandbox.planted().leaked.id
    with ThreadPoolExecutor(8) as threads:
        users = list(threads.map(lambda _: op.get_user(user_id), range(32)))
    assert {user.id for user in users} == {user_id}
    tokens = [it for it in protect_sandbox.requests() if "token" in it.route]
    assert len(tokens) == 1


def test_a_secret_may_be_a_callback_that_is_asked_when_needed(protect_sandbox: Sandbox) -> None:
    asked: list[int] = []

    def secret() -> str:
        asked.append(1)
        return protect_sandbox.credentials().respond_client_secret

    with client(protect_sandbox, secret) as op:
        assert asked == []
        op.get_user(protect_sandbox.planted().leaked.id)
    assert asked


def test_a_secret_may_be_a_coroutine_function(protect_sandbox: Sandbox) -> None:
    async def secret() -> str:
        return protect_sandbox.credentials().respond_client_secret

    with client(protect_sandbox, secret) as op:
        assert op.get_user(protect_sandbox.planted().leaked.id).state == "active"


def test_what_a_callback_raises_is_the_cause_and_is_not_shown(protect_sandbox: Sandbox) -> None:
    def secret() -> str:
        raise KeyError(CANARY)

    with client(protect_sandbox, secret) as op:
        with pytest.raises(ConfigInvalidError) as caught:
            op.get_user(protect_sandbox.planted().leaked.id)
    assert isinstance(caught.value.__cause__, KeyError)
    assert CANARY not in str(caught.value) + repr(caught.value)


def test_a_callback_that_gives_no_string_is_an_error(protect_sandbox: Sandbox) -> None:
    with client(protect_sandbox, lambda: 7) as op:  # type: ignore[arg-type]
        with pytest.raises(ConfigInvalidError):
            op.get_user(protect_sandbox.planted().leaked.id)
    with pytest.raises(TypeError, match="a secret is a string"):
        client(protect_sandbox, 7)  # type: ignore[arg-type]


def test_no_secret_is_shown_by_a_client_or_an_exception(protect_sandbox: Sandbox) -> None:
    with client(protect_sandbox, CANARY) as op:
        with pytest.raises(UnauthenticatedError) as caught:
            op.get_user(protect_sandbox.planted().leaked.id)
        shown = [repr(op), str(op), repr(op._handle), repr(caught.value), str(caught.value)]
        shown += [str(caught.value.context), "".join(traceback.format_exception(caught.value))]
    assert not any(CANARY in text for text in shown)
    assert CANARY not in repr(protect.secret(CANARY))


def test_an_exception_survives_pickling(op: OnePassword) -> None:
    with pytest.raises(NotFoundError) as caught:
        op.get_user("QQQQQQQQQQQQQQQQQQQQQQQQQQ")
    copied = pickle.loads(pickle.dumps(caught.value))
    assert type(copied) is NotFoundError
    assert (str(copied), copied.kind, copied.operation, copied.http_status) == (
        str(caught.value),
        "not_found",
        "onepassword.get_user",
        404,
    )


def test_a_closed_client_says_so(protect_sandbox: Sandbox) -> None:
    op = protect_sandbox.onepassword()
    op.close()
    with pytest.raises(InvalidInputError, match="closed"):
        op.get_user("X")


def test_a_wrong_argument_names_itself_and_not_its_value(op: OnePassword) -> None:
    with pytest.raises(InvalidInputError) as caught:
        list(op.users(filter=CANARY))
    assert caught.value.context == {"argument": "filter"}
    assert CANARY not in str(caught.value)


def test_a_password_is_counted_and_forgotten(protect_sandbox: Sandbox) -> None:
    with protect_sandbox.hibp() as hibp:
        assert hibp.check_password("password") > 1000
        assert hibp.check_password(lambda: CANARY) == 0
        assert CANARY not in repr(hibp._handle)


def test_a_breach_is_judged_without_asking_anybody(protect_sandbox: Sandbox) -> None:
    planted = protect_sandbox.planted()
    with protect_sandbox.hibp() as hibp:
        references = hibp.breached_account(planted.leaked.email)
        breach = hibp.breach(planted.leaked_breach)
        assert hibp.breach("NoSuchBreach") is None
    assert [it.name for it in references] == [planted.leaked_breach]
    assert isinstance(breach, Breach)
    judged = protect.hibp.classify(breach)
    assert (judged.form, judged.severity) == ("plaintext", "critical")
    assert protect.hibp.evaluate([breach.to_dict()]) == [judged]
    with pytest.raises(InvalidInputError):
        protect.hibp.evaluate("[]", profile="no_such_profile")
