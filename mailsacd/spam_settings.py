"""Section ``[spam]``: who tells how likely mail is spam."""

from typing import Annotated, Literal

import msgspec


class SpamSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who tells how likely mail is spam, and what becomes of it."""

    scorer: Literal["classifier", "rspamd", "spamd", "off"] = "classifier"
    address: str = ""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10.0
    folder_from: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
