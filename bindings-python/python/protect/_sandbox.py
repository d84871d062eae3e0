"""The sandbox with its doors: what is opened against it."""

from __future__ import annotations

from typing import Any, Literal

from protect import _open
from protect._generated import (
    engine,
    engine_aio,
    google,
    google_aio,
    hibp,
    hibp_aio,
    m365,
    m365_aio,
    notify,
    notify_aio,
    onepassword,
    onepassword_aio,
    sandbox,
    sandbox_aio,
    scim,
    scim_aio,
    stripe,
    stripe_aio,
)
from protect._generated.sandbox_models import Credentials, SandboxAddresses


class Sandbox(sandbox.Sandbox):
    """Simulated vendors on loopback, in this process: `with protect.Sandbox() as sandbox: ...`."""

    __slots__ = ()

    @property
    def aio(self) -> AsyncSandbox:
        """The same simulated vendors, to be awaited."""
        return AsyncSandbox._of(self._handle)

    def open(self, *, connectors: _open.Kinds = ()) -> engine.Protect:
        """The engine over the planted organisation, the tenant `acme`."""
        return _open.open(self.config(), connectors=connectors, secrets=self.secrets())

    def onepassword(
        self, credential: Literal["scan", "respond"] = "respond"
    ) -> onepassword.OnePassword:
        """A client of the simulated 1Password; `respond` may suspend, `scan` may list."""
        given = _onepassword(self.credentials(), self.addresses(), credential)
        return onepassword.OnePassword(**given)

    def m365(self, credential: Literal["scan", "respond"] = "respond") -> m365.M365:
        """A client of the simulated Microsoft 365; `respond` may change users, `scan` reads all."""
        return m365.M365(**_m365(self.credentials(), self.addresses(), credential))

    def google(self, credential: Literal["scan", "respond"] = "respond") -> google.Google:
        """A client of the simulated Google Workspace; `respond` may change users, `scan` reads all."""
        return google.Google(**_google(self.credentials(), self.addresses(), credential))

    def hibp(self) -> hibp.Hibp:
        """A client of the simulated Have I Been Pwned."""
        return hibp.Hibp(**_hibp(self.credentials(), self.addresses()))

    def notify(self, *, to: list[str]) -> notify.Notify:
        """A client of the simulated mail server; its mails go to `to`."""
        return notify.Notify(**_notify(self.credentials(), self.addresses(), to))

    def scim(self, credential: Literal["scan", "respond"] = "respond") -> scim.Scim:
        """A client of the simulated SCIM application; `respond` may change users, `scan` reads."""
        return scim.Scim(**_scim(self.credentials(), self.addresses(), credential))

    def stripe(self) -> stripe.Stripe:
        """A client of the simulated Stripe, in test mode."""
        return stripe.Stripe(**_stripe(self.credentials(), self.addresses()))


