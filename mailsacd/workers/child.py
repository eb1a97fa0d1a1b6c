"""A worker: ``python -m mailsacd.workers.child``, started by the parent and by nobody else."""

import os
import sys
from contextlib import suppress
from typing import Any, Final

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.task import react
from twisted.logger import (
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    eventAsText,
    globalLogBeginner,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from mailsacd.assembly.daemon import Daemon
from mailsacd.assembly.node_memory import NodeMemory
from mailsacd.core.errors import MailsacdError
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.event_values import event_values
from mailsacd.mail.records.figure_memory import FigureMemory
from mailsacd.ports import InheritedPorts
from mailsacd.work.loop import Loop
from mailsacd.work.process import STOP_WITHIN_S, end_within
from mailsacd.workers.pipe import (
    ALIVE_EVERY_S,
    Alive,
    Failed,
    Job,
    Logged,
    Message,
    Ready,
    as_line,
    read_job,
)

_MAX_LOG_CHARACTERS: Final = 65_536
_MAX_VALUE_CHARACTERS: Final = 4_096

WORKER_STOP_WITHIN_S: Final = STOP_WITHIN_S - 2.0
"""So long may a worker take to stop: what it stands on stops after it."""

_log = Logger()


def main() -> None:
    """Take the job from the standard input, and do it until told to stop."""
    line = sys.stdin.buffer.readline()
    if not line:
        return  # the parent has given up
    globalLogBeginner.beginLoggingTo([_log_to_parent], redirectStandardIO=False)
    react(_work, (read_job(line),))


def _work(reactor: Any, job: Job) -> Deferred[None]:
    daemon = Daemon(
        job.settings,
        reactor,
        ports=InheritedPorts(job.descriptors, reactor),
        announce=lambda *_: _tell(Ready()),
        memory=NodeMemory(
            limits=LimitMemory(job.shared.limits, seat=job.seat),
            figures=FigureMemory(job.shared.figures, job.slot),
        ),
    )
    Loop("say that it lives", _say_alive, every_s=ALIVE_EVERY_S, clock=reactor).start(0)
    started = ensureDeferred(_start(daemon, reactor))

    async def stop() -> None:
        end_within(WORKER_STOP_WITHIN_S, reactor)
        daemon.give_up()
        await started
        await daemon.stop()

    reactor.addSystemEventTrigger("before", "shutdown", lambda: ensureDeferred(stop()))
    reactor.addReader(_Lifeline(reactor))
    return Deferred()  # it is a signal, or the end of the parent, that ends us


async def _start(daemon: Daemon, reactor: Any) -> None:
    try:
        await daemon.start()
    except MailsacdError as e:
        _tell(Failed(e.public))
    except Exception:  # noqa: BLE001  whatever it is, the parent has to know
        _log.failure("start failed")
        _tell(Failed("by a defect of its own; the log says more"))
    else:
        return
    reactor.callWhenRunning(_stop, reactor)


@implementer(IReadDescriptor)
class _Lifeline:
    """The standard input: nothing comes any more, until it ends."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def fileno(self) -> int:
        """The descriptor of the standard input."""
        return 0

    def doRead(self) -> Any:
        """Called when something came, which is not looked at, or the input has ended."""
        return None if os.read(0, 1) else CONNECTION_LOST

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002  Twisted passes it
        """Called when the input has ended: stop, for the parent is gone or wants that."""
        _stop(self._reactor)

    def logPrefix(self) -> str:  # noqa: N802  Twisted's name
        """What Twisted's log calls this reader."""
        return "lifeline"


def _stop(reactor: Any) -> None:
    with suppress(ReactorNotRunning):  # it stops already
        reactor.stop()


def _say_alive() -> None:
    _tell(Alive())


def _tell(message: Message) -> None:
    with suppress(OSError):  # a parent that is gone need not know
        os.write(1, as_line(message))


@implementer(ILogObserver)
class _LogToParent:
    def __call__(self, event: LogEvent) -> None:
        level = event.get("log_level", LogLevel.info).name
        system = event.get("log_system") or f"{event.get('log_namespace', '-')}#{level}"
        text = eventAsText(event, includeTimestamp=False, includeSystem=False)
        values = {name: _bounded(value) for name, value in event_values(event)}
        _tell(Logged(level, str(system), text[:_MAX_LOG_CHARACTERS], values))


def _bounded(value: str | int | float) -> str | int | float:
    return value[:_MAX_VALUE_CHARACTERS] if isinstance(value, str) else value


_log_to_parent: Final = _LogToParent()

if __name__ == "__main__":
    main()
