"""What a caller is told of how much more it may call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RateStanding:
    """How a caller stands with the limit that is called ``policy``.

    ``quota`` calls may be made within ``window_s`` seconds, and ``remaining`` now; in ``reset_s``
    seconds it may be all of them again. ``retry_after_s`` is 0 unless this call was one too many.
    """

    policy: str
    quota: int
    window_s: int
    remaining: int
    reset_s: int
    retry_after_s: int = 0
