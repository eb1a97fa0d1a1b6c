"""Addresses: what is one, and how it is normalised."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailsacd.core.address import (
    Address,
    alternate_local,
    inbox_of,
    is_domain,
    normal_domain,
    parse_address,
    split_addresses,
)
from mailsacd.core.errors import BadAddressError

ALTERNATE = "inbox-" + "0123456789abcdef0123456789abcdef01234567"

NORMAL = {
    "jeff@example.com": "jeff@example.com",
    "Jeff@EXAMPLE.com": "jeff@example.com",
    "jeff@example.com.": "jeff@example.com",
    "jeff@localhost": "jeff@localhost",
    "jeff+tag@example.com": "jeff+tag@example.com",
    "Jeff@Bücher.example": "jeff@xn--bcher-kva.example",
    "jeff@XN--BCHER-KVA.example": "jeff@xn--bcher-kva.example",
    "JOSE\u0301@example.com": "jos\u00e9@example.com",
    '"jeff"@example.com': "jeff@example.com",
    r'"je\ff"@example.com': "jeff@example.com",
    '"a b"@example.com': '"a b"@example.com',
    '"a@b"@example.com': '"a@b"@example.com',
    r'"a\"b"@example.com': r'"a\"b"@example.com',
    '""@example.com': '""@example.com',
    "jeff@[192.0.2.1]": "jeff@[192.0.2.1]",
    "jeff@[IPv6:2001:DB8::1]": "jeff@[ipv6:2001:db8::1]",
    "*@example.com": "*@example.com",
    "Jeff..X@example.com": "jeff..x@example.com",
    ".jeff@example.com": ".jeff@example.com",
    "jeff.@example.com": "jeff.@example.com",
    '"jeff..x."@example.com': "jeff..x.@example.com",
    "J\u030c@example.com": "\u01f0@example.com",  # composes in lower case only
    '"\u037e"@example.com': '";"@example.com',
    '"A\u212a"@example.com': "ak@example.com",
    "under_score@host_name.example": "under_score@host_name.example",
    "a/b@example.com": "a/b@example.com",
    "x" * 64 + "@example.com": "x" * 64 + "@example.com",
}

NOT_AN_ADDRESS = [
    "",
    "@",
    "jeff",
    "jeff@",
    "@example.com",
    "je ff@example.com",
    "jeff@exa mple.com",
    "jeff@-example.com",
    "jeff@example..com",
    "jeff@example.com/",
    "jeff@[192.0.2.1",
    "jeff@[192.0.2.300]",
    "jeff@[IPv6:zz]",
    "jeff@[IPv6:fe80::1%eth0]",
    "a\u037eb@example.com",  # NFC makes a semicolon of it
    "jeff@\x00",
    "je\x00ff@example.com",
    "je\nff@example.com",
    "<jeff@example.com>",
    '"jeff@example.com',
    "jeff\u0085@example.com",
    "x" * 65 + "@example.com",
    "é" * 33 + "@example.com",
    "jeff@" + "a." * 127 + "ab",
    "jeff@" + "a" * 64 + ".com",
    "x" * 60 + "@" + "a." * 100 + "com",
    "jeff@\u200d.example",
]


@pytest.mark.parametrize(("text", "normal"), NORMAL.items())
def test_an_address_is_normalised(text: str, normal: str) -> None:
    assert str(parse_address(text)) == normal


@pytest.mark.parametrize("normal", NORMAL.values())
def test_a_normal_address_stays_as_it_is(normal: str) -> None:
    assert str(parse_address(normal)) == normal


@pytest.mark.parametrize("text", NOT_AN_ADDRESS)
def test_what_is_no_address_is_refused_with_a_printable_reason(text: str) -> None:
    with pytest.raises(BadAddressError) as caught:
        parse_address(text)
    assert caught.value.public.isprintable()
    assert len(caught.value.public) < 200


@st.composite
def _mail_addresses(draw: st.DrawFn) -> str:
    """Texts that are mostly addresses: quoted or not, tagged, of any script, at any domain."""
    characters = st.one_of(
        st.sampled_from('.+ "\\@,;/-a\u0301Σ\u037e\u212a'), st.characters(exclude_categories=())
    )
    local = draw(st.text(characters, max_size=12))
    if draw(st.booleans()):
        local = '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
    label = st.text(
        st.one_of(st.sampled_from("aZ09-_"), st.characters(categories=["L", "N", "M"])),
        min_size=1,
        max_size=6,
    )
    names = st.lists(label, min_size=1, max_size=3).map(".".join)
    literals = st.ip_addresses().map(lambda ip: f"[{'IPv6:' if ip.version == 6 else ''}{ip}]")
    return f"{local}@{draw(st.one_of(names, literals, st.just('D.example')))}"


@given(st.one_of(st.text(max_size=120), _mail_addresses()))
@example('"a b+c"@d.example')
@settings(max_examples=500)
def test_every_address_that_is_given_out_is_read_as_itself(text: str) -> None:
    try:
        address = parse_address(text)
    except BadAddressError:
        return
    for given_out in (address, address.without_tag()):
        assert parse_address(str(given_out)) == given_out
        assert inbox_of(str(address)) == address.without_tag() or address.is_alternate


@pytest.mark.parametrize(
    ("text", "untagged"),
    [
        ("jeff+x@d.example", "jeff@d.example"),
        ("jeff+x+y@d.example", "jeff@d.example"),
        ("jeff+@d.example", "jeff@d.example"),
        ("+x@d.example", "+x@d.example"),
        ("jeff@d.example", "jeff@d.example"),
        ("jeff..x.+y@d.example", "jeff..x.@d.example"),
        ('"a b+c"@d.example', '"a b"@d.example'),
        ('"a+b c"@d.example', "a@d.example"),
        ('"a@b+c"@d.example', '"a@b"@d.example'),
        (r'"a\"+c"@d.example', r'"a\""@d.example'),
        (r'"a b\+c"@d.example', '"a b"@d.example'),
        ('"a b+"@d.example', '"a b"@d.example'),
        ('"+a b"@d.example', '"+a b"@d.example'),
        ('" +b"@d.example', '" "@d.example'),
        ("jose\u0301+x@d.example", "jos\u00e9@d.example"),
    ],
)
def test_a_tag_is_taken_off(text: str, untagged: str) -> None:
    assert str(parse_address(text).without_tag()) == untagged


def test_an_alternate_is_known_by_its_form_at_any_domain() -> None:
    assert Address(ALTERNATE, "a.example").is_alternate
    assert not Address(ALTERNATE + "0", "a.example").is_alternate
    assert not Address(ALTERNATE.replace("0", "g"), "a.example").is_alternate


def test_an_alternate_never_changes_and_depends_on_the_secret() -> None:
    jeff = Address("jeff", "d.example")
    assert alternate_local(b"s" * 32, jeff) == alternate_local(b"s" * 32, jeff)
    assert alternate_local(b"s" * 32, jeff) != alternate_local(b"t" * 32, jeff)
    assert alternate_local(b"s" * 32, jeff) != alternate_local(
        b"s" * 32, Address("jeff", "e.example")
    )
    assert Address(alternate_local(b"s" * 32, jeff), "d.example").is_alternate


def test_a_domain_alone_is_normalised() -> None:
    assert normal_domain("Example.COM.") == "example.com"
    with pytest.raises(BadAddressError):
        normal_domain("")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" , ,", []),
        ("a@d.example", ["a@d.example"]),
        (" a@d.example , d.example,", ["a@d.example", "d.example"]),
        ('"a,b"@d.example,c@d.example', ['"a,b"@d.example', "c@d.example"]),
        (r'"a\",b"@d.example,c', [r'"a\",b"@d.example', "c"]),
        (r"a\,b", ["a\\", "b"]),
        ('"a,b', ['"a,b']),
    ],
)
def test_a_list_of_addresses_is_cut_at_its_commas(text: str, parts: list[str]) -> None:
    assert split_addresses(text) == parts


@pytest.mark.parametrize(
    "text", ["example.com", "_dmarc.Example.com.", "ü.example", "a." * 125 + "com"]
)
def test_what_can_be_a_domain_in_the_dns(text: str) -> None:
    assert is_domain(text)


@pytest.mark.parametrize(
    "text", ["", ".", "com", "com.", "a..b", "[192.0.2.1]", "a b.example", "a." * 126 + "com"]
)
def test_what_cannot_be_a_domain_in_the_dns(text: str) -> None:
    assert not is_domain(text)
