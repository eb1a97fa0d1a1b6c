"""Those who wait for mail on the port of the REST API: how many there may be."""

from typing import Annotated

import msgspec

from mailsacd.setting_types import Count


class WebsocketSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who waits for mail, by WebSocket or server-sent events, on the port of the REST API."""

    heartbeat_s: Annotated[float, msgspec.Meta(ge=0.1, le=3_600)] = 30.0
    max_listeners: Count = 4_000
    max_listeners_per_account: Count = 2_500
    max_listeners_per_peer: Count = 2_500
    hold_ms: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 25
    allowed_origins: tuple[str, ...] = ()
    compression: bool = False


class WaitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[wait]``: calls that are answered when mail comes."""

    max_open: Count = 4_000
    max_open_per_account: Count = 2_500
    max_open_per_peer: Count = 2_500
