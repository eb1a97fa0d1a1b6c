"""Sessions as scripts: what the client says, byte for byte, and what each recipient comes to."""

from dataclasses import replace

import pytest

from mailsacd.core.outcome import Outcome
from mailsacd.core.outgoing import OutgoingRecipient
from mailsacd.outbound.smtp.opening import TlsUse
from mailsacd.outbound.smtp.reply import MAX_LINE_BYTES, MAX_LINES
from mailsacd.outbound.smtp.session import Session
from tests.outbound.smtp.play import (
    EHLO,
    HANG_UP,
    MESSAGE,
    RULES,
    TLS,
    Play,
    Script,
    play_once,
    played,
    tls,
    transmission,
)

HELLO: Script = ((b"", b"220 mx.example ESMTP\r\n"), (EHLO, b"250 mx.example\r\n"))
MAIL = b"MAIL FROM:<a@b.example>\r\n"
RCPT = b"RCPT TO:<c@d.example>\r\n"
RCPT2 = b"RCPT TO:<e@d.example>\r\n"
WIRE = MESSAGE + b".\r\n"
QUIT = (b"QUIT\r\n", b"221 bye\r\n")
TWO = transmission("c@d.example", "e@d.example")


def hello(*offered: str) -> Script:
    lines = [f"250-{line}\r\n" for line in ("mx.example", *offered)]
    answer = "".join(lines) + "250 HELP\r\n"
    return ((b"", b"220 mx.example ESMTP\r\n"), (EHLO, answer.encode()))


def ok(code: int = 250) -> bytes:
    return f"{code} 2.0.0 ok\r\n".encode() if code < 300 else f"{code} go on\r\n".encode()


def told(play: Play) -> list[tuple[int | None, str, str]]:
    (outcomes,) = play.outcomes
    return [(o.code, o.status, o.kind) for o in outcomes]


def test_a_message_without_any_extension() -> None:
    play = played(
        (*HELLO, (MAIL, ok()), (RCPT, b"250 ok\r\n"), (b"DATA\r\n", ok(354)),
         (WIRE, b"250 2.6.0 queued as 7\r\n"), QUIT),
        transmission(),
    )  # fmt: skip
    assert play.outcomes == [
        (Outcome(code=250, status="2.6.0", text="queued as 7", host="mx.example"),)
    ]
    assert play.over


def test_everything_that_is_offered_is_used() -> None:
    sent = transmission(content="Subject: ä\r\n\r\nä\r\n".encode(), smtputf8=True, ret="HDRS",
                        envid="Q+2B7")  # fmt: skip
    recipient = OutgoingRecipient(
        address="ä@d.example", notify="SUCCESS,DELAY", orcpt="rfc822;x+40y@z"
    )
    sent = replace(sent, recipients=(recipient,))
    size = len(sent.content)
    mail = f"MAIL FROM:<a@b.example> SIZE={size} BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=Q+2B7\r\n"
    rcpt = "RCPT TO:<ä@d.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+40y@z\r\n"
    play = played(
        (*hello("PIPELINING", "SIZE 1000", "8BITMIME", "SMTPUTF8", "DSN", "CHUNKING"),
         ((mail + rcpt).encode(), ok() + ok()),
         (f"BDAT {size} LAST\r\n".encode() + sent.content, ok()), QUIT),
        sent,
    )  # fmt: skip
    assert told(play) == [(250, "2.0.0", "delivered")]
    assert play.outcomes[0][0].is_dsn_passed_on


def test_what_is_not_offered_is_not_used() -> None:
    recipient = OutgoingRecipient(address="c@d.example", notify="NEVER", orcpt="rfc822;x")
    sent = replace(transmission(ret="FULL", envid="7"), recipients=(recipient,))
    play = played(
        (*HELLO, (MAIL, ok()), (RCPT, ok()), (b"DATA\r\n", ok(354)), (WIRE, ok()), QUIT), sent
    )
    assert not play.outcomes[0][0].is_dsn_passed_on


