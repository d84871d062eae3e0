"""Watch an organisation's identities and settings, open incidents, and put them right."""

from protect._protect import version

__all__ = ["__version__", "version"]

__version__ = version()
