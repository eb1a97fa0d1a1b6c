"""Stars, labels, folders and read marks over the API: what they answer, to good and bad input."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest_twisted
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.message import MAX_LABEL_CHARACTERS, MAX_LABELS
from mailsacd.store.pool import Database
from tests.http.society import OWNER, PRIVATE, PUBLIC, Society, society

NAMES = [f"label-{n}" for n in range(MAX_LABELS)]


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made


async def _message(people: Society, inbox: str = PUBLIC) -> str:
    return f"/api/addresses/{inbox}/messages/{await people.deliver(inbox)}"


@pytest_twisted.ensureDeferred
async def test_a_star_is_put_on_and_taken_off(people: Society) -> None:
    target = await _message(people, PRIVATE)
    starred = await people.json("owner", "PUT", f"{target}/star")
    assert starred["savedBy"] == OWNER
    assert starred == await people.json("owner", "GET", target)
    assert (await people.json("owner", "PUT", f"{target}/star"))["savedBy"] is None


@pytest_twisted.ensureDeferred
async def test_labels_keep_their_order_and_are_there_once(people: Society) -> None:
    target = await _message(people)
    message_id = target.rpartition("/")[2]

    async def label(method: str, end: str, body: bytes = b"") -> Any:
        answer = await people.json("nobody", method, f"{target}/labels{end}", body)
        assert answer["_id"] == message_id
        assert (await people.json("nobody", "GET", target))["labels"] == answer["labels"]
        return answer["labels"]

    assert await label("PUT", "/new") == ["new"]
    assert await label("PUT", "/a%2Fb%20%C3%BC'%22") == ["new", "a/b ü'\""]
    assert await label("PUT", "/new") == ["new", "a/b ü'\""]
    assert await label("DELETE", "/new") == ["a/b ü'\""]
    assert await label("DELETE", "/new") == ["a/b ü'\""]
    assert await label("PUT", "", b'{"labels": ["x", "y", "x"]}') == ["x", "y"]
    assert await label("PUT", "", b"labels=q&labels=r") == ["q", "r"]
    assert await label("PUT", "", b'{"labels": []}') == []


@pytest_twisted.ensureDeferred
async def test_a_message_takes_no_label_too_many_and_none_is_lost(people: Society) -> None:
    target = await _message(people)
    adding = [
        ensureDeferred(people.json("nobody", "PUT", f"{target}/labels/{name}"))
        for name in NAMES[:20]
    ]
    await gatherResults(adding)
    assert set((await people.json("nobody", "GET", target))["labels"]) == set(NAMES[:20])
    for name in NAMES[20:]:
        await people.json("nobody", "PUT", f"{target}/labels/{name}")
    answer = await people.ask("nobody", "PUT", f"{target}/labels/one-more")
    assert answer.status == 400
    assert answer.json()["faults"][0]["field"] == "label"
    again = await people.json("nobody", "PUT", f"{target}/labels/{NAMES[0]}")
    assert sorted(again["labels"]) == sorted(NAMES)


@pytest_twisted.ensureDeferred
async def test_a_message_is_moved_between_folders(people: Society) -> None:
    target = await _message(people)
    for folder in ("all", "spam", "trash", "sent", "drafts", "inbox"):
        moved = await people.json("nobody", "PUT", f"{target}/folder/{folder}")
        assert moved == {"_id": target.rpartition("/")[2], "folder": folder}
        assert (await people.json("nobody", "GET", target))["folder"] == folder


@pytest_twisted.ensureDeferred
async def test_a_message_is_marked_as_read_and_as_not(people: Society) -> None:
    target = await _message(people)
    for end, read in (("/true", True), ("/false", False), ("", True), ("/0", False), ("/1", True)):
        marked = await people.json("nobody", "PUT", f"{target}/read{end}")
        assert marked == {"_id": target.rpartition("/")[2], "read": read}
        assert (await people.json("nobody", "GET", target))["read"] is read


BAD: list[tuple[str, bytes, list[str]]] = [
    ("folder/elsewhere", b"", ["folder"]),
    ("folder/INBOX", b"", ["folder"]),
    ("read/maybe", b"", ["readBoolean"]),
    ("labels/%00", b"", ["label"]),
    ("labels/a%0Ab", b"", ["label"]),
    ("labels/%ff", b"", ["label"]),
    ("labels/" + "x" * (MAX_LABEL_CHARACTERS + 1), b"", ["label"]),
    ("labels", b"", ["labels"]),
    ("labels", b'{"labels": "x"}', ["labels"]),
    ("labels", b'{"labels": [1]}', ["labels[0]"]),
    ("labels", b'{"labels": [""]}', ["labels[0]"]),
    ("labels", b'{"labels": null}', ["labels"]),
    ("labels", b'{"labels": ["a\\u0000"]}', ["labels"]),
    ("labels", b'{"labels": ["' + b"x" * 101 + b'"]}', ["labels[0]"]),
    ("labels", str({"labels": [*NAMES, "y"]}).replace("'", '"').encode(), ["labels"]),
    ("labels", b'{"label": ["x"]}', ["label", "labels"]),
    ("labels", b'{"labels": ["x"], "lables": 1}', ["lables"]),
    ("labels", b"[]", ["[]", "labels"]),
    ("labels", b'{"labels"', []),
]


@pytest_twisted.ensureDeferred
async def test_bad_input_is_refused_with_each_fault_named(people: Society) -> None:
    target = await _message(people)
    for end, body, faults in BAD:
        answer = await people.ask("nobody", "PUT", f"{target}/{quote(end, safe='/%')}", body)
        assert answer.status == 400, (end, body, answer)
        named = [fault["field"] for fault in answer.json().get("faults", ())]
        assert sorted(named) == faults, (end, body)
    message = await people.json("nobody", "GET", target)
    assert (message["labels"], message["folder"], message["read"]) == ([], "inbox", None)
