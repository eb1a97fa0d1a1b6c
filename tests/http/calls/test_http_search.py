"""Search by the query language: who finds what, page by page, and searches that have a name."""

import json
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pytest_twisted

from mailsacd.mail.reading import search, search_turns
from mailsacd.mail.reading.saved_searches import MAX_SAVED
from mailsacd.store.pool import Database
from tests.http.society import IMPLICIT, PRIVATE, PUBLIC, Society, society

SEARCHES = "/api/searches"
BOTH = ("/api/search", f"/api/addresses/{PRIVATE}/search")


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made


def _body(name: str, query: str) -> bytes:
    return json.dumps({"name": name, "query": query}).encode()


async def _found(people: Society, target: str, query: str, **asked: Any) -> dict[str, Any]:
    asked["query"] = query
    answer = await people.json("owner", "GET", f"{target}?{urlencode(asked)}")
    assert answer["query"] == query
    return dict(answer)


async def _ids(people: Society, target: str, query: str, **asked: Any) -> list[str]:
    found = await _found(people, target, query, **asked)
    assert not found["incomplete"]
    return [message["_id"] for message in found["messages"]]


def _mails() -> dict[str, bytes]:
    made = {}
    for name in ("plain", "page", "file"):
        mail = EmailMessage()
        mail["From"] = {"plain": "Ann <ann@a.example>"}.get(name, "Eve <eve@b.example>")
        mail["To"], mail["Cc"] = "jeff@elsewhere.example", f"{name}@cc.example"
        mail["Subject"] = f"Your {name}, März"
        mail["X-Order"] = f"Number 7 {name}"
        mail.set_content(f"Words of the\n{name} text, grün. " + "=" * 90, cte="quoted-printable")
        made[name] = mail
    made["page"].add_alternative(
        '<style>.secret{}</style><p>Ver<b>borgen</b></p><a href="https://x.example/T0ken">go</a>',
        subtype="html",
        cte="base64",
    )
    made["file"].add_attachment(b"x" * 30_000, maintype="image", subtype="png", filename="a.png")
    return {name: mail.as_bytes().replace(b"\n", b"\r\n") for name, mail in made.items()}


QUERIES: list[tuple[str, set[str]]] = [
    ("words", {"plain", "page", "file"}),
    ("plain", {"plain"}),
    ("GRÜN", {"plain", "page", "file"}),
    ('"of the page text"', {"page"}),
    ("verborgen", {"page"}),
    ("secret", set()),
    ("body:ann", set()),
    ("ann", {"plain"}),
    ("from:eve has:attachment", {"file"}),
    ("from:eve -has:attachment", {"page"}),
    ('from:"eve eve@"', set()),
    ('from:"ann ann@a" is:read', set()),
    ('to:"example file@"', set()),
    ("to:page@CC.example", {"page"}),
    (f"to:{PRIVATE}", {"plain", "page", "file"}),
    ("subject:märz -subject:page", {"plain", "file"}),
    ("header:x-order=NUMBER -header:X-Order=page", {"plain", "file"}),
    ("header:X-Order", {"plain", "page", "file"}),
    ("header:X-Other", set()),
    ("header:Received", {"plain", "page", "file"}),
    ("raw:IMAGE/png", {"file"}),
    ("raw:gr=c3=bcn", {"plain", "page", "file"}),
    ("link:x.example/t0k", {"page"}),
    ("larger:20k", {"file"}),
    ("smaller:20k ann", {"plain"}),
    ("is:read", {"plain"}),
    ("is:unread from:eve", {"page", "file"}),
    ("is:starred", {"page"}),
    ("-is:starred", {"plain", "file"}),
    ("label:L", {"plain"}),
    ("folder:trash OR label:L", {"plain", "file"}),
    ("(ann OR has:attachment) -label:L", {"file"}),
    ("after:2020-01-01 before:2999-01-01 ann", {"plain"}),
    ("before:2020-01-01", set()),
    ("nothing of the kind", set()),
]


