"""The lanes of threads that all tests of a run share."""

from typing import Final

from twisted.internet import reactor

from mailsacd.work.threads import make_lanes

LANES: Final = make_lanes(reactor)
