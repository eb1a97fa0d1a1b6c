"""A sample message: who may ask for one, and that it is mail like any other."""

import pytest
import pytest_twisted

from mailsacd.mail.sending.samples import AT_ONCE
from mailsacd.store.pool import Database
from tests.http.society import IMPLICIT, PRIVATE, PUBLIC, TAKEN, society

_WHO = ("nobody", "owner", "other", "team", "wrong key")


@pytest.mark.parametrize(
    ("email", "statuses"),
    [
        (PRIVATE, (401, 200, 401, 200, 401)),
        (IMPLICIT, (401, 200, 401, 200, 401)),
        (PUBLIC, (401, 404, 404, 404, 401)),
        (TAKEN, (401, 401, 200, 401, 401)),
        ("no address", (401, 400, 400, 400, 401)),
    ],
)
@pytest_twisted.ensureDeferred
async def test_it_arrives_at_addresses_of_the_account_alone(
    database: Database, database_dsn: str, email: str, statuses: tuple[int, ...]
) -> None:
    async with society(database, database_dsn) as people:
        await people.json("other", "POST", f"/api/addresses/{TAKEN}")
        target = f"/api/addresses/{email.replace(' ', '%20')}/sample-message"
        answers = [await people.ask(who, "POST", target) for who in _WHO]
        assert tuple(answer.status for answer in answers) == statuses


@pytest_twisted.ensureDeferred
async def test_what_is_set_up_happens_to_it(database: Database, database_dsn: str) -> None:
    async with society(database, database_dsn) as people:
        target = f"/api/addresses/{PRIVATE}"
        await people.json("owner", "PUT", target, b'{"webhook": "https://hooks.nowhere.example/"}')
        made = await people.json("owner", "POST", f"{target}/sample-message")
        assert made["inbox"] == PRIVATE
        message = await people.json("owner", "GET", f"{target}/messages/{made['_id']}")
        assert message["subject"] == "A sample message"
        posted = await people.json("owner", "GET", "/api/webhooks/deliveries")
        assert made["_id"] in {each["messageId"] for each in posted}


@pytest_twisted.ensureDeferred
async def test_there_is_a_limit_to_them(database: Database, database_dsn: str) -> None:
    async with society(database, database_dsn) as people:
        target = f"/api/addresses/{PRIVATE}/sample-message"
        statuses = [(await people.ask("owner", "POST", target)).status for _ in range(AT_ONCE + 1)]
        assert statuses == [200] * AT_ONCE + [429]
