"""Faults that mail meets on purpose: the settings of that."""

from typing import Annotated

import msgspec

from mailsacd.core.fault import MAX_SECONDS


class FaultSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[faults]``: who may have mail fail on purpose, and how long that may take."""

    enabled: bool = True
    public_domains: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    answer_domains: tuple[str, ...] = ()
    max_delay_s: Annotated[float, msgspec.Meta(ge=0, le=MAX_SECONDS)] = 60.0
    max_delayed: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 200
