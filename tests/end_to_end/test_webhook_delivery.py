"""Webhooks from the real daemon: whatever is killed when, everything that was taken is posted."""

import signal
from collections.abc import Iterator

import pytest

from tests.end_to_end.command import told
from tests.end_to_end.daemon import MakeDaemon
from tests.end_to_end.hook import ALLOWED, Hook, call, delivered, listening_hook, states
from tests.patience import block_until

QUICK = ("--set", "webhook.timeout_s=1")


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening_hook() as made:
        yield made


def test_what_was_taken_is_posted_though_the_daemon_is_killed(
    make_daemon: MakeDaemon, hook: Hook
) -> None:
    daemon = make_daemon(*ALLOWED, *QUICK).start()
    call(daemon, "POST", "/api/addresses/box@a.example", {"webhook": hook.url})
    hook.answers.clear()  # so that nothing is finished when it dies
    for number in range(20):
        daemon.send("box@a.example", f"Subject: {number}\r\n\r\nx\r\n")
    daemon.kill()
    taken = set(hook.got)
    hook.got.clear()
    hook.answers.set()
    daemon.start()
    block_until(lambda: states(daemon) == ["delivered"] * 20)
    assert sorted(hook.got) == sorted(delivered(daemon))
    assert taken <= set(hook.got)


def test_a_stop_waits_for_no_receiver_that_hangs(make_daemon: MakeDaemon, hook: Hook) -> None:
    daemon = make_daemon(*ALLOWED, *QUICK[:1], "webhook.timeout_s=60").start()
    call(daemon, "POST", "/api/addresses/box@a.example", {"webhook": hook.url})
    hook.answers.clear()
    daemon.send("box@a.example", "Subject: x\r\n\r\n")
    block_until(lambda: len(hook.got) == 1)
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(10) == -signal.SIGTERM
    assert "Traceback" not in daemon.log.read_text()


def test_slack_is_given_a_link_to_this_machine_where_no_other_is_known(
    make_daemon: MakeDaemon, hook: Hook
) -> None:
    daemon = make_daemon(*ALLOWED).start()
    url = hook.url.replace("/hook", "/slack")
    call(daemon, "POST", "/api/addresses/box@a.example", {"webhookSlack": url})
    daemon.send("box@a.example", "Subject: x\r\n\r\n")
    block_until(lambda: len(hook.slack) == 1)
    link = f"http://127.0.0.1:{daemon.ready.ports['http']}/api/body/box@a.example/"
    assert link in hook.slack[0]
    daemon.stop()


def test_two_processes_post_each_once(make_daemon: MakeDaemon, hook: Hook) -> None:
    daemon = make_daemon(*ALLOWED, "--set", "server.workers=2").start()
    call(daemon, "POST", "/api/addresses/box@a.example", {"webhook": hook.url})
    for number in range(40):
        daemon.send("box@a.example", f"Subject: {number}\r\n\r\nx\r\n")
    block_until(lambda: states(daemon) == ["delivered"] * 40)
    assert len(hook.got) == len(set(hook.got)) == 40
    daemon.stop()


def test_by_default_this_machine_is_out_of_reach(make_daemon: MakeDaemon, hook: Hook) -> None:
    daemon = make_daemon().start()
    port = hook.server_address[1]
    for place, host in enumerate(("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]")):
        body = {"webhook": f"http://{host}:{port}/", "webhookSlack": f"http://{host}:{port}/"}
        call(daemon, "POST", f"/api/addresses/{place}@a.example", body)
        daemon.send(f"{place}@a.example", "Subject: x\r\n\r\n")
    block_until(lambda: all(d["attempts"] for d in call(daemon, "GET", "/api/webhooks/deliveries")))
    told = {d["error"] for d in call(daemon, "GET", "/api/webhooks/deliveries")}
    assert all(error.endswith("is not on the public Internet") for error in told)
    assert hook.got == []


def test_what_waits_is_in_a_backup(make_daemon: MakeDaemon, hook: Hook) -> None:
    daemon = make_daemon().start()
    call(daemon, "POST", "/api/addresses/box@a.example", {"webhook": hook.url})
    secret = call(daemon, "GET", "/api/webhooks/secret")
    daemon.send("box@a.example", "Subject: x\r\n\r\n")
    file = daemon.data_dir.parent / "mailsacd.backup"
    block_until(lambda: call(daemon, "GET", "/api/webhooks/deliveries")[0]["attempts"] == 1)
    told(daemon.data_dir, "backup", str(file))
    daemon.stop()
    other = make_daemon(*ALLOWED, name="other").start()
    other.stop()
    told(other.data_dir, "restore", "--yes", str(file))
    (other.data_dir / "admin.key").write_text((daemon.data_dir / "admin.key").read_text())
    other.start()
    block_until(lambda: len(hook.got) == 1)
    assert call(other, "GET", "/api/webhooks/secret") == secret
