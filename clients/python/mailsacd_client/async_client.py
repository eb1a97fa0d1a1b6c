"""The client for asyncio: the calls of `Client`, to be awaited."""

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


class AsyncClient:
    """A server at ``url``, such as ``http://127.0.0.1:8025``, asked with an API ``key`` or none.

    It is used by one event loop. Each call raises ApiError for what the server refuses, and
    ConnectionFailedError where there is no answer.
    """

    def __init__(self, url: str, *, key: str = "", verify: ssl.SSLContext | bool = True) -> None:
        """``verify`` is how the server's certificate is verified: False for one of its own."""
        headers = {"Mailsac-Key": key} if key else {}
        self._url = url.rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self._url, headers=headers, verify=verify, mounts=calls.WITHOUT_PROXY
        )

    async def __aenter__(self) -> Self:
        """Give itself; its connections are closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close its connections to the server."""
        await self.close()

    async def close(self) -> None:
        """Close its connections to the server."""
        await self._http.aclose()

    async def wait(self, email: str, **conditions: Unpack[Conditions]) -> Message:
        """The newest message of an inbox that fits, as soon as there is one.

        Raises WaitTimeoutError, which tells what came instead.
        """
        return (await self._carry_out(calls.wait(email, 1, conditions)))[0]

    async def wait_for_several(
        self, email: str, count: int, **conditions: Unpack[Conditions]
    ) -> list[Message]:
        """The messages of an inbox that fit, newest first, when there are ``count`` (1 to 100)."""
        return await self._carry_out(calls.wait(email, count, conditions))

    async def messages(
        self,
        email: str,
        *,
        limit: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Message]:
        """The messages of an inbox, newest first; 20 where no ``limit`` (0 to 1000) is given."""
        return await self._carry_out(calls.messages(email, limit, since, until))

    async def message(self, of: Stored) -> Message:
        """One message, as lists have it."""
        return await self._carry_out(calls.message(of))

    async def text(self, of: Stored) -> str:
        """The text of a message, made from its HTML where it has none."""
        return await self._carry_out(calls.text(of))

    async def html(self, of: Stored, *, as_sent: bool = False) -> str:
        """The HTML of a message without what runs or loads anything, or ``as_sent``."""
        return await self._carry_out(calls.html(of, as_sent=as_sent))

    async def raw(self, of: Stored) -> bytes:
        """The stored bytes: trace headers, then the message as it came."""
        return await self._carry_out(calls.raw(of))

    async def attachments(self, of: Stored) -> list[Attachment]:
        """What a message has attached."""
        return await self._carry_out(calls.attachments(of))

    async def attachment(self, of: Stored, identifier: str) -> bytes:
        """The decoded content by its MD5 sum, content id or file name."""
        return await self._carry_out(calls.attachment(of, identifier))

    async def codes(self, of: Stored) -> Codes:
        """The one-time codes of a message, and its links that confirm something."""
        return await self._carry_out(calls.codes(of))

    async def checks(self, of: Stored, *names: str, follow_all: bool = False) -> Checks:
        """What is wrong with a message, by the checks of these ``names``; all that ask nobody
        where none is named. ``follow_all`` opens links that may do something, too.
        """
        return await self._carry_out(calls.checks(of, names, follow_all=follow_all))

    async def evidence(self, of: Stored) -> Evidence:
        """All that is known of a message, to be kept beside a test."""
        return await self._carry_out(calls.evidence(of))

    async def delete(self, of: Stored) -> None:
        """Delete a message for good."""
        await self._carry_out(calls.delete(of))

    async def purge(self, email: str) -> None:
        """Delete all mail of an inbox of the account's, but what is starred."""
        await self._carry_out(calls.purge(email))

    async def send(self, **mail: Unpack[OutgoingMail]) -> Sent:
        """Queue mail from one of the account's addresses."""
        return await self._carry_out(calls.send(mail))

    async def begin_run(
        self, *, name: str = "", minutes: int | None = None, domain: str | None = None
    ) -> Run:
        """Begin a run for so many ``minutes`` (an hour where none are given).

        Its domain is below ``domain``, or one of the server's.
        """
        return await self._carry_out(calls.begin_run(name, minutes, domain))

    async def runs(self) -> list[Run]:
        """The account's runs that have not ended, newest first."""
        return await self._carry_out(calls.runs())

    async def run_messages(self, run_id: str, *, limit: int | None = None) -> list[Message]:
        """The messages of all addresses of a run, newest first."""
        return await self._carry_out(calls.run_messages(run_id, limit))

    async def end_run(self, run_id: str) -> None:
        """End a run now: its mail is deleted, and its key is good for nothing."""
        await self._carry_out(calls.end_run(run_id))

    async def _carry_out(self, call: Call[T]) -> T:
        try:
            answer = await self._http.request(
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
