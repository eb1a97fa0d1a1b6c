"""A session that submits: who may send as whom, and what the sender wants to be told."""

from dataclasses import replace

import pytest

from mailsacd.core import reply
from mailsacd.smtp.action import AskSender
from mailsacd.smtp.session import Session
from tests.smtp.play import RULES, Play, played
from tests.smtp.test_smtp_auth import ANN, CAPTURE, MESSAGE, STORED

SUBMISSION = replace(RULES, requires_auth=True, submits=True, max_recipients=5)
FROM = b"MAIL FROM:<a@b.example>"
TO = b"RCPT TO:<c@d.example>"
TEXT = b"DATA\r\nhello\r\n.\r\n"


def _lines(*lines: bytes) -> bytes:
    return b"".join(line + b"\r\n" for line in lines)


def _mail(parameters: bytes) -> bytes:
    return _lines(FROM + b" " + parameters, b"RSET")


def _rcpt(parameters: bytes) -> bytes:
    return _lines(TO + b" " + parameters)


_SCRIPTS: dict[str, tuple[bytes, list[int]]] = {
    "a message": (ANN + MESSAGE, [235, *STORED]),
    "before AUTH": (_lines(FROM, TO, b"DATA", b"BDAT 3 LAST") + b"abc" + ANN + MESSAGE,
                    [530, 503, 503, 503, 235, *STORED]),
    "as somebody else": (ANN + _lines(b"MAIL FROM:<foreign@b.example>", TO, b"DATA") + MESSAGE,
                         [235, 550, 503, 503, *STORED]),
    "as nobody": (ANN + _lines(b"MAIL FROM:<>", TO) + TEXT, [235, 250, 250, 354, 250]),
    "too many recipients": (
        ANN + _lines(FROM, *(b"RCPT TO:<%d@d.example>" % n for n in range(7))) + TEXT,
        [235, 250, *[250] * 5, 452, 452, 354, 250],
    ),
    "too large": (ANN + _lines(FROM + b" SIZE=1001", FROM, TO) + b"DATA\r\n" + b"x" * 1001
                  + b"\r\n.\r\n", [235, 552, 250, 250, 354, 552]),
    "chunks": (ANN + _lines(FROM, TO, b"BDAT 5") + b"hello" + b"BDAT 2 LAST\r\n\r\n",
               [235, 250, 250, 250, 250]),
    "what is returned": (
        ANN + _mail(b"RET=FULL") + _mail(b"ret=hdrs ENVID=QQ314159")
        + _mail(b"ENVID=" + b"x" * 100) + _mail(b"ENVID=a+20b+2B+3D RET=HDRS"),
        [235, *[250, 250] * 4],
    ),
    "what is returned, badly": (
        ANN + _lines(*(FROM + b" " + bad for bad in (
            b"RET", b"RET=", b"RET=BODY", b"RET=FULL,HDRS", b"RET=FULL RET=FULL", b"ENVID",
            b"ENVID=" + b"x" * 101, b"ENVID=a+2b", b"ENVID=a+0D+0A", b"ENVID=+7F", b"ENVID=+C3+A9",
            b"ENVID=a+", b"ENVID=a=b",
        ))),
        [235, *[501] * 13],
    ),
    "who is told": (
        ANN + _lines(FROM) + _rcpt(b"NOTIFY=NEVER") + _rcpt(b"notify=success,FAILURE,Delay")
        + _rcpt(b"NOTIFY=DELAY ORCPT=rfc822;c+2Bx@d.example") + _rcpt(b"ORCPT=x400;/c+3Dus")
        + _rcpt(b"ORCPT=rfc822;" + b"x" * 493),
        [235, *[250] * 6],
    ),
    "who is told, badly": (
        ANN + _lines(FROM) + b"".join(map(_rcpt, (
            b"NOTIFY", b"NOTIFY=", b"NOTIFY=ALWAYS", b"NOTIFY=NEVER,FAILURE", b"NOTIFY=FAILURE,",
            b"NOTIFY=NEVER,NEVER", b"NOTIFY=DELAY NOTIFY=DELAY", b"ORCPT", b"ORCPT=c@d.example",
            b"ORCPT=;c", b"ORCPT=rfc822;", b"ORCPT=rfc822;a+0Ab", b"ORCPT=rfc822;a+4",
            b"ORCPT=rfc 822;a", b"ORCPT=rfc822;" + b"x" * 494, b"ORCPT=r_c;a",
        ))),
        [235, 250, *[501] * 16],
    ),
    "what is not known": (ANN + _lines(FROM + b" BY=10", FROM) + _rcpt(b"FOO=1"),
                          [235, 555, 250, 555]),
    "after HELO": (
        _lines(b"HELO c") + ANN + _lines(FROM + b" RET=FULL", FROM, TO + b" NOTIFY=NEVER", TO),
        [250, 235, 555, 250, 555, 250],
    ),
    "beyond ASCII without SMTPUTF8": (
        ANN + _lines(FROM, "RCPT TO:<ü@d.example>".encode(), TO + " ORCPT=utf-8;ü@d".encode()),
        [235, 250, 553, 501],
    ),
    "beyond ASCII": (
        ANN + _lines(FROM + b" SMTPUTF8", TO + " ORCPT=utf-8;ü@d.example".encode(),
                     TO + " ORCPT=utf-8;ü\u0085@d".encode(), TO + b" ORCPT=utf-8;\xff@d",
                     TO + " ORCPT=rfc822;ü@d".encode()),
        [235, 250, 250, 501, 501, 501],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("script", "codes"), _SCRIPTS.values(), ids=_SCRIPTS.keys())
def test_a_script_gets_its_replies(script: bytes, codes: list[int]) -> None:
    assert played(b"EHLO c\r\n" + script, SUBMISSION).codes == [220, 250, *codes]


def test_refusals_have_the_codes_of_their_kind() -> None:
    script = b"EHLO c\r\n" + _lines(FROM) + ANN + _lines(b"MAIL FROM:<foreign@b.example>")
    answers = played(script, SUBMISSION).replies
    assert [(a.code, a.enhanced) for a in (answers[2], answers[4])] == [
        (530, "5.7.0"),
        (550, "5.7.1"),
    ]
    bad = played(b"EHLO c\r\n" + ANN + _mail(b"RET=X"), SUBMISSION).replies[3]
    assert (bad.code, bad.enhanced) == (501, "5.5.4")


def test_dsn_is_offered_where_mail_is_sent_on_and_nowhere_else() -> None:
    assert "DSN" in played(b"EHLO c\r\n", SUBMISSION).replies[-1].lines
    for rules in (RULES, CAPTURE):
        assert "DSN" not in played(b"EHLO c\r\n", rules).replies[-1].lines
    script = b"EHLO c\r\n" + _lines(FROM + b" RET=HDRS", FROM, TO + b" NOTIFY=NEVER", TO)
    assert played(script, RULES).codes == [220, 250, 555, 250, 555, 250]
    assert played(b"EHLO c\r\n" + ANN + script[8:], CAPTURE).codes[3:] == [555, 250, 555, 250]


def test_what_is_asked_for_goes_on_with_the_message() -> None:
    script = _lines(
        FROM + b" RET=HDRS ENVID=QQ+20314",
        TO + b" NOTIFY=success,SUCCESS,DELAY ORCPT=rfc822;C+2Bx@D.example",
        b"RCPT TO:<plain@d.example>",
        b"RCPT TO:<c@d.example> NOTIFY=NEVER",  # the same once more: what came first holds
        b"RCPT TO:<never@d.example> NOTIFY=NEVER",
    )
    play = played(b"EHLO c\r\n" + ANN + script + TEXT + MESSAGE, SUBMISSION)
    first, second = play.delivered
    assert (first.ret, first.envid) == ("HDRS", "QQ+20314")
    assert [(r.original_inbox, r.notify, r.orcpt) for r in first.recipients] == [
        ("c@d.example", "SUCCESS,DELAY", "rfc822;C+2Bx@D.example"),
        ("plain@d.example", None, None),
        ("never@d.example", "NEVER", None),
    ]
    assert (second.ret, second.envid) == (None, None)
    assert [(r.notify, r.orcpt) for r in second.recipients] == [(None, None)]


@pytest.mark.parametrize(
    "path",
    [
        b"<@relay.example,@other.example:c@d.example>",
        b"<c%victim.example@d.example>",
        b'<"c@victim.example"@d.example>',
        b"<victim.example!c@d.example>",
    ],
)
def test_nobody_relays_without_a_login(path: bytes) -> None:
    for rules in (SUBMISSION, CAPTURE):
        script = b"EHLO c\r\n" + _lines(FROM, b"RCPT TO:" + path) + TEXT[:6]
        play = played(script, rules)
        assert play.codes == [220, 250, 530, 503, 503]
        assert play.asked == []


def test_what_is_pipelined_waits_until_the_sender_is_checked() -> None:
    session = Session(replace(SUBMISSION, in_tls=True))
    play = Play(session)
    play.feed(b"EHLO c\r\n" + ANN)
    session.receive(MESSAGE)
    asked = session.next_action()
    assert isinstance(asked, AskSender)
    assert (asked.path, asked.account.name) == ("a@b.example", "ann")
    assert session.next_action() is None
    session.refuse_sender(reply.NOT_YOUR_SENDER)
    assert session.next_action() == reply.NOT_YOUR_SENDER
    assert session.next_action() == reply.BAD_SEQUENCE


def test_an_answer_about_a_sender_that_comes_after_the_end_is_of_no_interest() -> None:
    for answer in (Session.accept_sender, lambda s: s.refuse_sender(reply.NOT_YOUR_SENDER)):
        session = Session(replace(SUBMISSION, in_tls=True))
        Play(session).feed(b"EHLO c\r\n" + ANN)
        session.receive(MESSAGE)
        session.next_action()
        session.close(reply.STOPPING)
        answer(session)
        assert session.next_action() == reply.STOPPING


def test_what_is_injected_behind_starttls_is_thrown_away() -> None:
    session = Session(SUBMISSION)
    session.trusted = True
    play = Play(session)
    play.feed(b"EHLO c\r\n" + ANN + b"STARTTLS\r\n" + ANN + MESSAGE)
    assert play.codes == [220, 250, 235, 220]
    play.feed(MESSAGE)
    assert play.codes[4:7] == [503, 503, 503]
    assert play.delivered == []


def test_lines_may_be_longer_by_what_is_asked_for() -> None:
    for verb, most in ((FROM, 1073 + 116), (TO, 512 + 536)):
        fits = verb + b" " + b"X" * (most - len(verb) - 3)
        for line, code in ((fits, 555), (fits + b"X", 500)):
            begun = b"" if verb is FROM else FROM + b"\r\n"
            play = played(b"EHLO c\r\n" + ANN + begun + line + b"\r\n", SUBMISSION)
            assert play.codes[-1] == code
