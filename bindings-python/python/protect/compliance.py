"""The One Compliance: its models."""

from protect._generated.compliance_models import *
from protect._generated.compliance_models import __all__ as __all__
