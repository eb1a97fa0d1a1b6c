"""What the sessions of line protocols have in common: their input, and what they are yet to say.

Pure: no I/O. Commands end with CRLF. What is not read yet is bounded by whoever feeds it, an
unfinished line by the session's own limit.
"""

from typing import Final, Generic, TypeVar

A = TypeVar("A")
W = TypeVar("W")

CRLF: Final = b"\r\n"
MAX_ERRORS: Final = 20
"""So many commands may be wrong before a session is closed."""


class LineSession(Generic[A, W]):
    """The base of a session whose actions are ``A``, and words to the client (some of them) ``W``.

    ``waiting`` tells whether a question of the session is open: no input is read meanwhile.
    """

    __slots__ = (
        "_at",
        "_banner",
        "_errors",
        "_input",
        "_last_action",
        "_pending",
        "_skipping",
        "_too_many_errors",
        "closed",
        "offers_tls",
        "tls",
        "trusted",
        "waiting",
    )

    def __init__(self, *, banner: W, too_many_errors: W, last_action: A) -> None:
        """Take words of greeting, words for a client that errs too often, and the ``last_action``,
        which closes the connection.
        """
        self.tls = False
        """Whether the connection is encrypted."""
        self.trusted = False
        """Whether passwords may be sent on it even if it is not."""
        self.offers_tls = False
        """Whether the client may begin TLS on it."""
        self.waiting = False
        self.closed = False
        """Whether all is said; nothing is read any more."""
        self._banner = banner
        self._too_many_errors = too_many_errors
        self._last_action = last_action
        self._input = b""
        self._at = 0
        self._pending: list[A | W] = []
        self._skipping = False
        self._errors = 0

    @property
    def may_log_in(self) -> bool:
        """Whether a password may be sent on this connection."""
        return self.tls or self.trusted

    @property
    def unread_bytes(self) -> int:
        """How many bytes of input wait to be read."""
        return len(self._input) - self._at

    def greet(self) -> None:
        """Say the banner before anything is read."""
        self._pending.append(self._banner)

    def receive(self, data: bytes) -> None:
        """Add ``data`` to the input that waits; once the session is closed it is thrown away."""
        if not self.closed:
            unread = self._at < len(self._input)
            self._input = self._input[self._at :] + data if unread else data
            self._at = 0

    def close(self, words: W) -> None:
        """Say ``words`` and close, after what is to be said already and whatever comes in.

        Words that are empty are not said.
        """
        before = self._pending
        self._shut()
        self._pending = [*before, *([words] if words else ()), *self._pending]

    # For the commands

    def then(self, action: A) -> None:
        """Have ``action`` done after the one that the command returns."""
        self._pending.append(action)

    def fault(self, words: W) -> W:
        """Count a wrong command. Returns ``words``, its answer.

        After more than MAX_ERRORS the session is closed, and other words are returned.
        """
        self._errors += 1
        return words if self._errors <= MAX_ERRORS else self.closing(self._too_many_errors)

    def closing(self, words: W) -> W:
        """Close the session after ``words``, which are returned as the answer to a command."""
        self._shut()
        return words

    def forget_input(self) -> None:
        """Throw away the input that waits."""
        self._input, self._at = b"", 0

    def _shut(self) -> None:
        """Have it `closed`: nothing is read, answered or said any more but the last action."""
        self.forget_input()
        self.closed = True
        self.waiting = False
        self._pending = [self._last_action]

    def _limit_unfinished_line(self, max_octets: int) -> None:
        """A line without end is not kept: only a CR that its end may begin with."""
        if self._skipping or self.unread_bytes > max_octets:
            self._skipping = True
            self._at = len(self._input) - self._input.endswith(b"\r")
