"""A command's work on the reactor: a signal ends it in order, from its first moment on.

What the work has open is closed then, as at any end. Left to itself, Python would close it whenever
it happens to collect the coroutine, and what went wrong there would be shown as a traceback.
"""

import contextlib
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import click
from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning

from mailsacd.work.ending import end
from mailsacd.work.process import end_without_waiting
from mailsacd.work.signals import on_signal

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_BROKEN_OFF: Final = 1

T = TypeVar("T")


def run_to_its_end(main: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Return what ``main`` returns, or raise what it raises, given a reactor that runs as long.

    Raises ClickException when a signal ended it before that.
    """
    outcome: list[T] = []
    errors: list[Exception] = []
    signals: list[int] = []

    async def kept(reactor: Any) -> None:
        await task.deferLater(reactor, 0)  # when it runs, and so has taken the signals
        _take_signals(signals, reactor)
        working = Deferred.fromCoroutine(main(reactor))
        reactor.addSystemEventTrigger("before", "shutdown", _break_off, working, reactor)
        try:
            outcome.append(await working)
        except Exception as e:  # noqa: BLE001  raised below, outside of the reactor
            errors.append(e)

    # One that comes before they are taken waits until then
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    with contextlib.suppress(SystemExit):
        task.react(lambda reactor: Deferred.fromCoroutine(kept(reactor)))
    if outcome:
        return outcome[0]
    if errors and not signals:
        raise errors[0]
    end_without_waiting(_BROKEN_OFF)
    raise click.ClickException("it was broken off by a signal")


def _take_signals(came: list[int], reactor: Any) -> None:
    """Have the first signal stop the reactor, if it runs then; all are put into ``came``."""

    def stop() -> None:
        with contextlib.suppress(ReactorNotRunning):
            reactor.stop()

    for number in _SIGNALS:
        on_signal(number, stop, reactor, note=came.append)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _break_off(working: Deferred[Any], reactor: Any) -> Deferred[None] | None:
    """Cancel what is ``working``, unless it has ended; the reactor stops after it has."""
    if working.called:
        return None
    return Deferred.fromCoroutine(end("a command", [working], patience_s=0, clock=reactor))
