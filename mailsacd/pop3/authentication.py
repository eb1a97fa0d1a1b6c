"""AUTH within a session (RFC 5034): an exchange of lines that ends in credentials or a fault."""

from collections.abc import Callable
from typing import Final

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
from mailsacd.pop3.action import Action, LogIn, State
from mailsacd.pop3.conversation import Conversation

_MECHANISM_LIST: Final = "".join(f"{name}\r\n" for name in MECHANISMS).encode()


def begin_auth(conversation: Conversation, argument: bytes) -> Action:
    """Carry out the command AUTH (RFC 5034 section 4). Returns what is to be done.

    Without a mechanism it lists them, as older clients ask.
    """
    words = argument.split()
    if not conversation.may_log_in:
        return conversation.fault(answer.TLS_NEEDED)
    if not words:
        return b"+OK\r\n%b.\r\n" % _MECHANISM_LIST
    if len(words) > 2:
        return conversation.fault(answer.BAD_ARGUMENTS)
    try:
        exchange = SaslExchange(words[0])
    except UnknownMechanismError:
        return conversation.fault(answer.UNKNOWN_MECHANISM)
    conversation.exchange, conversation.state = exchange, State.EXCHANGE
    initial = words[1] if len(words) == 2 else None
    return _exchange(conversation, lambda: exchange.start(initial))


def respond(conversation: Conversation, exchange: SaslExchange, line: bytes) -> Action:
    """Take a ``line`` of the client's, the response to a challenge of the ``exchange``.

    Returns what is to be done: the next challenge, LogIn, or an answer that ends the exchange.
    """
    return _exchange(conversation, lambda: exchange.respond(line))


def log_in(conversation: Conversation, name: str, secret: str) -> Action:
    """Ask whose ``name`` and ``secret`` are. No command is read before the answer has come."""
    conversation.waiting = True
    return LogIn(name, secret)


def _exchange(conversation: Conversation, take: Callable[[], Step]) -> Action:
    try:
        step = take()
    except SaslError as e:
        conversation.end_exchange()
        cancelled = isinstance(e, CancelledError)
        return conversation.fault(answer.CANCELLED if cancelled else answer.err(str(e)))
    if isinstance(step, Challenge):
        return b"+ %b\r\n" % step.text
    conversation.end_exchange()
    return log_in(conversation, step.name, step.secret)
