"""The id of a request: in its answer and in the log, and a proxy's if it is one of ours."""

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.app import make_site
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.mail.records.traffic_log import TrafficLog
from mailsacd.settings import HttpSettings, LogSettings
from mailsacd.store.pool import Database
from tests.http.client import Answer, ask
from tests.lanes import LANES
from tests.log_events import events_of
from tests.mail.authenticators import authenticator

reactor: Any = the_reactor
Listen = Callable[[Any], int]
TRAFFIC = "mailsacd.mail.records.traffic_log"


class _Broken:
    """One call, which has a defect."""

    def operations(self) -> tuple[Operation, ...]:
        return (
            Operation(
                method="GET", path="/broken/{name}", id="beBroken", tag="T", summary="S",
                answers=(), handler=self.be_broken,
            ),
        )  # fmt: skip

    async def be_broken(self, _call: Call) -> NoReturn:
        raise ZeroDivisionError


def _site(database: Database, *networks: str) -> Any:
    settings = HttpSettings(proxy_networks=networks)
    site = make_site((_Broken(),), authenticator(database), settings, LANES.readers, reactor)
    log = TrafficLog(LogSettings(), reactor.seconds)
    site.bounds.declare(Telemetry(log=log))
    return site


async def _ask(listen: Listen, site: Any, *given: str) -> Answer:
    headers = dict.fromkeys(("X-Request-Id",), *given) if given else {}
    return await ask(reactor, listen(site), "/nothing?_mailsacKey=geheim", headers=headers)


@pytest.mark.parametrize("given", ["abc-1.2_Z", "x" * 64])
@pytest_twisted.ensureDeferred
async def test_a_proxy_of_ours_may_name_a_request(
    listen: Listen, database: Database, given: str
) -> None:
    with events_of(TRAFFIC) as events:
        answer = await _ask(listen, _site(database, "127.0.0.0/8"), given)
    assert answer.headers["x-request-id"] == given
    assert [(each["request"], each["code"], each["route"]) for each in events] == [
        (given, 404, "none")
    ]


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "ä", 'a"b', "a;b"])
@pytest_twisted.ensureDeferred
async def test_what_is_no_id_is_not_taken(listen: Listen, database: Database, given: str) -> None:
    answer = await _ask(listen, _site(database, "127.0.0.0/8"), given)
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 16


@pytest_twisted.ensureDeferred
async def test_who_is_no_proxy_of_ours_names_nothing(listen: Listen, database: Database) -> None:
    site = _site(database)
    answer = await _ask(listen, site, "mine")
    again = await _ask(listen, site)
    assert "mine" != answer.headers["x-request-id"] != again.headers["x-request-id"]


@pytest_twisted.ensureDeferred
async def test_an_incident_is_logged_with_the_id_of_its_request(
    listen: Listen, database: Database, logged_errors: list[Any]
) -> None:
    with events_of("mailsacd.http.api.codec") as incidents, events_of(TRAFFIC) as lines:
        answer = await ask(reactor, listen(_site(database)), "/broken/secret-name?q=geheim")
    logged_errors.clear()
    assert answer.status == 500
    id_ = answer.headers["x-request-id"]
    assert incidents[0]["request"] == id_
    assert incidents[0]["incident"] in answer.json()["message"]
    assert [(each["request"], each["route"], each["call"]) for each in lines] == [
        (id_, "/broken/{name}", "beBroken")
    ]
    assert "geheim" not in str(lines)
    assert "secret-name" not in str(lines)
