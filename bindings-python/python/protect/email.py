"""Mail authentication of domains, from DNS alone: its models, and one call for each question."""

from __future__ import annotations

from collections.abc import Sequence

from protect._client import Timeout
from protect._generated.email import Email
from protect._generated.email_models import *


def audit(
    domain: str,
    *,
    resolver: str | None = None,
    selectors: Sequence[str] | None = None,
    rua: Sequence[str] | None = None,
    fetch_policies: bool | None = None,
    timeout: Timeout = None,
) -> DomainAudit:
    """Everything about a domain's mail authentication. What DNS does not answer is part of it.

    Args:
        domain: the domain.
        resolver: the name server to ask, `IP` or `IP:PORT`; the machine's own where left out.
        selectors: DKIM selectors that the domain is known to use.
        rua: your own mailboxes for reports.
        fetch_policies: whether MTA-STS policies are fetched; true where left out.
        timeout: seconds for the whole; two minutes where left out.
    """
    return Email(resolver=resolver).audit(
        domain, selectors=selectors, rua=rua, fetch_policies=fetch_policies, timeout=timeout
    )


def propose(
    domain: str,
    *,
    resolver: str | None = None,
    selectors: Sequence[str] | None = None,
    rua: Sequence[str] | None = None,
    fetch_policies: bool | None = None,
    timeout: Timeout = None,
) -> list[Proposal]:
    """The records to publish for a domain; see `audit` for the arguments."""
    return Email(resolver=resolver).propose(
        domain, selectors=selectors, rua=rua, fetch_policies=fetch_policies, timeout=timeout
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
