"""What a sending client says, as bytes made before the run, and one connection that says it.

The dialogue is that of Postfix's `smtp-source`: each reply is awaited before the next command,
unless pipelining (RFC 2920) is asked for.
"""

import socket
from dataclasses import dataclass
from typing import Final, NamedTuple

_READ_BYTES: Final = 65_536


class LoadError(Exception):
    """The server did not do what a mail server does; the text says what it did."""


class Step(NamedTuple):
    """Bytes that go out at once, and the reply codes that must come back, in order."""

    send: bytes
    codes: tuple[int, ...]


OPENING: Final = (Step(b"", (220,)), Step(b"EHLO bench.example\r\n", (250,)))
CLOSING: Final = (Step(b"QUIT\r\n", (221,)),)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail transaction, ready for the wire; its last step is the content with its end."""

    number: int
    steps: tuple[Step, ...]


def mail(
    number: int, sender: str, recipients: list[str], wire: bytes, *, pipelining: bool = False
) -> Mail:
    """A transaction of ``wire``, which is a content made by `on_the_wire`."""
    commands = [
        Step(f"MAIL FROM:<{sender}>\r\n".encode(), (250,)),
        *(Step(f"RCPT TO:<{recipient}>\r\n".encode(), (250,)) for recipient in recipients),
        Step(b"DATA\r\n", (354,)),
    ]
    if pipelining:
        codes = tuple(code for step in commands for code in step.codes)
        commands = [Step(b"".join(step.send for step in commands), codes)]
    return Mail(number, (*commands, Step(wire, (250,))))


def on_the_wire(content: bytes) -> bytes:
    """``content`` (lines ended by CRLF) with its dots stuffed and its end (RFC 5321 4.5.2)."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


class Session:
    """One connection, and where it stands in its dialogue."""

    __slots__ = ("codes", "mail", "pending", "position", "received", "sent_at", "sock", "steps")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.steps: tuple[Step, ...] = OPENING
        self.position = 0
        self.mail: Mail | None = None
        self.received = b""
        self.codes: tuple[int, ...] = ()
        self.pending = b""
        self.sent_at = 0.0

    def read(self) -> bool:
        """Take in what has come; True when every awaited reply is there.

        Raises LoadError when the connection ended, or when a reply is another than awaited.
        """
        try:
            chunk = self.sock.recv(_READ_BYTES)
        except OSError as e:
            raise LoadError(f"connection broke: {e}") from e
        if not chunk:
            raise LoadError("the server closed the connection")
        *lines, self.received = (self.received + chunk).split(b"\r\n")
        wanted = self.steps[self.position].codes if self.position < len(self.steps) else ()
        for line in lines:
            if line[3:4] == b"-":
                continue
            self.codes += (int(line[:3]) if line[:3].isdigit() else 0,)
            if self.codes != wanted[: len(self.codes)]:
                raise LoadError(f"wanted {wanted}, got {line!r}")
        return len(self.codes) == len(wanted)
