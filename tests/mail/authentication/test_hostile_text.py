"""Whatever strangers publish or write takes linear time, and raises nothing."""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import mailsacd.mail.authentication
import mailsacd.mime
from mailsacd.core.dkim import ALGORITHMS
from mailsacd.mail.authentication.dmarc import find_published
from mailsacd.mail.authentication.evaluation import UnusableError
from mailsacd.mail.authentication.public_key import find_key
from mailsacd.mail.authentication.spf import check_spf
from mailsacd.mail.authentication.spf_record import MAX_RECORD_CHARACTERS, parse_record
from mailsacd.mime.results import server_of
from tests.mail.authentication.messages import ORGANIZATIONAL, arc, dkim, prepared
from tests.mail.authentication.signer import MESSAGE, record, rsa, sign
from tests.mail.authentication.zone import Zone

LONG = 8_000
ENOUGH_S = 0.1  # linear it is some milliseconds, quadratic it is seconds

UNITS = ("a", "1", "a1", "a-", "-", ".", ".a", " ", "\t", "=", "/", "//1", "%{", "%{d}", "(", '"')
ENDS = ("", "!", "\n", "\r\n ", ".", "-", "é", ";", "}")
LONG_TEXTS = [unit * (LONG // len(unit)) + end for unit in UNITS for end in ENDS]


def _patterns() -> Iterator[tuple[str, "re.Pattern[Any]"]]:
    for package in (mailsacd.mail.authentication, mailsacd.mime):
        for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            for name, value in vars(importlib.import_module(found.name)).items():
                if isinstance(value, re.Pattern):
                    yield f"{found.name}.{name}", value


PATTERNS = dict(_patterns())


@pytest.mark.parametrize("name", PATTERNS)
def test_expressions_match_long_texts_in_linear_time(name: str) -> None:
    pattern = PATTERNS[name]
    for text in LONG_TEXTS:
        data = text.encode() if isinstance(pattern.pattern, bytes) else text
        began = time.thread_time()
        pattern.match(data)
        assert time.thread_time() - began < ENOUGH_S, (name, text[:4], text[-2:])


@pytest.mark.parametrize(
    "start", ["", "a:", "a:.", "a:b.", "exists:%{d", "ip4:", "x=", "redirect=."]
)
def test_an_spf_record_is_read_in_linear_time(start: str) -> None:
    for text in LONG_TEXTS:
        began = time.thread_time()
        with suppress(UnusableError):
            parse_record(f"v=spf1 {start}{text}"[:MAX_RECORD_CHARACTERS])
        assert time.thread_time() - began < ENOUGH_S, (text[:4], text[-2:])


def test_fields_of_a_message_are_read_in_linear_time() -> None:
    names = (b"DKIM-Signature", b"ARC-Seal", b"Authentication-Results", b"From")
    for text in LONG_TEXTS:
        value = text.encode() * 3
        began = time.thread_time()
        prepared(b"".join(name + b": " + value + b"\r\n" for name in names) + MESSAGE)
        server_of(text * 3)
        assert time.thread_time() - began < ENOUGH_S, (text[:4], text[-2:])


DIGITS = "1" * 5_000
WORDS = (
    "all", "include:", "a", "mx", "ptr", "ip4:", "ip6:", "exists:", "redirect=", "exp=", "v=spf1",
    "v=DMARC1", "v=DKIM1", "p=", "pct=", "sp=", "k=", "h=", "t=", "s=", "x=", "l=", "i=", "rua=",
    "none", "reject", "rsa", "ed25519", "192.0.2.7", "2001:db8::1", "example.com", ".b.example",
    "%{d}", "%{I1r-}", "%{S}", "%_", "/", "//", "/24", "//64", DIGITS, "\u0661", "\ud800", "\0",
    "\n", ";", " ", ":", "=", "-", "~", "?", "AAAA",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=12).map("".join)


@given(text=TEXTS)
@example(text=f"ip4:192.0.2.0/{DIGITS} -all")
@example(text=f"ip6:2001:db8::/{DIGITS}")
@example(text="exists:%{\u017f}.b.example")  # is an s for who ignores case
@example(text=f"a/{DIGITS}//{DIGITS} exists:%{{d{DIGITS}}}.b.example")
def test_no_spf_record_makes_its_evaluation_raise(text: str) -> None:
    for ip in ("192.0.2.7", "2001:db8::1"):
        zone = Zone({"TXT example.com": [f"v=spf1 {text}"], "TXT b.example": [f"v=spf1 {text}"]})
        zone.run(check_spf(ip, "ann@example.com", "mx.example"))


@given(text=TEXTS)
@example(text=f"; p=none; pct={DIGITS}")
@example(text="; p=none; pct=\u0661")
def test_no_dmarc_record_makes_its_evaluation_raise(text: str) -> None:
    for published in (text, f"v=DMARC1{text}", f"v=DMARC1; p=reject; {text}"):
        zone = Zone({"TXT _dmarc.example.com": [published]})
        zone.run(find_published("a.example.com", ORGANIZATIONAL))


@given(text=TEXTS)
def test_no_key_record_makes_its_evaluation_raise(text: str) -> None:
    for published in (text, f"v=DKIM1; {text}", f"{record(rsa())}; {text}", f"p=MIIB{text}"):
        for algorithm in ALGORITHMS:
            zone = Zone({"TXT s._domainkey.example.com": [published]})
            with suppress(UnusableError):
                zone.run(find_key("example.com", "s", algorithm))


@given(text=TEXTS)
@example(text=f"t={DIGITS}; x={DIGITS}; l={DIGITS}; i={DIGITS}")
def test_no_field_makes_the_evaluation_of_a_message_raise(text: str) -> None:
    value = text.encode("utf-8", "replace")
    zone = Zone({"TXT s._domainkey.example.com": [record(rsa())]})
    for name in (b"DKIM-Signature", b"ARC-Seal", b"ARC-Message-Signature", b"From"):
        message = name + b": " + value + b"\r\n" + sign()
        dkim(message, zone)
        arc(b"ARC-Authentication-Results: i=1;\r\nARC-Message-Signature: i=1\r\n" + message, zone)
