"""Sessions as scripts of (send, expected answers), each fed whole and byte by byte."""

import base64
from dataclasses import dataclass, field

import pytest

from mailsacd.core.maildrop import Listing
from mailsacd.core.sasl import MAX_LINE_OCTETS
from mailsacd.pop3 import answer
from mailsacd.pop3.action import LogIn, Remove, Retrieve, Signal
from mailsacd.pop3.rules import SessionRules
from mailsacd.pop3.session import MAX_LOGINS, Session
from mailsacd.sockets.line_session import MAX_ERRORS

_RULES = SessionRules(hostname="pop.example", version="1", login_delay_s=0)
_NO_TLS = SessionRules(hostname="pop.example", version="1", login_delay_s=7)
_LISTING = Listing(ids=("one-0", "two-0", "three-0"), sizes=(10, 200, 3_000))

_GREETING = b"+OK pop.example mailsacd POP3 is ready\r\n"
_LOGIN = b"USER box@me.example\r\nPASS right\r\n"
_LOGGED_IN = [_GREETING, answer.SEND_PASSWORD, b"+OK 3 messages, 3210 octets\r\n"]
_LIST = b"+OK\r\n1 10\r\n2 200\r\n3 3000\r\n.\r\n"
_UIDL = b"+OK\r\n1 one-0\r\n2 two-0\r\n3 three-0\r\n.\r\n"


