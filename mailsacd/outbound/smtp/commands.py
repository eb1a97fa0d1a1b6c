"""The command lines of a client, each checked to be one line."""

import base64
import re
from typing import Final

from mailsacd.core.outgoing import OutgoingRecipient
from mailsacd.outbound.smtp.extensions import Extensions
from mailsacd.outbound.smtp.transmission import Transmission

_PATH: Final = re.compile(
    r'(?:"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"|[^\x00-\x20\x7f<>"]+)@[^\x00-\x20\x7f<>"]+\Z'
)
_XTEXT: Final = re.compile(r"[!-<>-~]{1,500}\Z")  # RFC 3461 section 4
_NOTIFY: Final = re.compile(
    r"NEVER\Z|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2}\Z"
)
_NAME: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}\Z")


class BadPathError(Exception):
    """An address that has no place in a command."""


def hello(verb: str, hostname: str) -> bytes:
    """EHLO or HELO; a name that is none is replaced by a literal (RFC 5321 section 4.1.3)."""
    name = hostname if _NAME.match(hostname) else "[127.0.0.1]"
    return f"{verb} {name}\r\n".encode("ascii")


def mail(sent: Transmission, size: int, offered: Extensions, *, eight_bit: bool) -> bytes:
    """MAIL with what is offered of RFC 1870, 3461, 6152 and 6531.

    ``size`` is in octets, ``eight_bit`` says that the message has other octets than those of
    7 bits. Raises BadPathError.
    """
    words = [f"MAIL FROM:<{_path(sent.reverse_path) if sent.reverse_path else ''}>"]
    if offered.size:
        words.append(f"SIZE={size}")
    if eight_bit and offered.eight_bit:
        words.append("BODY=8BITMIME")
    if sent.smtputf8 and offered.smtputf8:
        words.append("SMTPUTF8")
    if offered.dsn:
        if sent.ret in {"FULL", "HDRS"}:
            words.append(f"RET={sent.ret}")
        if sent.envid and _XTEXT.match(sent.envid):
            words.append(f"ENVID={sent.envid}")
    return _line(words)


def rcpt(recipient: OutgoingRecipient, offered: Extensions) -> bytes:
    """RCPT with what is offered of RFC 3461. Raises BadPathError."""
    words = [f"RCPT TO:<{_path(recipient.address)}>"]
    if offered.dsn:
        if recipient.notify and _NOTIFY.match(recipient.notify):
            words.append(f"NOTIFY={recipient.notify}")
        if recipient.orcpt and _XTEXT.match(recipient.orcpt):
            words.append(f"ORCPT={recipient.orcpt}")
    return _line(words)


def plain(name: str, secret: str) -> bytes:
    """AUTH PLAIN with its response (RFC 4616)."""
    return b"AUTH PLAIN " + base64.b64encode(f"\0{name}\0{secret}".encode()) + b"\r\n"


def answer(text: str) -> bytes:
    """A response of AUTH LOGIN."""
    return base64.b64encode(text.encode()) + b"\r\n"


def _path(address: str) -> str:
    if not _PATH.match(address):
        raise BadPathError
    return address


def _line(words: list[str]) -> bytes:
    return " ".join(words).encode() + b"\r\n"
