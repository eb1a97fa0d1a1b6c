"""Says that the daemon is ready: ``ready.json`` for programs, a banner for people, and the log."""

import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack

from twisted.logger import Logger

from mailsacd import __version__
from mailsacd.core.ready import Ready
from mailsacd.data import Data
from mailsacd.mail.first_account import KEY_FILE
from mailsacd.settings import Settings

_log = Logger()


def announce(
    settings: Settings, data: Data, ports: Mapping[str, int], closing: AsyncExitStack
) -> None:
    """This process, with all that belongs to it, is ready on ``ports``; until ``closing``."""
    ready = Ready(pid=os.getpid(), version=__version__, ports=dict(ports))
    ready.write(data.directory)
    closing.callback(ready.remove, data.directory)
    _log.info("ready: {ports}, data in {data_dir}", ports=ports, data_dir=str(data.directory))
    _print_banner(settings, ready, data)


def _print_banner(settings: Settings, ready: Ready, data: Data) -> None:
    """Tell a person at the terminal; the log has it too."""
    web = settings.http.host or "127.0.0.1"
    mail = settings.smtp.host or "127.0.0.1"
    capture = settings.capture.host or "127.0.0.1"
    pop3 = settings.pop3.host or "127.0.0.1"
    terminal = sys.__stdout__
    if terminal is None:
        return
    key = ""
    if data.new_admin_key is not None:
        key = f"    Key    {data.new_admin_key}  of the account admin, kept in {KEY_FILE}\n"
    terminal.write(
        f"\n  mailsacd {ready.version} is ready: mail to any address is taken.\n\n"
        f"    SMTP   {mail}:{ready.ports['smtp']}\n"
        f"    Capture {capture}:{ready.ports['capture']}  with a user name and a key\n"
        f"    POP3   {pop3}:{ready.ports['pop3']}\n"
        f"    API    http://{web}:{ready.ports['http']}/api\n"
        f"    Docs   http://{web}:{ready.ports['http']}/docs\n"
        f"    Data   {data.directory}\n{key}\n"
        f"  Try:  curl http://{web}:{ready.ports['http']}/api/addresses/you@example.com/messages\n\n"
    )
    terminal.flush()
