"""Who may ask for figures, and what they are told while the database is away."""

from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred

from mailsacd.core.errors import ConfigurationError, UnavailableError
from mailsacd.http.app import make_site
from mailsacd.http.calls.metrics import MetricsCalls
from mailsacd.mail.records import metrics
from mailsacd.mail.records.figure_memory import FigureMemory
from mailsacd.mail.records.metrics import Metrics, Told
from mailsacd.settings import HttpSettings
from mailsacd.store.pool import Database
from tests.http.client import ask
from tests.lanes import LANES
from tests.mail.authenticators import authenticator

reactor: Any = the_reactor
LOOPBACK = HttpSettings().metrics_networks
PROXIED = HttpSettings(proxy_networks=("127.0.0.0/8",))


async def _text() -> bytes:
    return b"told\n"


@pytest.mark.parametrize(
    ("networks", "settings", "client", "status"),
    [
        (LOOPBACK, HttpSettings(), None, 200),
        ((), HttpSettings(), None, 403),
        (("192.0.2.0/24",), HttpSettings(), None, 403),
        (LOOPBACK, PROXIED, "192.0.2.7", 403),
        (("192.0.2.0/24",), PROXIED, "192.0.2.7", 200),
        (("192.0.2.0/24",), HttpSettings(), "192.0.2.7", 403),  # nobody vouches for it
        (("2001:db8::/32",), PROXIED, "2001:db8::7", 200),
    ],
)
@pytest_twisted.ensureDeferred
async def test_figures_are_for_the_networks_of_the_setting(
    listen: Callable[[Any], int],
    database: Database,
    networks: tuple[str, ...],
    settings: HttpSettings,
    client: str | None,
    status: int,
) -> None:
    groups = (MetricsCalls(_text, networks),)
    site = make_site(groups, authenticator(database), settings, LANES.readers, reactor)
    port = listen(site)
    headers = {} if client is None else {"X-Forwarded-For": client}
    answer = await ask(reactor, port, "/metrics", headers=headers)
    assert answer.status == status
    assert (answer.body == b"told\n") is (status == 200)


def test_a_network_that_is_none_keeps_the_daemon_from_starting() -> None:
    with pytest.raises(ConfigurationError, match=r"http\.metrics_networks"):
        MetricsCalls(_text, ("10.0.0.0/40",))


async def _told(*asks: Callable[[], Any]) -> list[str]:
    memory = FigureMemory()
    memory.figures.counter("mail_total", "Mail").add(3)
    memory.begin()
    memory.figures.counter("mail_total", "Mail").add(3)
    text = await Metrics(memory, asks, LANES.rest, reactor=reactor).text()
    return [line for line in text.decode().splitlines() if not line.startswith("#")]


@pytest_twisted.ensureDeferred
async def test_what_the_database_tells_is_told_with_what_was_counted() -> None:
    async def ask_database() -> list[Told]:
        return [Told(name="waiting", about="Waiting", value=7, labels=(("of", "x"),))]

    told = await _told(ask_database)
    assert "mailsacd_database_up 1.0" in told
    assert "mail_total 3.0" in told
    assert 'waiting{of="x"} 7.0' in told


async def _is_away() -> list[Told]:
    raise UnavailableError("away")


async def _is_silent() -> list[Told]:
    return await Deferred()


@pytest.mark.parametrize("database", [_is_away, _is_silent])
@pytest_twisted.ensureDeferred
async def test_what_was_counted_is_told_when_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, database: Callable[[], Any]
) -> None:
    monkeypatch.setattr(metrics, "ASK_WITHIN_S", 0.05)
    told = await _told(database)
    assert "mailsacd_database_up 0.0" in told
    assert "mail_total 3.0" in told
