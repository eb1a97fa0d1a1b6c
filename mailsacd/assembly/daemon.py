"""A whole daemon: its parts put together, started, and ended in the reverse order.

So sessions end before the last batch commits, that before the pool closes, and the pool before
PostgreSQL stops.
"""

import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import Logger

from mailsacd.announcement import announce
from mailsacd.assembly.delivering import Delivering
from mailsacd.assembly.facades import Facades
from mailsacd.assembly.feeds import Feeds
from mailsacd.assembly.mail_parts import MailParts
from mailsacd.assembly.node_memory import NodeMemory
from mailsacd.assembly.observing import Observing
from mailsacd.assembly.ownership import Ownership
from mailsacd.assembly.pages import WebPages
from mailsacd.assembly.part import Edge, Ground, P, Part
from mailsacd.assembly.push import make_push
from mailsacd.assembly.reads import make_reader
from mailsacd.assembly.records import Records
from mailsacd.assembly.recycling import Recycling
from mailsacd.assembly.runs import RunParts
from mailsacd.assembly.spam import Spam
from mailsacd.assembly.surface import Parts, Surface
from mailsacd.assembly.waiting import Waiting
from mailsacd.assembly.web import Web
from mailsacd.certificate import CertificateStore
from mailsacd.data import Data, hostname_of, make_data_dir, open_data, open_database
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.mail.records.traffic_log import TrafficLog
from mailsacd.ports import OwnPorts, Ports, allow_open_files
from mailsacd.settings import Settings
from mailsacd.work.signals import on_signal

_SWITCH_INTERVAL_S: Final = 0.0005
"""So long a thread keeps the interpreter while the reactor waits for it; Python's own is 5 ms."""

_log = Logger()

Announce = Callable[[Settings, Data, Mapping[str, int], AsyncExitStack], None]


