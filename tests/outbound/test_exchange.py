"""Answers of name servers that are written to be long, or to take long to read."""

import struct
import time
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.names import dns

from mailsacd.outbound.exchange import MAX_TCP_BYTES, DnsOverTcp

QUERY = dns.Query(b"a", dns.TXT, dns.IN)
TO_QUERY = b"\xc0\x0c"  # a name: the one in the question


def _record(name: bytes, data: bytes, kind: int = dns.TXT) -> bytes:
    return name + struct.pack(">HHIH", kind, dns.IN, 60, len(data)) + data


def _answer(*records: bytes) -> bytes:
    head = struct.pack(">6H", 0, 0x8180, 1, len(records), 0, 0)
    return head + b"\x01a\x00" + struct.pack(">HH", dns.TXT, dns.IN) + b"".join(records)


def _one_long_name_for_all(labels: int) -> bytes:
    """A record whose data is a name, by which all the others are called."""
    data = b"\x01a" * labels + b"\x00"
    first = _record(TO_QUERY, data, 65_280)
    to_data = struct.pack(">H", 0xC000 | len(_answer()) + 12)
    count = (MAX_TCP_BYTES - len(_answer(first))) // 12
    return _answer(first, *[_record(to_data, b"", 65_280)] * min(count, 900))


def _received(answer: bytes) -> tuple[list[Any], bool]:
    """The answers to a question by TCP, and whether the connection was given up."""
    protocol, transport = DnsOverTcp(_Owner(), reactor=MemoryReactorClock()), StringTransport()
    protocol.makeConnection(transport)
    found: list[Any] = []
    protocol.query([QUERY]).addCallback(found.append)
    [number] = protocol.liveMessages
    data = struct.pack(">H", number) + answer[2:]
    protocol.dataReceived(struct.pack(">H", len(data)) + data)
    return found, transport.disconnecting


class _Owner:
    def connectionMade(self, protocol: Any) -> None:
        """There is a connection."""


def test_an_answer_of_300_records_is_taken() -> None:
    [found], given_up = _received(_answer(*[_record(TO_QUERY, b"\x08v=spf1 x")] * 300))
    assert len(found.answers) == 300
    assert not given_up


@pytest.mark.parametrize(
    "answer",
    [
        _one_long_name_for_all(4_000),
        _answer(*[_record(TO_QUERY, b"\x00" * 100)] * 140),
        _answer(*[_record(TO_QUERY, b"\xff" + b"x" * 255)] * 62),
        b"",
    ],
    ids=["a long name for each record", "many empty texts", "too long", "nothing"],
)
def test_what_takes_long_to_read_is_given_up_at_once(answer: bytes) -> None:
    began = time.thread_time()
    assert _received(answer) == ([], True)
    assert time.thread_time() - began < 0.2  # it is some 5 ms; read to the end, 1.4 s