@pytest.mark.parametrize("value", ["x y", "x\r\nRSET", "ä", "", "a=b", "x" * 501])
def test_a_parameter_that_is_no_parameter_is_left_out(value: str) -> None:
    recipient = OutgoingRecipient(address="c@d.example", notify=value, orcpt=value)
    sent = replace(transmission(ret=value, envid=value), recipients=(recipient,))
    played(
        (*hello("DSN"), (MAIL, ok()), (RCPT, ok()), (b"DATA\r\n", ok(354)), (WIRE, ok()), QUIT),
        sent,
    )


@pytest.mark.parametrize(
    "address",
    [
        "c@d\r\nRSET",
        "c@d\nRSET",
        "c@d>\x00",
        "c d@e",
        "c@d> NOTIFY=NEVER",
        "c",
        '"c\r\n"@d',
        "<c@d>",
    ],
)
def test_an_address_cannot_become_a_command(address: str) -> None:
    play = played((*HELLO, QUIT), transmission(address))
    assert told(play) == [(None, "5.1.3", "permanent")]
    play = played((*HELLO, QUIT), transmission(reverse_path=address))
    assert told(play) == [(None, "5.1.7", "permanent")]


def test_quoted_local_parts_and_reports_are_sent_as_they_are() -> None:
    play = played(
        (*HELLO, (b"MAIL FROM:<>\r\n", ok()), (b'RCPT TO:<"a >\\" b"@d.example>\r\n', ok()),
         (b"DATA\r\n", ok(354)), (WIRE, ok()), QUIT),
        transmission('"a >\\" b"@d.example', reverse_path=""),
    )  # fmt: skip
    assert told(play) == [(250, "2.0.0", "delivered")]


@pytest.mark.parametrize("pipelining", [True, False])
def test_some_recipients_are_refused(pipelining: bool) -> None:
    no = b"550 5.1.1 nobody\r\n"
    envelope: Script = ((MAIL, ok()), (RCPT, no), (RCPT2, ok()))
    if pipelining:
        envelope = ((MAIL + RCPT + RCPT2, ok() + no + ok()),)
    script = hello("PIPELINING") if pipelining else HELLO
    play = played((*script, *envelope, (b"DATA\r\n", ok(354)), (WIRE, ok()), QUIT), TWO)
    assert told(play) == [(550, "5.1.1", "permanent"), (250, "2.0.0", "delivered")]


@pytest.mark.parametrize("pipelining", [True, False])
def test_all_are_refused_and_the_next_message_begins_with_a_reset(pipelining: bool) -> None:
    no = b"450 4.2.0 greylisted\r\n"
    if pipelining:
        script: Script = (
            *hello("PIPELINING"), (MAIL + RCPT, ok() + no),
            (b"RSET\r\n" + MAIL + RCPT, ok() + ok() + ok()),
        )  # fmt: skip
    else:
        script = (
            *HELLO, (MAIL, ok()), (RCPT, no), (b"RSET\r\n", ok()), (MAIL, ok()), (RCPT, ok()),
        )  # fmt: skip
    play = played(
        (*script, (b"DATA\r\n", ok(354)), (WIRE, ok()), QUIT), transmission(), transmission()
    )
    assert [[o.kind for o in each] for each in play.outcomes] == [["temporary"], ["delivered"]]


def test_messages_follow_each_other_without_a_reset() -> None:
    once: Script = ((MAIL, ok()), (RCPT, ok()), (b"DATA\r\n", ok(354)), (WIRE, ok()))
    play = played((*HELLO, *once, *once, *once, QUIT), *[transmission()] * 3)
    assert len(play.outcomes) == 3


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(("code", "kind"), [(451, "temporary"), (553, "permanent")])
def test_the_sender_is_refused(pipelining: bool, code: int, kind: str) -> None:
    no = f"{code} no\r\n".encode()
    out_of_order = b"503 5.5.1 MAIL first\r\n"
    if pipelining:
        script: Script = (
            *hello("PIPELINING"), (MAIL + RCPT + RCPT2, no + out_of_order + out_of_order), QUIT,
        )  # fmt: skip
    else:
        script = (*HELLO, (MAIL, no), QUIT)
    assert told(played(script, TWO)) == [(code, f"{str(code)[0]}.0.0", kind)] * 2


