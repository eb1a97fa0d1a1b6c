"""Who is shown which mail by a façade, and which pages and hosts it talks to."""

from mailsacd.store.pool import Database
from tests.facades.conftest import FACADES
from tests.facades.program import Program, deliver, mail, reactor
from tests.http.client import ask
from tests.http.society import IMPLICIT, PRIVATE, PUBLIC, SHOWN, Society, society
from tests.ws.listener import upgrade

EVERYWHERE = (PUBLIC, PRIVATE, SHOWN, IMPLICIT)


async def of_everybody(people: Society) -> None:
    """Deliver a message to an inbox of each kind, of which its subject tells."""
    for inbox in EVERYWHERE:
        await deliver(people, mail(inbox), inbox)


async def seen(people: Society, who: str) -> set[str]:
    """The inboxes of the mail that somebody is shown, by one façade as by the other."""
    page = await Program(people, "mailpit", who).json("GET", "/api/v1/messages")
    other = await Program(people, "mailhog", who).json("GET", "/api/v2/messages")
    subjects = [message["Subject"] for message in page["messages"]]
    assert [m["Content"]["Headers"]["Subject"][0] for m in other["items"]] == subjects
    return set(subjects)


async def on_this_machine_everybody_sees_public_mail_and_an_account_its_own(
    people: Society,
) -> None:
    await of_everybody(people)
    assert await seen(people, "nobody") == {PUBLIC}
    assert await seen(people, "other") == {PUBLIC}
    assert await seen(people, "owner") == set(EVERYWHERE)
    answer = await Program(people, "mailpit", "wrong key").ask("GET", "/api/v1/messages")
    assert answer.status == 401


async def nobody_reads_changes_or_deletes_what_he_does_not_see(people: Society) -> None:
    envelope_id = await deliver(people, mail("secret"), PRIVATE)
    owner = Program(people, "mailpit", "owner")
    for tool, one in (("mailpit", "message"), ("mailhog", "messages")):
        for who in ("nobody", "other"):
            program = Program(people, tool, who)
            assert (await program.ask("GET", f"/api/v1/{one}/{envelope_id}")).status == 404
            await program.ask("DELETE", "/api/v1/messages", {"IDs": [envelope_id]})
            await program.ask("DELETE", f"/api/v1/messages/{envelope_id}")
            await program.ask("DELETE", "/api/v1/messages")
            await program.ask("PUT", "/api/v1/messages", {"IDs": [envelope_id], "Read": True})
            await program.ask("PUT", "/api/v1/tags", {"IDs": [envelope_id], "Tags": ["x"]})
    (message,) = (await owner.json("GET", "/api/v1/messages"))["messages"]
    assert (message["Read"], message["Tags"]) == (False, [])
    await owner.ask("DELETE", "/api/v1/messages")
    assert (await owner.json("GET", "/api/v1/messages"))["total"] == 0


async def test_elsewhere_nobody_comes_in_without_a_key(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, *FACADES, "facades.host=0.0.0.0") as people:
        await of_everybody(people)
        for tool, target in (
            ("mailpit", "/api/v1/messages"), ("mailpit", "/api/v1/info"),
            ("mailpit", "/view/latest.txt"), ("mailhog", "/api/v2/messages"),
            ("mailhog", "/api/v1/events"),
        ):  # fmt: skip
            answer = await Program(people, tool).ask("GET", target)
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Basic ")
        sent = {"From": {"Email": "a@b.example"}, "To": [{"Email": PUBLIC}]}
        assert (await Program(people, "mailpit").ask("POST", "/api/v1/send", sent)).status == 401
        assert (await Program(people, "mailpit").ask("GET", "/livez")).status == 200
        listener = await upgrade(reactor, people.ports["mailpit"], "/api/events")
        assert (await listener.json())["status"] == 401
        await listener.closed()
        # nor sees an account public mail, without the firehose
        assert await seen(people, "owner") == set(EVERYWHERE) - {PUBLIC}
        assert await seen(people, "other") == set()


async def no_page_gets_in_by_a_name_of_its_own(people: Society) -> None:
    await deliver(people, mail("kept"), PUBLIC)
    for host, method in (
        ("evil.net", "GET"), ("127.0.0.1.evil.net:8026", "GET"), ("evil.net", "DELETE"), ("", "GET")
    ):  # fmt: skip
        answer = await Program(people, "mailpit").ask(method, "/api/v1/messages", Host=host)
        assert answer.status in (400, 403)
    for more in (
        {"Host": "evil.net", "Mailsac-Key": ""},
        {"Host": "evil.net", "Authorization": "Basic YW55Og=="},  # any: with an empty password
        {"Host": "evil.net", "X-Forwarded-Host": "localhost"},
        {"X-Forwarded-Host": "evil.net"},
        {"X-Forwarded-Host": "/"},
    ):
        for tool in ("mailpit", "mailhog"):
            answer = await Program(people, tool).ask("GET", "/api/v1/messages", **more)
            assert answer.status == 403, (tool, more)
            assert "localhost" in answer.body.decode()
    answer = await Program(people, "mailpit").ask(
        "GET", "/api/v1/messages", **{"X-Forwarded-Host": "mailpit.internal"}
    )
    assert answer.status == 200
    assert await seen(people, "nobody") == {"kept"}
    # with a key the name does not matter: a page has none
    answer = await Program(people, "mailpit", "owner").ask(
        "GET", "/api/v1/messages", Host="mail.example.net"
    )
    assert answer.status == 200


