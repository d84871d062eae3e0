"""1Password's models."""

from protect._generated.onepassword_models import *
from protect._generated.onepassword_models import __all__ as __all__