@pytest.mark.parametrize(
    ("answer", "code", "status", "kind"),
    [
        (b"550 no such user\r\n", 550, "5.1.0", "permanent"),
        (b"551 5.7.1 no\r\n", 551, "5.7.1", "permanent"),
        (b"550 4.1.1 of another class\r\n", 550, "5.1.0", "permanent"),
        (b"554 no\r\n", 554, "5.0.0", "permanent"),
        (b"450 later\r\n", 450, "4.0.0", "temporary"),
        (b"552 too many\r\n", 452, "4.5.3", "temporary"),
        (b"552 5.5.3 too many\r\n", 452, "4.5.3", "temporary"),
        (b"552 5.2.2 full\r\n", 552, "5.2.2", "permanent"),
        (
            b"550-5.1.1 The one\r\n550-5.1.1 and\r\n550 5.1.1 the other\r\n",
            550,
            "5.1.1",
            "permanent",
        ),
        (b"550\r\n", 550, "5.1.0", "permanent"),
        (b"550 no\n", 550, "5.1.0", "permanent"),
    ],
)
def test_the_answer_to_a_recipient(answer: bytes, code: int, status: str, kind: str) -> None:
    play = played((*HELLO, (MAIL, ok()), (RCPT, answer), QUIT), transmission())
    assert told(play) == [(code, status, kind)]


def test_the_text_of_a_reply_is_one_line_without_codes() -> None:
    answer = "550-5.1.1 The\tone\x07\r\n550 5.1.1 and the öther\r\n".encode()
    play = played((*HELLO, (MAIL, ok()), (RCPT, answer), QUIT), transmission())
    assert play.outcomes[0][0].text == "The one and the öther"


@pytest.mark.parametrize("at", ["DATA", "END", "BDAT"])
@pytest.mark.parametrize(("code", "kind"), [(452, "temporary"), (554, "permanent")])
def test_the_message_is_refused(at: str, code: int, kind: str) -> None:
    no = f"{code} {str(code)[0]}.3.0 no\r\n".encode()
    start = hello("CHUNKING") if at == "BDAT" else HELLO
    ends: Script = {
        "DATA": ((b"DATA\r\n", no),),
        "END": ((b"DATA\r\n", ok(354)), (WIRE, no)),
        "BDAT": ((b"BDAT %d LAST\r\n" % len(MESSAGE) + MESSAGE, no),),
    }[at]
    refused = b"550 5.1.1 nobody\r\n"
    play = played((*start, (MAIL, ok()), (RCPT, refused), (RCPT2, ok()), *ends, QUIT), TWO)
    assert told(play) == [(550, "5.1.1", "permanent"), (code, f"{str(code)[0]}.3.0", kind)]


