"""Messages are written, answered and sent; what became of them is seen and changed."""

import contextlib
import re
import secrets
import time
from html import unescape
from typing import Any

import psycopg2
import pytest

from tests.web.client import BROWSER, TIMEOUT_S, Client

Files = list[tuple[str, tuple[str, bytes, str]]]


@pytest.fixture
def own(client: Client) -> str:
    """An address of somebody who has signed in."""
    client.sign_up()
    return client.reserve(f"me@{secrets.token_hex(6)}.example")


def _send(client: Client, fields: dict[str, str], files: Files | None = None) -> Any:
    """Send the form as a browser does; the answer, not followed."""
    client.get("/compose")
    empty = {"cc": "", "bcc": "", "replyTo": "", "html": "", "inReplyTo": "", "references": ""}
    return client.session.post(
        f"{client.base}/compose",
        data={"form_token": client.token, **empty, **fields},
        files=files or [("attachments", ("", b"", "application/octet-stream"))],
        headers={"Accept": BROWSER},
        allow_redirects=False,
        timeout=TIMEOUT_S,
    )


def _sent(client: Client, fields: dict[str, str], files: Files | None = None) -> str:
    answer = _send(client, fields, files)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def _last_raw(client: Client, address: str) -> str:
    listed = client.session.get(
        f"{client.base}/api/addresses/{address}/messages", timeout=TIMEOUT_S
    )
    message_id = listed.json()[0]["_id"]
    raw = client.session.get(f"{client.base}/api/raw/{address}/{message_id}", timeout=TIMEOUT_S)
    return raw.text


def _arrives(client: Client, here: str) -> str:
    """The page of what was sent, once all recipients are done with."""
    for _ in range(200):
        page = client.get(here).text
        time.sleep(0.05)
        if ">Queued</span>" not in page and ">Sending</span>" not in page:
            return page
    raise AssertionError(page)


def test_a_message_with_files_arrives(client: Client, own: str) -> None:
    page = client.get("/compose").text
    assert f'value="{own}"' in page
    fields = {"from": own, "to": own, "subject": "Grüße & more", "text": "One\r\nTwo"}
    files = [
        ("attachments", ("päge.txt", b"the file", "text/plain")),
        ("attachments", ("b.bin", b"\0\1", "application/octet-stream")),
    ]
    here = _sent(client, fields, files)
    assert "Queued for 1 recipient" in client.get(here).text
    page = _arrives(client, here)
    assert "Delivered" in page
    assert "Grüße &amp; more" in page
    raw = _last_raw(client, own)
    assert "Content-Type: text/plain" in raw
    assert "filename*=utf-8''p%C3%A4ge.txt" in raw
    assert 'filename="b.bin"' in raw
    listed = client.get("/outgoing").text
    assert f'href="{here}"' in listed


def test_a_reply_says_what_it_answers(client: Client, own: str) -> None:
    content = (
        'From: "Bob \\"B\\" <x>" <bob@there.example>\r\nReply-To: <answers@there.example>\r\n'
        f"To: {own}\r\nSubject: Hello <b>\r\nMessage-ID: <two@there.example>\r\n"
        "References: <zero@there.example> <one@there.example>\r\n\r\nFirst\r\n\r\nSecond\r\n"
    )
    client.daemon.send(own, content)
    listed = client.session.get(f"{client.base}/api/addresses/{own}/messages", timeout=TIMEOUT_S)
    reply = f"{own}/{listed.json()[0]['_id']}"
    page = client.get(f"/compose?reply={reply}").text
    form = page.partition('action="/compose"')[2].partition("</form>")[0]
    values = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', form))
    assert values["to"] == "answers@there.example"
    assert unescape(values["subject"]) == "Re: Hello <b>"
    assert values["from"] == own
    assert unescape(values["inReplyTo"]) == "<two@there.example>"
    references = "<zero@there.example> <one@there.example> <two@there.example>"
    assert unescape(values["references"]) == references
    assert "&gt; First\n&gt;\n&gt; Second" in page
    given = {name: unescape(value) for name, value in values.items() if name != "form_token"}
    _arrives(client, _sent(client, {**given, "to": own, "text": "Yes"}))
    raw = _last_raw(client, own)
    assert "In-Reply-To: <two@there.example>" in raw
    assert "<one@there.example> <two@there.example>" in raw.replace("\r\n", "")
    client.get(f"/compose?reply={own}/unknown", 404)


