"""The models of notices."""

from protect._generated.notify_models import *
from protect._generated.notify_models import __all__ as __all__
