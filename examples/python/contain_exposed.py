"""Scan a tenant, show what its rules would do, and do it once somebody agrees.

The guarded road: findings become incidents, incidents become a plan, and only an approved plan is
applied, with every step in the ledger. A second run finds nothing left to do.

    python contain_exposed.py protect.toml acme --approve-as alice
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import protect
from protect.models import ScanProgress, Step


def show(progress: ScanProgress) -> None:
    print(f"  {progress.connector}: {progress.counts.pages} pages", file=sys.stderr)


def contain(tenant: protect.Tenant, approve_as: str | None) -> Sequence[Step]:
    """Scans, plans and, where there is somebody to approve, applies."""
    tenant.scan(progress=show)
    plan = tenant.plan()
    for planned in plan.actions:
        print(f"{planned.guard.decision:14} {planned.action.kind}: {planned.action.reason}")
    if approve_as is None or not plan.actions:
        return []
    return tenant.apply(tenant.approve(plan, by=approve_as))


def main() -> int:
    parser = argparse.ArgumentParser(description="Contain what a scan finds.")
    parser.add_argument("config")
    parser.add_argument("tenant")
    parser.add_argument("--approve-as", metavar="NAME")
    given = parser.parse_args()
    with protect.open(given.config) as p:
        steps = contain(p.tenant(given.tenant), given.approve_as)
    for step in steps:
        print(step.action.kind, step.outcome.status if step.outcome else step.waits)
    unsettled = [step for step in steps if not step.outcome or step.outcome.status == "unknown"]
    return 3 if unsettled else 0


if __name__ == "__main__":
    sys.exit(main())
