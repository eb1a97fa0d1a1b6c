"""Sessions as scripts of (send, expected codes), each fed whole and byte by byte."""

from dataclasses import replace

import pytest

from mailsacd.core import reply
from mailsacd.core.envelope import Recipient
from mailsacd.smtp.action import AskRecipient, Deliver, Signal
from mailsacd.smtp.rules import SessionRules
from mailsacd.smtp.session import Session
from mailsacd.sockets.line_session import MAX_ERRORS
from tests.smtp.play import RULES, Play, played

_STRICT = SessionRules(
    hostname="mx.example",
    max_message_bytes=1000,
    max_recipients=3,
    refuse_bare_newlines=True,
)
_START = b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"
_STARTED = [220, 250, 250, 250]


_SCRIPTS: dict[str, tuple[bytes, list[int]]] = {
    "a message": (_START + b"DATA\r\nhello\r\n.\r\nQUIT\r\n", [*_STARTED, 354, 250, 221]),
    "two messages": (
        _START + b"DATA\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<x@d.example>\r\nDATA\r\nx\r\n.\r\n",
        [*_STARTED, 354, 250, 250, 250, 354, 250],
    ),
    "HELO": (b"HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\n", [220, 250, 250, 250]),
    "lower case": (
        b"ehlo c\r\nmail from:<>\r\nrcpt to:<c@d.example>\r\nrset\r\n",
        [220] + [250] * 4,
    ),
    "no greeting": (b"MAIL FROM:<>\r\n", [220, 503]),
    "no sender": (b"EHLO c\r\nRCPT TO:<c@d.example>\r\nDATA\r\n", [220, 250, 503, 503]),
    "no recipient": (b"EHLO c\r\nMAIL FROM:<>\r\nDATA\r\n", [220, 250, 250, 503]),
    "only bad recipients": (
        b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<c@bad.example>\r\nDATA\r\n",
        [220, 250, 250, 550, 554],
    ),
    "sender twice": (b"EHLO c\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n", [220, 250, 250, 503]),
    "EHLO ends a transaction": (_START + b"EHLO c\r\nDATA\r\n", [*_STARTED, 250, 503]),
    "RSET ends a transaction": (_START + b"RSET\r\nDATA\r\n", [*_STARTED, 250, 503]),
    "RSET does not greet": (b"RSET\r\nMAIL FROM:<>\r\n", [220, 250, 503]),
    "NOOP does not end a transaction": (
        _START + b"NOOP x\r\nVRFY c\r\nHELP\r\nDATA\r\n.\r\n",
        [*_STARTED, 250, 252, 214, 354, 250],
    ),
    "arguments where none belong": (
        _START + b"DATA x\r\nRSET x\r\nQUIT x\r\nSTARTTLS x\r\n",
        [*_STARTED, 501, 501, 501, 503],
    ),
    "greeting without a name": (b"EHLO\r\nHELO \r\n", [220, 501, 501]),
    "what is not offered": (
        b"EXPN x\r\nTURN\r\nSOML FROM:<>\r\nETRN x\r\nAUTH PLAIN AAAA\r\n",
        [220, 502, 502, 502, 502, 502],
    ),
    "unknown": (b"XYZZY\r\n\r\n MAIL\r\nNOOP\0\r\n\xff\xfe\r\n", [220, 500, 500, 500, 500, 500]),
    "HTTP": (b"POST / HTTP/1.1\r\nMAIL FROM:<>\r\n", [220, 554]),
    "after QUIT": (b"QUIT\r\nNOOP\r\n", [220, 221]),
    "bare LF in a command": (
        b"EHLO c\nMAIL FROM:<>\r\nNOOP\r\n",
        [220, 500, 250],
    ),
    "bare CR in a command": (b"NOOP\rQUIT\r\nNOOP\r\r\n", [220, 500, 500]),
    "line of 512": (b"NOOP " + b"x" * 505 + b"\r\nNOOP\r\n", [220, 250, 250]),
    "line of 513": (b"NOOP " + b"x" * 506 + b"\r\nNOOP\r\n", [220, 500, 250]),
    "endless line": (b"NOOP " + b"x" * 5000 + b"\r\nNOOP\r\n", [220, 500, 250]),
    "endless line of CR": (b"\r" * 2000 + b"\nNOOP\r\n", [220, 500, 250]),
    "long MAIL": (
        b"EHLO c\r\nMAIL FROM:<a@b.example>" + b" " * 500 + b" SIZE=1\r\n",
        [220, 250, 250],
    ),
    "declared size": (
        b"EHLO c\r\nMAIL FROM:<> SIZE=1000\r\nRSET\r\nMAIL FROM:<> SIZE=1001\r\n"
        b"MAIL FROM:<> SIZE=x\r\n",
        [220, 250, 250, 250, 552, 501],
    ),
    "parameters of MAIL": (
        b"EHLO c\r\nMAIL FROM:<> BODY=8BITMIME SMTPUTF8 AUTH=<>\r\nRSET\r\n"
        b"MAIL FROM:<> body=7bit\r\nRSET\r\n"
        b"MAIL FROM:<> BODY=BINARYMIME\r\nMAIL FROM:<> RET=HDRS\r\nMAIL FROM:<> SMTPUTF8=1\r\n"
        b"MAIL FROM:<> AUTH=x\r\n",
        [220, 250, 250, 250, 250, 250, 555, 555, 555, 555],
    ),
    "parameters without EHLO": (b"HELO c\r\nMAIL FROM:<> SIZE=1\r\n", [220, 250, 555]),
    "parameters of RCPT": (
        b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example> NOTIFY=NEVER\r\n"
        b"RCPT TO:<c@d.example> ORCPT=rfc822;x\r\n",
        [220, 250, 250, 555, 555],
    ),
    "bad sender": (
        b"EHLO c\r\nMAIL FROM:<root>\r\nRCPT TO:<c@d.example>\r\n",
        [220, 250, 501, 503],
    ),
    "too many recipients": (
        _START + b"RCPT TO:<2@d.example>\r\nRCPT TO:<3@d.example>\r\nRCPT TO:<4@d.example>\r\n"
        b"DATA\r\n.\r\n",
        [*_STARTED, 250, 250, 452, 354, 250],
    ),
    "UTF-8 without SMTPUTF8": (
        b"EHLO c\r\nMAIL FROM:<\xc3\xa4@b.example>\r\nMAIL FROM:<>\r\n"
        b"RCPT TO:<\xc3\xa4@b.example>\r\n",
        [220, 250, 553, 250, 553],
    ),
    "largest message": (_START + b"DATA\r\n" + b"x" * 998 + b"\r\n.\r\n", [*_STARTED, 354, 250]),
    "too large a message": (
        _START + b"DATA\r\n" + b"x" * 999 + b"\r\n.\r\nNOOP\r\n",
        [*_STARTED, 354, 552, 250],
    ),
    "BDAT": (_START + b"BDAT 5\r\nhelloBDAT 2 LAST\r\n\r\nNOOP\r\n", [*_STARTED, 250, 250, 250]),
    "BDAT of nothing": (_START + b"BDAT 0 LAST\r\n", [*_STARTED, 250]),
    "BDAT with an empty last": (
        _START + b"BDAT 5\r\nhelloBDAT 0\r\nBDAT 0 LAST\r\n",
        [*_STARTED, 250, 250, 250],
    ),
    "BDAT that looks like commands": (_START + b"BDAT 6 LAST\r\nQUIT\r\n", [*_STARTED, 250]),
    "BDAT too large": (
        _START + b"BDAT 1001\r\n" + b"x" * 1001 + b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
        [*_STARTED, 552, 503, 250],
    ),
    "BDAT too large in its last": (
        _START + b"BDAT 1000\r\n" + b"x" * 1000 + b"BDAT 6 LAST\r\nQUIT\r\nMAIL FROM:<>\r\n",
        [*_STARTED, 250, 552, 250],
    ),
    "BDAT without recipients": (
        b"EHLO c\r\nMAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\nRCPT TO:<x@bad.example>\r\n"
        b"BDAT 6\r\nQUIT\r\nRCPT TO:<c@d.example>\r\nBDAT 0 LAST\r\n",
        [220, 250, 250, 503, 550, 554, 250, 250],
    ),
    "white space at the end": (
        b"EHLO c \t\r\nMAIL FROM:<a@b.example>\t\r\nRCPT TO:<c@d.example> \t \r\nDATA\t\r\n.\r\n"
        b"MAIL FROM:<> SIZE=5\t\r\nRCPT TO:c@d.example\t\r\nBDAT 2 LAST\t\r\nhi"
        b"NOOP\t\r\nRSET \t\r\nHELO c\t\r\nSTARTTLS\t\r\n",
        [*_STARTED, 354, 250, 250, 250, 250, 250, 250, 250, 220],
    ),
    "dots anywhere in a path": (
        b"EHLO c\r\nMAIL FROM:<.a..b.@c.example>\r\nRCPT TO:<a..b@d.example>\r\n"
        b"RCPT TO:<a.@d.example>\r\nRCPT TO:<.a@d.example>\r\n",
        [220, 250, 250, 250, 250, 250],
    ),
    **{
        f"BDAT{argument!r}, whose chunk is skipped": (
            _START + b"BDAT" + argument + b"\r\nQUIT\r\nBDAT 0 LAST\r\nNOOP\r\n",
            [*_STARTED, 501, 503, 250],
        )
        for argument in (
            b" 6 FIRST",
            b" 6 LAST LAST",
            b" 6 LAST 0",
            b" 6\tLAST",
            b" 6 x=y",
            b"  6 6",
        )
    },
    **{
        f"BDAT{argument!r}, whose chunk has no known size": (
            _START + b"BDAT" + argument + b"\r\nQUIT\r\n",
            [*_STARTED, 501],
        )
        for argument in (
            b"",
            b" ",
            b" x",
            b" -6",
            b" +6",
            b" 6LAST",
            b" 6,LAST",
            b" 0x6",
            b" LAST 6",
            b" 6.0",
            b" " + b"6" * 21,
        )
    },
    "BDAT not understood and out of order": (
        b"EHLO c\r\nBDAT 6 FIRST\r\nQUIT\r\nNOOP\r\nBDAT x\r\nQUIT\r\n",
        [220, 250, 503, 250, 501],
    ),
    "BDAT not understood between chunks": (
        _START + b"BDAT 1\r\nxBDAT 6 NEXT\r\nQUIT\r\nBDAT 0 LAST\r\nMAIL FROM:<>\r\n",
        [*_STARTED, 250, 501, 503, 250],
    ),
    "BDAT in a line that is not read": (_START + b"BDAT 6\rLAST\r\nQUIT\r\n", [*_STARTED, 500]),
    "BDAT in a line too long": (
        _START + b"BDAT 6 " + b"x" * 600 + b"\r\nQUIT\r\n",
        [*_STARTED, 500],
    ),
    "BDAT in an endless line": (
        _START + b"BDAT 6 " + b"x" * 5000 + b"\r\nQUIT\r\n",
        [*_STARTED, 500],
    ),
    "RSET between chunks": (
        _START + b"BDAT 5\r\nhelloRSET\r\nBDAT 1 LAST\r\nx" + b"MAIL FROM:<>\r\n",
        [*_STARTED, 250, 250, 503, 250],
    ),
    "commands between chunks": (
        _START
        + b"BDAT 1\r\nxDATA\r\nRCPT TO:<x@d.example>\r\nMAIL FROM:<>\r\nNOOP\r\nBDAT 0 LAST\r\n",
        [*_STARTED, 250, 503, 503, 503, 250, 250],
    ),
    "QUIT between chunks": (_START + b"BDAT 1\r\nxQUIT\r\n", [*_STARTED, 250, 221]),
}


