"""The one place that builds the daemon's long-lived objects, in start order.

What is built registers how it is closed; closing runs in the reverse order. So sessions end before
the last batch commits, that before the pool closes, and the pool before PostgreSQL stops.
"""

import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import ensureDeferred, maybeDeferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory

from mailsacd import __version__
from mailsacd.announcement import announce
from mailsacd.certificate import CertificateStore
from mailsacd.core.budget import ByteBudget
from mailsacd.data import Data, hostname_of, make_data_dir, open_data
from mailsacd.delivering import Delivering
from mailsacd.feeds import Feeds
from mailsacd.http.account import AccountCalls
from mailsacd.http.addresses import AddressCalls
from mailsacd.http.app import Group, make_site, put_websockets
from mailsacd.http.domains import DomainCalls
from mailsacd.http.inbox import InboxCalls
from mailsacd.http.keys import KeyCalls
from mailsacd.http.marks import MarkCalls
from mailsacd.http.sessions import SessionCalls
from mailsacd.http.team import TeamCalls
from mailsacd.http.validations import ValidationCalls
from mailsacd.jobs.verify import VerifyJob
from mailsacd.mail.accept import Accept
from mailsacd.mail.accounts import Accounts
from mailsacd.mail.activity import Activity
from mailsacd.mail.addresses import Addresses
from mailsacd.mail.auth import Authenticator
from mailsacd.mail.capture import Capture
from mailsacd.mail.directory import Directory
from mailsacd.mail.domain_rules import rules_of
from mailsacd.mail.domains import Domains
from mailsacd.mail.gate import Gate
from mailsacd.mail.guesses import Guesses
from mailsacd.mail.inbox import Inbox
from mailsacd.mail.ingest import Ingest
from mailsacd.mail.keys import Keys
from mailsacd.mail.listening import ListeningRules
from mailsacd.mail.mail_login import MailLogins
from mailsacd.mail.mailbox import Mailbox
from mailsacd.mail.marks import Marks
from mailsacd.mail.passwords import Passwords
from mailsacd.mail.plans import Plans
from mailsacd.mail.sessions import Sessions
from mailsacd.mail.team import Team
from mailsacd.mail.usage import Metered
from mailsacd.mail.validate import Validator
from mailsacd.outbound.dns import Resolver
from mailsacd.ports import TLS, OwnPorts, Ports
from mailsacd.push import make_push
from mailsacd.receiving import captures_all, receivers
from mailsacd.records import Records
from mailsacd.retrieval import Retrieval
from mailsacd.settings import HttpSettings, Settings
from mailsacd.smtp.services import SmtpServices
from mailsacd.store.notices import Notices

_WORKER_THREADS: Final = 4

Announce = Callable[[Settings, Data, Mapping[str, int], AsyncExitStack], None]

_log = Logger()


