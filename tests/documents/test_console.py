"""What the pages show at a console is typed as it stands, and prints what they say."""

import json
import smtplib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
import requests

from tests.documents.blocks import blocks
from tests.documents.console import Step, is_as_shown, printed_by, steps
from tests.end_to_end.command import MAILSACD, told
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon

TOUR = "README.md"  # tests/end_to_end/test_readme.py


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a page takes for granted: settings, what was done, and what is done before a command."""

    options: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[RunningDaemon], Mapping[str, str]] = lambda _: {}
    before: Mapping[str, str] = field(default_factory=dict)
    like: tuple[str, ...] = ()
    """The beginnings of commands that print an example: the same fields, with other values."""


def _until(command: str, word: str) -> str:
    return f"until {command} | grep -q '{word}'; do sleep 0.1; done"


def _account(daemon: RunningDaemon) -> dict[str, str]:
    told(daemon.data_dir, "account", "add", "jeff", "--email", "jeff@example.net")
    return {"KEY": told(daemon.data_dir, "key", "add", "jeff", "--name", "ci")}


def _invoice() -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Bob <bob@example.com>", "Jeff <jeff@example.com>"
    mail["Subject"] = "Your invoice – März"  # noqa: RUF001  an en dash, as in the page
    mail.set_content("voice: https://example.com/a\n\nhttps://example.com/b\n")
    mail.add_attachment(b"\x89PNG\r\n\x1a\n01", "image", "png", filename="logo.png", cid="<logo>")
    mail.add_attachment(b"%PDF-1.7\n%none", "application", "pdf", filename="Rechnung März.pdf")
    return mail.as_bytes()


class _Proxied(smtplib.SMTP):
    """A client whose connection a proxy has passed on."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected = socket.create_connection((host, port), timeout)
        connected.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n")
        return connected


def _mail_and_account(daemon: RunningDaemon) -> dict[str, str]:
    variables = _account(daemon)
    told(daemon.data_dir, "address", "add", "jeff", "shop@example.com")
    for entry in ("192.0.2.0/24", "spam.example"):
        told(daemon.data_dir, "deny", "add", entry)
    _begin_load_test(daemon, variables["KEY"])
    for who in ("ann", "ann", "bob", "shop", "jeff", "jeff"):
        _send(daemon, f"{who}@example.com")
    return variables


def _own_domain(daemon: RunningDaemon) -> dict[str, str]:
    variables = _account(daemon)
    told(daemon.data_dir, "domain", "add", "jeff", "lab.example", "--vouched")
    return variables


def _begin_load_test(daemon: RunningDaemon, key: str) -> None:
    told(daemon.data_dir, "domain", "add", "jeff", "lab.example", "--vouched")
    at = f"http://127.0.0.1:{daemon.ready.ports['http']}/api/domains/lab.example/load-test"
    requests.post(at, headers={"Mailsac-Key": key}, timeout=30).raise_for_status()
    _send(daemon, "anybody@lab.example")


def _send(daemon: RunningDaemon, to: str) -> None:
    port = daemon.ready.ports["smtp"]
    with _Proxied("127.0.0.1", port, local_hostname="client.example") as client:
        client.sendmail("ann@example.net", [to], _invoice())


def _private_address(daemon: RunningDaemon) -> dict[str, str]:
    variables = _account(daemon)
    told(daemon.data_dir, "address", "add", "jeff", "jeff@example.com")
    return variables


_RESERVE = 'curl -s -o /dev/null -H "Mailsac-Key: $KEY" -X POST $API/addresses/jeff@example.com'
_SEEN = "ID=$(curl -s $API/addresses/jeff@example.com/messages?limit=1 | cut -c10-32)"
_SEND = "printf 'Subject: hi\\n\\nhello\\n' | curl -sT - smtp://127.0.0.1:$SMTP"
_DELIVERIES = """curl -s -H "Mailsac-Key: $KEY" $API/webhooks/deliveries"""

