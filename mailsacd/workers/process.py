"""A worker process, as its parent sees it."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from mailsacd.embedded.account import SystemUser
from mailsacd.ports import Sockets
from mailsacd.settings import Settings
from mailsacd.workers.pipe import (
    MAX_LINE_BYTES,
    Alive,
    Failed,
    Job,
    Logged,
    Message,
    Ready,
    SharedFiles,
    as_line,
    read_message,
)

_FIRST_DESCRIPTOR: Final = 3
_PROGRAM: Final = ("-P", "-m", "mailsacd.workers.child")

HANGS_AFTER_S: Final = 10.0
"""A worker of which nothing was heard for so long hangs: its reactor stands still."""
STARTS_WITHIN_S: Final = 60.0
"""So long may it take from its job to the first turn of its reactor, on a machine that is busy."""

_log = Logger()


class WorkerProcess(ProcessProtocol):
    """One process from its start to its end. ``changed`` is called when it is ready, and has ended.

    It loads its code at once, and waits for its job.
    """

    def __init__(
        self,
        number: int,
        place: tuple[int, int],
        reactor: Any,
        changed: "Callable[[WorkerProcess], None]",
    ) -> None:
        """``place`` is the slot (mail.records.figure_memory) and the seat (core.limit_memory) in
        which it counts, and no other meanwhile."""
        self.number = number
        self.slot, self.seat = place
        self.is_ready = False
        self.has_ended = False
        self.last_words = ""
        self.started_s: float = reactor.seconds()
        self.unheard_s = 0.0
        """For how long nothing was heard of it, as far as anybody has looked (`look_at`)."""
        self._patience_s = STARTS_WITHIN_S
        self._has_job = False
        self._reactor = reactor
        self._changed = changed
        self._descriptors: dict[str, int] = {}
        self._shared = SharedFiles(limits=0, figures=0)
        self._partial = {1: b"", 2: b""}
        self._reload = False

    def spawn(self, sockets: Sockets, shared: SharedFiles) -> None:
        """Start it, with ``sockets`` for its own, and the files that are ``shared`` by all.

        When we are killed, it is told by SIGTERM too.
        """
        user = SystemUser(name="", uid=os.geteuid(), gid=os.getegid())
        executable, *arguments = user.launcher(
            (sys.executable, *_PROGRAM), death_signal=signal.SIGTERM
        )
        self._descriptors = {name: at for at, name in enumerate(sockets, _FIRST_DESCRIPTOR)}
        inherited = {self._descriptors[name]: each.fileno() for name, each in sockets.items()}
        after = _FIRST_DESCRIPTOR + len(sockets)
        self._shared = SharedFiles(limits=after, figures=after + 1)
        inherited |= {after: shared.limits, after + 1: shared.figures}
        self._reactor.spawnProcess(
            self,
            executable,
            [executable, *arguments],
            env=os.environ | {"PYTHONPATH": _import_path()},
            childFDs={0: "w", 1: "r", 2: "r", **inherited},
        )

    def give_job(self, settings: Settings) -> None:
        """Tell the worker which settings it has, and which sockets are whose."""
        job = Job(
            settings=settings,
            descriptors=self._descriptors,
            shared=self._shared,
            slot=self.slot,
            seat=self.seat,
        )
        self._process.write(as_line(job))
        self._has_job = True

    def look_at(self, since_s: float) -> None:
        """Look whether something was heard since the last look, ``since_s`` seconds ago.

        What was silent for too many looks is killed. Looks are counted and not the time, for it is
        nothing against a worker that the whole machine, or its parent, has stood still.
        """
        if not self._has_job or self.has_ended:
            return
        self.unheard_s += since_s
        if self.unheard_s > self._patience_s:
            self.last_words = f"it hung: nothing was heard of it for {self._patience_s:g} s"
            self.unheard_s = 0.0
            self.kill()

    def reload(self) -> None:
        """Have the worker read its certificate again, as soon as it serves."""
        if self.is_ready:
            self._signal("HUP")
        self._reload = not self.is_ready

    def stop(self) -> None:
        """Have the worker finish its messages, and end."""
        self._process.closeStdin()

    def kill(self) -> None:
        """End the worker at once; what it does is cut off."""
        self._signal("KILL")

    # What comes from it

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N803  Twisted's
        """Called with part of its messages, or of what Python prints when it is in trouble."""
        *whole, rest = (self._partial[childFD] + data).split(b"\n")
        self._partial[childFD] = rest[-MAX_LINE_BYTES:]
        for line in whole:
            if childFD == 1:
                self._take(read_message(line))
            else:
                self._take(Logged("warn", "stderr", line.decode("utf-8", "replace")))

    def processEnded(self, reason: Failure) -> None:
        """Called when the worker is gone, and all that it said has been read."""
        self.has_ended = True
        self.last_words = self.last_words or str(reason.value)
        self._changed(self)

    def _take(self, message: Message) -> None:
        self.unheard_s = 0.0
        match message:
            case Alive():
                self._patience_s = HANGS_AFTER_S
            case Ready():
                self.is_ready = True
                if self._reload:
                    self.reload()
                self._changed(self)
            case Failed(why):
                self.last_words = why
            case Logged(level, system, text, values):
                _log.emit(
                    LogLevel.levelWithName(level),
                    "{log_text}",
                    log_text=text,
                    **values,
                    log_system=f"worker {self.number}: {system}",
                )

    @property
    def _process(self) -> Any:
        return self.transport

    def _signal(self, name: str) -> None:
        with contextlib.suppress(ProcessExitedAlready):
            self._process.signalProcess(name)


def _import_path() -> str:
    """So that the worker is of the same program as its parent, wherever that was found."""
    return os.pathsep.join(entry or os.getcwd() for entry in sys.path)
