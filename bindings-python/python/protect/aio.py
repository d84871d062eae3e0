"""The same names as in `protect`, to be awaited."""

from protect import _email_aio as email
from protect._generated.bus_aio import Bus
from protect._generated.compliance_aio import Compliance
from protect._generated.defend_aio import Defend
from protect._generated.email_aio import Email
from protect._generated.engine_aio import Protect, Tenant
from protect._generated.google_aio import Google
from protect._generated.hibp_aio import Hibp
from protect._generated.hub_aio import Hub
from protect._generated.legal_aio import Legal
from protect._generated.m365_aio import M365
from protect._generated.notify_aio import Notify
from protect._generated.oncall_aio import OnCall
from protect._generated.onepassword_aio import OnePassword
from protect._generated.portal_aio import Portal
from protect._generated.psa_aio import Psa
from protect._generated.rmm_aio import Rmm
from protect._generated.scim_aio import Scim
from protect._generated.security_aio import Security
from protect._generated.stripe_aio import Stripe
from protect._open import open_async as open
from protect._sandbox import AsyncSandbox as Sandbox

__all__ = [
    "M365",
    "Bus",
    "Compliance",
    "Defend",
    "Email",
    "Google",
    "Hibp",
    "Hub",
    "Legal",
    "Notify",
    "OnCall",
    "OnePassword",
    "Portal",
    "Protect",
    "Psa",
    "Rmm",
    "Sandbox",
    "Scim",
    "Security",
    "Stripe",
    "Tenant",
    "email",
    "open",
]
