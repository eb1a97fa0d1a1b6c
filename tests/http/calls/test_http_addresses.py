"""The calls about addresses over real sockets: each answer, each fault, each form of a body."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted

from mailsacd.store.pool import Database
from tests.http.society import CATCH_ALL, HIDDEN_DOMAIN, OWNER, PRIVATE, SHOWN, Society, society

FREE = "free@public.example"
URL = "https://hooks.example/in"


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made


@pytest_twisted.ensureDeferred
async def test_an_address_of_nobody_has_every_field_but_an_owner(people: Society) -> None:
    for who in ("nobody", "owner", "team"):
        found = await people.json(who, "GET", "/api/addresses/Free+x%40Public.example")
        alternate = found.pop("encryptedInbox")
        assert found == {
            "_id": FREE,
            "info": None,
            "forward": None,
            "enablews": False,
            "webhook": None,
            "webhookSlack": None,
            "webhookSlackToFrom": True,
            "transcript": False,
            "catchAll": None,
            "implicit": False,
            "password": None,
            "created": None,
            "updated": None,
        }
        assert alternate.startswith("inbox-")
        assert alternate.endswith("@public.example")


@pytest_twisted.ensureDeferred
async def test_an_address_is_reserved_set_up_and_released(people: Society) -> None:
    body = json.dumps({"info": "ours", "webhook": URL}).encode()
    made = await people.json("owner", "POST", f"/api/addresses/{FREE}", body)
    assert (made["_id"], made["owner"], made["info"], made["webhook"]) == (FREE, OWNER, "ours", URL)
    assert made["created"].endswith("Z")
    assert await people.json("team", "GET", f"/api/addresses/{FREE}") == made
    listed = await people.json("owner", "GET", "/api/addresses")
    assert [address["_id"] for address in listed] == sorted([CATCH_ALL, FREE, PRIVATE])
    assert made in listed

    body = b'{"forward": "' + PRIVATE.encode() + b'", "password": "s3cret", "enablews": true}'
    changed = await people.json("owner", "PUT", f"/api/addresses/{FREE}", body)
    assert (changed["forward"], changed["enablews"], changed["password"]) == (PRIVATE, True, None)
    assert (changed["webhook"], changed["encryptedInbox"]) == (URL, made["encryptedInbox"])

    answer = await people.json("owner", "DELETE", f"/api/addresses/{FREE}", b"{}")
    assert answer == changed  # as it was
    assert "owner" not in await people.json("other", "GET", f"/api/addresses/{FREE}")


@pytest.mark.parametrize(
    ("who", "method", "target", "status"),
    [
        ("nobody", "GET", "/api/addresses", 401),
        ("wrong key", "GET", f"/api/addresses/{FREE}", 401),
        ("nobody", "GET", f"/api/addresses/{PRIVATE}", 401),
        ("other", "GET", f"/api/addresses/{PRIVATE}", 401),
        ("other", "GET", f"/api/addresses/any@{HIDDEN_DOMAIN}", 401),
        ("other", "GET", f"/api/addresses/{SHOWN}", 200),
        ("owner", "GET", "/api/addresses/nobody", 400),
        ("nobody", "POST", f"/api/addresses/{FREE}", 401),
        ("owner", "POST", f"/api/addresses/{PRIVATE}", 400),
        ("other", "POST", f"/api/addresses/{PRIVATE}", 401),
        ("other", "POST", f"/api/addresses/{SHOWN}", 401),
        ("other", "POST", f"/api/addresses/any@{HIDDEN_DOMAIN}", 401),
        ("owner", "POST", "/api/addresses/a%20b@x.example", 400),
        ("nobody", "PUT", f"/api/addresses/{PRIVATE}", 401),
        ("other", "PUT", f"/api/addresses/{PRIVATE}", 401),
        ("other", "PUT", f"/api/addresses/any@{HIDDEN_DOMAIN}", 401),
        ("owner", "PUT", f"/api/addresses/{FREE}", 404),
        ("owner", "PUT", f"/api/addresses/any@{HIDDEN_DOMAIN}", 404),
        ("other", "PUT", f"/api/private-address-forwarding/{PRIVATE}", 401),
        ("nobody", "DELETE", f"/api/addresses/{PRIVATE}", 401),
        ("other", "DELETE", f"/api/addresses/{PRIVATE}", 401),
        ("owner", "DELETE", f"/api/addresses/{FREE}", 400),
        ("owner", "DELETE", f"/api/addresses/any@{HIDDEN_DOMAIN}", 400),
        ("other", "DELETE", f"/api/addresses/any@{HIDDEN_DOMAIN}", 401),
        ("owner", "DELETE", f"/api/addresses/{PRIVATE}?deleteAddressMessages=maybe", 400),
        ("nobody", "GET", "/api/addresses/nobody/availability", 400),
        ("owner", "POST", "/api/private-addresses-bulk", 400),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_refused(
    people: Society, who: str, method: str, target: str, status: int
) -> None:
    answer = await people.ask(who, method, target)
    assert answer.status == status
    if who == "other":
        assert OWNER.encode() not in answer.body


BAD_SETTINGS: list[tuple[bytes, list[str]]] = [
    (b'{"info": 1, "enablews": "maybe"}', ["info", "enablews"]),
    (b'{"info": "\\u0000"}', ["info"]),
    (
        b'{"webhook": "ftp://x", "webhookSlack": "x y", "forward": "nobody"}',
        ["webhook", "webhookSlack", "forward"],
    ),
    (b'{"webhook": "ftp://x"}', ["webhook"]),
    (b'{"webhookSlack": "http://x/\\u007f"}', ["webhookSlack"]),
    (b'{"forward": ["a@b.example"]}', ["forward"]),
    (b'{"forward": "not-ours@public.example"}', ["forward"]),
    (b'{"webhook": "https://x.example/' + b"x" * 2000 + b'"}', ["webhook"]),
    (b'{"password": "' + b"x" * 257 + b'"}', ["password"]),
    (b'{"webhok": "https://x.example/"}', ["webhok"]),
    (b"{", []),
    (b"enablews=maybe", ["enablews"]),
]


@pytest.mark.parametrize(("body", "fields"), BAD_SETTINGS)
@pytest_twisted.ensureDeferred
async def test_each_bad_setting_is_named(people: Society, body: bytes, fields: list[str]) -> None:
    for method, target in (
        ("PUT", f"/api/addresses/{PRIVATE}"),
        ("PUT", f"/api/private-address-forwarding/{PRIVATE}"),
        ("POST", f"/api/addresses/{FREE}"),
    ):
        answer = await people.ask("owner", method, target, body)
        assert answer.status == 400
        named = [fault["field"] for fault in answer.json().get("faults", [])]
        assert sorted(named) == sorted(fields)
    assert "owner" not in await people.json("owner", "GET", f"/api/addresses/{FREE}")


@pytest_twisted.ensureDeferred
async def test_an_address_object_may_be_sent_back_as_get_gave_it(people: Society) -> None:
    target = f"/api/addresses/{PRIVATE}"
    body = b'{"info": "ours", "password": "s3cret", "enablews": true}'
    await people.json("owner", "PUT", target, body)
    (kept,) = await people.database.fetch(
        "select password_hash from address where email = %s", (PRIVATE,)
    )
    given = await people.json("owner", "GET", target)
    for path in (target, f"/api/private-address-forwarding/{PRIVATE}"):
        changed = await people.json(
            "owner", "PUT", path, json.dumps({**given, "info": "theirs"}).encode()
        )
        assert changed == {**given, "info": "theirs", "updated": changed["updated"]}
        given = changed
    found = await people.database.fetch(
        "select password_hash from address where email = %s", (PRIVATE,)
    )
    assert found == [kept]  # the null that stands for it is no wish to clear it
    assert await people.json("owner", "PUT", target, b'{"password": null}')
    assert await people.database.fetch(
        "select password_hash from address where email = %s", (PRIVATE,)
    ) == [(None,)]


@pytest.mark.parametrize(
    ("body", "status", "enablews"),
    [
        (b'{"enabledws": true}', 200, True),
        (b"enabledws=true", 200, True),
        (b'{"enabledws": true, "enablews": false}', 200, False),
        (b'{"enabledws": "maybe"}', 400, False),
        (b'{"enabledw": true}', 400, False),
        (b'{"enabledws": true, "messages": 1}', 400, False),
    ],
)
@pytest_twisted.ensureDeferred
async def test_mailsacs_own_spelling_is_taken(
    people: Society, body: bytes, status: int, enablews: bool
) -> None:
    target = f"/api/addresses/{PRIVATE}"
    answer = await people.ask("owner", "PUT", target, body)
    assert answer.status == status
    assert (await people.json("owner", "GET", target))["enablews"] is enablews


@pytest_twisted.ensureDeferred
async def test_a_form_sets_and_clears_as_json_does(people: Society) -> None:
    target = f"/api/private-address-forwarding/{PRIVATE}"
    form = b"enablews=true&webhookSlackToFrom=false&info=a+b&webhook=https%3A%2F%2Fx.example%2F"
    set_up = await people.json("owner", "PUT", target, form)
    assert (set_up["enablews"], set_up["webhookSlackToFrom"]) == (True, False)
    assert (set_up["info"], set_up["webhook"]) == ("a b", "https://x.example/")
    for clearing in (b"enablews=&webhookSlackToFrom=&info=&webhook=", b'{"info": null}'):
        await people.json("owner", "PUT", target, clearing)
    cleared = await people.json("owner", "GET", f"/api/addresses/{PRIVATE}")
    assert (cleared["enablews"], cleared["webhookSlackToFrom"]) == (False, True)
    assert (cleared["info"], cleared["webhook"]) == (None, None)


@pytest_twisted.ensureDeferred
async def test_many_are_reserved_at_once_or_none(people: Society) -> None:
    target = "/api/private-addresses-bulk"
    wanted = [f"bulk{n}@public.example" for n in range(100)]
    bad: dict[str, Any]
    for bad in (
        {},
        {"addresses": []},
        {"addresses": [*wanted, "one@too-many.example"]},
        {"addresses": "x@public.example"},
        {"addresses": [1]},
        {"addresses": [wanted[0], "nobody"]},
        {"addresses": [wanted[0], PRIVATE]},
    ):
        answer = await people.ask("owner", "POST", target, json.dumps(bad).encode())
        assert answer.status == 400, bad
    answer = await people.ask(
        "other", "POST", target, json.dumps({"addresses": [wanted[0], PRIVATE]}).encode()
    )
    assert answer.status == 401
    assert len(await people.json("owner", "GET", "/api/addresses")) == 2

    made = await people.json("owner", "POST", target, json.dumps({"addresses": wanted}).encode())
    assert [address["_id"] for address in made] == wanted


@pytest_twisted.ensureDeferred
async def test_availability_tells_no_more_than_it_says(people: Society) -> None:
    async def availability(email: str) -> Any:
        return await people.json("other", "GET", f"/api/addresses/{email}/availability")

    for email, available, owned in (
        (FREE, True, False),
        (PRIVATE, False, True),
        (f"any@{HIDDEN_DOMAIN}", False, True),
        (SHOWN, False, False),
    ):
        expected = {"email": email, "available": available, "owned": owned}
        assert await availability(email) == expected


@pytest_twisted.ensureDeferred
async def test_no_credits_left_is_told(people: Society) -> None:
    await people.database.run(
        "update account set overrides = '{\"private_addresses\": 2}' where name = %s", (OWNER,)
    )
    answer = await people.ask("owner", "POST", f"/api/addresses/{FREE}")
    assert answer.status == 400
    assert "credits" in answer.json()["message"]


@pytest_twisted.ensureDeferred
async def test_mail_to_the_alternate_arrives_and_the_alternate_shows_nothing(
    people: Society,
) -> None:
    private = await people.json("owner", "GET", f"/api/addresses/{PRIVATE}")
    alternate = private["encryptedInbox"]
    assert await people.json("nobody", "GET", f"/api/addresses/{alternate}/messages") == []
    shown = await people.json("nobody", "GET", f"/api/addresses/{alternate}")
    assert "owner" not in shown
    assert PRIVATE not in json.dumps(shown)
    assert (await people.ask("other", "POST", f"/api/addresses/{alternate}")).status == 400


@pytest_twisted.ensureDeferred
async def test_released_mail_is_deleted_on_demand(people: Society) -> None:
    await people.deliver(PRIVATE)
    target = f"/api/addresses/{PRIVATE}"
    await people.json("owner", "DELETE", target + "?deleteAddressMessages=true")
    assert await people.database.fetch("select inbox from message", ()) == []