STAGES: dict[str, Script] = {
    "greeting": (),
    "EHLO": ((b"", b"220 mx.example\r\n"),),
    "MAIL": HELLO,
    "RCPT": (*HELLO, (MAIL, ok())),
    "second RCPT": (*HELLO, (MAIL, ok()), (RCPT, ok())),
    "DATA": (*HELLO, (MAIL, ok()), (RCPT, ok()), (RCPT2, ok())),
    "END": (*HELLO, (MAIL, ok()), (RCPT, ok()), (RCPT2, ok()), (b"DATA\r\n", ok(354))),
}
SAID = {"greeting": b"", "EHLO": EHLO, "MAIL": MAIL, "RCPT": RCPT, "second RCPT": RCPT2,
        "DATA": b"DATA\r\n", "END": WIRE}  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [
        (b"421 4.3.2 closing\r\n", 421, "4.3.2"),
        (b"421 closing\r\n", 421, "4.3.2"),
        (HANG_UP, None, "4.4.2"),
        (b"nonsense\r\n", None, "4.5.0"),
        (b"199 no reply\r\n", None, "4.5.0"),
        (b"6\r\n", None, "4.5.0"),
        (b"250-x\r\n" * (MAX_LINES + 1), None, "4.5.0"),
        (b"250 " + b"x" * MAX_LINE_BYTES + b"\r\n", None, "4.5.0"),
        (b"x" * (MAX_LINE_BYTES + 1), None, "4.5.0"),
    ],
)
def test_the_session_ends_at_any_stage(
    stage: str, answer: bytes | None, code: int | None, status: str
) -> None:
    play = played((*STAGES[stage], (SAID[stage], answer)), TWO)
    assert play.over
    if stage in {"greeting", "EHLO"}:
        assert play.failed is not None
        assert (play.failed.code, play.failed.status) == (code, status)
        assert not play.opened
        return
    assert told(play) == [(code, status, "temporary")] * 2
    in_doubt = stage == "END" and answer is HANG_UP
    assert [o.may_have_arrived for o in play.outcomes[0]] == [in_doubt] * 2


def test_who_was_refused_before_the_end_stays_refused() -> None:
    play = played((*HELLO, (MAIL, ok()), (RCPT, b"550 5.1.1 no\r\n"), (RCPT2, HANG_UP)), TWO)
    assert told(play) == [(550, "5.1.1", "permanent"), (None, "4.4.2", "temporary")]


@pytest.mark.parametrize(
    ("at", "early"),
    [("DATA", b"354 go on\r\n250 2.0.0 ok\r\n"), ("EHLO", b"250 mx.example\r\n250 ok\r\n"),
     ("MAIL", ok() + ok()), ("greeting", b"220 mx\r\n250 x\r\n")],
)  # fmt: skip
def test_an_answer_to_what_was_not_said_ends_the_session(at: str, early: bytes) -> None:
    """As it comes whole; what comes later, between two commands, nobody can tell from a reply."""
    play = play_once((*STAGES[at], (SAID[at], early)), [TWO], RULES, cut=False)
    assert play.over
    if play.outcomes:
        assert told(play) == [(None, "4.5.0", "temporary")] * 2


@pytest.mark.parametrize("answer", [b"250 ok\r\n", b"221 bye\r\n", b"354 go on\r\n", b"334 \r\n"])
def test_a_reply_that_is_no_answer_ends_the_session(answer: bytes) -> None:
    """A 2yz to DATA, or a 3yz to RCPT."""
    at = "RCPT" if answer.startswith(b"3") else "DATA"
    play = played((*STAGES[at], (SAID[at], answer)), TWO)
    assert told(play) == [(None, "4.5.0", "temporary")] * 2
    assert play.over


@pytest.mark.parametrize("data", [b"421 4.4.2 idle\r\n", b"4", b"250 ok\r\n"])
def test_what_comes_unasked_ends_the_session(data: bytes) -> None:
    play = Play(Session(RULES), [], leaves=False)
    for _, answer in HELLO:
        assert answer is not None
        play.session.receive(answer)
        play.run()
    assert play.opened
    assert play.session.is_ready
    play.session.receive(data)
    play.run()
    assert play.over
    assert not play.session.is_ready


@pytest.mark.parametrize("size", [20, 21, 22])
def test_a_message_larger_than_what_is_taken_is_not_sent(size: int) -> None:
    assert len(MESSAGE) == 21
    mail = b"MAIL FROM:<a@b.example> SIZE=21\r\n"
    transaction: Script = ((mail, ok()), (RCPT, ok()), (b"DATA\r\n", ok(354)), (WIRE, ok()))
    fits = size >= 21
    play = played((*hello(f"SIZE {size}"), *(transaction if fits else ()), QUIT), transmission())
    assert told(play) == [(250, "2.0.0", "delivered") if fits else (None, "5.3.4", "permanent")]


