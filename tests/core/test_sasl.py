"""SASL exchanges: what each response leads to, and which are refused."""

import base64

import pytest

from mailsacd.core.sasl import (
    MAX_LINE_OCTETS,
    MAX_NAME_OCTETS,
    MAX_SECRET_OCTETS,
    AuthorizationIdentityError,
    CancelledError,
    Challenge,
    Credentials,
    SaslError,
    SaslExchange,
    TooLongError,
    UnknownMechanismError,
)

ASK_NAME = Challenge(b"VXNlcm5hbWU6")
ASK_SECRET = Challenge(b"UGFzc3dvcmQ6")


def _b64(text: str | bytes) -> bytes:
    return base64.b64encode(text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize("mechanism", [b"PLAIN", b"plain", b"Plain"])
@pytest.mark.parametrize("identity", ["", "ann"])
@pytest.mark.parametrize("initial", [True, False])
def test_plain_takes_one_response(mechanism: bytes, identity: str, initial: bool) -> None:
    exchange = SaslExchange(mechanism)
    response = _b64(f"{identity}\0ann\0pässword")
    if initial:
        step = exchange.start(response)
    else:
        assert exchange.start() == Challenge(b"")
        step = exchange.respond(response)
    assert step == Credentials("ann", "pässword")


@pytest.mark.parametrize("secret", ["abc", "abcd", "abcde", "abcdef"])
@pytest.mark.parametrize("end", [b"", b" ", b"\t "])
def test_padding_may_be_left_out(secret: str, end: bytes) -> None:
    response = _b64(f"\0ann\0{secret}").rstrip(b"=")
    assert SaslExchange(b"PLAIN").start(response) == Credentials("ann", secret)
    exchange = SaslExchange(b"PLAIN")
    exchange.start()
    assert exchange.respond(response + end) == Credentials("ann", secret)


@pytest.mark.parametrize("initial", [True, False])
def test_login_asks_for_name_and_password(initial: bool) -> None:
    exchange = SaslExchange(b"login")
    if initial:
        assert exchange.start(_b64("x@example.com")) == ASK_SECRET
    else:
        assert exchange.start() == ASK_NAME
        assert exchange.respond(_b64("x@example.com")) == ASK_SECRET
    assert exchange.respond(_b64("k_1")) == Credentials("x@example.com", "k_1")


def test_an_equals_sign_is_an_empty_initial_response_and_nothing_else() -> None:
    exchange = SaslExchange(b"LOGIN")
    assert exchange.start(b"=") == ASK_SECRET
    assert exchange.respond(b"") == Credentials("", "")
    with pytest.raises(SaslError):
        SaslExchange(b"PLAIN").start(b"=")
    exchange = SaslExchange(b"LOGIN")
    exchange.start()
    with pytest.raises(SaslError):
        exchange.respond(b"=")


@pytest.mark.parametrize("mechanism", [b"", b"CRAM-MD5", b"PLAIN\xff", b"XOAUTH2", b"PLAIN "])
def test_other_mechanisms_are_not_known(mechanism: bytes) -> None:
    with pytest.raises(UnknownMechanismError):
        SaslExchange(mechanism)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (b"*", CancelledError),
        (b"", SaslError),
        (b"AAAAA", SaslError),
        (b"AAAA=", SaslError),
        (b"YQBhAGE=\n", SaslError),
        (b" YQBhAGE=", SaslError),
        (b"YQBh AGE=", SaslError),
        (b"YQBh*GE=", SaslError),
        (b"YQBhAGE-", SaslError),
        (b"YQBhAGE==", SaslError),
        (b"Y=BhAGE=", SaslError),
        (b"\xff\xfe\xfd\xfc", SaslError),
        (_b64("ann"), SaslError),
        (_b64("\0ann"), SaslError),
        (_b64("\0ann\0secret\0"), SaslError),
        (_b64(b"\0ann\0\xff"), SaslError),
        (_b64("bob\0ann\0secret"), AuthorizationIdentityError),
        (_b64("Ann\0ann\0secret"), AuthorizationIdentityError),
        (_b64("\0ann\0" + "x" * (MAX_SECRET_OCTETS + 1)), TooLongError),
        (_b64("\0" + "x" * (MAX_NAME_OCTETS + 1) + "\0y"), TooLongError),
        (b"A" * (MAX_LINE_OCTETS + 4), TooLongError),
    ],
)
def test_a_bad_response_to_plain_ends_the_exchange(response: bytes, error: type[SaslError]) -> None:
    exchange = SaslExchange(b"PLAIN")
    exchange.start()
    with pytest.raises(error):
        exchange.respond(response)


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("response", [b"*", b"AAA", _b64("a\0b"), _b64(b"\xff")])
def test_a_bad_response_to_login_ends_the_exchange(steps: int, response: bytes) -> None:
    exchange = SaslExchange(b"LOGIN")
    exchange.start()
    if steps == 2:
        exchange.respond(_b64("ann"))
    with pytest.raises(SaslError):
        exchange.respond(response)


def test_the_longest_that_fits_is_taken() -> None:
    name, secret = "n" * MAX_NAME_OCTETS, "s" * MAX_SECRET_OCTETS
    response = _b64(f"{name}\0{name}\0{secret}")
    assert len(response) <= MAX_LINE_OCTETS
    assert SaslExchange(b"PLAIN").start(response) == Credentials(name, secret)


def test_no_secret_shows_in_a_representation() -> None:
    assert "hidden" not in repr(Credentials("ann", "hidden"))
