"""A user that is a bare number has a name for the program that asks for one, and for no other."""

import os
import subprocess
import sys
from pathlib import Path

from mailsacd.embedded.account import SystemUser
from mailsacd.embedded.nameless import named

NAMELESS = SystemUser(name="987654", uid=987_654, gid=987_655)
ASK = "import grp, pwd; print(pwd.getpwuid(987654).pw_name, grp.getgrgid(987655).gr_name)"


def test_a_bare_number_has_a_name_for_one_program(tmp_path: Path) -> None:
    with named(NAMELESS, tmp_path) as environment:
        asked = [sys.executable, "-I", "-c", ASK]
        answer = subprocess.run(
            asked, env=os.environ | environment, check=True, capture_output=True, text=True
        )
        assert answer.stdout == "mailsacd mailsacd\n"
    assert list(tmp_path.iterdir()) == []
    assert subprocess.run(asked, check=False, capture_output=True).returncode != 0


def test_who_has_a_name_needs_none(tmp_path: Path) -> None:
    with named(SystemUser(name="root", uid=0, gid=0), tmp_path) as environment:
        assert environment == {}
