"""Mailboxes as senders write them, read strictly: whoever reads them later finds the same address.

What comes in is read with forgiveness (mime.addresses). Here an address decides who may send, so
what two programs could read differently is refused: groups, comments but for one at the end,
routes, and names that hold an address and are not quoted.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import Header
from typing import Final

from mailsacd.core.address import parse_address
from mailsacd.core.errors import BadAddressError

MAX_NAME_CHARACTERS: Final = 200

_LOCAL = r'(?:"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^\s"()<>,:;@\\\[\]]+)'
_ADDRESS = rf"(?:{_LOCAL}@(?:[^\s\"()<>,:;@\\\[\]]+|\[[^\s\"()<>,;@\\\[\]]*\]))"
_NAMED = re.compile(
    r'(?:"(?P<quoted>(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*)"[ \t]*|(?P<words>[^"<>@,:;\\\[\]]*))'
    rf"<[ \t]*(?P<address>{_ADDRESS})[ \t]*>\Z"
)
_BARE = re.compile(rf"(?P<address>{_ADDRESS})[ \t]*(?:\((?P<comment>[^()<>@,:;\\\"]*)\))?\Z")
_PIECE = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^",])*', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)")
_SPECIAL = re.compile(r'(["\\])')
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_ENCODED_LINE: Final = 75


@dataclass(frozen=True, slots=True)
class Mailbox:
    """``address`` has its local part as it was written, and a normal domain (core.address)."""

    address: str
    name: str = ""

    @property
    def normal(self) -> str:
        """The address as others are compared with it."""
        return str(parse_address(self.address))

    def written(self) -> str:
        """Return it as a field has it, names beyond ASCII in encoded words (RFC 2047).

        Where those need several lines there are line ends in it.
        """
        if not self.name:
            return self.address
        if not self.name.isascii() or "=?" in self.name:
            phrase = Header(self.name, "utf-8", maxlinelen=_ENCODED_LINE).encode(linesep="\r\n")
        elif _PHRASE.match(self.name):
            phrase = self.name
        else:
            phrase = '"' + _SPECIAL.sub(r"\\\1", self.name) + '"'
        return f"{phrase} <{self.address}>"


def mailboxes(text: str) -> list[Mailbox]:
    """The mailboxes in ``text``, one line: ``a@b.example, Name <c@d.example>``.

    Raises ValueError with what is wrong with it.
    """
    return [_mailbox(piece) for piece in _pieces(text) if piece.strip()]


def written_address(text: str) -> str:
    """``text``, one address, with its local part as it is and its domain in normal form.

    Raises ValueError as `mailboxes`.
    """
    try:
        normal = parse_address(text)
    except BadAddressError as e:
        raise ValueError(f"has {e.public}" if e.public.startswith("no ") else e.public) from e
    local = unicodedata.normalize("NFC", text.rpartition("@")[0])
    usual = unicodedata.normalize("NFC", local.lower()) == normal.local
    return f"{local if usual else normal.local}@{normal.domain}"


def _pieces(text: str) -> Iterator[str]:
    position = 0
    while position <= len(text):
        piece = _PIECE.match(text, position)
        end = piece.end() if piece else position
        if end < len(text) and text[end] != ",":
            raise ValueError("has a quote that is not closed")
        yield text[position:end]
        position = end + 1


def _mailbox(text: str) -> Mailbox:
    text = text.strip(" \t")
    named = _NAMED.match(text)
    found = named or _BARE.match(text)
    if found is None:
        raise ValueError(f"{_shown(text)} is not a mail address, or a name and one in <>")
    if named is None:
        name = found["comment"] or ""
    elif named["quoted"] is not None:
        name = _ESCAPED.sub(r"\1", named["quoted"])
    else:
        name = named["words"]
    return Mailbox(written_address(found["address"]), display_name(name))


def display_name(text: str) -> str:
    """``text`` as the name beside an address. Raises ValueError with what is wrong with it."""
    name = unicodedata.normalize("NFC", " ".join(text.split(" "))).strip()
    if len(name) > MAX_NAME_CHARACTERS:
        raise ValueError(f"has a name of more than {MAX_NAME_CHARACTERS} characters")
    if any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in name if c != "\t"):
        raise ValueError("has a control character in a name")
    return name.replace("\t", " ")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
