"""Data directories of the tests: PostgreSQL can enter them, and nothing of them stays."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def open_directory() -> Iterator[Path]:
    """Make a directory that everybody may enter, since root's PostgreSQL runs as somebody else."""
    directory = Path(tempfile.mkdtemp(prefix="mailsacd-test-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def copy_data(source: Path, target: Path) -> None:
    """Copy a data directory that no server runs on, owners and all, which shutil cannot."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
