"""Watch an organisation's identities and settings, open incidents, and put them right."""

import atexit as _atexit

from protect import (
    aio,
    bus,
    compliance,
    connectors,
    defend,
    email,
    exceptions,
    google,
    hibp,
    hub,
    legal,
    log,
    m365,
    models,
    notify,
    oncall,
    onepassword,
    portal,
    psa,
    rmm,
    scim,
    security,
    stripe,
    web,
    webhook,
)
from protect._generated.bus import Bus
from protect._generated.compliance import Compliance
from protect._generated.defend import Defend
from protect._generated.email import Email
from protect._generated.engine import Protect, Tenant
from protect._generated.google import Google
from protect._generated.hibp import Hibp
from protect._generated.hub import Hub
from protect._generated.legal import Legal
from protect._generated.m365 import M365
from protect._generated.notify import Notify
from protect._generated.oncall import OnCall
from protect._generated.onepassword import OnePassword
from protect._generated.portal import Portal
from protect._generated.psa import Psa
from protect._generated.rmm import Rmm
from protect._generated.scim import Scim
from protect._generated.security import Security
from protect._generated.stripe import Stripe
from protect._open import open, secret
from protect._protect import finish as _finish
from protect._protect import version
from protect._sandbox import Sandbox
from protect.connectors import Connector, Directory, Remediator, Scanner, Setup, Sink
from protect.exceptions import ProtectError
from protect.models import ScanPage, ScanRequest

__all__ = [
    "M365",
    "Bus",
    "Compliance",
    "Connector",
    "Defend",
    "Directory",
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
    "ProtectError",
    "Psa",
    "Remediator",
    "Rmm",
    "Sandbox",
    "ScanPage",
    "ScanRequest",
    "Scanner",
    "Scim",
    "Security",
    "Setup",
    "Sink",
    "Stripe",
    "Tenant",
    "__version__",
    "aio",
    "bus",
    "compliance",
    "connectors",
    "defend",
    "email",
    "exceptions",
    "google",
    "hibp",
    "hub",
    "legal",
    "log",
    "m365",
    "models",
    "notify",
    "oncall",
    "onepassword",
    "open",
    "portal",
    "psa",
    "rmm",
    "scim",
    "secret",
    "security",
    "stripe",
    "version",
    "web",
    "webhook",
]

__version__ = version()

_atexit.register(_finish)
# Before that: what was logged until the end is told, too.
_atexit.register(log.stop)
