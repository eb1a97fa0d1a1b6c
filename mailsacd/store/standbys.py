"""Connections to standbys, in the way of those to the primary; there may be none for a while."""

from typing import ClassVar, Final

from mailsacd.store.pool import Database
from mailsacd.store.target import StandbyTarget, Target


class Standbys(Database):
    """A Database that is any of several standbys, or one. Nothing can be written there.

    A server that becomes a primary is left within half a second of its next statement.
    """

    _target_class: ClassVar[type[Target]] = StandbyTarget

    def begin(self) -> None:
        """Begin to connect, for as long as it takes; `is_there` tells when that has succeeded."""
        self._sweeping.start()
        self._ask_for_another()

    @property
    def is_there(self) -> bool:
        """Whether there is a connection, be it in use."""
        return bool(self._open)

    def try_another(self) -> None:
        """Have the next connections be to another of the standbys, if there are several."""
        if self.target.has_several_hosts:
            self.target.failed()
            for _, connection in tuple(self._idle):
                connection.drop(_ANOTHER)


_ANOTHER: Final = "another standby is tried"
