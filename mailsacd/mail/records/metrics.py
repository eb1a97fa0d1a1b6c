"""The figures of the daemon as Prometheus reads them: what was counted, and what is in store.

The database is asked when somebody reads, in bounded time; where it does not answer, that is told,
and what it would have told is left out.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError

from mailsacd import __version__
from mailsacd.core.errors import UnavailableError
from mailsacd.core.figures import Figure, Labels
from mailsacd.mail.records.figure_memory import FigureMemory, Reading
from mailsacd.work.sharing import Sharing
from mailsacd.work.threads import Lane

ASK_WITHIN_S: Final = 2.0
"""So long is waited for the database: Prometheus itself waits for 10 seconds."""

_BUILD: Final = Reading(
    Figure(name="mailsacd_build_info", kind="gauge", about="What runs here: always 1"),
    [((("version", __version__),), [1.0])],
)
_DATABASE_UP: Final = Figure(
    name="mailsacd_database_up", kind="gauge", about="Whether the database answers: 1, or 0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A gauge that the database tells: it is the same at all nodes, and is not added up."""

    name: str
    about: str
    value: float
    labels: Labels = ()


Ask = Callable[[], Awaitable[Sequence[Told]]]
"""Asks the database for gauges. Raises UnavailableError."""


class Metrics:
    """What is in ``memory``, and what each of ``asks`` tells. The text is made in ``lane``."""

    def __init__(
        self, memory: FigureMemory, asks: Iterable[Ask], lane: Lane, *, reactor: Any
    ) -> None:
        self._memory = memory
        self._asks = tuple(asks)
        self._lane = lane
        self._reactor = reactor
        self._sharing: Sharing[None, bytes] = Sharing()

    def text(self) -> Deferred[bytes]:
        """Return all figures in Prometheus' text format 0.0.4, in UTF-8.

        Who asks while others do gets the same. Fails with OverloadedError.
        """
        return self._sharing.get(None, self._text)

    async def _text(self) -> bytes:
        asking = Deferred.fromCoroutine(self._ask())
        try:
            told, is_up = await asking.addTimeout(ASK_WITHIN_S, self._reactor), 1.0
        except (UnavailableError, DeferredTimeoutError):
            told, is_up = [], 0.0
        readings = [_BUILD, Reading(_DATABASE_UP, [((), [is_up])]), *self._memory.readings()]
        return await self._lane.run_in_thread(partial(_rendered, readings, told))

    async def _ask(self) -> list[Told]:
        return [told for ask in self._asks for told in await ask()]


class _Collector:
    """What prometheus-client asks for metrics."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _rendered(readings: Iterable[Reading], told: Iterable[Told]) -> bytes:
    registry = CollectorRegistry()  # of our own: that of the package has what we do not ask for
    registry.register(_Collector([*map(_metric, readings), *_metrics_of(told)]))
    return generate_latest(registry)


def _metric(reading: Reading) -> Metric:
    figure = reading.figure
    metric = Metric(figure.name.removesuffix("_total"), figure.about, figure.kind)
    for labels, cells in reading.samples:
        # of the many that two labels make, those are told that ever counted something
        if len(labels) > 1 and figure.kind != "gauge" and not any(cells):
            continue
        if figure.kind == "histogram":
            for suffix, more, value in _histogram(figure, cells):
                metric.add_sample(figure.name + suffix, dict((*labels, *more)), value)
        else:
            metric.add_sample(figure.name, dict(labels), cells[0])
    return metric


def _histogram(figure: Figure, cells: Sequence[float]) -> Iterator[tuple[str, Labels, float]]:
    """The samples of one: buckets count all that is at most their bound."""
    *buckets, total = cells
    counts = list(accumulate(buckets))
    for bound, count in zip((*map(str, figure.bounds), "+Inf"), counts, strict=True):
        yield "_bucket", (("le", bound),), count
    yield "_count", (), counts[-1]
    yield "_sum", (), total


def _metrics_of(told: Iterable[Told]) -> Iterable[Metric]:
    metrics: dict[str, Metric] = {}
    for each in told:
        metric = metrics.setdefault(each.name, Metric(each.name, each.about, "gauge"))
        metric.add_sample(each.name, dict(each.labels), each.value)
    return metrics.values()
