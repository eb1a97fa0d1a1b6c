"""A WebSocket client for tests that shows each frame, and sends whatever a test says."""

import base64
import json
import os
import struct
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.http.client import Connection, connect

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
NONCE = base64.b64encode(b"0123456789abcdef").decode()


@dataclass(frozen=True)
class Frame:
    """One frame of the server's."""

    opcode: int
    payload: bytes
    rsv: int = 0

    @property
    def close(self) -> tuple[int, str]:
        """Code and reason of a frame that closes."""
        assert self.opcode == CLOSE, self
        return struct.unpack("!H", self.payload[:2])[0], self.payload[2:].decode()


class Listener:
    """A connection after its handshake. Pings are answered, unless a test sees to them."""

    def __init__(self, connection: Connection, *, answers_pings: bool = True) -> None:
        self.connection = connection
        self._answers_pings = answers_pings

    async def frame(self) -> Frame:
        """The next frame that is no ping."""
        while True:
            await self.connection.until(lambda: self._split() is not None)
            found = self._split()
            assert found is not None
            frame, end = found
            del self.connection.data[:end]
            if frame.opcode != PING or not self._answers_pings:
                return frame
            self.send(PONG, frame.payload)

    async def json(self) -> Any:
        """The next text."""
        frame = await self.frame()
        assert frame.opcode == TEXT, frame
        return json.loads(frame.payload)

    async def refusal(self) -> Any:
        """The next text that is no heartbeat."""
        while (found := await self.json()) == {"status": 200, "msg": "ok"}:
            pass
        return found

    async def message(self) -> Any:
        """The next message: heartbeats are passed over."""
        while True:
            found = await self.json()
            if "email" in found:
                return found
            assert found == {"status": 200, "msg": "ok"}, found

    async def listening(self) -> Any:
        """The first two frames; the first of them."""
        first = await self.json()
        assert first["status"] == 200, first
        assert await self.json() == {"status": 200, "msg": "ok"}
        return first

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close, which comes next; answered as it should be."""
        frame = await self.frame()
        while frame.opcode == TEXT and b'"msg":"ok"' in frame.payload:
            frame = await self.frame()
        self.send(CLOSE, frame.payload)
        await self.connection.until_closed()
        return frame.close

    def send(self, opcode: int, payload: bytes = b"", *, first: int = 0x80) -> None:
        """One masked frame."""
        mask = os.urandom(4)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        length = len(payload)
        if length < 126:
            head = struct.pack("!BB", first | opcode, 0x80 | length)
        elif length < 65_536:
            head = struct.pack("!BBH", first | opcode, 0xFE, length)
        else:
            head = struct.pack("!BBQ", first | opcode, 0xFF, length)
        self.connection.send(head + mask + masked)

    async def leave(self) -> None:
        """Go away as one should."""
        self.send(CLOSE, struct.pack("!H", 1000))
        await self.connection.until_closed()

    def _split(self) -> tuple[Frame, int] | None:
        """The first frame, and where it ends; None while it is not whole."""
        data = self.connection.data
        if len(data) < 2:
            return None
        assert not data[1] & 0x80, "a server never masks"
        length, start = data[1] & 0x7F, 2
        if length == 126:
            length, start = struct.unpack("!H", data[2:4].ljust(2, b"\0"))[0], 4
        elif length == 127:
            length, start = struct.unpack("!Q", data[2:10].ljust(8, b"\0"))[0], 10
        if len(data) < start + length:
            return None
        payload = bytes(data[start : start + length])
        return Frame(data[0] & 0x0F, payload, (data[0] & 0x70) >> 4), start + length


def handshake(target: str, **fields: str | None) -> bytes:
    """A handshake; ``fields`` replace its own, or with None leave one out (``_`` is ``-``)."""
    headers: dict[str, str | None] = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": NONCE,
    }
    headers |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value is not None]
    return f"GET {target} HTTP/1.1\r\n{''.join(lines)}\r\n".encode()


def target_of(**query: str) -> str:
    """The URL's path and query."""
    return f"/incoming-messages?{urlencode(query)}"


_open: list[Connection] = []


async def hang_up() -> None:
    """End what a test left open: else the server waits for an answer to its good-bye."""
    for connection in _open:
        if not connection.closed:
            connection.abort()
            await connection.until_closed()
    _open.clear()


async def upgrade(
    reactor: Any, port: int, target: str, *, answers_pings: bool = True, **fields: str | None
) -> Listener:
    """A connection whose handshake has been accepted."""
    connection = await connect(reactor, port)
    _open.append(connection)
    connection.send(handshake(target, **fields))
    await connection.until(lambda: b"\r\n\r\n" in connection.data)
    head, _, connection.data = connection.data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    return Listener(connection, answers_pings=answers_pings)
