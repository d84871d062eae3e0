"""The same names as in `protect.email`, to be awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from os import PathLike

from protect import email
from protect._client import Timeout
from protect._generated.email_aio import Email
from protect._generated.email_models import *


async def audit(
    domain: str,
    *,
    resolver: str | None = None,
    selectors: Sequence[str] | None = None,
    all_selectors: bool | None = None,
    rua: Sequence[str] | None = None,
    fetch_policies: bool | None = None,
    timeout: Timeout = None,
) -> DomainAudit:
    """See `protect.email.audit`."""
    return await Email(resolver=resolver).audit(
        domain,
        selectors=selectors,
        all_selectors=all_selectors,
        rua=rua,
        fetch_policies=fetch_policies,
        timeout=timeout,
    )


async def propose(
    domain: str,
    *,
    resolver: str | None = None,
    selectors: Sequence[str] | None = None,
    all_selectors: bool | None = None,
    rua: Sequence[str] | None = None,
    fetch_policies: bool | None = None,
    timeout: Timeout = None,
) -> list[Proposal]:
    """See `protect.email.propose`."""
    return await Email(resolver=resolver).propose(
        domain,
        selectors=selectors,
        all_selectors=all_selectors,
        rua=rua,
        fetch_policies=fetch_policies,
        timeout=timeout,
    )


async def spf(
    ip: str,
    sender: str,
    *,
    helo: str | None = None,
    resolver: str | None = None,
    timeout: Timeout = None,
) -> SpfDecision:
    """See `protect.email.spf`."""
    return await Email(resolver=resolver).spf(ip, sender, helo=helo, timeout=timeout)


async def read_reports(path: str | PathLike[str]) -> ReportsOverview:
    """See `protect.email.read_reports`. Runs in a thread of its own, and is not given up half-way."""
    return await asyncio.to_thread(email.read_reports, path)
