"""The help page, and that what it shows runs."""

import json
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from tests.clients.program import HERE as CLIENTS
from tests.clients.program import NODE
from tests.web.client import Client

TIMEOUT_S = 60


def sample(page: str, name: str) -> str:
    """What the button beside the sample copies."""
    found = re.search(rf'<pre id="sample-{name}">(.*?)</pre>', page, re.DOTALL)
    assert found
    return unescape(re.sub(r"<[^>]*>", "", found[1]))


def run(command: list[str], directory: Path) -> str:
    done = subprocess.run(
        command, cwd=directory, timeout=TIMEOUT_S, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "HOME": str(directory)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def run_sample(page: str, name: str, directory: Path) -> str:
    text = sample(page, name)
    if name == "curl":
        return run(["bash", "-ec", text], directory)
    if name == "python":
        return run([sys.executable, "-c", text], directory)
    (directory / "node_modules").symlink_to(CLIENTS / "node_modules")
    (directory / "sample.mjs").write_text(text)
    return run([NODE, "sample.mjs"], directory)


@pytest.mark.parametrize("name", ["curl", "python", "node"])
def test_a_sample_sends_and_reads_as_it_stands(client: Client, name: str, tmp_path: Path) -> None:
    page = client.get("/help").text
    printed = run_sample(page, name, tmp_path)
    assert "Hello" in printed
    assert printed.rstrip().endswith("It works.")


def test_samples_name_the_address_that_was_asked_for(client: Client) -> None:
    page = client.get("/help?address=Jeff%2Btest@Example.com").text
    assert sample(page, "curl").count("TO=jeff+test@example.com\n") == 1
    assert '/inbox/jeff%2Btest@example.com"' in page


@pytest.mark.parametrize(
    "address",
    ["';touch x;'@example.com", '"$(touch x)"@example.com', "-o/tmp/x@example.com", "a`id`@b",
     "a@b\\", "a@b'c.example", "<script>@example.com", "no address", "a@b c"],
)  # fmt: skip
def test_a_link_to_the_page_puts_no_command_into_the_samples(client: Client, address: str) -> None:
    page = client.session.get(f"{client.base}/help", params={"address": address}).text
    assert re.search(r"^TO=[a-z]{12}[0-9]{2}@[a-z0-9.-]+$", sample(page, "curl"), re.MULTILINE)
    assert address not in page


def test_who_asks_for_a_key_has_it_in_the_samples_once(client: Client, tmp_path: Path) -> None:
    assert "Make a key" not in client.get("/help").text
    client.sign_up()
    address = f"{tmp_path.name.lower()[:30].replace('_', '-')}@example.com"
    client.get(f"/help?address={address}")
    page = client.post(f"/help/key?address={address}", {}, 200)
    assert page.headers["cache-control"] == "no-store"
    (key,) = set(re.findall(r'data-fill="key">([\w-]{20,})<', page.text))
    api = f"{client.base}/api"
    headers = {"Mailsac-Key": key}
    assert client.session.post(f"{api}/addresses/{address}", headers=headers).status_code == 200
    assert "It works." in run_sample(page.text, "python", tmp_path)
    hook = sample(page.text, "webhook")
    assert json.loads(run(["bash", "-ec", hook], tmp_path))["enablews"] is True
    assert key not in client.get(f"/help?address={address}").text


def test_a_key_takes_somebody_who_has_signed_in(client: Client) -> None:
    client.get("/help")
    assert client.post("/help/key", {}).headers["location"] == "/sign-in"


def test_events_are_told_as_the_page_says(client: Client, tmp_path: Path) -> None:
    page = client.get("/help").text
    to = re.search(r"^TO=(.*)$", sample(page, "curl"), re.MULTILINE)
    assert to
    with subprocess.Popen(
        ["bash", "-c", "exec " + sample(page, "events")],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    ) as told:  # fmt: skip
        assert told.stdout
        for line in told.stdout:
            if line == ": listening\n":
                client.daemon.send(to[1], "Subject: pushed\r\n\r\n")
            if line.startswith("data: "):
                assert json.loads(line[6:])["subject"] == "pushed"
                break
        told.terminate()


def test_the_page_tells_this_servers_ports_and_limits(client: Client) -> None:
    page = client.get("/help")
    ports = client.daemon.ready.ports
    for name in ("smtp", "capture", "submission"):
        assert f"127.0.0.1:{ports[name]}" in page.text
    assert f"<dd>{ports['pop3']}</dd>" in page.text
    assert "Its newest 6 messages, for 4 days" in page.text
    assert "2.5 MB, to 100 recipients" in page.text
    assert len(page.content) < 50_000
