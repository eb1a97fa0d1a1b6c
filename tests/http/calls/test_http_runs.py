"""Runs by the API: addresses and a key of their own, whose mail is gone when they end."""

import smtplib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.threads import deferToThread

from mailsacd.core.token import iso_time
from mailsacd.store.pool import Database
from tests.http.society import (
    CONTENT,
    HIDDEN_DOMAIN,
    OWNER,
    PRIVATE,
    PUBLIC,
    SHOWN_DOMAIN,
    Society,
    society,
)

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred
SETTINGS = (
    "runs.max_open_per_account=3",
    "runs.max_hours=2",
    "message.accepted_domains=['x.example']",
)


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn, *SETTINGS) as made:
        yield made


async def _begin(people: Society, body: bytes = b"") -> dict[str, Any]:
    """A new run of the owner's; its key is that of the asker "run"."""
    run: dict[str, Any] = await people.json("owner", "POST", "/api/runs", body)
    people.credentials["run"] = {"Mailsac-Key": run["key"]}
    return run


async def _send(people: Society, *recipients: str) -> dict[str, tuple[int, bytes]]:
    """Mail by SMTP to all of them; who was refused, and how."""

    def send() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", people.ports["smtp"], "client.example", 30) as client:
            try:
                return client.sendmail("a@b.example", recipients, CONTENT)
            except smtplib.SMTPRecipientsRefused as e:
                return e.recipients

    refused: dict[str, tuple[int, bytes]] = await deferToThread(send)
    return refused


@ensure
async def test_a_run_has_addresses_of_two_forms_and_keeps_more_than_a_public_inbox(
    people: Society,
) -> None:
    run = await _begin(people, b'{"name": "worker gw3"}')
    id_, domain = run["_id"], run["domain"]
    assert (run["name"], domain) == ("worker gw3", f"{id_}.example.com")
    assert run["addresses"] == [f"*@{domain}", f"{id_}-*@example.com"]
    for _ in range(4):
        assert await _send(people, f"bob@{domain}", f"{id_}-Bob+tag@example.com") == {}
    listed = await people.json("run", "GET", f"/api/addresses/bob@{domain}/messages")
    assert len(listed) == 8
    assert {message["originalInbox"] for message in listed} == {
        f"bob@{domain}", f"{id_}-bob+tag@example.com",
    }  # fmt: skip
    assert {message["inbox"] for message in listed} == {f"bob@{domain}"}
    await _send(people, f"ann@{domain}")
    everything = f"/api/runs/{id_}/messages"
    for who in ("run", "owner", "team"):
        assert len(await people.json(who, "GET", everything)) == 9
    (newest,) = await people.json("run", "GET", f"{everything}?limit=1")
    assert newest["inbox"] == f"ann@{domain}"
    for path in (f"/api/runs/{id_}/search", f"/api/domains/{domain}/search"):
        found = await people.json("run", "GET", f"{path}?query=is:unread+-to:bob")
        assert [message["_id"] for message in found["messages"]] == [newest["_id"]]
    await people.json("owner", "POST", "/api/searches", b'{"name": "x", "query": "x"}')
    for path, status in ((f"/api/runs/{id_}/search", 400), ("/api/search", 403)):
        assert (await people.ask("run", "GET", f"{path}?query=tag:x")).status == status
    for who, status in (("nobody", 401), ("other", 404)):
        assert (await people.ask(who, "GET", everything)).status == status
    for who, status in (("nobody", 401), ("other", 403)):
        inbox = f"/api/addresses/ann@{domain}/messages"
        assert (await people.ask(who, "GET", inbox)).status == status


