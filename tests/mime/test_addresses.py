"""Address lists as mailers really write them."""

import pytest

from mailsacd.core.message_form import Mailbox
from mailsacd.mime import addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b.c", [("a@b.c", "")]),
        ("A@B.C", [("a@b.c", "")]),
        ("<a@b.c>", [("a@b.c", "")]),
        ("Al <a@b.c>", [("a@b.c", "Al")]),
        ('"Al, B" <a@b.c>', [("a@b.c", "Al, B")]),
        ('"Al \\"Q\\" B" <a@b.c>', [("a@b.c", 'Al "Q" B')]),
        ("Al <a@b.c>, Bo <b@b.c>", [("a@b.c", "Al"), ("b@b.c", "Bo")]),
        ("a@b.c; b@b.c", [("a@b.c", ""), ("b@b.c", "")]),
        ("a@b.c (Al B)", [("a@b.c", "Al B")]),
        ("a@b.c (Al (nested) B)", [("a@b.c", "Al (nested) B")]),
        ("Al (comment) <a@b.c>", [("a@b.c", "Al")]),
        ("team: a@b.c, Bo <b@b.c>;", [("a@b.c", ""), ("b@b.c", "Bo")]),
        ("team: a@b.c;, c@b.c", [("a@b.c", ""), ("c@b.c", "")]),
        ("undisclosed-recipients:;", []),
        ("=?utf-8?q?J=C3=B6?= <j@b.c>", [("j@b.c", "J\u00f6")]),
        ("=?utf-8?q?Doe,_J=C3=B6?= <j@b.c>, k@b.c", [("j@b.c", "Doe, J\u00f6"), ("k@b.c", "")]),
        ('"=?utf-8?q?J=C3=B6?=" <j@b.c>', [("j@b.c", "J\u00f6")]),
        ("=?utf-8?q?J=C3?= =?utf-8?q?=B6?= <j@b.c>", [("j@b.c", "J\u00f6")]),
        ("bare name", [("", "bare name")]),
        ("Al a@b.c", [("a@b.c", "Al")]),
        ("MAILER-DAEMON <>", [("", "MAILER-DAEMON")]),
        ("<@relay,@other:a@b.c>", [("a@b.c", "")]),
        ("Al <a@b.c", [("a@b.c", "Al")]),
        ('"never closed <a@b.c>', [("a@b.c", "never closed")]),
        ("(never closed", [("", "never closed")]),
        ("a@[IPv6:::1]", [("a@[ipv6:::1]", "")]),
        ("j\u00f6@\u00fc.example", [("j\u00f6@\u00fc.example", "")]),
        ('"a b"@c.d, x@c.d', [('"a b"@c.d', ""), ("x@c.d", "")]),
        (",,,", []),
        ("", []),
        (" a@b.c , ", [("a@b.c", "")]),
        ("a b@c.d e", [("b@c.d", "a e")]),
    ],
)
def test_a_list_is_read(text: str, expected: list[tuple[str, str]]) -> None:
    found, limited = addresses.parse(text)
    assert found == tuple(Mailbox(address, name) for address, name in expected)
    assert not limited


def test_a_list_is_bounded() -> None:
    found, limited = addresses.parse("a@b," * (addresses.MAX_MAILBOXES + 1))
    assert len(found) == addresses.MAX_MAILBOXES
    assert limited
