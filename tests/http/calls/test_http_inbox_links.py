"""Links to inboxes by the API: what is read by one, until when, and that nothing else is."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest_twisted

from mailsacd.core.inbox_link import read_token
from mailsacd.store.link_secrets import find_link_secret
from mailsacd.store.pool import Database
from tests.http.society import IMPLICIT, OWNER, PRIVATE, PUBLIC, SECRET, Society, society

ensure = pytest_twisted.ensureDeferred


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made


async def _link(people: Society, inbox: str = PRIVATE, who: str = "owner") -> dict[str, Any]:
    made: dict[str, Any] = await people.json(who, "POST", f"/api/addresses/{inbox}/links")
    return made


@ensure
async def test_whoever_has_a_link_reads_the_inbox_and_nothing_else(people: Society) -> None:
    id_, other = await people.deliver(PRIVATE), await people.deliver(IMPLICIT)
    link = await _link(people)
    assert link["inbox"] == PRIVATE
    assert link["url"] == f"http://x/shared/{link['token']}"  # x is the host that is asked
    assert OWNER not in link["token"]
    messages = f"/api/links/{link['token']}/messages"
    for who in ("nobody", "other"):
        (listed,) = await people.json(who, "GET", messages)
        assert listed["_id"] == id_
        assert (await people.json(who, "GET", f"{messages}/{id_}"))["_id"] == id_
        for form in ("text", "body", "raw"):
            answer = await people.ask(who, "GET", f"{messages}/{id_}/{form}")
            assert answer.status == 200
            assert SECRET in answer.body.decode()
        assert (await people.ask(who, "GET", f"{messages}/{other}")).status == 404
    page = await people.ask("nobody", "GET", f"{messages}/{id_}/raw?download=1")
    assert "attachment" in page.headers["content-disposition"]


@ensure
async def test_a_link_tells_nothing_of_the_account_nor_of_what_it_does_to_a_message(
    people: Society,
) -> None:
    id_ = await people.deliver(PRIVATE)
    message = f"/api/addresses/{PRIVATE}/messages/{id_}"
    (before,) = await people.json("owner", "GET", f"/api/addresses/{PRIVATE}/messages")
    await people.json("owner", "PUT", f"{message}/star")
    await people.json("owner", "PUT", f"{message}/labels/mine")
    await people.json("owner", "PUT", f"{message}/read/true")
    await people.json("owner", "PUT", f"{message}/folder/trash")
    assert (await people.json("owner", "GET", message))["savedBy"] == OWNER
    link = await _link(people)
    messages = f"/api/links/{link['token']}/messages"
    assert await people.json("nobody", "GET", messages) == [before]
    assert await people.json("nobody", "GET", f"{messages}/{id_}") == before


@ensure
async def test_links_are_for_what_is_ones_own(people: Society) -> None:
    for who, inbox, status in (
        ("nobody", PRIVATE, 401),
        ("other", PRIVATE, 401),
        ("owner", PUBLIC, 401),
        ("team", PRIVATE, 403),
        ("owner", "nonsense", 400),
    ):
        answer = await people.ask(who, "POST", f"/api/addresses/{inbox}/links")
        assert answer.status == status, (who, inbox, answer)
    for body in (b'{"hours": 0}', b'{"hours": 721}', b'{"days": 1}'):
        assert (
            await people.ask("owner", "POST", f"/api/addresses/{PRIVATE}/links", body)
        ).status == 400
    assert (await people.ask("team", "DELETE", "/api/links")).status == 403


@ensure
async def test_a_link_ends_in_time_with_all_others_or_with_its_inbox(people: Society) -> None:
    first, second = await _link(people), await _link(people, IMPLICIT)

    async def status(link: dict[str, Any]) -> int:
        target = f"/api/links/{link['token']}/messages"
        return (await people.ask("nobody", "GET", target)).status

    assert [await status(first), await status(second)] == [200, 200]
    said = read_token(first["token"])
    assert said is not None
    secret = await find_link_secret(people.database, said.secret_id)
    assert secret is not None
    over = type(said)(secret_id=said.secret_id, expires=int(time.time()) - 1, inbox=PRIVATE)
    assert await status({"token": over.token(secret.value)}) == 404
    elsewhere = type(said)(secret_id=said.secret_id, expires=said.expires, inbox=PUBLIC)
    assert await status({"token": elsewhere.token(secret.value)}) == 404
    assert await status({"token": first["token"][:-1] + "x"}) == 404
    await people.json("owner", "DELETE", f"/api/addresses/{PRIVATE}")
    assert [await status(first), await status(second)] == [404, 200]
    assert (await people.ask("owner", "DELETE", "/api/links")).status == 204
    assert await status(second) == 404
    assert await status(await _link(people, IMPLICIT)) == 200


@ensure
async def test_the_key_of_a_run_shares_what_is_in_the_run(people: Society) -> None:
    run = await people.json("owner", "POST", "/api/runs")
    people.credentials["run"] = {"Mailsac-Key": run["key"]}
    link = await _link(people, f"bob@{run['domain']}", "run")
    id_ = await people.deliver(f"bob@{run['domain']}")
    target = f"/api/links/{link['token']}/messages"
    assert [m["_id"] for m in await people.json("nobody", "GET", target)] == [id_]
    assert (await people.ask("run", "POST", f"/api/addresses/{PRIVATE}/links")).status == 403
    await people.ask("run", "DELETE", f"/api/runs/{run['_id']}")
    after = await people.ask("nobody", "GET", target)
    assert (after.status, after.body.count(id_.encode())) in ((404, 0), (200, 0))
