"""TLS on the way out: where it has to be, whose certificate is good, and what is done without."""

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_twisted
import trustme
from OpenSSL import SSL

from mailsacd.core.outcome import Outcome, RouteError
from mailsacd.outbound.smtp.mta_sts import StsPolicy, parse_policy
from mailsacd.outbound.smtp.routing import Host
from mailsacd.outbound.smtp.tls_policy import TlsLevel, TlsPolicies, TlsPolicy
from mailsacd.settings import RelaySettings
from tests.outbound.name_server import Network
from tests.outbound.server_tls import ServerTls
from tests.outbound.smtp.conftest import Hurried, MakeRelays, Serve, at
from tests.outbound.smtp.play import MESSAGE, transmission
from tests.outbound.smtp.server import Do, Server
from tests.outbound.smtp.test_connection import LARGE
from tests.patience import until

STARTTLS = ("STARTTLS", "PIPELINING")


async def sent(relays: Any, domain: str = "d.example") -> bool:
    """Send a message; whether it went by TLS."""
    connection = await relays.connect(domain)
    (outcome,) = await connection.send(transmission())
    assert outcome.kind == "delivered", outcome
    await connection.close()
    return bool(connection.is_encrypted)


async def fails(relays: Any, domain: str = "d.example") -> Outcome:
    with pytest.raises(RouteError) as caught:
        await relays.connect(domain)
    return caught.value.outcome


@pytest.fixture
def mx(network: Network, serve: Serve, authority: trustme.CA) -> Server:
    """The host of d.example, with a good certificate."""
    at(network, "d.example", (10, "mx.d.example", "127.0.0.1"))
    certificate = authority.issue_cert("mx.d.example", "127.0.0.1")
    return serve(offers=STARTTLS, tls=ServerTls(certificate))


@pytest_twisted.ensureDeferred
async def test_tls_is_used_where_it_is_offered(mx: Server, make_relays: MakeRelays) -> None:
    """Whoever signed the certificate."""
    assert await sent(make_relays(port=mx.port))
    assert mx.verbs == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert mx.messages == [MESSAGE]


@pytest_twisted.ensureDeferred
async def test_large_messages_by_tls(mx: Server, make_relays: MakeRelays) -> None:
    """In more blocks than what a connection has room for."""
    connection = await make_relays(port=mx.port).connect("d.example")
    for _ in range(2):
        (outcome,) = await connection.send(transmission(content=LARGE))
        assert outcome.kind == "delivered"
    await connection.close()
    assert mx.messages == [LARGE, LARGE]


@pytest_twisted.ensureDeferred
async def test_a_server_that_does_not_let_go(mx: Server, make_relays: MakeRelays) -> None:
    """The end of TLS is one that both sides tell each other, if both want to."""
    mx.behaviour.answers["QUIT"] = Do.STAY
    clock = Hurried(hurrying=False)
    connection = await make_relays(port=mx.port, clock=clock).connect("d.example")
    clock.hurrying = True
    await connection.close()
    await until(lambda: connection._protocol._is_gone)
    assert not clock.pending()


@pytest.mark.parametrize("fault", ["old", "none", "refused", "drop", "not offered"])
@pytest_twisted.ensureDeferred
async def test_tls_that_fails_is_done_without_unless_it_is_required(
    mx: Server, make_relays: MakeRelays, authority: trustme.CA, ca_file: str, fault: str
) -> None:
    behaviour = mx.behaviour
    if fault == "old":
        certificate = authority.issue_cert("mx.d.example")
        behaviour.tls = ServerTls(certificate, newest=SSL.TLS1_1_VERSION)
    elif fault == "not offered":
        behaviour.offers = ()
    else:
        instead: dict[str, Do | bytes] = {
            "none": Do.NO_TLS, "refused": b"454 4.7.0 not now\r\n", "drop": Do.DROP_TLS,
        }  # fmt: skip
        behaviour.answers["STARTTLS"] = instead[fault]
    assert not await sent(make_relays(port=mx.port))
    for word in ("encrypt", "verify"):
        relays = make_relays(port=mx.port, tls_policies=(f"d.example {word}",), ca_file=ca_file)
        outcome = await fails(relays)
        assert (outcome.kind, outcome.status[:4]) == ("temporary", "4.7.")
    assert mx.messages == [MESSAGE]


