"""All that is looked at, in the order in which one thing stands on another."""

from contextlib import AsyncExitStack
from typing import Any, Final

from mailsacd.core.errors import ConfigurationError
from mailsacd.core.ready import read_ready
from mailsacd.data import Opening, data_directory, hostname_of, open_data
from mailsacd.doctor.certificates import look_at_certificate
from mailsacd.doctor.database import look_at_database
from mailsacd.doctor.finding import Finding, fault, ok, warning
from mailsacd.doctor.machine import can_be_seen, look_at_machine
from mailsacd.doctor.names import look_at_names
from mailsacd.doctor.network import look_at_ports, look_at_way_out
from mailsacd.doctor.replica import look_at_replica
from mailsacd.doctor.settings import look_at_settings
from mailsacd.outbound.dns import Resolver
from mailsacd.settings import Settings

CONNECTIONS: Final = 1


async def examine(
    settings: Settings, reactor: Any, *, reach: str, reach_port: int = 25
) -> list[Finding]:
    """Return what was found. ``reach`` is a domain whose mail host is tried, empty for none."""
    directory = data_directory(settings)
    hostname = hostname_of(settings)
    ready = read_ready(directory)
    dns = Resolver(settings.dns, reactor)
    found = [*look_at_settings(settings), can_be_seen(directory)]
    found += look_at_machine(settings, directory)
    found += await _database(settings, reactor)
    if ready is None:
        found.append(warning("daemon", "it does not run", "see its log, or start it"))
    else:
        found.append(ok("daemon", f"version {ready.version} runs, process {ready.pid}"))
    found += await look_at_ports(settings, ready, reactor)
    found += look_at_certificate(settings, directory, hostname)
    found += await look_at_names(settings, hostname, dns)
    if reach or settings.relay.smarthost:
        found += await look_at_way_out(settings, reach, dns, reach_port, reactor)
    return found


async def _database(settings: Settings, reactor: Any) -> list[Finding]:
    try:
        async with AsyncExitStack() as closing:
            data = await open_data(
                settings, closing, reactor, connections=CONNECTIONS, opening=Opening.AS_IT_IS
            )
            found = await look_at_database(settings, data.database)
            return [*found, *await look_at_replica(settings, data)]
    except ConfigurationError as e:
        return [fault("database", e.public, "see database.dsn, or --data-dir")]
