"""Whatever is killed while mail is sent, nobody's is lost, and none goes out a second time."""

import pytest

from bench.relay_kill import kill_and_account


@pytest.mark.parametrize("victim", ["daemon", "postgres"])
def test_every_recipient_is_accounted_for(victim: str) -> None:
    verdicts = kill_and_account(messages=80, kills=3, victim=victim)
    assert [str(verdict) for verdict in verdicts if not verdict.met] == []
