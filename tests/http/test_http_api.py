"""The API over real sockets, with a real mailbox: what each call answers, to good and bad input."""

import gzip
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import pytest_twisted
import zstandard
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from mailsacd import __version__
from mailsacd.assembly.web import message_calls
from mailsacd.core.actor import Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.http.app import make_site
from mailsacd.http.calls.service import READY_TIMEOUT_S
from mailsacd.http.server.site import HttpSite
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.settings import HttpSettings
from mailsacd.store.pool import Database
from tests.http.client import Answer, ask, connect
from tests.http.declared import Specification, declared_at
from tests.http.mails import EVIL, PDF, PNG, RICH, SIMPLE
from tests.lanes import LANES
from tests.mail.access import access_control
from tests.mail.authenticators import authenticator
from tests.mail.envelopes import envelope
from tests.patience import until

reactor: Any = the_reactor
Listen = Callable[[Any], int]

UNKNOWN_ID = "01m8fvk2qt000k5d8gr1w-0"


def _site(database: Database, **settings: Any) -> HttpSite:
    limits = HttpSettings(**settings)
    asked = access_control(database, anonymous_read=limits.anonymous_read)
    return _site_of(database, Mailbox(database, asked, LANES.readers), reactor, limits)


def _site_of(
    database: Database,
    mailbox: Mailbox,
    clock: Any = reactor,
    settings: HttpSettings | None = None,
) -> HttpSite:
    """A site with the calls about messages alone."""
    groups = message_calls(mailbox, clock)
    callers = authenticator(database)
    chosen = settings or HttpSettings()
    return make_site(groups, callers, chosen, LANES.readers, clock)


@dataclass
class Api:
    """The server under test; every answer is held against its specification."""

    port: int
    specification: Specification
    ingest: Ingest

    async def call(self, target: str, method: str = "GET", **request: Any) -> Answer:
        answer = await ask(reactor, self.port, target, method=method, **request)
        self.specification.check(method, target, answer)
        assert answer.headers["x-content-type-options"] == "nosniff"
        return answer

    async def json(self, target: str, method: str = "GET", **request: Any) -> Any:
        answer = await self.call(target, method, **request)
        assert answer.status == 200, answer
        return answer.json()

    async def deliver(self, content: bytes = SIMPLE, *addresses: str) -> str:
        """Store a message; its id in the first recipient's inbox."""
        new = envelope(self.ingest, content, *(addresses or ("bob@example.com",)))
        await self.ingest.deliver(new)
        return f"{new.id}-0"


@pytest_twisted.async_yield_fixture
async def api(database: Database, listen: Listen) -> AsyncIterator[Api]:
    port = listen(_site(database))
    specification = await declared_at(reactor, port, "a site alone")
    ingest = Ingest(
        database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 20),
        reactor=reactor,
    )
    yield Api(port, specification, ingest)
    await ingest.finish()


@pytest_twisted.ensureDeferred
async def test_a_list_is_newest_first_and_has_every_field(api: Api) -> None:
    ids = [await api.deliver() for _ in range(3)]
    listed = await api.json("/api/addresses/bob@example.com/messages")
    assert [message["_id"] for message in listed] == ids[::-1]
    message = listed[0]
    assert message["from"] == [{"address": "ann@example.net", "name": "Ann"}]
    assert message["cc"] is message["bcc"] is message["savedBy"] is message["read"] is None
    assert (message["folder"], message["labels"], message["attachments"]) == ("inbox", [], None)
    assert message == await api.json(f"/api/addresses/bob@example.com/messages/{ids[2]}")


@pytest_twisted.ensureDeferred
async def test_a_list_is_cut_by_count_and_time(api: Api) -> None:
    ids = [await api.deliver() for _ in range(25)]
    newest_first = ids[::-1]
    base = "/api/addresses/bob%40example.com/messages"

    async def listed(query: str = "") -> list[str]:
        return [message["_id"] for message in await api.json(f"{base}?{query}")]

    assert await listed() == newest_first[:20]
    assert await listed("limit=0") == []
    assert await listed("limit=3&skip=1") == newest_first[1:4]
    assert await listed("limit=1000&skip=24&unknown=%ff") == newest_first[24:]
    assert await listed("limit=x&limit=2") == newest_first[:2]
    received = (await api.json(f"{base}?limit=1"))[0]["received"]
    for newest in (received, quote(received.replace("Z", "+00:00"))):
        assert newest_first[0] in await listed(f"since={newest}")
        assert newest_first[0] not in await listed(f"until={newest}")
    assert await listed("until=2001-01-01") == await listed("since=9999-12-31") == []
    assert len(await listed("since=&until=&skip=&limit=1000")) == 25
    assert len(await listed("limit=")) == 20


