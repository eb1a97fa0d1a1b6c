"""Run as a script: a daemon's embedded PostgreSQL alone, on the data directory that is named.

Prints a line when the server is ready, and whether it is its own; runs until it is killed.
"""

import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import react

from mailsacd.embedded.postgres import EmbeddedPostgres


async def _hold(reactor: Any) -> None:
    postgres = EmbeddedPostgres(Path(sys.argv[1]), bin_dir="", reactor=reactor)
    await postgres.start()
    sys.stdout.write("attached\n" if postgres.attached else "serving\n")
    sys.stdout.flush()
    reactor.addSystemEventTrigger("before", "shutdown", lambda: ensureDeferred(postgres.stop()))
    await Deferred()


react(lambda reactor: ensureDeferred(_hold(reactor)))
