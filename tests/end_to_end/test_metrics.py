"""Figures and the log of real daemons: over all workers, and from the 250 to the webhook."""

import json
import os
import re
import signal
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.end_to_end.command import told
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.end_to_end.hook import ALLOWED, Hook, listening_hook
from tests.patience import block_until

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]
MAIL = "Subject: hi\r\n\r\nhello\r\n"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening_hook() as made:
        yield made


def figures(daemon: RunningDaemon) -> Figures:
    """Every sample, by its name and labels."""
    _, _, body = daemon.request("/metrics")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def figure(daemon: RunningDaemon, name: str, **labels: str) -> float:
    """One sample; 0 where there is none."""
    return figures(daemon).get((name, tuple(sorted(labels.items()))), 0.0)


def test_what_workers_counted_is_told_by_each_and_is_there_when_they_are_killed(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon("--set", "server.workers=2").start()
    for number in range(20):
        daemon.send(f"box{number}@example.com", MAIL)
    with daemon.smtp() as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("a@example.net", ["not an address@"], MAIL)
    assert {figure(daemon, "mailsacd_mail_stored_total") for _ in range(10)} == {20.0}
    for pid in daemon.worker_pids():
        os.kill(pid, signal.SIGKILL)
        block_until(lambda pid=pid: pid not in daemon.worker_pids())  # type: ignore[misc]  # bound
        block_until(lambda: len(daemon.worker_pids()) == 2)
    daemon.send("box0@example.com", MAIL)
    block_until(lambda: figure(daemon, "mailsacd_worker_starts_total") == 4)
    after = figures(daemon)
    assert after["mailsacd_mail_stored_total", ()] == 21.0
    assert after["mailsacd_smtp_accepted_total", (("port", "smtp"),)] == 21.0
    refused = (("code", "501"), ("port", "smtp"), ("status", "5.1.3"))
    assert after["mailsacd_smtp_refusals_total", refused] == 1.0
    assert after["mailsacd_workers", ()] == 2.0
    assert after["process_cpu_seconds_total", (("worker", "1"),)] > 0
    assert after["process_cpu_seconds_total", (("worker", "2"),)] > 0
    daemon.stop()


def test_at_a_reload_no_counter_is_set_back(make_daemon: MakeDaemon, workspace: Path) -> None:
    file = workspace / "mailsacd.toml"
    file.write_text("[log]\nlines_per_s = 5\n")
    daemon = make_daemon("--set", "server.workers=2", "--config", str(file)).start()
    for number in range(10):
        daemon.send(f"box{number}@example.com", MAIL)
    file.write_text("[log]\nlines_per_s = 6\n")
    daemon.process.send_signal(signal.SIGHUP)
    block_until(lambda: "all workers have the new settings" in daemon.log.read_text())
    for number in range(5):
        daemon.send(f"box{number}@example.com", MAIL)
    assert {figure(daemon, "mailsacd_mail_stored_total") for _ in range(10)} == {15.0}
    assert figure(daemon, "mailsacd_worker_starts_total") == 4.0
    assert figure(daemon, "mailsacd_workers") == 2.0
    daemon.stop()


def _lines(daemon: RunningDaemon) -> list[dict[str, object]]:
    return [json.loads(line) for line in daemon.log.read_text().splitlines() if line[:1] == "{"]


@pytest.mark.parametrize("workers", [1, 2])
def test_one_id_is_in_the_250_the_log_and_the_webhook(
    make_daemon: MakeDaemon, hook: Hook, workers: int
) -> None:
    daemon = make_daemon(*ALLOWED, "--set", f"server.workers={workers}")
    daemon.twistd = ("--logger=mailsacd.json_log.json_log",)
    daemon.start()
    told(daemon.data_dir, "address", "add", "admin", "bob@example.com")
    told(daemon.data_dir, "address", "set", "admin", "bob@example.com", "--webhook", hook.url)
    with daemon.smtp() as client:
        client.ehlo()
        client.docmd("MAIL", "FROM:<ann@example.net>")
        client.docmd("RCPT", "TO:<bob@example.com>")
        _, answer = client.data(MAIL)
    (message,) = re.findall(rb"stored as (\w+)", answer)
    id_ = message.decode()
    block_until(lambda: bool(hook.got))
    assert hook.got[0].startswith(id_)
    block_until(lambda: any("delivery" in each for each in _lines(daemon)))
    lines = [each for each in _lines(daemon) if each.get("message") == id_]
    by_kind = {str(each["text"]).partition(" ")[0]: each for each in lines}
    assert by_kind["smtp"]["sender"] == "ann@example.net"
    assert by_kind["smtp"]["recipients"] == "bob@example.com"
    assert by_kind["smtp"]["code"] == 250
    assert by_kind["delivery"]["delivery"] == hook.got[0]
    assert by_kind["delivery"]["code"] == 204
    assert hook.url not in daemon.log.read_text()
    session = [each for each in _lines(daemon) if str(each["text"]).startswith("smtp session")]
    assert [each["session"] for each in session] == [by_kind["smtp"]["session"]]
    daemon.stop()


def test_no_key_and_no_query_is_in_the_log(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    key = Path(daemon.data_dir / "admin.key").read_text().strip()
    assert daemon.request(f"/api/me?_mailsacKey={key}")[0] == 200
    assert daemon.request("/api/me?_mailsacKey=k_wrongwrongwrong")[0] == 401
    daemon.send("bob@example.com", "Subject: geheim\r\n\r\nverborgen\r\n")
    daemon.stop()
    log = daemon.log.read_text()
    assert "http GET /api/me 200" in log
    assert "http GET /api/me 401" in log
    for secret in (key, "k_wrong", "mailsacKey", "geheim", "verborgen"):
        assert secret not in log.replace(_banner(log), "")


def _banner(log: str) -> str:
    """What is said at the first start, the first key among it."""
    return log[log.find("is ready") : log.rfind("Try:")]
