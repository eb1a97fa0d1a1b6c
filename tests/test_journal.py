"""Entries of the journal, as its native protocol has them, over a real socket."""

import socket
from pathlib import Path

from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure

from mailsacd.journal import MAX_VALUE_CHARACTERS, Journal


def _entries(receiving: socket.socket) -> dict[bytes, bytes]:
    """The fields of one datagram."""
    data, fields = receiving.recv(1_000_000), {}
    while data:
        line, _, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + size], rest[9 + size :]
        fields[name] = value
        data = rest
    return fields


def test_each_value_of_an_event_is_a_field(tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiving,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending,
    ):
        receiving.bind(str(tmp_path / "journal"))
        sending.connect(str(tmp_path / "journal"))
        log = Logger(namespace="mailsacd.smtp", observer=LogPublisher(Journal(sending)))
        log.warn("{peer} sent {n} messages", peer="192.0.2.1", n=3, other=object())
        assert _entries(receiving) == {
            b"MESSAGE": b"192.0.2.1 sent 3 messages",
            b"PRIORITY": b"4",
            b"SYSLOG_IDENTIFIER": b"mailsacd",
            b"MAILSACD_LOGGER": b"mailsacd.smtp",
            b"MAILSACD_PEER": b"192.0.2.1",
            b"MAILSACD_N": b"3",
        }
        log.info("{text}", text="forged\nMESSAGE=other\nPRIORITY=0\n")
        told = _entries(receiving)
        assert told[b"MESSAGE"] == told[b"MAILSACD_TEXT"] == b"forged\nMESSAGE=other\nPRIORITY=0\n"
        assert told[b"PRIORITY"] == b"6"
        log.error("{text}", text="x" * 1_000_000)
        assert len(_entries(receiving)[b"MESSAGE"]) == MAX_VALUE_CHARACTERS
        log.failure("it failed", Failure(ValueError("why")))
        told = _entries(receiving)
        assert b"ValueError: why" in told[b"MESSAGE"]
        assert told[b"PRIORITY"] == b"2"


def test_a_journal_that_is_gone_does_no_harm(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiving:
            receiving.bind(str(tmp_path / "journal"))
            sending.connect(str(tmp_path / "journal"))
        Logger(observer=Journal(sending)).info("nobody reads this")
