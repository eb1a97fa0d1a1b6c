"""One mail transaction before its content: who sends, who receives (RFC 5321 section 3.3)."""

from dataclasses import dataclass, field
from typing import Final, Self

from mailsacd.core import reply
from mailsacd.core.envelope import Recipient
from mailsacd.smtp.grammar import GrammarError, is_submitter, parse_mail, parse_rcpt, parse_size

_PARAMETER_VALUES: Final = {
    b"BODY": frozenset({b"7BIT", b"8BITMIME"}),  # RFC 6152; BINARYMIME is not offered
    b"SMTPUTF8": frozenset({None}),  # RFC 6531
    b"AUTH": frozenset({b"<>"}),  # RFC 4954 section 5: says nothing, and some always send it
}


@dataclass(slots=True)
class Transaction:
    """One mail transaction: MAIL begins it, each RCPT adds to ``recipients``.

    ``reverse_path`` is empty for a bounce; ``declared_bytes`` is what SIZE= promised, else 0.
    """

    reverse_path: str
    utf8: bool
    declared_bytes: int = 0
    recipients: list[Recipient] = field(default_factory=list)
    some_refused: bool = False

    @classmethod
    def begin(cls, argument: bytes, *, extended: bool, authenticated: bool = False) -> Self:
        """Read what follows MAIL. Without EHLO (not ``extended``) no parameter goes.

        Who is ``authenticated`` may say who submitted the message first, which is of no interest
        here. Raises GrammarError.
        """
        path, parameters = parse_mail(argument)
        utf8 = False
        declared_bytes = 0
        for name, value in parameters.items():
            if name == b"SIZE" and extended:
                declared_bytes = parse_size(value)
            elif name == b"AUTH" and authenticated and is_submitter(value):
                pass
            elif not extended or (value and value.upper()) not in _PARAMETER_VALUES.get(name, ()):
                raise GrammarError(reply.BAD_PARAMETER)
            elif name == b"SMTPUTF8":
                utf8 = True
        if not utf8 and not path.isascii():
            raise GrammarError(reply.UTF8_NEEDED)
        return cls(path, utf8=utf8, declared_bytes=declared_bytes)

    def protocol(self, *, tls: bool, authenticated: bool) -> str:
        """Return the keyword for how it was spoken after EHLO (RFC 3848, RFC 6531 section 4.3)."""
        name = "UTF8SMTP" if self.utf8 else "ESMTP"
        return name + ("S" if tls else "") + ("A" if authenticated else "")

    def recipient_path(self, argument: bytes, hostname: str) -> str:
        """Read what follows RCPT: the forward-path. Raises GrammarError."""
        path, parameters = parse_rcpt(argument)
        if parameters:
            raise GrammarError(reply.BAD_PARAMETER)
        if not self.utf8 and not path.isascii():
            raise GrammarError(reply.UTF8_NEEDED)
        if path.lower() == "postmaster":  # RFC 5321 section 4.1.1.3: it needs no domain
            return f"{path}@{hostname}"
        return path
