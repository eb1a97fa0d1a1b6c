"""One SMTP session as a pure state machine: bytes in, actions out; no I/O, no clock.

Whoever runs it feeds `receive`, carries out what `next_action` returns until that is None, and
answers each question (`AskRecipient`, `Deliver`, the signals that say so). While a question is
open no input is read, so that pipelined commands are answered in order (RFC 2920).

This module cuts the input into lines and content; `mailsacd.smtp.commands` says what lines do.
"""

from typing import Final

from mailsacd.core import reply
from mailsacd.core.account import AccountIdentity
from mailsacd.core.envelope import Recipient
from mailsacd.core.reply import Reply
from mailsacd.core.sasl import SaslExchange
from mailsacd.smtp.action import Action, AskFault, Deliver, Signal, State
from mailsacd.smtp.authentication import respond
from mailsacd.smtp.commands import perform, skip_chunk
from mailsacd.smtp.conversation import Conversation
from mailsacd.smtp.dsn_parameters import more_octets
from mailsacd.smtp.framing import ChunkReader, TextReader, has_bare_newlines
from mailsacd.smtp.grammar import (
    MAX_AUTH_LINE_OCTETS,
    GrammarError,
    max_line_octets,
    split_line,
)
from mailsacd.smtp.rules import SessionRules
from mailsacd.sockets.line_session import CRLF

MAX_FAILED_LOGINS: Final = 3
"""After so many the session is closed."""

_OF_MESSAGE: Final = (State.CHUNKS, State.DELIVERING)
_FOR_GOOD: Final = 500  # codes from here on (RFC 5321 section 4.2.1)
_ORDINARY_LINE: Final = 128
_CHUNK: Final = b"BDAT "


