"""The plug-in: options, and fixtures. See the README beside it."""

import os
import re
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from pytest_mailsacd.inbox import Inbox, MakeInbox
from pytest_mailsacd.server import Server, Session

_SESSION: Final = pytest.StashKey[Session]()
_NAME_CHARACTERS: Final = 30  # of a local part; a run's second form of it has up to 43
_SMTP_PORT: Final = 1025
_USUAL_MINUTES: Final = "240"
_OPTIONS: Final = {
    "url": "Use the server at this URL; without it a daemon is started.",
    "key": "An API key of that server.",
    "smtp": "HOST:PORT at which that server takes mail (default: the URL's host, port 1025).",
    "domain": "The domain that addresses are of, or that their run's domain is below.",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of the command line, and those of the configuration file."""
    group = parser.getgroup("mailsacd", "mail in tests")
    for name, text in _OPTIONS.items():
        told = f"{text} Else the variable PYTEST_MAILSACD_{name.upper()}."
        group.addoption(f"--mailsacd-{name}", metavar=name.upper(), help=told)
    parser.addini("mailsacd_minutes", "So long is mail kept at most", default=_USUAL_MINUTES)
    parser.addini("mailsacd_settings", "Settings of the daemon: section.key=value", type="linelist")
    parser.addini("mailsacd_python", "An interpreter with mailsacd, if it is not that of the tests")


def pytest_configure(config: pytest.Config) -> None:
    """Agree on where the daemon is going to be; nothing is there before a test asks."""
    told = getattr(config, "workerinput", {}).get("mailsacd")  # by `pytest_configure_node`
    directory, owner = told or (_new_directory(), os.getpid())
    config.stash[_SESSION] = Session(
        directory=Path(directory),
        owner=owner,
        python=config.getini("mailsacd_python") or sys.executable,
        settings=("relay.enabled=false", *config.getini("mailsacd_settings")),
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist what all of them share."""
    session = node.config.stash[_SESSION]
    node.workerinput["mailsacd"] = (str(session.directory), session.owner)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the daemon, when all workers have ended."""
    session = config.stash.get(_SESSION, None)
    if session is not None and not hasattr(config, "workerinput"):
        session.end()


@pytest.fixture(scope="session")
def mailsacd(pytestconfig: pytest.Config) -> Iterator[Server]:
    """The server: one that was named, or a daemon for all processes of this session."""
    url = _told(pytestconfig, "url").rstrip("/")
    server = _named(pytestconfig, url) if url else pytestconfig.stash[_SESSION].server()
    yield server
    server.client.close()


@pytest.fixture(scope="session")
def mailsacd_domain(mailsacd: Server, pytestconfig: pytest.Config) -> Iterator[str]:
    """The domain of this process's addresses: that of a run, which ends with the session.

    Without a key it is a domain of public addresses, that anybody may read who knows them.
    """
    domain = _told(pytestconfig, "domain")
    if not mailsacd.key:
        yield domain or "example.com"
        return
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    run = mailsacd.client.begin_run(
        name=f"pytest {worker}",
        minutes=int(pytestconfig.getini("mailsacd_minutes")),
        domain=domain or None,
    )
    yield run.domain
    mailsacd.client.end_run(run.id)


@pytest.fixture
def make_inbox(mailsacd: Server, mailsacd_domain: str, request: pytest.FixtureRequest) -> MakeInbox:
    """Makes inboxes, for tests that need more than one."""

    def make(name: str = "") -> Inbox:
        begins = re.sub("[^a-z0-9]+", "-", (name or request.node.name).lower())
        first = begins[:_NAME_CHARACTERS].strip("-") or "test"
        local = f"{first}-{secrets.token_hex(6)}"
        return Inbox(address=f"{local}@{mailsacd_domain}", client=mailsacd.client)

    return make


@pytest.fixture
def inbox(make_inbox: MakeInbox) -> Inbox:
    """An inbox of this test, at an address that no other has."""
    return make_inbox()


def _new_directory() -> str:
    return str(Path(tempfile.gettempdir()) / f"pytest-mailsacd-{secrets.token_hex(8)}")


def _named(config: pytest.Config, url: str) -> Server:
    told = _told(config, "smtp") or f"{urlsplit(url).hostname}:{_SMTP_PORT}"
    host, _, port = told.rpartition(":")
    if not host or not port.isdecimal():
        raise pytest.UsageError(f"--mailsacd-smtp is HOST:PORT, and not {told!r}")
    return Server(
        url=url, smtp_host=host.strip("[]"), smtp_port=int(port), key=_told(config, "key")
    )


def _told(config: pytest.Config, name: str) -> str:
    told: str | None = config.getoption(f"--mailsacd-{name}")
    return told or os.environ.get(f"PYTEST_MAILSACD_{name.upper()}", "")
