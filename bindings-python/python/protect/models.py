"""The engine's models: findings, incidents, plans, outcomes."""

from protect._generated.engine_models import *
from protect._generated.engine_models import __all__ as __all__