@dataclass
class _Play:
    """Runs a session with immediate answers: the password is ``right``; message 3 is gone."""

    rules: SessionRules = _RULES
    trusted: bool = True
    sent: list[bytes] = field(default_factory=list)
    asked: list[LogIn | Retrieve | Remove] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = Session(self.rules)
        self.session.trusted = self.trusted
        self.session.offers_tls = self.rules is not _NO_TLS
        self.session.greet()
        self._run()

    def feed(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.session.receive(piece)
            self._run()

    def _run(self) -> None:
        while (action := self.session.next_action()) is not None:
            if isinstance(action, bytes):
                self.sent.append(action)
            elif isinstance(action, Signal):
                self.signals.append(action)
            else:
                self.asked.append(action)
                self._answer(action)

    def _answer(self, action: LogIn | Retrieve | Remove) -> None:
        assert self.session.next_action() is None  # the question is open
        if isinstance(action, Remove):
            self.session.go_on(answer.BYE)
        elif isinstance(action, LogIn):
            if action.secret == "right":
                self.session.admit(_LISTING)
            else:
                self.session.refuse(answer.WRONG)
        elif action.place == 2:
            self.session.go_on(answer.GONE)
        else:
            self.sent.append(b"(message)")
            self.session.go_on()


def _play(script: bytes, rules: SessionRules = _RULES, *, trusted: bool = True) -> _Play:
    """The outcome of ``script``, which is the same however it is cut."""
    whole = _Play(rules, trusted)
    whole.feed(script)
    single = _Play(rules, trusted)
    single.feed(*(bytes([b]) for b in script))
    assert whole.sent == single.sent
    assert whole.asked == single.asked
    assert whole.signals == single.signals
    assert whole.session.state is single.session.state
    return whole


def _b64(text: str) -> bytes:
    return base64.b64encode(text.encode())


_IN: dict[str, tuple[bytes, list[bytes]]] = {
    "status": (b"STAT\r\nstat\r\n", [b"+OK 3 3210\r\n"] * 2),
    "lists": (b"LIST\r\nUIDL\r\n", [_LIST, _UIDL]),
    "lists of one": (b"LIST 2\r\nUIDL 3\r\n", [b"+OK 2 200\r\n", b"+OK 3 three-0\r\n"]),
    "of none": (
        b"LIST 4\r\nUIDL 0\r\nRETR x\r\nDELE\r\nTOP 1\r\nTOP 4 1\r\n",
        [
            answer.NO_SUCH_MESSAGE,
            *[answer.BAD_NUMBER] * 3,
            answer.BAD_ARGUMENTS,
            answer.NO_SUCH_MESSAGE,
        ],
    ),
    "messages": (b"RETR 1\r\nTOP 2 5\r\nRETR 3\r\n", [b"(message)", b"(message)", answer.GONE]),
    "what is marked is not there": (
        b"DELE 2\r\nSTAT\r\nLIST\r\nUIDL\r\nLIST 2\r\nUIDL 2\r\nRETR 2\r\nTOP 2 0\r\nDELE 2\r\n",
        [
            b"+OK message 2 is marked as deleted\r\n",
            b"+OK 2 3010\r\n",
            b"+OK\r\n1 10\r\n3 3000\r\n.\r\n",
            b"+OK\r\n1 one-0\r\n3 three-0\r\n.\r\n",
            *[answer.DELETED] * 5,
        ],
    ),
    "RSET unmarks": (
        b"DELE 1\r\nDELE 3\r\nRSET\r\nLIST\r\n",
        [
            b"+OK message 1 is marked as deleted\r\n",
            b"+OK message 3 is marked as deleted\r\n",
            answer.OK,
            _LIST,
        ],
    ),
    "nothing to do": (b"NOOP\r\nNOOP x\r\n", [answer.OK, answer.OK]),
    "not here": (b"USER a\r\nPASS b\r\nAUTH PLAIN\r\nSTLS\r\nUTF8\r\n", [answer.NOT_NOW] * 5),
    "no arguments": (b"STAT x\r\nRSET x\r\nQUIT x\r\nCAPA x\r\n", [answer.BAD_ARGUMENTS] * 4),
    "languages": (
        b"LANG\r\nLANG en\r\nLANG *\r\nLANG fr\r\n",
        [
            b"+OK\r\nen English\r\ni-default English\r\n.\r\n",
            *[b"+OK en English it is\r\n"] * 2,
            answer.UNKNOWN_LANGUAGE,
        ],
    ),
    "unknown": (b"XYZZY\r\n\r\n", [answer.UNKNOWN_COMMAND] * 2),
    "bare newlines": (b"STAT\nSTAT\r\nSTAT\r\r\n", [answer.BARE_NEWLINE] * 2),
    "a long line": (
        b"NOOP " + b"x" * 300 + b"\r\nSTAT\r\n",
        [answer.LINE_TOO_LONG, b"+OK 3 3210\r\n"],
    ),
    "a line without end": (
        b"x" * 100_000 + b"\r\nSTAT\r\n",
        [answer.LINE_TOO_LONG, b"+OK 3 3210\r\n"],
    ),
}


@pytest.mark.parametrize("name", _IN)
def test_a_session_that_is_logged_in(name: str) -> None:
    script, expected = _IN[name]
    assert _play(_LOGIN + script).sent == [*_LOGGED_IN, *expected]


_PLAIN = _b64("\0box@me.example\0right")
_OUT: dict[str, tuple[bytes, list[bytes]]] = {
    "PASS first": (b"PASS right\r\n", [answer.USER_FIRST]),
    "something between USER and PASS": (
        b"USER a\r\nLANG en\r\nPASS right\r\n",
        [answer.SEND_PASSWORD, b"+OK en English it is\r\n", answer.USER_FIRST],
    ),
    "no name": (b"USER\r\nUSER  \r\nPASS x\r\n", [*[answer.BAD_ARGUMENTS] * 2, answer.USER_FIRST]),
    "wrong, then right": (
        b"USER a\r\nPASS no\r\nPASS right\r\n" + _LOGIN,
        [answer.SEND_PASSWORD, answer.WRONG, answer.USER_FIRST, *_LOGGED_IN[1:]],
    ),
    "too early": (
        b"STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nTOP 1 0\r\nDELE 1\r\nRSET\r\nNOOP\r\n",
        [answer.NOT_NOW] * 8,
    ),
    "PLAIN with initial response": (
        b"AUTH PLAIN " + _PLAIN + b"\r\nSTAT\r\n",
        [
            _LOGGED_IN[2],
            b"+OK 3 3210\r\n",
        ],
    ),
    "plain without": (b"auth plain\r\n" + _PLAIN + b"\r\n", [b"+ \r\n", _LOGGED_IN[2]]),
    "LOGIN": (
        b"AUTH LOGIN\r\n" + _b64("box@me.example") + b"\r\n" + _b64("right") + b"\r\n",
        [b"+ VXNlcm5hbWU6\r\n", b"+ UGFzc3dvcmQ6\r\n", _LOGGED_IN[2]],
    ),
    "LOGIN with initial response": (
        b"AUTH LOGIN " + _b64("box@me.example") + b"\r\n" + _b64("right") + b"\r\n",
        [b"+ UGFzc3dvcmQ6\r\n", _LOGGED_IN[2]],
    ),
    "cancelled": (
        b"AUTH LOGIN\r\n*\r\nCAPA x\r\n",
        [
            b"+ VXNlcm5hbWU6\r\n",
            answer.CANCELLED,
            answer.BAD_ARGUMENTS,
        ],
    ),
    "a bare newline in a response": (
        b"AUTH PLAIN\r\nYQ\n==\r\nCAPA x\r\n",
        [b"+ \r\n", answer.BARE_NEWLINE, answer.BAD_ARGUMENTS],
    ),
    "not base64": (b"AUTH PLAIN\r\n!\r\n", [b"+ \r\n", answer.err("Not base64")]),
    "an empty response": (
        b"AUTH PLAIN =\r\n",
        [
            answer.err("A PLAIN response has three parts with a NUL between each two"),
        ],
    ),
    "a long response": (
        b"AUTH PLAIN\r\n" + b"A" * 2 * MAX_LINE_OCTETS + b"\r\n" + _LOGIN,
        [
            b"+ \r\n",
            answer.LINE_TOO_LONG,
            *_LOGGED_IN[1:],
        ],
    ),
    "mechanisms": (
        b"AUTH\r\nAUTH X\r\nAUTH PLAIN a b\r\n",
        [
            b"+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n",
            answer.UNKNOWN_MECHANISM,
            answer.BAD_ARGUMENTS,
        ],
    ),
    "commands are no responses": (
        b"AUTH PLAIN\r\nQUIT\r\nQUIT\r\n",
        [
            b"+ \r\n",
            answer.err("A PLAIN response has three parts with a NUL between each two"),
            answer.BYE,
        ],
    ),
    "UTF8": (b"UTF8\r\nUSER gr\xc3\xbcn\r\n", [answer.UTF8_ON, answer.SEND_PASSWORD]),
    "not UTF-8": (b"USER \xff\r\n", [answer.NOT_UTF8]),
    "APOP": (b"APOP box@me.example 0123456789abcdef0123456789abcdef\r\n", [answer.UNKNOWN_COMMAND]),
    "a browser": (b"POST / HTTP/1.1\r\nUSER a\r\n", [answer.NOT_HTTP]),
    "QUIT": (b"QUIT\r\nSTAT\r\n", [answer.BYE]),
}


@pytest.mark.parametrize("name", _OUT)
def test_a_session_that_is_not_logged_in(name: str) -> None:
    script, expected = _OUT[name]
    assert _play(script).sent == [_GREETING, *expected]


def test_a_password_may_have_spaces_and_be_of_any_script() -> None:
    play = _play("USER  box@me.example \r\nPASS  gr\u00fcn und blau \r\n".encode())
    assert play.asked == [LogIn("box@me.example", " gr\u00fcn und blau ")]


@pytest.mark.parametrize(
    ("rules", "trusted", "tls", "names"),
    [
        (_RULES, True, False, b"USER\r\nSASL PLAIN LOGIN\r\nSTLS\r\n"),
        (_RULES, False, False, b"STLS\r\n"),
        (_RULES, False, True, b"USER\r\nSASL PLAIN LOGIN\r\n"),
        (_NO_TLS, False, False, b""),
    ],
)
def test_only_what_can_be_used_is_offered(
    rules: SessionRules, trusted: bool, tls: bool, names: bytes
) -> None:
    play = _Play(rules, trusted)
    play.feed(*([b"STLS\r\n"] if tls else []), b"CAPA\r\n")
    assert play.sent[-1] == (
        b"+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n"
        b"LOGIN-DELAY %d\r\nUTF8 USER\r\nLANG\r\n%bIMPLEMENTATION mailsacd-1\r\n.\r\n"
        % (rules.login_delay_s, names)
    )


def test_who_is_logged_in_is_not_offered_to_log_in() -> None:
    capabilities = _play(_LOGIN + b"CAPA\r\n").sent[-1]
    assert b"SASL" not in capabilities
    assert b"USER\r\n" not in capabilities.replace(b"UTF8 USER\r\n", b"")
    assert b"STLS" not in capabilities


def test_no_password_is_taken_in_the_clear() -> None:
    play = _play(_LOGIN + b"AUTH PLAIN\r\nAUTH\r\n", trusted=False)
    assert play.sent == [_GREETING, *[answer.TLS_NEEDED] * 4]
    assert not play.asked


def test_what_came_before_tls_is_forgotten() -> None:
    whole = _Play()
    whole.feed(b"USER a\r\nSTLS\r\n" + _LOGIN + b"DELE 1\r\nQUIT\r\n")
    assert whole.sent == [_GREETING, answer.SEND_PASSWORD, answer.READY_FOR_TLS]
    assert whole.signals == [Signal.START_TLS]
    whole.feed(b"PASS right\r\n")  # the name is forgotten, too
    assert whole.sent[-1] == answer.USER_FIRST
    assert not whole.asked


def test_tls_is_begun_once_and_where_it_is_offered() -> None:
    play = _Play()
    play.feed(b"STLS\r\n", b"STLS\r\n")
    assert play.sent[-1] == answer.HAS_TLS
    assert _play(b"STLS\r\n", _NO_TLS).sent[-1] == answer.NO_TLS


def test_quit_deletes_what_is_marked_and_nothing_else_does() -> None:
    marked = _LOGIN + b"DELE 1\r\nDELE 2\r\nRSET\r\nDELE 3\r\nDELE 1\r\n"
    assert _play(marked).asked == [LogIn("box@me.example", "right")]
    play = _play(marked + b"QUIT\r\nDELE 2\r\n")
    assert play.asked[-1] == Remove((0, 2))
    assert play.sent[-1] == answer.BYE
    assert play.signals == [Signal.CLOSE]
    assert not any(isinstance(a, Remove) for a in _play(_LOGIN + b"QUIT\r\n").asked)


def test_a_session_that_is_ended_deletes_nothing() -> None:
    play = _Play()
    play.feed(_LOGIN + b"DELE 1\r\n")
    play.session.close(answer.STOPPING)
    play.feed(b"QUIT\r\n")
    assert play.sent[-1] == answer.STOPPING
    assert play.signals == [Signal.CLOSE]
    assert not any(isinstance(a, Remove) for a in play.asked)


@pytest.mark.parametrize("before", [b"", _LOGIN])
def test_too_many_bad_commands_end_a_session(before: bytes) -> None:
    play = _play(before + b"XYZZY\r\n" * (MAX_ERRORS + 5))
    assert play.sent.count(answer.UNKNOWN_COMMAND) == MAX_ERRORS
    assert play.sent[-1] == answer.TOO_MANY_ERRORS
    assert play.signals == [Signal.CLOSE]


def test_too_many_wrong_passwords_end_a_session() -> None:
    play = _play(b"USER a\r\nPASS no\r\n" * (MAX_LOGINS + 2))
    assert play.sent.count(answer.WRONG) == MAX_LOGINS
    assert len(play.asked) == MAX_LOGINS
    assert play.signals == [Signal.CLOSE]


def test_an_empty_maildrop_is_listed_as_such() -> None:
    play = _Play()
    play.session.admit(Listing(ids=(), sizes=()))
    play.feed(b"STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nQUIT\r\n")
    assert play.sent[2:] == [
        b"+OK 0 0\r\n", b"+OK\r\n.\r\n", b"+OK\r\n.\r\n", answer.NO_SUCH_MESSAGE, answer.BYE,
    ]  # fmt: skip


def test_nothing_is_read_while_an_answer_is_open() -> None:
    session = Session(_RULES)
    session.trusted = True
    session.receive(_LOGIN + b"STAT\r\n")
    assert session.next_action() == answer.SEND_PASSWORD
    assert isinstance(session.next_action(), LogIn)
    assert session.next_action() is None
    assert session.unread_bytes == len(b"STAT\r\n")
    session.admit(_LISTING)
    assert session.next_action() == _LOGGED_IN[2]
    assert session.next_action() == b"+OK 3 3210\r\n"
