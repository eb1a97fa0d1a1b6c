"""`/incoming-messages` over real sockets: who is let in, and what they get."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.store.pool import Database
from tests.http.society import (
    CATCH_ALL,
    CONTENT,
    HIDDEN_DOMAIN,
    IMPLICIT,
    OTHER,
    OWNER,
    PRIVATE,
    PUBLIC,
    SECRET,
    SHOWN,
    SHOWN_DOMAIN,
    WRONG_KEY,
    Society,
    society,
)
from tests.ws.listener import Listener, hang_up, target_of, upgrade

reactor: Any = the_reactor

SILENT = "silent@reserved.example"  # reserved, without enablews
QUIET_DOMAIN = "quiet.example"  # verified, without enablews
CLAIMED_DOMAIN = "claimed.example"  # not verified
OTHERS = "box@others.example"


@pytest_twisted.async_yield_fixture
async def heard(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn, "websocket.heartbeat_s=60") as made:
        for email in (PRIVATE, CATCH_ALL):
            await made.json("owner", "PUT", f"/api/addresses/{email}", b'{"enablews":true}')
        await made.json("owner", "POST", f"/api/addresses/{SILENT}")
        await made.json("other", "POST", f"/api/addresses/{OTHERS}", b'{"enablews":true}')
        for name in (HIDDEN_DOMAIN, SHOWN_DOMAIN):
            await made.database.run("update domain set enablews = true where name = %s", (name,))
        for name, verified in ((QUIET_DOMAIN, True), (CLAIMED_DOMAIN, False)):
            await made.database.run(
                "insert into domain (name, owner, verified, enablews, verification_txt)"
                " values (%s, %s, %s, false, 'mailsac_y')",
                (name, OWNER, verified),
            )
        yield made
        await hang_up()


def key_of(made: Society, who: str) -> str:
    return made.credentials[who]["Mailsac-Key"]


async def listen(made: Society, who: str = "owner", **query: str) -> Listener:
    """Somebody who is let in, after the first two frames."""
    listener = await upgrade(reactor, made.port, target_of(key=key_of(made, who), **query))
    await listener.listening()
    return listener


@pytest_twisted.ensureDeferred
async def test_first_frames_and_a_message(heard: Society) -> None:
    target = target_of(_id=OWNER, key=key_of(heard, "owner"), addresses=PRIVATE)
    listener = await upgrade(reactor, heard.port, target)
    first = await listener.json()
    assert first == {"status": 200, "msg": "Listening", "addresses": [PRIVATE], "domains": []}
    assert await listener.json() == {"status": 200, "msg": "ok"}

    message_id = await heard.deliver(PRIVATE)
    message = await listener.json()
    email = message.pop("email")
    assert message.pop("status") == 200
    assert message == email
    assert (message["_id"], message["inbox"], message["subject"]) == (message_id, PRIVATE, SECRET)
    assert message["raw"].endswith(CONTENT.decode())
    assert message["text"].strip() == SECRET
    assert message["sequence"]
    await listener.leave()


EVERYTHING = {PRIVATE, SILENT, IMPLICIT, CATCH_ALL, SHOWN}
GETS = {
    "an address": ({"addresses": PRIVATE}, {PRIVATE}),
    "in capitals, with a tag": ({"addresses": PRIVATE.upper().replace("@", "+TAG@")}, {PRIVATE}),
    "a catch-all": ({"addresses": CATCH_ALL}, {CATCH_ALL}),
    "an implicit address": ({"addresses": IMPLICIT}, {IMPLICIT}),
    "an address of a shown domain": ({"addresses": SHOWN}, {SHOWN}),
    "a private domain": ({"addresses": HIDDEN_DOMAIN}, {IMPLICIT, CATCH_ALL}),
    "a domain in capitals": ({"addresses": SHOWN_DOMAIN.upper()}, {SHOWN}),
    "several": ({"addresses": f"{PRIVATE},{SHOWN_DOMAIN}, {PRIVATE}"}, {PRIVATE, SHOWN}),
    "everything": ({}, EVERYTHING),
    "everything, said with nothing": ({"addresses": ""}, EVERYTHING),
}  # fmt: skip
INBOXES = (PUBLIC, OTHERS, PRIVATE, SILENT, IMPLICIT, CATCH_ALL, SHOWN)


@pytest.mark.parametrize("case", GETS)
@pytest_twisted.ensureDeferred
async def test_each_gets_what_it_asked_for_and_no_more(heard: Society, case: str) -> None:
    query, expected = GETS[case]
    listener = await listen(heard, **query)
    last = await listen(heard, addresses=PRIVATE)
    for inbox in INBOXES:
        await heard.deliver(inbox)
    end = await heard.deliver(PRIVATE, b"Subject: end\r\n\r\n")
    got = set()
    while PRIVATE in expected and (message := await listener.message())["_id"] != end:
        got.add(message["inbox"])
    if PRIVATE not in expected:
        got = {(await listener.message())["inbox"] for _ in expected}
        while (await last.message())["_id"] != end:
            pass
        assert b'"inbox"' not in listener.connection.data
    assert got == expected


@pytest_twisted.ensureDeferred
async def test_what_was_missed_is_replayed(heard: Society) -> None:
    listener = await listen(heard, addresses=PRIVATE)
    await heard.deliver(PRIVATE)
    seen = await listener.message()
    await listener.leave()
    missed = [await heard.deliver(PRIVATE) for _ in range(3)]
    again = await listen(heard, addresses=PRIVATE, since=seen["sequence"])
    assert [(await again.message())["_id"] for _ in missed] == missed
    live = await heard.deliver(PRIVATE)
    assert (await again.message())["_id"] == live


@pytest_twisted.ensureDeferred
async def test_nothing_seen_yet_can_be_gone_on_from_too(heard: Society) -> None:
    target = target_of(key=key_of(heard, "owner"), addresses=PRIVATE, since="")
    listener = await upgrade(reactor, heard.port, target)
    sequence = (await listener.listening())["sequence"]
    await listener.leave()
    missed = await heard.deliver(PRIVATE)
    target = target_of(key=key_of(heard, "owner"), addresses=PRIVATE, since=sequence)
    again = await upgrade(reactor, heard.port, target)
    assert (await again.listening())["sequence"]
    assert (await again.message())["_id"] == missed


@pytest_twisted.ensureDeferred
async def test_firehose(heard: Society) -> None:
    await heard.database.run(
        "update account set overrides = '{\"firehose\": true}' where name = %s", (OWNER,)
    )
    listener = await listen(heard, addresses="*")
    await heard.deliver(PRIVATE)
    await heard.deliver(OTHERS)
    public = await heard.deliver(PUBLIC)
    assert (await listener.message())["_id"] == public


# What a client names, and the status and a part of the text that it is refused with
REFUSED: dict[str, tuple[dict[str, str], int, str]] = {
    "no key": ({"key": "", "addresses": PRIVATE}, 401, "is needed"),
    "a wrong key": ({"key": WRONG_KEY, "addresses": PRIVATE}, 401, "key"),
    "what is no key": ({"key": "k" * 1_000}, 401, "key"),
    "another's _id": ({"_id": OTHER, "addresses": PRIVATE}, 401, "_id"),
    "another's address": ({"addresses": OTHERS}, 403, f"{OTHERS} is not an address"),
    "a public address": ({"addresses": PUBLIC}, 403, f"{PUBLIC} is not an address"),
    "without enablews": ({"addresses": SILENT}, 403, f"{SILENT} does not have enablews"),
    "not an address": ({"addresses": "a b@@"}, 400, "a+b@@ is neither"),
    "not a domain": ({"addresses": "a..b"}, 400, "a..b is neither"),
    "an unverified domain": ({"addresses": CLAIMED_DOMAIN}, 403, "is not verified"),
    "another's domain": ({"addresses": "others.example"}, 403, "others.example is not a domain"),
    "a domain without enablews": ({"addresses": QUIET_DOMAIN}, 403, "does not have enablews"),
    "an address of it": ({"addresses": f"x@{QUIET_DOMAIN}"}, 403, f"x@{QUIET_DOMAIN} does not"),
    "too many": ({"addresses": ",".join(["a@b.example"] * 501)}, 400, "more than 500"),
    "the firehose": ({"addresses": "*"}, 403, "not in the plan"),
    "a bad sequence": ({"addresses": PRIVATE, "since": "nonsense"}, 400, "sequence"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest_twisted.ensureDeferred
async def test_refusals(heard: Society, case: str) -> None:
    query, status, text = REFUSED[case]
    listener = await upgrade(
        reactor, heard.port, target_of(**{"key": key_of(heard, "owner"), **query})
    )
    refusal = await listener.json()
    assert refusal["status"] == status
    assert text in refusal["msg"]
    assert (await listener.closed())[0] == 1008


@pytest_twisted.ensureDeferred
async def test_a_refusal_names_each_address_at_fault_and_no_other(heard: Society) -> None:
    names = [PRIVATE, SILENT, OTHERS, QUIET_DOMAIN, SHOWN]
    target = target_of(key=key_of(heard, "owner"), addresses=",".join(names))
    listener = await upgrade(reactor, heard.port, target)
    told = (await listener.json())["msg"]
    assert [name for name in names if name in told] == [SILENT, OTHERS, QUIET_DOMAIN]


WAYS = ("key", "_mailsacKey", "header")


@pytest.mark.parametrize("way", WAYS)
@pytest_twisted.ensureDeferred
async def test_a_key_may_come_as_everywhere(heard: Society, way: str) -> None:
    key = key_of(heard, "owner")
    query = {} if way == "header" else {way: key}
    header = key if way == "header" else None
    target = target_of(addresses=PRIVATE, **query)
    listener = await upgrade(reactor, heard.port, target, Mailsac_Key=header)
    await listener.listening()


@pytest_twisted.ensureDeferred
async def test_a_session_does_not_open_a_socket(heard: Society) -> None:
    cookie = heard.credentials["team"]["Cookie"]
    listener = await upgrade(
        reactor, heard.port, target_of(addresses=PRIVATE), Cookie=cookie, Origin="http://127.0.0.1"
    )
    assert (await listener.json())["status"] == 401


@pytest_twisted.ensureDeferred
async def test_raw_at_signs_and_mailsac_s_own_way_of_writing_it(heard: Society) -> None:
    target = f"/incoming-messages?key={key_of(heard, 'owner')}&addresses={PRIVATE},{SHOWN}"
    listener = await upgrade(reactor, heard.port, target)
    assert (await listener.listening())["addresses"] == [PRIVATE, SHOWN]


ODD_ADDRESSES = {
    '"a b+c"@odd.example': '"a b"@odd.example',
    '"x,y"@odd.example': '"x,y"@odd.example',
    '"p@q+tag"@odd.example': '"p@q"@odd.example',
    '"sl//ash"@odd.example': "sl//ash@odd.example",
    '"?#%&"@odd.example': "?#%&@odd.example",
    r'"quo\"te"@odd.example': r'"quo\"te"@odd.example',
    "A..B@odd.example": "a..b@odd.example",
    "a.+tag@odd.example": "a.@odd.example",
    ".a@odd.example": ".a@odd.example",
    "JOSE\u0301@b\u00fccher.example": "jos\u00e9@xn--bcher-kva.example",
}


@pytest_twisted.ensureDeferred
async def test_every_address_that_is_given_out_is_one_that_every_call_takes(
    heard: Society,
) -> None:
    for written in ODD_ADDRESSES:
        await heard.json(
            "owner", "POST", f"/api/addresses/{quote(written, safe='')}", b'{"enablews":true}'
        )
    listed = {each["_id"] for each in await heard.json("owner", "GET", "/api/addresses")}
    assert listed >= set(ODD_ADDRESSES.values())
    for given in ODD_ADDRESSES.values():
        target = f"/api/addresses/{quote(given, safe='')}"
        id_ = await heard.deliver(given)
        assert (await heard.json("owner", "GET", target))["_id"] == given
        assert (await heard.json("owner", "PUT", target, b'{"info":"odd"}'))["_id"] == given
        for call in ("message-count", "availability", "pop3"):
            await heard.json("owner", "GET", f"{target}/{call}")
        (message,) = await heard.json("owner", "GET", f"{target}/messages")
        assert (message["_id"], message["inbox"]) == (id_, given)
        for call in ("text", "raw", "headers", "dirty", "body"):
            assert (
                await heard.ask("owner", "GET", f"/api/{call}/{quote(given, safe='')}/{id_}")
            ).status == 200
    listener = await upgrade(
        reactor,
        heard.port,
        target_of(key=key_of(heard, "owner"), addresses=",".join(ODD_ADDRESSES.values())),
    )
    assert (await listener.listening())["addresses"] == list(ODD_ADDRESSES.values())
    for given in ODD_ADDRESSES.values():
        assert (
            await heard.ask("owner", "DELETE", f"/api/addresses/{quote(given, safe='')}")
        ).status == 200
