"""A step that repeats for as long as the daemon runs, whatever becomes of each."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from math import inf
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from mailsacd.core.errors import MailsacdError
from mailsacd.work.ending import end

PATIENCE_S: Final = 5.0
"""So long may the step that is under way take when the loop is stopped."""

Step = Callable[[], Awaitable[float | None] | float | None]
"""Returns after how many seconds the next step comes; None: after the usual time; `math.inf`: not
before the loop is woken."""

_log = Logger()


class Loop:
    """Repeats ``step``, one at a time; ``what`` names it in the log.

    The next step begins ``every_s`` seconds after the end of the last one, unless that said
    otherwise. A step that raises is logged and the loop goes on: a temporary MailsacdError in a
    line, once until it is over; anything else is a defect of ours and has its traceback (of many
    in a row the first, second, fourth, eighth … has). At the stop the step under way may end,
    for PATIENCE_S; with ``cancels`` it is cancelled at once.
    """

    def __init__(
        self,
        what: str,
        step: Step,
        *,
        every_s: float,
        clock: IReactorTime,
        cancels: bool = False,
    ) -> None:
        self._what = what
        self._step = step
        self._every_s = every_s
        self._clock = clock
        self._patience_s = 0.0 if cancels else PATIENCE_S
        self._started = self._stopped = False
        self._next: IDelayedCall | None = None
        self._running: Deferred[Any] | None = None
        self.is_running = False
        """Whether a step is under way."""
        self._beginning = self._woken = False
        self._waiting: list[Deferred[None]] = []  # for the end of a step that is yet to begin
        self._is_away = False
        self._defects = 0

    def start(self, wait_s: float | None = None) -> None:
        """Begin, ``wait_s`` seconds from now (None: the usual time)."""
        self._started, self._stopped = True, False
        self._schedule(self._every_s if wait_s is None else wait_s)

    def wake(self) -> None:
        """Have a step done now: at once, or after the one under way, which may have begun too
        early to count. Does nothing once the loop is stopped."""
        if self.is_running:
            self._woken = True
        elif not self._stopped:
            self._begin()

    async def run_now(self) -> None:
        """As `wake`, and wait for the end of that step, however it ends. Raises nothing."""
        if self._stopped:
            return
        done: Deferred[None] = Deferred()
        self._waiting.append(done)
        self.wake()
        await done

    def halt(self) -> None:
        """Begin no further step. For steps that are no coroutines this is all there is to a stop.

        A step that wants no next one returns `math.inf` instead.
        """
        self._stopped = True
        self._schedule(inf)
        self._tell(self._waiting)

    async def stop(self) -> None:
        """End: returns when no step is under way, and none begins any more."""
        self.halt()
        if self._running is not None:
            work = (self._running,)
            await end(self._what, work, patience_s=self._patience_s, clock=self._clock)

    async def finish(self) -> None:
        """Stop, and do the step one last time, for PATIENCE_S at most."""
        await self.stop()
        last = Deferred.fromCoroutine(self._once())
        await end(self._what, (last,), patience_s=PATIENCE_S, clock=self._clock)

    def _schedule(self, wait_s: float) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if wait_s < inf:
            self._next = self._clock.callLater(max(wait_s, 0.0), self._time_came)

    def _time_came(self) -> None:
        self._next = None
        self.wake()

    def _begin(self) -> None:
        self._schedule(inf)
        self.is_running, self._beginning, self._woken = True, True, False
        served, self._waiting = self._waiting, []
        step = Deferred.fromCoroutine(self._once())
        self._running = step.addCallback(self._ended, served)
        self._beginning = False

    def _ended(self, wait_s: float, served: list[Deferred[None]]) -> None:
        self.is_running = False
        if self._stopped:
            self._tell(self._waiting)
        elif self._woken and self._beginning:  # it has waited for nothing: others have their turn
            self._schedule(0)
        elif self._woken:
            self._begin()
        elif self._started:
            self._schedule(wait_s)
        self._tell(served)

    def _tell(self, waiting: list[Deferred[None]]) -> None:
        """Have all of ``waiting`` go on, of which then none is left."""
        while waiting:
            done = waiting.pop()
            if not done.called:  # it is, when whoever waited gave up
                done.callback(None)

    async def _once(self) -> float:
        """Do the step; how long to wait until the next one."""
        try:
            said = self._step()
            wait_s = await said if isawaitable(said) else said
        except CancelledError:  # Twisted's is an Exception
            if not self._stopped:
                self._failed()
        except MailsacdError as e:
            if e.temporary:
                self._not_now(e)
            else:
                self._failed()
        except Exception:  # noqa: BLE001  a defect in one step ends no later one
            self._failed()
        else:
            self._succeeded()
            return self._every_s if wait_s is None else wait_s
        return self._every_s

    def _not_now(self, error: MailsacdError) -> None:
        if not self._is_away:
            _log.warn("{what}: not now: {why}", what=self._what, why=error.public)
        self._is_away = True

    def _failed(self) -> None:
        self._defects += 1
        if self._defects & (self._defects - 1) == 0:
            _log.failure("{what}: step failed, {n} in a row", what=self._what, n=self._defects)

    def _succeeded(self) -> None:
        if self._is_away:
            _log.info("{what}: goes on", what=self._what)
        self._is_away = False
        self._defects = 0