@pytest_twisted.ensureDeferred
async def test_what_queries_find(people: Society) -> None:
    ids = {name: await people.deliver(PRIVATE, content) for name, content in _mails().items()}
    here = f"/api/addresses/{PRIVATE}/messages"
    await people.json("owner", "PUT", f"{here}/{ids['plain']}/read")
    await people.json("owner", "PUT", f"{here}/{ids['plain']}/labels/L")
    await people.json("owner", "PUT", f"{here}/{ids['page']}/star")
    await people.json("owner", "PUT", f"{here}/{ids['file']}/folder/trash")
    names = {message_id: name for name, message_id in ids.items()}
    for target in BOTH:
        for query, expected in QUERIES:
            found = await _ids(people, target, query)
            assert {names[each] for each in found} == expected, (target, query)
            assert found == sorted(found, reverse=True)


@pytest_twisted.ensureDeferred
async def test_public_mail_is_found_by_anybody(people: Society) -> None:
    """The texts of public mail are in no column, so no query may be asked of these alone."""
    for content in _mails().values():
        await people.deliver(PUBLIC, content)
    for query, count in (("from:eve", 2), ("subject:page", 1), ("words -ann", 2), ("is:unread", 3)):
        target = f"/api/addresses/{PUBLIC}/search?{urlencode({'query': query})}"
        answer = await people.json("nobody", "GET", target)
        assert len(answer["messages"]) == count, query
    answer = await people.ask("nobody", "GET", f"/api/addresses/{PUBLIC}/search?query=tag:x")
    assert answer.status == 400


@pytest.mark.parametrize("query", ["subject:geheim", "geheim", "body:geheim OR subject:geheim"])
@pytest_twisted.ensureDeferred
async def test_pages_go_on_where_the_last_one_ended(people: Society, query: str) -> None:
    ids = [await people.deliver(PRIVATE) for _ in range(5)][::-1]
    for target in BOTH:
        seen: list[str] = []
        before: dict[str, str] = {}
        for _ in range(3):
            found = await _found(people, target, query, limit=2, **before)
            seen += [message["_id"] for message in found["messages"]]
            if found["next"] is None:
                break
            before = {"before": found["next"]}
        assert seen == ids
        assert found["next"] is None


@pytest_twisted.ensureDeferred
async def test_a_search_whose_time_is_over_goes_on(
    people: Society, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await people.deliver(PRIVATE) for _ in range(5)][::-1]
    monkeypatch.setattr(search_turns, "TIME_S", -10.0)  # and more than it waits for a turn
    monkeypatch.setattr(search, "READ_BYTES", 1)  # one message is a batch
    seen: list[str] = []
    before: dict[str, str] = {}
    while len(seen) < len(ids):
        found = await _found(people, BOTH[0], "geheim", **before)
        seen += [message["_id"] for message in found["messages"]]
        assert found["incomplete"] is (found["next"] is not None)
        before = {"before": found["next"]}
    assert seen == ids


