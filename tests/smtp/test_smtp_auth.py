"""Logging in within a session: every exchange and every refusal, fed whole and byte by byte."""

import base64
from dataclasses import replace

import pytest

from mailsacd.core import reply
from mailsacd.core.account import AccountIdentity
from mailsacd.smtp.action import LogIn, Signal, State
from mailsacd.smtp.session import MAX_FAILED_LOGINS, Session
from mailsacd.sockets.line_session import MAX_ERRORS
from tests.smtp.play import MADE, RULES, Play, played

CAPTURE = replace(RULES, requires_auth=True)
MESSAGE = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nhello\r\n.\r\n"
STORED = [250, 250, 354, 250]


def b64(text: str) -> bytes:
    return base64.b64encode(text.encode())


def plain(name: str, secret: str = "right", identity: str = "") -> bytes:
    return b64(f"{identity}\0{name}\0{secret}")


ANN = b"AUTH PLAIN " + plain("ann") + b"\r\n"
WRONG = b"AUTH PLAIN " + plain("ann", "wrong") + b"\r\n"
TOO_LONG = b"A" * 5_000

_SCRIPTS: dict[str, tuple[bytes, list[int]]] = {
    "PLAIN at once": (ANN + MESSAGE, [235, *STORED]),
    "PLAIN asked for": (b"AUTH PLAIN\r\n" + plain("ann") + b"\r\n" + MESSAGE, [334, 235, *STORED]),
    "PLAIN with its own identity": (
        b"auth plain " + plain("ann", identity="ann") + b" \r\n" + MESSAGE,
        [235, *STORED],
    ),
    "PLAIN with another identity": (
        b"AUTH PLAIN " + plain("ann", identity="bob") + b"\r\n",
        [535],
    ),
    "LOGIN asked for": (
        b"AUTH LOGIN\r\n" + b64("ann") + b"\r\n" + b64("right") + b"\r\n" + MESSAGE,
        [334, 334, 235, *STORED],
    ),
    "LOGIN with the name at once": (
        b"AUTH LOGIN " + b64("ann") + b"\r\n" + b64("right") + b"\r\n" + MESSAGE,
        [334, 235, *STORED],
    ),
    "LOGIN with an empty name at once": (
        b"AUTH LOGIN =\r\n" + b64("right") + b"\r\n",
        [334, 235],
    ),
    "wrong, then right": (WRONG + ANN + MESSAGE, [535, 235, *STORED]),
    "cannot be checked": (b"AUTH PLAIN " + plain("ann", "away") + b"\r\nNOOP\r\n", [454, 250]),
    "wrong once too often": (WRONG * MAX_FAILED_LOGINS + MESSAGE, [535, 535, 421]),
    "wrong by every way": (
        WRONG + b"AUTH LOGIN\r\n" + b64("a") + b"\r\n" + b64("b") + b"\r\n" + WRONG + ANN,
        [535, 334, 334, 535, 421],
    ),
    "cancelled": (
        b"AUTH PLAIN\r\n*\r\nAUTH LOGIN\r\n*\r\nAUTH LOGIN\r\n" + b64("ann") + b"\r\n*\r\nNOOP\r\n",
        [334, 501, 334, 501, 334, 334, 501, 250],
    ),
    "no base64": (
        b"AUTH PLAIN !!!!\r\nAUTH PLAIN\r\nQUIT\r\nAUTH LOGIN\r\nab\rc\r\nNOOP\r\n",
        [501, 334, 501, 334, 501, 250],
    ),
    "an empty response": (b"AUTH PLAIN =\r\nAUTH PLAIN\r\n\r\nNOOP\r\n", [501, 334, 501, 250]),
    "other mechanisms": (
        b"AUTH CRAM-MD5\r\nAUTH XOAUTH2 AAAA\r\nAUTH GSSAPI\r\nNOOP\r\n",
        [504, 504, 504, 250],
    ),
    "no mechanism": (b"AUTH\r\nAUTH PLAIN a b\r\nAUTH P=Q\r\n", [501, 501, 501]),
    "twice": (ANN + ANN + b"AUTH LOGIN\r\n" + MESSAGE, [235, 503, 503, *STORED]),
    "within a transaction": (ANN + b"MAIL FROM:<>\r\n" + ANN, [235, 250, 503]),
    "mail without it": (MESSAGE[:23] + b"\r\nRCPT TO:<c@d.example>\r\nDATA\r\n", [530, 503, 503]),
    "a chunk without it": (b"MAIL FROM:<>\r\nBDAT 5 LAST\r\nNOOP\nNOOP\r\n", [530, 503, 250]),
    "commands without it": (b"NOOP\r\nRSET\r\nVRFY x\r\nHELP\r\n", [250, 250, 252, 214]),
    "RSET keeps it": (ANN + b"RSET\r\n" + MESSAGE, [235, 250, *STORED]),
    "EHLO keeps it": (ANN + b"EHLO c\r\n" + MESSAGE, [235, 250, *STORED]),
    "two messages": (ANN + MESSAGE + MESSAGE, [235, *STORED, *STORED]),
    "a line too long": (
        b"AUTH PLAIN\r\n" + TOO_LONG + b"\r\nAUTH PLAIN " + TOO_LONG + b"\r\nNOOP\r\n",
        [334, 500, 500, 250],
    ),
    "another command too long": (b"NOOP " + b"x" * 600 + b"\r\nNOOP\r\n", [500, 250]),
    "the longest line": (
        b"AUTH PLAIN " + plain("ann", "x" * 1024) + b"\r\nNOOP\r\n",
        [535, 250],
    ),
    "who submitted it": (
        ANN + b"MAIL FROM:<a@b.example> AUTH=e+3Dmc2@example.com SIZE=5\r\nRSET\r\n"
        b"MAIL FROM:<a@b.example> AUTH=<>\r\nRSET\r\n"
        b"MAIL FROM:<a@b.example> AUTH=" + b"x" * 490 + b"\r\n",
        [235, 250, 250, 250, 250, 250],
    ),
    "who submitted it, badly": (
        ANN + b"MAIL FROM:<> AUTH=a+zz\r\nMAIL FROM:<> AUTH\r\nMAIL FROM:<> AUTH=a=b\r\n",
        [235, 555, 555, 501],
    ),
}


