"""Every SMTP reply that the daemon gives, by name (RFC 5321 section 4.2, RFC 3463, RFC 5248)."""

import re
from dataclasses import dataclass, field
from typing import Final

REFUSAL: Final = 400
"""Codes from here on are refusals, for now or for good (RFC 5321 section 4.2.1)."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply. ``enhanced`` is the status code of RFC 3463, empty where none belongs.

    ``lines`` are printable ASCII (UTF-8 under SMTPUTF8), without code and without CRLF. Raises
    ValueError for a control character: what is said to clients stays within its line.
    """

    code: int
    enhanced: str
    lines: tuple[str, ...]
    wire: bytes = field(init=False, repr=False, compare=False)
    """The bytes that go out, each line with its code and CRLF; made once, sent often."""

    def __post_init__(self) -> None:
        for text in (self.enhanced, *self.lines):
            if not text.isprintable() and _CONTROL.search(text):
                raise ValueError(f"A reply may not have a control character: {text!r}")
        status = f"{self.enhanced} " if self.enhanced else ""
        firsts = "".join(f"{self.code}-{status}{line}\r\n" for line in self.lines[:-1])
        last = f"{self.code} {status}{self.lines[-1]}\r\n"
        object.__setattr__(self, "wire", (firsts + last).encode())

    def saying(self, *lines: str) -> "Reply":
        """A reply with the same code and enhanced code, and another text."""
        return Reply(self.code, self.enhanced, lines)


OK: Final = Reply(250, "2.0.0", ("Ok",))
SENDER_OK: Final = Reply(250, "2.1.0", ("Sender ok",))
RECIPIENT_OK: Final = Reply(250, "2.1.5", ("Recipient ok",))
STORED: Final = Reply(250, "2.0.0", ("Ok: stored",))
CHUNK_OK: Final = Reply(250, "2.0.0", ("Chunk ok",))
CANNOT_VERIFY: Final = Reply(252, "2.1.5", ("Send the mail and see (RFC 5321 section 3.5.3)",))
HELP: Final = Reply(214, "2.0.0", ("EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT",))
BYE: Final = Reply(221, "2.0.0", ("Bye",))
READY_FOR_TLS: Final = Reply(220, "2.0.0", ("Go ahead with TLS",))
AUTHENTICATED: Final = Reply(235, "2.7.0", ("Welcome",))
START_DATA: Final = Reply(354, "", ("End the message with <CR><LF>.<CR><LF>",))

STOPPING: Final = Reply(421, "4.3.2", ("The server is stopping, come back later",))
IDLE: Final = Reply(421, "4.4.2", ("Nothing came for too long, closing",))
TOO_MANY_CONNECTIONS: Final = Reply(421, "4.7.0", ("Too many connections, come back later",))
TOO_MANY_FROM_PEER: Final = Reply(421, "4.7.0", ("Too many connections from your address",))
THROTTLED: Final = Reply(421, "4.7.0", ("Too much, too fast, come back later",))
TOO_MANY_ERRORS: Final = Reply(421, "4.7.0", ("Too many bad commands, closing",))
TOO_MANY_WRONG_LOGINS: Final = Reply(421, "4.7.0", ("Too many wrong passwords, closing",))
RECIPIENT_THROTTLED: Final = Reply(450, "4.7.0", ("Too fast, send to this one later",))
NOT_STORED: Final = Reply(451, "4.3.0", ("Not stored, try again later",))
MESSAGE_THROTTLED: Final = Reply(451, "4.7.0", ("Too much, send it later",))
OVERLOADED: Final = Reply(451, "4.3.1", ("Too much is waiting for its turn, try again later",))
CANNOT_CHECK_SENDER: Final = Reply(451, "4.3.0", ("Cannot check the sender now",))
CANNOT_CHECK_RECIPIENT: Final = Reply(451, "4.3.0", ("Cannot check the recipient now",))
TOO_MANY_RECIPIENTS: Final = Reply(452, "4.5.3", ("Too many recipients, send the rest apart",))
NO_STORAGE: Final = Reply(452, "4.3.1", ("No room for the message now, try again later",))
CANNOT_CHECK_LOGIN: Final = Reply(454, "4.7.0", ("Cannot check the password now",))

UNKNOWN_COMMAND: Final = Reply(500, "5.5.2", ("Command not known",))
LINE_TOO_LONG: Final = Reply(500, "5.5.6", ("Command line too long",))
BARE_NEWLINE_IN_COMMAND: Final = Reply(500, "5.5.2", ("Only CRLF ends a command",))
AUTH_LINE_TOO_LONG: Final = Reply(500, "5.5.6", ("Authentication exchange line too long",))
BAD_AUTH_RESPONSE: Final = Reply(501, "5.5.2", ("Response not understood",))
AUTH_CANCELLED: Final = Reply(501, "5.7.0", ("Authentication cancelled",))
BAD_ARGUMENTS: Final = Reply(501, "5.5.4", ("Arguments not understood",))
BAD_SENDER: Final = Reply(501, "5.1.7", ("Sender address not understood",))
BAD_RECIPIENT: Final = Reply(501, "5.1.3", ("Recipient address not understood",))
NOT_IMPLEMENTED: Final = Reply(502, "5.5.1", ("Command not implemented",))
BAD_SEQUENCE: Final = Reply(503, "5.5.1", ("Wrong order of commands",))
AUTHENTICATED_ALREADY: Final = Reply(503, "5.5.1", ("You are logged in already",))
UNKNOWN_MECHANISM: Final = Reply(504, "5.5.4", ("Mechanism not offered, PLAIN and LOGIN are",))
AUTH_NEEDED: Final = Reply(530, "5.7.0", ("Log in first",))
WRONG_LOGIN: Final = Reply(535, "5.7.8", ("The name, or the password or key, is wrong",))
STARTTLS_FIRST: Final = Reply(530, "5.7.0", ("Say STARTTLS first",))
TLS_NEEDED: Final = Reply(538, "5.7.11", ("Logging in needs TLS: say STARTTLS first",))
NO_VALID_RECIPIENTS: Final = Reply(554, "5.5.1", ("No valid recipients",))
BAD_PARAMETER: Final = Reply(555, "5.5.4", ("Parameter not known or not offered",))
BARE_NEWLINE_IN_MESSAGE: Final = Reply(550, "5.6.0", ("Bare CR or LF in the message",))
DOMAIN_NOT_ACCEPTED: Final = Reply(550, "5.7.1", ("Mail for this domain is not accepted here",))
TOO_LARGE: Final = Reply(552, "5.3.4", ("Message larger than this server takes",))
NOT_YOUR_SENDER: Final = Reply(550, "5.7.1", ("You may not send from this address",))
BAD_MESSAGE: Final = Reply(550, "5.6.0", ("The message cannot be sent as it is",))
NO_CREDITS: Final = Reply(552, "5.7.1", ("Not enough credits",))
UTF8_NEEDED: Final = Reply(553, "5.6.7", ("An address beyond ASCII needs SMTPUTF8",))
NOT_HTTP: Final = Reply(554, "5.7.1", ("This port speaks SMTP, not HTTP",))
SENDER_DENIED: Final = Reply(554, "5.7.1", ("Mail from you is refused here",))
RECIPIENT_DENIED: Final = Reply(554, "5.7.1", ("Mail for this recipient is refused here",))
MAIL_LOOP: Final = Reply(554, "5.4.6", ("Mail loop",))
