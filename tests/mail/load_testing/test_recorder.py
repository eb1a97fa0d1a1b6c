"""What a process has counted is written every second: once, however often it is tried."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.core.envelope import Envelope, Reception, Recipient
from mailsacd.core.errors import UnavailableError
from mailsacd.core.load_test import LoadTestRun
from mailsacd.core.sampled_ids import unpacked
from mailsacd.mail.load_testing import recorder as module
from mailsacd.mail.load_testing.recorder import MAX_TESTS, Recorder
from mailsacd.store.accounts import add_account
from mailsacd.store.load_tests import (
    KEPT,
    KEPT_OF_ACCOUNT,
    add_load_test,
    end_load_test,
    forget_old_load_tests,
    read_counted,
    write_counted,
)
from mailsacd.store.pool import Database

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred
RECEPTION = Reception(
    peer_ip="192.0.2.1", local_ip="192.0.2.2", helo="x", protocol="ESMTP", tls=None
)


def _message(run: str, name: int) -> tuple[Envelope, list[Recipient]]:
    test = LoadTestRun(id=run, header="X-Sent", ends_ms=2**53)
    to = Recipient(original_inbox="a@d.example", inbox="a@d.example", domain="d.example",
                   load_test=test)  # fmt: skip
    content = b"Message-ID: <%d@x>\r\n\r\n" % name
    envelope = Envelope(
        id="x", received_ms=1_795_960_000_000, reverse_path="", recipients=(to,),
        reception=RECEPTION, content=content,
    )  # fmt: skip
    return envelope, [to]


async def _begin(database: Database, *runs: str) -> None:
    assert await add_account(database, "jeff", "jeff@x.example", "default", None)
    for run in runs:
        await add_load_test(
            database, run, f"{run}.example", "jeff", header="X-Sent", lasting_s=3600
        )


async def _ids(database: Database, run: str) -> dict[int, int]:
    _, _, ids = await read_counted(database, run)
    return unpacked(piece for _, piece in ids)


@ensure
async def test_pieces_add_up_and_are_written_anew_when_there_are_too_many(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SPARE_IDS", 10)
    await _begin(database, "one")
    recorder = Recorder(database, reactor=reactor)
    pieces = 0
    for turn in range(12):
        for name in range(5):
            recorder.count(*_message("one", name))
        await recorder.write()
        _, _, ids = await read_counted(database, "one")
        assert sum(unpacked([piece for _, piece in ids]).values()) == 5 * (turn + 1)
        pieces = max(pieces, len(ids))
    assert pieces <= 6  # five names take twice ten and ten more at most
    assert set((await _ids(database, "one")).values()) == {12}
    await recorder.write()  # nothing is new
    assert len(await _ids(database, "one")) == 5
    await recorder.finish()


@ensure
async def test_what_may_have_been_written_is_not_counted_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _begin(database, "one")
    recorder = Recorder(database, reactor=reactor)

    async def committed_and_lost(*args: Any) -> None:
        await write_counted(*args)
        raise UnavailableError("the connection broke after the commit")

    monkeypatch.setattr(module, "write_counted", committed_and_lost)
    recorder.count(*_message("one", 1))
    await recorder.write()
    recorder.count(*_message("one", 1))
    recorder.count(*_message("one", 2))
    await recorder.write()
    monkeypatch.setattr(module, "write_counted", write_counted)
    await recorder.write()
    assert sorted((await _ids(database, "one")).values()) == [1, 2]
    await recorder.finish()


@ensure
async def test_after_a_pause_what_was_counted_before_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FORGET_AFTER_S", -1.0)
    await _begin(database, "one", "two")
    recorder = Recorder(database, reactor=reactor)
    for run in ("one", "two", "one"):
        recorder.count(*_message(run, 1))
        await recorder.write()
        assert not recorder._counting
    _, figures, _ = await read_counted(database, "one")
    assert len(figures) == 2
    assert sum((await _ids(database, "one")).values()) == 2
    await recorder.finish()


@ensure
async def test_of_a_test_that_is_gone_nothing_is_written(database: Database) -> None:
    await _begin(database, "one")
    recorder = Recorder(database, reactor=reactor)
    recorder.count(*_message("gone", 1))
    recorder.count(*_message("one", 1))
    await recorder.write()
    assert await _ids(database, "gone") == {}
    assert len(await _ids(database, "one")) == 1
    await recorder.finish()


@ensure
async def test_tests_in_memory_have_a_bound(database: Database) -> None:
    recorder = Recorder(database, reactor=reactor)
    for number in range(2 * MAX_TESTS):
        recorder.count(*_message(f"t{number}", 1))
    assert len(recorder._counting) == MAX_TESTS
    await recorder.finish()


@ensure
async def test_an_account_keeps_its_last_tests_and_all_together_have_a_bound(
    database: Database,
) -> None:
    for account in ("jeff", "ann"):
        assert await add_account(database, account, f"{account}@x.example", "default", None)
        for number in range(KEPT_OF_ACCOUNT + 3):
            domain = f"{number}.{account}.example"
            name = f"{account}{number:03}"
            await add_load_test(database, name, domain, account, header="Date", lasting_s=60)
            await end_load_test(database, domain, account)
    kept = await database.fetch("select id from load_test order by id")
    assert [id_ for (id_,) in kept] == [
        f"{account}{number:03}"
        for account in ("ann", "jeff")
        for number in range(3, KEPT_OF_ACCOUNT + 3)
    ]
    await database.run(
        """insert into load_test (id, domain, owner, header, ends)
           select 'many' || n, n || '.example', 'jeff', 'Date', now() - n * interval '1 minute'
           from generate_series(1, %s) n""",
        (KEPT,),
    )
    await add_load_test(database, "running", "now.example", "ann", header="Date", lasting_s=60)
    await forget_old_load_tests(database)
    # Of ann's the oldest went as the running one began
    assert await database.fetch("select count(*) from load_test") == [(KEPT + 1,)]
    ended = f"many{KEPT - (2 * KEPT_OF_ACCOUNT - 1)}"
    rows = await database.fetch(
        "select id from load_test where id like 'many%' order by ends limit 1"
    )
    assert rows == [(ended,)]
