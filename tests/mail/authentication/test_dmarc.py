"""DMARC: alignment, policies, and messages of which nobody may pass."""

from collections.abc import Mapping
from typing import Any

import pytest

from mailsacd.core.authentication import SpfResult
from tests.mail.authentication.messages import NO_SPF, dmarc
from tests.mail.authentication.signer import MESSAGE, record, rsa, sign
from tests.mail.authentication.zone import FAILS, Zone


def zone(
    policy: Any = "v=DMARC1; p=reject", key_extra: str = "", more: Mapping[str, Any] | None = None
) -> Zone:
    published = [policy] if isinstance(policy, str) else policy
    keys = {
        f"TXT s._domainkey.{domain}": [record(rsa(), key_extra)]
        for domain in ("example.com", "mail.example.com", "other.example", "example.co.uk")
    }
    return Zone({"TXT _dmarc.example.com": published, **keys, **(more or {})})


def spf(domain: str, result: Any = "pass") -> SpfResult:
    return SpfResult(result=result, domain=domain, identity="mailfrom")


def test_a_signature_or_spf_of_the_authors_domain_is_enough() -> None:
    found = dmarc(sign(), zone())
    assert (found.result, found.aligned, found.policy) == ("pass", ("dkim",), "reject")
    found = dmarc(MESSAGE, zone(), spf("example.com"))
    assert (found.result, found.aligned) == ("pass", ("spf",))
    assert dmarc(sign(), zone(), spf("example.com")).aligned == ("spf", "dkim")
    assert dmarc(MESSAGE, zone()).result == "fail"


def test_alignment_is_relaxed_unless_it_is_asked_to_be_strict() -> None:
    signed = sign(domain="mail.example.com")
    assert dmarc(signed, zone()).result == "pass"
    assert dmarc(signed, zone("v=DMARC1; p=reject; adkim=s")).result == "fail"
    assert dmarc(MESSAGE, zone(), spf("mail.example.com")).result == "pass"
    strict = zone("v=DMARC1; p=reject; aspf=s")
    assert dmarc(MESSAGE, strict, spf("mail.example.com")).result == "fail"


def test_another_domains_signature_and_spf_do_not_align() -> None:
    assert dmarc(sign(domain="other.example"), zone(), spf("other.example")).result == "fail"


def test_a_public_suffix_aligns_nobody() -> None:
    message = MESSAGE.replace(b"@example.com>\r\nTo", b"@evil.co.uk>\r\nTo")
    records = zone(more={"TXT _dmarc.evil.co.uk": ["v=DMARC1; p=reject"]})
    assert dmarc(sign(message, domain="example.co.uk"), records).result == "fail"


def test_the_policy_of_subdomains_is_that_of_sp() -> None:
    message = MESSAGE.replace(b"ann@example.com", b"ann@sub.example.com")
    assert dmarc(message, zone("v=DMARC1; p=none; sp=reject")).policy == "reject"
    assert dmarc(MESSAGE, zone("v=DMARC1; p=none; sp=reject")).policy == "none"
    assert dmarc(message, zone("v=DMARC1; p=quarantine")).policy == "quarantine"
    own = zone(more={"TXT _dmarc.sub.example.com": ["v=DMARC1; p=none; sp=reject"]})
    assert dmarc(message, own).policy == "none"


def test_pct_is_told_and_changes_no_result() -> None:
    found = dmarc(MESSAGE, zone("v=DMARC1; p=reject; pct=0"))
    assert (found.result, found.policy, found.percent) == ("fail", "reject", 0)
    assert dmarc(MESSAGE, zone("v=DMARC1; p=reject; pct=ten")).percent == 100


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], "none"),
        (["v=spf1 -all"], "none"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "permerror"),
        (["v=DMARC1; p=everything"], "permerror"),
        (["v=DMARC1; p=everything; rua=mailto:a@example.com"], "pass"),
        (["v=DMARC12; p=none"], "permerror"),
        (["v=DMARC1; p=none", "v=spf1 -all"], "pass"),
        (FAILS, "temperror"),
    ],
)
def test_what_is_published(records: Any, expected: str) -> None:
    assert dmarc(sign(), zone(records)).result == expected


def test_two_from_fields_are_never_a_pass() -> None:
    first = b"From: eve@evil.example\r\n" + sign()
    assert dmarc(first, zone()).result == "permerror"
    second = sign().replace(b"To: bob", b"From: eve@evil.example\r\nTo: bob")
    assert dmarc(second, zone()).result == "permerror"
    hidden = sign(MESSAGE.replace(b"Subject: Hello", b"Subject: Hello\nFrom: eve@evil.example"))
    assert dmarc(hidden, zone()).result == "permerror"
    spaced = b"From : eve@evil.example\r\n" + sign()
    assert dmarc(spaced, zone()).result == "permerror"


def test_a_header_that_ends_earlier_for_readers_is_never_a_pass() -> None:
    assert dmarc(b"no field at all\r\n\r\n" + sign(), zone()).result == "permerror"


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        (b"ann@example.com, eve@evil.example", "permerror"),
        (b"ann@example.com, bob@example.com", "pass"),
        (b"undisclosed:;", "permerror"),
        (b"", "permerror"),
        (b"Ann <ann>", "permerror"),
        (b"ann@example.com <eve@evil.example>", "fail"),
        (b'"ann@example.com" <eve@evil.example>', "fail"),
        (b"=?utf-8?q?ann=40example=2Ecom?= <eve@evil.example>", "fail"),
    ],
)
def test_the_author_is_who_readers_are_shown(author: bytes, expected: str) -> None:
    message = sign(MESSAGE.replace(b"Ann <ann@example.com>", author))
    records = zone(more={"TXT _dmarc.evil.example": ["v=DMARC1; p=none"]})
    assert dmarc(message, records).result == expected


def test_text_after_an_l_signature_and_a_testing_key_are_never_a_pass() -> None:
    assert dmarc(sign(length=5), zone()).result == "fail"
    found = dmarc(sign(), zone(key_extra="t=y; "))
    assert (found.result, "tried out" in found.reason) == ("fail", True)


def test_what_could_have_passed_but_for_the_dns_is_a_temporary_error() -> None:
    records = zone(more={"TXT s._domainkey.example.com": FAILS})
    assert dmarc(sign(), records).result == "temperror"
    assert dmarc(sign(), records, spf("example.com")).result == "pass"
    assert dmarc(MESSAGE, zone(), spf("example.com", "temperror")).result == "temperror"
    assert dmarc(MESSAGE, zone(), NO_SPF).result == "fail"
