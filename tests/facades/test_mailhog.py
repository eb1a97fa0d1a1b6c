"""MailHog's API over real sockets: what its clients ask for, and get."""

import json

from tests.facades.program import Program, deliver, mail, reactor
from tests.http.client import connect
from tests.http.society import Society
from tests.ws.listener import upgrade


async def lists_and_single_messages(people: Society) -> None:
    program = Program(people, "mailhog")
    one = await deliver(people)
    await deliver(people, mail("second"), "carl@public.example")
    page = await program.json("GET", "/api/v2/messages?start=1&limit=5")
    assert (page["total"], page["count"], page["start"]) == (2, 1, 1)
    (message,) = page["items"]
    assert [to["Mailbox"] for to in message["To"]] == ["bob", "hidden"]
    assert message["Content"]["Headers"]["Subject"] == ["Hello"]
    assert len(message["MIME"]["Parts"]) == 5
    assert message == await program.json("GET", f"/api/v1/messages/{one}")
    listed = await program.json("GET", "/api/v1/messages")
    assert [each["Content"]["Headers"]["Subject"] for each in listed] == [["second"], ["Hello"]]
    saved = await program.ask("GET", f"/api/v1/messages/{one}/download")
    assert saved.headers["content-type"] == "message/rfc822"
    part = await program.ask("GET", f"/api/v1/messages/{one}/mime/part/3/download")
    assert part.body == b"hello"
    assert (await program.ask("GET", f"/api/v1/messages/{one}/mime/part/9/download")).status == 404


async def search_and_deletion(people: Society) -> None:
    program = Program(people, "mailhog")
    one = await deliver(people)
    await deliver(people, mail("second"), "carl@public.example")
    for kind, query, count in (
        ("from", "ANN@example", 2),
        ("to", "hidden@public", 1),
        ("to", "ann", 0),
        ("containing", "the text", 1),
        ("containing", "subject: second", 1),
    ):
        target = f"/api/v2/search?kind={kind}&query={query.replace(' ', '%20')}"
        assert (await program.json("GET", target))["total"] == count, (kind, query)
    assert (await program.ask("GET", "/api/v2/search?kind=other&query=x")).status == 400
    assert (await program.ask("DELETE", f"/api/v1/messages/{one}")).status == 200
    assert (await program.ask("DELETE", f"/api/v1/messages/{one}")).status == 404
    assert (await program.ask("DELETE", "/api/v1/messages")).status == 200
    assert await program.json("GET", "/api/v1/messages") == []


async def what_is_not_here_says_so(people: Society) -> None:
    program = Program(people, "mailhog")
    jim = await program.ask("GET", "/api/v2/jim")
    assert (jim.status, b"Jim" in jim.body) == (404, True)
    assert (await program.ask("POST", "/api/v1/messages/x/release", {})).status == 501
    assert await program.json("GET", "/api/v2/outgoing-smtp") == {}


async def mail_is_told_of_as_it_comes(people: Society) -> None:
    program = Program(people, "mailhog")
    listener = await upgrade(reactor, program.port, "/api/v2/websocket")
    events = await connect(reactor, program.port)
    events.send(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await events.until(lambda: b": listening\n\n" in events.data)
    envelope_id = await deliver(people)
    told = await listener.json()
    assert told["ID"] == envelope_id
    await events.until(lambda: b"data: {" in events.data and bytes(events.data).count(b"\n\n") >= 2)
    data = bytes(events.data).partition(b"data: ")[2].partition(b"\n\n")[0]
    assert json.loads(data) == told
    assert b"Access-Control" not in events.data
    await listener.leave()
    events.abort()
    await events.until_closed()


async def test_what_mailhog_s_clients_ask_for(people: Society) -> None:
    """One daemon for all of it, emptied in between: to start one takes longer than any of these."""
    for check in (
        lists_and_single_messages,
        search_and_deletion,
        what_is_not_here_says_so,
        mail_is_told_of_as_it_comes,
    ):
        await check(people)
        for who in ("nobody", "owner"):
            await Program(people, "mailhog", who).ask("DELETE", "/api/v1/messages")
