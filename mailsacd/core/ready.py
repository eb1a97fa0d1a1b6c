"""``ready.json``: the file by which a running daemon tells that it is ready, and on which ports."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE_NAME: Final = "ready.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What the file says. ``ports`` maps a listener's name (``smtp``, ``http``) to its TCP port."""

    pid: int
    version: str
    ports: dict[str, int]

    def write(self, data_dir: Path) -> None:
        """Put the file into ``data_dir``, whole or not at all."""
        content = json.dumps({"pid": self.pid, "version": self.version, "ports": self.ports})
        partial = data_dir / f"{FILE_NAME}.{self.pid}"
        partial.write_text(content + "\n", encoding="utf-8")
        partial.replace(data_dir / FILE_NAME)

    def remove(self, data_dir: Path) -> None:
        """Take the file away, unless another daemon on the same data has written its own."""
        if read_ready(data_dir) == self:
            (data_dir / FILE_NAME).unlink(missing_ok=True)


def read_ready(data_dir: Path) -> Ready | None:
    """What the file in ``data_dir`` says; None when it is not there, or not whole."""
    try:
        found = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
        return Ready(pid=found["pid"], version=found["version"], ports=found["ports"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_alive(pid: int) -> bool:
    """Whether a process with that id exists; a daemon that was killed leaves its file behind."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
