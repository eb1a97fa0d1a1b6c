"""What all SMTP sessions of a listener have in common: limits, and the texts made from them."""

from dataclasses import dataclass
from functools import cached_property

from mailsacd.core.reply import Reply
from mailsacd.core.sasl import MECHANISMS


@dataclass(frozen=True, kw_only=True)
class SessionRules:
    """The limits of a listener's sessions; ``hostname`` is what the server calls itself.

    ``in_tls`` says that the handshake came before the banner; ``requires_tls`` and
    ``requires_auth`` that nobody sends anything before TLS is on, or before he has logged in.
    With ``submits`` mail is sent on: each sender is asked about, and RFC 3461 is spoken.
    """

    hostname: str
    max_message_bytes: int
    max_recipients: int
    refuse_bare_newlines: bool
    in_tls: bool = False
    requires_tls: bool = False
    requires_auth: bool = False
    submits: bool = False

    @cached_property
    def banner(self) -> Reply:
        """The first line that a client reads (RFC 5321 section 4.2)."""
        return Reply(220, "", (f"{self.hostname} ESMTP mailsacd",))

    @cached_property
    def helo(self) -> Reply:
        """The answer to HELO (RFC 5321 section 4.1.1.1)."""
        return Reply(250, "", (self.hostname,))

    def ehlo(self, *, tls: bool, auth: bool) -> Reply:
        """Return the answer to EHLO: with ``tls`` it offers STARTTLS, with ``auth`` AUTH."""
        return self._ehlos[tls, auth]

    @cached_property
    def _ehlos(self) -> dict[tuple[bool, bool], Reply]:
        extensions = (
            "PIPELINING",
            f"SIZE {self.max_message_bytes}",
            "8BITMIME",
            "SMTPUTF8",
            "CHUNKING",
            "ENHANCEDSTATUSCODES",
            *(("DSN",) if self.submits else ()),
            "HELP",
        )
        starttls, auth = "STARTTLS", f"AUTH {' '.join(MECHANISMS)}"
        offers = {
            (False, False): (),
            (True, False): (starttls,),
            (False, True): (auth,),
            (True, True): (starttls, auth),
        }
        return {
            which: Reply(250, "", (self.hostname, *extensions, *more))
            for which, more in offers.items()
        }
