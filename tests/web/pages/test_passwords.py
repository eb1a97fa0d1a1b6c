"""Somebody who has forgotten a password sets a new one by a link."""

import subprocess
import sys
from pathlib import Path

from tests.web.client import PASSWORD, Client


def _link(client: Client, name: str) -> str:
    """The path of the operator's link, which is that of the letter."""
    command = [
        str(Path(sys.executable).parent / "mailsacd"), "account", "reset-link", name,
        "--data-dir", str(client.daemon.data_dir),
    ]  # fmt: skip
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "/" + told.split("://")[1].split("/", 1)[1].split()[0]


def test_a_link_sets_a_password_once(client: Client) -> None:
    name = client.sign_up()
    path = _link(client, name)
    with Client(client.daemon) as forgetful:
        page = forgetful.get(path)
        token = path.partition("token=")[2]
        assert f'name="token" value="{token}"' in page.text
        page = forgetful.post("/reset-password", {"token": token, "password": "short"}, 400)
        assert 'id="password-told"' in page.text
        new = {"token": token, "password": "another long password"}
        assert forgetful.post("/reset-password", new).headers["location"] == "/sign-in"
        assert "The password is set" in forgetful.get("/sign-in").text
        forgetful.post("/sign-in", {"name": name, "password": PASSWORD}, 400)
        forgetful.post("/sign-in", {"name": name, "password": new["password"]})
        page = forgetful.get(path)
        page = forgetful.post("/reset-password", new, 400)
        assert "The link is not good, or not any more" in page.text
    assert client.get("/keys", 303).headers["location"].startswith("/sign-in")


def test_asking_for_a_link_tells_nobody_who_has_an_account(client: Client) -> None:
    name = client.sign_up()
    client.get("/")
    client.post("/sign-out", {})
    told = set()
    for asked in (name, "nobody-at-all"):
        client.get("/forgotten")
        client.post("/forgotten", {"name": asked})
        page = client.get("/sign-in").text
        told.add(page.partition('role="status">')[2].partition("<")[0])
    assert told == {"If there is such an account, a link is on its way to its mail address"}
    client.get("/forgotten")
    page = client.post("/forgotten", {"name": ""}, 400).text
    assert 'id="name-told"' in page
