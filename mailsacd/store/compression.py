"""The stored form of raw messages: zstd (RFC 8878). Every function runs in any thread."""

import threading
from typing import Final

import zstandard

_ZSTD_LEVEL: Final = 1  # 28 µs for 20 KB; higher levels cost more than the disk they save

BEGINNING_BYTES: Final = 32_768
"""So much of a raw message is its beginning."""

_BLOCK_BYTES: Final = 131_072 + 1_024
"""What begins ends in a block that may hold 128 KB (RFC 8878 section 3.1.1.2.4), and is readable as
a whole."""

# A compressor is costly to make and must not be shared between threads: one a thread
_per_thread = threading.local()


def compress(raw: bytes) -> bytes:
    """Return the stored form of a raw message: one zstd frame that tells its content size."""
    try:
        compressor: zstandard.ZstdCompressor = _per_thread.compressor
    except AttributeError:
        compressor = _per_thread.compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL)
    return compressor.compress(raw)


def expand(raw: bytes) -> bytes:
    """Return the raw message that `compress` made ``raw`` of."""
    return _decompressor().decompress(raw)


def stored_beginning_bytes(size: int) -> int:
    """Return how many bytes of the stored form have the first ``size`` of a raw message."""
    return size + _BLOCK_BYTES


def expand_beginning(raw: bytes, size: int = BEGINNING_BYTES) -> bytes:
    """Return the first ``size`` bytes of the raw message, or all of it. No more is unpacked.

    Of ``raw`` the first `stored_beginning_bytes` are enough.
    """
    return _decompressor().stream_reader(raw).read(size)


def expanded_bytes(raw: bytes) -> int:
    """Return how many bytes `expand` makes of ``raw``.

    Mail that repeats itself is stored in very few.
    """
    return zstandard.frame_content_size(raw)


def _decompressor() -> zstandard.ZstdDecompressor:
    try:
        decompressor: zstandard.ZstdDecompressor = _per_thread.decompressor
    except AttributeError:
        decompressor = _per_thread.decompressor = zstandard.ZstdDecompressor()
    return decompressor