@ensure
async def test_a_runs_key_reads_and_deletes_within_the_run(people: Society) -> None:
    run = await _begin(people)
    inbox = f"/api/addresses/{run['_id']}-bob@example.com"
    await _send(people, f"bob@{run['domain']}", f"bob@{run['domain']}")
    await _send(people, f"bob@{run['domain']}")
    first, second = await people.json("run", "GET", f"{inbox}/messages")
    assert await people.json("run", "GET", f"{inbox}/messages/{first['_id']}") == first
    for path in ("text", "body", "dirty", "raw", "headers"):
        target = f"/api/{path}/bob@{run['domain']}/{first['_id']}"
        assert (await people.ask("run", "GET", target)).status == 200
    assert (await people.ask("run", "GET", f"{inbox}/messages/{first['_id']}/codes")).status == 200
    await people.json("run", "DELETE", f"{inbox}/messages/{first['_id']}")
    assert (await people.json("run", "GET", f"{inbox}/message-count"))["count"] == 1
    assert (await people.ask("run", "DELETE", f"{inbox}/messages")).status == 204
    assert await people.json("run", "GET", f"{inbox}/messages") == []
    assert second["_id"] != first["_id"]


# What a run's key is good for, besides what needs no key.
ALLOWED = {
    "listRuns", "getRun", "listRunMessages", "endRun", "listMessages", "countMessages",
    "purgeMessages", "getMessage", "deleteMessage", "getText", "getBody", "getDirty", "getRaw",
    "getHeaders", "getMessageHeaders", "listAttachments", "getAttachment", "downloadAttachment",
    "getMessageCodes", "getMessageNeighbours", "listenToInbox", "searchAddress", "searchDomain",
    "searchRun",
    "waitForMessages", "waitForRunMessages", "listenToRun", "createInboxLink",
}  # fmt: skip
NOT_TRIED = {"endRun", "listenToInbox", "listenToRun"}  # the run would end, and those never


@ensure
async def test_a_runs_key_can_do_nothing_else(people: Society) -> None:
    other_run = await _begin(people)
    run = await _begin(people)
    values = {"email": f"x@{run['domain']}", "domain": run["domain"], "runId": run["_id"]}
    for path, item in people.specification.document["paths"].items():
        for method, operation in item.items():
            name = operation["operationId"]
            if not operation["security"] or name in NOT_TRIED:
                continue
            target = path
            for parameter, value in values.items():
                target = target.replace("{" + parameter + "}", value)
            target = target.replace("{", "").replace("}", "")
            target += "?timeout=0" if target.endswith("/wait") else ""
            answer = await people.ask("run", method.upper(), target)
            assert (answer.status == 403) == (name not in ALLOWED), (name, answer)
    others = (PUBLIC, PRIVATE, f"x@{HIDDEN_DOMAIN}", f"x@{other_run['domain']}")
    for inbox in others:
        for what in (
            "messages",
            "message-count",
            "messages/01m8fvk2qt000k5d8gr1w-0",
            "events",
            "search?query=x",
        ):
            assert (await people.ask("run", "GET", f"/api/addresses/{inbox}/{what}")).status == 403
        assert (await people.ask("run", "DELETE", f"/api/addresses/{inbox}/messages")).status == 403
    for method, path in (
        ("GET", ""),
        ("GET", "/messages"),
        ("GET", "/search?query=x"),
        ("DELETE", ""),
    ):
        assert (
            await people.ask("run", method, f"/api/runs/{other_run['_id']}{path}")
        ).status == 403
    assert [each["_id"] for each in await people.json("run", "GET", "/api/runs")] == [run["_id"]]

    def log_in() -> None:
        with (
            smtplib.SMTP("127.0.0.1", people.ports["capture"], "client.example", 30) as client,
            pytest.raises(smtplib.SMTPAuthenticationError),
        ):
            client.login(OWNER, run["key"])

    await deferToThread(log_in)


