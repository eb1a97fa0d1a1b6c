"""What several parts keep for a time, and delete after it."""

from collections.abc import Mapping
from typing import Final

from twisted.internet.interfaces import IReactorTime

from mailsacd.work.loop import Loop, Step

PRUNE_EVERY_S: Final = 300.0


class Pruning:
    """Each step of ``steps`` deletes what is too old; its name there says what, for the log."""

    def __init__(self, steps: Mapping[str, Step], clock: IReactorTime) -> None:
        self._loops = tuple(
            Loop(what, step, every_s=PRUNE_EVERY_S, clock=clock, cancels=True)
            for what, step in steps.items()
        )

    def start(self) -> None:
        """Begin to delete, again and again."""
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        """Break off what is being deleted, and begin with nothing more."""
        for loop in self._loops:
            await loop.stop()
