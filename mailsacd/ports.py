"""The TCP ports that the daemon serves, and the ways to them.

A daemon of one process listens by itself. One of several processes has its ports bound once for
all of them, and each process inherits its own listening sockets. Some may be open already when the
daemon is started: systemd has opened them.
"""

import resource
import socket
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from msgspec.structs import replace
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory

from mailsacd.core.errors import ConfigurationError
from mailsacd.settings import CaptureSettings, HttpSettings, Pop3Settings, Settings, SmtpSettings
from mailsacd.systemd import Activated

BACKLOG: Final = 1024

MAX_UNSENT_BYTES: Final = 131_072
"""So much at most of what a peer is slow to read waits in the kernel, which would take megabytes.

What is on its way does not count, so this slows nobody down who reads.
"""

OTHER_FILES: Final = 300
"""What a process has open beside its connections: the database, webhooks under way, the log."""

TLS: Final = "_tls"
"""What the name of a plain port's twin ends in."""

FACADES: Final = ("mailpit", "mailhog")
"""The ports of façades: ``facades.mailpit_port`` has the number of the first."""

_Section = SmtpSettings | CaptureSettings | Pop3Settings | HttpSettings

Sockets = dict[str, socket.socket]
"""Listeners' names to sockets."""


class Ports(Protocol):
    """Opens ports; ``name`` is one of `port_names`."""

    def listen(self, name: str, factory: IProtocolFactory) -> IListeningPort:
        """Listen on the port ``name`` and serve it with ``factory``. Raises ConfigurationError."""


def listeners(settings: Settings) -> Mapping[str, _Section]:
    """The settings of all that listens but façades, by the names of their sections and ports."""
    return {
        "smtp": settings.smtp,
        "capture": settings.capture,
        "submission": settings.submission,
        "pop3": settings.pop3,
        "http": settings.http,
    }


def facades(settings: Settings) -> Mapping[str, HttpSettings]:
    """The settings of the façades that are switched on, by the names of their ports.

    But for where they listen they are those of the REST API. Nothing tells where people find them.
    """
    chosen = settings.facades
    ports = {name: getattr(chosen, f"{name}_port") for name in FACADES}
    return {
        name: replace(settings.http, host=chosen.host, port=port, tls_port=-1, public_url="")
        for name, port in ports.items()
        if port >= 0
    }


def _served(settings: Settings) -> Mapping[str, _Section]:
    return {**listeners(settings), **facades(settings)}


def port_names(settings: Settings) -> list[str]:
    """What is to listen: a plain port bears its section's name, its twin that with TLS after it."""
    names = []
    for name, chosen in _served(settings).items():
        names.append(name)
        if chosen.tls_port >= 0:
            names.append(name + TLS)
    return names


def activated_sockets(settings: Settings, handed_over: Iterable[Activated]) -> Sockets:
    """Return whose the sockets are that the daemon was started with, by the names of ports.

    A socket bears the name of its port, or is on the port that a setting names: so one unit may
    have several. Raises ConfigurationError for one that nothing is to listen on, or a second one.
    """
    names = port_names(settings)
    sockets: Sockets = {}
    for each in handed_over:
        host, port = each.socket.getsockname()[:2]
        on_port = [name for name in names if where(settings, name)[1] == port]
        name = each.name if each.name in names else next(iter(on_port), "")
        if not name:
            raise ConfigurationError(
                f"the socket on {host} port {port} ({each.name}) was handed over, and no setting "
                f"has that port; its FileDescriptorName= may be one of {', '.join(names)}"
            )
        if name in sockets:
            raise ConfigurationError(
                f"two sockets were handed over for {name}, the second one on {host} port {port}: "
                f"one for all addresses has ListenStream={port}"
            )
        sockets[name] = each.socket
    return sockets


def files_needed(settings: Settings) -> int:
    """Return how many files a process may have open with as many connections as may be."""
    chosen = _served(settings)
    return OTHER_FILES + sum(
        chosen[name.partition(TLS)[0]].max_connections for name in port_names(settings)
    )


def allow_open_files(settings: Settings) -> int:
    """Let this process have as many files open as its ports may have connections.

    Systems give a process 1,024 unless it asks, and one peer could take them all, whatever its
    limit is. Returns how many are missing because the system allows no more.
    """
    needed = files_needed(settings)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return needed - most


