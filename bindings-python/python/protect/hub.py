"""The One Hub: its models."""

from protect._generated.hub_models import *
from protect._generated.hub_models import __all__ as __all__
