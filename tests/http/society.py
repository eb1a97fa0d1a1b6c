"""A whole daemon with two accounts, a team user, and mail of every kind, for tests of privacy."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from twisted.internet import reactor as the_reactor

from mailsacd.assembly.daemon import Daemon
from mailsacd.configuration import load_settings
from mailsacd.core.account import new_key, new_token
from mailsacd.core.budget import ByteBudget
from mailsacd.core.ready import read_ready
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.push.announce import Announcer
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.store.accounts import add_account, add_login
from mailsacd.store.keys import add_key
from mailsacd.store.pool import Database
from mailsacd.store.sessions import add_session
from tests.http.client import Answer, ask
from tests.http.declared import Specification, declared_at
from tests.lanes import LANES
from tests.mail.envelopes import envelope
from tests.patience import until_async

reactor: Any = the_reactor

OWNER, OTHER = "ownerann", "otherbob"
SECRET = "tiptop-geheim"
ATTACHMENT = f"{SECRET}.txt"
WRONG_KEY = "k_" + "x" * 32

PUBLIC = "anybody@public.example"
PRIVATE = "box@reserved.example"
HIDDEN_DOMAIN = "hidden.example"  # verified and private
IMPLICIT = f"whoever@{HIDDEN_DOMAIN}"
CATCH_ALL = f"*@{HIDDEN_DOMAIN}"
SHOWN_DOMAIN = "shown.example"  # verified and not private
SHOWN = f"whoever@{SHOWN_DOMAIN}"
RELEASED = "released@given-up.example"
TAKEN = "taken@given-up.example"  # released by the owner, and reserved by the other one

CONTENT = (
    f"From: Ann <ann@example.net>\r\nTo: someone@example.com\r\nSubject: {SECRET}\r\n"
    f"X-Extra: {SECRET}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    f"--b\r\nContent-Type: text/plain\r\n\r\n{SECRET}\r\n"
    f"--b\r\nContent-Type: text/plain\r\n"
    f"Content-Disposition: attachment; filename={ATTACHMENT}\r\n\r\n{SECRET}\r\n--b--\r\n"
).encode()


@dataclass
class Society:
    """``credentials`` are the headers that each asker sends."""

    port: int
    specification: Specification
    database: Database
    ingest: Ingest
    credentials: dict[str, dict[str, str]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    async def ask(self, who: str, method: str, target: str, body: bytes = b"") -> Answer:
        """One request; the answer is one that the specification declares."""
        headers = self.credentials[who]
        answer = await ask(reactor, self.port, target, method=method, headers=headers, body=body)
        self.specification.check(method, target, answer)
        return answer

    async def json(self, who: str, method: str, target: str, body: bytes = b"") -> Any:
        """The body of an answer that is 200."""
        answer = await self.ask(who, method, target, body)
        assert answer.status == 200, (method, target, answer)
        return answer.json()

    async def open_waits(self, count: int) -> None:
        """Return once so many callers wait for mail."""

        async def are_open() -> bool:
            answer = await ask(reactor, self.port, "/metrics")
            return f"mailsacd_waits {count}.0\n" in answer.body.decode()

        await until_async(are_open)

    async def deliver(self, inbox: str, content: bytes = CONTENT) -> str:
        """Mail for an inbox; the id of the message."""
        new = envelope(self.ingest, content, inbox)
        await self.ingest.deliver(new)
        return f"{new.id}-0"


@asynccontextmanager
async def society(database: Database, dsn: str, *settings: str) -> AsyncIterator[Society]:
    """A daemon that listens, with accounts, keys, addresses and domains."""
    with tempfile.TemporaryDirectory(prefix="mailsacd-test-") as directory:
        options = [f"database.dsn={dsn}", f"server.data_dir={directory}"]
        options += [
            "smtp.port=0",
            "capture.port=0",
            "submission.port=0",
            "pop3.port=0",
            "http.port=0",
            "database.connections=2",
        ]
        daemon = Daemon(load_settings(None, {}, [*options, *settings]), reactor, owns_process=False)
        credentials = await _accounts(database)
        await daemon.start()
        try:
            ready = read_ready(Path(directory))
            assert ready is not None
            port = ready.ports["http"]
            specification = await declared_at(reactor, port, *settings)
            budget = ByteBudget(1 << 24)
            announcer = Announcer(database, lambda: None, reactor=reactor)
            ingest = Ingest(
                database,
                composer=Composer("mx.example", LANES.mail_in),
                budget=budget,
                reactor=reactor,
                observers=[announcer],
            )
            made = Society(port, specification, database, ingest, credentials, dict(ready.ports))
            await _property(made)
            yield made
            await ingest.finish()
            await announcer.finish()
        finally:
            await daemon.stop()


async def _accounts(database: Database) -> dict[str, dict[str, str]]:
    credentials: dict[str, dict[str, str]] = {"nobody": {}, "wrong key": _key(WRONG_KEY)}
    for who, name in (("owner", OWNER), ("other", OTHER)):
        assert await add_account(database, name, f"{name}@owner.example", "default", None)
        key = new_key()
        assert await add_key(database, f"id-{name}", name, "test", hash_of(key))
        credentials[who] = _key(key)
    token = new_token()
    assert await add_login(database, "helper", OWNER, None, team=True)
    await add_session(database, hash_of(token), "helper", datetime.now(UTC) + timedelta(hours=1))
    credentials["team"] = {"Cookie": f"mailsacd_session={token}"}
    return credentials


def _key(key: str) -> dict[str, str]:
    return {"Mailsac-Key": key}


async def _property(made: Society) -> None:
    for name, is_private in ((HIDDEN_DOMAIN, True), (SHOWN_DOMAIN, False)):
        await made.database.run(
            "insert into domain (name, owner, verified, is_private, verification_txt)"
            " values (%s, %s, true, %s, 'mailsac_x')",
            (name, OWNER, is_private),
        )
    for email in (PRIVATE, CATCH_ALL):
        await made.json("owner", "POST", f"/api/addresses/{email}")
