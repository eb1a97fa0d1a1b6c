"""What Mailsac's manual shows, with another host: curl, Python with requests, WebSockets."""

import asyncio
import email.utils
import json
import smtplib
from collections.abc import Iterator
from email.mime.text import MIMEText
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.asyncio.client import connect

from tests.clients.program import WITHOUT_DNS, environment, key_of, run
from tests.end_to_end.command import told
from tests.end_to_end.daemon import RunningDaemon, running_daemon

ANYBODY = "user1@public.example"
MINE = "mine@manual.example"
DOMAIN = "domain.example"
HTML = 'Check out <a href="https://example.com">My website</a>'


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    options = (*WITHOUT_DNS, "--set", "capture.starttls=offer")
    with running_daemon(migrated_data, *options) as running:
        told(running.data_dir, "address", "add", "admin", MINE)
        told(running.data_dir, "domain", "add", "admin", DOMAIN, "--vouched")
        yield running


def _send_as_the_manual_does(daemon: RunningDaemon, to_address: str, subject: str) -> None:
    msg = MIMEText("This email was sent using SMTP to test receipt of an email.")
    msg["Subject"] = subject
    msg["From"] = email.utils.formataddr(("MyTest User", "myuser@company.example"))
    msg["To"] = to_address
    conn = smtplib.SMTP("127.0.0.1", daemon.ready.ports["capture"])
    conn.ehlo()
    conn.starttls()
    conn.ehlo()
    conn.login("admin", key_of(daemon))
    conn.sendmail("myuser@company.example", to_address, msg.as_string())
    conn.close()  # without QUIT, as there


@pytest.mark.parametrize("path", ["addresses", "/addresses"])  # base_url ends in a slash
def test_the_sample_that_checks_whether_mail_was_received(daemon: RunningDaemon, path: str) -> None:
    base_url = f"http://127.0.0.1:{daemon.ready.ports['http']}/api/"
    _send_as_the_manual_does(daemon, ANYBODY, "Testing email to mailsac")
    response = requests.get(
        f"{base_url}{path}/{ANYBODY}/messages", headers={"Mailsac-Key": key_of(daemon)}, timeout=30
    )
    first = response.json()[0]
    assert first["from"][0]["address"] == "myuser@company.example"
    assert first["received"].endswith("Z")


def _curl(daemon: RunningDaemon, *words: str) -> str:
    return run(["curl", "-s", *words], environment(daemon))


def test_the_curl_lines_of_getting_started(daemon: RunningDaemon) -> None:
    api = f"http://127.0.0.1:{daemon.ready.ports['http']}/api"
    daemon.send(
        "user2@public.example", "From: Bob <bob@b.example>\r\nSubject: Ahoy\r\n\r\nhello\r\n"
    )
    listed = json.loads(
        _curl(daemon, "-X", "GET", f"{api}/addresses/user2%40public.example/messages")
    )
    assert (listed[0]["subject"], listed[0]["originalInbox"]) == ("Ahoy", "user2@public.example")
    key, place = f"Mailsac-Key: {key_of(daemon)}", f"user2@public.example/{listed[0]['_id']}"
    assert _curl(daemon, "-H", key, f"{api}/text/{place}").startswith("hello")
    assert _curl(daemon, "-H", key, f"{api}/raw/{place}").endswith("\n\nhello\n")
    assert json.loads(_curl(daemon, "-H", key, f"{api}/headers/{place}"))["subject"] == "Ahoy"
    asked = "-X", "PUT", "-H", key, f"{api}/addresses/{MINE}", "-d", '{"enablews": true}'
    assert json.loads(_curl(daemon, *asked))["enablews"]
    deleted = f"{api}/addresses/user2@public.example/messages/{listed[0]['_id']}"
    told_so = json.loads(_curl(daemon, "-X", "DELETE", "-H", key, "-d", "{}", deleted))
    assert told_so["message"] == "Message was deleted."
    query = f"{api}/addresses/user2@public.example/messages?_mailsacKey={key_of(daemon)}"
    assert json.loads(_curl(daemon, query)) == []


def test_the_integration_test_waits_for_a_link_and_purges_the_inbox(daemon: RunningDaemon) -> None:
    base = f"http://127.0.0.1:{daemon.ready.ports['http']}"
    headers = {"Mailsac-Key": key_of(daemon)}
    daemon.send(MINE, f"Subject: Hello!\r\nContent-Type: text/html\r\n\r\n{HTML}\r\n")
    messages = requests.get(
        f"{base}/api/addresses/{MINE}/messages", headers=headers, timeout=30
    ).json()
    assert messages[0]["links"] == ["https://example.com"]
    purged = requests.delete(f"{base}/api/addresses/{MINE}/messages", headers=headers, timeout=30)
    assert (purged.status_code, purged.content) == (204, b"")


async def _frames(url: str, inbox: str, send: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first frame, and that of the message to ``inbox``."""
    async with connect(url) as socket:
        first = json.loads(await socket.recv())
        await asyncio.to_thread(send)
        while True:
            told_of = json.loads(await socket.recv())
            if told_of.get("inbox") == inbox:
                return first, told_of


@pytest.mark.parametrize("query", ["?_id=admin&key={key}&addresses={addresses}",
                                   "?key={key}&addresses={addresses}"])  # fmt: skip
def test_the_websocket_examples(daemon: RunningDaemon, query: str) -> None:
    headers = {"Mailsac-Key": key_of(daemon)}
    base = f"http://127.0.0.1:{daemon.ready.ports['http']}/api"
    requests.put(f"{base}/addresses/{MINE}", headers=headers, json={"enablews": True}, timeout=30)
    requests.put(f"{base}/domains/{DOMAIN}", headers=headers, json={"enablews": True}, timeout=30)
    asked = query.format(key=key_of(daemon), addresses=f"{MINE},{DOMAIN}")
    url = f"ws://127.0.0.1:{daemon.ready.ports['http']}/incoming-messages{asked}"
    for inbox in (MINE, f"anybody@{DOMAIN}"):
        mail = "Subject: Hello!\r\n\r\nCheck out https://example.com"
        first, frame = asyncio.run(_frames(url, inbox, partial(daemon.send, inbox, mail)))
        assert first == {
            "status": 200, "msg": "Listening", "addresses": [MINE], "domains": [DOMAIN],
        }  # fmt: skip
        assert (frame["status"], frame["subject"], frame["email"]["inbox"]) == (
            200,
            "Hello!",
            inbox,
        )
        assert frame["text"].strip() == "Check out https://example.com"