@pytest_twisted.ensureDeferred
async def test_the_count_names_the_normal_inbox(api: Api) -> None:
    await api.deliver()
    for email in ("bob@example.com", "BOB+tag@Example.COM", "bob%2Btag%40example.com"):
        target = f"/api/addresses/{email}/message-count"
        assert await api.json(target) == {"count": 1, "inbox": "bob@example.com"}


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("a%2Fb@example.com", "a/b@example.com"),
        ("100%25@example.com", "100%@example.com"),
        ("100%@example.com", "100%@example.com"),
        ("J%C3%9CRGEN@m%C3%BCnchen.example", "jürgen@xn--mnchen-3ya.example"),
        ("u%CC%88@example.com", "ü@example.com"),
        ("%22a%20b%22@example.com", '"a b"@example.com'),
        ("bob@%5B192.0.2.1%5D", "bob@[192.0.2.1]"),
        ("%2A@example.com", "*@example.com"),
        ("bob@example.com.", "bob@example.com"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_address_in_a_url_is(api: Api, written: str, normal: str) -> None:
    answer = await api.json(f"/api/addresses/{written}/message-count")
    assert answer == {"count": 0, "inbox": normal}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest_twisted.ensureDeferred
async def test_a_slash_in_an_inbox_does_not_split_the_url(api: Api, slash: str) -> None:
    message_id = await api.deliver(SIMPLE, "a/b@example.com")
    answer = await api.call(f"/api/raw/a%2Fb@example.com/{message_id}{slash}")
    assert answer.body.endswith(SIMPLE)


@pytest.mark.parametrize(
    "target",
    [
        "/api//addresses/bob@example.com/messages",
        "//api/addresses/bob@example.com/messages",
        "/api/addresses////bob@example.com//messages",
        "/api/addresses/bob@example.com/messages//",
        "/api//addresses/bob%40example.com/messages?limit=1&until=//",
        "http://x//api//addresses/bob@example.com/messages",
    ],
)
@pytest_twisted.ensureDeferred
async def test_several_slashes_in_a_row_are_one(api: Api, target: str) -> None:
    message_id = await api.deliver()
    if "until" in target:
        assert (await api.call(target)).status == 400  # the query is as it came
    else:
        answer = await ask(reactor, api.port, target)
        assert [message["_id"] for message in answer.json()] == [message_id]


@pytest_twisted.ensureDeferred
async def test_encoded_slashes_in_a_row_stay(api: Api) -> None:
    message_id = await api.deliver(SIMPLE, "a//b@example.com")
    answer = await api.call(f"/api//raw/a%2F%2Fb@example.com//{message_id}")
    assert answer.body.endswith(SIMPLE)
    assert (await api.call(f"/api/raw/a%2Fb@example.com/{message_id}")).status == 404


@pytest_twisted.ensureDeferred
async def test_a_message_is_deleted_once(api: Api) -> None:
    message_id = await api.deliver()
    target = f"/api/addresses/Bob+x@example.com/messages/{message_id}"
    assert await api.json(target, "DELETE", body=b"{}") == {
        "message": "Message was deleted.",
        "_id": message_id,
        "inbox": "bob@example.com",
    }
    assert (await api.call(target, "DELETE")).status == 404
    assert (await api.call(target)).status == 404
    assert await api.json("/api/addresses/bob@example.com/messages") == []


@pytest_twisted.ensureDeferred
async def test_nobody_purges_what_nobody_owns(api: Api) -> None:
    message_id = await api.deliver()
    answer = await api.call("/api/addresses/bob@example.com/messages", "DELETE")
    assert answer.status == 401
    assert answer.json()["message"]
    assert "www-authenticate" in answer.headers
    await api.json(f"/api/addresses/bob@example.com/messages/{message_id}")


@pytest_twisted.ensureDeferred
async def test_text_and_raw_are_what_was_sent(api: Api) -> None:
    message_id = await api.deliver(RICH)
    text = await api.call(f"/api/text/bob@example.com/{message_id}")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Grüße, see https://example.org/a" in text.body.decode()
    raw = await api.call(f"/api/raw/bob@example.com/{message_id}")
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert raw.body.endswith(RICH)
    assert raw.body.startswith(b"Return-Path: ")
    message = await api.json(f"/api/addresses/bob@example.com/messages/{message_id}")
    assert message["size"] == len(raw.body)


@pytest_twisted.ensureDeferred
async def test_html_from_mail_runs_nothing_on_our_origin(api: Api) -> None:
    message_id = await api.deliver(RICH)
    body = await api.call(f"/api/body/bob@example.com/{message_id}")
    assert b"script" not in body.body
    assert b"onclick" not in body.body
    assert b"<a" not in body.body
    assert b"href" not in body.body
    dirty = await api.call(f"/api/dirty/bob@example.com/{message_id}")
    assert b"<script>alert(1)</script>" in dirty.body
    assert b"data:image/png;base64," in dirty.body
    for answer in (body, dirty):
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = [part.strip() for part in answer.headers["content-security-policy"].split(";")]
        assert "sandbox" in policy, "and no allow-scripts, no allow-same-origin"
        assert "default-src 'none'" in policy
        assert not [part for part in policy if part.startswith("script-src")]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("base", "subject"),
    [
        ("/api/headers/{email}/{id}", "Grüße"),
        ("/api/addresses/{email}/messages/{id}/headers", ["Grüße"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_headers_come_in_three_forms(api: Api, base: str, subject: str | list[str]) -> None:
    message_id = await api.deliver(RICH)
    target = base.format(email="bob@example.com", id=message_id)
    by_name = await api.json(target)
    assert by_name["x-twice"] == ["one", "two"]
    assert by_name["subject"] == subject
    assert by_name == await api.json(f"{target}?messageHeadersFormat=json")
    ordered = await api.json(f"{target}?messageHeadersFormat=json-ordered")
    assert [f["name"] for f in ordered][:2] == ["return-path", "received"]
    assert {"name": "x-twice", "value": "two"} in ordered
    assert ordered == await api.json(f"{target}?format=json-ordered")
    assert by_name == await api.json(f"{target}?format=json-ordered&messageHeadersFormat=json")
    plain = await api.call(f"{target}?messageHeadersFormat=plain")
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    assert plain.body.endswith(b"Content-Type: multipart/mixed; boundary=b\r\n")
    assert (await api.call(f"{target}?format=plain")).body == plain.body
    for name in ("messageHeadersFormat", "format"):
        assert (await api.call(f"{target}?{name}=xml")).status == 400


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/api/text/bob@example.com/{id}", "{id}.txt"),
        ("/api/body/bob@example.com/{id}", "{id}.html"),
        ("/api/dirty/bob@example.com/{id}", "{id}.html"),
        ("/api/raw/bob@example.com/{id}", "{id}.eml"),
        ("/api/headers/bob@example.com/{id}", "{id}.headers.json"),
        ("/api/headers/bob@example.com/{id}?messageHeadersFormat=plain", "{id}.headers.txt"),
        ("/api/addresses/bob@example.com/messages/{id}", "{id}.json"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_download_has_a_file_name(api: Api, target: str, name: str) -> None:
    message_id = await api.deliver()
    target = target.format(id=message_id)
    shown = await api.call(target)
    assert "content-disposition" not in shown.headers
    saved = await api.call(target + ("&" if "?" in target else "?") + "download=1")
    assert saved.body == shown.body
    expected = f'attachment; filename="{name.format(id=message_id)}"'
    assert saved.headers["content-disposition"] == expected


LARGE = SIMPLE + b"A line that is there again and again.\r\n" * 2_000


@pytest.mark.parametrize("content", [SIMPLE, LARGE])
@pytest.mark.parametrize(
    "target",
    [
        "/api/raw/{inbox}/{id}",
        "/api/text/{inbox}/{id}",
        "/api/body/{inbox}/{id}",
        "/api/headers/{inbox}/{id}",
        "/api/addresses/{inbox}/messages/{id}",
        "/api/addresses/{inbox}/messages/{id}/attachments",
        "/api/addresses/{inbox}/messages",
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_a_client_has_is_not_sent_again(api: Api, target: str, content: bytes) -> None:
    message_id = await api.deliver(content)
    target = target.format(inbox="bob@example.com", id=message_id)
    whole = await api.call(target)
    tag = whole.headers["etag"]
    assert tag == (await api.call(target, "HEAD")).headers["etag"]
    for has in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        for method in ("GET", "HEAD"):
            answer = await api.call(target, method, headers={"If-None-Match": has})
            assert (answer.status, answer.body) == (304, b""), has
            assert answer.headers["etag"] == tag
            assert "content-length" not in answer.headers
    other = await api.call(target, headers={"If-None-Match": '"x", W/"y"'})
    assert (other.status, other.body) == (200, whole.body)


@pytest_twisted.ensureDeferred
async def test_a_list_that_has_changed_has_another_tag(api: Api) -> None:
    target = "/api/addresses/bob@example.com/messages"
    tags = [(await api.call(target)).headers["etag"]]
    message_id = await api.deliver()
    tags.append((await api.call(target)).headers["etag"])
    await api.call(f"{target}/{message_id}/read", "PUT")
    answer = await api.call(target, headers={"If-None-Match": ", ".join(tags[:1])})
    assert answer.status == 200
    assert len({*tags, answer.headers["etag"]}) >= 2


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest_twisted.ensureDeferred
async def test_large_text_is_compressed_for_who_takes_it(api: Api, coding: str) -> None:
    expands: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.decompress,
        "zstd": zstandard.decompress,
    }
    expand = expands[coding]
    message_id = await api.deliver(LARGE)
    for name in ("raw", "text", "body"):
        target = f"/api/{name}/bob@example.com/{message_id}"
        plain = await api.call(target)
        offered = {"Accept-Encoding": f"{coding}, br"}
        answer = await api.call(target, headers=offered)
        assert answer.headers["content-encoding"] == coding
        assert expand(answer.body) == plain.body
        assert len(answer.body) < len(plain.body) / 10
        assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert "content-encoding" not in plain.headers
        assert answer.headers["etag"] == plain.headers["etag"]
        head = await api.call(target, "HEAD", headers=offered)
        assert head.headers["content-length"] == str(len(answer.body))
        refused = await api.call(target, headers={"Accept-Encoding": f"{coding};q=0"})
        assert refused.body == plain.body


@pytest_twisted.ensureDeferred
async def test_small_answers_and_errors_are_not_compressed(api: Api) -> None:
    message_id = await api.deliver()
    for target in (
        f"/api/raw/bob@example.com/{message_id}",
        "/api/raw/bob@example.com/x",
        "/livez",
    ):
        answer = await api.call(target, headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in answer.headers
        assert ("etag" in answer.headers) == (answer.status == 200 and target != "/livez")


@pytest_twisted.ensureDeferred
async def test_attachments_are_listed_and_found_by_each_of_their_names(api: Api) -> None:
    message_id = await api.deliver(RICH)
    base = f"/api/addresses/bob@example.com/messages/{message_id}/attachments"
    listed = await api.json(base)
    message = await api.json(f"/api/addresses/bob@example.com/messages/{message_id}")
    assert message["attachments"] == [a["checksum"] for a in listed]
    expected = [("logo.png", PNG), ("../a/evil.html", EVIL), ("März\u202efdp.exe", PDF)]
    assert [(a["fileName"], a["length"]) for a in listed] == [(n, len(c)) for n, c in expected]
    for described, (name, content) in zip(listed, expected, strict=True):
        assert described["checksum"] == hashlib.md5(content).hexdigest()
        identifiers = [described["checksum"], described["checksum"].upper(), name]
        if described["contentId"]:
            identifiers += [described["contentId"], f"<{described['contentId']}>"]
        for identifier in identifiers:
            for suffix in ("", "/download"):
                answer = await api.call(f"{base}/{quote(identifier, safe='')}{suffix}")
                assert answer.body == content
                assert answer.headers["content-type"] == described["contentType"]


@pytest_twisted.ensureDeferred
async def test_no_attachment_is_shown_or_run_by_a_browser(api: Api) -> None:
    message_id = await api.deliver(RICH)
    base = f"/api/addresses/bob@example.com/messages/{message_id}/attachments"
    evil = await api.call(f"{base}/{hashlib.md5(EVIL).hexdigest()}")
    assert evil.headers["content-type"] == "text/html"
    assert evil.headers["content-disposition"] == 'attachment; filename="_a_evil.html"'
    assert evil.headers["content-security-policy"].startswith("sandbox;")
    reversed_name = await api.call(f"{base}/{hashlib.md5(PDF).hexdigest()}/download")
    assert reversed_name.headers["content-disposition"] == (
        "attachment; filename=\"M_rzfdp.exe\"; filename*=UTF-8''M%C3%A4rzfdp.exe"
    )


_BAD_INPUT = [
    ("GET", "/api/addresses/bob@example.com/messages?limit=1001", 400, "limit"),
    ("GET", "/api/addresses/bob@example.com/messages?limit=-1", 400, "limit"),
    ("GET", "/api/addresses/bob@example.com/messages?skip=1e3", 400, "skip"),
    ("GET", "/api/addresses/bob@example.com/messages?since=soon", 400, "since"),
    ("GET", "/api/addresses/bob@example.com/messages?until=%00", 400, "until"),
    ("GET", "/api/addresses/bob@example.com/messages?until=%ff", 400, "until"),
    ("GET", "/api/addresses/nobody/messages", 400, "email"),
    ("GET", "/api/addresses/@/messages", 400, "email"),
    ("GET", "/api/addresses/a%00b@example.com/messages", 400, "email"),
    ("GET", "/api/addresses/a%0d%0ab@example.com/messages", 400, "email"),
    ("GET", "/api/addresses/%ff@example.com/messages", 400, "email"),
    ("GET", "/api/addresses/%ed%a0%80@example.com/messages", 400, "email"),
    ("GET", f"/api/addresses/{'x' * 65}@example.com/messages", 400, "email"),
    ("GET", "/api/addresses/a%20b@example.com/message-count", 400, "email"),
    ("DELETE", "/api/addresses/nobody/messages/" + UNKNOWN_ID, 400, "email"),
    ("GET", "/api/raw/nobody/" + UNKNOWN_ID, 400, "email"),
    ("GET", f"/api/text/bob@example.com/{UNKNOWN_ID}?download=perhaps", 400, "download"),
    ("GET", f"/api/addresses/bob@example.com/messages/{UNKNOWN_ID}", 404, None),
    ("GET", "/api/addresses/bob@example.com/messages/%00", 404, None),
    ("GET", "/api/addresses/bob@example.com/messages/%27%20or%201=1", 404, None),
    ("GET", "/api/addresses/bob@example.com/messages/" + "x" * 5000, 404, None),
    ("DELETE", "/api/addresses/bob@example.com/messages/nothing", 404, None),
    ("GET", f"/api/text/bob@example.com/{UNKNOWN_ID}", 404, None),
    ("GET", f"/api/body/bob@example.com/{UNKNOWN_ID}", 404, None),
    ("GET", f"/api/dirty/bob@example.com/{UNKNOWN_ID}", 404, None),
    ("GET", f"/api/raw/bob@example.com/{UNKNOWN_ID}", 404, None),
    ("GET", f"/api/headers/bob@example.com/{UNKNOWN_ID}", 404, None),
    ("GET", f"/api/addresses/bob@example.com/messages/{UNKNOWN_ID}/attachments", 404, None),
    ("GET", f"/api/addresses/bob@example.com/messages/{UNKNOWN_ID}/attachments/x", 404, None),
    ("GET", "/api/addresses/bob@example.com/messages//headers", 404, None),
    ("GET", "/api/addresses//messages", 404, None),
    ("GET", "/api/addresses/bob/@example.com/messages", 404, None),
    ("GET", "/api", 404, None),
    ("GET", "/nothing?here", 404, None),
    ("GET", "/../../etc/passwd", 404, None),
    ("GET", "/docs/..%2f..%2fapp.py", 404, None),
]


@pytest.mark.parametrize(("method", "target", "status", "field"), _BAD_INPUT)
@pytest_twisted.ensureDeferred
async def test_bad_input_is_told_so(
    api: Api, method: str, target: str, status: int, field: str | None
) -> None:
    answer = await api.call(target, method)
    assert answer.status == status
    error = answer.json()
    assert [f["field"] for f in error.get("faults", [])] == ([field] if field else [])


@pytest_twisted.ensureDeferred
async def test_a_message_is_not_found_in_another_inbox(api: Api) -> None:
    message_id = await api.deliver(SIMPLE, "bob@example.com")
    for target in (
        f"/api/addresses/eve@example.com/messages/{message_id}",
        f"/api/raw/eve@example.com/{message_id}",
        f"/api/addresses/eve@example.com/messages/{message_id}/attachments",
    ):
        assert (await api.call(target)).status == 404
    target = f"/api/addresses/eve@example.com/messages/{message_id}"
    assert (await api.call(target, "DELETE")).status == 404


@pytest.mark.parametrize(
    ("target", "request_"),
    [
        ("", {"headers": {"Mailsac-Key": "wrong"}}),
        ("", {"headers": {"mailsac-key": "\xff\xfe"}}),
        ("?_mailsacKey=wrong", {}),
        ("?_mailsacKey=%ff", {}),
        ("", {"body": b'{"_mailsacKey": "wrong"}'}),
        ("", {"body": b"_mailsacKey=wrong"}),
        ("", {"body": b'{"_mailsacKey": 0.1}'}),
        ("?_mailsacKey=" + "x" * 1000, {}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest_twisted.ensureDeferred
async def test_a_wrong_key_is_refused_where_none_is_needed(
    api: Api, method: str, target: str, request_: dict[str, Any]
) -> None:
    message_id = await api.deliver()
    base = f"/api/addresses/bob@example.com/messages/{message_id}"
    answer = await api.call(base + target, method, **request_)
    assert answer.status == 401
    assert (await api.call(base)).status == 200


@pytest.mark.parametrize(
    "request_", [{"headers": {"Mailsac-Key": ""}}, {"body": b'{"_mailsacKey": ""}'}]
)
@pytest_twisted.ensureDeferred
async def test_an_empty_key_is_none(api: Api, request_: dict[str, Any]) -> None:
    target = "/api/addresses/bob@example.com/messages?_mailsacKey="
    assert (await api.call(target, **request_)).status == 200


@pytest_twisted.ensureDeferred
async def test_a_bad_body_is_refused(api: Api) -> None:
    target = f"/api/addresses/bob@example.com/messages/{UNKNOWN_ID}"
    for body in (b"{", b"{'a': 1}", b'{"a":' * 1000):
        assert (await api.call(target, "DELETE", body=body)).status == 400


@pytest_twisted.ensureDeferred
async def test_without_anonymous_reading_every_call_about_mail_needs_a_key(
    database: Database, listen: Listen, api: Api
) -> None:
    message_id = await api.deliver()
    closed = Api(listen(_site(database, anonymous_read=False)), api.specification, api.ingest)
    for path, item in api.specification.document["paths"].items():
        target = path.format(
            email="bob@example.com", messageId=message_id, attachmentIdentifier="x"
        )
        for method in item:
            answer = await closed.call(target, method.upper())
            assert answer.status == (401 if target.startswith("/api/") else 200)


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("POST", "/api/addresses/bob@example.com/messages", "DELETE, GET, HEAD, OPTIONS"),
        ("PUT", f"/api/raw/bob@example.com/{UNKNOWN_ID}", "GET, HEAD, OPTIONS"),
        ("DELETE", "/openapi.json", "GET, HEAD, OPTIONS"),
        ("FROB", "/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_method_hears_of_the_right_ones(
    api: Api, method: str, target: str, allow: str
) -> None:
    answer = await ask(reactor, api.port, target, method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == allow
    assert answer.json()["error"] == "Method Not Allowed"


@pytest_twisted.ensureDeferred
async def test_head_is_get_without_its_body(api: Api) -> None:
    message_id = await api.deliver()
    target = f"/api/raw/bob@example.com/{message_id}"
    get, head = await api.call(target), await api.call(target, "HEAD")
    assert head.body == b""
    for each in (head, get):
        del each.headers["date"], each.headers["x-request-id"]
    assert head.headers == get.headers
    assert head.headers["content-length"] == str(len(get.body))


@pytest_twisted.ensureDeferred
async def test_pages_from_elsewhere_may_read_and_not_write(api: Api) -> None:
    target = "/api/addresses/bob@example.com/messages"
    preflight = await ask(
        reactor,
        api.port,
        target,
        method="OPTIONS",
        headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"},
    )
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "Mailsac-Key" in preflight.headers["access-control-allow-headers"]
    assert "Last-Event-ID" in preflight.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in preflight.headers
    assert (await api.call(target)).headers["access-control-allow-origin"] == "*"
    refused = await api.call(target, "DELETE")
    assert "access-control-allow-origin" not in refused.headers


@pytest_twisted.ensureDeferred
async def test_the_host_field_decides_nothing(api: Api) -> None:
    for host in ("", "a..b", "\xff", "x" * 300, "[", "evil.example"):
        answer = await ask(reactor, api.port, "/livez", headers={"Host": host})
        assert answer.status == 200


@pytest_twisted.ensureDeferred
async def test_the_server_says_how_it_is(api: Api) -> None:
    assert await api.json("/livez") == await api.json("/readyz") == {"status": "ok"}
    assert await api.json("/version") == {"name": "mailsacd", "version": __version__}


@pytest_twisted.ensureDeferred
async def test_without_a_database_every_call_about_mail_is_503(
    stopped_database: Database, listen: Listen, api: Api
) -> None:
    away = Api(listen(_site(stopped_database)), api.specification, api.ingest)
    for path, item in api.specification.document["paths"].items():
        target = path.format(
            email="bob@example.com", messageId=UNKNOWN_ID, attachmentIdentifier="x"
        )
        for method in item:
            answer = await away.call(target, method.upper())
            if (method, path) == ("delete", "/api/addresses/{email}/messages"):
                assert answer.status == 401
            elif "503" in item[method]["responses"]:
                assert answer.status == 503
                assert answer.headers["retry-after"]
            else:
                assert answer.status == 200


class _Slow(Mailbox):
    """A mailbox that answers when the test says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, access_control(database), LANES.readers)
        self.asked: Deferred[None] = Deferred()
        self.go_on: Deferred[None] = Deferred()

    async def delete(self, actor: Actor, email: str, message_id: str) -> str:
        self.asked.callback(None)
        await self.go_on
        return await super().delete(actor, email, message_id)


@pytest_twisted.ensureDeferred
async def test_work_goes_on_to_its_end_though_the_client_goes_away(
    api: Api, database: Database, listen: Listen
) -> None:
    message_id = await api.deliver()
    slow = _Slow(database)
    site = _site_of(database, slow)
    connection = await connect(reactor, listen(site))
    target = f"/api/addresses/bob@example.com/messages/{message_id}"
    connection.send(f"DELETE {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await slow.asked
    connection.abort()
    await until(lambda: not site.bounds.connections)
    slow.go_on.callback(None)
    while (await api.call(target)).status == 200:
        pass


class _Stuck(Mailbox):
    """A mailbox whose database says nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked: Deferred[None] = Deferred()

    async def ping(self) -> None:
        self.asked.callback(None)
        await Deferred()


@pytest_twisted.ensureDeferred
async def test_readiness_does_not_wait_for_ever(database: Database, listen: Listen) -> None:
    clock = Clock()
    stuck = _Stuck(database, access_control(database), LANES.readers)
    port = listen(_site_of(database, stuck, clock))
    connection = await connect(reactor, port)
    connection.send(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
    await stuck.asked
    await until(lambda: bool(clock.getDelayedCalls()))
    clock.advance(READY_TIMEOUT_S)
    assert (await connection.answer()).status == 503
    await connection.close()


class _Broken(Mailbox):
    """A mailbox with a defect."""

    async def ping(self) -> None:
        raise LookupError("the secret inside")


@pytest_twisted.ensureDeferred
async def test_a_defect_shows_nothing_but_its_incident(
    database: Database, listen: Listen, logged_errors: list[LogEvent]
) -> None:
    broken = _Broken(database, access_control(database), LANES.readers)
    site = _site_of(database, broken)
    answer = await ask(reactor, listen(site), "/readyz?_mailsacKey=hush")
    assert answer.status == 500
    assert b"secret" not in answer.body
    (event,) = logged_errors
    logged_errors.clear()
    assert event["incident"] in answer.json()["message"]
    assert "hush" not in str(event)


@pytest_twisted.ensureDeferred
async def test_what_shows_the_documentation_is_served_here(api: Api) -> None:
    loaded = {
        "/docs/swagger-ui.css": "text/css; charset=utf-8",
        "/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "/docs/openapi-3.0.json": "application/json",
    }
    for target, content_type in loaded.items():
        answer = await api.call(target)
        assert (answer.status, answer.headers["content-type"]) == (200, content_type)
