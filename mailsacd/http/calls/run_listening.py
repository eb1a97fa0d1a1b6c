"""The calls that wait for the mail of a whole run, or listen to it."""

from functools import partial
from typing import Final

from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.calls.events import EVENTS, LAST_EVENT_ID, SINCE_SEQUENCE, events_of
from mailsacd.http.calls.runs import RUN_ID
from mailsacd.http.calls.waiting import CONDITIONS, TIMEOUT, WAIT_ANSWERS, WaitCalls
from mailsacd.http.server.answer import Later, Streamed
from mailsacd.mail.push.listeners import Listeners
from mailsacd.mail.runs.runs import Runs
from mailsacd.mail.waiting.looks import Place

_REFUSALS: Final = (400, 401, 403, 404, 429, 503)
_operation = partial(Operation, method="GET", tag="Runs", refusals=_REFUSALS, within_scope=True)


class RunListeningCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(self, runs: Runs, waiting: WaitCalls, listeners: Listeners) -> None:
        self._runs = runs
        self._waiting = waiting
        self._listeners = listeners

    def operations(self) -> tuple[Operation, ...]:
        """Declare the calls that wait for mail of a run."""
        return (
            _operation(
                path="/api/runs/{runId}/wait",
                id="waitForRunMessages",
                summary="The messages of a run that fit, as soon as there are enough",
                description="As of one inbox, but whatever address of the run they came to.",
                parameters=(RUN_ID, TIMEOUT, *CONDITIONS),
                answers=WAIT_ANSWERS,
                waits=True,
                handler=self.wait,
            ),
            _operation(
                path="/api/runs/{runId}/events",
                id="listenToRun",
                summary="The mail of a run as it comes, as server-sent events",
                description="As of one inbox, but of all addresses of the run.",
                parameters=(RUN_ID, SINCE_SEQUENCE, LAST_EVENT_ID),
                answers=(EVENTS,),
                handler=self.listen,
            ),
        )

    async def wait(self, call: Call) -> Later:
        """Answer with the messages that fit, as a list does, or 408, when it comes to that."""
        run = await self._runs.get(call.actor, call["runId"])
        return await self._waiting.wait_in(call, Place("domain", run.domain))

    async def listen(self, call: Call) -> Streamed:
        """Answer with events as they come, as of one inbox."""
        run = await self._runs.get(call.actor, call["runId"])
        rules = self._listeners.rules
        return await events_of(
            call, self._listeners, lambda actor: rules.of_domain(actor, run.domain)
        )
