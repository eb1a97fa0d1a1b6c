"""Those who look for themselves as soon as there may be something new, and need nothing rendered.

They are told at once, and not after the hold of streams: who looks finds what came before, too.
"""

from collections.abc import Iterable
from typing import Protocol

from mailsacd.core.event import Arrival, Topic


class Watch(Protocol):
    """Whoever looks for itself (mail.push.hub.Hub.watch). Its calls are quick and do not raise."""

    def topics(self) -> Iterable[Topic]:
        """What it waits for: always the same."""

    def wake(self) -> None:
        """There is mail of one of the topics, or some may have been missed."""

    def lost(self) -> None:
        """The watch has ended by a defect."""


class Watches:
    """Those of a node, by what they wait for."""

    def __init__(self) -> None:
        self._watching: dict[Watch, None] = {}
        self._of: dict[Topic, tuple[Watch, ...]] = {}  # of most there is one

    def __len__(self) -> int:
        return len(self._watching)

    def add(self, watch: Watch) -> None:
        """Wake ``watch`` from now on."""
        if watch not in self._watching:
            self._watching[watch] = None
            for topic in watch.topics():
                self._of[topic] = (*self._of.get(topic, ()), watch)

    def discard(self, watch: Watch) -> None:
        """Wake ``watch`` no longer; it need not be there."""
        if watch not in self._watching:
            return
        del self._watching[watch]
        for topic in watch.topics():
            others = tuple(each for each in self._of[topic] if each is not watch)
            if others:
                self._of[topic] = others
            else:
                del self._of[topic]

    def found(self, arrivals: Iterable[Arrival]) -> None:
        """Wake those whom ``arrivals`` concern, each once."""
        if self._watching:
            concerned: dict[Watch, None] = {}
            for arrival in arrivals:
                for topic in arrival.topics():
                    concerned.update(dict.fromkeys(self._of.get(topic, ())))
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
