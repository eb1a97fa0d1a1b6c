"""What somebody is to type or to open who got a message, and its JSON."""

from typing import Annotated

import msgspec
from msgspec import Meta

from mailsacd.core.confirmation_link import FoundLink
from mailsacd.core.found_codes import FoundCode


class CodesAndLinks(msgspec.Struct, frozen=True, kw_only=True):
    """One-time codes and confirmation links of a message, the likeliest first."""

    codes: Annotated[tuple[str, ...], Meta(description="Those of `found`")]
    found: tuple[FoundCode, ...]
    links: tuple[FoundLink, ...]
