"""What became of one recipient when a message was offered to another host."""

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["delivered", "temporary", "permanent"]

_FAILED: Final = re.compile(r"[45]\.\d{1,3}\.\d{1,3}\Z")
_GREYLISTED: Final = re.compile(r"gr[ea]y[- ]?list", re.IGNORECASE)
_WAIT: Final = re.compile(r"(\d{1,4}) ?(s|sec|second|m|min|minute)s?\b", re.IGNORECASE)
_NOBODY_THERE: Final = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer for one recipient, or why there was none.

    ``code`` is the reply's (RFC 5321 section 4.2), None where no host gave one. ``status`` is the
    enhanced code (RFC 3463); what the host left out is made up: 5.1.0 for a recipient that was
    refused with 550, 551 or 553, else the first digit of the code and ``.0.0``. ``text`` is the
    reply's, without codes, in one line. ``host`` is who said it, empty for this host.
    ``is_dsn_passed_on`` tells that the host was told what the sender wants to hear (RFC 3461), and
    sees to it from now on. ``may_have_arrived`` tells that the host had the whole message and never
    answered: the failure is temporary, and the next attempt may make it a second copy.
    """

    code: int | None
    status: str
    text: str
    host: str = ""
    is_dsn_passed_on: bool = False
    may_have_arrived: bool = False

    @property
    def kind(self) -> Kind:
        """Whether the recipient has it, may get it later, or never will.

        A failure is as lasting as its enhanced code says, and else its reply's code.
        """
        if self.code is not None and 200 <= self.code <= 299:
            return "delivered"
        if _FAILED.match(self.status):
            return "temporary" if self.status[0] == "4" else "permanent"
        return "temporary" if self.code is None or self.code < 500 else "permanent"

    @property
    def is_nobody_there(self) -> bool:
        """Whether the address itself has failed for good, whoever writes to it and whatever."""
        return self.kind == "permanent" and self.status in _NOBODY_THERE

    @property
    def asks_to_wait_s(self) -> float | None:
        """For how many seconds a greylisting host asks to be left alone.

        0 where it names no time, None where the host does not greylist.
        """
        if self.kind != "temporary" or not _GREYLISTED.search(self.text):
            return None
        wait = _WAIT.search(self.text)
        return 0.0 if wait is None else int(wait[1]) * (60.0 if wait[2][0] in "mM" else 1.0)


class RouteError(Exception):
    """No host took a connection for a domain: ``outcome`` holds for all recipients there."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome
