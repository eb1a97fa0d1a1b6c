"""The client for programs that wait for each answer."""

import ssl
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar, Unpack

import httpx

from mailsacd_client import calls
from mailsacd_client.calls import Call
from mailsacd_client.conditions import Conditions, OutgoingMail
from mailsacd_client.errors import ConnectionFailedError
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


class Client:
    """A server at ``url``, such as ``http://127.0.0.1:8025``, asked with an API ``key`` or none.

    It may be used by several threads. Each call raises ApiError for what the server refuses, and
    ConnectionFailedError where there is no answer.
    """

    def __init__(self, url: str, *, key: str = "", verify: ssl.SSLContext | bool = True) -> None:
        """``verify`` is how the server's certificate is verified: False for one of its own."""
        headers = {"Mailsac-Key": key} if key else {}
        self._url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self._url, headers=headers, verify=verify, mounts=calls.WITHOUT_PROXY
        )

    def __enter__(self) -> Self:
        """Give itself; its connections are closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close its connections to the server."""
        self.close()

    def close(self) -> None:
        """Close its connections to the server."""
        self._http.close()

    def wait(self, email: str, **conditions: Unpack[Conditions]) -> Message:
        """The newest message of an inbox that fits, as soon as there is one.

        Raises WaitTimeoutError, which tells what came instead.
        """
        return (self._carry_out(calls.wait(email, 1, conditions)))[0]

    def wait_for_several(
        self, email: str, count: int, **conditions: Unpack[Conditions]
    ) -> list[Message]:
        """The messages of an inbox that fit, newest first, when there are ``count`` (1 to 100)."""
        return self._carry_out(calls.wait(email, count, conditions))

    def messages(
        self,
        email: str,
        *,
        limit: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Message]:
        """The messages of an inbox, newest first; 20 where no ``limit`` (0 to 1000) is given."""
        return self._carry_out(calls.messages(email, limit, since, until))

    def message(self, of: Stored) -> Message:
        """One message, as lists have it."""
        return self._carry_out(calls.message(of))

    def text(self, of: Stored) -> str:
        """The text of a message, made from its HTML where it has none."""
        return self._carry_out(calls.text(of))

    def html(self, of: Stored, *, as_sent: bool = False) -> str:
        """The HTML of a message without what runs or loads anything, or ``as_sent``."""
        return self._carry_out(calls.html(of, as_sent=as_sent))

    def raw(self, of: Stored) -> bytes:
        """The stored bytes: trace headers, then the message as it came."""
        return self._carry_out(calls.raw(of))

    def attachments(self, of: Stored) -> list[Attachment]:
        """What a message has attached."""
        return self._carry_out(calls.attachments(of))

    def attachment(self, of: Stored, identifier: str) -> bytes:
        """The decoded content by its MD5 sum, content id or file name."""
        return self._carry_out(calls.attachment(of, identifier))

    def codes(self, of: Stored) -> Codes:
        """The one-time codes of a message, and its links that confirm something."""
        return self._carry_out(calls.codes(of))

    def checks(self, of: Stored, *names: str, follow_all: bool = False) -> Checks:
        """What is wrong with a message, by the checks of these ``names``; all that ask nobody
        where none is named. ``follow_all`` opens links that may do something, too.
        """
        return self._carry_out(calls.checks(of, names, follow_all=follow_all))

    def evidence(self, of: Stored) -> Evidence:
        """All that is known of a message, to be kept beside a test."""
        return self._carry_out(calls.evidence(of))

    def delete(self, of: Stored) -> None:
        """Delete a message for good."""
        self._carry_out(calls.delete(of))

    def purge(self, email: str) -> None:
        """Delete all mail of an inbox of the account's, but what is starred."""
        self._carry_out(calls.purge(email))

    def send(self, **mail: Unpack[OutgoingMail]) -> Sent:
        """Queue mail from one of the account's addresses."""
        return self._carry_out(calls.send(mail))

    def begin_run(
        self, *, name: str = "", minutes: int | None = None, domain: str | None = None
    ) -> Run:
        """Begin a run for so many ``minutes`` (an hour where none are given).

        Its domain is below ``domain``, or one of the server's.
        """
        return self._carry_out(calls.begin_run(name, minutes, domain))

    def runs(self) -> list[Run]:
        """The account's runs that have not ended, newest first."""
        return self._carry_out(calls.runs())

    def run_messages(self, run_id: str, *, limit: int | None = None) -> list[Message]:
        """The messages of all addresses of a run, newest first."""
        return self._carry_out(calls.run_messages(run_id, limit))

    def end_run(self, run_id: str) -> None:
        """End a run now: its mail is deleted, and its key is good for nothing."""
        self._carry_out(calls.end_run(run_id))

    def _carry_out(self, call: Call[T]) -> T:
        try:
            answer = self._http.request(
                call.method,
                call.path,
                params=call.query,
                json=call.json,
                timeout=call.timeout_s,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            why = str(e) or type(e).__name__
            raise ConnectionFailedError(f"{self._url} gives no answer: {why}") from e
        return call.result(answer.status_code, answer.content, answer.headers.get("retry-after"))