@pytest.mark.parametrize("name", _SCRIPTS)
def test_script(name: str) -> None:
    script, codes = _SCRIPTS[name]
    assert played(script).codes == codes


def test_every_prefix_of_a_session_leaves_it_sane() -> None:
    script = _START + b"BDAT 3\r\nabcBDAT 2 LAST\r\nde" + _START + b"DATA\r\n..x\r\n.\r\nQUIT\r\n"
    for end in range(len(script)):
        play = Play(Session(RULES))
        play.feed(script[:end])
        play.feed(script[end:])
        assert [d.content for d in play.delivered] == [b"abcde", b".x\r\n"]
        assert play.codes[-1] == 221


def test_who_is_named_twice_gets_one_copy() -> None:
    to = b"".join(b"RCPT TO:<%b@b.example>\r\n" % name for name in (b"c", b"d", b"c", b"c"))
    play = played(b"EHLO c\r\nMAIL FROM:<>\r\n" + to + b"DATA\r\n.\r\n")
    assert play.codes[3:] == [250] * 4 + [354, 250]
    assert [r.inbox for r in play.delivered[0].recipients] == ["c@b.example", "d@b.example"]


def test_a_delivery_carries_the_whole_transaction() -> None:
    play = played(
        b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<one@d.example>\r\n"
        b"RCPT TO:<x@bad.example>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n..a\r\n\r\n.b\r\n.\r\n"
    )
    [delivered] = play.delivered
    assert delivered.reverse_path == "a@b.example"
    assert [r.inbox for r in delivered.recipients] == ["one@d.example", "Postmaster@mx.example"]
    assert delivered.content == b".a\r\n\r\nb\r\n"
    assert delivered.protocol == "ESMTP"


