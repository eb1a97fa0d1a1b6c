"""Mail as it arrives at another host: signed by the keys that the DNS has, whatever is in it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dkim
import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.names import dns

from mailsacd.store.pool import Database
from tests.http.society import Society, society
from tests.lanes import LANES
from tests.opendkim import opendkim
from tests.outbound.name_server import Network
from tests.outbound.smtp.server import Behaviour, Server
from tests.patience import until

reactor: Any = the_reactor

ALWAYS = {"from": "ann@example.com", "to": "bob@there.example", "subject": "Hello"}
MESSAGES = {
    "text": {"text": "Hi\n.\n..\n  two  \t spaces \n\n\n"},
    "words": {"subject": "Grüße", "text": "ü" * 3_000, "html": "<p>ä</p>" * 500},
    "attachment": {
        "text": "x",
        "attachments": [{"content": "AAEC" * 30_000, "encoding": "base64"}],
    },
    "a whole message": {"raw": f"From: ann@example.com\n\n{'x' * 2_000}\nü\r.\r\n"},
    "no text": {"text": ""},
}


@dataclass(frozen=True)
class Way:
    """From who sends to the host that takes it."""

    house: Society
    server: Server
    network: Network

    async def arrived(self, **fields: Any) -> bytes:
        """Send a message; what the host gets."""
        body = json.dumps({**ALWAYS, **fields}).encode()
        await self.house.json("owner", "POST", "/api/outgoing-messages", body)
        await until(lambda: bool(self.server.messages))
        stuffed = b"\r\n" + self.server.messages[0]
        return stuffed.replace(b"\r\n.", b"\r\n").removeprefix(b"\r\n")


@pytest_twisted.async_yield_fixture
async def way(database: Database, database_dsn: str, network: Network) -> AsyncIterator[Way]:
    """The owner has example.com, with all that the API says published."""
    server = Server(reactor, Behaviour(offers=("8BITMIME", "SIZE", "PIPELINING")))
    port = network.usual.port
    settings = (
        f"relay.smarthost=127.0.0.1:{server.port}",
        *(f"dns.servers=127.0.0.1:{port}", f"dns.authority_port={port}"),
        "dns.allowed_networks=127.0.0.0/8",
    )
    async with society(database, database_dsn, *settings) as house:
        domain = await house.json("owner", "POST", "/api/domains/example.com")
        for record in domain["records"]:
            if record["type"] == "TXT":
                value = record["value"].encode()
                pieces = [value[at : at + 255] for at in range(0, len(value), 255)]
                network.own.answers.add(record["name"], dns.Record_TXT(*pieces))
        verified = await house.json("owner", "PUT", "/api/domains/example.com/verify")
        assert verified["verified"]
        assert [r["published"] for r in verified["records"] if r["purpose"] == "DKIM"] == [True] * 2
        yield Way(house, server, network)
        await server.stop()


def _asked(way: Way, name: bytes) -> bytes:
    [record] = way.network.own.answers.records[name.decode().rstrip(".")]
    return b"".join(record.data)


@pytest.mark.parametrize("fields", MESSAGES.values(), ids=MESSAGES)
@pytest_twisted.ensureDeferred
async def test_both_signatures_are_good_where_it_arrives(
    way: Way, workspace: Path, fields: dict[str, Any]
) -> None:
    message = await way.arrived(**fields)
    for number in range(2):
        assert dkim.DKIM(message).verify(number, dnsfunc=lambda name, **_: _asked(way, name))
    # OpenDKIM asks the one server that it is given; that of example.com is on another address
    way.network.usual.answers.records |= way.network.own.answers.records
    verify = opendkim(way.network.usual.port, workspace)
    said = await LANES.rest.run_in_thread(lambda: verify(message))
    assert said.count("dkim=pass") == 2, said
    assert "dkim=fail" not in said
