"""The One RMM: its models."""

from protect._generated.rmm_models import *
from protect._generated.rmm_models import __all__ as __all__
