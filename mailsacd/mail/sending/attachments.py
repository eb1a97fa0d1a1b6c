"""Attachments of a message that is to be composed: checked, and decoded to bytes."""

import binascii
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from mailsacd.mail.sending.message_fields import AttachmentFields

MAX_FILE_NAME_CHARACTERS: Final = 255
DEFAULT_TYPE: Final = "application/octet-stream"

_WORD = r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,127}"
_VALUE = rf'(?:{_WORD}|"[ !#-\[\]-~]{{0,200}}")'
_TYPE = re.compile(rf"({_WORD})/({_WORD})((?:[ \t]*;[ \t]*{_WORD}={_VALUE}){{0,10}})\Z")
_PARAMETER = re.compile(rf'({_WORD})=({_WORD}|"[^"]*")')
_CONTENT_ID = re.compile(r"[!-;=?-~]{1,200}\Z")
_SPACE = re.compile(r"\s+")
_TEXTS: Final = {"utf8": "utf-8", "utf-8": "utf-8", "ascii": "ascii", "latin1": "latin-1"}
_TEXTS_OF_NODE: Final = {"binary": "latin-1", "utf16le": "utf-16-le", "ucs2": "utf-16-le"}
_FAMILIES_WITHIN: Final = frozenset({"multipart", "message"})
_OURS: Final = frozenset({"name", "boundary"})  # parameters that composing sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """``content_id`` is without angle brackets; with one the HTML shows it by ``cid:``."""

    content: bytes
    file_name: str
    family: str
    subtype: str
    parameters: tuple[tuple[str, str], ...]
    content_id: str
    inline: bool


def attachment_of(fields: AttachmentFields) -> Attachment:
    """The attachment that ``fields`` describe. Raises ValueError with what is wrong with it."""
    named = _TYPE.match(fields.content_type or DEFAULT_TYPE)
    if named is None:
        raise ValueError("has a contentType that is none")
    family, subtype = named[1].lower(), named[2].lower()
    if family in _FAMILIES_WITHIN:
        raise ValueError(f"has the contentType {family}/{subtype}, which is none for a file")
    cid = (fields.cid or "").strip()
    cid = cid[1:-1] if cid.startswith("<") and cid.endswith(">") else cid
    if cid and not _CONTENT_ID.match(cid):
        raise ValueError("has a cid with a space, angle brackets, or more than 200 characters")
    disposition = (fields.content_disposition or "").partition(";")[0].strip().lower()
    if disposition not in {"", "attachment", "inline"}:
        raise ValueError("has a contentDisposition that is neither attachment nor inline")
    return Attachment(
        content=_decoded(fields.content, (fields.encoding or "utf8").lower()),
        file_name=_file_name(fields.filename or ""),
        family=family,
        subtype=subtype,
        parameters=tuple(
            (name.lower(), value.strip('"'))
            for name, value in _PARAMETER.findall(named[3])
            if name.lower() not in _OURS
        ),
        content_id=cid,
        inline=disposition == "inline",
    )


def _file_name(text: str) -> str:
    name = unicodedata.normalize("NFC", text)
    if len(name) > MAX_FILE_NAME_CHARACTERS:
        raise ValueError(f"has a filename of more than {MAX_FILE_NAME_CHARACTERS} characters")
    if not name.replace(" ", "").isprintable():
        raise ValueError("has a filename with a control character")
    return name


def _decoded(text: str, encoding: str) -> bytes:
    codec = _TEXTS.get(encoding) or _TEXTS_OF_NODE.get(encoding)
    try:
        if codec is not None:
            return text.encode(codec)
        if encoding == "hex":
            return bytes.fromhex(text)
        if encoding in {"base64", "base64url"}:
            return _base64(text)
    except ValueError as e:
        raise ValueError(f"has a content that is not {encoding}") from e
    known = ", ".join(("base64", "hex", *_TEXTS, *_TEXTS_OF_NODE))
    raise ValueError(f"has an encoding that is none of {known}")


def _base64(text: str) -> bytes:
    """With or without line ends, padding, and the URL's alphabet."""
    packed = _SPACE.sub("", text).rstrip("=").replace("-", "+").replace("_", "/")
    return binascii.a2b_base64(packed + "=" * (-len(packed) % 4), strict_mode=True)
