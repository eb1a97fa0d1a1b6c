"""AUTH within a session (RFC 4954): an exchange of lines that ends in credentials or a fault."""

from typing import Final

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
from mailsacd.smtp.action import Action, LogIn, State
from mailsacd.smtp.conversation import Conversation
from mailsacd.smtp.grammar import parse_auth

_ANSWERS: Final = {
    AuthorizationIdentityError: reply.WRONG_LOGIN,
    CancelledError: reply.AUTH_CANCELLED,
    TooLongError: reply.AUTH_LINE_TOO_LONG,
    UnknownMechanismError: reply.UNKNOWN_MECHANISM,
}


def begin_auth(conversation: Conversation, argument: bytes) -> Action:
    """Carry out the command AUTH (RFC 4954 section 4). Returns what is to be done.

    Raises GrammarError for an ``argument`` that is no mechanism and initial response.
    """
    mechanism, initial_response = parse_auth(argument)
    if conversation.account is not None:
        return conversation.fault(reply.AUTHENTICATED_ALREADY)
    if conversation.state is not State.READY:  # after HELO, too: old programs know no other word
        return conversation.fault(reply.BAD_SEQUENCE)
    if not conversation.may_log_in:
        return conversation.fault(reply.TLS_NEEDED)
    try:
        conversation.exchange = SaslExchange(mechanism)
        return _go_on(conversation, conversation.exchange.start(initial_response))
    except SaslError as e:
        return _broken_off(conversation, e)


def respond(conversation: Conversation, exchange: SaslExchange, line: bytes) -> Action:
    """Take a ``line`` of the client's, the response to a challenge of the ``exchange``.

    Returns what is to be done: the next challenge, LogIn, or a reply that ends the exchange.
    """
    try:
        return _go_on(conversation, exchange.respond(line))
    except SaslError as e:
        return _broken_off(conversation, e)


def _go_on(conversation: Conversation, step: Step) -> Action:
    if isinstance(step, Challenge):
        conversation.state = State.AUTH
        return Reply(334, "", (step.text.decode("ascii"),))
    conversation.exchange, conversation.state = None, State.READY
    conversation.waiting = True
    return LogIn(step.name, step.secret)


def _broken_off(conversation: Conversation, error: SaslError) -> Action:
    conversation.exchange, conversation.state = None, State.READY
    answer = _ANSWERS.get(type(error))
    return conversation.fault(answer or reply.BAD_AUTH_RESPONSE.saying(f"{error}"))