class Session(Conversation):
    """One connection's session, from banner to close."""

    __slots__ = ("_logins_failed",)

    def __init__(self, rules: SessionRules) -> None:
        super().__init__(rules)
        self._logins_failed = 0

    # For whoever runs it

    @property
    def held_bytes(self) -> int:
        """How many bytes of the message under way are gathered."""
        return self.reader.held_bytes if self.reader else 0

    @property
    def in_message(self) -> bool:
        """Whether a message is coming in, or waits for its fate."""
        return self.reader is not None or self.state is State.DELIVERING

    def next_action(self) -> Action | None:
        """Return what is to be done next; None when input or an answer must come first."""
        if self.waiting:
            return None
        if self._pending:
            action = self._pending.pop(0)
            self.waiting = action is Signal.SLOW_DOWN or type(action) is AskFault
            return action
        if self.reader is None or self.state is State.CHUNKS:
            return self._read_commands() if self._at < len(self._input) else None
        return self._read_content(self.reader)

    def accept_sender(self) -> None:
        """Answer `AskSender`: the client may send so."""
        if self._answered():
            self.state = State.SENDER
            self._pending.append(reply.SENDER_OK)

    def refuse_sender(self, answer: Reply) -> None:
        """Answer `AskSender` with ``answer``: no, or not now."""
        if self._answered():
            self.reset(State.READY)
            self._pending.append(answer)

    def accept_recipient(self, recipient: Recipient) -> None:
        """Answer `AskRecipient`: mail goes to ``recipient``."""
        if self._answered():
            self.transaction.add(recipient, self.asked_dsn)
            self.state = State.RECIPIENTS
            self._pending.append(reply.RECIPIENT_OK)
            if self.transcript is not None:
                self.transcript.recipient(self, recipient)
            if self.witness is not None:
                self.witness.recipient(self, recipient, reply.RECIPIENT_OK)

    def refuse_recipient(self, answer: Reply) -> None:
        """Answer `AskRecipient` with ``answer``: no, or not now; with a 421 the session is over."""
        if self._answered():
            if self.transcript is not None:
                self.transcript.recipient(self, None)
            if self.witness is not None:
                self.witness.recipient(self, None, answer)
            self.transaction.some_refused = True
            self._refuse(answer)

    def accept_login(self, account: AccountIdentity) -> None:
        """Answer `LogIn`: the client is ``account``."""
        if self._answered():
            self.account = account
            self._pending.append(reply.AUTHENTICATED)

    def refuse_login(self, answer: Reply, *, is_guess: bool) -> None:
        """Answer `LogIn` with ``answer``: no, or not now.

        For a guess (``is_guess``) the client waits, and after MAX_FAILED_LOGINS it is sent away.
        """
        if not self._answered():
            return
        if not is_guess:
            self._refuse(answer)
            return
        self._logins_failed += 1
        if self._logins_failed >= MAX_FAILED_LOGINS:
            answer = self.closing(reply.TOO_MANY_WRONG_LOGINS)
        self._pending = [Signal.SLOW_DOWN, answer, *self._pending]

    def go_on(self) -> None:
        """Answer `AWAIT_ROOM` and `SLOW_DOWN`: it is time."""
        if self._answered() and self.state is State.TEXT:
            self._pending.append(reply.START_DATA)

    def finish_message(self, answer: Reply) -> None:
        """Answer `Deliver`: ``answer`` tells the client what became of the message."""
        if self._answered():
            if answer.code == reply.STORED.code:  # which makes up for what was wrong before
                self._errors = 0
            self._tell_witness(answer)
            self._refuse(answer)
            if not self.closed:
                self.reset(State.READY)

    def answer_fault(self, question: AskFault, answer: Reply | None) -> None:
        """Answer `AskFault`: the step is refused with ``answer``, or done as usual (None)."""
        if not self._answered():
            return
        if question.line and answer is None:
            self._input, self._at = question.line + CRLF + self._input[self._at :], 0
        elif question.line and answer is not None:
            self._refuse_command(question.line, answer)
        elif answer is None:
            self.greet()
        elif answer.code >= _FOR_GOOD:
            self.refuse_service(answer)
        else:
            self.close(answer)

    def _refuse_command(self, line: bytes, answer: Reply) -> None:
        verb, argument = split_line(line)
        if self.transcript is not None:
            self.transcript.command(self, verb, line)
        if verb == b"BDAT" and answer.code != reply.THROTTLED.code:
            if (action := skip_chunk(self, argument, answer, State.READY)) is not None:
                self._pending.append(action)
            return
        if verb == b"DATA":
            self.reset(State.READY)
        self._refuse(self.fault(answer) if answer.code != reply.THROTTLED.code else answer)

    def _refuse(self, answer: Reply) -> None:
        """Say ``answer``; a 421 is the end of the session (RFC 5321 section 3.8)."""
        if answer.code == reply.THROTTLED.code:
            self.close(answer)
        else:
            self._pending.append(answer)

    def _answered(self) -> bool:
        """Whether the answer is still of interest."""
        self.waiting = False
        return not self.closed

    # Lines

    def _read_commands(self) -> Action | None:
        while self._at < len(self._input):
            end = self._input.find(CRLF, self._at)
            if end < 0:
                return self._unfinished_line()
            line = self._input[self._at : end]
            self._at = end + len(CRLF)
            action = self._command(line)
            if action is not None:
                return action
            if self.reader is not None:  # a chunk begins
                return self.next_action()
        return None

    def _unfinished_line(self) -> Action | None:
        begins = b"" if self._skipping else self._input[self._at : self._at + len(_CHUNK)]
        self._limit_unfinished_line(MAX_AUTH_LINE_OCTETS)
        is_chunk = self._skipping and begins.upper() == _CHUNK
        return self.closing(reply.LINE_TOO_LONG) if is_chunk else None

    def _command(self, line: bytes) -> Action | None:
        if self.exchange is not None:
            return self._auth_line(self.exchange, line)
        verb, argument = split_line(line)
        if len(line) > _ORDINARY_LINE or self._skipping:
            rules = self.rules
            most = max_line_octets(verb, may_log_in=rules.requires_auth)
            if rules.submits:
                most += more_octets(verb)
            if self._skipping or len(line) + len(CRLF) > most:
                self._skipping = False
                return self._unread(verb, len(line), reply.LINE_TOO_LONG)
        if b"\n" in line or b"\r" in line:
            return self._unread(verb, len(line), reply.BARE_NEWLINE_IN_COMMAND)
        if self.faults is not None and (
            question := self.faults.question(self, verb, argument, line)
        ):
            self.waiting = True
            return question
        if self.transcript is not None:
            self.transcript.command(self, verb, line)
        try:
            return perform(self, verb, argument)
        except GrammarError as e:
            return self.fault(e.reply)

    def _unread(self, verb: bytes, octets: int, answer: Reply) -> Reply:
        """The answer to a line that is not read. After BDAT what follows is a chunk of a size that
        nobody knows, and must not be read as commands."""
        if self.transcript is not None:
            self.transcript.unreadable(octets)
        return self.closing(answer) if verb == b"BDAT" else self.fault(answer)

    def _auth_line(self, exchange: SaslExchange, line: bytes) -> Action:
        if self.transcript is not None:
            self.transcript.response()
        if self._skipping:
            self._skipping = False
            line = bytes(MAX_AUTH_LINE_OCTETS)  # what was in it is not kept: it was too long
        return respond(self, exchange, line)

    # Content

    def _read_content(self, reader: TextReader | ChunkReader) -> Action | None:
        data = self._input[self._at :] if self._at else self._input
        if not data and self.state is State.TEXT:
            return None
        self.forget_input()
        rest = reader.receive(data)
        if rest is None:
            return None
        self._input = rest
        if reader.refused:
            return self._refused()
        if self.state is State.CHUNK and self._after_chunk is not State.DELIVERING:
            self.state = self._after_chunk
            return reply.CHUNK_OK
        return self._whole(reader.content)

    def _refused(self) -> Action:
        answer = self._refusal or reply.TOO_LARGE
        self._tell_witness(answer)
        if self.state is State.CHUNK and self._after_chunk not in _OF_MESSAGE:
            self.state, self.reader, self._refusal = self._after_chunk, None, None
            return self.fault(answer)
        if self.transcript is not None:
            self.transcript.content(self, None)
        self.reset(State.READY)  # what chunks of it are still to come are out of order
        return answer

    def _tell_witness(self, answer: Reply) -> None:
        if self.witness is not None:
            self.witness.message(self, answer)

    def _whole(self, content: bytes) -> Action:
        if self.transcript is not None:
            self.transcript.content(self, len(content))
        if self.rules.refuse_bare_newlines and has_bare_newlines(content):
            self._tell_witness(reply.BARE_NEWLINE_IN_MESSAGE)
            self.reset(State.READY)
            return reply.BARE_NEWLINE_IN_MESSAGE
        self.reader = None
        self.state = State.DELIVERING
        self.waiting = True
        transaction = self.transaction
        protocol = "SMTP"
        if self.extended:
            protocol = transaction.protocol(tls=self.tls, authenticated=self.account is not None)
        return Deliver(
            transaction.reverse_path,
            transaction.all_recipients(),
            content,
            protocol,
            self.account,
            transaction.ret,
            transaction.envid,
        )
