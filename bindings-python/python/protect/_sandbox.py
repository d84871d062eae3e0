"""The sandbox with its doors: what is opened against it."""

from __future__ import annotations

from typing import Literal

from protect import _open
from protect._generated import engine, hibp, onepassword, sandbox


class Sandbox(sandbox.Sandbox):
    """Simulated vendors on loopback, in this process: `with protect.Sandbox() as sandbox: ...`."""

    __slots__ = ()

    def open(self, *, connectors: _open.Kinds = ()) -> engine.Protect:
        """The engine over the planted organisation, the tenant `acme`."""
        return _open.open(self.config(), connectors=connectors, secrets=self.secrets())

    def open_async(self, *, connectors: _open.Kinds = ()) -> _open.Opening:
        """The same, to be awaited."""
        return _open.open_async(self.config(), connectors=connectors, secrets=self.secrets())

    def onepassword(
        self, credential: Literal["scan", "respond"] = "respond"
    ) -> onepassword.OnePassword:
        """A client of the simulated 1Password; `respond` may suspend, `scan` may list."""
        accepted = self.credentials()
        responds = credential == "respond"
        where = self.addresses()
        return onepassword.OnePassword(
            account_id=accepted.account_id,
            client_id=accepted.respond_client_id if responds else accepted.scan_client_id,
            client_secret=(
                accepted.respond_client_secret if responds else accepted.scan_client_secret
            ),
            events_token=accepted.events_token,
            base_url=where.onepassword_api,
            events_url=where.onepassword_events,
        )

    def hibp(self) -> hibp.Hibp:
        """A client of the simulated Have I Been Pwned."""
        where = self.addresses()
        return hibp.Hibp(
            api_key=self.credentials().hibp_api_key,
            api_url=where.hibp_api,
            passwords_url=where.hibp_passwords,
        )
