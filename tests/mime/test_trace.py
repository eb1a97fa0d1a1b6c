"""The trace fields: what they say, that nothing from outside can break them, and loops."""

import email

import pytest
from msgspec import structs
from msgspec.structs import replace

from mailsacd.core.envelope import Envelope, Reception, Recipient, TlsFacts
from mailsacd.mime.extract import text_of, text_of_stored
from mailsacd.mime.parse import parse
from mailsacd.mime.trace import (
    LOOP_FIELD,
    MAX_RECEIVED_FIELDS,
    header_section,
    loops,
    parse_stored,
    trace_headers,
)

TLS = TlsFacts(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", bits=256)
RECEPTION = Reception(
    peer_ip="192.0.2.7", local_ip="192.0.2.1", helo="client.example", protocol="ESMTPS", tls=TLS
)
ENVELOPE = Envelope(
    id="0abc",
    received_ms=1_709_630_430_123,
    reverse_path="ann@example.com",
    recipients=(
        Recipient(original_inbox="ben@example.com", inbox="ben@example.com", domain="example.com"),
    ),
    reception=RECEPTION,
    content=b"",
)


def test_the_fields_in_full() -> None:
    assert trace_headers(ENVELOPE, "mx.example") == (
        b"Return-Path: <ann@example.com>\r\n"
        b"Received: from client.example ([192.0.2.7])\r\n"
        b"\tby mx.example with ESMTPS\r\n"
        b"\t(TLSv1.3 TLS_AES_256_GCM_SHA384 256/256 bits)\r\n"
        b"\tid 0abc\r\n"
        b"\tfor <ben@example.com>;\r\n"
        b"\tTue, 05 Mar 2024 09:20:30 +0000\r\n"
    )


def test_without_tls_and_with_two_recipients_nothing_is_told_of_either() -> None:
    envelope = replace(
        ENVELOPE,
        recipients=ENVELOPE.recipients * 2,
        reception=replace(RECEPTION, tls=None, protocol="ESMTP", peer_ip="2001:db8::1"),
    )
    assert trace_headers(envelope, "mx.example").splitlines()[1:] == [
        b"Received: from client.example ([IPv6:2001:db8::1])",
        b"\tby mx.example with ESMTP",
        b"\tid 0abc;",
        b"\tTue, 05 Mar 2024 09:20:30 +0000",
    ]


@pytest.mark.parametrize(
    "evil",
    [
        "x\r\nBcc: y",
        "x\n\nbody",
        "a (b) <c>; d",
        "\0\x1b[2J",
        "\\",
        "\u2028x",
        "\ud800",
        "x" * 9_999,
    ],
)
@pytest.mark.parametrize("protocol", ["ESMTP", "UTF8SMTPS"])
def test_nothing_from_outside_makes_a_line_of_its_own(evil: str, protocol: str) -> None:
    recipient = Recipient(original_inbox=evil, inbox=evil, domain="x")
    envelope = replace(
        ENVELOPE,
        reverse_path=evil,
        recipients=(recipient,),
        reception=replace(RECEPTION, helo=evil, peer_ip=evil, protocol=protocol),
    )
    written = trace_headers(envelope, "mx.example")
    assert b"\0" not in written
    assert b"\x1b" not in written
    parsed = email.message_from_bytes(written + b"\r\n")
    assert parsed.keys() == ["Return-Path", "Received"]
    assert written.count(b"\n") == written.count(b"\r\n") == written.count(b"\r")


def test_beyond_ascii_only_under_smtputf8() -> None:
    reception = replace(RECEPTION, helo="j\u00f6.example")
    plain = replace(ENVELOPE, reverse_path="j\u00f6@x", reception=reception)
    assert trace_headers(plain, "mx").isascii()
    extended = replace(plain, reception=replace(reception, protocol="UTF8SMTP"))
    assert "<j\u00f6@x>".encode() in trace_headers(extended, "mx")


def test_an_empty_reverse_path_and_helo() -> None:
    envelope = replace(ENVELOPE, reverse_path="", reception=replace(RECEPTION, helo=""))
    written = trace_headers(envelope, "mx")
    assert written.startswith(b"Return-Path: <>\r\nReceived: from unknown (")


OWN = f"{LOOP_FIELD}: node-1\r\n".encode()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", False),
        (b"Received: x\r\n" * MAX_RECEIVED_FIELDS + b"\r\n", False),
        (b"Received: x\r\n" * (MAX_RECEIVED_FIELDS + 1) + b"\r\n", True),
        (b"rEcEiVeD : x\r\n" * (MAX_RECEIVED_FIELDS + 1) + b"\r\n", True),
        (b"Received: x\n" * (MAX_RECEIVED_FIELDS + 1) + b"\n", True),
        (b"A: b\r\n\r\n" + b"Received: x\r\n" * 200, False),
        (b"A: b\n\n" + b"Received: x\n" * 200, False),
        (b"Subject: received: x\r\n" * 200, False),
        (OWN + b"\r\n", False),
        (OWN + OWN + b"\r\n", True),
        (OWN + b"\r\n" + OWN, False),
        (OWN + OWN.replace(b"node-1", b"node-12") + b"\r\n", False),
        (OWN.upper().replace(b"NODE", b"node") + OWN + b"\r\n", True),
    ],
)
def test_loops(content: bytes, expected: bool) -> None:
    assert loops(content, "node-1") is expected


@pytest.mark.parametrize(
    "content",
    [
        b"no header at all\r\nsecond line\r\n",
        b"",
        b"\r\nbody alone",
        b" looks folded\r\nSubject: x\r\n\r\nbody",
        b"\tTue, 05 Mar 2024 09:20:30 +0000\r\nSubject: x\r\n\r\nbody",
        b"From ann@example.com Tue Mar  5\r\nSubject: x\r\n\r\nbody",
        b"Subject: x\r\nTo: ben@example.com\r\n\r\nbody",
    ],
)
def test_a_stored_message_is_read_as_if_the_trace_were_not_there(content: bytes) -> None:
    alone = parse(content)
    raw = trace_headers(ENVELOPE, "mx.example") + content
    stored = parse_stored(raw)
    assert text_of_stored(raw) == text_of(alone)
    assert structs.replace(stored, fields=()) == structs.replace(alone, fields=())
    assert [name for name, _ in stored.headers[:2]] == ["Return-Path", "Received"]
    assert stored.headers[2:] == alone.headers


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"Subject: x\r\nTo: y\r\n\r\nbody\r\n\r\nmore", b"Subject: x\r\nTo: y\r\n"),
        (b"Subject: x\nTo: y\n\nbody", b"Subject: x\nTo: y\n"),
        (b"Subject: x\n\r\nbody", b"Subject: x\n"),
        (b"Subject: alone", b"Subject: alone"),
        (b"no header at all\r\n\r\nmore", b""),
        (b"\r\nSubject: of the body\r\n\r\nmore", b""),
        (b"", b""),
    ],
)
def test_no_line_of_the_body_is_in_the_header_section(content: bytes, fields: bytes) -> None:
    trace = trace_headers(ENVELOPE, "mx.example")
    assert header_section(trace + content) == trace + fields