@pytest.mark.parametrize(("script", "codes"), _SCRIPTS.values(), ids=_SCRIPTS.keys())
def test_a_script_gets_its_replies(script: bytes, codes: list[int]) -> None:
    assert played(b"EHLO c\r\n" + script, CAPTURE).codes == [220, 250, *codes]


def test_without_a_greeting_nobody_logs_in() -> None:
    assert played(ANN, CAPTURE).codes[-1] == 503


def test_who_says_helo_may_log_in_too() -> None:
    play = played(b"HELO c\r\n" + ANN + MESSAGE, CAPTURE)
    assert play.codes[:3] == [220, 250, 235]
    assert play.delivered[0].account is not None


@pytest.mark.parametrize("mechanism", [b"PLAIN", b"LOGIN", b"PLAIN " + plain("ann")])
def test_a_password_is_not_asked_for_where_it_could_be_overheard(mechanism: bytes) -> None:
    script = b"EHLO c\r\nAUTH " + mechanism + b"\r\n"
    play = played(script, CAPTURE, plain_login=False)
    assert (play.codes[-1], play.replies[-1].enhanced, play.logins) == (538, "5.7.11", [])
    assert not any(line.startswith("AUTH") for line in play.replies[1].lines)


def test_auth_is_offered_where_it_may_be_used_and_until_it_is_done() -> None:
    offered = "AUTH PLAIN LOGIN"
    assert offered in played(b"EHLO c\r\n", CAPTURE).replies[-1].lines
    in_tls = replace(CAPTURE, in_tls=True)
    lines = played(b"EHLO c\r\n", in_tls, plain_login=False).replies[-1].lines
    assert offered in lines
    assert "STARTTLS" not in lines
    assert offered not in played(b"EHLO c\r\n" + ANN + b"EHLO c\r\n", CAPTURE).replies[-1].lines
    assert offered not in played(b"EHLO c\r\n", RULES).replies[-1].lines


