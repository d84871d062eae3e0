"""The One Security: its models."""

from protect._generated.security_models import *
from protect._generated.security_models import __all__ as __all__
