"""What the jobs' tests share."""

import time

import pytest

from mailsacd.store.connection import Connection

_AN_ANSWER_S = 0.005


@pytest.fixture
def answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has answered before anybody looks, as it may on a busy machine: then nobody
    waits for the reactor."""
    advance = Connection._advance

    def later(connection: Connection) -> None:
        time.sleep(_AN_ANSWER_S)
        advance(connection)

    monkeypatch.setattr(Connection, "_advance", later)
