"""DKIM signatures, as dkimpy and OpenDKIM see them."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dkim
import pytest
import pytest_twisted
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor as the_reactor
from twisted.names import dns

from mailsacd.core.dkim import Algorithm
from mailsacd.mail.ownership.dkim_sealing import new_key
from mailsacd.mime.dkim import OVERSIGNED, SigningKey, canonical_body, canonical_field, signed
from tests.lanes import LANES
from tests.opendkim import opendkim
from tests.outbound.name_server import NameServer

reactor: Any = the_reactor

MESSAGE = (
    b"From: Ann <ann@example.com>\r\nTo: bob@example.org,\r\n  eve@example.org\r\n"
    b"Subject:   a  folded\r\n\t subject \r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
    b"Message-ID: <1@example.com>\r\nX-Other: 1\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\n\r\nHello  \t you  \r\n.\r\n\r\n \r\n\r\n"
)
NOW = 1_795_969_764


def _pair(algorithm: Algorithm) -> tuple[SigningKey, str]:
    private, public = new_key(algorithm)
    name = algorithm.partition("-")[0]
    text = f"v=DKIM1; k={name}; p={base64.b64encode(public).decode()}"
    return SigningKey(selector=name, private=private), text


PAIRS = [_pair("rsa-sha256"), _pair("ed25519-sha256")]
KEYS = [key for key, _ in PAIRS]


def _ask(name: bytes, timeout: int = 5) -> bytes:
    texts = {f"{key.selector}._domainkey.example.com.": text for key, text in PAIRS}
    return texts[name.decode()].encode()


def _verified(message: bytes) -> list[bool]:
    """What dkimpy says of each signature, the first one first."""
    return [_verifies(message, number) for number in range(len(KEYS))]


def _verifies(message: bytes, number: int) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(number, dnsfunc=_ask))
    except dkim.ValidationError:  # so it says that the body is another one
        return False


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE,
        b"From: a@example.com\r\n\r\n",
        b"From: a@example.com\r\n\r\nno line end",
        b"From: a@example.com\r\n\r\n \t\r\n\r\n",
        b"From: a@example.com\r\nReceived: from x\r\nReceived: from y\r\n\r\nx\r\n",
        b"From: a@example.com\r\nSubject:\r\n\r\nx\r\n",
        "From: ä@example.com\r\nSubject: täst\r\n\r\nü\r\n".encode(),
        b"From: a@example.com\r\nTo: "
        + b",\r\n ".join([b"bob@example.org"] * 3_000)
        + b"\r\n\r\nx",
    ],
)
def test_both_signatures_verify(message: bytes) -> None:
    made = signed(message, "example.com", KEYS, NOW)
    assert made.endswith(message)
    assert _verified(made) == [True, True]


def test_a_signature_says_what_it_is_and_has_no_long_lines() -> None:
    made = signed(MESSAGE, "example.com", KEYS, NOW)
    head = made.removesuffix(MESSAGE)
    assert head.count(b"DKIM-Signature: v=1; a=") == 2
    assert b"c=relaxed/relaxed;\r\n\td=example.com; s=rsa; t=1795969764;" in head
    assert b" l=" not in head
    assert max(map(len, head.split(b"\r\n"))) <= 78


@pytest.mark.parametrize("name", OVERSIGNED)
def test_a_field_that_is_added_breaks_both(name: str) -> None:
    made = signed(MESSAGE, "example.com", KEYS, NOW)
    field = f"{name}: added\r\n".encode()
    assert _verified(field + made) == [False, False]
    assert _verified(made.replace(b"X-Other", field + b"X-Other")) == [False, False]


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"Hello", b"Hallo"), (b"bob@", b"bib@"), (b"\r\n.\r\n", b"\r\n"), (b"folded", b"folded x")],
)
def test_what_is_changed_breaks_both(old: bytes, new: bytes) -> None:
    made = signed(MESSAGE, "example.com", KEYS, NOW)
    assert _verified(made.replace(old, new, 1)) == [False, False]


def test_white_space_that_hosts_change_on_the_way_does_not() -> None:
    made = signed(MESSAGE, "example.com", KEYS, NOW)
    on_the_way = made.replace(b"Hello  \t you  \r\n", b"Hello you\r\n").rstrip(b"\r\n ") + b"\r\n"
    assert _verified(on_the_way.replace(b"\r\n  eve", b"\r\n\teve")) == [True, True]


_pieces = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b".", b"=20"])).map(b"".join)


@given(_pieces)
def test_bodies_become_what_dkimpy_makes_of_them(body: bytes) -> None:
    ends = body if not body or body.endswith(b"\r\n") else body + b"\r\n"
    assert canonical_body(body) == Relaxed.canonicalize_body(ends)


@given(_pieces)
def test_fields_become_what_dkimpy_makes_of_them(value: bytes) -> None:
    [(name, expected)] = Relaxed.canonicalize_headers([(b"X-A", value)])
    assert canonical_field("X-A", value) + b"\r\n" == name + b":" + expected


@pytest.mark.parametrize("keys", [KEYS[:1], KEYS[1:]], ids=["rsa", "ed25519"])
@pytest_twisted.ensureDeferred
async def test_opendkim_finds_the_key_in_the_dns_and_verifies(
    keys: Sequence[SigningKey], workspace: Path
) -> None:
    server = NameServer(reactor)
    for key, text in PAIRS:
        pieces = [text[at : at + 255].encode() for at in range(0, len(text), 255)]
        server.answers.add(f"{key.selector}._domainkey.example.com", dns.Record_TXT(*pieces))
    verify = opendkim(server.port, workspace)
    made = signed(MESSAGE, "example.com", keys, NOW)
    said = await LANES.rest.run_in_thread(lambda: verify(made))
    changed = made.replace(b"Hello", b"Hallo")
    said_of_changed = await LANES.rest.run_in_thread(lambda: verify(changed))
    await server.stop()
    algorithm = keys[0].algorithm
    assert "dkim=pass" in said
    assert f"header.a={algorithm}" in said
    assert "dkim=fail" in said_of_changed


def test_ed25519_signs_the_hash_and_not_the_text() -> None:
    """RFC 8463 appendix A: its key, and the signature that others make with it."""
    private = Ed25519PrivateKey.from_private_bytes(
        base64.b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    )
    public = base64.b64encode(private.public_key().public_bytes_raw())
    assert public == b"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    key = SigningKey(selector="brisbane", private=private)
    made = signed(MESSAGE, "football.example.com", [key], NOW)
    record = b"v=DKIM1; k=ed25519; p=" + public
    assert dkim.DKIM(made).verify(dnsfunc=lambda *_, **__: record)


@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"\n", b"\r"]), max_size=60))
def test_a_body_in_pieces_is_the_same(parts: list[bytes]) -> None:
    body = b"".join(parts)
    whole = canonical_body(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mailsacd.mime.dkim._PIECE_BYTES", 3)
        assert canonical_body(body) == whole