class OwnPorts:
    """Opens the ports that the settings name, but those whose sockets are ``open`` already."""

    def __init__(
        self, settings: Settings, reactor: Any, open_: Mapping[str, socket.socket]
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._open = open_

    def listen(self, name: str, factory: IProtocolFactory) -> IListeningPort:
        """Open the port ``name`` (see Ports.listen)."""
        if name in self._open:
            return _adopted(self._open[name], factory, self._reactor)
        interface, port = where(self._settings, name)
        try:
            listening: IListeningPort = self._reactor.listenTCP(
                port, factory, backlog=BACKLOG, interface=interface
            )
        except CannotListenError as e:
            raise _cannot_listen(name, interface, port, e.socketError) from e
        return _tuned(listening)


class InheritedPorts:
    """Serves sockets that listen already. ``descriptors`` are taken over."""

    def __init__(self, descriptors: Mapping[str, int], reactor: Any) -> None:
        self._descriptors = descriptors
        self._reactor = reactor

    def listen(self, name: str, factory: IProtocolFactory) -> IListeningPort:
        """Adopt the socket of the port ``name`` (see Ports.listen)."""
        with socket.socket(fileno=self._descriptors[name]) as inherited:
            return _adopted(inherited, factory, self._reactor)


def bind_shared(
    settings: Settings, processes: int, open_: Mapping[str, socket.socket]
) -> list[Sockets]:
    """Bind each port once for each process; the kernel deals new connections out among them.

    They do not listen yet. Of ports whose sockets are ``open_`` already all processes share one.
    Raises ConfigurationError.
    """
    bound: list[Sockets] = [{} for _ in range(processes)]
    try:
        for name in port_names(settings):
            if name in open_:
                for sockets in bound:
                    sockets[name] = open_[name].dup()
                continue
            interface, port = where(settings, name)
            try:
                _check_free(interface, port)
                for sockets in bound:
                    sockets[name] = _bind(interface, port, reuse_port=True)
                    port = sockets[name].getsockname()[1]  # 0 picks one, for all of them
            except OSError as e:
                raise _cannot_listen(name, interface, port, e) from e
    except ConfigurationError:
        for sockets in bound:
            for each in sockets.values():
                each.close()
        raise
    return bound


def _adopted(listener: socket.socket, factory: IProtocolFactory, reactor: Any) -> IListeningPort:
    """Serve a duplicate of ``listener``, which listens already, with ``factory``."""
    return _tuned(reactor.adoptStreamPort(listener.fileno(), listener.family, factory))


def _tuned(listening: Any) -> IListeningPort:
    """``listening``, whose connections inherit what is set here, which saves a call for each.

    Replies are not held back for more to go with them, and little waits in the kernel, where it
    can be told so.
    """
    listening.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None:
        listening.socket.setsockopt(socket.IPPROTO_TCP, option, MAX_UNSENT_BYTES)
    port: IListeningPort = listening
    return port


def _check_free(interface: str, port: int) -> None:
    """Raises OSError when others listen there, even such as would share it with us."""
    _bind(interface, port, reuse_port=False).close()


def _bind(interface: str, port: int, *, reuse_port: bool) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in interface else socket.AF_INET)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((interface, port))
    except BaseException:
        bound.close()
        raise
    return bound


def where(settings: Settings, name: str) -> tuple[str, int]:
    """Return the address and the number that the port ``name`` is to be opened on."""
    section, twin, _ = name.partition(TLS)
    chosen = _served(settings)[section]
    port = chosen.tls_port if twin else chosen.port
    default = "0.0.0.0" if settings.database.dsn else "127.0.0.1"  # noqa: S104  a server
    return chosen.host or default, port


def _cannot_listen(name: str, interface: str, port: int, why: object) -> ConfigurationError:
    section, twin, _ = name.partition(TLS)
    setting = "tls_port" if twin else "port"
    if name in FACADES:
        section, setting = "facades", f"{name}_port"
    return ConfigurationError(
        f"cannot listen on {interface} port {port} ({name}): {why}; "
        f"set {section}.host or {section}.{setting} to another, or {setting} 0 for any free one"
    )