def test_nobody_answers_what_he_may_not_read(client: Client, own: str) -> None:
    client.daemon.send(own, "Subject: secret\r\n\r\nsecret\r\n")
    listed = client.session.get(f"{client.base}/api/addresses/{own}/messages", timeout=TIMEOUT_S)
    reply = f"{own}/{listed.json()[0]['_id']}"
    with Client(client.daemon) as other:
        other.sign_up()
        assert "secret" not in other.get(f"/compose?reply={reply}", 403).text


def test_faults_stand_beside_their_fields_and_what_was_written_stays(
    client: Client, own: str
) -> None:
    fields = {"from": own, "to": "nonsense", "cc": "<", "subject": "kept", "text": "also <kept>"}
    answer = _send(client, fields, [("attachments", ("a.txt", b"x", "text/plain"))])
    assert answer.status_code == 400
    for name in ("to", "cc"):
        assert f'id="{name}-told">' in answer.text
    assert "is not a mail address" in answer.text
    assert 'value="kept"' in answer.text
    assert "also &lt;kept&gt;</textarea>" in answer.text
    assert "Choose the files again" in answer.text
    answer = _send(client, {"from": "a@else.example", "to": own, "text": "x"})
    assert "is not yours to send from" in answer.text
    answer = _send(client, {"from": own, "to": own, "nonsense": "x"})
    assert "nonsense is not known" in answer.text
    large = [("attachments", ("a.bin", b"x" * 2_900_000, "text/plain"))]
    assert "is larger than" in _send(client, {"from": own, "to": own}, large).text


def test_a_form_of_another_site_sends_nothing(client: Client, own: str) -> None:
    answer = _send(client, {"from": own, "to": own, "text": "x", "form_token": "0" * 64})
    assert answer.status_code == 403
    assert "Nothing was sent yet" in client.get("/outgoing").text


def test_nobody_changes_what_others_send(client: Client, own: str) -> None:
    here = _sent(client, {"from": own, "to": "x@nowhere.invalid", "text": "x"})
    assert "x@nowhere.invalid" in client.get(here).text
    client.post("/outgoing/unknown/cancel", {}, 404)
    with Client(client.daemon) as other:
        other.sign_up()
        other.get(here, 404)
        other.get("/outgoing")
        other.post(f"{here}/cancel", {}, 404)
        other.post(f"{here}/retry", {}, 404)


def test_what_is_suppressed_is_listed_and_taken_off(client: Client) -> None:
    name = client.sign_up()
    assert "Nothing is suppressed" in client.get("/suppressed").text
    dsn = f"host={client.daemon.data_dir / 'postgres'} port=5432 user=mailsacd dbname=postgres"
    with contextlib.closing(psycopg2.connect(dsn)) as adding, adding, adding.cursor() as cursor:
        cursor.execute(
            "insert into suppression (account, address, reason, created, expires)"
            " values (%s, 'gone@there.example', '550 <unknown>', now(), now() + '1 day')",
            (name,),
        )
    page = client.get("/suppressed").text
    assert "gone@there.example" in page
    assert "550 &lt;unknown&gt;" in page
    client.post("/suppressed/remove", {"address": "gone@there.example"})
    page = client.get("/suppressed").text
    assert "Mail is sent to gone@there.example again" in page
    assert "Nothing is suppressed" in page
    client.post("/suppressed/remove", {"address": "gone@there.example"}, 404)


def test_what_waits_is_cancelled(client: Client, own: str) -> None:
    here = _sent(client, {"from": own, "to": own, "text": "x"})
    _arrives(client, here)
    page = client.post(f"{here}/cancel", {}, 400).text
    assert "its content is gone" in page


def test_an_account_is_needed(client: Client) -> None:
    for path in ("/compose", "/outgoing", "/outgoing/x", "/suppressed"):
        assert client.get(path, 303).headers["location"] == f"/sign-in?next={path}"
