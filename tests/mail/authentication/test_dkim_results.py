"""DKIM: which signatures count, and what a message or a key may not have us do."""

import base64
import time
from collections.abc import Iterable

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.mail.authentication.messages import dkim, prepared
from tests.mail.authentication.signer import (
    MESSAGE,
    NOW_S,
    Private,
    ed25519,
    pem,
    record,
    rsa,
    sign,
)
from tests.mail.authentication.zone import FAILS, Zone

KEY = "TXT s._domainkey.example.com"


def zone(key: Private | None = None, extra: str = "") -> Zone:
    return Zone({KEY: [record(key or rsa(), extra)]})


def results(message: bytes, records: Zone | None = None) -> list[str]:
    return [each.result for each in dkim(message, records or zone())]


def by_dkimpy(message: bytes = MESSAGE, **options: object) -> bytes:
    field: bytes = dkimpy.sign(message, b"s", b"example.com", pem(rsa()), **options)
    return field + message


@pytest.mark.parametrize("header", [b"simple", b"relaxed"])
@pytest.mark.parametrize("body", [b"simple", b"relaxed"])
@pytest.mark.parametrize(
    "text", [b"", b"\r\n", b"a", b"a\r\n\r\n\r\n", b" \t a  b \t\r\n\t\r\n \r\n", b"x\r\n\r\ny"]
)
def test_what_dkimpy_signs_passes_in_every_form(header: bytes, body: bytes, text: bytes) -> None:
    message = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\nX-A:  a \r\n\t b\r\n\r\n" + text
    assert results(by_dkimpy(message, canonicalize=(header, body))) == ["pass"]


def test_what_the_tests_sign_passes_here_and_with_dkimpy() -> None:
    signed = sign()
    assert results(signed) == ["pass"]
    assert dkimpy.verify(signed, dnsfunc=lambda *_, **__: record(rsa()).encode())
    found = dkim(sign(key=ed25519()), zone(ed25519()))
    assert [(f.result, f.algorithm, f.key_bits) for f in found] == [("pass", "ed25519-sha256", 256)]


@pytest.mark.parametrize(
    "change",
    [
        (b"Hello Bob", b"Hello Eve"),
        (b"Subject: Hello", b"Subject: Goodbye"),
        (b"Ann <ann@example.com>", b"Eve <eve@example.com>"),
    ],
)
def test_what_was_changed_fails(change: tuple[bytes, bytes]) -> None:
    assert results(sign().replace(*change)) == ["fail"]


def test_text_after_an_l_signature_is_no_pass() -> None:
    whole = sign(length=len(b"Hello Bob,\r\nbye.\r\n"))
    assert results(whole) == ["pass"]
    found = dkim(whole + b"<h1>Pay here</h1>\r\n", zone())
    assert [each.result for each in found] == ["policy"]
    assert "19 bytes of the body are not signed" in found[0].reason
    assert results(sign(length=0)) == ["policy"]
    assert results(whole.replace(b"Hello Bob,\r\nbye.\r\n", b"Hello")) == ["fail"]


def test_an_unsigned_second_subject_is_no_pass_and_a_signed_one_is() -> None:
    assert results(b"Subject: You won\r\n" + sign()) == ["policy"]
    twice = b"Subject: one\r\n" + MESSAGE
    assert results(sign(twice, names=("from", "subject", "subject"))) == ["pass"]


def test_a_field_that_is_signed_once_more_than_it_occurs_cannot_be_added() -> None:
    signed = sign(names=("from", "from", "reply-to", "subject"))
    assert results(signed) == ["pass"]
    assert results(b"Reply-To: eve@evil.example\r\n" + signed) == ["fail"]


def test_bare_newlines_in_the_header_are_no_pass() -> None:
    message = MESSAGE.replace(b"Subject: Hello", b"Subject: Hello\nFrom: eve@evil.example")
    assert results(sign(message)) == ["policy"]


@pytest.mark.parametrize("bits", [1024, 4096])
def test_keys_of_1024_to_4096_bits_count(bits: int) -> None:
    key = rsa(bits)
    assert [(f.result, f.key_bits) for f in dkim(sign(key=key), zone(key))] == [("pass", bits)]


@pytest.mark.parametrize(
    ("bits", "exponent", "why"),
    [
        (512, 65537, "a key of 512 bits is too short"),
        (4_104, 65537, "a key of 4104 bits is too long"),
        (2048, 65539, "the exponent of the key is too large"),
    ],
)
def test_short_and_huge_keys_are_not_tried(bits: int, exponent: int, why: str) -> None:
    public = RSAPublicNumbers(exponent, 2**bits - 1).public_key()
    data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = f"v=DKIM1; p={base64.b64encode(data).decode()}"
    found = dkim(sign(), Zone({KEY: [text]}))
    assert [(f.result, f.reason) for f in found] == [("policy", why)]


