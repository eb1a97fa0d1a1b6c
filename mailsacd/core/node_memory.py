"""The memory in which buckets are kept, which the workers of a node share.

A worker inherits a file of the parent's, which has no name and is in memory, and maps it: so all
of them spend from the same buckets, and one that is started anew finds them as they are. Two that
change one number in the same instant lose a spending; nobody waits for anybody.
"""

import mmap
import os
import secrets
import tempfile
from collections.abc import MutableSequence
from typing import Final, cast

from mailsacd.core.rate import SLOTS

TABLES: Final = (
    "peer",
    "sender",
    "recipient",
    "account",
    "calling-peer",
    "calling-account",
    "sending-account",
)
"""What there are buckets of."""

_SECRET_BYTES: Final = 64
_NUMBER_BYTES: Final = 8
_SIZE: Final = _SECRET_BYTES + len(TABLES) * SLOTS * _NUMBER_BYTES  # 7 MiB, of what is touched


class RateMemory:
    """Tables of buckets by their names, each of SLOTS numbers, and the secret of their places."""

    def __init__(self, descriptor: int = -1) -> None:
        """Map the file that `shared_file` made; without one the memory is the process's own."""
        whole = memoryview(mmap.mmap(descriptor, _SIZE))
        if descriptor < 0:
            whole[:_SECRET_BYTES] = secrets.token_bytes(_SECRET_BYTES)
        self.secret: Final = bytes(whole[:_SECRET_BYTES])
        numbers = whole[_SECRET_BYTES:].cast("d")
        self.tables: Final[dict[str, MutableSequence[float]]] = {
            name: cast(MutableSequence[float], numbers[at * SLOTS : (at + 1) * SLOTS])
            for at, name in enumerate(TABLES)
        }


def shared_file() -> int:
    """Make a file for a RateMemory. Returns its descriptor, which the caller closes."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("mailsacd-rates")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, _SIZE)
    os.pwrite(descriptor, secrets.token_bytes(_SECRET_BYTES), 0)
    return descriptor
