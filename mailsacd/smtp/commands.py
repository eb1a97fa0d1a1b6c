"""What each SMTP command does, and in which states it may come: the table at the end.

A command takes the conversation and its argument, changes the conversation, and returns what is to
be done. Raised grammar errors become its reply.
"""

from collections.abc import Callable, Mapping, Set
from typing import Final

from mailsacd.core import reply
from mailsacd.core.reply import Reply
from mailsacd.smtp.action import Action, AskRecipient, AskSender, Signal, State
from mailsacd.smtp.authentication import begin_auth
from mailsacd.smtp.conversation import Conversation
from mailsacd.smtp.framing import ChunkReader, TextReader
from mailsacd.smtp.grammar import (
    GrammarError,
    chunk_octets,
    parse_chunk,
    parse_helo,
    parse_nothing,
)
from mailsacd.smtp.transaction import Transaction


def perform(conversation: Conversation, verb: bytes, argument: bytes) -> Action | None:
    """Carry out the command ``verb`` (in upper case), ``argument`` being what follows its space.

    Returns what is to be done, or None when the bytes of a chunk come next. Raises GrammarError.
    """
    command, states = _COMMANDS.get(verb, _UNKNOWN)
    answer = reply.BAD_SEQUENCE
    if conversation.rules.requires_tls and not conversation.tls and verb not in _BEFORE_TLS:
        answer = reply.STARTTLS_FIRST
    elif conversation.state in states:
        return command(conversation, argument)
    elif conversation.transaction.some_refused and verb in {b"DATA", b"BDAT"}:
        answer = reply.NO_VALID_RECIPIENTS
    if verb == b"BDAT":
        return skip_chunk(conversation, argument, answer, conversation.state)
    return conversation.fault(answer)


def _helo(conversation: Conversation, argument: bytes) -> Action:
    conversation.helo = parse_helo(argument)
    conversation.extended = False
    conversation.reset(State.READY)
    return conversation.rules.helo


def _ehlo(conversation: Conversation, argument: bytes) -> Action:
    conversation.helo = parse_helo(argument)
    conversation.extended = True
    conversation.reset(State.READY)
    rules = conversation.rules
    return rules.ehlo(
        tls=conversation.offers_tls and not conversation.tls,
        auth=rules.requires_auth and conversation.may_log_in and conversation.account is None,
    )


def _starttls(conversation: Conversation, argument: bytes) -> Action:
    parse_nothing(argument)
    if not conversation.offers_tls:
        return conversation.fault(reply.NOT_IMPLEMENTED)
    if conversation.tls:
        return conversation.fault(reply.BAD_SEQUENCE)
    conversation.begin_tls()
    return reply.READY_FOR_TLS


def _mail(conversation: Conversation, argument: bytes) -> Action:
    if conversation.account is None and conversation.rules.requires_auth:
        return conversation.fault(reply.AUTH_NEEDED)
    rules = conversation.rules
    transaction = Transaction.begin(
        argument,
        extended=conversation.extended,
        authenticated=conversation.account is not None,
        dsn=rules.submits,
    )
    if transaction.declared_bytes > rules.max_message_bytes:
        return reply.TOO_LARGE
    if conversation.refuses(transaction.reverse_path):
        return conversation.fault(reply.SENDER_DENIED)
    conversation.transaction = transaction
    if rules.submits and conversation.account is not None:
        conversation.waiting = True
        return AskSender(transaction.reverse_path, conversation.account)
    conversation.state = State.SENDER
    return reply.SENDER_OK


def _rcpt(conversation: Conversation, argument: bytes) -> Action:
    rules = conversation.rules
    path, dsn = conversation.transaction.recipient(
        argument, rules.hostname, dsn=rules.submits and conversation.extended
    )
    if len(conversation.transaction.recipients) >= rules.max_recipients:
        return reply.TOO_MANY_RECIPIENTS
    conversation.asked, conversation.asked_dsn = path, dsn
    conversation.waiting = True
    return AskRecipient(path)


