"""What goes out, and what comes of all that a receiver may do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
import trustme
from OpenSSL import SSL
from twisted.internet import reactor as the_reactor
from twisted.internet.task import LoopingCall
from twisted.names import dns

from mailsacd.core.errors import ConfigurationError
from mailsacd.outbound import post as posting
from mailsacd.outbound.http_request import MAX_ANSWER_BYTES
from mailsacd.outbound.post import LINGER_S
from mailsacd.outbound.tls import verifying_context
from tests.outbound.name_server import Network
from tests.outbound.receiver import OK, Receiver, status
from tests.outbound.server_tls import ServerTls
from tests.outbound.test_webhook_guard import make_poster
from tests.patience import until

reactor: Any = the_reactor

Receive = Callable[..., Receiver]


@pytest_twisted.ensureDeferred
async def test_the_request_byte_for_byte(network: Network, receive: Receive) -> None:
    receiver = receive()
    network.usual.answers.add("app.example", dns.Record_A("127.0.0.1"))
    poster = make_poster(network, "127.0.0.1")
    body = '{"ü": 1}'.encode()
    url = receiver.url("/a/b?c=d%20e#f", host="App.Example.")
    attempt = await poster.post(url, body, {"webhook-id": "x"})
    assert (attempt.code, attempt.error, attempt.succeeded) == (200, "", True)
    (got,) = receiver.got
    assert got.body == body
    assert got.lines == (
        "POST /a/b?c=d%20e HTTP/1.1",
        f"Host: app.example:{receiver.port}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Accept: */*",
        "Connection: close",
        "User-Agent: test/1",
        "webhook-id: x",
    )


@pytest.mark.parametrize("name", ["a\r\nb", "a:b", "", "ä"])
@pytest_twisted.ensureDeferred
async def test_a_field_cannot_become_two(network: Network, receive: Receive, name: str) -> None:
    receiver = receive()
    poster = make_poster(network, "127.0.0.1")
    for headers in ({name: "x"}, {"x": "a\r\nInjected: 1"}, {"x": "a\nb"}, {"x": "ä"}):
        attempt = await poster.post(receiver.url(), b"", headers)
        assert attempt.error == "A field of the request has a character that it cannot have"
    assert receiver.got == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (OK, 200),
        (b"HTTP/1.0 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 299\r\n\r\n", 299),
        (b"HTTP/1.1 201 Created\nX: y\n\n", 201),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK, 200),
        (status(404), 404),
        (status(410), 410),
        (status(500), 500),
        (status(302, "Location: http://127.0.0.1/"), 302),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nshort", 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz", 200),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_status_is_what_counts(
    network: Network, receive: Receive, answer: bytes, code: int
) -> None:
    receiver = receive(lambda _: answer)
    attempt = await make_poster(network, "127.0.0.1").post(receiver.url(), b"{}", {})
    assert (attempt.code, attempt.error) == (code, "")
    assert attempt.succeeded == (200 <= code <= 299)


@pytest.mark.parametrize(
    ("fields", "wait_s"),
    [
        (("Retry-After: 17",), 17),
        (("X: y", "retry-AFTER:17 ", "Y: z"), 17),
        (("Retry-After: 17", "Retry-After: 18"), 17),
        (("X-Retry-After: 17",), 0),
        (("X: Retry-After: 17",), 0),
        ((), 0),
        (("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",), 3_600),
    ],
)
@pytest_twisted.ensureDeferred
async def test_how_long_the_receiver_asks_to_be_left_alone(
    network: Network, receive: Receive, fields: tuple[str, ...], wait_s: float
) -> None:
    interim = b"HTTP/1.1 103 Early\r\nRetry-After: 99\r\n\r\n"
    receiver = receive(lambda _: interim + status(503, *fields))
    attempt = await make_poster(network, "127.0.0.1").post(receiver.url(), b"{}", {})
    assert (attempt.code, attempt.retry_after_s) == (503, wait_s)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "No whole answer: the connection was closed"),
        (b"HTTP/1.1 200 OK\r\n", "No whole answer: the connection was closed"),
        (b"220 mx.example ESMTP\r\n\r\n", "The answer is not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "The answer is not HTTP"),
        (b"HTTP/1.1 99 X\r\n\r\n", "The answer is not HTTP"),
        (b"HTTP/1.1 2000 X\r\n\r\n", "The answer is not HTTP"),
        (b"ICY 200 OK\r\n\r\n", "The answer is not HTTP"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "No whole answer: the connection was closed"),
        (b"\x00\xff" * 100, "No whole answer: the connection was closed"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_answer_fails(
    network: Network, receive: Receive, answer: bytes, told: str
) -> None:
    receiver = receive(lambda _: answer)
    attempt = await make_poster(network, "127.0.0.1").post(receiver.url(), b"{}", {})
    assert (attempt.code, attempt.error) == (None, told)


@pytest_twisted.ensureDeferred
async def test_nobody_there(network: Network, receive: Receive) -> None:
    receiver = receive()
    await receiver.stop()
    attempt = await make_poster(network, "127.0.0.1").post(receiver.url(), b"{}", {})
    assert attempt.code is None
    assert attempt.error.startswith("No connection: Connection was refused")


@pytest_twisted.ensureDeferred
async def test_one_of_several_addresses_is_enough(network: Network, receive: Receive) -> None:
    receiver = receive(interface="127.0.0.3")
    for last in (1, 2, 3):
        network.usual.answers.add("several.example", dns.Record_A(f"127.0.0.{last}"))
    poster = make_poster(network, "127.0.0.0/8")
    assert (await poster.post(receiver.url(host="several.example"), b"{}", {})).succeeded


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_hangs_costs_no_more_than_the_time(
    network: Network, receive: Receive
) -> None:
    receiver = receive(lambda _: None)
    attempt = await make_poster(network, "127.0.0.1", timeout_s=0.2).post(receiver.url(), b"{}", {})
    assert (attempt.code, attempt.error) == (None, "No answer within 0.2 seconds")
    await until(lambda: receiver.open == 0)


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_drips_costs_no_more_than_the_time(
    network: Network, receive: Receive
) -> None:
    receiver = receive(lambda _: b"H", stays=True)
    sent = await _while_it_talks(
        receiver, make_poster(network, "127.0.0.1", timeout_s=0.3), lambda: b"x", every_s=0.01
    )
    assert sent == (None, "No answer within 0.3 seconds")


@pytest_twisted.ensureDeferred
async def test_a_flood_of_headers_is_not_read(network: Network, receive: Receive) -> None:
    receiver = receive(lambda _: b"HTTP/1.1 200 OK\r\n", stays=True)
    line = b"X-Flood: " + b"x" * 1000 + b"\r\n"
    sent = await _while_it_talks(receiver, make_poster(network, "127.0.0.1"), lambda: line * 10)
    assert sent == (None, "The headers of the answer are too long")


@pytest.mark.parametrize("flood", [b"\r\n\r\n", b"HTTP/1.1 100 X\r\n\r\n", b"\n\r"])
@pytest_twisted.ensureDeferred
async def test_no_flood_is_read(network: Network, receive: Receive, flood: bytes) -> None:
    receiver = receive(lambda _: flood * 100_000, stays=True)
    attempt = await make_poster(network, "127.0.0.1").post(receiver.url(), b"{}", {})
    assert attempt.code is None
    assert attempt.error in {"The answer is not HTTP", "The headers of the answer are too long"}
    await until(lambda: receiver.open == 0)


@pytest_twisted.ensureDeferred
async def test_of_a_large_body_little_is_read(network: Network, receive: Receive) -> None:
    receiver = receive(lambda _: b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 50_000_000, stays=True)
    attempt = await make_poster(network, "127.0.0.1").post(receiver.url(), b"{}", {})
    assert attempt.succeeded
    await until(lambda: receiver.open == 0)


@pytest_twisted.ensureDeferred
async def test_who_does_not_hang_up_is_hung_up_on(
    network: Network, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "LINGER_S", 0.05)
    receiver = receive(lambda _: OK, stays=True)
    attempt = await make_poster(network, "127.0.0.1").post(receiver.url(), b"{}", {})
    assert attempt.succeeded
    await until(lambda: receiver.open == 0)


@pytest_twisted.ensureDeferred
async def test_an_answer_that_came_in_time_counts_though_its_end_does_not(
    network: Network, receive: Receive
) -> None:
    receiver = receive(lambda _: OK, stays=True)
    assert LINGER_S > 0.3
    poster = make_poster(network, "127.0.0.1", timeout_s=0.3)
    assert (await poster.post(receiver.url(), b"{}", {})).succeeded


@pytest_twisted.ensureDeferred
async def test_what_is_sent_before_it_is_asked_is_bounded_too(
    network: Network, receive: Receive
) -> None:
    receiver = receive(lambda _: None)
    made = receiver._listening.factory.buildProtocol

    def talkative(addr: Any) -> Any:
        conversation = made(addr)
        conversation.connectionMade = lambda: conversation.say(b"x" * MAX_ANSWER_BYTES * 2)
        return conversation

    receiver._listening.factory.buildProtocol = talkative
    attempt = await make_poster(network, "127.0.0.1").post(receiver.url(), b"{}", {})
    assert attempt.error == "The headers of the answer are too long"


# TLS


@pytest.mark.parametrize(
    ("issued_to", "host"),
    [
        (["app.example"], "app.example"),
        (["other.example", "app.example"], "app.example"),
        (["*.sub.example"], "app.sub.example"),
        (["127.0.0.1"], "127.0.0.1"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_good_certificate(
    network: Network,
    receive: Receive,
    authority: trustme.CA,
    ca_file: str,
    issued_to: list[str],
    host: str,
) -> None:
    network.usual.answers.add(host, dns.Record_A("127.0.0.1"))
    receiver = receive(tls=ServerTls(authority.issue_cert(*issued_to)))
    poster = make_poster(network, "127.0.0.1", ca_file=ca_file)
    attempt = await poster.post(receiver.url(host=host, scheme="https"), b"{}", {})
    assert (attempt.code, attempt.error) == (200, "")
    assert receiver.got[0].headers["host"] == f"{host}:{receiver.port}"


@pytest.mark.parametrize(
    ("issued_to", "host"),
    [
        (["other.example"], "app.example"),
        (["127.0.0.1"], "app.example"),
        (["app.example"], "127.0.0.1"),
        (["127.0.0.2"], "127.0.0.1"),
        (["*.app.example"], "app.example"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_certificate_of_somebody_else_gets_nothing(
    network: Network,
    receive: Receive,
    authority: trustme.CA,
    ca_file: str,
    issued_to: list[str],
    host: str,
) -> None:
    network.usual.answers.add(host, dns.Record_A("127.0.0.1"))
    receiver = receive(tls=ServerTls(authority.issue_cert(*issued_to)))
    poster = make_poster(network, "127.0.0.1", ca_file=ca_file)
    attempt = await poster.post(receiver.url(host=host, scheme="https"), b"{}", {})
    assert attempt.error == f"TLS failed: the certificate is not one of {host}"
    assert receiver.got == []


@pytest_twisted.ensureDeferred
async def test_a_certificate_of_an_unknown_authority_gets_nothing(
    network: Network, receive: Receive, ca_file: str
) -> None:
    receiver = receive(tls=ServerTls(trustme.CA().issue_cert("127.0.0.1")))
    for trusted in ("", ca_file):
        poster = make_poster(network, "127.0.0.1", ca_file=trusted)
        attempt = await poster.post(receiver.url(scheme="https"), b"{}", {})
        assert "its certificate is not trusted" in attempt.error
    assert receiver.got == []


@pytest_twisted.ensureDeferred
async def test_old_tls_and_no_tls_get_nothing(
    network: Network, receive: Receive, authority: trustme.CA, ca_file: str
) -> None:
    certificate = authority.issue_cert("127.0.0.1")
    for receiver in (receive(tls=ServerTls(certificate, newest=SSL.TLS1_1_VERSION)), receive()):
        poster = make_poster(network, "127.0.0.1", ca_file=ca_file)
        attempt = await poster.post(receiver.url(scheme="https"), b"{}", {})
        assert attempt.code is None
        assert receiver.got == []


def test_a_file_without_authorities_is_named(tmp_path: Path) -> None:
    file = tmp_path / "empty.pem"
    file.write_text("nothing")
    for path in (file, tmp_path / "absent.pem"):
        with pytest.raises(ConfigurationError, match=r"webhook\.ca_file: .*\.pem"):
            verifying_context(str(path), setting="webhook.ca_file")


async def _while_it_talks(
    receiver: Receiver, poster: Any, what: Callable[[], bytes], *, every_s: float = 0
) -> tuple[int | None, str]:
    def talk() -> None:
        for connection in receiver.connections:
            if not connection.lost and receiver.got:
                connection.say(what())

    talking = LoopingCall(talk)
    talking.start(every_s or 0.001)
    try:
        attempt = await poster.post(receiver.url(), b"{}", {})
    finally:
        talking.stop()
    return attempt.code, attempt.error
