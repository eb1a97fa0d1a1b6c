"""Messages as MailHog writes them in JSON. The names of fields are its own.

It cuts a message up by its line ends and boundaries, and decodes nothing: its clients do. Source:
`ContentFromString` and `ParseMIMEBody` of `github.com/mailhog/data`.
"""

import re
from base64 import b64decode
from binascii import Error
from typing import Any, Final

import msgspec

from mailsacd.core.errors import NotFoundError
from mailsacd.core.token import iso_time
from mailsacd.mail.reading.all_mail import Mail
from mailsacd.mime import parameters
from mailsacd.mime.trace import end_of_trace

MAX_PARTS: Final = 1_000
MAX_DEPTH: Final = 5
"""Of parts within parts, for each of which all of it is there once more."""

Json = dict[str, Any]

_RETURN_PATH: Final = re.compile(r"Return-Path: <([^>]*)>")
_ENCODING: Final = "content-transfer-encoding"
_HELO: Final = re.compile(r"Received: from (\S+)")


def message(mail: Mail, raw: bytes) -> Json:
    """A message with all that it says. ``raw`` is as it is stored, with its trace headers."""
    start = end_of_trace(raw)
    trace, data = _text(raw[:start]), _text(raw[start:]).removesuffix("\r\n")
    sender = _RETURN_PATH.search(trace)
    reverse_path = sender[1] if sender else ""
    recipients = list(dict.fromkeys(copy.original_inbox for copy in mail.copies))
    helo = _HELO.search(trace)
    content = _content(data, 0)
    mime = content["MIME"]
    _put_trace(content["Headers"], trace, mail.id)
    return {
        "ID": mail.id,
        "From": _path(reverse_path),
        "To": [_path(recipient) for recipient in recipients],
        "Content": {**content, "MIME": None},
        "Created": iso_time(mail.first.received),
        "MIME": mime,
        "Raw": {
            "From": reverse_path,
            "To": recipients,
            "Data": data,
            "Helo": helo[1] if helo else "",
        },
    }


def message_json(mail: Mail, raw: bytes) -> bytes:
    """The same in JSON, which is larger than the message several times. Runs in any thread."""
    return msgspec.json.encode(message(mail, raw))


def part_content(place: str, mail: Mail, raw: bytes) -> bytes:
    """What is in the part at ``place`` in ``MIME.Parts``, decoded if it is in base64.

    Runs in any thread. Raises NotFoundError.
    """
    mime = message(mail, raw)["MIME"]
    parts = mime["Parts"] if mime else ()
    if not (place.isascii() and place.isdecimal() and int(place[:9]) < len(parts)):
        raise NotFoundError("There is no such part in this message")
    return _decoded(parts[int(place[:9])])


def _decoded(part: Json) -> bytes:
    body: str = part["Body"]
    encodings = (v for name, v in part["Headers"].items() if name.lower() == _ENCODING)
    if next(encodings, [""])[0].strip().lower() != "base64":
        return body.encode()
    try:
        return b64decode(body)
    except Error:
        return body.encode()


def _put_trace(headers: dict[str, list[str]], trace: str, message_id: str) -> None:
    """Add what MailHog adds: how the message came, and an id where it has none."""
    for name, values in _fields(trace).items():
        known = next((each for each in headers if each.lower() == name.lower()), name)
        headers[known] = [*headers.get(known, ()), *values]
    if not any(name.lower() == "message-id" for name in headers):
        headers["Message-ID"] = [message_id]


def _content(data: str, depth: int) -> Json:
    head, blank, body = data.partition("\r\n\r\n")
    if not blank:
        return {"Headers": {}, "Body": head, "Size": len(data), "MIME": None}
    headers = _fields(head)
    content: Json = {"Headers": headers, "Body": body, "Size": len(data), "MIME": None}
    kind = (headers.get("Content-Type") or [""])[0]
    if kind.startswith("multipart/") and depth < MAX_DEPTH:
        content["MIME"] = {"Parts": _parts(body, kind, depth)}
    return content


def _parts(body: str, kind: str, depth: int) -> list[Json]:
    boundary = parameters.parse(kind).parameters.get("boundary")
    if not boundary:
        return []
    pieces = body.split(f"--{boundary}", MAX_PARTS)[:MAX_PARTS]
    return [_content(piece.strip("\r\n"), depth + 1) for piece in pieces if piece]


def _fields(head: str) -> dict[str, list[str]]:
    """Of a field that repeats the last counts, as in MailHog; folded lines are joined."""
    found: dict[str, list[str]] = {}
    last = ""
    for line in head.split("\r\n"):
        if last and line[:1] in (" ", "\t"):
            found[last][-1] += line
        elif ": " in line:
            last, _, value = line.partition(": ")
            found[last] = [value]
    return found


def _path(address: str) -> Json:
    mailbox, _, domain = address.partition("@")
    return {"Relays": None, "Mailbox": mailbox, "Domain": domain, "Params": ""}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