class Daemon:
    """A whole mailsacd in one process: all of it, or a worker of several.

    A worker is given its ``ports``, what it says when it is ready, and the ``memory`` that all of
    them share. With ``owns_process`` the
    collector of garbage is spared what the daemon is made of, and whatever else is there.
    """

    def __init__(
        self,
        settings: Settings,
        reactor: Any,
        *,
        ports: Ports | None = None,
        announce: Announce = announce,
        owns_process: bool = True,
        memory: NodeMemory | None = None,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._closing = AsyncExitStack()
        self._parts: list[Part] = []
        self._edges: tuple[Edge, ...] = ()
        self._ports = ports or OwnPorts(settings, reactor, {})
        self._announce = announce
        self._owns_process = owns_process
        self._memory = memory or NodeMemory()
        self._given_up = False

    async def start(self) -> None:
        """Build everything and listen. Raises ConfigurationError, with all closed again."""
        try:
            await self._build()
        except _GivenUpError:
            await self._closing.aclose()
        except BaseException:
            await self._closing.aclose()
            raise

    def give_up(self) -> None:
        """Have a start that is under way end at its next step, with all closed again."""
        self._given_up = True

    async def stop(self) -> None:
        """Close everything: no message that was acknowledged is lost. May be called twice."""
        await self._closing.aclose()

    async def _build(self) -> None:
        self._have_threads_give_way()
        certificate = CertificateStore(
            self._settings.tls,
            data_dir=make_data_dir(self._settings),
            hostname=hostname_of(self._settings),
        )
        ground = await self._ground(certificate)
        self._go_on()
        ports: dict[str, int] = {}
        factories = await self._put_together(ground, ports)
        self._on_close(self._drain)
        for part in self._parts:
            await part.start()
        if missing := allow_open_files(self._settings):
            _log.info("the system allows {n} connections fewer than the settings do", n=missing)
        for name, factory in factories.items():
            ports[name] = self._listen(name, factory)
        self._closing.callback(on_signal(signal.SIGHUP, certificate.reload, self._reactor))
        self._announce(self._settings, ground.data, ports, self._closing)
        if self._owns_process:
            self._spare_the_collector()

    async def _ground(self, certificate: CertificateStore) -> Ground:
        settings, reactor = self._settings, self._reactor
        data = await open_data(settings, self._closing, reactor)
        intake = await open_database(
            data.dsn,
            data.lanes.rest,
            settings.database.mail_connections,
            settings,
            self._closing,
            reactor,
        )
        return Ground(
            settings=settings,
            hostname=hostname_of(settings),
            data=data,
            intake=intake,
            reads=make_reader(data, settings, self._memory.figures.figures, self._closing),
            tls=certificate.context_factory,
            reactor=reactor,
            limits=self._memory.limits,
            telemetry=Telemetry(
                figures=self._memory.figures.figures,
                log=TrafficLog(settings.log, reactor.seconds),
            ),
        )

    async def _put_together(
        self, ground: Ground, ports: Mapping[str, int]
    ) -> Mapping[str, IProtocolFactory]:
        """Build the parts; what listens, by the names of its ports, which ``ports`` will tell."""
        parts = await self._make_parts(ground, ports)
        owners, records, mail, feeds = parts.owners, parts.records, parts.mail, parts.feeds
        surface = Surface(ground, parts)
        pages = self._add(
            WebPages(ground, surface.signing_in, ports, mail.offers_tls, surface.pages())
        )
        groups = (*surface.calls(), *pages.calls())
        web = self._add(Web(ground, owners, records, groups, feeds.websockets))
        web.site.explain = pages.explain
        facades = self._add(Facades(ground, owners, records, mail.receiving, feeds))
        self._edges = (*mail.edges, feeds, parts.waiting, web, facades)
        return {**mail.factories, **web.factories, **facades.factories}

    async def _make_parts(self, ground: Ground, ports: Mapping[str, int]) -> Parts:
        observing = self._add(Observing(ground, self._memory.figures))
        owners = self._add(Ownership(ground))
        records = self._add(Records(ground, owners))
        recycling = self._add(Recycling(ground, records.activity, owners.notices))
        push = self._add(await make_push(ground, owners.notices, records.pushes))
        delivering = self._add(Delivering(ground, owners, records, push.forms, ports))
        spam = self._add(Spam(ground, owners))
        observers = (
            *records.observers,
            recycling.recycler,
            delivering.job,
            push.announcer,
            *spam.observers,
        )
        mail = MailParts(ground, owners, records, observers, ports, self._add)
        return Parts(
            observing=observing,
            owners=owners,
            records=records,
            delivering=delivering,
            spam=spam,
            mail=mail,
            feeds=self._add(Feeds(ground, owners, records, push.hub)),
            waiting=self._add(Waiting(ground, owners, records, push.hub, mail.policy)),
            runs=self._add(RunParts(ground, owners, records)),
        )

    def _add(self, part: P) -> P:
        self._parts.append(part)
        self._on_close(part.finish)
        return part

    async def _drain(self) -> None:
        """All edges at the same time: each may take a while, and that would add up."""
        await DeferredList([Deferred.fromCoroutine(_drain(edge)) for edge in self._edges])

    def _listen(self, name: str, factory: IProtocolFactory) -> int:
        listening = self._ports.listen(name, factory)
        self._on_close(lambda: maybeDeferred(listening.stopListening))
        return int(cast(IPv4Address | IPv6Address, listening.getHost()).port)

    def _have_threads_give_way(self) -> None:
        """Have the lanes' threads hand the interpreter over to the reactor soon.

        The reactor lets go of it at each system call, of which an event takes several, and then
        waits anew: beside four busy threads `/livez` took 120 ms with Python's own interval, and
        takes 11 ms with this one.
        """
        self._closing.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_INTERVAL_S)

    def _spare_the_collector(self) -> None:
        """Have the collector of garbage look no more at what is there now: it stays for good.

        That is 80,000 objects, and when it goes through all of them the reactor stands still for
        25 ms.
        """
        gc.collect()
        gc.freeze()
        self._closing.callback(gc.unfreeze)

    def _on_close(self, close: Callable[[], Awaitable[Any]]) -> None:
        async def closing() -> None:
            await close()

        self._closing.push_async_callback(closing)

    def _go_on(self) -> None:
        if self._given_up:
            raise _GivenUpError


async def _drain(edge: Edge) -> None:
    try:
        await edge.drain()
    except Exception:  # noqa: BLE001  one edge's defect is not the others'
        _log.failure("sessions could not be ended")


class _GivenUpError(Exception):
    """The daemon was stopped before it had started."""
