"""The One Defend: its models."""

from protect._generated.defend_models import *
from protect._generated.defend_models import __all__ as __all__
