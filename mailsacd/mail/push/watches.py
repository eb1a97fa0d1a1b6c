"""Those who look for themselves as soon as there may be something new, and need nothing rendered.

They are told at once, and not after the hold of streams: who looks finds what came before, too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mailsacd.core.event import Arrival, Topic


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """``wake`` is called for mail of any of the ``topics``, and whenever some may have been missed.

    ``lost`` is called when the watch has ended by a defect. Neither may raise, and both take little
    time. Made by `mail.push.hub.Hub.watch`.
    """

    topics: frozenset[Topic]
    wake: Callable[[], None]
    lost: Callable[[], None]


class Watches:
    """Those of a node, by what they wait for."""

    def __init__(self) -> None:
        self._watching: dict[Watch, None] = {}
        self._of: dict[Topic, dict[Watch, None]] = {}

    def __len__(self) -> int:
        return len(self._watching)

    def add(self, watch: Watch) -> None:
        """Wake ``watch`` from now on."""
        self._watching[watch] = None
        for topic in watch.topics:
            self._of.setdefault(topic, {})[watch] = None

    def discard(self, watch: Watch) -> None:
        """Wake ``watch`` no longer; it need not be there."""
        self._watching.pop(watch, None)
        for topic in watch.topics:
            watching = self._of.get(topic, {})
            watching.pop(watch, None)
            if not watching:
                self._of.pop(topic, None)

    def found(self, arrivals: Iterable[Arrival]) -> None:
        """Wake those whom ``arrivals`` concern, each once."""
        if self._watching:
            concerned: dict[Watch, None] = {}
            for arrival in arrivals:
                for topic in arrival.topics():
                    concerned |= self._of.get(topic, {})
            for watch in concerned:
                watch.wake()

    def lose_all(self) -> None:
        """End all watches, and tell whose they were."""
        for watch in tuple(self._watching):
            self.discard(watch)
            watch.lost()

    def wake_all(self) -> None:
        """Wake everybody: something may have been missed."""
        for watch in tuple(self._watching):
            watch.wake()
