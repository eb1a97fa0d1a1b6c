"""Search by the query language (core.query): in an inbox, a domain, or all mail of an account.

There is no index of what is in messages, for it would cost more than taking them in
(docs/adr/0051-search-reads-the-mail.md). Messages are gone through from the newest on: SQL leaves
out what it can tell does not fit, their rows tell more, and what is left is read. That ends after a
while (search_turns); who wants more goes on where it ended.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec
from twisted.internet.interfaces import IReactorTime

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.message import Message
from mailsacd.core.narrowing import Narrowing, narrowing
from mailsacd.core.query import TAG, parse
from mailsacd.core.query_terms import All, Query, fits
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.reading.account_mail import named_domain
from mailsacd.mail.reading.search_answers import RowAnswers, WholeAnswers
from mailsacd.mail.reading.search_turns import SearchTime, SearchTurns
from mailsacd.store.beginnings import find_beginnings
from mailsacd.store.compression import expand_beginning
from mailsacd.store.reading import Reader
from mailsacd.store.saved_searches import queries_of
from mailsacd.store.search import search
from mailsacd.store.search_scan import Place, next_messages
from mailsacd.store.sql import Executor
from mailsacd.work.threads import Lane

MAX_FOUND: Final = 100
"""How many messages a search answers at most."""

SEARCHED_BYTES: Final = 524_288
"""So much of the beginning of each message is read."""

ROWS: Final = 100
"""So many messages are asked for at a time."""

READ_BYTES: Final = 131_072
"""So much of them is read at a time, or one message: then it is the turn of another search."""

Batch = Sequence[tuple[Message, RowAnswers]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """``messages`` is the text of a JSON array, newest first.

    ``next`` is where a search goes on for older ones, None when there are no more; ``incomplete``
    tells that it ended for its time, so that what is found may lie behind that.
    """

    messages: str
    next: str | None = None
    incomplete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """``query`` is a text, ``also`` what has to fit beside it; without ``also`` it is not empty.

    Only messages with ids below ``before`` are looked at, if it is not None. At most ``limit`` are
    wanted, which is MAX_FOUND at most.
    """

    query: str
    also: tuple[Query, ...] = ()
    before: str | None = None
    limit: int = MAX_FOUND


class Search:
    """All calls raise QueryError, UnavailableError and OverloadedError."""

    def __init__(
        self, reads: Reader, access_control: AccessControl, lane: Lane, clock: IReactorTime
    ) -> None:
        """Messages are read in ``lane``."""
        self._reads = reads
        self._access_control = access_control
        self._lane = lane
        self._turns = SearchTurns(clock)

    async def in_account(self, actor: Actor, asked: Asked) -> Found:
        """What came to the account's private addresses and verified domains.

        Raises UnauthenticatedError for an actor without an account.
        """
        place = Place(kind="account", viewer=account_of(actor))
        return await self._in_place(actor, place, asked)

    async def in_domain(self, actor: Actor, domain: str, asked: Asked) -> Found:
        """What came to a verified domain of the account. Raises as `AccountMail.of_domain` does."""
        name = named_domain(domain)
        viewer = await self._access_control.owned_domain(actor, name)
        return await self._in_place(actor, Place(kind="domain", viewer=viewer, name=name), asked)

    async def in_inbox(self, actor: Actor, email: str, asked: Asked) -> Found:
        """What the actor sees in an inbox. Raises what `AccessControl.inbox` does."""
        inbox = await self._access_control.inbox(actor, email)
        place = Place(kind="inbox", viewer=actor.account, name=inbox, is_open=True)
        return await self._in_place(actor, place, asked)

    async def _in_place(self, actor: Actor, place: Place, asked: Asked) -> Found:
        query = await self._parsed(actor.account if actor.scope is None else None, asked)
        with self._turns.begun(actor) as time:
            return await self._found(place, query, asked, time)

    async def _parsed(self, account: str | None, asked: Asked) -> Query:
        """The query, with the saved searches of ``account`` (None: there are none)."""
        if asked.also and not asked.query.strip():
            return All(asked.also)
        saved: Mapping[str, str] | None = None if account is None else {}
        if account is not None and TAG in asked.query.lower():
            saved = await self._reads.reading(partial(queries_of, account=account))
        query = parse(asked.query, saved)
        return All((query, *asked.also)) if asked.also else query

    async def _found(self, place: Place, query: Query, asked: Asked, time: SearchTime) -> Found:
        narrowed = narrowing(query)
        terms = narrowed.as_terms() if place.kind == "account" and asked.before is None else None
        if terms is None:
            return await self._gone_through(place, query, narrowed, asked, time)
        account = place.viewer or ""
        messages = await self._reads.reading(
            lambda db: search(db, account, terms, limit=asked.limit)
        )
        ids = _ids(messages)
        return Found(messages=messages, next=ids[-1].id if len(ids) == asked.limit else None)

    async def _gone_through(
        self, place: Place, query: Query, narrowed: Narrowing, asked: Asked, time: SearchTime
    ) -> Found:
        found: list[Message] = []
        before, is_end, is_over = asked.before, False, False
        while not (is_end or is_over or len(found) >= asked.limit):
            rows = await self._reads.reading(
                partial(_next, place=place, narrowed=narrowed, before=before)
            )
            for batch in _batches(rows):
                found += await self._fitting(place, query, batch, time)
                before = batch[-1][0].id
                is_over = time.is_over
                if is_over or len(found) >= asked.limit:
                    break
            is_end = len(rows) < ROWS and (not rows or before == rows[-1].id)
        if len(found) > asked.limit:
            found, is_end = found[: asked.limit], False
            before = found[-1].id
        is_cut = is_over and not is_end and len(found) < asked.limit
        return Found(messages=_json(found), next=None if is_end else before, incomplete=is_cut)

    async def _fitting(
        self, place: Place, query: Query, batch: Batch, time: SearchTime
    ) -> list[Message]:
        """Those of the batch that fit."""
        known = {message.id: fits(query, row) for message, row in batch}
        undecided = [(message, row) for message, row in batch if known[message.id] is None]
        if undecided:
            known.update(await time.in_turn(lambda: self._read(place, query, undecided)))
        return [message for message, _ in batch if known[message.id]]

    async def _read(self, place: Place, query: Query, batch: Batch) -> Mapping[str, bool]:
        """Whether the messages fit whose rows do not tell; those that are gone are left out."""
        names = [(message.inbox, message.id) for message, _ in batch]
        stored = await self._reads.reading(
            lambda db: find_beginnings(
                db, names, place.viewer, is_open=place.is_open, size=SEARCHED_BYTES
            )
        )
        raws = {id_: raw for _, id_, raw in stored}
        there = [(m.id, row, raws[m.id]) for m, row in batch if m.id in raws]
        size = sum(_read_bytes(row) for _, row, _ in there)
        return await self._lane.run(size, partial(_judged, query, there))


async def _next(
    db: Executor, *, place: Place, narrowed: Narrowing, before: str | None
) -> list[Message]:
    return await next_messages(db, place, narrowed, before_id=before, limit=ROWS)


def _batches(messages: Iterable[Message]) -> Iterator[Batch]:
    """Cut into what is read at a time."""
    batch: list[tuple[Message, RowAnswers]] = []
    room = READ_BYTES
    for message in messages:
        row = RowAnswers(message)
        room -= _read_bytes(row)
        if batch and room < 0:
            yield batch
            batch, room = [], READ_BYTES - _read_bytes(row)
        batch.append((message, row))
    if batch:
        yield batch


def _read_bytes(row: RowAnswers) -> int:
    return min(row.facts.size, SEARCHED_BYTES)


def _judged(query: Query, batch: Iterable[tuple[str, RowAnswers, bytes]]) -> dict[str, bool]:
    return {
        id_: bool(fits(query, WholeAnswers(row, expand_beginning(stored, SEARCHED_BYTES))))
        for id_, row, stored in batch
    }


class _Identified(msgspec.Struct):
    id: str = msgspec.field(name="_id")


_ids: Final = msgspec.json.Decoder(list[_Identified]).decode


def _json(messages: Iterable[Message]) -> str:
    return f"[{b','.join(message.as_json() for message in messages).decode()}]"
