"""An account's lists and its search over the API: what they answer, to good and bad input."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.mail.reading.account_mail import MAX_FOUND
from mailsacd.store import inbox as store
from mailsacd.store.erasures import remove_erased
from mailsacd.store.pool import Database
from tests.http.client import ask
from tests.http.society import (
    CATCH_ALL,
    HIDDEN_DOMAIN,
    IMPLICIT,
    PRIVATE,
    SHOWN_DOMAIN,
    Society,
    society,
)

reactor: Any = the_reactor


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made


def _mail(subject: str, sender: str = "Ann <ann@example.net>", to: str = "bob@x.example") -> bytes:
    return f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nhello\r\n".encode()


async def _ids(people: Society, target: str, **query: str) -> list[str]:
    found = await people.json("owner", "GET", f"{target}?{urlencode(query)}")
    messages = found if isinstance(found, list) else found["messages"]
    return [message["_id"] for message in messages]


@pytest_twisted.ensureDeferred
async def test_the_inbox_is_paged_and_counts_what_is_unread(people: Society) -> None:
    ids = [await people.deliver(email) for email in (PRIVATE, IMPLICIT, CATCH_ALL) * 2][::-1]
    await people.json("owner", "PUT", f"/api/addresses/{CATCH_ALL}/messages/{ids[0]}/read")
    page = await people.json("owner", "GET", "/api/inbox?limit=2&skip=1")
    assert [message["_id"] for message in page["messages"]] == ids[1:3]
    assert (page["unread"], page["limit"], page["skip"]) == (5, 2, 1)
    assert page["messages"][0]["inbox"] == IMPLICIT
    received = (await people.json("owner", "GET", "/api/inbox"))["messages"][0]["received"]
    assert ids[0] in await _ids(people, "/api/inbox", since=received)
    assert await _ids(people, "/api/inbox", since="9999-12-31") == []
    assert await people.json("owner", "GET", "/api/inbox?limit=0") == {
        "messages": [],
        "unread": 5,
        "limit": 0,
        "skip": 0,
    }
    assert await _ids(people, "/api/private-messages") == ids


@pytest_twisted.ensureDeferred
async def test_the_starred_list_is_paged(people: Society) -> None:
    ids = [await people.deliver(PRIVATE) for _ in range(3)][::-1]
    for message_id in ids:
        await people.json("owner", "PUT", f"/api/addresses/{PRIVATE}/messages/{message_id}/star")
    assert await _ids(people, "/api/addresses/starred/messages", limit="2", skip="1") == ids[1:]
    assert await _ids(people, "/api/addresses/starred/messages", until="2001-01-01") == []


FOUND: list[tuple[str, set[str]]] = [
    ("invoice", {"a", "b"}),
    ("INVOICE", {"a", "b"}),
    ("voic", {"a", "b"}),
    ("your invoice", {"a"}),
    ("märz", {"a"}),
    ("MÄRZ", {"a"}),
    ("100%", {"b"}),
    ("_", {"c"}),
    ("a & b | !c <-> (d:*)", {"c"}),
    ("o'neil\\", {"c"}),
    ("счёт", {"d"}),
    ("СЧЁТ", {"d"}),
    ("請求", {"d"}),
    ("書", {"d"}),
    ("shop.example", {"b"}),
    ("Bob's Shop", {"b"}),
    ("box@reserved", {"a", "b", "c", "d"}),
    ("jeff@elsewhere.example", {"d"}),
    ("re", {"a", "b", "c", "d"}),
    ("hello", set()),
    ("nothing of the kind", set()),
]


@pytest_twisted.ensureDeferred
async def test_any_part_of_subject_and_people_is_found(people: Society) -> None:
    mails = {
        "a": _mail("Your Invoice, März"),
        "b": _mail("no invoice: 100%", "Bob's Shop <sales@shop.example>"),
        "c": _mail("under_score o'neil\\ a & b | !c <-> (d:*)"),
        "d": _mail("Счёт 請求書", to="Jeff <jeff@elsewhere.example>"),
    }
    ids = {await people.deliver(PRIVATE, content): name for name, content in mails.items()}
    for query, found in FOUND:
        asked = urlencode({"query": query})
        answer = await people.json("owner", "GET", f"/api/inbox-search?{asked}")
        assert {ids[message["_id"]] for message in answer["messages"]} == found, query
        assert answer["query"] == query
        older = await people.json("owner", "GET", f"/api/search-private-messages?{asked}")
        assert older == answer


@pytest.mark.parametrize("asked", ["", "?query=", "?q=x", "?limit=3"])
@pytest.mark.parametrize("name", ["inbox-search", "search-private-messages"])
@pytest_twisted.ensureDeferred
async def test_without_a_query_nothing_is_found(people: Society, name: str, asked: str) -> None:
    await people.deliver(PRIVATE)
    found = await people.json("owner", "GET", f"/api/{name}{asked}")
    assert found == {"query": "", "messages": []}
    assert (await people.ask("nobody", "GET", f"/api/{name}{asked}")).status == 401


@pytest_twisted.ensureDeferred
async def test_what_repeats_the_question_beside_mail_is_not_compressed(people: Society) -> None:
    for _ in range(MAX_FOUND):
        await people.deliver(PRIVATE, _mail("re " + "long subject " * 20))
    compressed = {}
    for target in ("inbox-search?query=re", "search-private-messages?query=re", "inbox?limit=100"):
        headers = {**people.credentials["owner"], "Accept-Encoding": "gzip"}
        answer = await ask(reactor, people.port, f"/api/{target}", headers=headers)
        compressed[target] = "content-encoding" in answer.headers
    assert list(compressed.values()) == [False, False, True]


@pytest_twisted.ensureDeferred
async def test_a_filter_has_every_condition_met(people: Society) -> None:
    one = await people.deliver(PRIVATE, _mail("red apple", "Ann <ann@a.example>"))
    two = await people.deliver(IMPLICIT, _mail("red pear", "Eve <eve@b.example>"))
    await people.json("owner", "PUT", f"/api/addresses/{PRIVATE}/messages/{one}/read")
    cases: list[tuple[dict[str, str], list[str]]] = [
        ({"andSubjectIncludes": "RED"}, [two, one]),
        ({"andSubjectIncludes": "red", "andFrom": "eve"}, [two]),
        ({"andSubjectIncludes": "apple", "andFrom": "eve"}, []),
        ({"andSubjectIncludes": "ann"}, []),
        ({"andFrom": "a.example"}, [one]),
        ({"andTo": IMPLICIT}, [two]),
        ({"andTo": "bob@x.example", "andSubjectIncludes": ""}, [two, one]),
        ({"andRead": "true"}, [one]),
        ({"andRead": "false"}, [two]),
        ({"andRead": "false", "andSubjectIncludes": "apple"}, []),
        ({"andRead": "true", "andFrom": "ann", "andTo": PRIVATE}, [one]),
    ]
    for query, expected in cases:
        assert await _ids(people, "/api/inbox-filter", **query) == expected, query


@pytest_twisted.ensureDeferred
async def test_folders_and_labels_are_lists_of_their_own(people: Society) -> None:
    one, two, three = [await people.deliver(email) for email in (PRIVATE, IMPLICIT, CATCH_ALL)]
    here = "/api/addresses"
    await people.json("owner", "PUT", f"{here}/{PRIVATE}/messages/{one}/folder/trash")
    for email, message in ((PRIVATE, one), (IMPLICIT, two)):
        await people.json("owner", "PUT", f"{here}/{email}/messages/{message}/labels/of%20May")
    cases: list[tuple[dict[str, str], list[str]]] = [
        ({"folder": "trash"}, [one]),
        ({"folder": "inbox"}, [three, two]),
        ({"folder": "inbox", "skip": "1"}, [two]),
        ({"folder": "spam"}, []),
        ({"label": "of May"}, [two, one]),
        ({"label": "of May", "limit": "1"}, [two]),
        ({"label": "of may"}, []),
        ({"label": "of May", "folder": "trash"}, [one]),
        ({"label": "", "folder": ""}, [three, two, one]),
    ]
    for query, expected in cases:
        assert await _ids(people, "/api/inbox", **query) == expected, query
        conditions = {"label": "andLabel", "folder": "andFolder"}
        filtered = {conditions[n]: value for n, value in query.items() if n in conditions}
        if any(query.values()) and "skip" not in query and "limit" not in query:
            assert await _ids(people, "/api/inbox-filter", **filtered) == expected, query
    both = {"andLabel": "of May", "andSubjectIncludes": "geheim"}
    assert await _ids(people, "/api/inbox-filter", **both) == [two, one]
    assert (await people.json("other", "GET", "/api/inbox?label=of%20May"))["messages"] == []


@pytest_twisted.ensureDeferred
async def test_at_most_the_newest_hundred_are_found(people: Society) -> None:
    ids = [await people.deliver(PRIVATE) for _ in range(MAX_FOUND + 5)][::-1]
    for target, query in (
        ("/api/inbox-search", {"query": "geheim"}),
        ("/api/inbox-filter", {"andSubjectIncludes": "geheim"}),
        ("/api/inbox-filter", {"andRead": "false"}),
    ):
        assert await _ids(people, target, **query) == ids[:MAX_FOUND]


async def _removed(people: Society) -> None:
    """Wait until the rows of what is gone are removed."""
    while await people.database.fetch("select id::text from erasure"):
        await people.database.transaction(remove_erased)


@pytest_twisted.ensureDeferred
async def test_a_domains_mail_is_paged_and_goes_in_batches(
    people: Society, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await people.deliver(f"box-{n}@{HIDDEN_DOMAIN}") for n in range(5)][::-1]
    kept = await people.deliver(f"box@{SHOWN_DOMAIN}")
    await people.json(
        "owner", "PUT", f"/api/addresses/box-0@{HIDDEN_DOMAIN}/messages/{ids[4]}/star"
    )
    target = f"/api/domains/{HIDDEN_DOMAIN.upper()}"
    assert await _ids(people, f"{target}/messages", limit="2") == ids[:2]
    assert await _ids(people, f"{target}/messages", until="2001-01-01") == []
    assert store.BATCH < 1_000, "one statement is bounded"
    monkeypatch.setattr(store, "_purge_domain", store.domain_deletion(2))
    assert (await people.ask("owner", "POST", f"{target}/delete-all-domain-mail")).status == 204
    assert await _ids(people, f"{target}/messages") == []
    await _removed(people)
    assert await people.database.fetch("select id from message") == [(kept,)]
    assert len(await people.database.fetch("select id from raw_message")) == 1


@pytest_twisted.ensureDeferred
async def test_a_purge_leaves_what_is_starred_and_goes_in_batches(
    people: Society, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await people.deliver(PRIVATE) for _ in range(5)]
    await people.json("owner", "PUT", f"/api/addresses/{PRIVATE}/messages/{ids[2]}/star")
    monkeypatch.setattr(store, "_purge_inbox", store.inbox_deletion(2))
    assert (await people.ask("owner", "DELETE", f"/api/addresses/{PRIVATE}/messages")).status == 204
    assert await _ids(people, f"/api/addresses/{PRIVATE}/messages") == [ids[2]]
    await _removed(people)
    assert await people.database.fetch("select id from message") == [(ids[2],)]
    assert len(await people.database.fetch("select id from raw_message")) == 1


@pytest_twisted.ensureDeferred
async def test_a_purge_takes_what_its_parameters_choose(
    people: Society, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await people.deliver(PRIVATE) for _ in range(7)][::-1]
    target = f"/api/addresses/{PRIVATE}/messages"
    await people.json("owner", "PUT", f"{target}/{ids[1]}/star")
    received = {m["_id"]: m["received"] for m in await people.json("owner", "GET", target)}
    monkeypatch.setattr(store, "_purge_inbox", store.inbox_deletion(2))

    async def purged(query: str, left: list[str]) -> None:
        assert (await people.ask("owner", "DELETE", f"{target}?{query}")).status == 204
        assert [m["_id"] for m in await people.json("owner", "GET", target)] == left, query

    await purged("limit=0", ids)
    await purged("until=2001-01-01", ids)
    for bad in ("limit=x", "limit=1001", "until=soon"):
        assert (await people.ask("owner", "DELETE", f"{target}?{bad}")).status == 400
    await purged("limit=1", ids[1:])
    await purged("limit=3", [ids[1], *ids[5:]])
    before = f"until={received[ids[5]]}"
    await purged(before, [i for i in (ids[1], *ids[5:]) if received[i] >= received[ids[5]]])
    await purged("limit=&until=", [ids[1]])


_CONDITIONS = ["andFolder", "andFrom", "andLabel", "andRead", "andSubjectIncludes", "andTo"]
BAD: list[tuple[str, list[str]]] = [
    ("inbox?limit=1001", ["limit"]),
    ("inbox?limit=-1&skip=x&since=soon", ["limit", "since", "skip"]),
    ("private-messages?skip=99999999", ["skip"]),
    ("addresses/starred/messages?until=x", ["until"]),
    ("domains/hidden.example/messages?limit=x&until=x", ["limit", "until"]),
    ("domains/%00/messages", ["domain"]),
    ("inbox-search?query=" + "x" * 501, ["query"]),
    ("inbox-search?query=a%00b", ["query"]),
    ("inbox-search?query=%ff", ["query"]),
    ("inbox?folder=attic&label=%07", ["folder", "label"]),
    ("inbox-filter", _CONDITIONS),
    ("inbox-filter?andFrom=&andRead=", _CONDITIONS),
    ("inbox-filter?andFolder=attic&andLabel=" + "x" * 101, ["andFolder", "andLabel"]),
    ("inbox-filter?andFrom=%07&andRead=perhaps", ["andFrom", "andRead"]),
    ("inbox-filter?andTo=" + "x" * 501, ["andTo"]),
]


@pytest_twisted.ensureDeferred
async def test_bad_input_is_refused_with_each_fault_named(people: Society) -> None:
    for target, faults in BAD:
        answer = await people.ask("owner", "GET", f"/api/{target}")
        assert answer.status == 400, (target, answer)
        named = [fault["field"] for fault in answer.json()["faults"]]
        assert sorted(named) == faults, target
