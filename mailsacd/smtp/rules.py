"""What all SMTP sessions of a listener have in common: limits, and the texts made from them."""

from dataclasses import dataclass
from functools import cached_property

from mailsacd.core.reply import Reply


@dataclass(frozen=True, kw_only=True)
class SessionRules:
    """The limits of a listener's sessions; ``hostname`` is what the server calls itself."""

    hostname: str
    max_message_bytes: int
    max_recipients: int
    refuse_bare_newlines: bool
    offers_tls: bool

    @cached_property
    def banner(self) -> Reply:
        """The first line (RFC 5321 section 4.2)."""
        return Reply(220, "", (f"{self.hostname} ESMTP mailsacd",))

    @cached_property
    def helo(self) -> Reply:
        """The answer to HELO."""
        return Reply(250, "", (self.hostname,))

    @cached_property
    def ehlo(self) -> Reply:
        """The answer to EHLO where STARTTLS is not offered, or is done."""
        extensions = (
            "PIPELINING",
            f"SIZE {self.max_message_bytes}",
            "8BITMIME",
            "SMTPUTF8",
            "CHUNKING",
            "ENHANCEDSTATUSCODES",
            "HELP",
        )
        return Reply(250, "", (self.hostname, *extensions))

    @cached_property
    def ehlo_before_tls(self) -> Reply:
        """The answer to EHLO where STARTTLS is offered."""
        return Reply(250, "", (*self.ehlo.lines, "STARTTLS"))
