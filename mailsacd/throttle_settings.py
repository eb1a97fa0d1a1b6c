"""How fast mail and calls may come: the settings of the throttle."""

from typing import Annotated

import msgspec

from mailsacd.setting_types import PerMinute


class ThrottleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[throttle]``: how fast mail and calls may come. 0: as fast as they like."""

    enabled: bool = True
    exempt_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    peer_per_minute: PerMinute = 1_200
    sender_domain_per_minute: PerMinute = 6_000
    recipient_per_minute: PerMinute = 300
    account_per_minute: PerMinute = 12_000
    private_factor: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 10
    slow_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 10.0
    calls_per_minute: PerMinute = 1_200
    account_calls_per_minute: PerMinute = 12_000
    sends_per_minute: PerMinute = 600
    links_per_minute: PerMinute = 120
