"""Fetching a maildrop by POP3: log in, UIDL, RETR of every message; beside Dovecot, in turns.

python -m bench.pop3
python -m bench.pop3 --messages 1000 --size 20480 --rounds 5
"""

import argparse
import json
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

from bench.command import run_alone
from bench.daemon import mailsacd
from bench.dialogue import LoadError, mail, on_the_wire
from bench.dovecot import PASSWORD, USER, dovecot
from bench.load import Load, Plan
from bench.messages import SENDER, SHAPES
from bench.rounds import Row, Verdict, alternate, compare
from bench.servers import NotInstalledError, NotStartedError, Server

ADDRESS: Final = "reader@bench.example"
ROW: Final = Row(title="POP3: log in, UIDL, RETR all", unit="messages/s", goals={"dovecot": 1.2})
_END: Final = b"\r\n.\r\n"
_READ_BYTES: Final = 262_144
_TIMEOUT_S: Final = 60.0


class Maildrop(NamedTuple):
    """A server with a maildrop, and how to log in to it."""

    server: Server
    user: str
    password: str


def fetch(maildrop: Maildrop, count: int) -> tuple[float, int]:
    """Fetch it whole, waiting for each answer; the seconds that it took, and the bytes.

    Raises LoadError, also for another number of messages.
    """
    started = perf_counter()
    try:
        with socket.create_connection(maildrop.server.address, _TIMEOUT_S) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _line(sock)
            for command in (f"USER {maildrop.user}", f"PASS {maildrop.password}"):
                sock.sendall(f"{command}\r\n".encode())
                _line(sock)
            sock.sendall(b"UIDL\r\n")
            listed = _lines(sock).count(b"\r\n") - 2
            if listed != count:
                raise LoadError(f"{listed} of {count} messages are listed")
            octets = 0
            for number in range(1, count + 1):
                sock.sendall(b"RETR %d\r\n" % number)
                octets += len(_lines(sock))
            sock.sendall(b"QUIT\r\n")
            _line(sock)
    except OSError as e:
        raise LoadError(f"connection broke: {e}") from e
    return perf_counter() - started, octets


def _line(sock: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\r\n"):
        received += _some(sock)
    if not received.startswith(b"+OK"):
        raise LoadError(received.decode(errors="replace").strip())
    return received


def _lines(sock: socket.socket) -> bytes:
    received = _some(sock)
    while not received.endswith(_END):
        received += _some(sock)
    if not received.startswith(b"+OK"):
        raise LoadError(received[:80].decode(errors="replace").strip())
    return received


def _some(sock: socket.socket) -> bytes:
    received = sock.recv(_READ_BYTES)
    if not received:
        raise LoadError("the server closed the connection")
    return received


@contextmanager
def filled_mailsacd(message: bytes, count: int) -> Iterator[Maildrop]:
    """The daemon, with a private address that got ``message`` so many times by SMTP."""
    with mailsacd() as server:
        assert server.data_dir is not None
        key = Path(server.data_dir, "admin.key").read_text(encoding="ascii").strip()
        _reserve(server, key)
        mails = (mail(n, SENDER, [ADDRESS], on_the_wire(message)) for n in range(count))
        outcome = Load(server.address, mails, Plan(timeout_s=_TIMEOUT_S)).run()
        if outcome.acknowledged != count:
            raise LoadError(f"{outcome.acknowledged} of {count} messages were taken")
        yield Maildrop(server, ADDRESS, key)


def _reserve(server: Server, key: str) -> None:
    url = f"http://{server.host}:{server.http_port}/api/addresses/{ADDRESS}"
    request = urllib.request.Request(url, method="POST", headers={"Mailsac-Key": key})
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        json.load(answer)


def run(options: argparse.Namespace) -> list[Verdict]:
    """Fill both with the same messages, then fetch them in turns."""
    message = SHAPES["multipart"](options.size)
    with ExitStack() as stack:
        try:
            ours = stack.enter_context(filled_mailsacd(message, options.messages))
            maildrops = {"mailsacd": ours._replace(server=_pop3(ours.server))}
        except (LoadError, NotStartedError, OSError) as e:
            print(f"pop3: {e}")
            return []
        try:
            theirs = stack.enter_context(dovecot([message] * options.messages))
            theirs.introduce()
            maildrops["dovecot"] = Maildrop(theirs, USER, PASSWORD)
        except (NotInstalledError, NotStartedError) as e:
            print(f"dovecot: {e}")
        contestants = {
            name: partial(_rate, maildrop, options.messages) for name, maildrop in maildrops.items()
        }
        for measure in contestants.values():
            measure()  # Dovecot makes its index at the first time
        return compare(ROW, alternate(contestants, options.rounds, (LoadError,)))


def _pop3(server: Server) -> Server:
    return Server(name=server.name, port=server.pop3_port)


def _rate(maildrop: Maildrop, count: int) -> float:
    return count / fetch(maildrop, count)[0]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--messages", type=int, default=1_000, help="in the maildrop")
    parser.add_argument("--size", type=int, default=20_480, help="of each, in bytes")
    parser.add_argument("--rounds", type=int, default=5, help="turns for each server")


if __name__ == "__main__":
    run_alone("pop3", __doc__, add_options, run)
