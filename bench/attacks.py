"""What greedy clients without a key do to a server, each kind of it a function that ends by itself.

They run in a process of their own, so that the clients who measure share no interpreter with them.
"""

import socket
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from json import load
from typing import Final
from urllib.parse import quote

from bench.dialogue import mail, on_the_wire
from bench.load import Load, Plan
from bench.messages import SENDER
from bench.servers import Server

_TIMEOUT_S: Final = 30.0
_READ_BYTES: Final = 262_144
_HANG_UP_AFTER_S: Final = 0.004
_MEGABYTE: Final = 1_000_000
_TEXTS: Final = (b"<a ", b"xmlns:", b"<!--", b"<!DOCTYPE ")
_RENDERINGS: Final = ("body", "text", "dirty")


@dataclass(frozen=True, slots=True)
class Attack:
    """One kind. ``stored`` is mail that has to be there before, by the name of its inbox."""

    title: str
    run: Callable[[Server], None]
    stored: Mapping[str, bytes]


def page(filling: bytes, size_bytes: int) -> bytes:
    """A message whose HTML page consists of one text, again and again; its lines end by CRLF."""
    line = filling * (900 // len(filling)) + b"\r\n"
    head = (
        b"From: a@bench.example\r\nSubject: page\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return head + line * (size_bytes // len(line))


def store(server: Server, contents: Mapping[str, bytes]) -> None:
    """Send messages to inboxes. Raises LoadError."""
    plan = Plan(sessions=1, timeout_s=_TIMEOUT_S)
    for name, content in contents.items():
        once = mail(0, SENDER, [_address(name)], on_the_wire(content))
        Load(server.address, iter([once]), plan).run()


def _address(name: str) -> str:
    return f"{name}@attacked.example"


def _place(server: Server, name: str) -> str:
    """The end of the URLs of a stored message's renderings."""
    address = quote(_address(name))
    listing = f"http://{server.host}:{server.http_port}/api/addresses/{address}/messages"
    with urllib.request.urlopen(listing, timeout=_TIMEOUT_S) as answer:
        return f"{address}/{load(answer)[0]['_id']}"


def _ask(server: Server, request: bytes, *, read: bool) -> None:
    """One request over a new connection, read to its end or given up."""
    with socket.create_connection((server.host, server.http_port), _TIMEOUT_S) as sock:
        sock.sendall(request)
        if not read:
            time.sleep(_HANG_UP_AFTER_S)
            return
        while sock.recv(_READ_BYTES):
            pass


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode()


def _post(path: str, kind: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _given_up(name: str, times: int) -> Callable[[Server], None]:
    def run(server: Server) -> None:
        place = _place(server, name)
        for _ in range(times):
            _ask(server, _get(f"/api/body/{place}"), read=False)

    return run


def _posted(kind: str, body: bytes, times: int) -> Callable[[Server], None]:
    """To one call that needs a key and to one that needs none."""

    def run(server: Server) -> None:
        for _ in range(times):
            for path in ("/api/addresses/greedy%40bench.example", "/api/auth/login"):
                _ask(server, _post(path, kind, body), read=True)

    return run


def _rendered(contents: Mapping[str, bytes]) -> Callable[[Server], None]:
    """Sent by mail, then read in every rendering."""

    def run(server: Server) -> None:
        store(server, contents)
        for name in contents:
            place = _place(server, name)
            for rendering in _RENDERINGS:
                _ask(server, _get(f"/api/{rendering}/{place}"), read=True)

    return run


def _calm(server: Server) -> None:  # noqa: ARG001  an attack is told which server
    time.sleep(2.0)


def attacks() -> dict[str, Attack]:
    """Every kind by its name, and first a time without any: what the machine does by itself."""
    prose = b"<p>Hello <b>you</b>, see <a href='https://bench.example/a'>this</a>.</p>"
    fields = b"{%s}" % b",".join(b'"field%d":1' % number for number in range(230_000))
    texts = {f"text-{n}": page(text, 12 * _MEGABYTE // 5) for n, text in enumerate(_TEXTS)}
    return {
        "calm": Attack("nothing", _calm, {}),
        "bodies": Attack(
            "120 GETs of a page of 2.2 MB, hung up after 4 ms",
            _given_up("large", 120),
            {"large": page(prose, 11 * _MEGABYTE // 5)},
        ),
        "ampersands": Attack(
            "12 GETs of a page of 500 KB of '&', hung up",
            _given_up("ampersands", 12),
            {"ampersands": page(b"&", _MEGABYTE // 2)},
        ),
        "fields": Attack(
            "JSON of 3.6 MB with 230,000 unknown fields, 2 times to 2 calls",
            _posted("application/json", fields, 2),
            {},
        ),
        "forms": Attack(
            "forms of 3.9 MB of '%41', 4 times to 2 calls",
            _posted("application/x-www-form-urlencoded", b"name=" + b"%41" * 1_300_000, 4),
            {},
        ),
        "texts": Attack(
            "mail of 2.4 MB of '<a ', 'xmlns:', '<!--', '<!DOCTYPE ', rendered",
            _rendered(texts),
            {},
        ),
    }
