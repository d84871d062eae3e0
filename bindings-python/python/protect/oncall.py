"""The One On-Call: its models."""

from protect._generated.oncall_models import *
from protect._generated.oncall_models import __all__ as __all__
