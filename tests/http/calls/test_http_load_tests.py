"""Load tests of domains by the API: declared, counted, ended; whose mail is kept meanwhile."""

import smtplib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.threads import deferToThread

from mailsacd.store.pool import Database
from tests.http.society import (
    HIDDEN_DOMAIN,
    OTHER,
    OWNER,
    SHOWN_DOMAIN,
    Society,
    society,
)
from tests.patience import until

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred
TEST = f"/api/domains/{HIDDEN_DOMAIN}/load-test"


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made


async def _send(people: Society, *recipients: str, count: int = 1, content: str = "") -> None:
    """Mail by SMTP to all of them at once, ``count`` times."""
    port = people.ports["smtp"]

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port, "client.example", 30) as client:
            for number in range(count):
                message = content or f"Message-ID: <{number}@x>\r\nX-Load-Test-Sent: 1\r\n\r\nx\r\n"
                client.sendmail("a@b.example", recipients, message)

    await deferToThread(send)


async def _rows(people: Society) -> int:
    rows, _ = await people.database.run("select count(*) from message")
    return int(rows[0][0])


@ensure
async def test_mail_is_counted_and_not_kept_then_kept_again(people: Society) -> None:
    before = await _rows(people)
    begun = await people.json("owner", "POST", TEST, b'{"hours": 8}')
    assert (begun["state"], begun["messages"], begun["latencyHeader"]) == (
        "running", 0, "X-Load-Test-Sent",
    )  # fmt: skip
    stats = await people.json("owner", "GET", "/api/me/stats")
    await _send(people, f"x@{HIDDEN_DOMAIN}", count=20)
    await _send(people, f"x@{HIDDEN_DOMAIN}", f"y@{HIDDEN_DOMAIN}", count=5)
    assert await _rows(people) == before
    told = await people.json("owner", "GET", TEST)
    assert (told["messages"], told["recipients"], told["state"]) == (25, 30, "running")
    duplicates = {"count": 5, "exact": True, "differentMessageIds": 20, "withoutMessageId": 0}
    assert duplicates.items() <= told["duplicates"].items()
    assert told["latencyMs"]["measured"] == told["latencyMs"]["byHeader"] == 25
    assert told["sizeBytes"]["min"] <= told["sizeBytes"]["p50"] <= told["sizeBytes"]["max"]
    assert sum(minute["messages"] for minute in told["perMinute"]) == 25
    assert told["messagesPerSecond"]["busiest10Seconds"] > 0
    after = await people.json("owner", "GET", "/api/me/stats")
    assert after["storedMessages"] == stats["storedMessages"]
    assert after["lastMonthOps"] - stats["lastMonthOps"] <= 5  # the calls alone

    ended = await people.json("owner", "DELETE", TEST)
    assert (ended["state"], ended["messages"]) == ("ended", 25)
    await _send(people, f"x@{HIDDEN_DOMAIN}")
    assert await _rows(people) == before + 1
    assert (await people.json("owner", "GET", TEST))["messages"] == 25
    assert (await people.json("owner", "DELETE", TEST))["messages"] == 25
    again = await people.json("owner", "POST", TEST)
    assert again["messages"] == 0
    kinds = [e["detail"] for e in await people.json("owner", "GET", "/api/activity")
             if e["kind"] == "load-test"]  # fmt: skip
    assert sorted(kinds) == ["begun, for 1 hours", "begun, for 8 hours", "ended"]


@ensure
async def test_a_message_for_others_too_is_kept_for_them(people: Society) -> None:
    before = await _rows(people)
    await people.json("owner", "POST", TEST)
    await _send(people, f"x@{HIDDEN_DOMAIN}", "x@public.example", f"y@{SHOWN_DOMAIN}")
    assert await _rows(people) == before + 2
    assert (await people.json("owner", "GET", TEST))["messages"] == 1


