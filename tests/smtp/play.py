"""Plays scripts of what a client sends to a pure session, whole and byte by byte."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from mailsacd.core import reply
from mailsacd.core.account import AccountIdentity
from mailsacd.core.envelope import Recipient
from mailsacd.core.reply import Reply
from mailsacd.smtp.action import AskFault, AskRecipient, AskSender, Deliver, LogIn, Signal
from mailsacd.smtp.rules import SessionRules
from mailsacd.smtp.session import Session

MADE = datetime(2026, 1, 1, tzinfo=UTC)
"""When the accounts were made."""

RULES = SessionRules(
    hostname="mx.example",
    max_message_bytes=1000,
    max_recipients=3,
    refuse_bare_newlines=False,
)


@dataclass
class Play:
    """Runs a session with immediate answers.

    Who has ``bad`` in the address is refused, as is a sender with ``foreign`` in it. The secret
    ``right`` is, and ``away`` cannot be checked.
    """

    session: Session
    offers_tls: bool = True
    replies: list[Reply] = field(default_factory=list)
    delivered: list[Deliver] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session.offers_tls = self.offers_tls
        self.session.greet()
        self._run()

    def feed(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.session.receive(piece)
            self._run()

    def _run(self) -> None:
        while (action := self.session.next_action()) is not None:
            if isinstance(action, Reply):
                self.replies.append(action)
            elif isinstance(action, AskSender):
                self._answer_sender(action.path)
            elif isinstance(action, AskRecipient):
                self._answer(action.path)
            elif isinstance(action, Deliver):
                self.delivered.append(action)
                self.session.finish_message(reply.STORED)
            elif isinstance(action, LogIn):
                self._log_in(action)
            elif isinstance(action, AskFault):
                self.session.answer_fault(action, None)
            else:
                self.signals.append(action)
                if action in {Signal.AWAIT_ROOM, Signal.SLOW_DOWN}:
                    self.session.go_on()

    def _log_in(self, action: LogIn) -> None:
        self.logins.append((action.name, action.secret))
        if action.secret == "right":
            self.session.accept_login(AccountIdentity(action.name, MADE))
        elif action.secret == "away":
            self.session.refuse_login(reply.CANNOT_CHECK_LOGIN, is_guess=False)
        else:
            self.session.refuse_login(reply.WRONG_LOGIN, is_guess=True)

    def _answer_sender(self, path: str) -> None:
        if "foreign" in path:
            self.session.refuse_sender(reply.NOT_YOUR_SENDER)
        else:
            self.session.accept_sender()

    def _answer(self, path: str) -> None:
        self.asked.append(path)
        if "bad" in path:
            self.session.refuse_recipient(reply.DOMAIN_NOT_ACCEPTED)
        else:
            self.session.accept_recipient(
                Recipient(original_inbox=path, inbox=path, domain=path.partition("@")[2])
            )

    @property
    def codes(self) -> list[int]:
        return [r.code for r in self.replies]


def played(script: bytes, rules: SessionRules = RULES, *, plain_login: bool = True) -> Play:
    """The outcome of ``script``, which is the same however it is cut."""
    whole = Play(_session(rules, plain_login))
    whole.feed(script)
    single = Play(_session(rules, plain_login))
    single.feed(*(bytes([b]) for b in script))
    assert whole.replies == single.replies
    assert whole.delivered == single.delivered
    assert whole.asked == single.asked
    assert whole.signals == single.signals
    assert whole.logins == single.logins
    assert whole.session.state is single.session.state
    return whole


def _session(rules: SessionRules, plain_login: bool) -> Session:
    session = Session(rules)
    session.trusted = plain_login
    return session
