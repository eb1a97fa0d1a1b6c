"""AUTH within a session (RFC 4954): an exchange of lines that ends in credentials or a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailsacd.core import reply
from mailsacd.core.reply import Reply
from mailsacd.core.sasl import (
    AuthorizationIdentityError,
    CancelledError,
    Challenge,
    SaslError,
    SaslExchange,
    Step,
    TooLongError,
    UnknownMechanismError,
)
from mailsacd.smtp.action import Action, LogIn
from mailsacd.smtp.grammar import parse_auth
from mailsacd.smtp.state import State

if TYPE_CHECKING:
    from mailsacd.smtp.session import Session

_ANSWERS: Final = {
    AuthorizationIdentityError: reply.WRONG_LOGIN,
    CancelledError: reply.AUTH_CANCELLED,
    TooLongError: reply.AUTH_LINE_TOO_LONG,
    UnknownMechanismError: reply.UNKNOWN_MECHANISM,
}


def begin_auth(session: Session, argument: bytes) -> Action:
    """The command AUTH. Raises GrammarError."""
    mechanism, initial_response = parse_auth(argument)
    if session.account is not None:
        return session.fault(reply.AUTHENTICATED_ALREADY)
    if session.state is not State.READY or not session.extended:
        return session.fault(reply.BAD_SEQUENCE)
    if not session.may_log_in:
        return session.fault(reply.TLS_NEEDED)
    try:
        session.exchange = SaslExchange(mechanism)
        return _go_on(session, session.exchange.start(initial_response))
    except SaslError as e:
        return _broken_off(session, e)


def respond(session: Session, exchange: SaslExchange, line: bytes) -> Action:
    """A line of the client's within the exchange."""
    try:
        return _go_on(session, exchange.respond(line))
    except SaslError as e:
        return _broken_off(session, e)


def _go_on(session: Session, step: Step) -> Action:
    if isinstance(step, Challenge):
        session.state = State.AUTH
        return Reply(334, "", (step.text.decode("ascii"),))
    session.exchange, session.state = None, State.READY
    session.waiting = True
    return LogIn(step.name, step.secret)


def _broken_off(session: Session, error: SaslError) -> Action:
    session.exchange, session.state = None, State.READY
    answer = _ANSWERS.get(type(error))
    return session.fault(answer or reply.BAD_AUTH_RESPONSE.saying(f"{error}"))