@ensure
async def test_figures_are_also_lines_of_csv(people: Society) -> None:
    await people.json("owner", "POST", TEST, b'{"latencyHeader": "X-Mine"}')
    await _send(people, f"x@{HIDDEN_DOMAIN}", count=3)
    answer = await people.ask("owner", "GET", f"{TEST}?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert f"load-test-{HIDDEN_DOMAIN}.csv" in answer.headers["content-disposition"]
    lines = answer.body.decode().splitlines()
    assert lines[0] == "figure,value"
    assert "messages,3" in lines
    assert "latencyMs.unmeasured,3" in lines
    assert "latencyMs.p99," in lines
    assert {"latencyMs.measured,0", "duplicates.sampledOneIn,1"} <= set(lines)  # no truth values
    assert "duplicates.exact,true" in lines
    assert any(line.startswith("perMinute.2") and line.endswith(",3") for line in lines)
    people.credentials["owner"]["Accept"] = "text/csv, */*;q=0.1"
    assert (await people.ask("owner", "GET", TEST)).body.startswith(b"figure,value")
    assert (await people.json("owner", "GET", f"{TEST}?format=json"))["messages"] == 3


@ensure
async def test_who_may_and_what_is_refused(people: Society) -> None:
    for who, method, expected in (
        ("nobody", "GET", 401), ("nobody", "POST", 401), ("nobody", "DELETE", 401),
        ("other", "GET", 404), ("other", "POST", 404), ("other", "DELETE", 404),
        ("team", "POST", 403), ("team", "DELETE", 403), ("team", "GET", 404),
        ("owner", "GET", 404), ("owner", "DELETE", 404),
    ):  # fmt: skip
        answer = await people.ask(who, method, TEST)
        assert answer.status == expected, (who, method, answer)
    await people.json("owner", "POST", TEST)
    assert (await people.ask("owner", "POST", TEST)).status == 409
    assert (await people.ask("other", "GET", TEST)).status == 404
    assert (await people.ask("team", "GET", TEST)).status == 200
    for body in (
        b'{"hours": 0}', b'{"hours": 8.1}', b'{"hours": -1}', b'{"hours": "x"}', b'{"minutes": 5}',
        b'{"latencyHeader": "a b"}', b'{"latencyHeader": ""}', b'{"latencyHeader": "x:"}',
    ):  # fmt: skip
        answer = await people.ask("owner", "POST", f"/api/domains/{SHOWN_DOMAIN}/load-test", body)
        assert answer.status == 400, body
    assert (await people.ask("owner", "GET", f"{TEST}?format=xml")).status == 400
    assert (await people.ask("owner", "POST", "/api/domains/a..b/load-test")).status == 400
    await people.json("owner", "POST", "/api/domains/unproved.example")
    unproved = await people.ask("owner", "POST", "/api/domains/unproved.example/load-test")
    assert unproved.status == 409


@ensure
async def test_nobody_elses_mail_is_swallowed(people: Society) -> None:
    await people.database.run(
        "insert into address (email, domain, owner) values (%s, %s, %s)",
        (f"theirs@{SHOWN_DOMAIN}", SHOWN_DOMAIN, OTHER),
    )
    answer = await people.ask("owner", "POST", f"/api/domains/{SHOWN_DOMAIN}/load-test")
    assert answer.status == 409


@ensure
async def test_there_are_so_many_at_a_time(people: Society) -> None:
    for number in range(5):
        name = f"d{number}.example"
        await people.database.run(
            "insert into domain (name, owner, verified, verification_txt)"
            " values (%s, %s, true, 'x')",
            (name, OWNER),
        )
        answer = await people.ask("owner", "POST", f"/api/domains/{name}/load-test")
        assert answer.status == (200 if number < 4 else 409)
    await people.json("owner", "DELETE", "/api/domains/d0.example/load-test")
    await people.json("owner", "POST", "/api/domains/d4.example/load-test")


@ensure
async def test_it_ends_by_itself_and_with_the_claim(people: Society) -> None:
    before = await _rows(people)
    await people.json("owner", "POST", TEST, b'{"hours": 0.0003}')  # a second
    await _send(people, f"x@{HIDDEN_DOMAIN}")
    reached = reactor.seconds() + 1.2
    await until(lambda: reactor.seconds() > reached)
    assert (await people.json("owner", "GET", TEST))["state"] == "ended"
    await _send(people, f"x@{HIDDEN_DOMAIN}")
    assert await _rows(people) == before + 1
    await people.json("owner", "POST", TEST)
    await people.json("owner", "DELETE", f"/api/domains/{HIDDEN_DOMAIN}")
    await _send(people, f"x@{HIDDEN_DOMAIN}")
    assert await _rows(people) == before + 2
    assert (await people.ask("owner", "GET", TEST)).status == 404


@pytest.mark.parametrize("removed", [False, True])
@ensure
async def test_a_test_whose_account_goes_takes_its_figures_along(
    people: Society, removed: bool
) -> None:
    await people.json("owner", "POST", TEST)
    await _send(people, f"x@{HIDDEN_DOMAIN}")
    if removed:
        await people.database.run("delete from load_test")
    await _send(people, f"x@{HIDDEN_DOMAIN}")
    answer = await people.ask("owner", "GET", TEST)
    assert answer.status == (404 if removed else 200)
