"""What the calls for who reads one message answer: its codes, and the messages beside it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted

from mailsacd.store.pool import Database
from tests.http.society import PRIVATE, PUBLIC, Society, society


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made


async def _beside(people: Society, who: str, inbox: str, message_id: str) -> tuple[Any, Any]:
    target = f"/api/addresses/{inbox}/messages/{message_id}/neighbours"
    answer = await people.json(who, "GET", target)
    assert answer["_id"] == message_id
    return answer["older"], answer["newer"]


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"Subject: Hello\r\n\r\nNo number here.\r\n", []),
        (b"Subject: Your code\r\n\r\nYour code is 482 913.\r\n", ["482913"]),
        (b"Subject: =?utf-8?q?=E8=AA=8D=E8=A8=BC=E7=95=AA=E5=8F=B7?= 4829\r\n\r\nx", ["4829"]),
        (
            b"Subject: Sign in\r\nContent-Type: text/html\r\n\r\n<style>p{color:#482914}</style>"
            b"<p>Your login code:<table><tr><td>4<td>8<td>2<td>9<td>1<td>3</table>",
            ["482913"],
        ),
        (
            b"Subject: Sign in\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
            b"--b\r\n\r\nPlease look at the HTML.\r\n--b\r\nContent-Type: text/html\r\n\r\n"
            b"<p>Your login code is <b>482913</b>\r\n--b--\r\n",
            ["482913"],
        ),
        (b"Subject: Your code\r\n\r\nYour code is 482913.\r\n" + b"x\r\n" * 800_000, ["482913"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_codes_of_a_message(people: Society, content: bytes, codes: list[str]) -> None:
    message_id = await people.deliver(PUBLIC, content)
    target = f"/api/addresses/{PUBLIC}/messages/{message_id}/codes"
    answer = await people.json("nobody", "GET", target)
    assert (answer["_id"], answer["codes"], answer["links"]) == (message_id, codes, [])
    assert [found["code"] for found in answer["found"]] == codes


@pytest_twisted.ensureDeferred
async def test_where_codes_and_links_are_found(people: Society) -> None:
    url = "https://example.net/verify?token=9a3f0c5b7d1e2a4c"
    message_id = await people.deliver(
        PUBLIC,
        b"Subject: Verify your email\r\nContent-Type: text/html\r\n\r\n<p>Your code is 482913."
        b"<p><a href='" + url.encode() + b"'>Verify my email</a>",
    )
    target = f"/api/addresses/{PUBLIC}/messages/{message_id}/codes"
    answer = await people.json("nobody", "GET", target)
    context = "Your code is 482913. Verify my email"
    assert answer["found"] == [
        {"code": "482913", "score": 0.93, "places": [{"in": "html", "context": context}]}
    ]
    assert answer["links"] == [
        {
            "url": url, "kind": "verify", "label": "Verify my email", "score": 0.91,
            "places": [{"in": "html", "context": context}],
        }
    ]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_evidence_is_what_the_calls_about_a_message_answer(people: Society) -> None:
    message_id = await people.deliver(PUBLIC, b"Subject: Your code\r\n\r\nYour code is 482913.\r\n")
    message = f"/api/addresses/{PUBLIC}/messages/{message_id}"
    evidence = await people.json("nobody", "GET", f"{message}/evidence")
    parts: dict[str, Any] = {}
    for name in ("authentication", "spam", "checks", "codes"):
        parts[name] = await people.json("nobody", "GET", f"{message}/{name}")
        del parts[name]["_id"]
    assert evidence["_id"] == message_id
    assert evidence["auth"] == parts["authentication"]["auth"]
    assert (evidence["checks"], evidence["codes"]) == (parts["checks"], parts["codes"])
    assert evidence["spam"] is parts["spam"]["spam"] is None
    assert list(evidence["missing"]) == ["spam", "transcript"]
    whole = await people.json("nobody", "GET", message)
    again = await people.json("nobody", "GET", f"{message}/evidence")
    assert again == {**evidence, "message": whole}
    assert whole["auth"] == evidence["auth"]


@pytest_twisted.ensureDeferred
async def test_the_messages_beside_one_are_those_that_the_caller_sees(people: Society) -> None:
    first, starred, last = [await people.deliver(PUBLIC) for _ in range(3)]
    await people.json("owner", "PUT", f"/api/addresses/{PUBLIC}/messages/{starred}/star")
    other_inbox = await people.deliver(PRIVATE)
    assert await _beside(people, "nobody", PUBLIC, first) == (None, last)
    assert await _beside(people, "other", PUBLIC, last) == (first, None)
    assert await _beside(people, "owner", PUBLIC, first) == (None, starred)
    assert await _beside(people, "owner", PUBLIC, starred) == (first, last)
    assert await _beside(people, "owner", PRIVATE, other_inbox) == (None, None)


@pytest_twisted.ensureDeferred
async def test_what_is_beyond_the_limits_of_an_inbox_is_beside_nothing(people: Society) -> None:
    ids = [await people.deliver(PUBLIC) for _ in range(8)]
    assert await _beside(people, "nobody", PUBLIC, ids[2]) == (None, ids[3])
    answer = await people.ask(
        "nobody", "GET", f"/api/addresses/{PUBLIC}/messages/{ids[1]}/neighbours"
    )
    assert answer.status == 404
