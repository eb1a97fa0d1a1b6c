"""The calls of the API as values: what is asked, and how its answer is read. Does no I/O.

`Client` and `AsyncClient` differ in how a call is carried out, and in nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import msgspec

from mailsacd_client.conditions import (
    USUAL_TIMEOUT_S,
    Conditions,
    OutgoingMail,
    body_of,
    query,
    query_of,
)
from mailsacd_client.errors import MailsacdError, error_of, wait_error_of
from mailsacd_client.models import (
    Attachment,
    Checks,
    Codes,
    Evidence,
    Message,
    Run,
    Sent,
    Stored,
)

T = TypeVar("T")

WITHOUT_PROXY: Final[dict[str, None]] = {"all://127.0.0.1": None, "all://localhost": None}
"""This machine is never asked by way of a proxy, whatever the environment says."""

_ANSWERING_S: Final = 30.0
"""So long may the server take for an answer, beside what the call itself waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """A request by ``path`` below the server's URL, and the ``read`` of its body when it is 2xx.

    ``waited`` is the inbox of a wait, else empty. ``timeout_s`` is how long an answer may take.
    """

    method: str = "GET"
    path: str
    query: dict[str, str] = field(default_factory=dict)
    json: dict[str, Any] | None = None
    waited: str = ""
    timeout_s: float = _ANSWERING_S
    read: Callable[[bytes], T]

    def result(self, status: int, body: bytes, retry_after: str | None) -> T:
        """Return what an answer means. Raises ApiError for one that is not 2xx."""
        if not 200 <= status < 300:
            timeout = wait_error_of(status, body, self.waited) if self.waited else None
            raise timeout or error_of(status, body, retry_after)
        try:
            return self.read(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as e:
            raise MailsacdError(f"{self.path} is answered with something else: {e}") from e


def messages(
    email: str, limit: int | None, since: datetime | None, until: datetime | None
) -> Call[list[Message]]:
    """List an inbox, newest first."""
    return Call(
        path=f"{_inbox(email)}/messages",
        query=query({"limit": limit, "since": since, "until": until}),
        read=_reading(list[Message]),
    )


def wait(email: str, count: int, conditions: Conditions) -> Call[list[Message]]:
    """Wait until ``count`` messages fit."""
    return Call(
        path=f"{_inbox(email)}/wait",
        query=query_of(conditions, count),
        waited=email,
        timeout_s=conditions.get("timeout", USUAL_TIMEOUT_S) + _ANSWERING_S,
        read=_reading(list[Message]),
    )


def message(of: Stored) -> Call[Message]:
    """Read one message, as lists have it."""
    return Call(path=_message(of), read=_reading(Message))


def text(of: Stored) -> Call[str]:
    """Read what a reader is shown as text."""
    return Call(path=_rendering("text", of), read=bytes.decode)


def html(of: Stored, *, as_sent: bool) -> Call[str]:
    """Read the HTML, cleaned or as it was sent."""
    return Call(path=_rendering("dirty" if as_sent else "body", of), read=bytes.decode)


def raw(of: Stored) -> Call[bytes]:
    """Read the stored bytes of a message."""
    return Call(path=_rendering("raw", of), read=bytes)


def attachments(of: Stored) -> Call[list[Attachment]]:
    """List what a message has attached."""
    return Call(path=f"{_message(of)}/attachments", read=_reading(list[Attachment]))


def attachment(of: Stored, identifier: str) -> Call[bytes]:
    """Read what is attached, decoded."""
    return Call(path=f"{_message(of)}/attachments/{_segment(identifier)}", read=bytes)


def codes(of: Stored) -> Call[Codes]:
    """Read one-time codes and links that confirm."""
    return Call(path=f"{_message(of)}/codes", read=_reading(Codes))


def checks(of: Stored, names: tuple[str, ...], *, follow_all: bool) -> Call[Checks]:
    """Have a message checked by the checks of these names."""
    asked = {"checks": ",".join(names) or None, "follow": "all" if follow_all else None}
    return Call(path=f"{_message(of)}/checks", query=query(asked), read=_reading(Checks))


def evidence(of: Stored) -> Call[Evidence]:
    """Read all that is known of a message."""
    return Call(path=f"{_message(of)}/evidence", read=_reading(Evidence))


def delete(of: Stored) -> Call[None]:
    """Delete a message for good."""
    return Call(method="DELETE", path=_message(of), read=_nothing)


def purge(email: str) -> Call[None]:
    """Delete all mail of an inbox but what is starred."""
    return Call(method="DELETE", path=f"{_inbox(email)}/messages", read=_nothing)


def send(mail: OutgoingMail) -> Call[Sent]:
    """Put mail into the queue."""
    return Call(
        method="POST", path="/api/outgoing-messages", json=body_of(mail), read=_reading(Sent)
    )


def begin_run(name: str, minutes: int | None, domain: str | None) -> Call[Run]:
    """Begin a run, with addresses of its own."""
    asked = {"name": name, "minutes": minutes, "domain": domain}
    body = {name: value for name, value in asked.items() if value is not None}
    return Call(method="POST", path="/api/runs", json=body, read=_reading(Run))


def runs() -> Call[list[Run]]:
    """List the account's runs that last."""
    return Call(path="/api/runs", read=_reading(list[Run]))


def run_messages(run_id: str, limit: int | None) -> Call[list[Message]]:
    """List the mail of a run, newest first."""
    return Call(
        path=f"/api/runs/{_segment(run_id)}/messages",
        query=query({"limit": limit}),
        read=_reading(list[Message]),
    )


def end_run(run_id: str) -> Call[None]:
    """End a run now, and delete its mail."""
    return Call(method="DELETE", path=f"/api/runs/{_segment(run_id)}", read=_nothing)


def _inbox(email: str) -> str:
    return f"/api/addresses/{_segment(email)}"


def _message(of: Stored) -> str:
    return f"{_inbox(of.inbox)}/messages/{_segment(of.id)}"


def _rendering(kind: str, of: Stored) -> str:
    return f"/api/{kind}/{_segment(of.inbox)}/{_segment(of.id)}"


def _segment(text: str) -> str:
    return quote(text, safe="@")


def _reading(kind: type[T]) -> Callable[[bytes], T]:
    return msgspec.json.Decoder(kind).decode


def _nothing(_: bytes) -> None:
    return None
