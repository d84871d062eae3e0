"""Models of SCIM 2.0."""

from protect._generated.scim_models import *
from protect._generated.scim_models import __all__ as __all__