class Daemon:
    """A whole mailsacd in one process: all of it, or a worker of several.

    A worker is given its ``ports``, and what it says when it is ready.
    """

    def __init__(
        self,
        settings: Settings,
        reactor: Any,
        *,
        ports: Ports | None = None,
        announce: Announce = announce,
    ) -> None:
        # A reactor is many interfaces; each object below says which of them it needs.
        self._settings = settings
        self._reactor = reactor
        self._closing = AsyncExitStack()
        self._ports = ports or OwnPorts(settings, reactor)
        self._announce = announce
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
        settings, reactor = self._settings, self._reactor
        reactor.suggestThreadPoolSize(_WORKER_THREADS)
        hostname = hostname_of(settings)
        certificate = CertificateStore(
            settings.tls, data_dir=make_data_dir(settings), hostname=hostname
        )

        data = await open_data(settings, self._closing, reactor)
        database = data.database
        self._go_on()

        notices = Notices(data.dsn, reactor=reactor)
        self._on_close(notices.stop)
        guesses = Guesses(reactor, shared_by=settings.server.workers)
        authenticator = Authenticator(database, notices, guesses, reactor=reactor)
        self._on_close(authenticator.finish)

        plans = Plans(settings.plans, settings.accounts.default_plan)
        passwords = Passwords(reactor)
        accounts = Accounts(database, plans, authenticator.forget)
        directory = Directory(database, notices)
        addresses = Addresses(database, directory, plans, passwords)
        resolver = Resolver(settings.dns, reactor)
        domain_rules = rules_of(settings.domains, hostname)
        domains = Domains(database, addresses, directory, plans, resolver, domain_rules)
        verifying = VerifyJob(domains, reactor)
        self._on_close(verifying.stop)

        records = Records(settings, database, accounts, notices, reactor)
        self._on_close(records.finish)
        push = await make_push(database, notices, records.usage, reactor)
        self._on_close(push.finish)
        delivering = Delivering(settings, database, records, resolver, reactor)
        self._on_close(delivering.job.stop)

        budget = ByteBudget(settings.message.buffer_bytes)
        ingest = Ingest(
            database,
            hostname=hostname,
            budget=budget,
            reactor=reactor,
            observers=(*records.observers, delivering.job, push.announcer),
            ownership=directory,
        )
        self._on_close(ingest.finish)
        accept = Accept(
            database,
            directory,
            settings.message.accepted_domains,
            domain_rules.hosting,
            activity=records.activity,
        )
        gate = Gate(directory, anonymous_read=settings.http.anonymous_read)
        logins = MailLogins(
            database, authenticator, directory, passwords, guesses, records.activity
        )
        smtp = receivers(
            settings,
            SmtpServices(
                hostname=hostname,
                settings=settings.smtp,
                message=settings.message,
                accept=accept,
                ingest=ingest,
                tls=certificate.context_factory,
                clock=reactor,
                refuses=records.denylist.refuses,
            ),
            Capture(logins, accounts, ingest, records.usage, records.activity),
            captures_all(database, directory, records.activity),
        )
        for factory in smtp.values():
            self._on_close(factory.drain)
        retrieval = Retrieval(
            settings, database, gate, logins, certificate.context_factory, reactor
        )
        self._on_close(retrieval.finish)
        callers = Metered(authenticator, records.usage)
        rules = ListeningRules(database, directory, accounts, gate)
        feeds = Feeds(settings.websocket, push.hub, rules, callers, notices, reactor)
        self._on_close(feeds.stop)
        ports: dict[str, int] = {}
        groups: tuple[Group, ...] = (
            *account_calls(settings, accounts, passwords, guesses, records.activity),
            AddressCalls(addresses),
            DomainCalls(domains),
            MarkCalls(Marks(database, gate)),
            InboxCalls(Inbox(database, gate)),
            *records.calls(),
            retrieval.calls(addresses, ports),
            *delivering.calls(),
            *feeds.calls(),
            ValidationCalls(
                Validator(resolver, reactor=reactor),
                anonymous_read=settings.http.anonymous_read,
            ),
        )
        callers = Metered(authenticator, records.usage)
        mailbox = Mailbox(database, gate, reactor=reactor)
        site = make_site(mailbox, callers, settings.http, __version__, reactor, groups)
        put_websockets(site, feeds.websockets, settings.http)
        notices.start()
        authenticator.start()
        verifying.start()
        delivering.job.start()
        await records.start()
        push.start()
        feeds.start()
        retrieval.start()
        https = over_tls(settings.http, certificate, site)
        self._serve({**smtp, **retrieval.factories, "http": site, **https}, ports)
        self._reload_on_sighup(certificate)
        self._finish_removals(accounts)
        self._announce(settings, data, ports, self._closing)

    def _serve(self, factories: Mapping[str, IProtocolFactory], ports: dict[str, int]) -> None:
        """Listen, and put down on which ports."""
        for name, factory in factories.items():
            ports[name] = self._listen(name, factory)

    def _listen(self, name: str, factory: IProtocolFactory) -> int:
        listening = self._ports.listen(name, factory)
        self._on_close(lambda: maybeDeferred(listening.stopListening))
        return int(cast(IPv4Address | IPv6Address, listening.getHost()).port)

    def _finish_removals(self, accounts: Accounts) -> None:
        """Go on, beside everything else, with what a crash broke off."""
        going_on = ensureDeferred(accounts.finish_removals())
        going_on.addErrback(lambda f: _log.failure("the removal of an account waits", f))

    def _reload_on_sighup(self, certificate: CertificateStore) -> None:
        previous = signal.signal(
            signal.SIGHUP, lambda *_: self._reactor.callFromThread(certificate.reload)
        )
        self._closing.callback(signal.signal, signal.SIGHUP, previous)

    def _on_close(self, close: Callable[[], Awaitable[Any]]) -> None:
        async def closing() -> None:
            await close()

        self._closing.push_async_callback(closing)

    def _go_on(self) -> None:
        if self._given_up:
            raise _GivenUpError


def account_calls(
    settings: Settings,
    accounts: Accounts,
    passwords: Passwords,
    guesses: Guesses,
    activity: Activity | None = None,
) -> tuple[Group, ...]:
    """The calls about accounts, those who sign in to them, and their keys."""
    sessions = Sessions(accounts, passwords, guesses, settings.accounts, activity)
    session_calls = SessionCalls(sessions, tls=settings.http.public_url.startswith("https:"))
    return (
        session_calls,
        KeyCalls(Keys(accounts)),
        AccountCalls(accounts, sessions, session_calls),
        TeamCalls(Team(accounts, passwords)),
    )


def over_tls(
    settings: HttpSettings, certificate: CertificateStore, site: IProtocolFactory
) -> Mapping[str, IProtocolFactory]:
    """What serves ``site`` with TLS from the first byte, by the name of its port, if asked for."""
    if settings.tls_port < 0:
        return {}
    factory = TLSMemoryBIOFactory(certificate.context_factory, isClient=False, wrappedFactory=site)
    return {"http" + TLS: factory}


class _GivenUpError(Exception):
    """The daemon was stopped before it had started."""
