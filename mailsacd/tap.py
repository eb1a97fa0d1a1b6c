"""The options of `twistd mailsacd`, and the service that twistd runs."""

import atexit
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import Options as UsageOptions

from mailsacd import __version__
from mailsacd.assembly.daemon import Daemon
from mailsacd.configuration import load_settings
from mailsacd.core.errors import MailsacdError
from mailsacd.ports import OwnPorts, activated_sockets
from mailsacd.settings import Settings
from mailsacd.systemd import Notifier, take_sockets
from mailsacd.work.process import STOP_WITHIN_S, end_within
from mailsacd.workers.parent import Workers
from mailsacd.workers.share import with_workers_counted

_log = Logger()


class Options(UsageOptions):
    """The options of `twistd mailsacd`."""

    synopsis = "[--config FILE] [--data-dir DIR] [--set section.key=value …]"
    longdesc = "A self-hosted Mailsac: receives mail at any address, to be read by REST."
    optParameters = (  # noqa: N815  Twisted's name
        ("config", "c", None, "TOML file with settings (see etc/mailsacd.toml)"),
        ("data-dir", "d", None, "where everything kept on disk goes"),
    )

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.overrides: list[str] = []

    def opt_set(self, assignment: str) -> None:
        """section.key=value: a setting that wins over file and environment; may be repeated"""
        self.overrides.append(assignment)

    opt_s = opt_set

    def opt_version(self) -> None:
        """Print the version and exit."""
        sys.stdout.write(f"mailsacd {__version__}\n")
        sys.exit(0)

    def settings(self) -> Settings:
        """The settings in force. Raises ConfigurationError."""
        overrides = list(self.overrides)
        if self["data-dir"]:
            overrides.append(f"server.data_dir={self['data-dir']}")
        return load_settings(self["config"] and Path(self["config"]), overrides=overrides)


class MailsacdService(Service):
    """Starts the daemon with the reactor, and stops it before the reactor does.

    Stopping waits for a start that is under way, so that nothing half-built is left behind.
    """

    def __init__(self, settings: Settings, read: Callable[[], Settings]) -> None:
        """``read`` reads the settings anew. Raises MailsacdError."""
        self._settings = with_workers_counted(settings)
        self._read = read
        self._daemon: Daemon | Workers | None = None
        self._started: Deferred[None] | None = None
        self._notifier: Notifier | None = None

    def startService(self) -> None:
        from twisted.internet import reactor  # noqa: PLC0415  importing it installs one

        super().startService()  # type: ignore[no-untyped-call]
        # By then it has taken the signals: before, one would be raised somewhere in the start
        reactor.callWhenRunning(self._begin, reactor)

    def _begin(self, reactor: object) -> None:
        self._notifier = Notifier(os.environ, reactor)
        self._started = ensureDeferred(self._start(reactor, self._notifier))
        self._started.addErrback(self._cannot_start, reactor)

    async def _start(self, reactor: object, notifier: Notifier) -> None:
        notifier.starting()
        settings = self._settings
        open_ = activated_sockets(settings, take_sockets(os.environ, reactor))
        if settings.server.workers > 1:
            self._daemon = Workers(settings, reactor, open_, self._read)
        else:
            self._daemon = Daemon(settings, reactor, ports=OwnPorts(settings, reactor, open_))
        await self._daemon.start()
        notifier.ready()

    def stopService(self) -> Deferred[None]:
        super().stopService()  # type: ignore[no-untyped-call]
        for again in (signal.SIGINT, signal.SIGTERM):  # Twisted takes it for a defect of ours
            signal.signal(again, lambda *_: _say("mailsacd is stopping: messages are finished"))
        from twisted.internet import reactor  # noqa: PLC0415  importing it installs one

        end_within(STOP_WITHIN_S, reactor)
        return ensureDeferred(self._stop())

    async def _stop(self) -> None:
        if self._notifier is not None:
            self._notifier.stopping()
        if self._daemon is not None and self._started is not None:
            self._daemon.give_up()
            await self._started
            await self._daemon.stop()

    def _cannot_start(self, failure: Failure, reactor: object) -> None:
        error = failure.value
        if isinstance(error, MailsacdError):
            _say(f"mailsacd cannot start: {error.public}")
        else:
            _say("mailsacd cannot start, by a defect of its own; the log says more")
            _log.failure("start failed", failure)
        # twistd has no way to hand on an exit status; this runs once twistd has cleaned up.
        atexit.register(os._exit, 1)
        reactor.callWhenRunning(reactor.stop)  # type: ignore[attr-defined]  # a reactor is many interfaces


def makeService(options: Options) -> IService:
    """The service for `twistd mailsacd`. Wrong settings end the process, and say why in a line."""
    try:
        return MailsacdService(options.settings(), options.settings)
    except MailsacdError as e:  # of a UsageError twistd would show where in the code it was raised
        raise SystemExit(f"mailsacd cannot start: {e.public}") from e


def _say(text: str) -> None:
    stream = sys.__stderr__ or sys.stderr
    stream.write(text + "\n")
    stream.flush()
