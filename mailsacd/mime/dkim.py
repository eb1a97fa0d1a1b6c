"""DKIM signatures: RFC 6376 with RSA, and RFC 8463 with Ed25519.

Both header and body are canonicalised "relaxed", the whole body is signed (no ``l=``), and fields
that change what a reader sees are signed once more than they occur, so that none can be added
(section 8.15). Takes a time that is linear in the size of the message, whatever is in it
(docs/adr/0028-dkim.md).
"""

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from mailsacd.core.dkim import Algorithm

OVERSIGNED: Final = (
    "from", "to", "cc", "subject", "date", "message-id", "reply-to", "mime-version",
    "content-type", "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
"""Fields that are signed once more than they occur: one that is added breaks the signature."""

SIGNED: Final = (
    "sender", "in-reply-to", "references", "auto-submitted", "resent-from", "resent-to",
    "resent-date", "resent-message-id",
)  # fmt: skip
"""Fields that are signed as often as they occur."""

_LINE_CHARACTERS: Final = 72
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")  # RFC 5322 sections 2.2 and 4.5
_FIELD_END: Final = re.compile(rb"\r\n(?![ \t])")
_SPACE: Final = re.compile(rb"[ \t]+")
_CUT: Final = re.compile(rb"[^ \t\r]")
_PIECE_BYTES: Final = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key, and the selector at which receivers find its public half."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> Algorithm:
        """The name of its algorithm in a signature."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"


def signed(content: bytes, domain: str, keys: Sequence[SigningKey], now: int) -> bytes:
    """Return ``content`` with a signature of ``domain`` by each of ``keys`` before it.

    ``content`` is a whole message whose lines end in CRLF, ``domain`` a normal domain, ``now`` the
    time of signing in seconds since 1970.
    """
    head, _, body = content.partition(b"\r\n\r\n")
    if content.startswith(b"\r\n"):
        head, body = b"", content[2:]
    body_hash = base64.b64encode(hashlib.sha256(canonical_body(body)).digest()).decode("ascii")
    names, fields = _chosen(_values(head))
    signatures = (_signature(key, domain, now, names, fields, body_hash) for key in keys)
    return b"".join(signatures) + content


def canonical_body(body: bytes) -> bytes:
    """Return the "relaxed" form of a body (RFC 6376 section 3.4.4)."""
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"  # as it arrives: what ends a message ends its last line
    text = b"".join(_SPACE.sub(b" ", p).replace(b" \r\n", b"\r\n") for p in _pieces(body))
    end = len(text)
    while text.endswith(b"\r\n", 0, end) and end:
        end -= 2
    return text[:end] + b"\r\n" if end else b""


def _pieces(body: bytes) -> Iterator[bytes]:
    """``body`` in pieces of some _PIECE_BYTES, none of which ends within spaces or before a CRLF.

    An expression holds the interpreter, and so the reactor, while it goes through a piece.
    """
    start = 0
    while start < len(body):
        cut = _CUT.search(body, start + _PIECE_BYTES)
        end = len(body) if cut is None else cut.end()
        yield body[start:end]
        start = end


def canonical_field(name: str, value: bytes) -> bytes:
    """Return the "relaxed" form of a header field, without a line end (RFC 6376 section 3.4.2)."""
    unfolded = _SPACE.sub(b" ", value.replace(b"\r\n", b""))
    return name.lower().encode("ascii") + b":" + unfolded.strip(b" ")


def fields_of(head: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield of each header field its name in lower case, and all of it without the CRLF at its end.

    Lines that are no field are left out.
    """
    for raw in _FIELD_END.split(head):
        name = _FIELD.match(raw)
        if name is not None:
            yield name[1].decode("ascii").lower(), raw


def _values(head: bytes) -> Mapping[str, list[bytes]]:
    found: dict[str, list[bytes]] = defaultdict(list)
    for name, raw in fields_of(head):
        found[name].append(raw.partition(b":")[2])
    return found


def _chosen(fields: Mapping[str, list[bytes]]) -> tuple[list[str], bytes]:
    """What ``h=`` names, and the canonical form of these fields, the last of a name first."""
    names: list[str] = []
    text: list[bytes] = []
    for name in (*OVERSIGNED, *SIGNED):
        values = fields.get(name, [])
        names += [name] * (len(values) + (name in OVERSIGNED))
        text += [canonical_field(name, value) + b"\r\n" for value in reversed(values)]
    return names, b"".join(text)


def _signature(
    key: SigningKey, domain: str, now: int, names: list[str], fields: bytes, body_hash: str
) -> bytes:
    value = (
        f" v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n\td={domain}; s={key.selector}; t={now};"
        f"\r\n\th={_folded_names(names)};\r\n\tbh={body_hash};\r\n\tb="
    ).encode("ascii")
    hashed = fields + canonical_field("DKIM-Signature", value)
    made = base64.b64encode(_made(key.private, hashed))
    lines = (made[at : at + _LINE_CHARACTERS] for at in range(0, len(made), _LINE_CHARACTERS))
    return b"DKIM-Signature:" + value + b"\r\n\t".join(lines) + b"\r\n"


def _made(private: RSAPrivateKey | Ed25519PrivateKey, hashed: bytes) -> bytes:
    if isinstance(private, RSAPrivateKey):
        return private.sign(hashed, PKCS1v15(), hashes.SHA256())
    return private.sign(hashlib.sha256(hashed).digest())  # RFC 8463 section 3: of the hash


def _folded_names(names: list[str]) -> str:
    return "\r\n\t ".join(_lines(names))


def _lines(names: list[str]) -> Iterator[str]:
    line = ""
    for number, name in enumerate(names):
        piece = name + (":" if number < len(names) - 1 else "")
        if line and len(line) + len(piece) > _LINE_CHARACTERS:
            yield line
            line = ""
        line += piece
    yield line