@pytest.mark.parametrize(
    ("greeting", "parameter", "tls", "protocol"),
    [
        (b"HELO", b"", False, "SMTP"),
        (b"EHLO", b"", False, "ESMTP"),
        (b"EHLO", b"", True, "ESMTPS"),
        (b"EHLO", b" SMTPUTF8", False, "UTF8SMTP"),
        (b"EHLO", b" SMTPUTF8", True, "UTF8SMTPS"),
    ],
)
def test_a_delivery_names_the_protocol(
    greeting: bytes, parameter: bytes, tls: bool, protocol: str
) -> None:
    play = Play(Session(RULES))
    if tls:
        play.feed(b"EHLO c\r\nSTARTTLS\r\n")
    play.feed(
        greeting + b" c\r\nMAIL FROM:<>" + parameter + b"\r\nRCPT TO:<c@d.example>\r\nDATA\r\n.\r\n"
    )
    assert play.delivered[0].protocol == protocol


def test_utf8_addresses_are_taken_with_smtputf8() -> None:
    play = played(
        b"EHLO c\r\nMAIL FROM:<\xc3\xa4@b.example> SMTPUTF8\r\n"
        b"RCPT TO:<\xc3\xbc@\xc3\xb6.example>\r\n"
    )
    assert play.codes == [220, 250, 250, 250]
    assert play.asked == ["\u00fc@\u00f6.example"]


