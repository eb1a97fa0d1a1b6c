"""What an operator who follows a recipient is shown: steps on the way of its mail."""

from dataclasses import dataclass
from typing import Final

RECIPIENT: Final = "recipient"
MESSAGE: Final = "message"
PUSH: Final = "push"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """``id`` rises with time and tells it (core.token); ``session`` is one SMTP connection's name.

    ``what`` is one of the above, or the kind of a delivery; ``detail`` names the message, by its
    id, once it has one.
    """

    id: str
    session: str
    what: str
    detail: str
