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
        ("(never closed", []),
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # comments (RFC 5322 section 3.2.2) are in no address, and are none themselves
        ("Ann(who (is) here) <ann(her account)@a.example(her host)>", [("ann@a.example", "Ann")]),
        ("ann(her account)@a.example", [("ann@a.example", "")]),
        ("ann@(her host)a.example", [("ann@a.example", "")]),
        ("ann(x).lee@a.example (Ann Lee)", [("ann.lee@a.example", "Ann Lee")]),
        ("(Ann) ann@a.example", [("ann@a.example", "Ann")]),
        ("<ann@a(.).example>", [("ann@a.example", "")]),
        ("<ann@a(>).example>", [("ann@a.example", "")]),
        ('<"a(b)c"@a.example>', [('"a(b)c"@a.example', "")]),
        ('Ann <"a>b"@a.example>', [('"a>b"@a.example', "Ann")]),
        ("(nobody)", []),
        ("(the end), ann@a.example", [("ann@a.example", "")]),
        ("Group(some):Ann <c@(x.)a.example>, b@a.example; (the end)",
         [("c@a.example", "Ann"), ("b@a.example", "")]),
        ("(Empty)(list)Hidden people :(nobody(I know)) ;", []),
        ("ann@a.example (escaped \\) one)", [("ann@a.example", "escaped ) one")]),
        # brackets twice, elsewhere, or around other things
        ("Ann <<ann@a.example>>", [("ann@a.example", "Ann")]),
        ("<<ann@a.example>>", [("ann@a.example", "")]),
        ("<Ann <ann@a.example>>", [("ann@a.example", "Ann")]),
        ("Ann <work> <ann@a.example>", [("ann@a.example", "Ann work")]),
        ("Ann <Work>", [("Work", "Ann")]),
        ("<Ann Lee>", [("", "Ann Lee")]),
        ("'ann@a.example'", [("ann@a.example", "")]),
        ('"ann@a.example"', [("ann@a.example", "")]),
        ('"Ann <ann@a.example>"', [("ann@a.example", "Ann")]),
        ("=?utf-8?q?Ann_=3Cann=40a=2Eexample=3E?=", [("ann@a.example", "Ann")]),
        ("=?utf-8?q?ann=40a=2Eexample?=", [("ann@a.example", "")]),
        ("<=?utf-8?q?ann=40a=2Eexample?=>", [("ann@a.example", "")]),
        ("=?utf-8?q?Ann_@_Work?= <ann@a.example>", [("ann@a.example", "Ann @ Work")]),
        ("[ann@a.example]", [("ann@a.example", "")]),
        ("ann@a.example>", [("ann@a.example", "")]),
        ("Ann <mailto:ann@a.example>", [("ann@a.example", "Ann")]),
        ("Ann <SMTP:ann@a.example>", [("ann@a.example", "Ann")]),
        ('<"Ann" ann@a.example>', [("ann@a.example", "")]),
        ('<"ann lee".x@a.example>', [('"ann lee".x@a.example', "")]),
        ("mailto:ann@a.example", [("ann@a.example", "")]),
        ("<ann@a.example> Ann", [("ann@a.example", "Ann")]),
        ("<ann@a.example> =?utf-8?q?J=C3=B6?= (x)", [("ann@a.example", "J\u00f6")]),
        # dividers that are missing, or others
        ("Ann <a@a.example> Ben <b@a.example>", [("a@a.example", "Ann"), ("b@a.example", "Ben")]),
        ('"Ann" <a@a.example>"Ben" <b@a.example>',
         [("a@a.example", "Ann"), ("b@a.example", "Ben")]),
        ("a@a.example b@a.example", [("a@a.example", ""), ("b@a.example", "")]),
        ("<a@a.example> b@a.example", [("a@a.example", ""), ("b@a.example", "")]),
        ("<a@a.example, b@a.example>", [("a@a.example", ""), ("b@a.example", "")]),
        ("Ann a@a.example Ben b@a.example", [("a@a.example", "Ann"), ("b@a.example", "Ben")]),
        # obsolete forms (RFC 5322 section 4.4)
        ("ann @ a.example", [("ann@a.example", "")]),
        ("Ann <ann @ a . example>", [("ann@a.example", "Ann")]),
        ("<@one.example,@two.example:ann@a.example>", [("ann@a.example", "")]),
        ("Ann <@one.example:ann@a.example>", [("ann@a.example", "Ann")]),
        ("@one.example,@two.example:ann@a.example", [("", "@one.example"), ("ann@a.example", "")]),
        ("Ann . Lee <ann@a.example>", [("ann@a.example", "Ann . Lee")]),
        (", ,ann@a.example,,", [("ann@a.example", "")]),
        ("ann@a  . example", [("ann@a.example", "")]),
        ("ann@a . b .example, ben@b.example", [("ann@a.b.example", ""), ("ben@b.example", "")]),
        ("ann@ a.example", [("ann@a.example", "")]),
        ("ann @a.example", [("ann@a.example", "")]),
        # white space within an atom, and brackets that are never closed
        ("Ann <ann@exam ple.example>", [("ann@exam ple.example", "Ann")]),
        ("Ann <ann@a.example, Ben <ben@a.example>",
         [("ann@a.example", "Ann"), ("ben@a.example", "Ben")]),
        ("Ann <ann@a.example; ben@a.example",
         [("ann@a.example", "Ann"), ("ben@a.example", "")]),
        # nobody's address
        ("Ann < @a.example>", [("", "Ann @a.example")]),
        ("Ann <@a.example>", [("", "Ann @a.example")]),
        ("Ann @ home", [("", "Ann @ home")]),
        ("@", []),
        ("Ann <>", [("", "Ann")]),
        ("<@>", []),
    ],
)  # fmt: skip
def test_no_address_is_lost_or_made_up(text: str, expected: list[tuple[str, str]]) -> None:
    found, limited = addresses.parse(text)
    assert [(m.address, m.name) for m in found] == expected
    assert not limited


def test_a_list_is_bounded() -> None:
    found, limited = addresses.parse("a@b," * (addresses.MAX_MAILBOXES + 1))
    assert len(found) == addresses.MAX_MAILBOXES
    assert limited
