"""The One Legal: its models."""

from protect._generated.legal_models import *
from protect._generated.legal_models import __all__ as __all__