def test_ehlo_lists_what_is_offered() -> None:
    play = played(b"EHLO c\r\n")
    assert play.replies[1].lines == (
        "mx.example",
        "PIPELINING",
        "SIZE 1000",
        "8BITMIME",
        "SMTPUTF8",
        "CHUNKING",
        "ENHANCEDSTATUSCODES",
        "HELP",
        "STARTTLS",
    )
    without = Play(Session(RULES), offers_tls=False)
    without.feed(b"EHLO c\r\n")
    assert "STARTTLS" not in without.replies[1].lines


def test_what_came_before_tls_is_forgotten() -> None:
    play = Play(Session(RULES))
    play.feed(b"EHLO c\r\nSTARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@b.example>\r\n")
    assert play.codes == [220, 250, 220]
    assert play.signals == [Signal.START_TLS]
    assert play.session.unread_bytes == 0
    assert play.session.helo == ""
    play.feed(b"MAIL FROM:<>\r\nEHLO c\r\nSTARTTLS\r\n")
    assert play.codes[3:] == [503, 250, 503]
    assert "STARTTLS" not in play.replies[4].lines


def test_starttls_in_a_transaction_or_where_it_is_not_offered_is_refused() -> None:
    assert played(b"EHLO c\r\nMAIL FROM:<>\r\nSTARTTLS\r\n").codes[-1] == 503
    without = Play(Session(RULES), offers_tls=False)
    without.feed(b"EHLO c\r\nSTARTTLS\r\n")
    assert without.codes[-1] == 502


def test_nothing_is_sent_without_tls_where_it_is_required() -> None:
    rules = replace(RULES, requires_tls=True)
    refused = b"MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nBDAT 6 LAST\r\nQUIT\r\nVRFY c\r\n"
    play = played(b"EHLO c\r\n" + refused + b"NOOP\r\nHELP\r\nRSET\r\nQUIT\r\n", rules)
    assert play.codes == [220, 250, *[530] * 5, 250, 214, 250, 221]
    play = Play(Session(rules))
    play.feed(b"EHLO c\r\nSTARTTLS\r\n", _START + b"DATA\r\n.\r\n")
    assert play.codes == [220, 250, 220, 250, 250, 250, 354, 250]


def test_too_many_errors_close() -> None:
    play = played(b"X\r\n" * (MAX_ERRORS + 5))
    assert play.codes == [220] + [500] * MAX_ERRORS + [421]
    assert play.signals == [Signal.CLOSE]


def test_a_stored_message_forgives_errors() -> None:
    half = b"X\r\n" * (MAX_ERRORS - 1)
    play = played(half + _START + b"DATA\r\n.\r\n" + half)
    assert 421 not in play.codes