@ensure
async def test_all_is_gone_when_a_run_is_ended(people: Society) -> None:
    run = await _begin(people)
    staying = await _begin(people)
    people.credentials["run"] = {"Mailsac-Key": run["key"]}
    await _send(people, f"bob@{run['domain']}", f"bob@{staying['domain']}")
    assert len(await people.json("run", "GET", f"/api/runs/{run['_id']}/messages")) == 1
    assert (await people.ask("other", "DELETE", f"/api/runs/{run['_id']}")).status == 404
    assert (await people.ask("team", "DELETE", f"/api/runs/{run['_id']}")).status == 403
    assert (await people.ask("run", "DELETE", f"/api/runs/{run['_id']}")).status == 204
    assert (await people.ask("run", "GET", "/api/runs")).status == 401
    assert await people.json("owner", "GET", f"/api/addresses/bob@{run['domain']}/messages") == []
    assert (await people.ask("owner", "GET", f"/api/runs/{run['_id']}")).status == 404
    assert (await people.ask("owner", "DELETE", f"/api/runs/{run['_id']}")).status == 404
    refused = await _send(people, f"x@{run['domain']}", f"{run['_id']}-x@example.com")
    assert {code for code, _ in refused.values()} == {550}
    assert len(refused) == 2
    assert len(await people.json("owner", "GET", f"/api/runs/{staying['_id']}/messages")) == 1
    (left,) = await people.json("owner", "GET", "/api/runs")
    assert left["_id"] == staying["_id"]


@ensure
async def test_runs_are_no_domains_and_their_addresses_nobodys_property(people: Society) -> None:
    before = await people.json("owner", "GET", "/api/domains")
    run = await _begin(people, b'{"domain": "hidden.example", "minutes": 5}')
    domain = run["domain"]
    assert domain == f"{run['_id']}.{HIDDEN_DOMAIN}"
    assert await _send(people, f"x@{domain}") == {}  # whatever accepted_domains says
    assert await people.json("owner", "GET", "/api/domains") == before
    assert (await people.ask("owner", "DELETE", f"/api/domains/{domain}")).status == 404
    assert (await people.ask("owner", "POST", f"/api/domains/{domain}")).status == 400
    for who in ("owner", "other"):
        assert (await people.ask(who, "POST", f"/api/addresses/x@{domain}")).status == 400
    unknown = "run-0123456789abcdef.example.com"
    assert (await people.ask("nobody", "GET", f"/api/addresses/x@{unknown}/messages")).status == 403
    assert set(await _send(people, f"x@{unknown}")) == {f"x@{unknown}"}


BAD: tuple[tuple[bytes, int, str | None], ...] = (
    (b'{"minutes": 0}', 400, "minutes"),
    (b'{"minutes": 121}', 400, "expires"),
    (b'{"expires": "tomorrow"}', 400, "expires"),
    (b'{"expires": "2001-01-01"}', 400, "expires"),
    (b'{"expires": "999999999999999"}', 400, "expires"),
    (b'{"expires": "2030-01-01", "minutes": 1}', 400, "minutes"),
    (b'{"name": "a\\u0000b"}', 400, "name"),
    (b'{"domain": "-"}', 400, "domain"),
    (b'{"domain": "[127.0.0.1]"}', 400, "domain"),
    (b'{"domain": "run-0123456789abcdef.example.com"}', 400, "domain"),
    (b'{"domain": "nobodys.example"}', 403, None),
    (b'{"colour": "red"}', 400, "colour"),
)


@ensure
async def test_a_bad_run_is_refused_by_what_is_bad(people: Society) -> None:
    for body, status, field in BAD:
        answer = await people.ask("owner", "POST", "/api/runs", body)
        assert answer.status == status, (body, answer)
        if field:
            assert field in {fault["field"] for fault in answer.json()["faults"]}, body


@ensure
async def test_the_number_and_time_of_runs_are_bounded(people: Society) -> None:
    ends = iso_time(datetime.now(UTC) + timedelta(minutes=119))
    run = await _begin(people, f'{{"expires": "{ends}"}}'.encode())
    assert run["expires"][:16] == ends[:16]
    for _ in range(2):
        await _begin(people, f'{{"domain": "{SHOWN_DOMAIN}"}}'.encode())
    answer = await people.ask("owner", "POST", "/api/runs")
    assert answer.status == 429
    assert answer.headers["retry-after"]
    for who, status in (("nobody", 401), ("team", 403)):
        assert (await people.ask(who, "POST", "/api/runs")).status == status
    assert (await people.ask("other", "POST", "/api/runs")).status == 200
