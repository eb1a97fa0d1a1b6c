"""Data directories of the tests: PostgreSQL can enter them, and nothing of them stays."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_IN_MEMORY: Final = Path("/dev/shm")
_ENOUGH_BYTES: Final = 4 << 30


def _fast_directory() -> Path | None:
    """Where files are in memory, if there is room and programs run there; None: anywhere.

    A data directory is copied for each daemon, which takes a second of the processor on a disk.
    """
    try:
        found = os.statvfs(_IN_MEMORY)
    except OSError:
        return None
    is_fit = found.f_bavail * found.f_frsize >= _ENOUGH_BYTES and not found.f_flag & os.ST_NOEXEC
    return _IN_MEMORY if is_fit else None


@contextmanager
def open_directory() -> Iterator[Path]:
    """Make a directory that everybody may enter, since root's PostgreSQL runs as somebody else."""
    directory = Path(tempfile.mkdtemp(prefix="mailsacd-test-", dir=_fast_directory()))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def copy_data(source: Path, target: Path) -> None:
    """Copy a data directory that no server runs on, owners and all, which shutil cannot."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
