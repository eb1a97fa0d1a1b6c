"""The calls about the server itself: is it alive, can it serve, what is it."""

from functools import partial
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.interfaces import IReactorTime

from mailsacd.core.errors import UnavailableError
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.reading.mailbox import Mailbox

_TAG: Final = "Server"
_operation = partial(Operation, method="GET", tag=_TAG, open=True)
READY_TIMEOUT_S: Final = 5.0


class ServiceCalls:
    """The handlers of the calls about the server itself, and their declarations."""

    def __init__(self, mailbox: Mailbox, version: str, reactor: IReactorTime) -> None:
        self._mailbox = mailbox
        self._version = version
        self._reactor = reactor

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about the server itself."""
        status = schemas.json_answer("It is", schemas.named("Status"))
        return (
            _operation(
                path="/livez",
                id="isAlive",
                summary="Whether the process answers",
                answers=(status,),
                handler=self.alive,
            ),
            _operation(
                path="/readyz",
                id="isReady",
                summary="Whether mail can be stored and read: the database answers",
                answers=(status,),
                refusals=(503,),
                handler=self.ready,
            ),
            _operation(
                path="/version",
                id="getVersion",
                summary="What runs here",
                answers=(schemas.json_answer("Its version", schemas.named("Version")),),
                handler=self.version,
            ),
        )

    async def alive(self, _call: Call) -> Response:
        """Answer that the process is alive, whatever else does not work."""
        return json_response({"status": "ok"})

    async def ready(self, _call: Call) -> Response:
        """Asks the database, and waits READY_TIMEOUT_S for it at most."""
        answered = Deferred.fromCoroutine(self._mailbox.ping())
        try:
            await answered.addTimeout(READY_TIMEOUT_S, self._reactor)
        except DeferredTimeoutError as e:
            raise UnavailableError("The database does not answer") from e
        return json_response({"status": "ok"})

    async def version(self, _call: Call) -> Response:
        """Answer with the name and version of the program."""
        return json_response({"name": "mailsacd", "version": self._version})
