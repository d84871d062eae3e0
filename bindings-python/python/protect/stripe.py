"""Stripe's models."""

from protect._generated.stripe_models import *
from protect._generated.stripe_models import __all__ as __all__
