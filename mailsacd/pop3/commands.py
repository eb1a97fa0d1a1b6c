"""What each POP3 command does, and in which states it may come: the table at the end.

A command takes the conversation and its argument, changes the conversation, and returns what is to
be done. Raised grammar errors become its answer.
"""

from collections.abc import Callable, Mapping
from typing import Final

from mailsacd.pop3 import answer
from mailsacd.pop3.action import Action, Remove, Retrieve, State
from mailsacd.pop3.authentication import begin_auth, log_in
from mailsacd.pop3.conversation import Conversation
from mailsacd.pop3.grammar import parse_nothing, parse_number, parse_text, parse_top

_LANGUAGES: Final = b"+OK\r\nen English\r\ni-default English\r\n.\r\n"
_ENGLISH: Final = ("*", "en", "i-default")


def perform(conversation: Conversation, verb: bytes, argument: bytes) -> Action:
    """Carry out the command ``verb`` (in upper case), ``argument`` being what follows its space.

    Returns what is to be done. Raises GrammarError.
    """
    name, conversation.name = conversation.name, None
    command, states = _COMMANDS.get(verb, _UNKNOWN)
    if conversation.state not in states:
        return conversation.fault(answer.NOT_NOW)
    if verb == b"PASS":
        conversation.name = name
    return command(conversation, argument)


# AUTHORIZATION


def _user(conversation: Conversation, argument: bytes) -> Action:
    if not conversation.may_log_in:
        return conversation.fault(answer.TLS_NEEDED)
    conversation.name = parse_text(argument.strip(b" "))
    return answer.SEND_PASSWORD  # whether or not there is such a maildrop


def _pass(conversation: Conversation, argument: bytes) -> Action:
    name, conversation.name = conversation.name, None
    if not conversation.may_log_in:
        return conversation.fault(answer.TLS_NEEDED)
    if name is None:
        return conversation.fault(answer.USER_FIRST)
    return log_in(conversation, name, parse_text(argument))


def _stls(conversation: Conversation, argument: bytes) -> Action:
    parse_nothing(argument)
    if conversation.tls:
        return conversation.fault(answer.HAS_TLS)
    if not conversation.offers_tls:
        return conversation.fault(answer.NO_TLS)
    conversation.begin_tls()
    return answer.READY_FOR_TLS


def _utf8(_conversation: Conversation, argument: bytes) -> Action:
    parse_nothing(argument)
    return answer.UTF8_ON  # messages and names are never anything else


# TRANSACTION


def _stat(conversation: Conversation, argument: bytes) -> Action:
    parse_nothing(argument)
    return b"+OK %d %d\r\n" % conversation.selection.stat()


def _list(conversation: Conversation, argument: bytes) -> Action:
    if not argument.strip(b" "):
        return conversation.selection.scan_listings()
    number = parse_number(argument)
    return b"+OK %d %d\r\n" % (
        number,
        conversation.selection.size(conversation.selection.place(number)),
    )


def _uidl(conversation: Conversation, argument: bytes) -> Action:
    if not argument.strip(b" "):
        return conversation.selection.unique_id_listings()
    number = parse_number(argument)
    return answer.ok(
        f"{number} {conversation.selection.unique_id(conversation.selection.place(number))}"
    )


def _retr(conversation: Conversation, argument: bytes) -> Action:
    place = conversation.selection.place(parse_number(argument))
    conversation.waiting = True
    return Retrieve(place, None)


def _top(conversation: Conversation, argument: bytes) -> Action:
    number, lines = parse_top(argument)
    place = conversation.selection.place(number)
    conversation.waiting = True
    return Retrieve(place, lines)


def _dele(conversation: Conversation, argument: bytes) -> Action:
    number = parse_number(argument)
    conversation.selection.delete(conversation.selection.place(number))
    return answer.ok(f"message {number} is marked as deleted")


def _rset(conversation: Conversation, argument: bytes) -> Action:
    parse_nothing(argument)
    conversation.selection.reset()
    return answer.OK


def _noop(_conversation: Conversation, _argument: bytes) -> Action:
    return answer.OK


# Any state


def _capa(conversation: Conversation, argument: bytes) -> Action:
    parse_nothing(argument)
    return conversation.rules.capabilities(
        may_start_tls=conversation.offers_tls and not conversation.tls,
        may_log_in=conversation.may_log_in,
        logged_in=conversation.state is State.TRANSACTION,
    )


def _lang(conversation: Conversation, argument: bytes) -> Action:
    """RFC 6856 section 3."""
    if not argument.strip(b" "):
        return _LANGUAGES
    if argument.strip(b" ").decode("ascii", "replace").lower() in _ENGLISH:
        return answer.ok("en English it is")
    return conversation.fault(answer.UNKNOWN_LANGUAGE)


def _quit(conversation: Conversation, argument: bytes) -> Action:
    parse_nothing(argument)
    places = conversation.selection.deleted
    conversation.closing(answer.BYE)
    if not places:
        return answer.BYE
    conversation.waiting = True
    return Remove(places)


def _unknown(conversation: Conversation, _argument: bytes) -> Action:
    return conversation.fault(answer.UNKNOWN_COMMAND)


def _http(conversation: Conversation, _argument: bytes) -> Action:
    # A web page can make a browser post to a port: no password is guessed that way
    return conversation.closing(answer.NOT_HTTP)


_Command = Callable[[Conversation, bytes], Action]

_ANY: Final = (State.AUTHORIZATION, State.TRANSACTION)
_BEFORE: Final = (State.AUTHORIZATION,)
_AFTER: Final = (State.TRANSACTION,)
_UNKNOWN: Final[tuple[_Command, tuple[State, ...]]] = (_unknown, _ANY)

_COMMANDS: Final[Mapping[bytes, tuple[_Command, tuple[State, ...]]]] = {
    b"USER": (_user, _BEFORE),
    b"PASS": (_pass, _BEFORE),
    b"AUTH": (begin_auth, _BEFORE),
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
