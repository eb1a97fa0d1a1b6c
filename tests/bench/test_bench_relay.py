"""A daemon that is killed while it sends loses nobody's mail, and sends nothing a second time."""

from bench.relay_kill import kill_and_account


def test_every_recipient_is_accounted_for_when_the_daemon_is_killed() -> None:
    verdicts = kill_and_account(messages=80, kills=3)
    assert [str(verdict) for verdict in verdicts if not verdict.met] == []
