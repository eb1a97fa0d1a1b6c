"""A host that takes mail and writes down all that it took; started as a program of its own.

    python -m bench.relay_sink FILE [--fault KIND=SHARE …]

It prints its port. Each line of FILE is a JSON object: ``accepted`` is a copy of a message that was
taken, with its number, its recipients and the time; ``confirmed`` is the number of a copy after
whose answer the peer went on: the peer has read the answer, and may send that message no more.
``unanswered`` is one whose end was never answered: the connection was dropped instead.

Faults, each with its share of transactions: ``refuse`` (5xx at RCPT), ``defer`` (4xx at RCPT),
``content`` (4xx at the end of data), ``drop`` (the connection ends before the data does),
``unanswered`` and ``hang`` (the end of data is not answered, for a minute).
"""

import argparse
import asyncio
import json
import random
import re
import time
from collections.abc import Mapping
from itertools import count
from typing import Final, TextIO

HOST: Final = "127.0.0.1"
NUMBER: Final = re.compile(rb"^Subject: message-(\d+)", re.MULTILINE)
KINDS: Final = ("refuse", "defer", "content", "drop", "unanswered", "hang")
_HANG_S: Final = 60.0


class Sink:
    """Answers connections, and writes what it takes into ``log``."""

    def __init__(self, log: TextIO, faults: Mapping[str, float]) -> None:
        self._log = log
        self._faults = faults
        self._copies = count()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak SMTP with one peer until it goes."""
        try:
            await _Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def fault(self) -> str:
        """What goes wrong with the next transaction; empty: nothing."""
        drawn = random.random()
        for kind, share in self._faults.items():
            if drawn < share:
                return kind
            drawn -= share
        return ""

    def took(self, what: str, body: bytes, recipients: list[str]) -> int:
        """Write down a copy; its number."""
        copy = next(self._copies)
        found = NUMBER.search(body)
        self._write(
            {
                what: copy,
                "message": int(found[1]) if found else -1,
                "to": recipients,
                "time": time.time(),
            }
        )
        return copy

    def confirmed(self, copy: int) -> None:
        """Write down that the peer knows that the copy was taken."""
        self._write({"confirmed": copy})

    def _write(self, line: Mapping[str, object]) -> None:
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()


class _Session:
    def __init__(
        self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._sink = sink
        self._reader = reader
        self._writer = writer
        self._recipients: list[str] = []
        self._fault = ""
        self._last: int | None = None

    async def run(self) -> None:
        self._say("220 sink ESMTP")
        while line := await self._reader.readline():
            if self._last is not None:
                self._sink.confirmed(self._last)
                self._last = None
            verb = line[:4].upper()
            if verb == b"DATA":
                if not await self._data():
                    return
            elif verb == b"QUIT":
                self._say("221 2.0.0 bye")
                await self._writer.drain()
                return
            else:
                self._command(verb, line)
            await self._writer.drain()

    def _command(self, verb: bytes, line: bytes) -> None:
        if verb == b"EHLO":
            self._say("250-sink", "250-PIPELINING", "250-8BITMIME", "250 ENHANCEDSTATUSCODES")
        elif verb == b"MAIL":
            self._recipients, self._fault = [], self._sink.fault()
            self._say("250 2.1.0 ok")
        elif verb == b"RCPT" and self._fault == "refuse":
            self._say("550 5.1.1 no such user")
        elif verb == b"RCPT" and self._fault == "defer":
            self._say("451 4.3.0 not now")
        elif verb == b"RCPT":
            self._recipients.append(line.split(b"<")[1].split(b">")[0].decode())
            self._say("250 2.1.5 ok")
        else:
            self._say("250 2.0.0 ok")

    async def _data(self) -> bool:
        """Take a message; whether the connection goes on."""
        if not self._recipients:
            self._say("503 5.5.1 no recipients")
            return True
        self._say("354 go on")
        await self._writer.drain()
        if self._fault == "drop":
            await self._reader.readline()
            return False
        body = await self._reader.readuntil(b"\r\n.\r\n")
        if self._fault == "content":
            self._say("451 4.6.0 not like this")
            return True
        if self._fault in {"unanswered", "hang"}:
            self._sink.took("unanswered", body, self._recipients)
            if self._fault == "hang":
                await asyncio.sleep(_HANG_S)
            return False
        self._last = self._sink.took("accepted", body, self._recipients)
        self._say("250 2.0.0 taken")
        return True

    def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())


async def _serve(file: str, faults: Mapping[str, float]) -> None:
    with open(file, "a", encoding="utf-8") as log:  # noqa: ASYNC230  once, before it listens
        sink = Sink(log, faults)
        server = await asyncio.start_server(sink.serve, HOST, 0, limit=1 << 24)
        print(server.sockets[0].getsockname()[1], flush=True)
        async with server:
            await server.serve_forever()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.relay_sink",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", help="where it writes what it takes")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND=SHARE")
    options = parser.parse_args()
    faults = {kind: float(share) for kind, _, share in (f.partition("=") for f in options.fault)}
    if set(faults) - set(KINDS):
        parser.error(f"the kinds of faults are {', '.join(KINDS)}")
    asyncio.run(_serve(options.file, faults))


if __name__ == "__main__":
    main()
