"""Dovecot's POP3 as a peer: its own configuration and a maildir, on one port.

The maildir is as Dovecot's own delivery would leave it: LF at line ends, both sizes in the names
of the files, so that no message need be read to list them. A Dovecot of the system is not touched.
"""

import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.servers import (
    HOST,
    NotInstalledError,
    Server,
    free_port,
    listens,
    program,
    running,
    temporary_dir,
    version_told,
)

USER: Final = "reader"
PASSWORD: Final = "secret-of-the-bench"

_HOW_TO_GET: Final = "apt-get install dovecot-pop3d"
_CONFIGURATION: Final = """\
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = pop3
listen = {host}
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
first_valid_uid = 1
mail_location = maildir:{home}/mail
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/home
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""


@contextmanager
def dovecot(messages: Sequence[bytes]) -> Iterator[Server]:
    """Dovecot with a maildrop of ``messages``, whose lines end in CRLF."""
    dovecot = program("dovecot", _HOW_TO_GET)
    if os.geteuid() != 0:
        raise NotInstalledError("needs root to be started")
    if not Path("/usr/lib/dovecot/pop3").exists():
        raise NotInstalledError(f"not installed ({_HOW_TO_GET})")
    port = free_port()
    with temporary_dir("dovecot") as home:
        owner = pwd.getpwnam("nobody")
        _fill(home / "mail", messages, owner)
        for part in ("run", "state", "home"):
            (home / part).mkdir(mode=0o755)
        os.chown(home / "home", owner.pw_uid, owner.pw_gid)
        configuration = _CONFIGURATION.format(
            home=home, host=HOST, port=port, password=PASSWORD, uid=owner.pw_uid, gid=owner.pw_gid
        )
        file = home / "dovecot.conf"
        file.write_text(configuration, encoding="utf-8")
        with running([dovecot, "-F", "-c", str(file)], listens(port)) as master:
            version = version_told(dovecot, "--version")
            yield Server(name="dovecot", version=version, port=port, pid=master.pid)


def _fill(maildir: Path, messages: Sequence[bytes], owner: pwd.struct_passwd) -> None:
    for part in ("", "cur", "new", "tmp"):
        (maildir / part).mkdir(exist_ok=True)
        os.chown(maildir / part, owner.pw_uid, owner.pw_gid)
    for number, message in enumerate(messages):
        stored = message.replace(b"\r\n", b"\n")
        name = f"{number + 1_700_000_000}.M{number}.bench,S={len(stored)},W={len(message)}:2,"
        file = maildir / "cur" / name
        file.write_bytes(stored)
        os.chown(file, owner.pw_uid, owner.pw_gid)
