"""The operator's commands, run as a shell would run them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MAILSACD = str(Path(sys.executable).parent / "mailsacd")
TIMEOUT_S = 120


def run(data_dir: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `mailsacd ARGUMENTS` on a data directory, however it ends."""
    return subprocess.run(
        [MAILSACD, *arguments, "--data-dir", str(data_dir)],
        check=False, capture_output=True, text=True, timeout=TIMEOUT_S,
    )  # fmt: skip


def told(data_dir: Path, *arguments: str) -> str:
    """Return what a command that succeeds prints."""
    done = run(data_dir, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def told_json(data_dir: Path, *arguments: str) -> Any:
    """Return the JSON that a command prints."""
    return json.loads(told(data_dir, *arguments, "--json"))
