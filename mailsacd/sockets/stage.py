"""How far a connection has come, and how long each part may take that is not the session's."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

PROXY_HEADER_TIMEOUT_S: Final = 10.0
TLS_HANDSHAKE_TIMEOUT_S: Final = 30.0
CLOSE_TIMEOUT_S: Final = 10.0
"""So long may a peer take to read our last words."""


class Stage(Enum):
    """Where a connection stands; the session has times of its own."""

    PROXY_HEADER = auto()
    SESSION = auto()
    HANDSHAKE = auto()
    CLOSING = auto()
    GONE = auto()


TIMEOUTS_S: Final[Mapping[Stage, float]] = {
    Stage.PROXY_HEADER: PROXY_HEADER_TIMEOUT_S,
    Stage.HANDSHAKE: TLS_HANDSHAKE_TIMEOUT_S,
    Stage.CLOSING: CLOSE_TIMEOUT_S,
}