SCENES = {
    "docs/commands.md": Scene(
        options=("server.hostname=mx.example.com",),
        variables={"MAILSACD_SERVER_HOSTNAME": "mx.example.com"},
        before={
            "mailsacd backup": "RECIPIENT=$(age-keygen 2>&1 | grep -om 1 'age1[0-9a-z]*')",
        },
    ),
    "docs/http-api.md": Scene(
        options=(
            "server.hostname=mx.example",
            "smtp.proxy_networks=127.0.0.0/8",
            "smtp.allow_networks=192.0.2.7",
        ),
        prepare=_mail_and_account,
        before={
            "curl -sN": 'curl() { command curl -m 1 "$@"; }',  # it has no end
            "curl -s $API/addresses/jeff@example.com/messages/01": _SEEN,
            'curl -s "$API/headers': _SEEN,
            "curl -si $API/addresses/jeff@example.com/messages": _SEEN,
            'curl -s -H "Mailsac-Key: $KEY" -X PUT $API/addresses/jeff': _RESERVE,
            "curl -s -c jar": (
                "TOKEN=$(mailsacd account reset-link jeff --json | grep -oE '[A-Za-z0-9_-]{40,}')\n"
                'curl -s $API/auth/reset -o /dev/null -d "{\\"token\\": \\"$TOKEN\\",'
                ' \\"password\\": \\"correct horse\\"}"'
            ),
            'curl -s "$API/mailstats/top': _until("curl -s $API/mailstats/top-addresses", "ann"),
            'curl -s -H "Mailsac-Key: $KEY" "$API/activity': _until(
                'curl -s -H "Mailsac-Key: $KEY" $API/activity', "received"
            ),
        },
        like=(
            'curl -s "$API/addresses/jeff@example.com/wait',
            'curl -s -H "Mailsac-Key: $KEY" $API/me',
            'curl -s -H "Mailsac-Key: $KEY" "$API/activity?limit=1"',
            'curl -s -H "Mailsac-Key: $KEY" $API/domains/lab.example/load-test',
            'curl -s -b jar "$API/audit?limit=1"',
        ),
    ),
    "docs/faults.md": Scene(
        prepare=_own_domain,
        like=('curl -s -H "Mailsac-Key: $KEY" $API/domains/lab.example/faults',),
    ),
    "docs/runs.md": Scene(prepare=_account, like=("curl -s -X POST $API/runs",)),
    "docs/sending.md": Scene(
        options=("relay.release_to=example.org",),
        prepare=_private_address,
        before={"MESSAGE=$(curl": f"{_SEND} --mail-rcpt jeff@example.com"},
        like=('curl -s -H "Mailsac-Key: $KEY"',),
    ),
    "docs/settings.md": Scene(),
    "docs/smtp.md": Scene(),
    "docs/webhooks.md": Scene(
        prepare=_private_address,
        before={
            'curl -s -H "Mailsac-Key: $KEY" "$API/webhooks/deliveries': (
                f"{_SEND} --mail-rcpt jeff@example.com\n" + _until(_DELIVERIES, "attempts.:[1-9]")
            )
        },
        like=('curl -s -H "Mailsac-Key: $KEY" "$API/webhooks/deliveries',),
    ),
}


def test_every_page_with_a_console_is_typed() -> None:
    assert {block.page for block in blocks() if block.language == "console"} == {TOUR, *SCENES}


@pytest.mark.parametrize("page", SCENES)
def test_a_console_prints_what_the_page_says(make_daemon: MakeDaemon, page: str) -> None:
    scene = SCENES[page]
    options = [
        part
        for one in (*scene.options, "dns.servers=127.0.0.1:1", "dns.timeout_s=0.1")
        for part in ("--set", one)
    ]
    daemon = make_daemon(*options).start()
    typed = list(steps(page))
    variables = {
        "PATH": f"{MAILSACD.rpartition('/')[0]}:/usr/bin:/bin",
        "MAILSACD_SERVER_DATA_DIR": str(daemon.data_dir),
        "API": f"http://127.0.0.1:{daemon.ready.ports['http']}/api",
        "SMTP": str(daemon.ready.ports["smtp"]),
        **scene.variables,
        **scene.prepare(daemon),
    }
    printed = printed_by(typed, daemon, scene.before, variables)
    assert len(printed) == len(typed), printed
    wrong = [
        f"{step.block}: {step.command}\n{said}\n"
        for step, said in zip(typed, printed, strict=True)
        if not _agrees(step, said, scene)
    ]
    assert not wrong, "\n".join(wrong)
    daemon.stop()


def _agrees(step: Step, said: str, scene: Scene) -> bool:
    if step.command.startswith(scene.like or ("\0",)):
        return bool(_fields(json.loads(said)) == _fields(json.loads(step.shown)))
    return is_as_shown(said, step.shown)


def _fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _fields(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_fields(one) for one in value[:1] if isinstance(one, dict)]
    return None