def test_challenges_are_those_that_clients_know() -> None:
    play = played(b"EHLO c\r\nAUTH PLAIN\r\n*\r\nAUTH LOGIN\r\n" + b64("a") + b"\r\n", CAPTURE)
    challenges = [answer.wire for answer in play.replies if answer.code == 334]
    assert challenges == [b"334 \r\n", b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"]


def test_each_wrong_login_is_slowed_down_and_others_are_not() -> None:
    away = b"AUTH PLAIN " + plain("ann", "away") + b"\r\n"
    play = played(b"EHLO c\r\n" + WRONG + away + ANN + WRONG, CAPTURE)
    assert play.signals == [Signal.SLOW_DOWN]
    play = played(b"EHLO c\r\n" + WRONG * 5, CAPTURE)
    assert play.signals == [Signal.SLOW_DOWN] * MAX_FAILED_LOGINS + [Signal.CLOSE]


def test_broken_exchanges_are_errors_of_which_there_are_not_endlessly_many() -> None:
    play = played(b"EHLO c\r\n" + b"AUTH PLAIN !\r\n" * (MAX_ERRORS + 5), CAPTURE)
    assert play.codes == [220, 250, *[501] * MAX_ERRORS, 421]


def test_after_starttls_one_logs_in_again() -> None:
    session = Session(CAPTURE)
    session.trusted = True
    play = Play(session)
    play.feed(b"EHLO c\r\n" + ANN + b"STARTTLS\r\n" + ANN + MESSAGE)
    assert play.codes == [220, 250, 235, 220]  # what came with STARTTLS is thrown away
    play.feed(ANN, b"EHLO c\r\n" + MESSAGE[:23] + b"\r\n", ANN + MESSAGE)
    assert play.codes[4:] == [503, 250, 530, 235, *STORED]
    assert play.delivered[0].protocol == "ESMTPSA"


@pytest.mark.parametrize(
    ("mail", "protocol"),
    [(b"MAIL FROM:<>", "ESMTPA"), (b"MAIL FROM:<> SMTPUTF8", "UTF8SMTPA")],
)
def test_the_protocol_says_that_the_client_has_logged_in(mail: bytes, protocol: str) -> None:
    script = mail + b"\r\nRCPT TO:<c@d.example>\r\nDATA\r\n.\r\n"
    play = played(b"EHLO c\r\n" + ANN + script, CAPTURE)
    assert play.delivered[0].protocol == protocol
    assert play.delivered[0].account == AccountIdentity("ann", MADE)


def test_what_is_pipelined_waits_until_the_login_is_checked() -> None:
    session = Session(CAPTURE)
    session.trusted = True
    session.receive(b"EHLO c\r\n" + ANN + MESSAGE)
    assert session.next_action() == CAPTURE.ehlo(tls=False, auth=True)
    assert isinstance(session.next_action(), LogIn)
    assert session.next_action() is None
    session.refuse_login(reply.WRONG_LOGIN, is_guess=True)
    assert session.next_action() is Signal.SLOW_DOWN
    assert session.next_action() is None
    session.go_on()
    assert session.next_action() == reply.WRONG_LOGIN
    assert session.next_action() == reply.AUTH_NEEDED


def test_an_endless_line_of_an_exchange_is_not_kept() -> None:
    play = Play(Session(replace(CAPTURE, in_tls=True)))
    play.feed(b"EHLO c\r\nAUTH LOGIN\r\n", *[b"A" * 1000] * 50)
    assert play.session.unread_bytes <= 5_000
    play.feed(b"\r\nNOOP\r\n")
    assert play.codes == [220, 250, 334, 500, 250]


def test_an_answer_that_comes_after_the_end_is_of_no_interest() -> None:
    for answer in ("accept", "refuse"):
        session = Session(replace(CAPTURE, in_tls=True))
        session.receive(b"EHLO c\r\n" + ANN)
        session.next_action()
        session.next_action()
        session.close(reply.STOPPING)
        if answer == "accept":
            session.accept_login(AccountIdentity("ann", MADE))
        else:
            session.refuse_login(reply.WRONG_LOGIN, is_guess=True)
        assert session.next_action() == reply.STOPPING
        assert session.next_action() is Signal.CLOSE
        assert session.state is State.CLOSED