@pytest.mark.parametrize("fault", [None, "name", "authority"])
@pytest_twisted.ensureDeferred
async def test_whose_certificate_is_good(
    mx: Server, make_relays: MakeRelays, authority: trustme.CA, ca_file: str, fault: str | None
) -> None:
    if fault == "name":
        mx.behaviour.tls = ServerTls(authority.issue_cert("d.example", "other.example"))
    elif fault == "authority":
        mx.behaviour.tls = ServerTls(trustme.CA().issue_cert("mx.d.example"))
    strict = make_relays(port=mx.port, tls_policies=("d.example verify",), ca_file=ca_file)
    if fault is None:
        assert await sent(strict)
    else:
        outcome = await fails(strict)
        assert (outcome.status, outcome.kind) == ("4.7.5", "temporary")
        assert mx.messages == []
    assert await sent(make_relays(port=mx.port, tls_policies=("d.example encrypt",)))
    assert await sent(make_relays(port=mx.port))
    assert not await sent(make_relays(port=mx.port, tls_policies=("d.example never",)))


@pytest_twisted.ensureDeferred
async def test_what_is_sent_along_with_starttls_is_not_obeyed(
    mx: Server, make_relays: MakeRelays
) -> None:
    """It would be an answer to EHLO that a stranger has put before the handshake."""
    mx.behaviour.answers["STARTTLS"] = b"220 go on\r\n250-mx\r\n250 SMTPUTF8\r\n"
    connection = await make_relays(port=mx.port).connect("d.example")
    assert connection.is_encrypted
    assert not connection._protocol.session.offered.smtputf8
    assert mx.verbs == ["EHLO", "STARTTLS", "EHLO"]


@pytest_twisted.ensureDeferred
async def test_a_handshake_that_takes_too_long(mx: Server, make_relays: MakeRelays) -> None:
    mx.behaviour.tls = None  # it waits for the end of a line
    relays = make_relays(port=mx.port, tls_policies=("d.example encrypt",), clock=Hurried())
    assert (await fails(relays)).status == "4.7.5"


# The smarthost


