"""`mailsacd account invite --email`: the link is mailed by the daemon that runs."""

import re

import requests

from tests.clients.program import WITHOUT_DNS
from tests.end_to_end.command import run, told_json
from tests.end_to_end.daemon import MakeDaemon
from tests.patience import block_until

INBOX = "new@mx.host.example"  # public, as mail at the server's name is

OPTIONS = (*WITHOUT_DNS, "--set", "server.hostname=mx.host.example")


def test_an_invitation_is_mailed_and_signs_somebody_up(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*OPTIONS, "--set", "accounts.sign_up=invitation").start()
    sent = told_json(daemon.data_dir, "account", "invite", "--email", INBOX, *OPTIONS)
    assert sent["to"] == INBOX
    block_until(lambda: bool(daemon.json(f"/api/addresses/{INBOX}/messages")))
    [message] = daemon.json(f"/api/addresses/{INBOX}/messages")
    assert message["from"] == [{"address": "mailsacd@mx.host.example", "name": ""}]
    _, _, text = daemon.request(f"/api/text/{INBOX}/{message['_id']}")
    token = re.search(rb"/sign-up\?invitation=([\w-]{43})\s", text)
    assert token
    body = {"name": "newcomer", "email": "n@example.net", "password": "a good password"}
    url = f"http://127.0.0.1:{daemon.ready.ports['http']}/api/auth/sign-up"
    signed_up = requests.post(url, json={**body, "invitation": token[1].decode()}, timeout=30)
    assert signed_up.status_code == 200, signed_up.text


def test_what_is_no_address_is_refused(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*OPTIONS).start()
    refused = run(daemon.data_dir, "account", "invite", "--email", "nobody", *OPTIONS)
    assert (refused.returncode, "no @" in refused.stderr) == (1, True), refused.stderr
