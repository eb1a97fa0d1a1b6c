"""A connection and all that a server may do to it."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import CancelledError, ensureDeferred

from mailsacd.core.outcome import RouteError
from mailsacd.outbound.smtp.connection import MAX_RECIPIENTS, Connection
from tests.outbound.smtp.conftest import Hurried, MakeRelays, Serve
from tests.outbound.smtp.play import MESSAGE, transmission
from tests.outbound.smtp.server import Do, Server
from tests.outbound.smtp.test_wire import SMUGGLING
from tests.patience import until
from tests.smtp.conftest import listen as listen  # noqa: PLC0414  a fixture
from tests.smtp.listener import SmtpListener

reactor: Any = the_reactor

LARGE = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 50_000
"""More than what fits into the buffers of a connection."""


async def connected(make_relays: MakeRelays, server: Server, **more: Any) -> Connection:
    """By a smarthost: routes have tests of their own."""
    relays = make_relays(smarthost=f"127.0.0.1:{server.port}", **more)
    return await relays.connect("d.example")


async def in_a_hurry(make_relays: MakeRelays, server: Server) -> Connection:
    """One whose time limits are up soon, but for those of its opening."""
    clock = Hurried(hurrying=False)
    connection = await connected(make_relays, server, clock=clock)
    clock.hurrying = True
    return connection


@pytest_twisted.ensureDeferred
async def test_several_messages_on_one_connection(serve: Serve, make_relays: MakeRelays) -> None:
    server = serve(offers=("PIPELINING", "8BITMIME"))
    server.behaviour.answers["RCPT"] = [b"250 ok\r\n", b"550 5.1.1 no\r\n"]
    connection = await connected(make_relays, server)
    kinds = []
    for _ in range(3):
        (outcome,) = await connection.send(transmission())
        kinds.append(outcome.kind)
        assert connection.is_usable
    await connection.close()
    assert kinds == ["delivered", "permanent", "delivered"]
    assert server.messages == [MESSAGE, MESSAGE]
    assert server.verbs == ["EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT",
                            "RSET", "MAIL", "RCPT", "DATA", "QUIT"]  # fmt: skip
    assert not connection.is_usable
    (after,) = await connection.send(transmission())
    assert (after.status, after.kind) == ("4.4.2", "temporary")


@pytest.mark.parametrize("offers", [(), ("CHUNKING",)])
@pytest_twisted.ensureDeferred
async def test_a_large_message(
    serve: Serve, make_relays: MakeRelays, offers: tuple[str, ...]
) -> None:
    server = serve(offers=offers)
    connection = await connected(make_relays, server)
    for _ in range(2):
        (outcome,) = await connection.send(transmission(content=LARGE))
        assert outcome.kind == "delivered"
    await connection.close()
    assert server.messages == [LARGE, LARGE]


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize("what", [Do.DROP, Do.HANG, Do.DRIP, b"421 4.3.2 bye\r\n", b"2" * 100_000])
@pytest_twisted.ensureDeferred
async def test_the_server_fails_at_any_stage(
    serve: Serve, make_relays: MakeRelays, verb: str, what: Any
) -> None:
    server = serve(answers={verb: what})
    connection = await in_a_hurry(make_relays, server)
    outcomes = await connection.send(transmission("c@d.example", "e@d.example"))
    assert [o.kind for o in outcomes] == ["temporary", "temporary"]
    if what in {Do.HANG, Do.DRIP}:  # each reply has a time, however many bytes come meanwhile
        assert all(o.text.startswith("The time was up") for o in outcomes)
    unanswered = verb == "CONTENT" and what in {Do.DROP, Do.HANG, Do.DRIP}
    assert [o.may_have_arrived for o in outcomes] == [unanswered] * 2
    assert not connection.is_usable
    await until(lambda: all(c.lost for c in server.connections))


@pytest.mark.parametrize("verb", ["GREETING", "EHLO"])
@pytest.mark.parametrize(
    ("what", "kind"),
    [(Do.DROP, "temporary"), (Do.HANG, "temporary"), (Do.DRIP, "temporary"),
     (b"421 bye\r\n", "temporary"), (b"2" * 100_000, "temporary"),
     (b"\x16\x03\x01", "temporary"), (b"HTTP/1.1 400 Bad\r\n\r\n", "temporary")],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_the_server_fails_before_mail_may_be_sent(
    serve: Serve, make_relays: MakeRelays, verb: str, what: Any, kind: str
) -> None:
    server = serve(answers={verb: what})
    with pytest.raises(RouteError) as caught:
        await connected(make_relays, server, clock=Hurried())
    assert caught.value.outcome.kind == kind
    await until(lambda: all(c.lost for c in server.connections))


@pytest.mark.parametrize("what", [Do.DROP, Do.DEAF])
@pytest_twisted.ensureDeferred
async def test_within_the_message_nothing_has_arrived(
    serve: Serve, make_relays: MakeRelays, what: Do
) -> None:
    """Either the connection is lost there, or the server takes no more for too long."""
    server = serve(answers={"BLOCK": what})
    connection = await in_a_hurry(make_relays, server)
    (outcome,) = await connection.send(transmission(content=LARGE))
    assert outcome.kind == "temporary"
    assert not outcome.may_have_arrived
    assert "while the message was sent" in outcome.text


@pytest.mark.parametrize("offers", [(), ("CHUNKING",)])
@pytest.mark.parametrize(
    ("answer", "code", "status", "kind"),
    [(b"552 5.3.4 too large\r\n", 552, "5.3.4", "permanent"),
     (b"451 4.3.0 later\r\n", 451, "4.3.0", "temporary"),
     (b"250 2.0.0 taken\r\n", None, "4.5.0", "temporary")],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_an_answer_within_the_message(  # noqa: PLR0917  a table's columns
    serve: Serve, make_relays: MakeRelays, offers: tuple[str, ...],
    answer: bytes, code: int | None, status: str, kind: str,
) -> None:  # fmt: skip
    """A refusal is heard, an acceptance of what is not there is none, and nothing follows."""
    server = serve(offers=offers, answers={"BLOCK": answer})
    connection = await connected(make_relays, server)
    (outcome,) = await connection.send(transmission(content=LARGE))
    assert (outcome.code, outcome.status, outcome.kind) == (code, status, kind)
    assert not outcome.may_have_arrived
    assert not connection.is_usable
    await until(lambda: server.connections[0].lost)


@pytest_twisted.ensureDeferred
async def test_a_lone_421_ends_the_connection(serve: Serve, make_relays: MakeRelays) -> None:
    server = serve()
    connection = await connected(make_relays, server)
    server.connections[0].say(b"421 4.4.2 idle\r\n")
    await until(lambda: not connection.is_usable)
    await until(lambda: server.connections[0].lost)
    await connection.close()


@pytest_twisted.ensureDeferred
async def test_who_is_gone_meanwhile_is_not_usable(serve: Serve, make_relays: MakeRelays) -> None:
    server = serve()
    connection = await connected(make_relays, server)
    server.connections[0].hang_up()
    await until(lambda: not connection.is_usable)


@pytest.mark.parametrize("what", [Do.HANG, Do.DROP])
@pytest_twisted.ensureDeferred
async def test_a_server_that_does_not_say_bye(
    serve: Serve, make_relays: MakeRelays, what: Do
) -> None:
    server = serve(answers={"QUIT": what})
    connection = await in_a_hurry(make_relays, server)
    await connection.close()
    await until(lambda: server.connections[0].lost)


@pytest_twisted.ensureDeferred
async def test_an_acceptance_before_the_message_is_none(
    serve: Serve, make_relays: MakeRelays
) -> None:
    server = serve(answers={"DATA": b"354 go on\r\n250 2.0.0 taken\r\n"})
    connection = await connected(make_relays, server)
    (outcome,) = await connection.send(transmission())
    assert (outcome.kind, outcome.may_have_arrived) == ("temporary", False)
    assert server.messages == []


@pytest_twisted.ensureDeferred
async def test_many_recipients_go_in_several_transactions(
    serve: Serve, make_relays: MakeRelays
) -> None:
    server = serve(offers=("PIPELINING",))
    connection = await connected(make_relays, server)
    addresses = [f"r{i}@d.example" for i in range(2 * MAX_RECIPIENTS + 1)]
    outcomes = await connection.send(transmission(*addresses))
    assert {o.kind for o in outcomes} == {"delivered"}
    assert len(outcomes) == len(addresses)
    assert server.verbs.count("MAIL") == 3
    assert [line[9:-1] for line in server.lines if line.startswith("RCPT")] == addresses


@pytest.mark.parametrize("refusal", [b"452 4.5.3 too many\r\n", b"552 too many\r\n"])
@pytest_twisted.ensureDeferred
async def test_those_that_are_too_many_follow_at_once(
    serve: Serve, make_relays: MakeRelays, refusal: bytes
) -> None:
    ok = b"250 ok\r\n"
    server = serve(offers=("PIPELINING",))
    server.behaviour.answers["RCPT"] = [ok, ok, refusal, refusal, ok, refusal, ok]
    connection = await connected(make_relays, server)
    outcomes = await connection.send(transmission(*(f"r{i}@d.example" for i in range(4))))
    assert [o.kind for o in outcomes] == ["delivered"] * 4
    assert len(server.messages) == 3


@pytest_twisted.ensureDeferred
async def test_who_is_too_many_alone_waits(serve: Serve, make_relays: MakeRelays) -> None:
    server = serve(answers={"RCPT": b"452 4.5.3 too many\r\n"})
    connection = await connected(make_relays, server)
    (outcome,) = await connection.send(transmission())
    assert outcome.kind == "temporary"
    assert server.verbs.count("MAIL") == 1


@pytest_twisted.ensureDeferred
async def test_a_send_that_is_cancelled_tells_how_far_it_came(
    serve: Serve, make_relays: MakeRelays
) -> None:
    server = serve(answers={"CONTENT": Do.HANG})
    connection = await connected(make_relays, server)
    sending = ensureDeferred(connection.send(transmission()))
    await until(lambda: server.messages == [MESSAGE])
    sending.cancel()
    (outcome,) = await sending
    assert (outcome.kind, outcome.may_have_arrived) == ("temporary", True)
    await until(lambda: server.connections[0].lost)


@pytest.mark.parametrize("answers", [{}, {"GREETING": Do.HANG}])
@pytest_twisted.ensureDeferred
async def test_a_connect_that_is_cancelled_is_over(
    serve: Serve, make_relays: MakeRelays, answers: dict[str, Do]
) -> None:
    """At once: no other way is tried."""
    server = serve(answers=answers)
    relays = make_relays(smarthost=f"127.0.0.1:{server.port}")
    connecting = ensureDeferred(relays.connect("d.example"))
    if answers:
        await until(lambda: bool(server.connections))
    connecting.cancel()
    with pytest.raises(CancelledError):
        await connecting
    await until(lambda: all(c.lost for c in server.connections))


@pytest_twisted.ensureDeferred
async def test_eight_bits_only_for_who_takes_them(serve: Serve, make_relays: MakeRelays) -> None:
    content = (
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nä\r\n"
    )
    for offers in (("8BITMIME",), ()):
        server = serve(offers=offers)
        connection = await connected(make_relays, server)
        (outcome,) = await connection.send(transmission(content=content.encode()))
        assert outcome.kind == "delivered"
        (message,) = server.messages
        assert (message == content.encode()) == bool(offers)
        assert message.isascii() == (not offers)
        assert ("BODY=8BITMIME" in server.lines[1]) == bool(offers)
        await connection.close()


@pytest.mark.parametrize("chunking", [True, False])
@pytest.mark.parametrize("end", SMUGGLING)
@pytest_twisted.ensureDeferred
async def test_what_smuggles_elsewhere_is_one_message_here(
    listen: Any, make_relays: MakeRelays, end: bytes, chunking: bool
) -> None:
    listener: SmtpListener = listen()
    relays = make_relays(smarthost=f"127.0.0.1:{listener.port}")
    connection = await relays.connect("d.example")
    if not chunking:  # it offers that, and DATA is what smuggling is about
        opening = connection._protocol.session._opening
        opening.offered = type(opening.offered)(pipelining=True, eight_bit=True)
    inner = b"MAIL FROM:<x@y.example>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nSubject: z\r\n\r\nz"
    content = b"Subject: x\r\n\r\nbody" + end + inner + end + b"QUIT\r\n"
    (outcome,) = await connection.send(transmission(content=content))
    assert outcome.kind == "delivered"
    (envelope,) = listener.ingest.envelopes
    assert [r.inbox for r in envelope.recipients] == ["c@d.example"]
    assert inner in envelope.content
    await connection.close()