@pytest.mark.parametrize("limit", ["SIZE", "SIZE 0", "SIZE x", "SIZE -1"])
def test_a_size_that_is_no_limit(limit: str) -> None:
    mail = b"MAIL FROM:<a@b.example> SIZE=21\r\n"
    played((*hello(limit), (mail, b"452 full\r\n"), QUIT), transmission())


def test_without_smtputf8_such_addresses_fail_and_others_go_on() -> None:
    sent = transmission("ä@d.example", "c@d.example")
    play = played(
        (*HELLO, (MAIL, ok()), (RCPT, ok()), (b"DATA\r\n", ok(354)), (WIRE, ok()), QUIT), sent
    )
    assert told(play) == [(None, "5.6.7", "permanent"), (250, "2.0.0", "delivered")]
    for whole in (transmission(smtputf8=True), transmission(reverse_path="ä@b.example")):
        assert told(played((*HELLO, QUIT), whole)) == [(None, "5.6.7", "permanent")]


# The opening


def test_who_does_not_know_ehlo_is_said_helo() -> None:
    for no in (b"500 what\r\n", b"502 5.5.1 no\r\n", b"550 no\r\n"):
        play = played(((b"", b"220 x\r\n"), (EHLO, no), (b"HELO me.example\r\n", ok()), QUIT))
        assert play.opened
    play = played(((b"", b"220 x\r\n"), (EHLO, b"451 later\r\n")))
    assert play.failed is not None
    assert (play.failed.code, play.failed.kind) == (451, "temporary")


@pytest.mark.parametrize(
    ("greeting", "code", "kind"),
    [(b"554 no\r\n", 554, "permanent"), (b"521 5.3.2 no mail here\r\n", 521, "permanent"),
     (b"450 later\r\n", 450, "temporary"), (b"220-mx\r\n220 ESMTP\r\n", None, "")],
)  # fmt: skip
def test_the_greeting(greeting: bytes, code: int | None, kind: str) -> None:
    play = played(((b"", greeting),) if code else ((b"", greeting), (EHLO, ok()), QUIT))
    assert play.opened == (code is None)
    if code is not None:
        assert play.failed is not None
        assert (play.failed.code, play.failed.kind) == (code, kind)


STARTTLS = b"STARTTLS\r\n"


@pytest.mark.parametrize("injected", [b"", b"250 injected\r\n", b"250-x\r\n250 CHUNKING\r\n"])
def test_what_was_said_before_tls_is_void(injected: bytes) -> None:
    """Neither what was offered before, nor what was sent along with the answer to STARTTLS."""
    for place in ("with the answer", "after it"):
        along = injected if place == "with the answer" else b""
        later = injected if place == "after it" else b""
        play = played(
            (*hello("STARTTLS", "CHUNKING", "PIPELINING"), (STARTTLS, b"220 go on\r\n" + along),
             (TLS, later), (EHLO, b"250 mx.example\r\n"), (MAIL, ok()), (RCPT, ok()),
             (b"DATA\r\n", ok(354)), (WIRE, ok()), QUIT),
            transmission(),
        )  # fmt: skip
        assert play.session.is_encrypted
        assert told(play) == [(250, "2.0.0", "delivered")]


def test_tls_that_is_refused_is_done_without() -> None:
    play = played((*hello("STARTTLS"), (STARTTLS, b"454 4.7.0 not now\r\n"), QUIT))
    assert play.opened
    assert not play.session.is_encrypted


def test_tls_that_is_not_wanted_is_not_begun() -> None:
    assert played((*hello("STARTTLS"), QUIT), rules=tls(TlsUse.NEVER)).opened


