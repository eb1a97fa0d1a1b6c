"""Which Mailpit this is for its clients."""

from typing import Final

from mailsacd import __version__

VERSION: Final = f"v1.30.0+mailsacd.{__version__}"
"""The version of Mailpit whose API is served, as its clients compare them, and what serves it."""
