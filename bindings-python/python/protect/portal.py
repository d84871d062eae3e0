"""The One Portal: its models."""

from protect._generated.portal_models import *
from protect._generated.portal_models import __all__ as __all__
