"""Tags and compression, of what a client offers."""

import pytest

from mailsacd.http.api.representation import coding_of


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (b"", None),
        (b"gzip", b"gzip"),
        (b"GZip", b"gzip"),
        (b"x-gzip", b"gzip"),
        (b"gzip, deflate, br", b"gzip"),
        (b"gzip, deflate, br, zstd", b"zstd"),
        (b"gzip;q=1.0, zstd;q=0.5", b"gzip"),
        (b"gzip ; Q=0.5 , zstd;q=0.501", b"zstd"),
        (b"gzip;q=0", None),
        (b"gzip;q=0.000, *", b"zstd"),
        (b"*", b"zstd"),
        (b"*;q=0", None),
        (b"zstd;q=0, *;q=0.1", b"gzip"),
        (b"identity", None),
        (b"identity, gzip", b"gzip"),
        (b"identity;q=1, gzip;q=0.5", None),
        (b"identity;q=0, gzip;q=0.001", b"gzip"),
        (b"br, deflate", None),
        (b"gzip;q=x", None),
        (b"gzip;level=9", None),
        (b",,gzip,,", b"gzip"),
        (b"\xff, ;q=1, gzip", b"gzip"),
        (b"gzipped", None),
    ],
)
def test_the_best_coding_that_is_taken(accepted: bytes, coding: bytes | None) -> None:
    assert coding_of(accepted) == coding
