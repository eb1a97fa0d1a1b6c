"""What is signed with which keys, and that changes are heard of."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any

import dkim
import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.logger import capturedLogs

from mailsacd.mail.ownership.domain_keys import DomainKeys
from mailsacd.mail.sending.signing import Signer
from mailsacd.outbound.smtp.wire import prepared
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.owners import add_owner
from tests.outbound.name_server import Network
from tests.patience import until

reactor: Any = the_reactor

MESSAGE = b"From: ann@example.com\r\nSubject: hi\r\n\r\nhello\r\n"


@dataclass(frozen=True)
class Node:
    """What signs, and what makes the keys."""

    database: Database
    notices: Notices
    keys: DomainKeys
    signer: Signer


@pytest_twisted.async_yield_fixture
async def node(database: Database, database_dsn: str, network: Network) -> AsyncIterator[Node]:
    await add_owner(database, "ann", domains=("example.com",))
    notices = Notices(database_dsn, LANES.rest, reactor=reactor)
    keys = DomainKeys(database, network.resolver(), LANES.keys, lent="host.example", clock=reactor)
    signer = Signer(database, notices, LANES.rest, lent="host.example", reactor=reactor)
    notices.start()
    await until(lambda: notices.listening)
    yield Node(database, notices, keys, signer)
    await notices.stop()


async def _signatures(node: Node, domain: str, message: bytes = MESSAGE) -> list[str]:
    """By which selectors a message from ``domain`` is signed; each is verified."""
    made = await node.signer.sign(domain, message)
    assert made.endswith(message)
    known = await node.database.fetch("select selector, domain from dkim_key")
    records = {
        key.record_name + ".": key.record_text
        for name in {name for _, name in known}
        for owner in ("ann", "bob", None)
        for key in await node.keys.of_domain(name, owner)
    }
    found = []
    for i in range(made.count(b"DKIM-Signature:")):
        signature = dkim.DKIM(made)
        assert signature.verify(i, dnsfunc=lambda name, **_: records[name.decode()].encode())
        found.append(f"{signature.selector.decode()} of {signature.domain.decode()}")
    return found


async def _names(node: Node, domain: str, owner: str | None) -> list[str]:
    keys = await node.keys.of_domain(domain, owner)
    return [f"{key.selector} of {domain}" for key in keys]


@pytest_twisted.ensureDeferred
async def test_mail_of_a_domain_without_a_key_that_signs_is_left_alone(node: Node) -> None:
    assert await node.signer.sign("example.com", MESSAGE) == MESSAGE
    await node.keys.have("example.com", "ann")
    for domain in ("example.com", "example.org", "not a domain", "[192.0.2.1]", ""):
        assert await node.signer.sign(domain, MESSAGE) == MESSAGE


@pytest.mark.parametrize(
    "message", [MESSAGE, MESSAGE + b"word \r\n" * 20_000], ids=["small", "large"]
)
@pytest_twisted.ensureDeferred
async def test_mail_is_signed_by_both_keys_of_its_domain(node: Node, message: bytes) -> None:
    assert await _signatures(node, "example.com") == []
    await node.keys.have("example.com", "ann")
    await node.keys.activate("example.com", "ann")
    await until(lambda: "example.com" not in list(node.signer._known))
    assert await _signatures(node, "Example.COM", message) == await _names(
        node, "example.com", "ann"
    )


@pytest.mark.parametrize(
    "body", ["ä\r\n".encode(), b"x" * 2_000 + b"\r\n", b"\xff\r\n" * 20_000, b"bare\nlines\r"]
)
@pytest_twisted.ensureDeferred
async def test_what_is_signed_never_has_to_be_changed(node: Node, body: bytes) -> None:
    """Not for a host that takes 7 bits alone, nor for lines that are too long."""
    await node.keys.have("example.com", "ann")
    await node.keys.activate("example.com", "ann")
    made = await node.signer.sign("example.com", MESSAGE + body)
    assert made.count(b"DKIM-Signature:") == 2
    assert prepared(made, eight_bit=False) == made
    (message,) = message_from_bytes(made).walk()
    read = message.get_payload(decode=True)
    assert isinstance(read, bytes)
    assert read.split() == (b"hello\r\n" + body).split()


@pytest_twisted.ensureDeferred
async def test_keys_that_were_changed_are_signed_with_at_once(node: Node) -> None:
    await node.keys.have("example.com", "ann")
    old = await _names(node, "example.com", "ann")
    await node.keys.activate("example.com", "ann")
    assert await _signatures(node, "example.com") == old
    await node.keys.change("example.com", "ann")
    assert await _signatures(node, "example.com") == old
    await node.keys.activate("example.com", "ann")
    await until(lambda: not len(node.signer._known))
    assert await _signatures(node, "example.com") == (await _names(node, "example.com", "ann"))[2:]


@pytest_twisted.ensureDeferred
async def test_a_claim_that_is_not_proved_does_not_sign(node: Node) -> None:
    await add_owner(node.database, "bob")
    await node.database.run(
        "insert into domain (name, owner, verification_txt) values ('example.com', 'bob', '')"
    )
    await node.keys.have("example.com", "bob")
    await node.keys.activate("example.com", "bob")
    assert await _signatures(node, "example.com") == []


@pytest_twisted.ensureDeferred
async def test_the_hosting_domain_signs_for_what_is_below_it(node: Node) -> None:
    await node.keys.change("host.example", None)
    await node.keys.activate("host.example", None)
    expected = await _names(node, "host.example", None)
    for domain in ("host.example", "team.host.example", "a.b.host.example"):
        assert await _signatures(node, domain) == expected
    assert await _signatures(node, "nothost.example") == []


@pytest_twisted.ensureDeferred
async def test_keys_that_another_servers_secret_sealed_do_not_sign(node: Node) -> None:
    await node.keys.have("example.com", "ann")
    await node.keys.activate("example.com", "ann")
    await node.database.run("update server_secret set value = decode(repeat('ab', 32), 'hex')")
    with capturedLogs() as logged:
        assert await node.signer.sign("example.com", MESSAGE) == MESSAGE
    selectors = {key.selector for key in await node.keys.of_domain("example.com", "ann")}
    told = [(event["domain"], event["selector"]) for event in logged if "selector" in event]
    assert set(told) == {("example.com", selector) for selector in selectors}
