"""Messages that are broken a little: our own samples, changed at a few places."""

from pathlib import Path
from random import Random
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

# So long that no constant of our modules, which hypothesis likes to draw, comes into them: the
# mutants are the same whatever is imported
_SEED_BYTES: Final = 37


def mutants() -> st.SearchStrategy[bytes]:
    """Return a strategy for our samples with one to three changes."""
    return st.binary(min_size=_SEED_BYTES, max_size=_SEED_BYTES).map(_mutant)


def _mutant(seed: bytes) -> bytes:
    random = Random(seed)
    content = random.choice(SAMPLES).read_bytes()
    for _ in range(random.randint(1, 3)):
        content = random.choice(_CHANGES)(random, content)
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


def _with_line(random: Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    end = b"\r" if b"\r\n" in content else b""
    lines.insert(random.randint(0, len(lines)), random.choice(_LINES) + end)
    return b"\n".join(lines)


def _with_piece(random: Random, content: bytes) -> bytes:
    place = random.randint(0, len(content))
    return content[:place] + random.choice(_PIECES) + content[place + random.randint(0, 3) :]


def _without_line(random: Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    del lines[random.randrange(len(lines))]
    return b"\n".join(lines)


def _with_line_moved(random: Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    line = lines.pop(random.randrange(len(lines)))
    lines.insert(random.randint(0, len(lines)), line)
    return b"\n".join(lines)


def _cut(random: Random, content: bytes) -> bytes:
    return content[: random.randint(0, len(content))]


def _with_newlines(random: Random, content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


_CHANGES: Final = (
    _with_line, _with_piece, _without_line, _with_line_moved, _cut, _with_newlines,
)  # fmt: skip
