"""One mail transaction before its content: who sends, who receives (RFC 5321 section 3.3)."""

from dataclasses import dataclass, field
from typing import Final, Self

from msgspec.structs import replace

from mailsacd.core import reply
from mailsacd.core.envelope import Recipient
from mailsacd.smtp.dsn_parameters import (
    RecipientDsn,
    parse_envid,
    parse_notify,
    parse_orcpt,
    parse_ret,
)
from mailsacd.smtp.grammar import GrammarError, is_submitter, parse_mail, parse_rcpt, parse_size

_PARAMETER_VALUES: Final = {
    b"BODY": frozenset({b"7BIT", b"8BITMIME"}),  # RFC 6152; BINARYMIME is not offered
    b"SMTPUTF8": frozenset({None}),  # RFC 6531
    b"AUTH": frozenset({b"<>"}),  # RFC 4954 section 5: says nothing, and some always send it
}
_RCPT_PARAMETERS: Final = frozenset({b"NOTIFY", b"ORCPT"})


@dataclass(slots=True)
class Transaction:
    """One mail transaction: MAIL begins it, each RCPT adds to ``recipients``.

    ``reverse_path`` is empty for a bounce; ``declared_bytes`` is what SIZE= promised, else 0.
    ``ret`` and ``envid`` are of RFC 3461, as is what ``dsn`` has for recipients by their
    ``original_inbox``.
    """

    reverse_path: str
    utf8: bool
    declared_bytes: int = 0
    ret: str | None = None
    envid: str | None = None
    recipients: list[Recipient] = field(default_factory=list)
    dsn: dict[str, RecipientDsn] = field(default_factory=dict)
    some_refused: bool = False

    @classmethod
    def begin(
        cls, argument: bytes, *, extended: bool, authenticated: bool = False, dsn: bool = False
    ) -> Self:
        """Read what follows MAIL. Without EHLO (not ``extended``) no parameter goes.

        Who is ``authenticated`` may say who submitted the message first, which is of no interest
        here. ``dsn`` tells whether RFC 3461 is spoken. Raises GrammarError.
        """
        path, parameters = parse_mail(argument)
        utf8 = False
        declared_bytes = 0
        ret = envid = None
        for name, value in parameters.items():
            if name == b"SIZE" and extended:
                declared_bytes = parse_size(value)
            elif name == b"RET" and extended and dsn:
                ret = parse_ret(value)
            elif name == b"ENVID" and extended and dsn:
                envid = parse_envid(value)
            elif name == b"AUTH" and authenticated and is_submitter(value):
                pass
            elif not extended or (value and value.upper()) not in _PARAMETER_VALUES.get(name, ()):
                raise GrammarError(reply.BAD_PARAMETER)
            elif name == b"SMTPUTF8":
                utf8 = True
        if not utf8 and not path.isascii():
            raise GrammarError(reply.UTF8_NEEDED)
        return cls(path, utf8=utf8, declared_bytes=declared_bytes, ret=ret, envid=envid)

    def protocol(self, *, tls: bool, authenticated: bool) -> str:
        """Return the keyword for how it was spoken after EHLO (RFC 3848, RFC 6531 section 4.3)."""
        name = "UTF8SMTP" if self.utf8 else "ESMTP"
        return name + ("S" if tls else "") + ("A" if authenticated else "")

    def recipient(
        self, argument: bytes, hostname: str, *, dsn: bool = False
    ) -> tuple[str, RecipientDsn | None]:
        """Read what follows RCPT: the forward-path, and what is asked for it if ``dsn``.

        Raises GrammarError.
        """
        path, parameters = parse_rcpt(argument)
        asked = None
        if parameters:
            if not dsn or parameters.keys() - _RCPT_PARAMETERS:
                raise GrammarError(reply.BAD_PARAMETER)
            asked = RecipientDsn(
                notify=parse_notify(parameters[b"NOTIFY"]) if b"NOTIFY" in parameters else None,
                orcpt=parse_orcpt(parameters[b"ORCPT"], utf8=self.utf8)
                if b"ORCPT" in parameters
                else None,
            )
        if not self.utf8 and not path.isascii():
            raise GrammarError(reply.UTF8_NEEDED)
        if path.lower() == "postmaster":  # RFC 5321 section 4.1.1.3: it needs no domain
            path = f"{path}@{hostname}"
        return path, asked

    def add(self, recipient: Recipient, dsn: RecipientDsn | None) -> None:
        """Add ``recipient``, for which ``dsn`` is asked, unless it is there already."""
        if recipient not in self.recipients:  # as To and as Cc, say: one copy
            self.recipients.append(recipient)
            if dsn is not None:
                self.dsn[recipient.original_inbox] = dsn

    def all_recipients(self) -> tuple[Recipient, ...]:
        """Return the recipients, each with what is asked for it."""
        if not self.dsn:
            return tuple(self.recipients)
        none = RecipientDsn()
        return tuple(
            replace(recipient, notify=asked.notify, orcpt=asked.orcpt)
            for recipient in self.recipients
            for asked in (self.dsn.get(recipient.original_inbox, none),)
        )
