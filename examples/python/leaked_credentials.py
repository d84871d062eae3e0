"""Which of these addresses stand in a breach that exposed credentials, and how bad is it?

Only six digits of each address's hash leave. Prints the worst first. Data: Have I Been Pwned,
https://haveibeenpwned.com (CC BY 4.0).

    HIBP_API_KEY=... python leaked_credentials.py alice@acme.example bob@acme.example
"""

from __future__ import annotations

import asyncio
import os
import sys

import protect
from protect.hibp import Assessment, Breach

SEVERITIES = ("info", "low", "medium", "high", "critical")


async def exposures(
    client: protect.aio.Hibp, addresses: list[str], at_least: str = "high"
) -> list[tuple[str, Assessment]]:
    """Pairs of address and breach, the worst first. All addresses are asked about at once; the
    client keeps to the plan's rate by itself."""
    catalogue: dict[str, Breach] = {breach.name: breach for breach in await client.breaches()}
    answers = await asyncio.gather(*map(client.breached_account_range, addresses))
    found = [
        (address, protect.hibp.classify(catalogue[reference.name]))
        for address, references in zip(addresses, answers)
        for reference in references
        if reference.name in catalogue
    ]
    worst = [pair for pair in found if rank(pair) >= SEVERITIES.index(at_least)]
    return sorted(worst, key=rank, reverse=True)


def rank(pair: tuple[str, Assessment]) -> int:
    return SEVERITIES.index(pair[1].severity)


async def main(addresses: list[str]) -> int:
    async with protect.aio.Hibp(api_key=lambda: os.environ["HIBP_API_KEY"]) as client:
        found = await exposures(client, addresses)
    for address, assessment in found:
        print(f"{assessment.severity:9} {address}: {assessment.name} ({assessment.form})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
