"""The load generators say what a mail client says, and count what the server answered."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy

import pytest

from bench.dialogue import LoadError, mail, on_the_wire
from bench.fill import fill
from bench.generators import Shape, send_own
from bench.latency import percentile_ms
from bench.load import Load, Plan
from bench.messages import multipart_message, text_message
from bench.servers import Server


@dataclass
class Seen:
    """What the server below took in, and how it answers the end of a message."""

    connections: int = 0
    contents: list[bytes] = field(default_factory=list)
    recipients: list[bytes] = field(default_factory=list)
    answer: bytes = b"250 Ok\r\n"


class _Handler(socketserver.StreamRequestHandler):
    """A mail server with the fewest lines: no limits, no checks."""

    server: "_Server"

    def handle(self) -> None:
        with suppress(ConnectionError):  # a generator that gave up
            self.talk()

    def talk(self) -> None:
        seen = self.server.seen
        seen.connections += 1
        self.wfile.write(b"220 trivial\r\n")
        while line := self.rfile.readline():
            if line.startswith(b"EHLO"):
                self.wfile.write(b"250-trivial\r\n250 PIPELINING\r\n")
            elif line.startswith(b"DATA"):
                self.wfile.write(b"354 Go on\r\n")
                content = self.content()
                if content is None or not seen.answer:
                    return
                seen.contents.append(content)
                self.wfile.write(seen.answer)
            elif line.startswith(b"QUIT"):
                self.wfile.write(b"221 Bye\r\n")
                return
            else:
                if line.startswith(b"RCPT"):
                    seen.recipients.append(line)
                self.wfile.write(b"250 Ok\r\n")

    def content(self) -> bytes | None:
        """Everything before the final dot; None when the client went away."""
        lines: list[bytes] = []
        while line := self.rfile.readline():
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line)
        return None


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 64  # a connection beyond it would wait a second for its turn

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen = Seen()


@pytest.fixture
def trivial() -> Iterator[_Server]:
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def as_server(trivial: _Server) -> Server:
    return Server(name="trivial", port=trivial.server_address[1])


@pytest.mark.parametrize(("kept", "connections"), [(True, 3), (False, 12)])
def test_each_message_arrives_once_over_kept_or_new_connections(
    trivial: _Server, kept: bool, connections: int
) -> None:
    shape = Shape(kind="multipart", size_bytes=20_480, kept=kept)

    send_own(as_server(trivial), shape, 3, 12)

    assert trivial.seen.contents == [multipart_message(20_480)] * 12
    # a session that finds nothing left to send may have opened one connection more
    assert connections <= trivial.seen.connections <= connections + 3


def test_fill_counts_a_message_for_each_recipient_and_pipelines(trivial: _Server) -> None:
    outcome = fill(as_server(trivial), messages=100, recipients=10)

    assert outcome.acknowledged == 10
    assert len(trivial.seen.recipients) == 100
    assert len(set(trivial.seen.recipients)) == 5


def test_a_refusal_ends_a_strict_run(trivial: _Server) -> None:
    trivial.seen.answer = b"451 Not stored\r\n"

    with pytest.raises(LoadError, match="451 Not stored"):
        send_own(as_server(trivial), Shape(kind="text", size_bytes=100, kept=True), 2, 4)


@pytest.mark.parametrize(
    ("answer", "refused", "unanswered"), [(b"451 Not stored\r\n", 4, 0), (b"", 0, 4)]
)
def test_a_tolerant_run_tells_refused_from_unanswered(
    trivial: _Server, answer: bytes, refused: int, unanswered: int
) -> None:
    trivial.seen.answer = answer
    wire = on_the_wire(text_message(100))
    mails = (mail(n, "a@b.example", ["c@d.example"], wire) for n in range(4))

    outcome = Load(as_server(trivial).address, mails, Plan(sessions=2, tolerant=True)).run()

    assert (outcome.acknowledged, outcome.refused) == (0, refused)
    assert len(outcome.unanswered) == unanswered


def test_a_rate_sends_every_message_and_measures_each(trivial: _Server) -> None:
    once = mail(0, "a@b.example", ["c@d.example"], on_the_wire(text_message(100)))

    outcome = Load(as_server(trivial).address, iter([once] * 20), Plan(rate=1000.0)).run()

    assert outcome.acknowledged == len(outcome.latencies_s) == 20


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".a\r\n.\r\n..b\r\n", b"..a\r\n..\r\n...b\r\n.\r\n"),
    ],
)
def test_dots_are_stuffed_and_the_end_is_put(content: bytes, wire: bytes) -> None:
    assert on_the_wire(content) == wire


@pytest.mark.parametrize(("make", "size"), [(text_message, 1_024), (multipart_message, 20_480)])
def test_messages_are_whole_and_as_large_as_asked_for(make: object, size: int) -> None:
    assert callable(make)
    content = make(size)
    parsed = message_from_bytes(content, policy=policy.default)

    assert size * 0.9 < len(content) <= size * 1.02
    assert not [defect for part in parsed.walk() for defect in part.defects]


def test_percentiles_are_of_the_ordered_values() -> None:
    assert percentile_ms([0.003, 0.001, 0.002], 50) == pytest.approx(2.0)
    assert percentile_ms([0.003, 0.001, 0.002], 99) == pytest.approx(3.0)
