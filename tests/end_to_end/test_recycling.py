"""A daemon that recycles is killed under a flood, and started again: nobody loses what is his."""

import signal

from tests.end_to_end.command import told_json
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.end_to_end.load import under_load
from tests.patience import block_until

BOX = "box@private.example"
INBOX = "popular@public.example"
CAP, LIMIT = 80, 20
SETTINGS = (f"storage.max_messages={CAP}", f"plans.default.message_limit={LIMIT}")


def subjects(daemon: RunningDaemon, inbox: str, key: str) -> list[str]:
    """Of what is listed, oldest first; the count has to agree."""
    listed = daemon.json(f"/api/addresses/{inbox}/messages?limit=1000&_mailsacKey={key}")
    count = daemon.json(f"/api/addresses/{inbox}/message-count?_mailsacKey={key}")["count"]
    assert len(listed) == count
    return [message["subject"] for message in listed][::-1]


def test_killed_under_a_flood_it_goes_on_recycling_and_private_mail_is_all_there(
    make_daemon: MakeDaemon,
) -> None:
    options = [option for setting in SETTINGS for option in ("--set", setting)]
    daemon = make_daemon(*options).start()
    key = (daemon.data_dir / "admin.key").read_text().strip()
    daemon.request(f"/api/addresses/{BOX}?_mailsacKey={key}", "POST")
    sent = 0
    for _ in range(2):
        senders = under_load(daemon)
        for _ in range(12):
            daemon.send(BOX, f"Subject: {sent}\r\n\r\n")
            daemon.send(INBOX, f"Subject: {sent}\r\n\r\n")
            sent += 1
        block_until(lambda: total(daemon) > CAP)  # of what the recycler is at, or will be
        daemon.stop(signal.SIGKILL)
        for sender in senders:
            sender.join()
        daemon.start()
        newest = [str(number) for number in range(sent)]
        assert subjects(daemon, BOX, key) == newest[-LIMIT:]
        left = subjects(daemon, INBOX, key)
        assert left == newest[-6:][len(newest[-6:]) - len(left) :], "the cap takes the oldest"
    block_until(lambda: total(daemon) <= CAP)
    assert total(daemon) == CAP
    assert told_json(daemon.data_dir, "stats", "--check") == {"wrong": []}


def total(daemon: RunningDaemon) -> int:
    """How many messages are stored."""
    stored: int = told_json(daemon.data_dir, "stats")["stored"]["messages"]
    return stored
