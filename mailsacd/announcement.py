"""Says that the daemon is ready: ``ready.json`` for programs, a banner for people, and the log."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Final

from twisted.logger import Logger

from mailsacd import __version__
from mailsacd.core.ready import Ready
from mailsacd.data import Data
from mailsacd.mail.accounts.first_account import KEY_FILE
from mailsacd.settings import Settings

_LOG_IN: Final = "with a user name and a key"
_FROM_START: Final = "TLS from the first byte"
_MAIL_PORTS: Final = (
    ("SMTP", "smtp", ""),
    ("SMTP", "smtp_tls", _FROM_START),
    ("Capture", "capture", _LOG_IN),
    ("Capture", "capture_tls", f"{_FROM_START}, {_LOG_IN}"),
    ("Submission", "submission", _LOG_IN),
    ("Submission", "submission_tls", f"{_FROM_START}, {_LOG_IN}"),
    ("POP3", "pop3", ""),
    ("POP3", "pop3_tls", _FROM_START),
)
_FACADES: Final = (("Mailpit", "mailpit"), ("MailHog", "mailhog"))
_SPEAKS: Final = "for programs that are written for it"
_WEB_PORTS: Final = (("http", "http"), ("https", "http_tls"))
_PAGES: Final = (
    ("Web", "/"),
    ("API", "/api"),
    ("Docs", "/docs"),
    ("WebSocket", "/websocket-test"),
)

_log = Logger()


def announce(
    settings: Settings, data: Data, ports: Mapping[str, int], closing: AsyncExitStack
) -> None:
    """This process, with all that belongs to it, is ready on ``ports``; until ``closing``."""
    ready = Ready(pid=os.getpid(), version=__version__, ports=dict(ports))
    ready.write(data.directory)
    closing.callback(ready.remove, data.directory)
    _log.info("ready: {ports}, data in {data_dir}", ports=ports, data_dir=str(data.directory))
    terminal = sys.__stdout__
    if terminal is not None:
        # A key that is in a journal or in a container's log is not a secret any more
        key = data.new_admin_key if terminal.isatty() else None
        terminal.write(banner(settings, ports, str(data.directory), key))
        terminal.flush()


def banner(settings: Settings, ports: Mapping[str, int], data_dir: str, new_key: str | None) -> str:
    """Return what a person is told. ``new_key`` is the admin's, if it is new and may be shown."""
    rows = [*_mail(settings, ports), *_web(settings, ports)]
    rows += [("Data", data_dir, ""), ("Keeps", _kept(settings), "")]
    if new_key is not None:
        rows.append(("Key", new_key, f"of the account admin, kept in {KEY_FILE}"))
    name_width = max(len(name) for name, _, _ in rows)
    place_width = max(len(place) for _, place, remark in rows if remark)
    table = [f"{n:{name_width}}  {p:{place_width}}  {remark}".rstrip() for n, p, remark in rows]
    inbox = f"http://{_host(settings.http.host)}:{ports['http']}/api/addresses/you@example.com"
    lines = "".join(f"    {line}\n" for line in table)
    return (
        f"\n  mailsacd {__version__} is ready: mail to any address is taken.\n\n"
        f"{lines}\n  Try:  curl {inbox}/messages\n\n"
    )


def _mail(settings: Settings, ports: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
    hosts = {
        "smtp": settings.smtp.host,
        "capture": settings.capture.host,
        "submission": settings.submission.host,
        "pop3": settings.pop3.host,
    }
    for name, port, remark in _MAIL_PORTS:
        if port in ports:
            host = _host(hosts[port.removesuffix("_tls")])
            yield name, f"{host}:{ports[port]}", remark


def _web(settings: Settings, ports: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
    host = _host(settings.http.host)
    fronts = [f"{scheme}://{host}:{ports[port]}" for scheme, port in _WEB_PORTS if port in ports]
    if settings.http.public_url:
        fronts.insert(0, settings.http.public_url)
    for name, path in _PAGES:
        for front in fronts:
            yield name, f"{front}{path}", ""
    for name, port in _FACADES:
        if port in ports:
            yield name, f"http://{_host(settings.facades.host)}:{ports[port]}", _SPEAKS


def _kept(settings: Settings) -> str:
    """What is kept of mail, so that nobody wonders where the rest is."""
    storage = settings.storage
    plan = settings.plans[settings.accounts.default_plan]
    return (
        f"the newest {storage.public_per_inbox:,} of a public inbox, {storage.public_days:,} days;"
        f" the newest {plan.message_limit:,} of an account"
    )


def _host(setting: str) -> str:
    host = setting or "127.0.0.1"
    return f"[{host}]" if ":" in host else host
