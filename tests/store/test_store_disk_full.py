"""A disk that is really full: nothing half stored, and no restart needed when there is room."""

import os
import subprocess
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred

from mailsacd.core.errors import StorageFullError
from mailsacd.core.message import NewEnvelope, NewMessage
from mailsacd.store.messages import count_messages, find_raw
from mailsacd.store.pool import Database
from mailsacd.store.storing import store_envelopes

DISK_BYTES = 1_048_576


def envelope(id_: str, raw: bytes) -> NewEnvelope:
    message = NewMessage(inbox="bob@example.com", id=f"{id_}-0", domain="example.com", facts="{")
    return NewEnvelope(id=id_, received_ms=0, raw=raw, size=len(raw), messages=(message,))


class SmallDisk:
    """A disk of 1 MiB, with the raw messages on it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mount(self) -> bool:
        """Whether this user may."""
        return self._mount(f"size={DISK_BYTES}") == 0

    def enlarge(self) -> None:
        assert self._mount(f"remount,size={DISK_BYTES * 16}") == 0

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.path)], check=True)

    def _mount(self, options: str) -> int:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.path)]
        return subprocess.run(command, check=False, capture_output=True).returncode


@pytest.fixture
def small_disk(database: Database) -> Iterator[SmallDisk | None]:
    """None where this user may not mount any."""

    def run(sql: str) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = pytest_twisted.blockon(ensureDeferred(database.fetch(sql)))
        return rows

    ((data_directory,),) = run("show data_directory")
    path = Path(data_directory).with_name("small_disk")
    path.mkdir()
    disk = SmallDisk(path)
    if disk.mount():
        os.chown(path, Path(data_directory).stat().st_uid, -1)
        try:
            run("truncate raw_message")  # what other tests deleted still takes its room
            run(f"create tablespace small location '{path}'")
            run("alter table raw_message set tablespace small")
            yield disk
            disk.enlarge()
            run("alter table raw_message set tablespace pg_default")
            run("drop tablespace small")
        finally:
            disk.unmount()
    else:
        yield None
    path.rmdir()


@pytest_twisted.ensureDeferred
async def test_a_full_disk_is_told_and_forgotten_when_there_is_room(
    database: Database, small_disk: SmallDisk | None
) -> None:
    large = envelope("e1", os.urandom(2 * DISK_BYTES))
    full: Coroutine[Any, Any, object]
    if small_disk is None:  # the device answers what a full disk does
        full = database.run("copy (select 1) to '/dev/full'")
    else:
        full = store_envelopes(database, [large])
    with pytest.raises(StorageFullError):
        await full
    assert await count_messages(database, "bob@example.com") == 0
    if small_disk is not None:
        small_disk.enlarge()
    await store_envelopes(database, [large])
    assert await find_raw(database, "bob@example.com", "e1-0") == large.raw
