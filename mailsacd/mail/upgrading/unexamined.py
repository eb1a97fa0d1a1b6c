"""Mail that an older version stored before it had worked out what is in it.

Under pressure that version wrote a placeholder, ``,"@":"<id of the raw message>"``, in the place of
the contents, and a row into ``unexamined``. Here the contents take the placeholder's place.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from twisted.logger import Logger

from mailsacd.core.mailstats import ATTACHMENT
from mailsacd.core.token import time_of
from mailsacd.mail.receiving.contents import NOTHING, Contents, contents_of
from mailsacd.mime.trace import parse_stored
from mailsacd.store.compression import expand
from mailsacd.store.pool import Transaction
from mailsacd.store.statistics import Tally, add_tallies
from mailsacd.store.unexamined import Completed, Unexamined, claim_unexamined, complete

GROUP: Final = 50
"""So many are in memory at a time: of at most 128 KB each, for larger ones were never put off."""

_log = Logger()


async def examine_some(transaction: Transaction) -> bool:
    """Complete the oldest GROUP of these messages, and return whether there may be more.

    A message whose raw cannot be read gets empty contents, and a line in the log.
    """
    claimed = await claim_unexamined(transaction, GROUP)
    found = {each.raw_id: _contents(each) for each in claimed}
    public = await complete(
        transaction,
        [Completed(id_, each.json, each.attachments) for id_, each in found.items()],
    )
    await add_tallies(transaction, _tallies(found, public))
    if claimed:
        _log.info("{n} messages that an older version put off are whole", n=len(claimed))
    return len(claimed) == GROUP


def _contents(message: Unexamined) -> Contents:
    if message.body is None:  # it was deleted
        return NOTHING
    try:
        return contents_of(parse_stored(expand(message.body)))
    except Exception:  # noqa: BLE001  one message's defect is to stop no upgrade
        _log.failure("message {id} cannot be read: its contents are empty", id=message.raw_id)
        return NOTHING


def _tallies(found: Mapping[str, Contents], public: Sequence[str]) -> list[Tally]:
    """The attachments of public copies, which were not counted when these were stored."""
    counts: Counter[tuple[datetime, str]] = Counter()
    for raw_id in public:
        hour = time_of(raw_id).replace(minute=0, second=0, microsecond=0)
        counts.update((hour, md5) for md5 in found[raw_id].attachments)
    return [Tally(ATTACHMENT, hour, md5, n) for (hour, md5), n in counts.items()]
