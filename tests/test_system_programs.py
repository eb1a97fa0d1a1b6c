"""`make test` installs the programs that it needs, or says in one line who is to do it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("system-programs")
PROGRAMS = (
    "chromium-of-this-test", "curl", "swaks", "msmtp", "pgbouncer", "ruby", "nginx", "caddy",
    "promtool", "fetchmail", "getmail", "mpop", "jq", "age", "opendkim",
    "rspamd", "spamd",
)  # fmt: skip


def run(programs: Path) -> "subprocess.CompletedProcess[str]":
    """Run the script as an ordinary user, with these programs alone."""
    environment = {"PATH": str(programs), "CHROMIUM": "chromium-of-this-test"}
    with SCRIPT.open() as script:
        return subprocess.run(
            ["/bin/sh"], stdin=script, capture_output=True, text=True, check=False,
            env=environment, user=65534 if os.geteuid() == 0 else None,
        )  # fmt: skip


@pytest.fixture
def programs(workspace: Path) -> Path:
    for name in ("id", "grep"):
        found = shutil.which(name)
        assert found
        (workspace / name).symlink_to(found)
    libraries = workspace / "ldconfig"
    libraries.write_text(
        "#!/bin/sh\necho 'libatomic.so.1 => /lib/a, libnss_wrapper.so => /lib/b'\n"
    )
    libraries.chmod(0o755)
    (workspace / "perl").symlink_to("/bin/true")
    return workspace


def test_what_is_there_is_not_spoken_of(programs: Path) -> None:
    for name in PROGRAMS:
        (programs / name).symlink_to("/bin/true")
    done = run(programs)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_root_it_says_in_one_line_what_root_is_to_type(programs: Path) -> None:
    for name in ("apt-get", *PROGRAMS[4:]):
        (programs / name).symlink_to("/bin/true")
    done = run(programs)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "the tests need chromium curl swaks msmtp: have root run 'apt-get update && "
        "apt-get install --yes --no-install-recommends chromium curl swaks msmtp'\n"
    )


def test_where_there_is_no_apt_it_says_what_is_missing(programs: Path) -> None:
    for name in PROGRAMS[1:]:
        (programs / name).symlink_to("/bin/true")
    done = run(programs)
    assert done.returncode == 1
    assert done.stderr.startswith("the tests need chromium, and there is no apt-get here")
