"""The embedded PostgreSQL, with real servers and real processes."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater

import mailsacd.embedded.postgres as module
from mailsacd.core.errors import ConfigurationError, UnavailableError
from mailsacd.embedded import postgres as postgres_module
from mailsacd.embedded.account import postgres_user
from mailsacd.embedded.cluster import Cluster
from mailsacd.embedded.postgres import EmbeddedPostgres
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.patience import PATIENCE_S, until

Make = Callable[..., EmbeddedPostgres]
Hold = Callable[[Path], tuple[subprocess.Popen[str], str]]


async def answers(postgres: EmbeddedPostgres, sql: str = "select 1") -> object:
    """The one value of a statement, on a connection of its own."""
    database = Database(
        postgres.dsn, LANES.rest, connections=1, statement_timeout_s=10, reactor=reactor
    )
    try:
        await database.start()
        return (await database.fetch(sql))[0][0]
    finally:
        await database.stop()


def postmaster(data_dir: Path) -> int:
    """The process id of the server on the data."""
    found = Cluster(data_dir).postmaster()
    assert found is not None
    return found.pid


def is_gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has asked after yet has, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest_twisted.ensureDeferred
async def test_makes_a_cluster_beside_what_else_is_in_the_data_directory(
    workspace: Path, embedded: Make
) -> None:
    (workspace / "ready.json").write_text("{}")
    postgres = embedded(workspace)
    await postgres.start()
    assert await answers(postgres) == 1
    assert (workspace / "ready.json").read_text() == "{}"


@pytest_twisted.ensureDeferred
async def test_a_strict_umask_does_not_lock_the_server_out(workspace: Path, embedded: Make) -> None:
    before = os.umask(0o077)
    try:
        postgres = embedded(workspace / "new" / "data")
        await postgres.start()
        assert await answers(postgres) == 1
    finally:
        os.umask(before)


@pytest_twisted.ensureDeferred
async def test_data_outlives_the_server(data_dir: Path, embedded: Make) -> None:
    first = embedded(data_dir)
    await first.start()
    await answers(first, "create table kept (); select 1")
    await first.stop()
    second = embedded(data_dir)
    await second.start()
    assert await answers(second, "select to_regclass('kept')::text") == "kept"


@pytest_twisted.ensureDeferred
async def test_the_server_ends_when_it_is_stopped(data_dir: Path, embedded: Make) -> None:
    postgres = embedded(data_dir)
    await postgres.start()
    pid = postmaster(data_dir)
    await postgres.stop()
    assert is_gone(pid)


@pytest_twisted.ensureDeferred
async def test_a_killed_server_is_restarted_and_the_pool_finds_it(
    data_dir: Path, embedded: Make
) -> None:
    postgres = embedded(data_dir)
    await postgres.start()
    database = Database(
        postgres.dsn, LANES.rest, connections=2, statement_timeout_s=10, reactor=reactor
    )
    await database.start()
    before = postmaster(data_dir)

    async def works() -> None:
        while True:
            try:
                await database.fetch("select 1")
            except UnavailableError:
                continue
            if Cluster(data_dir).postmaster() and postmaster(data_dir) != before:
                return
            await deferLater(reactor, 0.01)

    try:
        os.kill(before, signal.SIGKILL)
        await ensureDeferred(works()).addTimeout(PATIENCE_S, reactor)
    finally:
        await database.stop()


@pytest_twisted.ensureDeferred
async def test_stop_ends_a_restart_under_way(
    data_dir: Path, embedded: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTART_DELAYS_S", (0.0, 100_000.0))
    postgres = embedded(data_dir)
    await postgres.start()
    pid = postmaster(data_dir)
    # No server starts on this
    (data_dir / "postgres" / "global").rename(data_dir / "postgres" / "gone")
    os.kill(pid, signal.SIGKILL)
    await until(lambda: postgres._failures == 2)  # it waits for the long delay
    await ensureDeferred(postgres.stop()).addTimeout(PATIENCE_S, reactor)
    assert not postgres._restarting.is_running


@pytest_twisted.ensureDeferred
async def test_the_server_ends_with_a_killed_daemon(
    data_dir: Path, hold: Hold, embedded: Make
) -> None:
    process, role = hold(data_dir)
    assert role == "serving"
    pid = postmaster(data_dir)
    process.kill()
    await until(lambda: is_gone(pid))
    postgres = embedded(data_dir)
    await postgres.start()
    assert await answers(postgres) == 1


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
@pytest_twisted.ensureDeferred
async def test_a_second_daemon_attaches_and_takes_over(
    data_dir: Path, hold: Hold, embedded: Make, end: signal.Signals
) -> None:
    process, _ = hold(data_dir)
    postgres = embedded(data_dir)
    await postgres.start()
    assert postgres.attached
    assert await answers(postgres) == 1
    process.send_signal(end)
    await until(lambda: not postgres.attached and postgres._is_up)
    assert await answers(postgres) == 1
    assert hold(data_dir)[1] == "attached"


@pytest_twisted.ensureDeferred
async def test_a_daemon_that_attached_leaves_the_server_alone(
    data_dir: Path, hold: Hold, embedded: Make
) -> None:
    hold(data_dir)
    pid = postmaster(data_dir)
    postgres = embedded(data_dir)
    await postgres.start()
    await postgres.stop()
    assert postmaster(data_dir) == pid
    assert not is_gone(pid)


@pytest.mark.parametrize(
    "content",
    [f"{os.getpid()}\n/elsewhere\n", "1\n", "\n", "no number"],
    ids=["another program", "init", "empty", "no number"],
)
@pytest_twisted.ensureDeferred
async def test_a_stale_postmaster_file_is_no_hindrance(
    data_dir: Path, embedded: Make, content: str
) -> None:
    stale = data_dir / "postgres" / "postmaster.pid"
    stale.write_text(content)
    owner = (data_dir / "postgres").stat()
    os.chown(stale, owner.st_uid, owner.st_gid)
    stale.chmod(0o600)
    postgres = embedded(data_dir)
    await postgres.start()
    assert await answers(postgres) == 1


@pytest_twisted.ensureDeferred
async def test_a_server_that_lost_its_daemon_is_replaced(data_dir: Path, embedded: Make) -> None:
    first = embedded(data_dir)
    await first.start()
    directory = str(data_dir / "postgres")
    program = os.readlink(f"/proc/{postmaster(data_dir)}/exe")
    await first.stop()
    orphan = subprocess.Popen(  # noqa: ASYNC220  in the midst of nothing
        postgres_user().launcher([program, "-D", directory, "-k", directory]),
        stderr=subprocess.DEVNULL,
    )
    await until(lambda: Cluster(data_dir).postmaster() is not None)
    second = embedded(data_dir)
    await second.start()
    orphan.wait()
    assert postmaster(data_dir) != orphan.pid
    assert await answers(second) == 1


@pytest_twisted.ensureDeferred
async def test_a_socket_path_that_is_too_long_goes_aside(workspace: Path, embedded: Make) -> None:
    postgres = embedded(workspace / ("long" * 30))
    await postgres.start()
    assert await answers(postgres) == 1
    await postgres.stop()
    postgres._cluster.socket_directory().rmdir()


@pytest_twisted.ensureDeferred
async def test_a_directory_that_only_we_may_enter(workspace: Path, embedded: Make) -> None:
    closed = workspace / "closed"
    closed.mkdir(mode=0o700)
    postgres = embedded(closed / "data")
    home = postgres._cluster.home
    try:
        await postgres.start()
        assert await answers(postgres) == 1
        await postgres.stop()
        closed.chmod(0o755)
        closed.rename(workspace / "open")
        # What was begun there is found again, though the directory may be entered now
        again = embedded(workspace / "open" / "data")
        if home.is_relative_to("/var/lib"):
            assert again._cluster.home == home
        assert again._cluster.major is not None
    finally:
        await postgres.stop()
        shutil.rmtree(home, ignore_errors=True)
    # Only root's PostgreSQL is run by another user, whom the directory keeps out
    assert home.is_relative_to("/var/lib" if os.geteuid() == 0 else closed)


@pytest_twisted.ensureDeferred
async def test_data_that_is_kept_aside_stays_its_owners(workspace: Path, embedded: Make) -> None:
    # Another user comes first on this machine by now, such as when its own PostgreSQL is installed
    closed = workspace / "closed"
    closed.mkdir(mode=0o700)
    postgres = embedded(closed / "data")
    home = postgres._cluster.home
    try:
        await postgres.start()
        await postgres.stop()
        if os.geteuid() == 0:
            for path in (home / "postgres", *(home / "postgres").rglob("*")):
                os.chown(path, 12_345, -1)
        for data_dir in (closed / "data", closed / "data"):  # by its record, and by its name
            again = embedded(data_dir)
            await again.start()
            assert await answers(again) == 1
            await again.stop()
            (closed / "data" / "postgres.location").unlink(missing_ok=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest_twisted.ensureDeferred
async def test_root_runs_a_users_data_as_that_user(data_dir: Path) -> None:
    directory = data_dir / "postgres"
    owner = directory.stat().st_uid
    other = 12_345 if os.geteuid() == 0 else owner
    os.chown(directory, other, -1)
    assert postgres_user(directory).uid == other


@pytest_twisted.ensureDeferred
async def test_a_stuck_process_of_a_killed_server_does_not_meet_the_next_one(
    data_dir: Path, embedded: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "_BACKEND_STAGES", ((0.2, signal.SIGKILL),))
    postgres = embedded(data_dir)
    await postgres.start()
    database = Database(
        postgres.dsn, LANES.rest, connections=1, statement_timeout_s=10, reactor=reactor
    )
    await database.start()
    try:
        ((stuck,),) = await database.fetch("select pg_backend_pid()")
        os.kill(stuck, signal.SIGSTOP)
        before = postmaster(data_dir)
        os.kill(before, signal.SIGKILL)
        await until(lambda: postgres._is_ready() and postmaster(data_dir) != before)
        assert is_gone(stuck)
    finally:
        await database.stop()


@pytest_twisted.ensureDeferred
async def test_a_server_that_does_not_start_says_why(data_dir: Path, embedded: Make) -> None:
    with (data_dir / "postgres" / "postgresql.conf").open("a") as f:
        f.write("no_such_setting = 1\n")
    with pytest.raises(ConfigurationError, match="no_such_setting"):
        await embedded(data_dir).start()


@pytest_twisted.ensureDeferred
async def test_what_is_no_cluster_is_not_touched(workspace: Path, embedded: Make) -> None:
    (workspace / "postgres").mkdir()
    (workspace / "postgres" / "mine").write_text("mine")
    with pytest.raises(ConfigurationError, match="is no PostgreSQL data directory"):
        await embedded(workspace).start()
    assert (workspace / "postgres" / "mine").read_text() == "mine"
