"""Parsers in other languages: programs of ours that are asked for one message after the other.

A program reads a message a line, in base64, and answers each with its view as a line of JSON.
"""

import base64
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.differential.view import NOTHING, Person, View, lines, links, part


class _Answer(msgspec.Struct, frozen=True):
    """What a program says; an attachment is its media type, file name and content in base64."""

    subject: str | None = None
    sender: tuple[Person, ...] = msgspec.field(default=(), name="from")
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    bcc: tuple[Person, ...] = ()
    date: str | None = None
    message_id: str | None = msgspec.field(default=None, name="messageId")
    text: str | None = None
    html: str | None = None
    attachments: tuple[tuple[str | None, str | None, bytes], ...] = ()
    failed: str | None = None


_decode = msgspec.json.Decoder(_Answer).decode


class Program:
    """A parser that runs beside us until `close`."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def view(self, content: bytes) -> View:
        """Return how the program sees the message ``content``.

        Of a message that it gives up it tells nothing.
        """
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.write(base64.b64encode(content) + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{process.args!r} ended: is what `make check` installs there?")
        answer = _decode(line)
        if answer.failed is not None:
            return NOTHING
        return View(
            subject=answer.subject or "",
            sender=answer.sender,
            to=answer.to,
            cc=answer.cc,
            bcc=answer.bcc,
            date=f"{answer.date[:19]}Z" if answer.date else "",
            message_id=(answer.message_id or "").strip("<> "),
            text=lines(answer.text),
            html=lines(answer.html),
            attachments=tuple(
                part(kind or "", name, held) for kind, name, held in answer.attachments
            ),
            links=links(answer.html),
        )

    def close(self) -> None:
        """End the program."""
        self._process.communicate()