def _data(conversation: Conversation, argument: bytes) -> Action:
    parse_nothing(argument)
    conversation.reader = TextReader(conversation.rules.max_message_bytes)
    conversation.state = State.TEXT
    conversation.waiting = True
    return Signal.AWAIT_ROOM


def _bdat(conversation: Conversation, argument: bytes) -> Action | None:
    try:
        size, is_last = parse_chunk(argument)
    except GrammarError as e:  # without the chunk the message is not whole: none of it is kept
        return skip_chunk(conversation, argument, e.reply, State.CHUNKS)
    then = State.DELIVERING if is_last else State.CHUNKS
    if isinstance(conversation.reader, ChunkReader):
        conversation.begin_chunk(conversation.reader, size, then)
        return None
    conversation.begin_chunk(ChunkReader(conversation.rules.max_message_bytes), size, then)
    conversation.waiting = True
    return Signal.AWAIT_ROOM


def skip_chunk(
    conversation: Conversation, argument: bytes, answer: Reply, then: State
) -> Action | None:
    """RFC 3030 section 2: the chunk comes, whatever is the answer, and is not to be read as
    commands. Where it ends is not known without its size: then nothing is read any more.
    """
    octets = chunk_octets(argument)
    if octets is None:
        return conversation.closing(reply.BAD_ARGUMENTS)
    conversation.begin_chunk(ChunkReader(0), octets, then)
    conversation.refuse_message(answer)
    return None


def _rset(conversation: Conversation, argument: bytes) -> Action:
    parse_nothing(argument)
    conversation.reset(State.READY if conversation.helo else State.START)
    return reply.OK


def _noop(_conversation: Conversation, _argument: bytes) -> Action:
    return reply.OK


def _help(_conversation: Conversation, _argument: bytes) -> Action:
    return reply.HELP


def _vrfy(_conversation: Conversation, _argument: bytes) -> Action:
    return reply.CANNOT_VERIFY


def _quit(conversation: Conversation, argument: bytes) -> Action:
    parse_nothing(argument)
    return conversation.closing(reply.BYE)


def _auth(conversation: Conversation, argument: bytes) -> Action:
    if conversation.rules.requires_auth:
        return begin_auth(conversation, argument)
    answer = conversation.fault(reply.NOT_IMPLEMENTED)
    if conversation.state is State.CLOSED:
        return answer
    conversation.then(answer)
    conversation.waiting = True
    return Signal.SLOW_DOWN


def _not_implemented(conversation: Conversation, _argument: bytes) -> Action:
    return conversation.fault(reply.NOT_IMPLEMENTED)


def _unknown(conversation: Conversation, _argument: bytes) -> Action:
    return conversation.fault(reply.UNKNOWN_COMMAND)


def _http(conversation: Conversation, _argument: bytes) -> Action:
    # A web page can make a browser post mail to a port: RFC 5321 knows none of these verbs
    return conversation.closing(reply.NOT_HTTP)


_Command = Callable[[Conversation, bytes], Action | None]

# Tuples: a state is found in one by identity, where a set would call its slow hash
_NOT_CLOSED: Final = tuple(state for state in State if state is not State.CLOSED)
_ANY: Final = tuple(state for state in _NOT_CLOSED if state is not State.REFUSED)
_GREETED: Final = (State.READY,)
_IN_TRANSACTION: Final = (State.SENDER, State.RECIPIENTS)
_HAS_RECIPIENTS: Final = (State.RECIPIENTS,)
_BEFORE_TLS: Final = frozenset(
    {b"EHLO", b"HELO", b"NOOP", b"RSET", b"HELP", b"STARTTLS", b"QUIT"}
    | {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"CONNECT"}
)  # RFC 3207 section 4, what does nothing, and what closes
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
    b"QUIT": (_quit, _NOT_CLOSED),
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
KNOWN: Final[Set[bytes]] = _COMMANDS.keys()
"""The verbs that are known, in upper case."""
