"""Mailpit's API over real sockets: what its clients ask for, and get."""

from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from tests.facades.program import MAIL, Program, deliver, mail, reactor
from tests.http.society import Society
from tests.ws.listener import upgrade

TEXT = "text/plain; charset=utf-8"


async def a_message_to_several_is_one_message_in_lists(people: Society) -> None:
    program = Program(people, "mailpit")
    envelope_id = await deliver(people)
    page = await program.json("GET", "/api/v1/messages?start=0&limit=10")
    (message,) = page.pop("messages")
    assert page == {
        "total": 1, "unread": 1, "count": 1, "messages_count": 1, "messages_unread": 1,
        "start": 0, "tags": [],
    }  # fmt: skip
    assert message.pop("Created").endswith("Z")
    assert message.pop("Size") > len(MAIL)
    assert message == {
        "ID": envelope_id,
        "MessageID": "one@mailer.example",
        "Read": False,
        "From": {"Name": "Ann", "Address": "ann@example.net"},
        "To": [{"Name": "", "Address": "bob@public.example"}],
        "Cc": [],
        "Bcc": [{"Name": "", "Address": "hidden@public.example"}],
        "ReplyTo": [{"Name": "Help", "Address": "help@example.net"}],
        "Subject": "Hello",
        "Username": "",
        "Tags": [],
        "Attachments": 1,
        "Snippet": "the text the page",
    }
    info = await program.json("GET", "/api/v1/info")
    assert (info["Messages"], info["Unread"]) == (1, 1)


async def a_message_with_all_that_is_in_it(people: Society) -> None:
    program = Program(people, "mailpit")
    envelope_id = await deliver(people)
    message = await program.json("GET", f"/api/v1/message/{envelope_id}")
    assert message == await program.json("GET", "/api/v1/message/latest")
    assert (message["Text"], message["ReturnPath"]) == ("the text", "ann@example.net")
    assert "cid:picture" in message["HTML"]
    (inline,), (attached,) = message["Inline"], message["Attachments"]
    assert (inline["FileName"], inline["ContentID"]) == ("p.png", "picture")
    assert (attached["FileName"], attached["Size"]) == ("a.pdf", 5)
    assert attached["Checksums"]["MD5"] == "5d41402abc4b2a76b9719d911017c592"
    part = await program.ask("GET", f"/api/v1/message/latest/part/{attached['PartID']}")
    assert (part.body, part.headers["content-type"]) == (b"hello", "application/pdf")
    headers = await program.json("GET", f"/api/v1/message/{envelope_id}/headers")
    assert headers["Message-Id"] == ["<one@mailer.example>"]
    assert headers["Bcc"] == ["hidden@public.example"]
    raw = await program.ask("GET", f"/api/v1/message/{envelope_id}/raw")
    assert raw.body.endswith(MAIL)
    assert raw.headers["content-type"] == TEXT
    # it has been read
    assert (await program.json("GET", "/api/v1/messages"))["unread"] == 0


async def html_is_shown_where_it_does_nothing(people: Society) -> None:
    program = Program(people, "mailpit")
    envelope_id = await deliver(people)
    page = await program.ask("GET", "/view/latest.html")
    assert f'src="/api/v1/message/{envelope_id}/part/1"' in page.body.decode()
    assert "sandbox" in page.headers["content-security-policy"]
    assert (await program.ask("GET", f"/view/{envelope_id}.txt")).body == b"the text"
    assert (await program.ask("GET", "/view/latest")).status == 404
    await deliver(people, mail("plain"))
    assert (await program.ask("GET", "/view/latest.html")).status == 404
    assert (await program.ask("GET", "/view/latest.html?query=hello")).status == 200


