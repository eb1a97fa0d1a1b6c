"""What is found out about mail: the settings of checks."""

from typing import Annotated, Literal

import msgspec


class CheckSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[checks]``: what is found out about mail from outside, and on request."""

    authentication: Literal["after", "before", "off"] = "after"
    before_ms: Annotated[int, msgspec.Meta(ge=1, le=30_000)] = 1_000
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 15.0
    links: bool = True
    allowed_networks: tuple[str, ...] = ()
    ca_file: str = ""
    caniemail_file: str = ""
