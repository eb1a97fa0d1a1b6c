"""What comes in is pushed once, however much it is; what is beyond a limit is not pushed again."""

import pytest
import pytest_twisted

from mailsacd.core.event import Interest
from tests.mail.hubs import in_inboxes, new_mail, node_hub, store
from tests.mail.owners import reserve
from tests.mail.recycling.store_room import StoreRoom

INBOX = "anybody@public.example"
BOX = "box@private.example"
LARGE = b"From: ann@example.net\r\nSubject: hi\r\n\r\n" + b"hello\r\n" * 60_000


INTERESTS = [
    (INBOX, in_inboxes(INBOX)),
    (INBOX, Interest(account=None, all_public=True)),
    (BOX, in_inboxes(BOX, account="ann")),
    (BOX, Interest(account="ann", everything_owned=True)),
]


@pytest.mark.parametrize(("inbox", "interest"), INTERESTS)
@pytest.mark.parametrize("content", [LARGE[:100], LARGE], ids=["small", "large"])
@pytest_twisted.ensureDeferred
async def test_all_is_pushed_once_and_again_what_is_kept(
    room: StoreRoom, inbox: str, interest: Interest, content: bytes
) -> None:
    await room.limit(messages=6)
    await reserve(room.database, "ann", BOX)
    async with node_hub(room.database, room.dsn) as node:
        first_stream, first = await node.listen(interest)
        (begin,) = await store(room.database, new_mail(inbox))
        await first.has(begin)
        ids = await store(room.database, *(new_mail(inbox, content=content) for _ in range(9)))
        await first.has(begin, *ids)
        stream, again = await node.listen(interest, first.sequences[0])
        await again.has(*ids[-6:])
        first_stream.close()
        stream.close()