async def search_marks_tags_and_deletion(people: Society) -> None:
    program = Program(people, "mailpit")
    one = await deliver(people)
    await deliver(people, mail("second"))
    assert await program.found("from:ann") == ["second", "Hello"]
    assert await program.found("the page") == ["Hello"]
    assert await program.found("-has:attachment") == ["second"]
    assert (await program.ask("GET", "/api/v1/search")).status == 400
    await program.ask("PUT", "/api/v1/messages", {"IDs": [one], "Read": True})
    assert await program.found("is:read") == ["Hello"]
    await program.ask("PUT", "/api/v1/tags", {"IDs": [one], "Tags": ["b", "a a"]})
    assert await program.json("GET", "/api/v1/tags") == ["a a", "b"]
    await program.ask("PUT", "/api/v1/tags/b", {"Name": "c"})
    await program.ask("DELETE", "/api/v1/tags/a%20a")
    assert await program.found("tag:c") == ["Hello"]
    assert (await program.ask("PUT", "/api/v1/tags", {"IDs": [one], "Tags": ["<"]})).status == 400
    await program.ask("DELETE", "/api/v1/search?query=subject:second")
    assert await program.found("from:ann") == ["Hello"]
    await program.ask("DELETE", "/api/v1/messages", {"ids": ["01m8mwrbth000pcqp8kfn"]})
    await program.ask("DELETE", "/api/v1/messages", {"IDs": [None]})
    assert await program.found("from:ann") == ["Hello"]
    await program.ask("DELETE", "/api/v1/messages", {"ids": [one]})
    await deliver(people)
    assert (await program.ask("DELETE", "/api/v1/messages")).body == b"ok"
    assert await program.found("from:ann") == []
    assert await people.json("nobody", "GET", "/api/addresses/hidden@public.example/messages") == []


async def marks_of_copies_are_changed_together_and_labels_of_each_are_kept(people: Society) -> None:
    program = Program(people, "mailpit")
    one, other = await deliver(people), await deliver(people, mail("second"))

    async def labels(place: int, inbox: str) -> list[str]:
        target = f"/api/addresses/{inbox}/messages/{one}-{place}"
        kept: list[str] = (await people.json("nobody", "GET", target))["labels"]
        return kept

    await program.ask("PUT", "/api/v1/tags", {"IDs": [one, other], "Tags": ["Old", "b"]})
    target = f"/api/addresses/bob@public.example/messages/{one}-0/labels/own"
    await people.json("nobody", "PUT", target)
    await program.ask("PUT", "/api/v1/tags/old", {"Name": "new"})
    assert await labels(0, "bob@public.example") == ["b", "new", "own"]
    assert await labels(1, "hidden@public.example") == ["b", "new"]
    await program.ask("PUT", "/api/v1/tags/new", {"Name": "b"})
    assert await labels(0, "bob@public.example") == ["b", "own"]
    await program.ask("DELETE", "/api/v1/tags/B")
    assert await labels(0, "bob@public.example") == ["own"]
    assert await labels(1, "hidden@public.example") == []
    assert await program.json("GET", "/api/v1/tags") == ["own"]
    await program.ask("PUT", "/api/v1/messages", {"Read": True})
    assert await program.found("is:unread") == []
    await program.ask("PUT", "/api/v1/messages", {"IDs": [one], "Read": False})
    assert await program.found("is:unread") == ["Hello"]


async def who_marks_and_who_deletes_the_same_wait_for_each_other(people: Society) -> None:
    """Rows that are locked in different orders are a deadlock: the database breaks one off."""
    program = Program(people, "mailpit")
    for n in range(99, 0, -1):  # so that they are stored in another order than that of their names
        await deliver(people, mail(f"{n}"), *(f"m{m}-{n:02}@public.example" for m in range(5)))
    asked = [
        Deferred.fromCoroutine(program.ask(*each))
        for n in range(4)
        for each in (
            ("PUT", "/api/v1/messages", {"Read": n % 2 == 0}),
            ("DELETE", "/api/v1/messages"),
            ("PUT", "/api/v1/messages", {"Read": n % 2 == 1}),
        )
    ]
    answers = await gatherResults(asked)
    assert [answer.status for answer in answers] == [200] * len(asked)


