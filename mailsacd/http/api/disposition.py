"""File names that are safe to send to a browser (RFC 6266, RFC 8187)."""

import unicodedata
from typing import Final
from urllib.parse import quote

MAX_FILE_NAME_CHARACTERS: Final = 120
_MAX_EXTENSION_CHARACTERS: Final = 16
_REPLACED: Final = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))
_NO_NAME: Final = "attachment"


def safe_file_name(name: str) -> str:
    """``name`` so that it stays in the directory it is saved to, and reads as what it is.

    Path separators, quotes and what Windows reserves become ``_``; control characters and
    invisible ones (among them those that turn the direction of reading, which can make
    ``gpj.exe`` look like ``exe.jpg``) go; it is cut before its extension. Never empty.
    """
    visible = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    visible = " ".join(visible.translate(_REPLACED).split()).strip(". ")
    if len(visible) > MAX_FILE_NAME_CHARACTERS:
        stem, dot, extension = visible.rpartition(".")
        if not dot or len(extension) > _MAX_EXTENSION_CHARACTERS:
            stem, dot, extension = visible, "", ""
        visible = stem[: MAX_FILE_NAME_CHARACTERS - len(dot + extension)] + dot + extension
    return visible or _NO_NAME


def attachment_disposition(name: str) -> bytes:
    """The value of Content-Disposition that has the answer saved under a safe form of ``name``."""
    safe = safe_file_name(name)
    plain = "".join(c if " " <= c <= "~" and c != "%" else "_" for c in safe)
    value = f'attachment; filename="{plain}"'
    if plain != safe:
        value += f"; filename*=UTF-8''{quote(safe, safe='')}"
    return value.encode("ascii")
