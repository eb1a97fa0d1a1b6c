"""The servers that are measured side by side, by name."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.metadata import version
from typing import Final

from bench.catchers import inbucket, maildev, mailpit
from bench.daemon import load_test_domain, mailsacd
from bench.postfix import postfix_deferred, postfix_held, postfix_version
from bench.servers import (
    HOST,
    NotInstalledError,
    NotStartedError,
    Server,
    free_port,
    listens,
    program,
    running,
    temporary_dir,
)

_SINK_BACKLOG: Final = "1000"


@contextmanager
def smtp_sink() -> Iterator[Server]:
    """Postfix's `smtp-sink`: one process in C that reads mail and throws it away."""
    path = program("smtp-sink", "apt-get install postfix")
    port = free_port()
    drop_root = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [path, *drop_root, f"{HOST}:{port}", _SINK_BACKLOG]
    with running(command, listens(port)) as process:
        yield Server(name="smtp-sink", version=postfix_version(), port=port, pid=process.pid)


@contextmanager
def aiosmtpd() -> Iterator[Server]:
    """aiosmtpd, the usual SMTP server for Python's tests, with its handler that keeps nothing."""
    try:
        import aiosmtpd.handlers  # noqa: F401, PLC0415  only to see whether it is there
    except ImportError as e:
        raise NotInstalledError("not installed (pip install aiosmtpd)") from e
    port = free_port()
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"{HOST}:{port}"]
    with running([*command, "-c", "aiosmtpd.handlers.Sink"], listens(port)) as process:
        told = version("aiosmtpd")
        yield Server(name="aiosmtpd", version=told, port=port, pid=process.pid)


PEERS: Final[Mapping[str, Callable[[], AbstractContextManager[Server]]]] = {
    "mailsacd": mailsacd,
    "load-test": load_test_domain,
    "postfix": postfix_deferred,
    "postfix-hold": postfix_held,
    "smtp-sink": smtp_sink,
    "mailpit": mailpit,
    "inbucket": inbucket,
    "aiosmtpd": aiosmtpd,
    "maildev": maildev,
}
INGEST_PEERS: Final = ("mailsacd", "postfix", "smtp-sink", "mailpit")


def start_all(names: Iterable[str], stack: ExitStack) -> list[Server]:
    """Start those of the peers that can be; say why for each of the others."""
    return _started({name: PEERS[name] for name in names}, stack)


def start_commands(commands: Iterable[tuple[str, str]], stack: ExitStack) -> list[Server]:
    """Start servers by their command lines, as `command_of` gives them; say why when not."""

    def starter(name: str, command: str) -> Callable[[], AbstractContextManager[Server]]:
        return lambda: _commanded(name, command)

    return _started({name: starter(name, command) for name, command in commands}, stack)


def command_of(text: str) -> tuple[str, str]:
    """A server's name and command line, from ``NAME=COMMAND``. Raises ValueError."""
    name, equals, command = text.partition("=")
    if not equals or "{port}" not in command:
        raise ValueError(f"{text}: write it as NAME=COMMAND, with {{port}} for the SMTP port")
    return name, command


def server_at(text: str) -> Server:
    """A server that somebody else runs, from ``NAME=HOST:PORT``. Raises ValueError."""
    name, equals, address = text.partition("=")
    host, colon, port = address.rpartition(":")
    if not equals or not colon or not port.isdigit():
        raise ValueError(f"{text}: write it as NAME=HOST:PORT")
    return Server(name=name, host=host.strip("[]"), port=int(port))


def _started(
    starters: Mapping[str, Callable[[], AbstractContextManager[Server]]], stack: ExitStack
) -> list[Server]:
    servers = []
    for name, start in starters.items():
        try:
            server = stack.enter_context(start())
        except (NotInstalledError, NotStartedError) as e:
            print(f"{name}: {e}")
        else:
            server.introduce()
            servers.append(server)
    return servers


@contextmanager
def _commanded(name: str, command: str) -> Iterator[Server]:
    port, http_port = free_port(), free_port()
    with temporary_dir(name) as home:
        words = [
            word.format(port=port, http_port=http_port, home=home) for word in shlex.split(command)
        ]
        words[0] = program(words[0], "it is not on PATH")
        with running(words, listens(port), cwd=home) as process:
            yield Server(name=name, port=port, http_port=http_port, pid=process.pid)