def test_auth_is_slowed_before_it_is_refused() -> None:
    session = Session(RULES)
    session.receive(b"AUTH PLAIN AAAA\r\nNOOP\r\n")
    assert session.next_action() is Signal.SLOW_DOWN
    assert session.next_action() is None
    session.go_on()
    assert session.next_action() == reply.NOT_IMPLEMENTED
    assert session.next_action() == reply.OK


@pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n", b"\r\n.\n\r\n", b"a\r\r\n"])
def test_bare_newlines_are_kept_or_refused_by_setting(content: bytes) -> None:
    script = _START + b"DATA\r\n" + content + b".\r\nNOOP\r\n"
    assert played(script).codes == [*_STARTED, 354, 250, 250]
    strict = played(script, _STRICT)
    assert strict.codes == [*_STARTED, 354, 550, 250]
    assert not strict.delivered
    chunk = _START + b"BDAT %d LAST\r\n%b" % (len(content), content)
    assert played(chunk).delivered[0].content == content
    assert played(chunk, _STRICT).codes[-1] == 550


@pytest.mark.parametrize(
    "smuggled",
    [
        b"\n.\n",
        b"\r.\r",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r\n.\0\r\n",
        b"\r\n\0.\r\n",
        b"\r\r\n.\r\r\n",
    ],
)
def test_nothing_is_smuggled_behind_a_false_end(smuggled: bytes) -> None:
    evil = b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nevil\r\n"
    play = played(_START + b"DATA\r\nhello" + smuggled + evil + b".\r\n")
    assert play.codes == [*_STARTED, 354, 250]
    assert len(play.delivered) == 1
    assert b"evil" in play.delivered[0].content


def test_a_question_holds_back_what_is_pipelined_behind_it() -> None:
    session = Session(RULES)
    session.receive(_START + b"RCPT TO:<e@f.example>\r\nNOOP\r\n")
    for _ in range(2):
        session.next_action()
    assert session.next_action() == AskRecipient("c@d.example")
    assert session.next_action() is None
    session.receive(b"NOOP\r\n")
    assert session.next_action() is None
    session.refuse_recipient(reply.CANNOT_CHECK_RECIPIENT)
    assert session.next_action() == reply.CANNOT_CHECK_RECIPIENT
    assert session.next_action() == AskRecipient("e@f.example")


def test_no_room_is_awaited_before_354_and_before_the_first_chunk_only() -> None:
    data = played(_START + b"DATA\r\n.\r\n")
    assert data.signals == [Signal.AWAIT_ROOM]
    chunks = played(_START + b"BDAT 1\r\nxBDAT 1\r\nxBDAT 1 LAST\r\nx")
    assert chunks.signals == [Signal.AWAIT_ROOM]
    session = Session(RULES)
    session.receive(_START + b"BDAT 1 LAST\r\nx")
    while (action := session.next_action()) is not Signal.AWAIT_ROOM:
        if isinstance(action, AskRecipient):
            session.accept_recipient(Recipient(original_inbox="c", inbox="c", domain="d"))
    assert session.next_action() is None
    session.go_on()
    assert isinstance(session.next_action(), Deliver)


@pytest.mark.parametrize(
    ("begin", "rest"),
    [
        (b"DATA\r\nabc", b"def\r\n.\r\n"),
        (b"BDAT 6 LAST\r\nabc", b"def"),
        (b"BDAT 6\r\nabc", b"def"),
    ],
)
def test_a_message_that_finds_no_more_memory_is_read_to_its_end(begin: bytes, rest: bytes) -> None:
    play = Play(Session(RULES))
    play.feed(_START + begin)
    assert play.session.held_bytes == 3
    assert play.session.in_message
    play.session.refuse_message(reply.NO_STORAGE)
    assert play.session.held_bytes == 0
    play.feed(rest + b"NOOP\r\n")
    assert play.codes[-2:] == [452, 250]
    assert not play.delivered
    assert not play.session.in_message


def test_answers_after_the_close_change_nothing() -> None:
    session = Session(RULES)
    session.receive(_START)
    for _ in range(3):
        session.next_action()
    session.close(reply.STOPPING)
    session.accept_recipient(Recipient(original_inbox="c", inbox="c", domain="d"))
    session.finish_message(reply.STORED)
    session.go_on()
    assert session.next_action() == reply.STOPPING
    assert session.next_action() is Signal.CLOSE
    session.receive(b"NOOP\r\n")
    assert session.next_action() is None
    assert session.closed


def test_commands_have_no_recursion_limit() -> None:
    play = Play(Session(RULES))
    play.feed(b"NOOP\r\n" * 50_000)
    assert play.codes == [220] + [250] * 50_000
