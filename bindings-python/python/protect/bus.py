"""The One Bus: its models."""

from protect._generated.bus_models import *
from protect._generated.bus_models import __all__ as __all__
