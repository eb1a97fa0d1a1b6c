"""Faults that mail is to meet on purpose: what goes wrong, at which step of SMTP, and when.

Senders are tested by them. A fault follows from a name that has it in its local part (see
`core.fault_grammar`) or from a rule that the owner of a domain has written.
"""

import hashlib
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from mailsacd.core.fault_condition import When
from mailsacd.core.text_form import whole

Phase = Literal["connect", "helo", "starttls", "auth", "mail", "rcpt", "data", "end", "accepted"]
"""A step of a session (RFC 5321): the connection, a command, the end of a message (``end``), or
after it was ``accepted``."""

Deed = Literal[
    "refuse", "greylist", "limit", "delay", "drip", "drop", "garble", "bounce", "complain", "reply"
]
"""What is done. `refuse` gives a reply; `greylist` gives 450 for the first tries of a sender;
`limit` gives 421 to what is beyond so many a minute; `delay` answers late, `drip` byte by byte;
`drop` closes the connection without an answer, `garble` takes STARTTLS and then speaks no TLS.
Of accepted mail `bounce` sends a report of its failure (RFC 3464), `complain` a report of abuse
(RFC 5965), `reply` an automatic answer (RFC 3834)."""

Feedback = Literal["abuse", "fraud", "virus", "other", "not-spam"]
"""What a complaint is about (RFC 5965 section 7.3, RFC 6430)."""

MAX_SECONDS: Final = 600.0
"""So long may a fault say that it takes; settings may have it take less."""

PHASES_OF: Final[dict[Deed, frozenset[Phase]]] = {
    "refuse": frozenset({"connect", "helo", "starttls", "auth", "mail", "rcpt", "data", "end"}),
    "greylist": frozenset({"mail", "rcpt"}),
    "limit": frozenset({"mail", "rcpt"}),
    "delay": frozenset({"connect", "helo", "mail", "rcpt", "data", "end"}),
    "drip": frozenset({"mail", "rcpt", "end"}),
    "drop": frozenset({"connect", "helo", "starttls", "auth", "mail", "rcpt", "data", "end"}),
    "garble": frozenset({"starttls"}),
    "bounce": frozenset({"accepted"}),
    "complain": frozenset({"accepted"}),
    "reply": frozenset({"accepted"}),
}
"""At which steps each deed can be done. A drip is a reply of several lines with one code, and so
only where that code is known: after 354 and 220 clients may not expect it."""

ANSWERS: Final[frozenset[Deed]] = frozenset({"bounce", "complain", "reply"})
"""Deeds that send mail, to where the message says that it came from."""

_STATUS: Final = r"(?:[45]\.\d{1,3}\.\d{1,3})?"


class SmtpFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong, ``at`` which step.

    ``code``, ``status`` (RFC 3463; empty: none is said) and ``text`` are those of the reply.
    ``times`` is how many tries a greylist refuses, or how many a minute a limit lets pass;
    ``seconds`` is how long a delay or drip takes. A bounce tells ``status`` (5.0.0 if none is
    given; with 4.… that the message is late) and ``text``, and a reply ``text``.
    """

    do: Deed
    at: Phase = "rcpt"
    code: Annotated[int, Meta(ge=400, le=599)] | None = None
    status: Annotated[str, whole(_STATUS)] = ""
    text: Annotated[str, whole("[ -~]{0,200}")] = ""
    times: Annotated[int, Meta(ge=1, le=10_000)] = 1
    seconds: Annotated[float, Meta(ge=0, le=MAX_SECONDS)] = 0.0
    feedback: Feedback = "abuse"

    def __post_init__(self) -> None:
        """Fill in the reply that the deed gives by itself. Raises ValueError."""
        if self.do in ANSWERS and self.at == "rcpt":  # as it is where nothing is said
            msgspec.structs.force_setattr(self, "at", "accepted")
        if self.at not in PHASES_OF[self.do]:
            raise ValueError(f"{self.do} cannot be done at {self.at}")
        if self.do in {"delay", "drip"} and self.seconds <= 0:
            raise ValueError(f"{self.do} needs seconds")
        if self.do == "refuse" and not self.code:
            raise ValueError("refuse needs a code")
        if not self.code and self.do in _REPLIES:
            code, status = _REPLIES[self.do]
            msgspec.structs.force_setattr(self, "code", code)
            msgspec.structs.force_setattr(self, "status", self.status or status)
        if self.code and self.status and self.status[0] != str(self.code)[0]:
            raise ValueError(f"status {self.status} is of another class than code {self.code}")


_REPLIES: Final[dict[Deed, tuple[int, str]]] = {
    "greylist": (450, "4.7.1"),
    "limit": (421, "4.7.0"),
}


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ``fault``, and ``when`` it is provoked: for all mail to the domain, unless conditions say
    otherwise."""

    fault: SmtpFault
    when: When = When()

    def __post_init__(self) -> None:
        """Raises ValueError for what can never be."""
        at = self.fault.at
        if at not in {"rcpt", "data", "end", "accepted"}:
            raise ValueError(f"{at} comes before a recipient is known: only names can have it fail")
        if self.when.needs_content and at not in {"end", "accepted"}:
            raise ValueError(f"header and size are known at the end of the message, not at {at}")


class PlannedFault(msgspec.Struct, frozen=True, kw_only=True):
    """A fault, when it is provoked, and whose it is: the ``domain`` that ``owner``, an account, has
    set so. Without an ``owner`` it is the operator's.

    ``key`` is how it is known within the domain: a local part, or the number of a rule.
    """

    fault: SmtpFault
    when: When = When()
    key: str
    domain: str
    owner: str | None


def is_drawn(seed: str, number: int, probability: float) -> bool:
    """Tell whether occasion ``number`` is one on which something of that ``probability`` happens.

    With the same ``seed`` they are always the same ones.
    """
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < probability * 2**64
