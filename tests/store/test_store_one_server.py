"""What only the server that all nodes are connected to can give is asked for in one module each."""

import re
from pathlib import Path

import pytest

import mailsacd

PACKAGE = Path(mailsacd.__file__).parent


@pytest.mark.parametrize(
    ("words", "module"),
    [
        ("pg_current_(?:xact|snapshot)|pg_snapshot_|pg_visible_in", "store/commit_order.py"),
        ("pg_current_wal", "store/positions.py"),
        ("_advisory_", "store/locks.py"),
        ("pg_notify", "store/notices.py"),
    ],
)
def test_one_module_has_it(words: str, module: str) -> None:
    using = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if re.search(words, file.read_text(encoding="utf-8"))
    }
    assert using == {module}
