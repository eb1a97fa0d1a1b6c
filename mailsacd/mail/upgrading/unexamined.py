"""Mail that an older version stored before it had worked out what is in it.

Under pressure that version wrote a placeholder, ``,"@":"<id of the raw message>"``, in the place of
the contents, and a row into ``unexamined``. Here the contents take the placeholder's place. They
have the fields of that version: this is part of a migration, and does not change with the API.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from twisted.logger import Logger

from mailsacd.core.mailstats import ATTACHMENT
from mailsacd.core.token import time_of
from mailsacd.mime.extract import links
from mailsacd.mime.trace import parse_stored
from mailsacd.store.compression import expand
from mailsacd.store.statistics import Tally, add_tallies
from mailsacd.store.transaction import Transaction
from mailsacd.store.unexamined import Completed, Unexamined, claim_unexamined, complete

GROUP: Final = 50
"""So many are in memory at a time: of at most 128 KB each, for larger ones were never put off."""

_encode = msgspec.json.Encoder().encode
_log = Logger()


class _Contents(msgspec.Struct, frozen=True):
    attachments: tuple[str, ...] | None
    links: tuple[str, ...]
    parseLimited: bool  # noqa: N815  the API's spelling


_NOTHING: Final = _Contents(None, (), False)


async def examine_some(transaction: Transaction) -> bool:
    """Complete the oldest GROUP of these messages, and return whether there may be more.

    A message whose raw cannot be read gets empty contents, and a line in the log.
    """
    claimed = await claim_unexamined(transaction, GROUP)
    found = {each.raw_id: _contents(each) for each in claimed}
    public = await complete(
        transaction,
        [Completed(id_, _text(each), _sums(each)) for id_, each in found.items()],
    )
    await add_tallies(transaction, _tallies(found, public))
    if claimed:
        _log.info("{n} messages that an older version put off are whole", n=len(claimed))
    return len(claimed) == GROUP


def _contents(message: Unexamined) -> _Contents:
    if message.body is None:  # it was deleted
        return _NOTHING
    try:
        parsed = parse_stored(expand(message.body))
        found, links_limited = links(parsed)
        sums = tuple(attachment.checksum for attachment in parsed.attachments)
        return _Contents(sums or None, found, parsed.limited or links_limited)
    except Exception:  # noqa: BLE001  one message's defect is to stop no upgrade
        _log.failure("message {id} cannot be read: its contents are empty", id=message.raw_id)
        return _NOTHING


def _text(contents: _Contents) -> str:
    """What stands in the place of the placeholder."""
    return "," + _encode(contents)[1:-1].decode()


def _sums(contents: _Contents) -> tuple[str, ...]:
    """Those of the attachments, each once."""
    return tuple(dict.fromkeys(contents.attachments or ()))


def _tallies(found: Mapping[str, _Contents], public: Sequence[str]) -> list[Tally]:
    """The attachments of public copies, which were not counted when these were stored."""
    counts: Counter[tuple[datetime, str]] = Counter()
    for raw_id in public:
        hour = time_of(raw_id).replace(minute=0, second=0, microsecond=0)
        counts.update((hour, md5) for md5 in _sums(found[raw_id]))
    return [Tally(ATTACHMENT, hour, md5, n) for (hour, md5), n in counts.items()]
