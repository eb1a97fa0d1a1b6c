"""Domains are added, checked, set up and removed on their pages."""

import secrets
import subprocess
import sys
from pathlib import Path

from tests.web.client import Client


def _added(client: Client) -> str:
    """A domain that the account has added: its name."""
    name = f"{secrets.token_hex(6)}.example"
    client.get("/domains")
    to = client.post("/domains", {"domain": f" {name.upper()} "})
    assert to.headers["location"] == f"/domains/{name}"
    return name


def _vouched(client: Client, account: str) -> str:
    """A domain that the operator has added to ``account``: its name."""
    name = f"{secrets.token_hex(6)}.example"
    command = [
        str(Path(sys.executable).parent / "mailsacd"), "domain", "add", account, name,
        "--vouched", "--data-dir", str(client.daemon.data_dir),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return name


def test_a_domain_is_added_with_its_records_and_removed(client: Client) -> None:
    client.sign_up()
    assert "No domain is yours yet" in client.get("/domains").text
    name = _added(client)
    page = client.get(f"/domains/{name}").text
    assert "publish its records next" in page
    for value in ("mailsac_", "v=spf1", "v=DKIM1", "10 "):
        assert f"<code>{value}" in page
    assert "Not checked" in page
    assert "Not verified" in client.get("/domains").text
    client.get(f"/domains/{name}")
    client.post(f"/domains/{name}/remove", {})
    assert f"{name} is removed" in client.get("/domains").text
    client.get(f"/domains/{name}", 404)


def test_what_dns_says_is_told(client: Client) -> None:
    client.sign_up()
    name = _added(client)
    client.get(f"/domains/{name}")
    client.post(f"/domains/{name}/check", {})
    page = client.get(f"/domains/{name}").text
    assert "Some records are not there yet" in page
    assert "Not found" in page
    assert '<ul class="warning">' in page


def test_settings_are_written_and_refused_as_the_api_does(client: Client) -> None:
    account = client.sign_up()
    name = _vouched(client, account)
    here = f"/domains/{name}"
    client.get(here)
    flags = ("isPrivate", "catchAll", "isDefault", "enablews")
    client.post(f"{here}/settings", {flag: ["false", "true"] for flag in flags})
    page = client.get(here).text
    for flag in flags:
        assert f'name="{flag}" value="true" checked' in page
    assert f"Settings of *@{name}" in page
    client.daemon.send(f"any@{name}", "Subject: x\r\n\r\nx\r\n")
    assert "1 message" in client.get(here).text
    client.post(f"{here}/delete-mail", {})
    assert "0 messages" in client.get(here).text
    unverified = _added(client)
    client.get(f"/domains/{unverified}")
    page = client.post(f"/domains/{unverified}/settings", {"catchAll": "true"}, 400).text
    assert "A catch-all needs a verified domain" in page
    client.post(f"/domains/{unverified}/delete-mail", {}, 400)


def test_a_load_test_is_begun_and_ended(client: Client) -> None:
    account = client.sign_up()
    name = _vouched(client, account)
    here = f"/domains/{name}"
    client.get(here)
    page = client.post(f"{here}/load-test", {"hours": "many"}, 400).text
    assert 'id="hours-told">should be number' in page
    client.post(f"{here}/load-test", {"hours": "0.5", "latencyHeader": ""})
    client.daemon.send(f"any@{name}", "Subject: x\r\n\r\nx\r\n")
    page = client.get(here).text
    assert "<dd>1, " in page
    client.post(f"{here}/load-test/end", {})
    assert "Begin a load test" in client.get(here).text


def test_faults_stand_beside_the_name(client: Client) -> None:
    client.sign_up()
    client.get("/domains")
    page = client.post("/domains", {"domain": "<nodot>"}, 400).text
    assert 'id="domain-told"' in page
    assert 'value="&lt;nodot&gt;"' in page
    name = _added(client)
    client.get("/domains")
    page = client.post("/domains", {"domain": name}, 400).text
    assert f'id="domain-told">The account has {name} already' in page


def test_another_accounts_domain_is_not_there(client: Client) -> None:
    client.sign_up()
    name = _added(client)
    with Client(client.daemon) as other:
        other.sign_up()
        other.get(f"/domains/{name}", 404)
        other.get("/domains")
        for what in ("settings", "check", "remove", "load-test", "load-test/end"):
            other.post(f"/domains/{name}/{what}", {}, 404)
        other.post(f"/domains/{name}/delete-mail", {}, 404)
