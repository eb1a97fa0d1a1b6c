"""Where messages end, against a reference that is too simple to be wrong."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.smtp.framing import ChunkReader, TextReader, has_bare_newlines

_LIMIT = 50


def _reference(data: bytes) -> tuple[bytes, bytes] | None:
    """Message and rest, octet by octet, as RFC 5321 sections 4.1.1.4 and 4.5.2 say it."""
    content = bytearray()
    at_line_start, i = True, 0
    while i < len(data):
        if at_line_start and data[i : i + 3] == b".\r\n":
            return bytes(content), data[i + 3 :]
        if at_line_start and data[i : i + 1] == b"." and len(data) >= i + 3:
            i += 1
        if data[i : i + 2] == b"\r\n":
            content += b"\r\n"
            i += 2
            at_line_start = True
        else:
            content += data[i : i + 1]
            i += 1
            at_line_start = False
    return None


def _feed(reader: TextReader, pieces: list[bytes]) -> bytes | None:
    for i, piece in enumerate(pieces):
        rest = reader.receive(piece)
        if rest is not None:
            return rest + b"".join(pieces[i + 1 :])
    return None


def _cut(data: bytes, places: list[int]) -> list[bytes]:
    cuts = sorted({p % (len(data) + 1) for p in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(cuts)]


_tricky = st.lists(
    st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"a", b"\r\n.", b"\r\n.\r\n", b"..", b"\0"])
).map(b"".join)


@given(_tricky, st.lists(st.integers(0, 200)))
def test_text_ends_where_the_reference_ends_it(data: bytes, places: list[int]) -> None:
    reader = TextReader(1000)
    rest = _feed(reader, _cut(data, places))
    expected = _reference(data)
    assert (rest is None) == (expected is None)
    if expected is not None:
        assert (reader.content, rest) == expected
        assert not reader.refused


@given(_tricky, st.lists(st.integers(0, 400)))
def test_the_limit_counts_the_message_without_stuffing(data: bytes, places: list[int]) -> None:
    data = data + b"x" * 30 + data + b"\r\n.\r\nNOOP"
    expected = _reference(data)
    assert expected
    reader = TextReader(_LIMIT)
    rest = _feed(reader, _cut(data, places))
    assert rest == expected[1]
    assert reader.refused == (len(expected[0]) > _LIMIT)
    assert reader.content == (b"" if reader.refused else expected[0])


@pytest.mark.parametrize(
    "not_an_end",
    [
        b"a\n.\nQUIT\r\n",
        b"a\r.\rQUIT\r\n",
        b"a\n.\r\nQUIT\r\n",
        b"a\r\n.\nQUIT\r\n",
        b"a\r\n.\rQUIT\r\n",
        b"a\r\n.\0\r\nQUIT\r\n",
        b"a\r\n\0.\r\nQUIT\r\n",
        b"a\r\r\n.\r\r\nQUIT\r\n",
        b"a\n\r\n..\r\nQUIT\r\n",
    ],
)
def test_only_crlf_dot_crlf_ends_text(not_an_end: bytes) -> None:
    for pieces in ([not_an_end], [bytes([b]) for b in not_an_end]):
        reader = TextReader(1000)
        assert _feed(reader, pieces) is None


def test_text_over_the_limit_is_not_kept_and_its_end_is_found() -> None:
    reader = TextReader(1000)
    for _ in range(1600):
        assert reader.receive(b"x" * 65_536) is None  # 100 MB
        assert reader.held_bytes == 0
    assert reader.receive(b"\r\n") is None
    assert reader.receive(b".\r\nNOOP") == b"NOOP"
    assert reader.refused
    assert reader.content == b""


def test_refused_text_is_read_to_its_end() -> None:
    reader = TextReader(1000)
    reader.receive(b"abc\r\n.")
    reader.refuse()
    assert reader.held_bytes == 0
    assert reader.receive(b"\r\nQUIT") == b"QUIT"
    assert reader.content == b""


def test_text_in_single_bytes_is_not_searched_again_and_again() -> None:
    reader = TextReader(1_000_000)
    for _ in range(500_000):  # a search from the start each time would take minutes
        assert reader.receive(b"x") is None
    assert reader.receive(b"\r\n.\r\n") == b""
    assert len(reader.content) == 500_002


@given(st.binary(max_size=60), st.lists(st.integers(0, 100)), st.integers(0, 60))
def test_a_chunk_ends_at_its_count(data: bytes, places: list[int], size: int) -> None:
    reader = ChunkReader(30)
    reader.begin(size)
    rest = None
    pieces = _cut(data, places) or [b""]
    for i, piece in enumerate(pieces):
        rest = reader.receive(piece)
        if rest is not None:
            rest += b"".join(pieces[i + 1 :])
            break
    if len(data) < size:
        assert rest is None
    else:
        assert rest == data[size:]
        assert reader.refused == (size > 30)
        assert reader.content == (b"" if reader.refused else data[:size])


def test_chunks_gather_and_the_one_too_many_drops_all() -> None:
    reader = ChunkReader(10)
    reader.begin(6)
    assert reader.receive(b"123456") == b""
    reader.begin(4)
    assert reader.receive(b"7890") == b""
    assert reader.content == b"1234567890"
    reader.begin(1)
    assert reader.held_bytes == 0
    assert reader.receive(b"x") == b""
    assert reader.refused


@pytest.mark.parametrize(
    ("content", "bare"),
    [
        (b"", False),
        (b"a\r\nb\r\n", False),
        (b"a\nb", True),
        (b"a\rb", True),
        (b"a\r\r\n", True),
        (b"\n\r", True),
        (b"\r\n\n", True),
    ],
)
def test_bare_newlines_are_seen(content: bytes, bare: bool) -> None:
    assert has_bare_newlines(content) is bare
