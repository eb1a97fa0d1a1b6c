"""A process ends in bounded time, though a thread of it does not."""

import subprocess
import sys
import time

from mailsacd.work.threads import STOP_S

_BUSY = """
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react
from mailsacd.work.threads import make_lanes

def for_ever():
    while True:
        pass

async def main(reactor):
    lanes = make_lanes(reactor)
    lanes.readers.run_in_thread(for_ever).addErrback(lambda _: None)
    await deferLater(reactor, 0.1)
    await lanes.stop()
    print("stopped")

react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
"""

_STUCK = """
from twisted.internet import reactor
from mailsacd.work.process import end_within

end_within(0.5, reactor)
reactor.run()
"""


def test_a_thread_that_never_ends_does_not_keep_the_process_alive() -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _BUSY], capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, b"stopped\n"), done.stderr
    assert time.monotonic() - began < STOP_S + 10


def test_a_stop_that_never_ends_does_not_keep_the_process_alive() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STUCK], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 1
