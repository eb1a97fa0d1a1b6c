"""Readers see what is in a message that was stored unexamined: it is worked out for them.

Nothing is written here; that is for mail.backlog, and every reader may come before it.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from twisted.internet.defer import DeferredSemaphore, ensureDeferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.message import Message
from mailsacd.mail.contents import (
    NOTHING,
    Contents,
    contents_of,
    fill,
    is_unexamined,
    unexamined_in,
)
from mailsacd.mime.parse import parse
from mailsacd.mime.trace import end_of_trace
from mailsacd.store.compression import expand
from mailsacd.store.examination import Raw, find_raws
from mailsacd.store.pool import Database

GROUP: Final = 50
"""So many raw messages are in memory at a time for one reader: unexamined ones are not large."""

AT_ONCE: Final = 2
"""So many readers are served at a time, group by group in turns."""

REMEMBERED: Final = 2_000
"""So many contents are kept for who reads the same list again: twice the longest list."""

READS: Final = 3
"""So often is read, at most, where messages are deleted between reading and looking into them."""

_REMEMBERED_CHARS: Final = 2_000  # of each; longer contents are worked out again

_OFF_REACTOR_BYTES: Final = 65_536  # larger messages are unpacked and parsed in a thread
_BYTES_A_TURN: Final = 131_072  # of others: then the reactor has its turn

_log = Logger()


class Examination:
    """Fills what readers read. Raises UnavailableError when the database is away."""

    def __init__(self, database: Database, *, reactor: Any) -> None:
        self._database = database
        self._reactor = reactor
        self._turn = DeferredSemaphore(AT_ONCE)
        self._recent: Recent[str, Contents] = Recent(REMEMBERED)

    async def filled(self, read: Callable[[], Awaitable[str]]) -> str:
        """The JSON of any number of messages that ``read`` gives, as if all had been examined.

        It is read again when one of them has been deleted before it could be looked into.
        """
        for _ in range(READS):
            text = await read()
            ids = unexamined_in(text) if is_unexamined(text) else []
            found = await self._contents_of(ids)
            if len(found) == len(ids):
                break
        return fill(text, found) if ids else text

    async def filled_message(self, message: Message) -> Message | None:
        """One message, as if it had been examined; None when it has been deleted before that."""
        if not is_unexamined(message.facts):
            return message
        found = await self._contents_of(unexamined_in(message.facts))
        return message.with_facts(fill(message.facts, found)) if found else None

    async def _contents_of(self, raw_ids: Sequence[str]) -> dict[str, Contents]:
        """Of those that are there still."""
        found = {id_: known for id_ in raw_ids if (known := self._recent.get(id_)) is not UNKNOWN}
        wanted = [id_ for id_ in raw_ids if id_ not in found]
        for start in range(0, len(wanted), GROUP):
            group = wanted[start : start + GROUP]
            found |= await self._turn.run(lambda ids: ensureDeferred(self._find(ids)), group)
        return found

    async def _find(self, raw_ids: Sequence[str]) -> dict[str, Contents]:
        raws = await find_raws(self._database, raw_ids)
        found = await examine(raws, reactor=self._reactor)
        for id_, contents in found.items():
            if len(contents.json) <= _REMEMBERED_CHARS:
                self._recent.remember(id_, contents)
        return found


async def examine(raws: Iterable[Raw], *, reactor: Any) -> dict[str, Contents]:
    """What is in each of them, by id, without holding the reactor for long.

    Of one that cannot be read it is NOTHING.
    """
    found: dict[str, Contents] = {}
    done_bytes = 0
    for raw in raws:
        if raw.size > _OFF_REACTOR_BYTES:
            pool = reactor.getThreadPool()
            found[raw.id] = await deferToThreadPool(reactor, pool, _contents, raw)
            continue
        found[raw.id] = _contents(raw)
        done_bytes += raw.size
        if done_bytes >= _BYTES_A_TURN:
            done_bytes = 0
            await deferLater(reactor, 0)
    return found


def _contents(raw: Raw) -> Contents:
    try:
        content = expand(raw.body)
        return contents_of(parse(content[end_of_trace(content) :]))
    except Exception:  # noqa: BLE001  one message's defect is to hide no other, nor to last
        _log.failure("the contents of message {id} are passed over", id=raw.id)
        return NOTHING