@pytest.mark.parametrize(
    ("word", "good", "goes"),
    [("auto", True, True), ("auto", False, True), ("verify", True, True),
     ("verify", False, False), ("encrypt", False, True), ("never", True, True)],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_a_smarthost_on_this_machine(
    mx: Server, make_relays: MakeRelays, ca_file: str, word: str, good: bool, goes: bool
) -> None:
    mx.behaviour.offers = (*STARTTLS, "AUTH PLAIN")
    mx.behaviour.answers["AUTH"] = b"235 2.7.0 welcome\r\n"
    if not good:
        mx.behaviour.tls = ServerTls(trustme.CA().issue_cert("127.0.0.1"))
    relays = make_relays(
        smarthost=f"127.0.0.1:{mx.port}", smarthost_user="me", smarthost_password="s3cret",
        smarthost_tls=word, ca_file=ca_file,
    )  # fmt: skip
    if goes:
        assert await sent(relays) == (word != "never")
        assert "AUTH PLAIN AG1lAHMzY3JldA==" in mx.lines
    else:
        assert (await fails(relays)).status == "4.7.5"
        assert "AUTH" not in mx.verbs


@pytest.mark.parametrize(
    ("plain_login", "goes"), [("loopback", True), ("always", True), ("never", False)]
)
@pytest_twisted.ensureDeferred
async def test_a_password_without_tls(
    serve: Serve, make_relays: MakeRelays, plain_login: str, goes: bool
) -> None:
    server = serve(offers=("AUTH LOGIN PLAIN",), answers={"AUTH": b"235 2.7.0 welcome\r\n"})
    relays = make_relays(
        smarthost=f"127.0.0.1:{server.port}", smarthost_user="me", smarthost_password="s3cret",
        plain_login=plain_login,
    )  # fmt: skip
    if goes:
        assert not await sent(relays)
    else:
        assert (await fails(relays)).status == "4.7.0"
    assert ("AUTH" in server.verbs) == goes


@pytest_twisted.ensureDeferred
async def test_a_wrong_password_is_a_failure_for_now(serve: Serve, make_relays: MakeRelays) -> None:
    server = serve(offers=("AUTH PLAIN",), answers={"AUTH": b"535 5.7.8 no\r\n"})
    relays = make_relays(
        smarthost=f"127.0.0.1:{server.port}", smarthost_user="me", smarthost_password="s3cret"
    )
    outcome = await fails(relays)
    assert (outcome.status, outcome.kind) == ("4.7.8", "temporary")
    assert "s3cret" not in outcome.text


@pytest_twisted.ensureDeferred
async def test_nobody_but_the_smarthost_is_told_the_password(
    mx: Server, serve: Serve, make_relays: MakeRelays
) -> None:
    mx.behaviour.offers = ("AUTH PLAIN",)
    relays = make_relays(
        smarthost="127.0.0.9:1", smarthost_user="me", smarthost_password="s3cret",
        routes=(f"d.example 127.0.0.1:{mx.port}",),
    )  # fmt: skip
    await sent(relays)
    assert "AUTH" not in mx.verbs


@pytest.mark.parametrize("good", [True, False])
@pytest_twisted.ensureDeferred
async def test_tls_from_the_first_byte(
    mx: Server, make_relays: MakeRelays, authority: trustme.CA, ca_file: str, good: bool
) -> None:
    mx.behaviour.tls_first = True
    if not good:
        mx.behaviour.tls = ServerTls(authority.issue_cert("other.example"))
    relays = make_relays(
        smarthost=f"127.0.0.1:{mx.port}", smarthost_tls="implicit", ca_file=ca_file
    )
    if good:
        assert await sent(relays)
        assert "STARTTLS" not in mx.verbs
    else:
        assert (await fails(relays)).status == "4.7.5"


@pytest.mark.parametrize(
    ("port", "user", "address", "level"),
    [
        (465, "", "192.0.2.1", TlsLevel.IMPLICIT),
        (465, "me", "127.0.0.1", TlsLevel.IMPLICIT),
        (587, "me", "192.0.2.1", TlsLevel.VERIFY),
        (587, "me", "127.0.0.2", TlsLevel.OPPORTUNISTIC),
        (587, "me", "::1", TlsLevel.OPPORTUNISTIC),
        (25, "", "192.0.2.1", TlsLevel.OPPORTUNISTIC),
    ],
)
def test_what_auto_is(port: int, user: str, address: str, level: TlsLevel) -> None:
    policies = TlsPolicies(RelaySettings(smarthost_user=user), None)
    host = Host(name="smart.example", port=port)
    assert policies.level(TlsPolicy(level=None), host, address) is level


# MTA-STS


@dataclass
class Policies:
    """In place of what asks the DNS and the web: of d.example something is known."""

    policy_text: str

    async def policy(self, domain: str) -> StsPolicy | None:
        return parse_policy(self.policy_text) if domain == "d.example" else None


def policy(mode: str, *patterns: str) -> Any:
    lines = ["version: STSv1", f"mode: {mode}", "max_age: 86400", *(f"mx: {p}" for p in patterns)]
    return Policies("\r\n".join(lines))


@pytest.mark.parametrize(
    ("mode", "patterns", "good", "goes"),
    [
        ("enforce", ["mx.d.example"], True, True),
        ("enforce", ["*.d.example"], True, True),
        ("enforce", ["other.example", "mx.d.example"], True, True),
        ("enforce", ["mx.d.example"], False, False),
        ("enforce", ["d.example"], True, False),
        ("enforce", ["*.mx.d.example"], True, False),
        ("testing", ["other.example"], False, True),
        ("none", [], False, True),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_policy_is_kept_to(  # noqa: PLR0917  a table's columns
    mx: Server, make_relays: MakeRelays, ca_file: str, mode: str, patterns: list[str],
    good: bool, goes: bool,
) -> None:  # fmt: skip
    if not good:
        mx.behaviour.tls = ServerTls(trustme.CA().issue_cert("mx.d.example"))
    relays = make_relays(port=mx.port, sts=policy(mode, *patterns), ca_file=ca_file)
    if goes:
        assert await sent(relays)
    else:
        outcome = await fails(relays)
        assert (outcome.status, outcome.kind) == ("4.7.5", "temporary")
        assert mx.messages == []


@pytest_twisted.ensureDeferred
async def test_a_host_that_is_not_in_the_policy_is_passed_over(
    network: Network, mx: Server, make_relays: MakeRelays, ca_file: str
) -> None:
    at(network, "d.example", (5, "stranger.example", "127.0.0.1"))
    relays = make_relays(port=mx.port, sts=policy("enforce", "mx.d.example"), ca_file=ca_file)
    assert await sent(relays)
    assert len(mx.connections) == 1


@pytest_twisted.ensureDeferred
async def test_the_operators_word_is_above_a_policy(mx: Server, make_relays: MakeRelays) -> None:
    sts = policy("enforce", "other.example")
    relays = make_relays(port=mx.port, sts=sts, tls_policies=("d.example opportunistic",))
    assert await sent(relays)
    relays = make_relays(sts=sts, routes=(f"d.example 127.0.0.1:{mx.port}",))
    assert await sent(relays)