def test_20_signatures_are_looked_at_as_far_as_the_eighth() -> None:
    message = MESSAGE
    for number in range(20):
        message = sign(message, selector=f"s{number}")
    records = Zone({f"TXT s{n}._domainkey.example.com": [record(rsa())] for n in range(20)})
    assert results(message, records) == ["pass"] * 8
    assert len(records.asked) == 8
    assert prepared(message).ignored == 12


def test_hashing_takes_no_longer_for_many_signatures_and_long_lists_of_fields() -> None:
    body = b"spaces" + b" " * 200_000 + b"x\r\n"
    message = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body * 5
    names = ("from",) * 3_000
    for _ in range(20):
        message = sign(message, names=names)
    began = time.thread_time()
    prepared(message)
    assert time.thread_time() - began < 2  # 0.1 s; quadratic it would be minutes


def test_a_signature_that_has_expired_or_expires_before_it_is_made() -> None:
    assert results(sign(extra=f" t={NOW_S - 9}; x={NOW_S + 9};")) == ["pass"]
    assert results(sign(extra=f" x={NOW_S - 1};")) == ["fail"]
    assert results(sign(extra=f" t={NOW_S + 9}; x={NOW_S + 8};")) == ["permerror"]


def test_t_y_is_told_as_testing() -> None:
    assert [each.testing for each in dkim(sign(), zone(extra="t=y; "))] == [True]
    assert [each.testing for each in dkim(sign(), zone())] == [False]


def test_t_s_refuses_identities_of_subdomains() -> None:
    signed = sign(extra=" i=ann@sub.example.com;")
    assert results(signed) == ["pass"]
    assert results(signed, zone(extra="t=s; ")) == ["permerror"]
    assert results(sign(extra=" i=ann@example.net;")) == ["permerror"]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({}, "permerror"),
        ({KEY: FAILS}, "temperror"),
        ({KEY: [record(rsa()), record(rsa())]}, "permerror"),
        ({KEY: ["v=DKIM1; p="]}, "permerror"),
        ({KEY: ["v=DKIM1; k=rsa"]}, "permerror"),
        ({KEY: ["v=DKIM1; p=!!"]}, "permerror"),
        ({KEY: ["v=DKIM1; p=AAAA"]}, "permerror"),
        ({KEY: [record(rsa(), "h=sha1; ")]}, "permerror"),
        ({KEY: [record(rsa(), "s=tlsrpt; ")]}, "permerror"),
        ({KEY: [record(ed25519())]}, "permerror"),
        ({KEY: [record(rsa(2048, 1))]}, "fail"),
        ({KEY: ["v=DKIM2; p=" + record(rsa()).partition("p=")[2]]}, "permerror"),
        ({KEY: [record(rsa()).replace("v=DKIM1; ", "")]}, "pass"),
    ],
)
def test_what_is_published(records: dict[str, Iterable[str]], expected: str) -> None:
    assert results(sign(), Zone(records)) == [expected]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"v=1", b"v=2", "permerror"),
        (b"a=rsa-sha256", b"a=rsa-sha1", "policy"),
        (b"a=rsa-sha256", b"a=rsa-md5", "permerror"),
        (b"c=relaxed/relaxed", b"c=loose", "permerror"),
        (b"d=example.com;", b"d=example.com; d=a.example;", "permerror"),
        (b"d=example.com", b"d=com", "permerror"),
        (b"s=s;", b"s=a/b;", "permerror"),
        (b"h=from:", b"h=x-from:", "permerror"),
        (b"h=from:", b"l=x; h=from:", "permerror"),
        (b"h=from:", b"q=http; h=from:", "permerror"),
        (b"; b=", b"; b=!!", "permerror"),
        (b"DKIM-Signature: v=1", b"DKIM-Signature: " + b"z=a" * 9_000 + b"; v=1", "permerror"),
        (b"DKIM-Signature: v=1", b"DKIM-Signature: garbage; v=1", "permerror"),
    ],
)
def test_signatures_that_say_what_they_may_not(old: bytes, new: bytes, expected: str) -> None:
    assert results(sign().replace(old, new, 1)) == [expected]


def test_a_header_that_is_very_long_is_no_pass() -> None:
    message = b"X-Long: " + b"a " * 70_000 + b"\r\n" + sign()
    assert results(message) == []  # its signature is beyond
    assert results(sign(MESSAGE.replace(b"To:", b"X-Long: " + b"a " * 70_000 + b"\r\nTo:"))) == [
        "policy"
    ]
