"""From the connection to the point where mail may be sent: greeting, EHLO, TLS, AUTH."""

from dataclasses import dataclass, field
from enum import Enum

from mailsacd.outbound.smtp import commands
from mailsacd.outbound.smtp.conversation import (
    BeginTls,
    BrokenOffError,
    Stage,
    Steps,
    ask,
    refusal,
    reply_to,
)
from mailsacd.outbound.smtp.extensions import Extensions, extensions_of
from mailsacd.outbound.smtp.reply import Reply


class TlsUse(Enum):
    """Whether a session begins TLS."""

    NEVER = "never"
    OFFERED = "offered"  # when the server offers STARTTLS, and takes it
    REQUIRED = "required"  # or nothing is sent
    IMPLICIT = "implicit"  # before the greeting


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRules:
    """How a session goes about it.

    ``hostname`` is what we call ourselves, ``host`` what the server is called in outcomes. With
    ``own_name_is_loop`` a server that has our name is taken for this one. The secret is sent
    without TLS only if ``plain_login``.
    """

    hostname: str
    host: str
    tls: TlsUse = TlsUse.OFFERED
    own_name_is_loop: bool = False
    user: str = ""
    secret: str = field(default="", repr=False)
    plain_login: bool = False


class Opening:
    """The steps of it. ``offered`` and ``is_encrypted`` tell what came of them."""

    def __init__(self, rules: ClientRules) -> None:
        self._rules = rules
        self.offered = Extensions()
        self.is_encrypted = False

    def steps(self) -> Steps[None]:
        """Return when mail may be sent. Raises BrokenOffError."""
        if self._rules.tls is TlsUse.IMPLICIT:
            yield from self._encrypt()
        greeting = yield from reply_to(Stage.GREETING)
        self._want(greeting, Stage.GREETING)
        yield from self._say_hello()
        if not self.is_encrypted and self._rules.tls is not TlsUse.NEVER:
            yield from self._start_tls()
        if self._rules.user:
            yield from self._log_in()

    def _say_hello(self) -> Steps[None]:
        answer = yield from ask(commands.hello("EHLO", self._rules.hostname), Stage.HELLO)
        if 500 <= answer.code <= 599:  # RFC 5321 section 3.2
            self.offered = Extensions()
            answer = yield from ask(commands.hello("HELO", self._rules.hostname), Stage.HELLO)
        elif answer.is_positive:
            self.offered = extensions_of(answer.lines)
        self._want(answer, Stage.HELLO)
        name = answer.lines[0].split(" ")[0].lower()
        if self._rules.own_name_is_loop and name == self._rules.hostname.lower():
            text = f"Mail for this domain comes back to this server: {name} answers"
            raise BrokenOffError(text, status="5.4.6")

    def _start_tls(self) -> Steps[None]:
        required = self._rules.tls is TlsUse.REQUIRED
        if not self.offered.starttls:
            if required:
                raise BrokenOffError("TLS is required, and it is not offered", status="4.7.4")
            return
        answer = yield from ask(b"STARTTLS\r\n", Stage.STARTTLS)
        if answer.code == 220:
            yield from self._encrypt()
            yield from self._say_hello()  # RFC 3207 section 4.2: what was told before is void
        elif required:
            text = f"TLS is required, and it was refused: {answer.text}"
            raise BrokenOffError(text, code=None, status="4.7.4")

    def _encrypt(self) -> Steps[None]:
        yield BeginTls.NOW
        self.is_encrypted = True
        self.offered = Extensions()

    def _log_in(self) -> Steps[None]:
        """A failure is temporary, whatever its code: the operator will mend it."""
        mechanisms = self.offered.mechanisms
        if not (self.is_encrypted or self._rules.plain_login):
            text = "Logging in needs TLS, which was not offered or failed"
            raise BrokenOffError(text, status="4.7.0")
        if not mechanisms:
            raise BrokenOffError("It offers no way to log in that is known here", status="4.7.0")
        user, secret = self._rules.user, self._rules.secret
        if mechanisms[0] == "PLAIN":
            answer = yield from ask(commands.plain(user, secret), Stage.AUTH)
        else:
            answer = yield from ask(b"AUTH LOGIN\r\n", Stage.AUTH)
            for text in (user, secret):
                if answer.code == 334:
                    answer = yield from ask(commands.answer(text), Stage.AUTH)
        if not answer.is_positive:
            raise BrokenOffError(f"Logging in failed: {answer.code} {answer.text}", status="4.7.8")

    def _want(self, answer: Reply, stage: Stage) -> None:
        """Raise BrokenOffError unless ``answer`` is positive."""
        if not answer.is_positive:
            told = refusal(answer, stage, self._rules.host)
            raise BrokenOffError(told.text, code=told.code, status=told.status)
