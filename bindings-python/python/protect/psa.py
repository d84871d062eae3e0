"""The One PSA: its models."""

from protect._generated.psa_models import *
from protect._generated.psa_models import __all__ as __all__
