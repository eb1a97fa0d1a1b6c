"""What the operator is told of how the daemon does: figures, for Prometheus."""

import os
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from twisted.logger import globalLogPublisher

from mailsacd.assembly.part import Ground
from mailsacd.core.figures import Figures
from mailsacd.core.token import time_of
from mailsacd.http.app import Group
from mailsacd.http.calls.metrics import MetricsCalls
from mailsacd.mail.records.figure_memory import FigureMemory
from mailsacd.mail.records.log_counts import LogCounts
from mailsacd.mail.records.metrics import Ask, Metrics, Told
from mailsacd.store.counts import public_total, total
from mailsacd.store.pool import Database
from mailsacd.store.standing import Outgoing, open_outgoing, waiting_deliveries
from mailsacd.work.loop import Loop

SAMPLE_EVERY_S: Final = 1.0
"""So old may be what one worker tells of how another one stands."""

_MEMORY: Final = Path("/proc/self/statm")
_OPEN_FILES: Final = Path("/dev/fd")
_LATE_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Observing:
    """A part. What others declare while they are built begins to count when it starts."""

    def __init__(self, ground: Ground, memory: FigureMemory) -> None:
        """Raises ConfigurationError for a network that is none."""
        figures = ground.telemetry.figures
        self._memory = memory
        self._networks = ground.settings.http.metrics_networks
        self._metrics = Metrics(
            memory,
            (_asks(ground.database, ground.reactor.seconds),),
            ground.lanes.rest,
            reactor=ground.reactor,
        )
        self._seconds = ground.reactor.seconds
        self._due_s: float | None = None
        self._late = figures.histogram(
            "mailsacd_reactor_late_seconds",
            "By how much a timer of each second was late: so long waits whatever comes in",
            _LATE_S,
        )
        ground.lanes.declare(figures)
        ground.database.declare(figures, "rest")
        ground.intake.declare(figures, "mail in")
        _declare_process(figures)
        self._log_counts = LogCounts(figures)
        self._starts = figures.counter(
            "mailsacd_worker_starts_total", "Processes that began to serve the ports"
        )
        self._sampling = Loop(
            "sample figures", self._sample, every_s=SAMPLE_EVERY_S, clock=ground.reactor
        )

    def calls(self) -> tuple[Group, ...]:
        """Return the call for them."""
        return (MetricsCalls(self._metrics.text, self._networks),)

    async def start(self) -> None:
        """Begin to count, from where the process before this one ended."""
        self._memory.begin()
        self._starts.add()
        globalLogPublisher.addObserver(self._log_counts)
        self._sampling.start()

    async def finish(self) -> None:
        """Sample and count no more: the port is closed."""
        self._sampling.halt()
        self._memory.end()
        globalLogPublisher.removeObserver(self._log_counts)

    def _sample(self) -> None:
        now_s = self._seconds()
        if self._due_s is not None:
            self._late.observe(max(now_s - self._due_s, 0.0))
        self._due_s = now_s + SAMPLE_EVERY_S
        self._memory.sample()


def _asks(database: Database, seconds: Callable[[], float]) -> Ask:
    async def ask() -> Sequence[Told]:
        deliveries = await waiting_deliveries(database)
        everything, public = await total(database), await public_total(database)
        outgoing = await open_outgoing(database)
        return (
            Told(
                name="mailsacd_deliveries_waiting",
                about="Deliveries to webhooks and Slack that are still to be made",
                value=deliveries.count,
            ),
            Told(
                name="mailsacd_deliveries_overdue_seconds",
                about="For how long the delivery is due that has waited longest",
                value=deliveries.overdue_s,
            ),
            *_of_outgoing(outgoing, seconds()),
            *_stored("mailsacd_stored_messages", "Messages kept", everything.held, public.held),
            *_stored(
                "mailsacd_stored_bytes",
                "Bytes of the messages kept, before compression",
                everything.bytes,
                public.bytes,
            ),
        )

    return ask


def _of_outgoing(queue: Outgoing, now_s: float) -> tuple[Told, ...]:
    age_s = 0.0 if queue.oldest is None else now_s - time_of(queue.oldest).timestamp()
    counts = (("ready", queue.ready), ("later", queue.later))
    return (
        *(
            Told(
                name="mailsacd_outgoing_recipients",
                about="Recipients to whom mail is still to be sent",
                value=count,
                labels=(("state", state),),
            )
            for state, count in counts
        ),
        Told(
            name="mailsacd_outgoing_overdue_seconds",
            about="For how long sending to the recipient is due that has waited longest",
            value=queue.overdue_s,
        ),
        Told(
            name="mailsacd_outgoing_age_seconds",
            about="How old the oldest message is that is still to be sent",
            value=max(age_s, 0.0),
        ),
    )


def _stored(name: str, about: str, everything: int, public: int) -> tuple[Told, ...]:
    return (
        Told(name=name, about=about, value=public, labels=(("whose", "public"),)),
        Told(name=name, about=about, value=everything - public, labels=(("whose", "accounts"),)),
    )


def _resident_bytes() -> float:
    try:
        pages = int(_MEMORY.read_text().split()[1])
    except OSError:  # a system without /proc tells the most that it ever was, in KB
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    return float(pages * resource.getpagesize())


def _declare_process(figures: Figures) -> None:
    """Declare what Prometheus' clients tell of a process, under the names that they have for it.

    Read from within, for /proc of other processes may be hidden (systemd's ProcSubset=).
    """
    started_s = time.time()
    figures.of_worker(
        "process_cpu_seconds_total",
        "counter",
        "Processor time of the process, in user and system mode",
        time.process_time,
    )
    figures.of_worker(
        "process_start_time_seconds",
        "gauge",
        "When the process began, in seconds since 1970",
        lambda: started_s,
    )
    figures.of_worker(
        "process_resident_memory_bytes", "gauge", "Memory of the process", _resident_bytes
    )
    figures.of_worker(
        "process_open_fds",
        "gauge",
        "Open files and connections",
        lambda: sum(1 for _ in os.scandir(_OPEN_FILES)),
    )
    figures.of_worker(
        "process_max_fds",
        "gauge",
        "Files and connections that may be open",
        lambda: resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    )
    figures.gauge("mailsacd_workers", "Processes that serve the ports", lambda: 1)
