"""Messages that are broken a little: our own samples, changed at a few places."""

from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_TESTS: Final = Path(__file__).parents[1]

SAMPLES: Final = tuple(
    path
    for folder in (_TESTS / "mime" / "samples", _TESTS / "differential" / "samples")
    for path in sorted(folder.glob("*.eml"))
)
"""Messages that we have written: those with which the parser is tested, and some for this."""

_LINES: Final = (
    b"", b" ", b"\t", b"--", b"From x", b"no field", b" folded: on", b"X: y",
    b"Content-Type: text/plain; charset=utf-8", b"Content-Type: text/html",
    b"Content-Type: text/plain; charset=iso-8859-1", b"Content-Type: text/plain; charset=x-unknown",
    b"Content-Type: application/octet-stream", b"Content-Type: multipart/mixed; boundary=b",
    b"Content-Type: message/rfc822", b"Content-Type: nonsense", b"--b", b"--b--",
    b"Content-Disposition: attachment", b"Content-Disposition: attachment; filename=a.txt",
    b"Content-Disposition: inline; filename*=utf-8''%C3%BC.txt",
    b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Transfer-Encoding: 8bit", b"Content-Transfer-Encoding: nonsense",
    b"Subject: =?utf-8?q?=C3=BC?=", b"From: Ann <ann@example.com>, ben@example.com",
    b"To: group: a@example.com, b@example.com;", b"Cc: (c) a@example.com (d)", b"Bcc: <>",
    b"Date: Mon, 01 Jan 2024 00:00:00 +0100", b"Message-ID: <a@b>",
    b'<a href="https://example.com/?a=1&amp;b=2">x</a>', "\u00fc".encode(), b"\xfc",
)  # fmt: skip
"""What is put between two lines."""

_PIECES: Final = (
    b"", b"\0", b" ", b"\r\n", b"\n", b"\r", b'"', b"(", b")", b"<", b">", b"@", b",", b";", b":",
    b"=", b"=?", b"?=", b"=\r\n", b"--", b"\\", b"%", b"*", b"'",
    b"\xc3\xbc", b"\xfc", b"\xef\xbb\xbf",
)  # fmt: skip
"""What is put into a line."""

_PLACE = st.floats(0, 1, exclude_max=True)


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """Draw one of our samples with one to three changes."""
    content = draw(st.sampled_from(SAMPLES)).read_bytes()
    for _ in range(draw(st.integers(1, 3))):
        content = draw(_change(content))
    return content


def many(count: int) -> list[bytes]:
    """Return at most ``count`` mutants that differ from each other, the same ones each time."""
    found: dict[bytes, None] = {}

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(mutants())
    def gather(mutant: bytes) -> None:
        found[mutant] = None

    gather()
    return list(found)


def _change(content: bytes) -> st.SearchStrategy[bytes]:
    return st.one_of(
        st.builds(_with_line, st.just(content), _PLACE, st.sampled_from(_LINES)),
        st.builds(
            _with_piece, st.just(content), _PLACE, st.integers(0, 3), st.sampled_from(_PIECES)
        ),
        st.builds(_without_line, st.just(content), _PLACE),
        st.builds(_moved_line, st.just(content), _PLACE, _PLACE),
        st.builds(_cut, st.just(content), _PLACE),
        st.just(content.replace(b"\r\n", b"\n")),
    )


def _with_line(content: bytes, place: float, line: bytes) -> bytes:
    lines = content.split(b"\n")
    end = b"\r" if b"\r\n" in content else b""
    lines.insert(int(place * (len(lines) + 1)), line + end)
    return b"\n".join(lines)


def _with_piece(content: bytes, place: float, removed: int, piece: bytes) -> bytes:
    at = int(place * (len(content) + 1))
    return content[:at] + piece + content[at + removed :]


def _without_line(content: bytes, place: float) -> bytes:
    lines = content.split(b"\n")
    del lines[int(place * len(lines))]
    return b"\n".join(lines)


def _moved_line(content: bytes, place: float, to: float) -> bytes:
    lines = content.split(b"\n")
    line = lines.pop(int(place * len(lines)))
    lines.insert(int(to * (len(lines) + 1)), line)
    return b"\n".join(lines)


def _cut(content: bytes, place: float) -> bytes:
    return content[: int(place * (len(content) + 1))]
