"""The ports that are served, and the way out to other mail servers."""

import errno
import socket
from collections.abc import Sequence
from typing import Any, Final

from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Protocol

from mailsacd.core.dns import Dns
from mailsacd.core.errors import LookupFailedError
from mailsacd.core.ready import Ready
from mailsacd.doctor.finding import Finding, fault, ok, warning
from mailsacd.ports import port_names, where
from mailsacd.settings import Settings

TIMEOUT_S: Final = 10.0


async def look_at_ports(settings: Settings, ready: Ready | None, reactor: Any) -> list[Finding]:
    """Return whether the running daemon's ports take connections, or could be opened by one."""
    if ready is None:
        return [_free(settings, name) for name in port_names(settings)]
    found = []
    for name, port in ready.ports.items():
        host = _reachable(where(settings, name)[0]) if name in port_names(settings) else "127.0.0.1"
        problem = await _connect(host, port, reactor)
        told = f"{name}: {host} port {port}"
        if problem:
            found.append(fault("ports", f"{told}: {problem}", "see the log of the daemon"))
        else:
            found.append(ok("ports", f"{told} takes connections"))
    return found


async def look_at_way_out(
    settings: Settings, domain: str, dns: Dns, port: int, reactor: Any
) -> list[Finding]:
    """Return whether mail gets out: to the smarthost, else to port 25 of a mail host of ``domain``.

    Many providers close that port.
    """
    if settings.relay.smarthost:
        host, _, chosen = settings.relay.smarthost.rpartition(":")
        hosts: Sequence[str] = (host.strip("[]"),)
        port = int(chosen) if chosen.isdecimal() else port
    else:
        try:
            found = (await dns.mail_hosts(domain)).records
        except LookupFailedError as e:
            return [fault("way out", e.public, "see dns.servers")]
        hosts = [each.host for each in found] or [domain]
    problem = await _connect(hosts[0], port, reactor)
    told = f"{hosts[0]} port {port}"
    if problem:
        return [
            warning(
                "way out",
                f"{told}: {problem}",
                "ask the provider to open port 25, or set relay.smarthost",
            )
        ]
    return [ok("way out", f"{told} takes connections")]


async def _connect(host: str, port: int, reactor: Any) -> str:
    """Why there is no connection; empty if there is one."""
    try:
        endpoint = HostnameEndpoint(reactor, host, port, timeout=TIMEOUT_S)
        protocol: Any = await connectProtocol(endpoint, Protocol())
    except (ConnectError, OSError) as e:
        return str(e).strip() or "no answer"
    protocol.transport.abortConnection()
    return ""


def _free(settings: Settings, name: str) -> Finding:
    host, port = where(settings, name)
    told = f"{name}: {host} port {port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trying:
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind((host, port))
        except PermissionError:
            advice = "start it by systemd with mailsacd.socket (docs/installation.md)"
            return warning("ports", f"{told} is for root alone", advice)
        except OSError as e:
            if e.errno == errno.EADDRINUSE:
                return fault("ports", f"{told} is in use", f"see `ss -tlnp`, or set {name}.port")
            return fault("ports", f"{told}: {e.strerror}", f"set {name}.host")
    return ok("ports", f"{told} is free")


def _reachable(host: str) -> str:
    """Where this machine reaches what listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared with, not bound
