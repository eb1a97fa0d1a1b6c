"""What each SMTP command does, and in which states it may come: the table at the end.

A command takes the session and its argument, changes the session, and returns what is to be done.
Raised grammar errors become its reply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from mailsacd.core import reply
from mailsacd.smtp.action import Action, AskRecipient, Signal
from mailsacd.smtp.authentication import begin_auth
from mailsacd.smtp.framing import ChunkReader, TextReader
from mailsacd.smtp.grammar import parse_chunk, parse_helo, parse_nothing
from mailsacd.smtp.state import State
from mailsacd.smtp.transaction import Transaction

if TYPE_CHECKING:
    from mailsacd.smtp.session import Session


def perform(session: Session, verb: bytes, argument: bytes) -> Action | None:
    """Do the command ``verb`` (in upper case). None when a chunk's bytes come next.

    Raises GrammarError.
    """
    command, states = _COMMANDS.get(verb, _UNKNOWN)
    if session.state in states:
        return command(session, argument)
    answer = reply.BAD_SEQUENCE
    if session.transaction.some_refused and verb in {b"DATA", b"BDAT"}:
        answer = reply.NO_VALID_RECIPIENTS
    if verb != b"BDAT":
        return session.fault(answer)
    size, _ = parse_chunk(argument)  # RFC 3030 section 2: the chunk comes all the same
    session.begin_chunk(ChunkReader(0), size, session.state)
    session.refuse_message(answer)
    return None


def _helo(session: Session, argument: bytes) -> Action:
    session.helo = parse_helo(argument)
    session.extended = False
    session.reset(State.READY)
    return session.rules.helo


def _ehlo(session: Session, argument: bytes) -> Action:
    session.helo = parse_helo(argument)
    session.extended = True
    session.reset(State.READY)
    rules = session.rules
    return rules.ehlo(
        tls=rules.offers_tls and not session.tls,
        auth=rules.requires_auth and session.may_log_in and session.account is None,
    )


def _starttls(session: Session, argument: bytes) -> Action:
    parse_nothing(argument)
    if not session.rules.offers_tls:
        return session.fault(reply.NOT_IMPLEMENTED)
    if session.tls:
        return session.fault(reply.BAD_SEQUENCE)
    # RFC 3207 section 4.2: nothing learned before TLS is kept, unread input least of all
    session.forget_input()
    session.helo, session.extended, session.tls, session.account = "", False, True, None
    session.reset(State.START)
    session.then(Signal.START_TLS)
    return reply.READY_FOR_TLS


def _mail(session: Session, argument: bytes) -> Action:
    if session.account is None and session.rules.requires_auth:
        return session.fault(reply.AUTH_NEEDED)
    transaction = Transaction.begin(
        argument, extended=session.extended, authenticated=session.account is not None
    )
    if transaction.declared_bytes > session.rules.max_message_bytes:
        return reply.TOO_LARGE
    if session.refuses(transaction.reverse_path):
        return session.fault(reply.SENDER_DENIED)
    session.transaction = transaction
    session.state = State.SENDER
    return reply.SENDER_OK


def _rcpt(session: Session, argument: bytes) -> Action:
    path = session.transaction.recipient_path(argument, session.rules.hostname)
    if len(session.transaction.recipients) >= session.rules.max_recipients:
        return reply.TOO_MANY_RECIPIENTS
    session.waiting = True
    return AskRecipient(path)


def _data(session: Session, argument: bytes) -> Action:
    parse_nothing(argument)
    session.reader = TextReader(session.rules.max_message_bytes)
    session.state = State.TEXT
    session.waiting = True
    return Signal.AWAIT_ROOM


def _bdat(session: Session, argument: bytes) -> Action | None:
    size, is_last = parse_chunk(argument)
    then = State.DELIVERING if is_last else State.CHUNKS
    if isinstance(session.reader, ChunkReader):
        session.begin_chunk(session.reader, size, then)
        return None
    session.begin_chunk(ChunkReader(session.rules.max_message_bytes), size, then)
    session.waiting = True
    return Signal.AWAIT_ROOM


def _rset(session: Session, argument: bytes) -> Action:
    parse_nothing(argument)
    session.reset(State.READY if session.helo else State.START)
    return reply.OK


def _noop(_session: Session, _argument: bytes) -> Action:
    return reply.OK


def _help(_session: Session, _argument: bytes) -> Action:
    return reply.HELP


def _vrfy(_session: Session, _argument: bytes) -> Action:
    return reply.CANNOT_VERIFY


def _quit(session: Session, argument: bytes) -> Action:
    parse_nothing(argument)
    return session.closing(reply.BYE)


def _auth(session: Session, argument: bytes) -> Action:
    if session.rules.requires_auth:
        return begin_auth(session, argument)
    answer = session.fault(reply.NOT_IMPLEMENTED)
    if session.state is State.CLOSED:
        return answer
    session.then(answer)
    session.waiting = True
    return Signal.SLOW_DOWN


def _not_implemented(session: Session, _argument: bytes) -> Action:
    return session.fault(reply.NOT_IMPLEMENTED)


def _unknown(session: Session, _argument: bytes) -> Action:
    return session.fault(reply.UNKNOWN_COMMAND)


def _http(session: Session, _argument: bytes) -> Action:
    # A web page can make a browser post mail to a port: RFC 5321 knows none of these verbs
    return session.closing(reply.NOT_HTTP)


_Command = Callable[["Session", bytes], Action | None]

# Tuples: a state is found in one by identity, where a set would call its slow hash
_ANY: Final = tuple(state for state in State if state is not State.CLOSED)
_GREETED: Final = (State.READY,)
_IN_TRANSACTION: Final = (State.SENDER, State.RECIPIENTS)
_HAS_RECIPIENTS: Final = (State.RECIPIENTS,)
_UNKNOWN: Final[tuple[_Command, tuple[State, ...]]] = (_unknown, _ANY)

_COMMANDS: Final[Mapping[bytes, tuple[_Command, tuple[State, ...]]]] = {
    b"EHLO": (_ehlo, _ANY),
    b"HELO": (_helo, _ANY),
    b"STARTTLS": (_starttls, (State.START, State.READY)),
    b"AUTH": (_auth, _ANY),
    b"MAIL": (_mail, _GREETED),
    b"RCPT": (_rcpt, _IN_TRANSACTION),
    b"DATA": (_data, _HAS_RECIPIENTS),
    b"BDAT": (_bdat, (State.RECIPIENTS, State.CHUNKS)),
    b"RSET": (_rset, _ANY),
    b"NOOP": (_noop, _ANY),
    b"HELP": (_help, _ANY),
    b"VRFY": (_vrfy, _ANY),
    b"QUIT": (_quit, _ANY),
    b"EXPN": (_not_implemented, _ANY),
    b"ETRN": (_not_implemented, _ANY),
    b"TURN": (_not_implemented, _ANY),
    b"SEND": (_not_implemented, _ANY),
    b"SOML": (_not_implemented, _ANY),
    b"SAML": (_not_implemented, _ANY),
    b"GET": (_http, _ANY),
    b"HEAD": (_http, _ANY),
    b"POST": (_http, _ANY),
    b"PUT": (_http, _ANY),
    b"DELETE": (_http, _ANY),
    b"OPTIONS": (_http, _ANY),
    b"CONNECT": (_http, _ANY),
}
