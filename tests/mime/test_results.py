"""The field Authentication-Results: as it is written, and whose it says that it is."""

import pytest
from msgspec.structs import replace

from mailsacd.core.authentication import (
    ArcResult,
    Authentication,
    DkimResult,
    DmarcResult,
    SpfResult,
)
from mailsacd.mime.results import MAX_BYTES, results_field, server_of
from mailsacd.mime.trace import end_of_trace, trace_headers
from tests.mime.test_trace import ENVELOPE


def found(domain: str = "example.com", selector: str = "s", signatures: int = 1) -> Authentication:
    signature = DkimResult(result="pass", domain=domain, selector=selector, algorithm="rsa-sha256")
    return Authentication(
        spf=SpfResult(result="softfail", domain=domain, identity="helo"),
        dkim=(signature,) * signatures,
        arc=ArcResult(result="temperror", instances=2),
        dmarc=DmarcResult(result="pass", domain=domain),
        checked="2026-11-29T12:00:00.000Z",
    )


def test_each_result_is_a_line_and_arc_has_no_temporary_error() -> None:
    assert results_field(found(), "mx.example.net").decode() == (
        "Authentication-Results: mx.example.net;\r\n\tspf=softfail smtp.helo=example.com;\r\n"
        "\tdkim=pass header.d=example.com header.s=s;\r\n"
        "\tdmarc=pass header.from=example.com;\r\n\tarc=fail (i=2)\r\n"
    )
    assert "\tdkim=none;\r\n" in results_field(found(signatures=0), "h").decode()


def test_what_others_chose_is_never_syntax_and_has_a_bound() -> None:
    field = results_field(found('a; x="y"\r\nEvil: ü', "s" * 9_000, 50), "mx.example.net")
    assert len(field) <= MAX_BYTES
    assert field.count(b"\r\n") == field.count(b"\r\n\t") + 1
    assert b"Evil:" not in field
    assert b"header.from=a__x__y___Evil___;" in field


def test_the_longest_one_is_still_part_of_the_trace() -> None:
    envelope = replace(ENVELOPE, authentication=found("d" * 300, "s" * 300, 50))
    trace = trace_headers(envelope, "h" * 200)
    assert end_of_trace(trace + b"Subject: x\r\n\r\n") == len(trace)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" mx.example.net; spf=pass", "mx.example.net"),
        (" MX.Example.NET 1; spf=pass", "mx.example.net"),
        (' (a comment) "mx.example.net" ; none', "mx.example.net"),
        ("\r\n\tmx.example.net;\r\n\tnone", "mx.example.net"),
        ("", ""),
        (";", ""),
    ],
)
def test_whose_results_they_are(value: str, expected: str) -> None:
    assert server_of(value) == expected
