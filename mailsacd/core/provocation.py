"""What becomes of an occasion on which faults are provoked."""

from dataclasses import dataclass
from typing import Final

from mailsacd.core.errors import MailsacdError
from mailsacd.core.fault import Phase
from mailsacd.core.fault_condition import ExaminedMessage
from mailsacd.core.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """A step of a session at which something may go wrong.

    ``name`` is what the step is about, by which faults are counted: a recipient, a sender, what the
    client calls itself or logs in as. ``message`` is the message, at its end: the same for all that
    is asked about it.
    """

    at: Phase
    peer_ip: str
    sender: str = ""
    name: str = ""
    message: ExaminedMessage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provocation:
    """What is to be done, in this order: wait, answer slowly, and what comes in the end.

    ``reply`` refuses; ``drops`` closes the connection without one; ``garbles`` speaks no TLS after
    STARTTLS. Without these the step goes on as usual. ``owner`` is whose doing the waiting is.
    """

    wait_s: float = 0.0
    drip_s: float = 0.0
    reply: Reply | None = None
    drops: bool = False
    garbles: bool = False
    owner: str = ""

    @property
    def ends(self) -> bool:
        """Whether the step comes to nothing."""
        return self.reply is not None or self.drops or self.garbles


NOTHING: Final = Provocation()


class ProvokedError(MailsacdError):
    """A recipient or message is refused on purpose, with ``reply``."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.lines[-1])
        self.reply = reply
