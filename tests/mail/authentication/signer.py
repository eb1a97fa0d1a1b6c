"""Signs messages as the tests ask for, with any tags and any key."""

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from mailsacd.mail.authentication.canonical import RawField, relaxed_field, split_message
from mailsacd.mime.dkim import canonical_body

MESSAGE = (
    b"From: Ann <ann@example.com>\r\nTo: bob@example.net\r\nSubject: Hello\r\n"
    b"Date: Sun, 29 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\n"
    b"Hello Bob,\r\nbye.\r\n"
)
OUTSIDE = (
    b"Return-Path: <ann@example.com>\r\nReceived: from x ([192.0.2.7])\r\n"
    b"\tby h with ESMTP\r\n\tid 1;\r\n\tSun, 29 Nov 2026 12:00:00 +0000\r\n"
)
"""Our trace headers of mail from outside, as they stand before a stored message."""

NAMES = ("from", "to", "subject", "date", "message-id")
NOW_S = 1_795_953_600

Private = RSAPrivateKey | Ed25519PrivateKey


@lru_cache
def rsa(bits: int = 2048, number: int = 0) -> RSAPrivateKey:
    """A key; the same for the same arguments. One of more than 4,096 bits takes seconds."""
    return generate_private_key(public_exponent=65537, key_size=bits)


@lru_cache
def ed25519() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def pem(key: RSAPrivateKey) -> bytes:
    """The key as dkimpy takes it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def record(key: Private, extra: str = "") -> str:
    """The TXT record of a key, with ``extra`` tags before ``p``."""
    if isinstance(key, RSAPrivateKey):
        public = key.public_key()
        data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        kind = "rsa"
    else:
        data, kind = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), "ed25519"
    return f"v=DKIM1; k={kind}; {extra}p={base64.b64encode(data).decode()}"


def sign(
    message: bytes = MESSAGE,
    key: Private | None = None,
    *,
    domain: str = "example.com",
    selector: str = "s",
    names: Iterable[str] = NAMES,
    length: int | None = None,
    extra: str = "",
) -> bytes:
    """``message`` with a signature before it. ``extra`` are further tags, each with a semicolon."""
    key = key or rsa()
    kind = "rsa-sha256" if isinstance(key, RSAPrivateKey) else "ed25519-sha256"
    split = split_message(message)
    body = canonical_body(split.body)
    if length is not None:
        body, extra = body[:length], f"{extra} l={length};"
    body_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
    value = (
        f"DKIM-Signature: v=1; a={kind}; c=relaxed/relaxed; d={domain}; s={selector};{extra}"
        f" h={':'.join(names)}; bh={body_hash}; b="
    )
    return signed_field(value, signed_lines(message, names), key) + message


def signed_lines(message: bytes, names: Iterable[str]) -> list[bytes]:
    """The fields that are signed, relaxed, from the last one of each name up."""
    left = {name: list(fields) for name, fields in split_message(message).fields.items()}
    return [relaxed_field(left[name].pop()) for name in names if left.get(name)]


def signed_field(unsigned: str, lines: list[bytes], key: Private) -> bytes:
    """The field ``unsigned``, which ends in ``b=``, with its signature of ``lines`` and itself."""
    name, _, _ = unsigned.partition(":")
    own = relaxed_field(RawField(name.lower(), unsigned.encode()))
    text = b"\r\n".join([*lines, own])
    if isinstance(key, RSAPrivateKey):
        made = key.sign(text, PKCS1v15(), hashes.SHA256())
    else:
        made = key.sign(hashlib.sha256(text).digest())
    return unsigned.encode() + base64.b64encode(made) + b"\r\n"


def seal(
    message: bytes,
    instance: int,
    key: Private | None = None,
    *,
    domain: str = "relay.example",
    selector: str = "arc",
    state: str = "",
) -> bytes:
    """``message`` with one more link of its ARC chain (RFC 8617 section 5.1)."""
    key = key or rsa()
    names = ("from", "to", "subject", "date", "message-id")
    body = base64.b64encode(hashlib.sha256(canonical_body(split_message(message).body)).digest())
    results = f"ARC-Authentication-Results: i={instance}; {domain}; spf=pass"
    signature = signed_field(
        f"ARC-Message-Signature: i={instance}; a=rsa-sha256; c=relaxed/relaxed; d={domain};"
        f" s={selector}; h={':'.join(names)}; bh={body.decode()}; b=",
        signed_lines(message, names),
        key,
    )
    before = [
        relaxed_field(field)
        for i in range(1, instance)
        for name in ("arc-authentication-results", "arc-message-signature", "arc-seal")
        for field in split_message(message).named(name)
        if f"i={i};" in field.text
    ]
    own = [
        relaxed_field(RawField("arc-authentication-results", results.encode())),
        relaxed_field(RawField("arc-message-signature", signature.rstrip(b"\r\n"))),
    ]
    state = state or ("none" if instance == 1 else "pass")
    sealed = signed_field(
        f"ARC-Seal: i={instance}; a=rsa-sha256; cv={state}; d={domain}; s={selector}; b=",
        before + own,
        key,
    )
    return sealed + signature + results.encode() + b"\r\n" + message
