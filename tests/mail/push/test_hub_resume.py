"""Going on from a sequence: exactly what came after it, from wherever it is asked for."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.errors import InvalidInputError
from mailsacd.core.event import Interest
from mailsacd.core.sequence import Sequences
from mailsacd.mail.push import replay
from mailsacd.mail.push import stream as streams
from mailsacd.store.events import forget_transactions
from mailsacd.store.pool import Database
from tests.mail.hubs import Heard, Held, NodeHub, in_inboxes, new_mail, node_hub, store
from tests.mail.owners import add_owner
from tests.patience import until

BOB = "bob@example.com"
EVE = "eve@example.com"

INTERESTS = {
    "inbox": in_inboxes(BOB, account="ann"),
    "several inboxes": in_inboxes(BOB, EVE, account="ann"),
    "domain": Interest("ann", domains=frozenset({"example.com"})),
    "all that is owned": Interest("ann", everything_owned=True),
    "several": Interest(
        "ann",
        inboxes=frozenset({BOB}),
        domains=frozenset({"example.com", "example.net"}),
        everything_owned=True,
    ),
}


async def _series(database: Database) -> list[str]:
    """Commits of one and several messages, in and out of the order of their ids."""
    stored = await store(database, new_mail(BOB))
    early = await Held(database, new_mail(BOB), new_mail(BOB)).stored()
    late = await Held(database, new_mail(BOB)).stored()
    stored += await store(database, new_mail(BOB), new_mail(BOB), new_mail(BOB))
    await late.commit()
    stored += await store(database, new_mail(BOB))
    await early.commit()
    stored += await store(database, new_mail(BOB), new_mail(BOB))
    return stored + late.ids + early.ids


async def _goes_on(node: NodeHub, interest: Interest, heard: Heard) -> None:
    """From each sequence of ``heard`` and of those that go on, exactly the rest comes.

    What is replayed comes in order of ids, which is not that of commits.
    """
    ids = heard.ids
    for place, sequence in enumerate(heard.sequences):
        stream, rest = await node.listen(interest, sequence)
        await rest.count(len(ids) - place - 1)
        assert set(rest.ids) == set(ids[place + 1 :])
        stream.close()
        for further, again in enumerate(rest.sequences):
            stream, end = await node.listen(interest, again)
            await end.count(len(ids) - place - further - 2)
            assert set(end.ids) == set(rest.ids[further + 1 :])
            stream.close()


@pytest.mark.parametrize("name", INTERESTS)
@pytest_twisted.ensureDeferred
async def test_every_sequence_is_followed_by_exactly_the_rest(
    database: Database, database_dsn: str, name: str
) -> None:
    await add_owner(database, "ann", BOB, EVE, domains=("example.com",))
    async with (
        node_hub(database, database_dsn) as node,
        node_hub(database, database_dsn) as another,
    ):
        _, heard = await node.listen(INTERESTS[name])
        stored = await _series(database)
        await heard.count(len(stored))
        assert set(heard.ids) == set(stored)
        await _goes_on(another, INTERESTS[name], heard)


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest_twisted.ensureDeferred
async def test_a_replay_in_small_pages_is_the_same(
    database: Database, database_dsn: str, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_PAGE", page)
    monkeypatch.setattr(replay, "_GROUP_BYTES", 1)
    async with node_hub(database, database_dsn) as node:
        _, heard = await node.listen(in_inboxes(BOB))
        stored = await _series(database)
        await heard.count(len(stored))
        await _goes_on(node, in_inboxes(BOB), heard)


@pytest_twisted.ensureDeferred
async def test_all_public_mail_goes_on_too(database: Database, database_dsn: str) -> None:
    everything = Interest(None, all_public=True)
    async with node_hub(database, database_dsn) as node:
        _, heard = await node.listen(everything)
        stored = await _series(database)
        await heard.count(len(stored))
        await _goes_on(node, everything, heard)


@pytest_twisted.ensureDeferred
async def test_before_the_first_message_a_stream_stands_somewhere_too(
    database: Database, database_dsn: str
) -> None:
    await store(database, new_mail(BOB))
    async with node_hub(database, database_dsn) as node:
        held = await Held(database, new_mail(BOB)).stored()
        await store(database, new_mail(BOB))
        stream, heard = await node.listen(in_inboxes(EVE))
        _, bob = await node.listen(in_inboxes(BOB))
        told = await store(database, new_mail(BOB))
        await held.commit()
        await bob.count(2)
        _, since = await node.listen(in_inboxes(BOB), stream.sequence)
        assert heard.ids == []
        before = stream.sequence
        told += await store(database, new_mail(BOB))
        await bob.count(3)
        _, since = await node.listen(in_inboxes(BOB), before)
        await since.count(len(since.ids) or 1)
        assert since.ids[-1] == told[-1]


@pytest_twisted.ensureDeferred
async def test_a_stream_without_mail_moves_on_with_what_was_looked_at(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn) as node:
        stream, _ = await node.listen(in_inboxes(EVE))
        _, bob = await node.listen(in_inboxes(BOB))
        first = stream.sequence
        told = await store(database, new_mail(BOB))
        await until(lambda: stream.sequence != first)
        await bob.has(*told)
        await until(lambda: bob.sequences[0] == stream.sequence)
        _, all_again = await node.listen(in_inboxes(BOB), first)
        await all_again.has(*told)
        before = stream.sequence  # which a look may move on before the storing is told of
        told_later = await store(database, new_mail(BOB))
        _, rest = await node.listen(in_inboxes(BOB), before)
        await rest.has(*told_later)


@pytest_twisted.ensureDeferred
async def test_a_replay_under_load_joins_without_gap_or_double(
    database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_PAGE", 7)
    async with (
        node_hub(database, database_dsn) as node,
        node_hub(database, database_dsn) as another,
    ):
        _, heard = await node.listen(in_inboxes(BOB))
        joined: list[tuple[int, Heard]] = []

        async def send() -> None:
            for _ in range(60):
                await store(database, new_mail(BOB), new_mail(BOB))

        async def join(hub: NodeHub, every: int) -> None:
            for place in range(0, 300, every):
                await heard.at_least(place + 1)
                _, new = await hub.listen(in_inboxes(BOB), heard.sequences[place])
                joined.append((place, new))

        await gatherResults(
            [ensureDeferred(send()) for _ in range(3)]
            + [ensureDeferred(join(node, 17)), ensureDeferred(join(another, 13))]
        )
        await heard.count(360)
        for place, new in joined:
            await new.count(360 - place - 1)
            assert set(new.ids) == set(heard.ids[place + 1 :])


@pytest_twisted.ensureDeferred
async def test_a_replay_waits_for_a_full_listener_however_much_there_is(
    database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_WAITING_MESSAGES", 40)
    monkeypatch.setattr(replay, "_GROUP_BYTES", 1_000)
    async with node_hub(database, database_dsn) as node:
        stream, first = await node.listen(in_inboxes(BOB))
        begin = stream.sequence
        stream.close()
        told = await store(database, *(new_mail(BOB) for _ in range(200)))

        class Slow(Heard):
            def push(self, pushed: Any) -> None:
                super().push(pushed)
                self.full = True

        slow = Slow()
        stream = await node.hub.open(in_inboxes(BOB), begin, slow)
        for count in range(1, 201):
            await slow.count(count)
            slow.full = False
            stream.resume()
        assert slow.ids == told
        assert slow.reasons == first.ids == []
        stream.close()


@pytest.mark.parametrize(
    "text",
    ["x", "0", "AAAAAAAAAAAAAAAAAAAA", "=", "é", "\0", "%", " ", "a" * 100_000, "-1", "null"],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_sequence_is_refused(
    database: Database, database_dsn: str, text: str
) -> None:
    async with node_hub(database, database_dsn) as node:
        with pytest.raises(InvalidInputError):
            await node.listen(in_inboxes(BOB), text)


@pytest_twisted.ensureDeferred
async def test_a_sequence_of_another_database_is_refused(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn) as node:
        stream, _ = await node.listen(in_inboxes(BOB))
        there = stream.sequence
    await database.transaction(forget_transactions)
    async with node_hub(database, database_dsn) as node:
        with pytest.raises(InvalidInputError):
            await node.listen(in_inboxes(BOB), there)
        _, heard = await node.listen(in_inboxes(BOB))
        await heard.has(*await store(database, new_mail(BOB)))


@pytest_twisted.ensureDeferred
async def test_a_sequence_from_the_future_is_refused(database: Database, database_dsn: str) -> None:
    async with node_hub(database, database_dsn) as node:
        stream, _ = await node.listen(in_inboxes(BOB))
        sequences: Sequences = node.hub._sequences
        position = sequences.read(stream.sequence)
        seen = type(position.seen)(position.seen.next_xid + 10**9, frozenset(), 0)
        future = sequences.write(type(position)(seen))
        with pytest.raises(InvalidInputError):
            await node.listen(in_inboxes(BOB), future)


@pytest_twisted.ensureDeferred
async def test_all_public_mail_is_refused_from_too_long_ago(
    database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node_hub(database, database_dsn) as node:
        stream, _ = await node.listen(Interest(None, all_public=True))
        monkeypatch.setattr(replay, "EVENTS_LAST_MS", -1)
        with pytest.raises(InvalidInputError) as caught:
            await node.listen(Interest(None, all_public=True), stream.sequence)
        assert "10 minutes" in caught.value.public
        _, heard = await node.listen(in_inboxes(BOB), stream.sequence)
        await heard.has(*await store(database, new_mail(BOB)))
