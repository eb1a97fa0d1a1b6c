"""Messages with a zone each, for which we and other programs say who sent them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dkim as dkimpy

from mailsacd.mime.dkim import SigningKey, signed
from tests.mail.authentication.signer import MESSAGE, NOW_S, ed25519, pem, record, rsa, seal, sign
from tests.mail.authentication.zone import FAILS

IP = "192.0.2.7"
SENDER = "ann@example.com"

_SPF = "v=spf1 ip4:192.0.2.0/24 -all"
_DMARC = "v=DMARC1; p=reject"


@dataclass(frozen=True)
class Case:
    """``message`` came from IP with the reverse-path ``sender``; ``zone`` is as of `Zone`."""

    name: str
    message: bytes
    zone: Mapping[str, Any]
    sender: str = SENDER


_NAMES = {
    "spf": "TXT example.com",
    "dmarc": "TXT _dmarc.example.com",
    "key": "TXT s._domainkey.example.com",
    "ed": "TXT e._domainkey.example.com",
    "arc": "TXT arc._domainkey.relay.example",
}


def _zone(**changes: Any) -> dict[str, Any]:
    """The usual records; ``changes`` are by short names, or by kind and name."""
    usual: dict[str, Any] = {
        "spf": [_SPF], "dmarc": [_DMARC], "key": [record(rsa())],
        "ed": [record(ed25519())], "arc": [record(rsa())],
    }  # fmt: skip
    return {_NAMES.get(name, name): found for name, found in (usual | changes).items()}


def _dkimpy(header: bytes, body: bytes, **options: Any) -> bytes:
    field: bytes = dkimpy.sign(
        MESSAGE, b"s", b"example.com", pem(rsa()), canonicalize=(header, body), **options
    )
    return field + MESSAGE


def _chain(length: int) -> bytes:
    message = MESSAGE
    for instance in range(1, length + 1):
        message = seal(message, instance)
    return message


def cases() -> Iterator[Case]:
    """All of them, in the order of the table in docs/authentication.md."""
    ours = [SigningKey(selector="s", private=rsa()), SigningKey(selector="e", private=ed25519())]
    yield Case("not signed", MESSAGE, _zone(spf=[]))
    yield Case(
        "signed by mailsacd, RSA and Ed25519", signed(MESSAGE, "example.com", ours, NOW_S), _zone()
    )
    for header, body in ((b"simple", b"simple"), (b"relaxed", b"simple"), (b"simple", b"relaxed")):
        name = f"signed by dkimpy, {header.decode()}/{body.decode()}"
        yield Case(name, _dkimpy(header, body), _zone())
    yield Case("body changed", sign().replace(b"Bob,", b"Eve,"), _zone(spf=[]))
    yield Case("header changed", sign().replace(b": Hello", b": Bye"), _zone(spf=[]))
    yield Case("`l=`, nothing after it", sign(length=18), _zone(spf=[]))
    yield Case("`l=`, text after it", sign(length=18) + b"More\r\n", _zone(spf=[]))
    yield Case("a second From, not signed", b"From: eve@evil.example\r\n" + sign(), _zone())
    yield Case("a second Subject, not signed", b"Subject: You won\r\n" + sign(), _zone(spf=[]))
    yield Case(
        "a field added that was signed once more",
        b"To: eve@evil.example\r\n" + sign(names=("from", "to", "to")),
        _zone(spf=[]),
    )
    yield Case(
        "a bare LF with another From in the header",
        sign(MESSAGE.replace(b": Hello", b": Hello\nFrom: eve@evil.example")),
        _zone(spf=[]),
    )
    yield Case(
        "two domains in From",
        sign(MESSAGE.replace(b"Ann <ann@example.com>", b"ann@example.com, eve@evil.example")),
        _zone(),
    )
    yield Case("key of 1,024 bits", sign(key=rsa(1024)), _zone(spf=[], key=[record(rsa(1024))]))
    yield Case("key revoked", sign(), _zone(spf=[], key=["v=DKIM1; p="]))
    yield Case("no key", sign(), _zone(spf=[], key=[]))
    yield Case(
        "two keys at one name", sign(), _zone(spf=[], key=[record(rsa()), record(rsa(2048, 1))])
    )
    yield Case("DNS fails for the key", sign(), _zone(spf=[], key=FAILS))
    yield Case("key with `t=y`", sign(), _zone(spf=[], key=[record(rsa(), "t=y; ")]))
    yield Case("expired", sign(extra=" t=1000; x=2000;"), _zone(spf=[]))
    yield Case("signed with SHA-1", sign().replace(b"rsa-sha256", b"rsa-sha1"), _zone(spf=[]))
    relaxed = sign(domain="mail.example.com")
    more = {"TXT s._domainkey.mail.example.com": [record(rsa())]}
    yield Case("subdomain signs, relaxed", relaxed, _zone(spf=[], **more))
    yield Case(
        "subdomain signs, `adkim=s`", relaxed, _zone(spf=[], dmarc=[_DMARC + "; adkim=s"], **more)
    )
    yield Case(
        "another domain signs",
        sign(domain="other.example"),
        _zone(spf=[], **{"TXT s._domainkey.other.example": [record(rsa())]}),
    )
    yield Case(
        "From a subdomain, `sp=`",
        MESSAGE.replace(b"ann@example.com", b"ann@a.example.com"),
        _zone(spf=[], dmarc=[_DMARC + "; sp=none"]),
    )
    yield Case("two DMARC records", sign(), _zone(dmarc=[_DMARC, _DMARC]))
    yield Case("DNS fails for DMARC", sign(), _zone(dmarc=FAILS))
    yield Case("SPF `-all`", MESSAGE, _zone(spf=["v=spf1 -all"]))
    yield Case("SPF `~all`", MESSAGE, _zone(spf=["v=spf1 ~all"]))
    yield Case("SPF includes itself", MESSAGE, _zone(spf=["v=spf1 include:example.com -all"]))
    voids = " ".join(f"a:{name}.example" for name in "xyz")
    yield Case("SPF, three void look-ups", MESSAGE, _zone(spf=[f"v=spf1 {voids} +all"]))
    eleven = {f"A h{n}.example": ["198.51.100.1"] for n in range(11)}
    terms = " ".join(f"a:h{n}.example" for n in range(11))
    yield Case("SPF, eleven look-ups", MESSAGE, _zone(spf=[f"v=spf1 {terms} +all"], **eleven))
    yield Case("two SPF records", MESSAGE, _zone(spf=[_SPF, _SPF]))
    yield Case("DNS fails for SPF", MESSAGE, _zone(spf=FAILS))
    yield Case(
        "SPF of a null MX", MESSAGE, _zone(spf=["v=spf1 mx -all"], **{"MX example.com": [""]})
    )
    yield Case("ARC chain of three", _chain(3), _zone())
    broken = _chain(3).replace(b"i=2; relay.example; spf=pass", b"i=2; relay.example; spf=fail")
    yield Case("ARC chain of three, broken in the middle", broken, _zone())
