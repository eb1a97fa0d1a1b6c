"""When there is too much in all, the oldest public mail goes, and mail of accounts never does."""

from datetime import timedelta

import pytest_twisted

from tests.mail.owners import reserve
from tests.mail.recycling.store_room import StoreRoom

BOX = "box@private.example"
HOUR = timedelta(hours=1)


async def inboxes_of(
    room: StoreRoom, count: int, *, ago: timedelta = timedelta(), size: int = 1_000
) -> list[str]:
    """Store a message to each of so many public inboxes; each is older than the next one."""
    ids = []
    for n in range(count):
        before = (count - n) * timedelta(milliseconds=1)
        ids += await room.store(f"box{n}@public.example", ago=ago + before, size=size)
    return ids


@pytest_twisted.ensureDeferred
async def test_the_oldest_public_messages_go_first(room: StoreRoom) -> None:
    old = await inboxes_of(room, 10, ago=HOUR)
    new = await inboxes_of(room, 10)
    await room.recycle(max_messages=15)
    assert await room.stored() == [*old[5:], *new]


@pytest_twisted.ensureDeferred
async def test_bytes_count_as_they_came(room: StoreRoom) -> None:
    await inboxes_of(room, 10, ago=HOUR, size=1_000)
    new = await inboxes_of(room, 10, size=2_000)
    await room.recycle(max_bytes=13_000)
    assert await room.stored() == new[-6:]


@pytest_twisted.ensureDeferred
async def test_of_very_many_too_much_goes_step_by_step(room: StoreRoom) -> None:
    boxes = []
    for n in range(300):
        ago = timedelta(milliseconds=300 - n)
        boxes.append(await room.store(f"box{n}@public.example", count=5, ago=ago))
    await room.recycle(max_messages=120)
    assert await room.stored() == sorted(id_ for ids in boxes[-24:] for id_ in ids)


@pytest_twisted.ensureDeferred
async def test_private_and_starred_mail_never_goes(room: StoreRoom) -> None:
    await reserve(room.database, "ann", BOX)
    private = await room.store(BOX, count=20, ago=HOUR)
    starred = await room.store("star@public.example", saved_by="bob", ago=HOUR)
    public = await inboxes_of(room, 10)
    await room.recycle(max_messages=25)
    assert await room.stored() == sorted([*private, *starred, *public[-4:]])


@pytest_twisted.ensureDeferred
async def test_where_private_mail_alone_is_too_much_no_public_mail_is_kept_and_that_is_told(
    room: StoreRoom,
) -> None:
    await reserve(room.database, "ann", BOX)
    private = await room.store(BOX, count=20)
    await inboxes_of(room, 10)
    recycler = room.recycler(max_messages=10)
    for _ in range(3):
        await recycler.run_now()
    assert await room.stored() == private
    await recycler.stop()
    told = await room.told()
    assert told == [
        ("storage-full", None, "20 messages of 20000 bytes, all of accounts"),
        ("recycled", None, "10 the oldest, to make room"),
    ]


@pytest_twisted.ensureDeferred
async def test_a_cap_of_nothing_keeps_no_public_mail(room: StoreRoom) -> None:
    await reserve(room.database, "ann", BOX)
    private = await room.store(BOX, count=2)
    await inboxes_of(room, 3)
    await room.recycle(max_messages=0, max_bytes=0)
    assert await room.stored() == private


@pytest_twisted.ensureDeferred
async def test_a_cap_of_a_billion_removes_nothing(room: StoreRoom) -> None:
    ids = await inboxes_of(room, 3)
    await room.recycle(max_messages=2**53, max_bytes=2**53)
    assert await room.stored() == ids
