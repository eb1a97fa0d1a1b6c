"""What each POP3 command does, and in which states it may come: the table at the end.

A command takes the session and its argument, changes the session, and returns what is to be done.
Raised grammar errors become its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from mailsacd.core.sasl import (
    MECHANISMS,
    CancelledError,
    Challenge,
    SaslError,
    SaslExchange,
    Step,
    UnknownMechanismError,
)
from mailsacd.pop3 import answer
from mailsacd.pop3.action import Action, LogIn, Remove, Retrieve, Signal
from mailsacd.pop3.grammar import parse_nothing, parse_number, parse_text, parse_top
from mailsacd.pop3.state import State

if TYPE_CHECKING:
    from mailsacd.pop3.session import Session

_MECHANISM_LIST: Final = "".join(f"{name}\r\n" for name in MECHANISMS).encode()
_LANGUAGES: Final = b"+OK\r\nen English\r\ni-default English\r\n.\r\n"
_ENGLISH: Final = ("*", "en", "i-default")


def perform(session: Session, verb: bytes, argument: bytes) -> Action:
    """Do the command ``verb`` (in upper case). Raises GrammarError."""
    name, session.name = session.name, None
    command, states = _COMMANDS.get(verb, _UNKNOWN)
    if session.state not in states:
        return session.fault(answer.NOT_NOW)
    if verb == b"PASS":
        session.name = name
    return command(session, argument)


def respond(session: Session, exchange: SaslExchange, line: bytes) -> Action:
    """Take a response to a challenge."""
    return _exchange(session, lambda: exchange.respond(line))


# AUTHORIZATION


def _user(session: Session, argument: bytes) -> Action:
    if not session.may_log_in:
        return session.fault(answer.TLS_NEEDED)
    session.name = parse_text(argument.strip(b" "))
    return answer.SEND_PASSWORD  # whether or not there is such a maildrop


def _pass(session: Session, argument: bytes) -> Action:
    name, session.name = session.name, None
    if not session.may_log_in:
        return session.fault(answer.TLS_NEEDED)
    if name is None:
        return session.fault(answer.USER_FIRST)
    return _log_in(session, name, parse_text(argument))


def _auth(session: Session, argument: bytes) -> Action:
    """RFC 5034 section 4. Without a mechanism it lists them, as older clients ask."""
    words = argument.split()
    if not session.may_log_in:
        return session.fault(answer.TLS_NEEDED)
    if not words:
        return b"+OK\r\n%b.\r\n" % _MECHANISM_LIST
    if len(words) > 2:
        return session.fault(answer.BAD_ARGUMENTS)
    try:
        exchange = SaslExchange(words[0])
    except UnknownMechanismError:
        return session.fault(answer.UNKNOWN_MECHANISM)
    session.exchange, session.state = exchange, State.EXCHANGE
    initial = words[1] if len(words) == 2 else None
    return _exchange(session, lambda: exchange.start(initial))


def _exchange(session: Session, take: Callable[[], Step]) -> Action:
    try:
        step = take()
    except SaslError as e:
        session.exchange, session.state = None, State.AUTHORIZATION
        cancelled = isinstance(e, CancelledError)
        return session.fault(answer.CANCELLED if cancelled else answer.err(str(e)))
    if isinstance(step, Challenge):
        return b"+ %b\r\n" % step.text
    session.exchange, session.state = None, State.AUTHORIZATION
    return _log_in(session, step.name, step.secret)


def _log_in(session: Session, name: str, secret: str) -> Action:
    session.waiting = True
    return LogIn(name, secret)


def _stls(session: Session, argument: bytes) -> Action:
    parse_nothing(argument)
    if session.tls:
        return session.fault(answer.HAS_TLS)
    if not session.rules.offers_tls:
        return session.fault(answer.NO_TLS)
    # RFC 2595 section 4: nothing learned before TLS is kept, unread input least of all
    session.forget_input()
    session.tls = True
    session.then(Signal.START_TLS)
    return answer.READY_FOR_TLS


def _utf8(_session: Session, argument: bytes) -> Action:
    parse_nothing(argument)
    return answer.UTF8_ON  # messages and names are never anything else


# TRANSACTION


def _stat(session: Session, argument: bytes) -> Action:
    parse_nothing(argument)
    return b"+OK %d %d\r\n" % session.selection.stat()


def _list(session: Session, argument: bytes) -> Action:
    if not argument.strip(b" "):
        return session.selection.scan_listings()
    number = parse_number(argument)
    return b"+OK %d %d\r\n" % (number, session.selection.size(session.selection.place(number)))


def _uidl(session: Session, argument: bytes) -> Action:
    if not argument.strip(b" "):
        return session.selection.unique_id_listings()
    number = parse_number(argument)
    return answer.ok(f"{number} {session.selection.unique_id(session.selection.place(number))}")


def _retr(session: Session, argument: bytes) -> Action:
    place = session.selection.place(parse_number(argument))
    session.waiting = True
    return Retrieve(place, None)


def _top(session: Session, argument: bytes) -> Action:
    number, lines = parse_top(argument)
    place = session.selection.place(number)
    session.waiting = True
    return Retrieve(place, lines)


def _dele(session: Session, argument: bytes) -> Action:
    number = parse_number(argument)
    session.selection.delete(session.selection.place(number))
    return answer.ok(f"message {number} is marked as deleted")


def _rset(session: Session, argument: bytes) -> Action:
    parse_nothing(argument)
    session.selection.reset()
    return answer.OK


def _noop(_session: Session, _argument: bytes) -> Action:
    return answer.OK


# Any state


def _capa(session: Session, argument: bytes) -> Action:
    parse_nothing(argument)
    return session.rules.capabilities(
        may_start_tls=session.rules.offers_tls and not session.tls,
        may_log_in=session.may_log_in,
        logged_in=session.state is State.TRANSACTION,
    )


def _lang(session: Session, argument: bytes) -> Action:
    """RFC 6856 section 3."""
    if not argument.strip(b" "):
        return _LANGUAGES
    if argument.strip(b" ").decode("ascii", "replace").lower() in _ENGLISH:
        return answer.ok("en English it is")
    return session.fault(answer.UNKNOWN_LANGUAGE)


def _quit(session: Session, argument: bytes) -> Action:
    parse_nothing(argument)
    places = session.selection.deleted
    session.closing(answer.BYE)
    if not places:
        return answer.BYE
    session.waiting = True
    return Remove(places)


def _unknown(session: Session, _argument: bytes) -> Action:
    return session.fault(answer.UNKNOWN_COMMAND)


def _http(session: Session, _argument: bytes) -> Action:
    # A web page can make a browser post to a port: no password is guessed that way
    return session.closing(answer.NOT_HTTP)


_Command = Callable[["Session", bytes], Action]

_ANY: Final = (State.AUTHORIZATION, State.TRANSACTION)
_BEFORE: Final = (State.AUTHORIZATION,)
_AFTER: Final = (State.TRANSACTION,)
_UNKNOWN: Final[tuple[_Command, tuple[State, ...]]] = (_unknown, _ANY)

_COMMANDS: Final[Mapping[bytes, tuple[_Command, tuple[State, ...]]]] = {
    b"USER": (_user, _BEFORE),
    b"PASS": (_pass, _BEFORE),
    b"AUTH": (_auth, _BEFORE),
    b"STLS": (_stls, _BEFORE),
    b"UTF8": (_utf8, _BEFORE),
    b"STAT": (_stat, _AFTER),
    b"LIST": (_list, _AFTER),
    b"UIDL": (_uidl, _AFTER),
    b"RETR": (_retr, _AFTER),
    b"TOP": (_top, _AFTER),
    b"DELE": (_dele, _AFTER),
    b"RSET": (_rset, _AFTER),
    b"NOOP": (_noop, _AFTER),
    b"CAPA": (_capa, _ANY),
    b"LANG": (_lang, _ANY),
    b"QUIT": (_quit, _ANY),
    b"GET": (_http, _ANY),
    b"HEAD": (_http, _ANY),
    b"POST": (_http, _ANY),
    b"PUT": (_http, _ANY),
    b"OPTIONS": (_http, _ANY),
    b"CONNECT": (_http, _ANY),
}
