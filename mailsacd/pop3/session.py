"""One POP3 session as a pure state machine: bytes in, actions out; no I/O, no clock.

Whoever runs it feeds `receive`, carries out what `next_action` returns until that is None, and
answers each question (`LogIn`, `Retrieve`, `Remove`). While a question is open no input is read,
so that pipelined commands are answered in order.

This module cuts the input into lines; `mailsacd.pop3.commands` says what lines do.
"""

from typing import Final

from mailsacd.core.maildrop import Listing
from mailsacd.pop3 import answer
from mailsacd.pop3.action import Action, State
from mailsacd.pop3.authentication import respond
from mailsacd.pop3.commands import perform
from mailsacd.pop3.conversation import Conversation
from mailsacd.pop3.grammar import (
    LOGIN_VERBS,
    MAX_LINE_OCTETS,
    MAX_LOGIN_LINE_OCTETS,
    GrammarError,
    split_line,
)
from mailsacd.pop3.rules import SessionRules
from mailsacd.pop3.selection import Selection
from mailsacd.sockets.line_session import CRLF

MAX_LOGINS: Final = 3
"""So many logins may be wrong."""


class Session(Conversation):
    """One connection's session, from greeting to close."""

    __slots__ = ("_logins",)

    def __init__(self, rules: SessionRules) -> None:
        super().__init__(rules)
        self._logins = 0

    # For whoever runs it

    def next_action(self) -> Action | None:
        """Return what is to be done next; None when input or an answer must come first."""
        if self.waiting:
            return None
        if self._pending:
            return self._pending.pop(0)
        return self._read_line()

    def admit(self, listing: Listing) -> None:
        """Answer `LogIn`: here is what the maildrop holds."""
        self.waiting = False
        if self.state is not State.CLOSED:
            self.state = State.TRANSACTION
            self.selection = Selection(listing)
            count, octets = self.selection.stat()
            self._pending.append(answer.ok(f"{count} messages, {octets} octets"))

    def refuse(self, given: bytes, *, close: bool = False) -> None:
        """Answer `LogIn` with ``given``: no, or not now.

        With ``close``, or the third time, the session is closed.
        """
        self.waiting = False
        if self.state is not State.CLOSED:
            self._logins += 1
            if close or self._logins >= MAX_LOGINS:
                given = self.closing(given)
            self._pending.insert(0, given)

    def go_on(self, given: bytes | None = None) -> None:
        """Answer `Retrieve` and `Remove`: with ``given``, or None when all is sent already."""
        self.waiting = False
        if given:
            self._pending.insert(0, given)

    # Lines

    def _read_line(self) -> Action | None:
        end = self._input.find(CRLF, self._at)
        if end < 0:
            self._limit_unfinished_line(MAX_LOGIN_LINE_OCTETS)
            return None
        line = self._input[self._at : end]
        self._at = end + len(CRLF)
        if len(line) + len(CRLF) > MAX_LINE_OCTETS or self._skipping:
            is_long = self._skipping or len(line) + len(CRLF) > self._limit(line)
            self._skipping = False
            if is_long:
                return self._broken(answer.LINE_TOO_LONG)
        if b"\n" in line or b"\r" in line:
            return self._broken(answer.BARE_NEWLINE)
        try:
            if self.exchange is not None:
                return respond(self, self.exchange, line)
            return perform(self, *split_line(line))
        except GrammarError as e:
            return self.fault(e.answer)

    def _limit(self, line: bytes) -> int:
        if self.exchange is not None or split_line(line)[0] in LOGIN_VERBS:
            return MAX_LOGIN_LINE_OCTETS
        return MAX_LINE_OCTETS

    def _broken(self, given: bytes) -> bytes:
        """``given``, to a line that is none; to the client it ends an exchange."""
        if self.exchange is not None:
            self.end_exchange()
        return self.fault(given)