@pytest_twisted.ensureDeferred
async def test_searches_under_way_are_bounded(
    people: Society, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.deliver(PRIVATE)
    for name, at_most in (("MAX_OF_CALLER", 0), ("MAX_UNDER_WAY", 0)):
        with monkeypatch.context() as patch:
            patch.setattr(search_turns, name, at_most)
            refused = await people.ask("owner", "GET", f"{BOTH[0]}?query=x")
            assert refused.status == 503
            assert "retry-after" in refused.headers
        assert await _ids(people, BOTH[0], "nowhere") == []


WRONG = [
    ("", "query"),
    ("?query=", "query"),
    ("?query=re:", "query"),
    ("?query=" + "x" * 501, "query"),
    ("?query=a%00", "query"),
    ("?query=a&limit=0", "limit"),
    ("?query=a&before=%C2%84", "before"),
    ("?query=a&limit=101", "limit"),
]


@pytest_twisted.ensureDeferred
async def test_what_is_wrong_is_named(people: Society) -> None:
    for target in BOTH:
        for asked, field in WRONG:
            answer = await people.ask("owner", "GET", target + asked)
            assert answer.status == 400
            assert [fault["field"] for fault in answer.json()["faults"]] == [field], asked


@pytest_twisted.ensureDeferred
async def test_a_saved_search_is_a_tag(people: Society) -> None:
    one = await people.deliver(PRIVATE)
    two = await people.deliver(IMPLICIT)
    saved = await people.json("owner", "POST", SEARCHES, _body("Mine", f"to:{PRIVATE}"))
    assert saved == {"name": "mine", "query": f"to:{PRIVATE}"}
    assert await _ids(people, "/api/search", "tag:MINE") == [one]
    assert await _ids(people, "/api/search", "geheim -tag:mine") == [two]
    await people.json("owner", "POST", SEARCHES, _body("mine", f"-to:{PRIVATE}"))
    assert await _ids(people, "/api/search", "tag:mine") == [two]
    (listed,) = await people.json("owner", "GET", SEARCHES)
    assert (listed["name"], listed["query"]) == ("mine", f"-to:{PRIVATE}")
    assert await people.json("other", "GET", SEARCHES) == []
    assert (await people.ask("other", "GET", "/api/search?query=tag:mine")).status == 400
    assert (await people.ask("other", "DELETE", f"{SEARCHES}/mine")).status == 404
    assert (await people.ask("owner", "DELETE", f"{SEARCHES}/MINE")).status == 204
    assert (await people.ask("owner", "DELETE", f"{SEARCHES}/mine")).status == 404
    assert (await people.ask("owner", "DELETE", f"{SEARCHES}/{quote('x' * 99)}")).status == 404


@pytest_twisted.ensureDeferred
async def test_saved_searches_are_bounded_and_valid(people: Society) -> None:
    for place in range(MAX_SAVED):
        await people.json("owner", "POST", SEARCHES, _body(f"n{place}", "a"))
    more = _body("more", "a")
    assert (await people.ask("owner", "POST", SEARCHES, more)).status == 409
    await people.json("owner", "POST", SEARCHES, _body("n1", "b"))
    for name, query, field in (
        ("two words", "a", "name"),
        ("", "a", "name"),
        ("x", "", "query"),
        ("x", "a\0", "query"),
        ("x", "tag:n1", "query"),
        ("x", "re:", "query"),
    ):
        answer = await people.ask("owner", "POST", SEARCHES, _body(name, query))
        assert answer.status == 400
        assert [fault["field"] for fault in answer.json()["faults"]] == [field], (name, query)
    assert (await people.ask("nobody", "POST", SEARCHES, more)).status == 401


SUBJECTS = [
    ("ĐỀ NGHỊ", "nghị"),
    ("ՀԱՅԵՐԵՆ", "հայ"),
    ("ΟΔΟΣ", "οδος"),
    ("İZMİR", "İzm"),
    ("x" * 900 + " " + "y" * 900 + " behind", "behind"),
]


@pytest_twisted.ensureDeferred
async def test_what_columns_cannot_tell_is_found_all_the_same(people: Society) -> None:
    """Columns keep some capitals as they are, and are cut."""
    for place, (subject, text) in enumerate(SUBJECTS):
        mail = EmailMessage()
        mail["Subject"], mail["From"] = subject, "ann@a.example"
        many = [f"name{n}@{'x' * 40}.example" for n in range(120)]
        mail["To"] = ", ".join([*many, f"last{place}@a.example"])
        message_id = await people.deliver(PRIVATE, mail.as_bytes().replace(b"\n", b"\r\n"))
        for query in (f"subject:{text}", f"to:last{place}@a.example"):
            for target in BOTH:
                found = await _ids(people, target, f"{query} from:ann smaller:1M")
                assert found == [message_id], query