class AsyncSandbox(sandbox_aio.Sandbox):
    """The same, to be awaited: `async with protect.aio.Sandbox() as sandbox: ...`."""

    __slots__ = ()

    def open(self, *, connectors: _open.Kinds = ()) -> _open.Opening[engine_aio.Protect]:
        """The engine over the planted organisation, the tenant `acme`."""

        async def opened() -> engine_aio.Protect:
            config, secrets = await self.config(), await self.secrets()
            return await _open.open_async(config, connectors=connectors, secrets=secrets)

        return _open.Opening(opened)

    def onepassword(
        self, credential: Literal["scan", "respond"] = "respond"
    ) -> _open.Opening[onepassword_aio.OnePassword]:
        """A client of the simulated 1Password; `respond` may suspend, `scan` may list."""

        async def opened() -> onepassword_aio.OnePassword:
            given = _onepassword(await self.credentials(), await self.addresses(), credential)
            return onepassword_aio.OnePassword(**given)

        return _open.Opening(opened)

    def m365(
        self, credential: Literal["scan", "respond"] = "respond"
    ) -> _open.Opening[m365_aio.M365]:
        """A client of the simulated Microsoft 365; `respond` may change users, `scan` reads all."""

        async def opened() -> m365_aio.M365:
            given = _m365(await self.credentials(), await self.addresses(), credential)
            return m365_aio.M365(**given)

        return _open.Opening(opened)

    def google(
        self, credential: Literal["scan", "respond"] = "respond"
    ) -> _open.Opening[google_aio.Google]:
        """A client of the simulated Google Workspace; `respond` may change users, `scan` reads all."""

        async def opened() -> google_aio.Google:
            given = _google(await self.credentials(), await self.addresses(), credential)
            return google_aio.Google(**given)

        return _open.Opening(opened)

    def hibp(self) -> _open.Opening[hibp_aio.Hibp]:
        """A client of the simulated Have I Been Pwned."""

        async def opened() -> hibp_aio.Hibp:
            return hibp_aio.Hibp(**_hibp(await self.credentials(), await self.addresses()))

        return _open.Opening(opened)

    def notify(self, *, to: list[str]) -> _open.Opening[notify_aio.Notify]:
        """A client of the simulated mail server; its mails go to `to`."""

        async def opened() -> notify_aio.Notify:
            given = _notify(await self.credentials(), await self.addresses(), to)
            return notify_aio.Notify(**given)

        return _open.Opening(opened)

    def scim(
        self, credential: Literal["scan", "respond"] = "respond"
    ) -> _open.Opening[scim_aio.Scim]:
        """A client of the simulated SCIM application; `respond` may change users, `scan` reads."""

        async def opened() -> scim_aio.Scim:
            given = _scim(await self.credentials(), await self.addresses(), credential)
            return scim_aio.Scim(**given)

        return _open.Opening(opened)

    def stripe(self) -> _open.Opening[stripe_aio.Stripe]:
        """A client of the simulated Stripe, in test mode."""

        async def opened() -> stripe_aio.Stripe:
            given = _stripe(await self.credentials(), await self.addresses())
            return stripe_aio.Stripe(**given)

        return _open.Opening(opened)


def _onepassword(
    accepted: Credentials, where: SandboxAddresses, credential: str
) -> dict[str, Any]:
    responds = credential == "respond"
    return {
        "account_id": accepted.account_id,
        "client_id": accepted.respond_client_id if responds else accepted.scan_client_id,
        "client_secret": (
            accepted.respond_client_secret if responds else accepted.scan_client_secret
        ),
        "events_token": accepted.events_token,
        "base_url": where.onepassword_api,
        "events_url": where.onepassword_events,
    }


def _m365(accepted: Credentials, where: SandboxAddresses, credential: str) -> dict[str, Any]:
    responds = credential == "respond"
    return {
        "tenant_id": accepted.m365_tenant_id,
        "client_id": (
            accepted.m365_respond_client_id if responds else accepted.m365_scan_client_id
        ),
        "client_secret": (
            accepted.m365_respond_client_secret if responds else accepted.m365_scan_client_secret
        ),
        "login_url": where.m365_login,
        "graph_url": where.m365_graph,
    }


def _google(accepted: Credentials, where: SandboxAddresses, credential: str) -> dict[str, Any]:
    responds = credential == "respond"
    return {
        "subject": accepted.google_subject,
        "service_account": accepted.google_respond_key if responds else accepted.google_scan_key,
        "base_url": where.google_api,
        "token_url": where.google_token,
    }


def _hibp(accepted: Credentials, where: SandboxAddresses) -> dict[str, Any]:
    return {
        "api_key": accepted.hibp_api_key,
        "api_url": where.hibp_api,
        "passwords_url": where.hibp_passwords,
    }


def _notify(accepted: Credentials, where: SandboxAddresses, to: list[str]) -> dict[str, Any]:
    return {
        "smtp": where.smtp,
        "username": accepted.smtp_username,
        "password": accepted.smtp_password,
        "to": to,
    }


def _scim(
    accepted: Credentials, where: SandboxAddresses, credential: Literal["scan", "respond"]
) -> dict[str, Any]:
    responds = credential == "respond"
    token = accepted.scim_respond_token if responds else accepted.scim_scan_token
    return {"base_url": where.scim, "token": token}


def _stripe(accepted: Credentials, where: SandboxAddresses) -> dict[str, Any]:
    return {"secret_key": accepted.stripe_restricted_key, "base_url": where.stripe_api}
