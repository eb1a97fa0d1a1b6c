"""The settings for mail programs: who is told them, and of which addresses."""

import pytest
import pytest_twisted

from mailsacd.store.pool import Database
from tests.http.society import CATCH_ALL, IMPLICIT, PRIVATE, PUBLIC, SHOWN, TAKEN, society

_WHO = ("nobody", "owner", "other", "team", "wrong key")
_MINE = (401, 200, 401, 200, 401)
_PUBLIC = (401, 404, 404, 404, 401)


@pytest.mark.parametrize(
    ("email", "statuses"),
    [
        (PRIVATE, _MINE),
        (IMPLICIT, _MINE),
        (CATCH_ALL, _MINE),
        (PUBLIC, _PUBLIC),
        (SHOWN, _PUBLIC),
        (TAKEN, (401, 401, 200, 401, 401)),
        ("no address", (401, 400, 400, 400, 401)),
    ],
)
@pytest_twisted.ensureDeferred
async def test_only_its_owner_is_told_how_to_fetch_an_address(
    database: Database, database_dsn: str, email: str, statuses: tuple[int, ...]
) -> None:
    async with society(database, database_dsn) as people:
        await people.json("other", "POST", f"/api/addresses/{TAKEN}")
        target = f"/api/addresses/{email.replace(' ', '%20')}/pop3"
        answers = [await people.ask(who, "GET", target) for who in _WHO]
        assert tuple(answer.status for answer in answers) == statuses


@pytest.mark.parametrize(("starttls", "security"), [("auto", "none"), ("offer", "STARTTLS")])
@pytest_twisted.ensureDeferred
async def test_the_settings_are_those_that_work(
    database: Database, database_dsn: str, starttls: str, security: str
) -> None:
    settings = ("pop3.host=127.0.0.1", f"pop3.starttls={starttls}")
    async with society(database, database_dsn, *settings) as people:
        target = f"/api/addresses/{PRIVATE}"
        told = await people.json("owner", "GET", f"{target}/pop3")
        assert told["port"] > 0
        assert told == {
            "email": PRIVATE,
            "username": PRIVATE,
            "hasPassword": False,
            "host": "127.0.0.1",
            "port": told["port"],
            "security": security,
            "tlsPort": None,
            "authentication": ["USER", "SASL PLAIN", "SASL LOGIN"],
            "uniqueIds": "message ids",
        }
        body = b'{"password": "of the box"}'
        await people.json("owner", "PUT", target, body)
        told = await people.json("owner", "GET", f"{target}/pop3")
        assert told["hasPassword"]
        assert "of the box" not in str(told)
