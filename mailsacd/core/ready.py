"""``ready.json``: the file by which a running daemon tells that it is ready, and on which ports.

Several may run on the same data: what the file says at its top is the youngest one's, its list
``others`` tells of the rest.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

FILE_NAME: Final = "ready.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """One daemon. ``ports`` maps a listener's name (``smtp``, ``http``) to its TCP port."""

    pid: int
    version: str
    ports: dict[str, int]

    def write(self, data_dir: Path) -> None:
        """Put it at the top of the file in ``data_dir``, which is replaced whole or not at all."""
        others = [each for each in _alive(data_dir) if each.pid != self.pid]
        _write(data_dir, [self, *others])

    def remove(self, data_dir: Path) -> None:
        """Take it out of the file, and the file away when it told of no other that runs."""
        _write(data_dir, [each for each in _alive(data_dir) if each != self])


def read_ready(data_dir: Path) -> Ready | None:
    """The youngest daemon that runs, of those in the file in ``data_dir``.

    None when there is none: a daemon that was killed leaves its file behind.
    """
    return next(iter(_alive(data_dir)), None)


def _alive(data_dir: Path) -> list[Ready]:
    try:
        found = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
        told = [_ready(each) for each in (found, *found.get("others", ()))]
        return [each for each in told if _is_alive(each.pid)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _ready(told: dict[str, Any]) -> Ready:
    return Ready(pid=told["pid"], version=told["version"], ports=told["ports"])


def _write(data_dir: Path, daemons: Sequence[Ready]) -> None:
    if not daemons:
        (data_dir / FILE_NAME).unlink(missing_ok=True)
        return
    first, *others = map(asdict, daemons)
    partial = data_dir / f"{FILE_NAME}.{os.getpid()}"
    partial.write_text(json.dumps({**first, "others": others}) + "\n", encoding="utf-8")
    partial.replace(data_dir / FILE_NAME)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
