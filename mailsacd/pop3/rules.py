"""What all POP3 sessions of a listener have in common."""

from dataclasses import dataclass
from functools import cached_property

from mailsacd.pop3.answer import ok


@dataclass(frozen=True, kw_only=True)
class SessionRules:
    """What all sessions of a listener go by; ``hostname`` is what the server calls itself."""

    hostname: str
    version: str
    login_delay_s: int

    @cached_property
    def banner(self) -> bytes:
        """The greeting. It has no timestamp: there is no APOP, which needs stored passwords."""
        return ok(f"{self.hostname} mailsacd POP3 is ready")

    def capabilities(self, *, may_start_tls: bool, may_log_in: bool, logged_in: bool) -> bytes:
        """Return the answer to CAPA (RFC 2449 section 5) for who may do so much now."""
        names = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"]
        names += ["EXPIRE NEVER", f"LOGIN-DELAY {self.login_delay_s}", "UTF8 USER", "LANG"]
        if may_log_in and not logged_in:
            names += ["USER", "SASL PLAIN LOGIN"]
        if may_start_tls and not logged_in:
            names.append("STLS")
        names.append(f"IMPLEMENTATION mailsacd-{self.version}")
        return b"".join((b"+OK\r\n", *(f"{name}\r\n".encode() for name in names), b".\r\n"))
