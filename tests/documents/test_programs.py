"""The programs that the pages show run as they stand, with this machine's ports and names."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bench.patroni import DYNAMIC
from mailsacd.configuration import load_settings
from tests.clients.program import HERE as CLIENTS
from tests.clients.program import NODE, WITHOUT_DNS, key_of
from tests.documents.blocks import ROOT, Block, blocks
from tests.documents.console import localised
from tests.end_to_end.command import told
from tests.end_to_end.daemon import RunningDaemon, running_daemon
from tests.patience import PATIENCE_S

TIMEOUT_S = 60
NOBODY = 65_534
BOX = "box@me.example"
LISTENED = "bob@example.com"
MAIL = "Subject: Welcome\r\n\r\nhi\r\n"


def _named(page: str, begins: str) -> Block:
    (found,) = (one for one in blocks() if one.page == page and one.text.startswith(begins))
    return found


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    options = (
        *WITHOUT_DNS,
        *("--set", "pop3.starttls=offer", "--set", "pop3.tls_port=0"),
        *("--set", "websocket.heartbeat_s=1"),  # by which curl finds that nobody reads any more
        *("--set", "webhook.allowed_networks=127.0.0.0/8"),
    )
    with running_daemon(migrated_data, *options) as running:
        told(running.data_dir, "address", "add", "admin", BOX, "hook@example.com", LISTENED)
        told(running.data_dir, "address", "set", "admin", LISTENED, "--enablews")
        running.send(BOX, MAIL)
        yield running


def _here(block: Block, daemon: RunningDaemon, **more: str) -> str:
    """The program with what a reader puts into it."""
    text = localised(block.text, daemon).replace("mail.example.com", "localhost")
    names = {
        "k_…": key_of(daemon),
        "'Mailsac-Key: KEY'": f"'Mailsac-Key: {key_of(daemon)}'",
        **more,
    }
    for shown, real in names.items():
        text = text.replace(shown, real)
    return text


def _run(command: list[str], daemon: RunningDaemon, home: Path, **variables: str) -> str:
    done = subprocess.run(
        command,
        cwd=home, timeout=TIMEOUT_S, text=True, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "SSL_CERT_FILE": str(daemon.data_dir / "tls.crt"),
            "CURL_CA_BUNDLE": str(daemon.data_dir / "tls.crt"),
            "NODE_PATH": str(CLIENTS / "node_modules"),
            "SMTP": str(daemon.ready.ports["smtp"]),
            **variables,
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def _private(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def _with_fetchmail(block: Block, daemon: RunningDaemon, home: Path) -> None:
    file = _private(home / "fetchmailrc", _here(block, daemon))
    (home / "got").touch()
    into = ["--mda", f"cat >>{home}/got", "--nodetach", "--nosyslog", "-f", str(file)]
    _run(["fetchmail", *into], daemon, home)
    assert "Subject: Welcome" in (home / "got").read_text()


def _with_getmail(block: Block, daemon: RunningDaemon, home: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (home / "Maildir" / name).mkdir(parents=True)
    text = _here(block, daemon).replace("995", str(daemon.ready.ports["pop3_tls"]))
    _private(home / "getmailrc", text)
    shutil.copy(daemon.data_dir / "tls.crt", home)
    command = ["getmail", "--getmaildir", str(home), "--rcfile", "getmailrc"]
    if os.geteuid() == 0:  # for whom it delivers nothing
        for path in (home, *home.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
    for _ in range(2):  # what it has seen is not fetched again
        _run(command, daemon, home, SSL_CERT_FILE=str(home / "tls.crt"))
        (got,) = (home / "Maildir" / "new").iterdir()
    assert "Subject: Welcome" in got.read_text()


def _with_mpop(block: Block, daemon: RunningDaemon, home: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (home / "Maildir" / name).mkdir(parents=True)
    certificate = f"tls_trust_file {daemon.data_dir}/tls.crt"
    text = _here(block, daemon, **{"tls_trust_file system": certificate})
    file = _private(
        home / "mpoprc", "".join(line.partition("   #")[0] + "\n" for line in text.splitlines())
    )
    _run(["mpop", "--file", str(file), "box"], daemon, home)
    (got,) = (home / "Maildir" / "new").iterdir()
    assert "Subject: Welcome" in got.read_text()


def _pop3_by_curl(block: Block, daemon: RunningDaemon, home: Path) -> None:
    printed = _run(["bash", "-ec", _here(block, daemon)], daemon, home)
    assert "Subject: Welcome" in printed
    assert "1 01" in printed  # UIDL


def _pop3_by_python(block: Block, daemon: RunningDaemon, home: Path) -> None:
    program = _here(block, daemon) + "print(content.decode())\n"
    assert "Subject: Welcome" in _run([sys.executable, "-c", program], daemon, home)


def _raw_of_a_push(block: Block, _daemon: RunningDaemon, _home: Path) -> None:
    for raw in (b"Subject: M\xc3\xa4rz\r\n\r\n", b"Subject: M\xe4rz\r\n\r\n"):
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        known: dict[str, Any] = {"form": {"raw": text, "size": len(raw)}}
        exec(block.text, known)
        assert known["raw"] == raw


def _recipe_in_python(block: Block, daemon: RunningDaemon, _home: Path) -> None:
    known = {"KEY": key_of(daemon), "send_the_mail": lambda: daemon.send(LISTENED, MAIL)}
    exec(_here(block, daemon), known)
    assert known["message"]["subject"] == "Welcome"  # type: ignore[index]  # what the lines made


def _fixture_of_runs(block: Block, daemon: RunningDaemon, home: Path) -> None:
    test = "\n\ndef test_it(run):\n    assert run['domain'].startswith(run['_id'])\n"
    (home / "test_run.py").write_text(_here(block, daemon) + test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_run.py"]
    assert "1 passed" in _run(command, daemon, home)
    assert _asked(daemon, "/api/runs") == []


_SEND_IN_NODE = """
const transport = require("nodemailer").createTransport({ port: process.env.SMTP });
const mail_ = { from: "a@a.example", to: "bob@example.com", subject: "Welcome", text: "hi" };
const sendTheMail = () => transport.sendMail(mail_);
"""


def _recipe_in_javascript(block: Block, daemon: RunningDaemon, home: Path) -> None:
    told_of = "\nmail().then((message) => console.log(message.subject));\n"
    program = f'const KEY = "{key_of(daemon)}";{_SEND_IN_NODE}{_here(block, daemon)}{told_of}'
    assert _run([NODE, "-e", program], daemon, home) == "Welcome\n"


_SEND_BY_CURL = (
    "(sleep 0.5; printf 'Subject: Welcome\\n\\nhi\\n' |"
    " curl -sT - smtp://127.0.0.1:$SMTP --mail-rcpt {}) &\n"
)


def _recipe_in_shell(block: Block, daemon: RunningDaemon, home: Path) -> None:
    open_to_all = _here(block, daemon).replace(LISTENED, "anybody@public.example")
    script = _SEND_BY_CURL.format("anybody@public.example") + open_to_all
    assert _run(["bash", "-c", script], daemon, home) == "Welcome\n"


def _recipe_that_waits(block: Block, daemon: RunningDaemon, home: Path) -> None:
    daemon.send("anybody@example.org", MAIL)
    assert _run(["bash", "-c", _here(block, daemon)], daemon, home) == "Welcome\n"


def _events_by_curl(block: Block, daemon: RunningDaemon, home: Path) -> None:
    for line in _here(block, daemon, **{"me@example.com": LISTENED}).splitlines():
        shown = _run(["bash", "-c", f"{line} -s -m 1 || [ $? = 28 ]"], daemon, home)
        assert ": listening" in shown


_LISTENED_TO = 'events.addEventListener("open", () => sendTheMail());'


def _events_in_a_page(block: Block, daemon: RunningDaemon, home: Path) -> None:
    page = f"http://127.0.0.1:{daemon.ready.ports['http']}/api"
    text = block.text.replace("anybody@example.org", "page@public.example").replace("/api", page)
    send = _SEND_IN_NODE.replace("bob@example.com", "page@public.example")
    ends = text.replace(".subject)", ".subject) ?? process.exit()")
    program = f"{send}{ends}{_LISTENED_TO}"
    command = [NODE, "--no-warnings", "--experimental-eventsource", "-e", program]
    assert _run(command, daemon, home) == "Welcome\n"


def _receiver(block: Block, daemon: RunningDaemon, home: Path) -> None:
    secret = _asked(daemon, "/api/webhooks/secret")["secret"]
    program = _here(block, daemon, **{"whsec_…": secret, "9000": "0"})
    if block.language == "python":
        program = program.replace("HTTPServer((", "server = HTTPServer((").replace(
            ").serve_forever()", ")\nprint(server.server_port, flush=True)\nserver.serve_forever()"
        )
        command = [sys.executable, "-c", program]
    else:
        port = "function () { console.log(this.address().port); }"
        program = program.replace('"127.0.0.1");', f'"127.0.0.1", {port});')
        command = [NODE, "-e", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=home) as receiver:
        assert receiver.stdout
        try:
            url = f"http://127.0.0.1:{int(receiver.stdout.readline())}/in"
            told(daemon.data_dir, "address", "set", "admin", "hook@example.com", "--webhook", url)
            daemon.send("hook@example.com", MAIL)
            assert receiver.stdout.readline().endswith("hook@example.com Welcome\n")
            _wait_for_a_delivery(daemon)
        finally:
            receiver.kill()


def _wait_for_a_delivery(daemon: RunningDaemon) -> None:
    delivered = "/api/webhooks/deliveries?state=delivered&limit=1"
    deadline = time.monotonic() + PATIENCE_S
    while not (posted := _asked(daemon, delivered)):  # written down after the receiver's answer
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert posted[0]["code"] == 204


def _settings(block: Block, _daemon: RunningDaemon, home: Path) -> None:
    load_settings(_private(home / "mailsacd.toml", block.text))


def _mcp_by_command(block: Block, daemon: RunningDaemon, _home: Path) -> None:
    words = shlex.split(_here(block, daemon, **{"$MAILSACD_KEY": key_of(daemon)}))
    assert words[:6] == ["claude", "mcp", "add", "--transport", "http", "mailsacd"]
    url, option, header = words[6:]
    assert option == "--header"
    _has_tools(url, dict([header.split(": ")]))


def _mcp_by_file(block: Block, daemon: RunningDaemon, _home: Path) -> None:
    text = _here(block, daemon)
    read = tomllib.loads(text) if block.language == "toml" else json.loads(text)
    (server,) = (value for key, value in read.items() if key != "inputs")
    told, key = server["mailsacd"], key_of(daemon)
    if "bearer_token_env_var" in told:
        headers = {"Authorization": f"Bearer {key}"}
    else:
        (name,) = told["headers"]
        headers = {name: re.sub(r"\$\{[A-Za-z:_]+\}", key, told["headers"][name])}
    _has_tools(told["url"], headers)


def _has_tools(url: str, headers: dict[str, str]) -> None:
    """That whoever has these header fields may list a private inbox, as a host would."""
    params = {"name": "list_messages", "arguments": {"email": BOX}}
    body: Any = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {**headers, "MCP-Protocol-Version": "2025-11-25"}
    answer = requests.post(url, json=body, headers=headers, timeout=30).json()
    (message,) = answer["result"]["structuredContent"]["messages"]
    assert message["inbox"] == BOX


def _mcp_in_python(block: Block, daemon: RunningDaemon, home: Path) -> None:
    daemon.send(LISTENED, MAIL)
    assert _run([sys.executable, "-c", _here(block, daemon)], daemon, home) == "Welcome\n"


def _asked(daemon: RunningDaemon, path: str) -> Any:
    separator = "&" if "?" in path else "?"
    return daemon.json(f"{path}{separator}_mailsacKey={key_of(daemon)}")


def _only_named(block: Block, _daemon: RunningDaemon, _home: Path) -> None:
    """`make` and its kin, which would run all of this again: that there is what they name."""
    for line in block.text.splitlines():
        command = line.partition("#")[0].split()
        if command[0] == "make":
            subprocess.run(
                ["make", "--dry-run", *command[1:]], cwd=ROOT, check=True, capture_output=True
            )
        else:
            assert command[:2] == [".venv/bin/python", "-m"]
            named = [word for word in command[3:] if word.startswith("tests/")]
            assert [path for path in named if not (ROOT / path).exists()] == []


def _of_root(block: Block, _daemon: RunningDaemon, _home: Path) -> None:
    """What an installation does to a whole machine: that it is right, and what it names is here."""
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
    named = re.findall(r"(?<![\w/.-])(?:etc|systemd)/[\w.-]+", block.text)
    assert [path for path in named if not (ROOT / path).exists()] == []


PROGRAMS: dict[tuple[str, str], Callable[[Block, RunningDaemon, Path], None]] = {
    ("README.md", "make run     #"): _only_named,
    ("README.md", ".venv/bin/python -m pytest"): _only_named,
    ("docs/benchmarks.md", "make bench"): _only_named,
    ("docs/checks.md", "npm pack"): _of_root,
    ("docs/facades.md", "[facades]"): _settings,
    ("docs/installation.md", "apt install"): _of_root,
    ("docs/installation.md", "install -D"): _of_root,
    ("docs/installation.md", "systemctl daemon-reload"): _of_root,
    ("docs/installation.md", "printf "): _of_root,
    ("docs/installation.md", "runuser "): _of_root,
    ("docs/mcp.md", "claude "): _mcp_by_command,
    ("docs/mcp.md", '{"mcpServers": {"mailsacd": {\n  "type"'): _mcp_by_file,
    ("docs/mcp.md", '{"mcpServers": {"mailsacd": {\n  "url"'): _mcp_by_file,
    ("docs/mcp.md", '{"inputs"'): _mcp_by_file,
    ("docs/mcp.md", "[mcp_servers"): _mcp_by_file,
    ("docs/mcp.md", "import asyncio"): _mcp_in_python,
    ("docs/nodes.md", "[database]"): _settings,
    ("docs/nodes.md", "# Beside"): _settings,
    ("docs/pop3.md", "poll "): _with_fetchmail,
    ("docs/pop3.md", "[retriever]"): _with_getmail,
    ("docs/pop3.md", "account box"): _with_mpop,
    ("docs/pop3.md", "curl "): _pop3_by_curl,
    ("docs/pop3.md", "import poplib"): _pop3_by_python,
    ("docs/push.md", "raw ="): _raw_of_a_push,
    ("docs/recipes.md", "curl "): _recipe_that_waits,
    ("docs/recipes.md", "import json"): _recipe_in_python,
    ("docs/recipes.md", "const WebSocket"): _recipe_in_javascript,
    ("docs/recipes.md", "grep "): _recipe_in_shell,
    ("docs/reverse-proxies.md", "[http]"): _settings,
    ("docs/runs.md", "import json"): _fixture_of_runs,
    ("docs/webhooks.md", "import base64"): _receiver,
    ("docs/webhooks.md", "const crypto"): _receiver,
    ("docs/webhooks.md", "[webhook]"): _settings,
    ("docs/websocket.md", "curl "): _events_by_curl,
    ("docs/websocket.md", "const events"): _events_in_a_page,
}
ELSEWHERE = {"console", "json", "http", "text", "nginx", "caddyfile", "yaml"}


def test_every_program_is_run() -> None:
    programs = [block for block in blocks() if block.language not in ELSEWHERE]
    assert programs == [_named(*key) for key in PROGRAMS]


@pytest.mark.parametrize("key", PROGRAMS, ids="-".join)
def test_a_program_does_what_its_page_says(
    daemon: RunningDaemon, workspace: Path, key: tuple[str, str]
) -> None:
    PROGRAMS[key](_named(*key), daemon, workspace)


def test_patroni_is_shown_as_it_was_measured() -> None:
    block = _named("docs/nodes.md", "bootstrap:")
    tried: dict[str, Any] = {**DYNAMIC, **DYNAMIC["postgresql"]["parameters"]}
    tried["use_pg_rewind"] = DYNAMIC["postgresql"]["use_pg_rewind"]
    words = [line.split(":", 1) for line in block.text.splitlines() if not line.endswith(":")]
    assert {name.strip(): value.strip() for name, value in words} == {
        name.strip(): str(tried[name.strip()]).replace("True", "true") for name, _ in words
    }