async def a_message_is_handed_in(people: Society) -> None:
    program = Program(people, "mailpit")
    sent = {
        "From": {"Email": "a@example.net", "Name": "Ä"},
        "To": [{"Email": "t@public.example"}],
        "Cc": None,
        "Bcc": ["b@public.example"],
        "Subject": "sent",
        "Text": "hello",
        "HTML": "<p>hello</p>",
        "Headers": {"X-Mine": "yes"},
        "Tags": ["tag"],
        "Attachments": [{"Content": "aGVsbG8=", "Filename": "a.png"}],
    }
    envelope_id = (await program.json("POST", "/api/v1/send", sent))["ID"]
    message = await program.json("GET", f"/api/v1/message/{envelope_id}")
    assert (message["Text"], message["HTML"], message["Tags"]) == ("hello", "<p>hello</p>", ["tag"])
    assert message["Attachments"][0]["ContentType"] == "image/png"
    wrong: dict[str, Any]
    for wrong in (
        {"To": [{"Email": "nobody"}]},
        {"To": []},
        {"Headers": {"Subject": "twice"}},
        {"Headers": {"X-Mine": "two\r\nlines: x"}},
        {"Attachments": [{"Content": "!"}]},
        {"From": {}},
    ):
        answer = await program.ask("POST", "/api/v1/send", {**sent, "Bcc": [], **wrong})
        assert answer.status == 400, wrong
        assert list(answer.json()) == ["Error"], wrong


async def what_is_asked_of_the_server_and_what_it_does_not_offer(people: Society) -> None:
    program = Program(people, "mailpit")
    envelope_id = await deliver(people)
    assert (await program.ask("GET", "/livez")).status == 200
    assert (await program.ask("GET", "/readyz")).status == 200
    assert (await program.json("GET", "/api/v1/webui"))["ChaosEnabled"] is False
    assert (await program.ask("GET", "/api/v1/chaos")).status == 400
    assert (await program.ask("POST", f"/api/v1/message/{envelope_id}/release", {})).status == 400
    for unknown in ("nosuch", "01m8mwrbth000pcqp8kfn", f"{envelope_id}/part/3"):
        answer = await program.ask("GET", f"/api/v1/message/{unknown}")
        assert (answer.status, answer.headers["content-type"]) == (404, TEXT)
    assert (await program.ask("PUT", "/api/v1/messages", {"Read": "x"})).status == 400


async def events_tell_of_mail_and_of_changes(people: Society) -> None:
    program = Program(people, "mailpit")
    listener = await upgrade(reactor, program.port, "/api/events")
    assert (await listener.json())["Type"] == "stats"
    envelope_id = await deliver(people)
    new = await listener.json()
    assert (new["Type"], new["Data"]["ID"], new["Data"]["Subject"]) == ("new", envelope_id, "Hello")
    stats = await listener.json()
    assert stats["Data"]["Total"] == 1
    await program.ask("PUT", "/api/v1/messages", {"IDs": [envelope_id], "Read": True})
    assert await listener.json() == {"Type": "update", "Data": {"ID": envelope_id, "Read": True}}
    assert (await listener.json())["Data"]["Unread"] == 0
    await program.ask("DELETE", "/api/v1/messages", {"IDs": [envelope_id]})
    assert await listener.json() == {"Type": "delete", "Data": {"ID": envelope_id}}
    await listener.leave()


async def test_what_mailpit_s_clients_ask_for(people: Society) -> None:
    """One daemon for all of it, emptied in between: to start one takes longer than any of these."""
    for check in (
        a_message_to_several_is_one_message_in_lists,
        a_message_with_all_that_is_in_it,
        html_is_shown_where_it_does_nothing,
        search_marks_tags_and_deletion,
        marks_of_copies_are_changed_together_and_labels_of_each_are_kept,
        who_marks_and_who_deletes_the_same_wait_for_each_other,
        a_message_is_handed_in,
        what_is_asked_of_the_server_and_what_it_does_not_offer,
        events_tell_of_mail_and_of_changes,
    ):
        await check(people)
        for who in ("nobody", "owner"):
            await Program(people, "mailhog", who).ask("DELETE", "/api/v1/messages")