async def pages_of_others_may_neither_read_nor_write(people: Society) -> None:
    await deliver(people, mail("kept"), PUBLIC)
    program = Program(people, "mailpit")
    page = {"Origin": "https://evil.net", "Sec-Fetch-Site": "cross-site"}
    answer = await program.ask("GET", "/api/v1/messages", **page)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert (await program.ask("DELETE", "/api/v1/messages", **page)).status == 403
    await nothing_is_done_for_pages_of_others(people)
    # a browser sends the cookie of a session to all ports of a host
    cookie = people.credentials["team"]
    target = "/api/v1/messages"
    seen_by_team = await ask(reactor, program.port, target, headers={**cookie, "Host": "localhost"})
    assert seen_by_team.json()["total"] == 1
    await deliver(people, mail("secret"), PRIVATE)
    seen_by_team = await ask(reactor, program.port, target, headers={**cookie, "Host": "localhost"})
    assert seen_by_team.json()["total"] == 1


async def nothing_is_done_for_pages_of_others(people: Society) -> None:
    newest = "/api/v1/message/latest"
    latest = (await Program(people, "mailpit").json("GET", "/api/v1/messages"))["messages"][0]
    part = f"/api/v1/message/{latest['ID']}/part/1"
    picture = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "no-cors",
        "Sec-Fetch-Dest": "image",
    }
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for who in ("nobody", "owner"):  # whose password a browser remembers
        program = Program(people, "mailpit", who)
        for target, headers, status in (
            (newest, picture, 403),
            (newest, {"Sec-Fetch-Site": "same-site"}, 403),
            (newest, {"Origin": "https://evil.net"}, 403),  # as a WebSocket's is that is none
            (newest, followed, 403),
            (f"{newest}/part/1", picture, 403),
            (part, {**picture, "Sec-Fetch-Dest": "empty"}, 403),
            ("/api/v1/search?query=kept", picture, 403),
            ("/view/latest.txt", picture, 403),
            # what a person looks at
            ("/view/latest.txt", followed, 200),
            ("/api/v1/messages", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
            (part, picture, 404),  # there is no such part
        ):
            answer = await program.ask("GET", target, **headers)
            assert answer.status == status, (who, target, headers)
        assert (await program.ask("POST", "/view/latest.txt", **followed)).status == 403
        assert (await program.json("GET", "/api/v1/messages"))["unread"] == 1
    hog = Program(people, "mailhog")
    search = "/api/v2/search?kind=containing&query=kept"
    assert (await hog.ask("GET", search, **picture)).status == 403
    key = people.credentials["owner"]  # which no page can send in its header
    answer = await ask(reactor, hog.port, search, headers={**key, **picture, "Host": "localhost"})
    assert answer.status == 200


async def the_key_of_a_run_sees_the_run(people: Society) -> None:
    run = await people.json("owner", "POST", "/api/runs")
    people.credentials["run"] = {"Mailsac-Key": run["key"]}
    inside = f"bob@{run['domain']}"
    program = Program(people, "mailpit", "run")
    listener = await upgrade(
        reactor, program.port, "/api/events", Authorization=program.headers["Authorization"]
    )
    assert (await listener.json())["Data"]["Total"] == 0
    await of_everybody(people)
    envelope_id = await deliver(people, mail(inside), inside)
    assert (await listener.json())["Data"]["ID"] == envelope_id
    assert (await listener.json())["Data"]["Total"] == 1
    assert await seen(people, "run") == {inside}
    assert await seen(people, "nobody") == {PUBLIC}
    other = (await Program(people, "mailpit").json("GET", "/api/v1/message/latest"))["ID"]
    assert (await program.ask("GET", f"/api/v1/message/{other}")).status == 404
    assert (await program.ask("POST", "/api/v1/send", {})).status == 403
    await program.ask("DELETE", "/api/v1/messages")
    assert await seen(people, "owner") == set(EVERYWHERE)
    await listener.leave()


async def test_who_is_shown_what_on_this_machine(people: Society) -> None:
    """One daemon for all of it, emptied in between."""
    for check in (
        on_this_machine_everybody_sees_public_mail_and_an_account_its_own,
        nobody_reads_changes_or_deletes_what_he_does_not_see,
        no_page_gets_in_by_a_name_of_its_own,
        pages_of_others_may_neither_read_nor_write,
        the_key_of_a_run_sees_the_run,
    ):
        await check(people)
        for who in ("nobody", "owner"):
            await Program(people, "mailhog", who).ask("DELETE", "/api/v1/messages")