@pytest.mark.parametrize(
    "script",
    [HELLO, (*hello("STARTTLS"), (STARTTLS, b"454 not now\r\n")),
     (*hello("STARTTLS"), (STARTTLS, b"501 no\r\n"))],
)  # fmt: skip
def test_tls_that_is_required_and_not_there(script: Script) -> None:
    play = played(script, transmission(), rules=tls(TlsUse.REQUIRED))
    assert play.failed is not None
    assert (play.failed.code, play.failed.status) == (None, "4.7.4")
    assert play.over


def test_tls_before_the_greeting() -> None:
    play = played(((TLS, b""), *HELLO, QUIT), rules=tls(TlsUse.IMPLICIT))
    assert play.session.is_encrypted
    assert play.opened


LOGGING_IN = replace(RULES, user="me", secret="s3cret", plain_login=True)
PLAIN = b"AUTH PLAIN AG1lAHMzY3JldA==\r\n"
LOGIN: Script = (
    (b"AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n"), (b"bWU=\r\n", b"334 UGFzc3dvcmQ6\r\n"),
    (b"czNjcmV0\r\n", b"235 2.7.0 welcome\r\n"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("offered", "script"),
    [("AUTH PLAIN LOGIN", ((PLAIN, ok(235)),)), ("AUTH=PLAIN", ((PLAIN, ok(235)),)),
     ("AUTH CRAM-MD5 LOGIN", LOGIN), ("auth login plain", ((PLAIN, ok(235)),))],
)  # fmt: skip
def test_logging_in(offered: str, script: Script) -> None:
    assert played((*hello(offered), *script, QUIT), rules=LOGGING_IN).opened


@pytest.mark.parametrize(
    ("offered", "script", "status"),
    [("AUTH PLAIN", ((PLAIN, b"535 5.7.8 no\r\n"),), "4.7.8"),
     ("AUTH PLAIN", ((PLAIN, b"334 \r\n"),), "4.7.8"),
     ("AUTH LOGIN", ((b"AUTH LOGIN\r\n", b"504 no\r\n"),), "4.7.8"),
     ("AUTH CRAM-MD5", (), "4.7.0"), ("SIZE", (), "4.7.0")],
)  # fmt: skip
def test_logging_in_fails_for_now(offered: str, script: Script, status: str) -> None:
    """Whatever the code: the mail of a wrong password is not to fail for good."""
    play = played((*hello(offered), *script), transmission(), rules=LOGGING_IN)
    assert play.failed is not None
    assert (play.failed.code, play.failed.status, play.failed.kind) == (None, status, "temporary")


def test_no_password_without_tls() -> None:
    play = played(hello("AUTH PLAIN"), rules=replace(LOGGING_IN, plain_login=False))
    assert play.failed is not None
    assert play.failed.status == "4.7.0"
    play = played(
        (*hello("AUTH PLAIN", "STARTTLS"), (STARTTLS, ok(220)), (TLS, b""),
         (EHLO, b"250-mx.example\r\n250 AUTH PLAIN\r\n"), (PLAIN, ok(235)), QUIT),
        rules=replace(LOGGING_IN, plain_login=False),
    )  # fmt: skip
    assert play.opened
    assert "s3cret" not in repr(LOGGING_IN)


def test_a_server_with_our_own_name_is_a_loop() -> None:
    script: Script = ((b"", b"220 x\r\n"), (EHLO, b"250 ME.example at your service\r\n"))
    play = played(script, rules=replace(RULES, own_name_is_loop=True))
    assert play.failed is not None
    assert (play.failed.status, play.failed.kind) == ("5.4.6", "permanent")
    assert played((*script, QUIT)).opened


def test_a_host_without_a_name_says_a_literal() -> None:
    script: Script = ((b"", b"220 x\r\n"), (b"EHLO [127.0.0.1]\r\n", ok()), QUIT)
    assert played(script, rules=replace(RULES, hostname="a b\r\n")).opened
